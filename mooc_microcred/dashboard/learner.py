"""A learner's dashboard: badges, programmes in progress, and the next step with a link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import AchievementProgress, AwardData, CourseRule, Definition
from mooc_microcred.core import clock
from mooc_microcred.core.platform import CourseSummary, PlatformUnavailable, get_platform
from mooc_microcred.credentials import api as credentials
from mooc_microcred.dashboard.data import Badge, Dashboard, Ladder, Rung, Step, Worth
from mooc_microcred.dashboard.links import public_urls
from mooc_microcred.dashboard.stages import stages_of
from mooc_microcred.exams import api as exams
from mooc_microcred.programs import api as programs
from mooc_microcred.programs.data import NextStep, ProgrammeProgress
from mooc_microcred.programs.trees import TreeState

# Awards that a learner sees; a revoked one is told of by the list of awards, with its reason.
SHOWN_STATES = ("active", "suspended", "expired")
# Steps besides those of the ladders.
STEPS = 3
# Of the courses of a large catalogue, how many are looked at for one that is open.
OFFERS_LOOKED_AT = 30


def read_dashboard(*, learner_id: int) -> Dashboard:
    """Return what a learner sees at a glance, with a constant number of queries.

    Where the platform cannot be read, it holds the badges only and says that it is not complete.
    """
    awards = [one for one in achievements.list_awards(learner_id=learner_id) if one.state in SHOWN_STATES]
    return replace(read_road(learner_id=learner_id), badges=badges_of(awards))


def read_road(*, learner_id: int) -> Dashboard:
    """Return a learner's dashboard without the badges: the programmes and what to do next."""
    catalogue = achievements.current_catalogue()
    try:
        progress = achievements.read_progress(learner_id=learner_id)
        found = programs.programmes_in(
            catalogue=catalogue,
            progress=progress,
            held=achievements.read_holdings(learner_id=learner_id),
        )
        ladders, steps = _ladders_and_steps(learner_id, catalogue, progress, found)
    except PlatformUnavailable:
        return Dashboard(complete=False)
    return Dashboard(ladders=ladders, steps=steps)


def first_steps(*, learner_id: int) -> tuple[Step, ...]:
    """Return courses in which somebody who has begun nothing may enrol, those that need nothing before first.

    Empty where the platform cannot be read, and where no course is open.
    """
    catalogue = achievements.current_catalogue()
    newest = [one for code in catalogue.order if (one := catalogue.newest(code)) and one.kind == "level1"]
    newest.sort(key=lambda one: (bool(one.raw.get("prerequisites")), one.version_id))
    plans = [programs.next_step_of({}, one.code, catalogue=catalogue) for one in newest[:OFFERS_LOOKED_AT]]
    try:
        guide = _Guide.reading(learner_id, catalogue, {}, plans)
    except PlatformUnavailable:
        return ()
    return tuple([one for one in map(guide.step, plans) if one.url][:STEPS])


def badges_of(awards: Sequence[AwardData], *, small: bool = False) -> tuple[Badge, ...]:
    """Return awards as they are shown, in their order; a constant number of queries.

    Args:
        small: with the pictures that lists show.
    """
    definitions = achievements.definitions_of({one.version_id for one in awards})
    issuers = achievements.issuer_names({one.issuer for one in definitions.values()})
    urls = public_urls([one.uuid for one in awards])
    pictures = credentials.badge_pictures(definitions=definitions.values(), small=small)
    return tuple(
        Badge(
            award=one,
            name=definitions[one.version_id].name,
            issuer=issuers[definitions[one.version_id].issuer],
            worth=Worth.of(definitions[one.version_id]),
            url=urls.get(one.uuid, ""),
            picture=pictures[one.version_id],
        )
        for one in awards
    )


def _ladders_and_steps(
    learner_id: int,
    catalogue: achievements.Catalogue,
    progress: Mapping[str, AchievementProgress],
    found: Sequence[ProgrammeProgress],
) -> tuple[tuple[Ladder, ...], tuple[Step, ...]]:
    inner = {leaf for one in found for leaf in one.components}
    # A programme that is part of another one is a rung there.
    outer = [one for one in found if one.code not in inner]
    outer.sort(key=lambda one: (one.award is not None, -one.tree.fraction))
    single = [
        code
        for code, one in progress.items()
        if one.award is None and code not in inner and one.kind != "programme"
    ]
    # A Level 2 whose Level 1 is still missing would only say what that one says.
    needed = {
        definition.level1 for code in single if (definition := catalogue.newest(code)) and definition.level1
    }
    single = [code for code in single if code not in needed]
    planned = {one.code: one.next_step for one in outer if one.award is None}
    loose = {code: programs.next_step_of(progress, code, catalogue=catalogue) for code in single}
    guide = _Guide.reading(learner_id, catalogue, progress, [*planned.values(), *loose.values()])
    ladders = tuple(
        _ladder(catalogue, progress, one, guide.step(planned[one.code]) if one.award is None else None)
        for one in outer
    )
    told = {one.step.text for one in ladders if one.step}
    steps = [guide.step(one) for code, one in loose.items() if one.action != "enrol"]
    return ladders, tuple([one for one in steps if one.text not in told][:STEPS])


# --- ladders ---


