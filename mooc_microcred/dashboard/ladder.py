"""A course as a ladder: Level 1, exam, Level 2, programme, credit, and where the learner stands on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import AchievementProgress, Definition, Exam, Measure, Text
from mooc_microcred.core.dates import display_date
from mooc_microcred.core.platform import CourseState, PlatformUnavailable, StateQuery, get_platform
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank.data import AccountData
from mooc_microcred.dashboard.data import Step, Worth
from mooc_microcred.dashboard.learner import _Guide, _plain
from mooc_microcred.exams import api as exams
from mooc_microcred.programs import api as programs
from mooc_microcred.programs.data import ProgrammeProgress

KINDS = ("level1", "level2", "programme")


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a rung needs, in words with numbers; ``fraction`` 0-1 is for a picture."""

    text: str
    met: bool
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class CourseRung:
    """One rung.

    Attributes:
        kind: ``level1``, ``exam``, ``level2``, ``programme`` or ``credit``.
        state: ``done``, ``now`` (the first that is not done) or ``open``.
        note: one more sentence, such as the number under which the learner is admitted; may be empty.
    """

    kind: str
    code: str
    name: Text
    state: str
    needs: tuple[Need, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class RungWorth:
    """What an achievement of the ladder is worth, and what its holder can do."""

    code: str
    kind: str
    name: Text
    worth: Worth
    outcomes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class CourseLadder:
    """A course's ladder.

    Attributes:
        step: the one thing to do next; None for visitors, and where everything is done.
        complete: False where the platform could not be read: the rungs only, nothing of the learner.
        personal: whether it says where a learner stands.
    """

    rungs: tuple[CourseRung, ...] = ()
    worths: tuple[RungWorth, ...] = ()
    step: Step | None = None
    complete: bool = True
    personal: bool = False


def read_course_ladder(*, course_key: str, learner_id: int | None = None) -> CourseLadder:
    """Return what a course run leads to and where a learner stands; a constant number of queries.

    Args:
        learner_id: None for a visitor, who sees the rungs and what they are worth.
    """
    catalogue = achievements.current_catalogue()
    codes = catalogue.with_dependents(set(catalogue.codes_for_run(course_key)))
    definitions = [
        definition
        for code in sorted(codes, key=catalogue.rank.__getitem__)
        if (definition := catalogue.newest(code)) is not None and definition.kind in KINDS
    ]
    definitions.sort(key=lambda one: KINDS.index(one.kind))
    worths = tuple(
        RungWorth(
            one.code,
            one.kind,
            one.name,
            Worth.of(one),
            tuple(Text.of(outcome["text"]) for outcome in one.raw.get("outcomes", ())),
        )
        for one in definitions
    )
    if learner_id is None or not definitions:
        return CourseLadder(tuple(_open_rungs(definitions)), worths)
    try:
        reader = _Reader.reading(learner_id, course_key, catalogue, definitions)
    except PlatformUnavailable:
        return CourseLadder(tuple(_open_rungs(definitions)), worths, complete=False)
    rungs = _with_now(list(reader.rungs(definitions)))
    return CourseLadder(rungs, worths, reader.step(definitions), personal=True)


def _open_rungs(definitions: Sequence[Definition]) -> Iterator[CourseRung]:
    for one in definitions:
        for exam in one.exams:
            yield CourseRung("exam", exam.code, exam.name, "open")
        yield CourseRung(one.kind, one.code, one.name, "open")
    if any(one.credits for one in definitions):
        yield CourseRung("credit", "", _credit_name(), "open")


def _credit_name() -> Text:
    return Text(th="คลังหน่วยกิต", en="Credit bank")


def _with_now(rungs: list[CourseRung]) -> tuple[CourseRung, ...]:
    """Mark the first rung that is not done: the one where the learner stands."""
    for place, one in enumerate(rungs):
        if one.state != "done":
            rungs[place] = replace(one, state="now")
            break
    return tuple(rungs)


@dataclass(slots=True)
class _Reader:
    """Everything that is read of one learner for one course."""

    learner_id: int
    course_key: str
    catalogue: achievements.Catalogue
    progress: Mapping[str, AchievementProgress]
    programmes: Mapping[str, ProgrammeProgress]
    state: CourseState
    account: AccountData
    admissions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def reading(
        cls,
        learner_id: int,
        course_key: str,
        catalogue: achievements.Catalogue,
        definitions: Sequence[Definition],
    ) -> _Reader:
        progress = achievements.read_progress(learner_id=learner_id)
        found: Sequence[ProgrammeProgress] = ()
        if any(one.tree is not None for one in definitions):
            held = achievements.read_holdings(learner_id=learner_id)
            found = programs.programmes_in(catalogue=catalogue, progress=progress, held=held)
        query = StateQuery(learner_id, course_key, grade=True, completion=True, completion_floor=Decimal(-1))
        state = get_platform().read_states([query])[learner_id, course_key]
        progress = {code: _exact(one, course_key, state) for code, one in progress.items()}
        admissions = (
            {one.exam_code: one.number for one in exams.my_admissions(learner_id=learner_id)}
            if any(one.exams for one in definitions)
            else {}
        )
        return cls(
            learner_id=learner_id,
            course_key=course_key,
            catalogue=catalogue,
            progress=progress,
            programmes={one.code: one for one in found},
            state=state,
            account=creditbank.my_account(learner_id=learner_id),
            admissions=admissions,
        )

    def earned(self, code: str) -> bool:
        found = self.progress.get(code)
        return found is not None and found.award is not None and found.award.state == "active"

    # --- rungs ---

    def rungs(self, definitions: Sequence[Definition]) -> Iterator[CourseRung]:
        for one in definitions:
            for exam in one.exams:
                yield self._exam(one, exam)
            yield self._programme(one) if one.tree is not None else self._level(one)
        if any(one.credits for one in definitions):
            yield self._credit(definitions)

    def _level(self, definition: Definition) -> CourseRung:
        done = self.earned(definition.code)
        own = self.progress.get(definition.code)
        needs = () if done else tuple(self._needs(definition, own.measures if own else ()))
        note = ""
        if own is not None and own.award is not None:
            note = (
                _("Earned on %(day)s.") % {"day": display_date(own.award.issued_at, get_language() or "en")}
                if done
                else _("On hold until the course certificate is back.")
            )
        return CourseRung(
            definition.kind, definition.code, definition.name, "done" if done else "open", needs, note
        )

    def _needs(self, definition: Definition, measures: Sequence[Measure]) -> Iterator[Need]:
        kinds = {one.kind for one in measures}
        if (
            definition.kind == "level1"
            and "completion" not in kinds
            and self.state.completion
            and self.state.completion.total
        ):
            completion = self.state.completion
            yield _units(completion.completed, completion.total, None)
        if definition.kind == "level1" and not kinds & {"course_grade", "weighted"} and self.state.grade:
            grade = self.state.grade
            text = (
                _("grade %(have)s percent, passed")
                if grade.passed
                else _("grade %(have)s percent, not passed")
            )
            yield Need(
                text % {"have": _plain(round(grade.percent, 1))}, grade.passed, float(grade.percent) / 100
            )
        for one in measures:
            # The exam and the level below are rungs of their own.
            if one.kind in ("exam", "achievement"):
                continue
            need = _need(one)
            if need is not None:
                yield need

    def _exam(self, definition: Definition, exam: Exam) -> CourseRung:
        own = self.progress.get(definition.code)
        measure = next(
            (one for one in (own.measures if own else ()) if one.kind == "exam" and one.key == exam.code),
            None,
        )
        done = self.earned(definition.code) or bool(measure and measure.met)
        needs: tuple[Need, ...] = ()
        if measure is not None and not done:
            needs = (_exam_need(measure),)
        number = self.admissions.get(exam.code, "")
        note = (
            _("You are admitted under number %(number)s.") % {"number": number} if number and not done else ""
        )
        return CourseRung("exam", exam.code, exam.name, "done" if done else "open", needs, note)

    def _programme(self, definition: Definition) -> CourseRung:
        found = self.programmes.get(definition.code)
        if self.earned(definition.code):
            return CourseRung("programme", definition.code, definition.name, "done")
        needs: tuple[Need, ...] = ()
        if found is not None:
            tree = found.tree
            values = {"have": _plain(tree.have), "need": _plain(tree.need)}
            text = (
                _("%(have)s of %(need)s credits")
                if tree.kind == "credits"
                else _("%(have)s of %(need)s parts")
            )
            needs = (Need(text % values, tree.met, tree.fraction),)
        return CourseRung("programme", definition.code, definition.name, "open", needs)

    def _credit(self, definitions: Sequence[Definition]) -> CourseRung:
        codes = {one.code for one in definitions}
        records = [one for one in self.account.records if one.achievement in codes]
        deposited = sum((one.credits for one in records if one.in_bank), Decimal(0))
        if records:
            name = records[0].bank_name
        else:
            name = self.account.banks[0].name if self.account.banks else _credit_name()
        if records and all(one.in_bank for one in records) and deposited:
            note = _("%(credits)s credits are in the bank.") % {"credits": _plain(deposited)}
            return CourseRung("credit", "", name, "done", (), note)
        if records:
            waiting = next(one for one in records if not one.in_bank)
            return CourseRung("credit", "", name, "open", (), waiting.status)
        if not self.account.banks:
            note = _("No credit bank is connected here yet. The credits are written in your credential.")
        elif not any(one.consent for one in self.account.banks):
            note = _("Credits are sent there once you have earned them and have given your consent.")
        else:
            note = _("Credits are sent there as soon as you have earned them.")
        return CourseRung("credit", "", name, "open", (), note)

    # --- the one next step ---

    def step(self, definitions: Sequence[Definition]) -> Step | None:
        for one in definitions:
            if self.earned(one.code):
                continue
            found = programs.next_step_of(self.progress, one.code, catalogue=self.catalogue)
            if found.action == "done":
                continue
            guide = _Guide.reading(self.learner_id, self.catalogue, self.progress, [found])
            return self._before_certificate(guide.step(found))
        return self._consent(definitions)

    def _consent(self, definitions: Sequence[Definition]) -> Step | None:
        """Return the step of who has earned credit that no bank may be sent yet; None where nothing waits."""
        by_code = {one.code: one for one in definitions}
        waiting = next(
            (
                one
                for one in self.account.records
                if one.achievement in by_code and one.state == "waiting_consent"
            ),
            None,
        )
        if waiting is None:
            return None
        definition = by_code[waiting.achievement]
        text = _("Give your consent so that your credits can be sent to %(bank)s.")
        return Step(
            action="give_consent",
            text=text % {"bank": waiting.bank_name.in_language(get_language() or "en")},
            achievement=definition.code,
            name=definition.name,
            kind=definition.kind,
            worth=Worth.of(definition),
            url=reverse("mooc_microcred:page-credits"),
        )

    def _before_certificate(self, step: Step) -> Step:
        """Say what is missing before the platform's certificate: units, the grade, or nothing but itself."""
        definition = self.catalogue.newest(step.achievement)
        mirrored = definition is not None and definition.mode == "mirror"
        if not mirrored or step.action != "raise_grade" or step.course_key != self.course_key:
            return step
        grade, completion = self.state.grade, self.state.completion
        if grade is not None and grade.passed:
            text = _("You have passed the course; the certificate of the platform follows by itself.")
            return replace(step, action="wait_for_certificate", text=text)
        if completion is not None and completion.completed < completion.total:
            text = _("Continue the course: %(completed)s of %(total)s units are done.") % {
                "completed": completion.completed,
                "total": completion.total,
            }
            return replace(step, action="study", text=text)
        return step


def _exact(own: AchievementProgress, course_key: str, state: CourseState) -> AchievementProgress:
    """Return the progress with the exact number of units: judging counts them only where enough are done."""
    if own.course_key != course_key or own.award is not None or state.completion is None:
        return own
    completion = state.completion
    details = {"completed": completion.completed, "total": completion.total}
    return replace(
        own,
        measures=tuple(
            replace(one, have=completion.percent, details={**one.details, **details})
            if one.kind == "completion"
            else one
            for one in own.measures
        ),
    )


def _units(completed: int, total: int, percent: Decimal | None) -> Need:
    values = {"completed": completed, "total": total, "need": _plain(percent or Decimal(100))}
    needed = Decimal(total) * (percent or Decimal(100)) / 100
    if percent is None or percent >= 100:
        text = _("%(completed)s of %(total)s units") % values
    else:
        text = _("%(completed)s of %(total)s units; %(need)s percent are needed") % values
    return Need(text, completed >= needed, min(1.0, float(completed / needed)) if needed else None)


def _need(measure: Measure) -> Need | None:
    have, need = measure.have, measure.need
    fraction = min(1.0, float(have / need)) if have is not None and need else None
    values = {"have": _plain(round(have, 1)) if have is not None else "0", "need": _plain(need or Decimal(0))}
    if measure.kind == "completion" and not measure.details.get("total"):
        return None
    if measure.kind == "completion":
        return _units(measure.details.get("completed", 0), measure.details["total"], need)
    if measure.kind == "course_grade" and need is None:
        return Need(
            _("the course is passed") if measure.met else _("the course is not passed yet"), measure.met
        )
    if measure.kind == "course_grade":
        return Need(_("grade %(have)s of %(need)s") % values, measure.met, fraction)
    if measure.kind == "weighted":
        return Need(_("exam and course work together: %(have)s of %(need)s") % values, measure.met, fraction)
    if measure.kind == "subsection_grade":
        return Need(_("graded part: %(have)s of %(need)s") % values, measure.met, fraction)
    if measure.kind == "competency":
        if have is None or need is None:
            text = _("the competency is shown") if measure.met else _("the competency is not shown yet")
            return Need(text, measure.met, fraction)
        return Need(_("competency: %(have)s of %(need)s percent") % values, measure.met, fraction)
    if measure.kind == "certificate":
        return Need(_("the certificate of the course"), measure.met) if measure.met else None
    return None


def _exam_need(measure: Measure) -> Need:
    if measure.have is None:
        if measure.need is None:
            return Need(_("not taken yet"), False)
        return Need(_("not taken yet; %(need)s percent are needed") % {"need": _plain(measure.need)}, False)
    values = {"have": _plain(measure.have), "need": _plain(measure.need or Decimal(0))}
    fraction = min(1.0, float(measure.have / measure.need)) if measure.need else None
    return Need(_("%(have)s of %(need)s percent") % values, measure.met, fraction)
