"""How far a learner is in programmes, and the one next step."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import AchievementProgress, Definition, Holding, Measure
from mooc_microcred.competencies import api as competencies
from mooc_microcred.programs.data import NextStep, ProgrammeProgress
from mooc_microcred.programs.trees import TreeState, judge_tree

# Study comes before grades, grades before exams, whatever their order in a rule.
_ORDER = (
    "achievement",
    "completion",
    "course_grade",
    "subsection_grade",
    "certificate",
    "competency",
    "exam",
    "weighted",
)


def list_programmes_with_progress(*, learner_id: int) -> list[ProgrammeProgress]:
    """Return the programmes that the learner's courses or awards lead to, outermost last.

    A constant number of queries. Raises PlatformUnavailable where the platform cannot be read.
    """
    return programmes_in(
        catalogue=achievements.current_catalogue(),
        progress=achievements.read_progress(learner_id=learner_id),
        held=achievements.read_holdings(learner_id=learner_id),
    )


def programmes_in(
    *,
    catalogue: achievements.Catalogue,
    progress: Mapping[str, AchievementProgress],
    held: Mapping[str, Holding],
) -> list[ProgrammeProgress]:
    """Return the programmes in what was read of a learner, outermost last; no query.

    Args:
        progress: by code, as ``achievements.api.read_progress`` returns it.
        held: by code, as ``achievements.api.read_holdings`` returns it.
    """
    found = []
    for code, own in progress.items():
        definition = catalogue.newest(code)
        if definition is None or definition.tree is None:
            continue
        tree = judge_tree(definition.tree, held)
        found.append(
            ProgrammeProgress(
                code=code,
                organization=definition.organization,
                name=definition.name,
                version_id=definition.version_id,
                tree=tree,
                components={leaf: progress[leaf] for leaf in _codes_of(tree) if leaf in progress},
                next_step=done_step(code)
                if own.award is not None
                else _next_in_tree(catalogue, progress, tree, definition),
                award=own.award,
            )
        )
    return found


def next_step_of(
    progress: Mapping[str, AchievementProgress],
    code: str,
    *,
    catalogue: achievements.Catalogue | None = None,
) -> NextStep:
    """Return the next step towards one achievement; ``progress`` also holds what it needs.

    Args:
        progress: by code, as ``achievements.api.read_progress`` returns it.
        catalogue: the one by which it was read; None reads it once more, with one query.
    """
    catalogue = catalogue or achievements.current_catalogue()
    own = progress.get(code)
    if own is None:
        return _enrol(catalogue, code)
    if own.award is not None:
        return done_step(code)
    definition = catalogue.newest(code)
    if definition is not None and definition.tree is not None:
        tree = judge_tree(definition.tree, {})
        return _next_in_tree(catalogue, progress, tree, definition)
    unmet = [one for one in own.measures if not one.met]
    if not unmet:
        return NextStep(
            "wait_for_certificate",
            _("Everything is done; your certificate is being prepared."),
            code,
            own.course_key,
        )
    unmet.sort(key=lambda one: _ORDER.index(one.kind) if one.kind in _ORDER else len(_ORDER))
    return _step_for(catalogue, progress, own, unmet[0])


def _codes_of(tree: TreeState) -> list[str]:
    own = [tree.code] if tree.code else []
    return own + [code for child in tree.children for code in _codes_of(child)]


def _next_in_tree(
    catalogue: achievements.Catalogue,
    progress: Mapping[str, AchievementProgress],
    tree: TreeState,
    definition: Definition,
) -> NextStep:
    """Return the step for the first open component that the learner has begun, else for the first one."""
    leaves = list(_open_leaves(tree))
    begun = [code for code in leaves if code in progress and progress[code].award is None]
    for code in begun or leaves:
        return next_step_of(progress, code, catalogue=catalogue)
    return NextStep(
        "wait_for_certificate",
        _("All parts of the programme are done; the award is being prepared."),
        definition.code,
    )


def _open_leaves(tree: TreeState) -> list[str]:
    if tree.met:
        return []
    if tree.code:
        return [tree.code]
    return [code for child in tree.children for code in _open_leaves(child)]


def done_step(code: str) -> NextStep:
    """Return the step of something that is earned."""
    return NextStep("done", _("You have earned this."), code)


def _enrol(catalogue: achievements.Catalogue, code: str) -> NextStep:
    definition = catalogue.newest(code)
    name = definition.name.in_language(get_language() or "en") if definition else code
    return NextStep("enrol", _("Enrol in the course of “%(name)s”.") % {"name": name}, code)


def _step_for(
    catalogue: achievements.Catalogue,
    progress: Mapping[str, AchievementProgress],
    own: AchievementProgress,
    measure: Measure,
) -> NextStep:
    details = {**measure.details, "have": measure.have, "need": measure.need}
    name = own.name.in_language(get_language() or "en")
    if measure.kind == "achievement":
        return next_step_of(progress, measure.key, catalogue=catalogue)
    if measure.kind == "completion":
        # A platform need not walk a course in which nothing has been completed; it then knows no total.
        total = measure.details.get("total")
        if total:
            text = _("Continue the course: %(completed)s of %(total)s units are done.") % {
                "completed": measure.details.get("completed", 0),
                "total": total,
            }
        else:
            text = _("Begin the course; no unit of it is done yet.")
        return NextStep("study", text, own.code, own.course_key, details=details)
    if measure.kind == "course_grade":
        if measure.need is None:
            text = _("Pass the self-tests of the course.")
        else:
            text = _("Raise your course grade to %(need)s percent; it is %(have)s now.") % {
                "need": _plain(measure.need),
                "have": _plain(measure.have),
            }
        return NextStep("raise_grade", text, own.code, own.course_key, details=details)
    if measure.kind == "subsection_grade":
        text = _("Reach %(need)s percent in the graded part; you have %(have)s.") % {
            "need": _plain(measure.need),
            "have": _plain(measure.have),
        }
        return NextStep("pass_subsection", text, own.code, own.course_key, details=details)
    if measure.kind == "certificate":
        text = _("Pass the course; the certificate of the platform follows by itself.")
        return NextStep("raise_grade", text, own.code, own.course_key, details=details)
    if measure.kind == "competency":
        return NextStep(
            "show_competency", _competency_step(measure), own.code, own.course_key, details=details
        )
    exam = _exam_of(catalogue, own.code, measure)
    if measure.have is None:
        text = _("Take the standard exam of “%(name)s” at a test centre.") % {"name": name}
        return NextStep("take_exam", text, own.code, own.course_key, exam, details)
    text = _("Sit the standard exam again: %(need)s percent are needed, you have %(have)s.") % {
        "need": _plain(measure.need),
        "have": _plain(measure.have),
    }
    return NextStep("resit_exam", text, own.code, own.course_key, exam, details)


def _competency_step(measure: Measure) -> str:
    key = measure.details["framework"], measure.details["item"]
    found = competencies.get_competencies(keys=[key]).get(key)
    statement = found.statement.in_language(get_language() or "en") if found else ""
    name = " ".join(filter(None, (found.code, statement))) if found else key[1]
    if not measure.details.get("pieces"):
        return _("Show the competency “%(name)s” in a course that assesses it.") % {"name": name}
    return _("Show the competency “%(name)s”: %(pieces)s of %(available)s tasks are done.") % {
        "name": name,
        "pieces": measure.details["pieces"],
        "available": measure.details["available"],
    }


def _exam_of(catalogue: achievements.Catalogue, code: str, measure: Measure) -> str:
    if measure.kind == "exam":
        return measure.key
    definition = catalogue.newest(code)
    return definition.exams[0].code if definition and definition.exams else ""


def _plain(number: Decimal | None) -> str:
    """Return a number as people write it: no trailing zeros; nothing yet is 0."""
    text = format(number or Decimal(0), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