def _ladder(
    catalogue: achievements.Catalogue,
    progress: Mapping[str, AchievementProgress],
    programme: ProgrammeProgress,
    step: Step | None,
) -> Ladder:
    definition = catalogue.newest(programme.code)
    assert definition is not None  # noqa: S101 it was read from this catalogue
    tree = programme.tree
    earned = programme.award is not None
    ladder = Ladder(
        code=programme.code,
        name=programme.name,
        worth=Worth.of(definition),
        have=tree.need if earned else tree.have,
        need=tree.need,
        unit="credits" if tree.kind == "credits" else "components",
        percent=100 if earned else int(tree.fraction * 100),
        rungs=tuple(_rungs(catalogue, progress, tree, 0)),
        earned=earned,
        step=step,
    )
    return replace(ladder, stages=stages_of(catalogue, progress, ladder))


def _rungs(
    catalogue: achievements.Catalogue,
    progress: Mapping[str, AchievementProgress],
    node: TreeState,
    depth: int,
) -> Iterable[Rung]:
    if not node.code:
        for child in node.children:
            yield from _rungs(catalogue, progress, child, depth + 1)
        return
    definition = catalogue.newest(node.code)
    if definition is None:
        return
    state = "earned" if node.met else "begun" if node.code in progress else "open"
    yield Rung(node.code, node.label or definition.name, definition.kind, state, depth)


# --- the next step ---


@dataclass(slots=True)
class _Guide:
    """What turns a next step into one that can be followed: read once for all steps."""

    catalogue: achievements.Catalogue
    progress: Mapping[str, AchievementProgress]
    courses: Mapping[str, CourseSummary] = field(default_factory=dict)
    runs: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    admissions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def reading(
        cls,
        learner_id: int,
        catalogue: achievements.Catalogue,
        progress: Mapping[str, AchievementProgress],
        steps: Sequence[NextStep],
    ) -> _Guide:
        """Read the courses, refusals and admissions that the steps are about, in bulk."""
        guide = cls(catalogue, progress)
        if not steps:
            return guide
        platform = get_platform()
        to_enrol = [guide.course_of(one.achievement) for one in steps if one.action == "enrol"]
        rules = [rule for rule in to_enrol if rule is not None]
        by_course = {(one.organization, one.number) for one in rules if not one.runs}
        guide.runs = platform.course_runs(by_course) if by_course else {}
        keys = {one.course_key for one in steps} - {""}
        keys |= {run for rule in rules for run in guide.runs_of(rule)}
        guide.courses = platform.read_courses(keys) if keys else {}
        guide.refusals = achievements.refusals_of_learner(learner_id=learner_id)
        if any(one.exam for one in steps):
            guide.admissions = {
                one.exam_code: one.number for one in exams.my_admissions(learner_id=learner_id)
            }
        return guide

    def course_of(self, code: str) -> CourseRule | None:
        definition = self.catalogue.newest(code)
        return definition.course if definition else None

    def runs_of(self, rule: CourseRule) -> Sequence[str]:
        return rule.runs or self.runs.get((rule.organization, rule.number), ())

    def step(self, found: NextStep) -> Step:
        """Return a next step with the names and links that it needs."""
        definition = self.catalogue.newest(found.achievement)
        assert definition is not None  # noqa: S101 it was read from this catalogue
        step = Step(
            action=found.action,
            text=found.text,
            achievement=found.achievement,
            name=definition.name,
            kind=definition.kind,
            worth=Worth.of(definition),
            details=found.details,
        )
        if found.action == "enrol":
            return self._with_open_run(step, definition)
        course = self.courses.get(found.course_key)
        step = replace(
            step,
            course_key=found.course_key,
            course_title=course.title if course else "",
            url=course.url if course else "",
        )
        if self._only_the_certificate_is_missing(found):
            advice = str(achievements.advise_on_refusal(self.refusals[found.course_key]))
            return replace(step, action="certificate_refused", text=advice)
        return self._with_exam(step, found) if found.exam else step

    def _with_open_run(self, step: Step, definition: Definition) -> Step:
        """Name the run in which a learner may enrol: one that has not ended, the latest that has begun."""
        if definition.course is None:
            return step
        now = clock.now()
        runs = [self.courses[key] for key in self.runs_of(definition.course) if key in self.courses]
        current = [one for one in runs if one.end is None or one.end > now]
        if not current:
            return step
        begun = [one for one in current if one.start is None or one.start <= now]
        if begun:
            run = max(begun, key=lambda one: (one.start is not None, one.start or now))
        else:
            run = min(current, key=lambda one: one.start or now)
        text = _("Enrol in “%(course)s”.") % {"course": run.title}
        return replace(step, course_key=run.course_key, course_title=run.title, url=run.about_url, text=text)

    def _only_the_certificate_is_missing(self, found: NextStep) -> bool:
        if found.course_key not in self.refusals:
            return False
        own = self.progress.get(found.achievement)
        return own is not None and all(one.met or one.kind == "certificate" for one in own.measures)

    def _with_exam(self, step: Step, found: NextStep) -> Step:
        _code, exam = self.catalogue.exams.get(found.exam, ("", None))
        number = self.admissions.get(found.exam, "")
        text = found.text
        if exam is not None and found.action == "take_exam":
            name = exam.name.in_language(get_language() or "en")
            minimum = found.details.get("need")
            if number:
                text = _("Sit “%(exam)s” at the test centre; you are admitted under number %(number)s.") % {
                    "exam": name,
                    "number": number,
                }
            elif minimum:
                text = _("Register for “%(exam)s” at a test centre; %(need)s percent are needed.") % {
                    "exam": name,
                    "need": _plain(minimum),
                }
        url = step.worth.further_information or step.url
        return replace(step, exam=found.exam, admission=number, text=text, url=url)


def _plain(number: Decimal) -> str:
    text = format(Decimal(number), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
