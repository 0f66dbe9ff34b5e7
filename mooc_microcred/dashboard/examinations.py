"""The exams that a learner's achievements lead to: who may sit, what is missing, what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import AchievementProgress, AwardData, Definition, Text, counts
from mooc_microcred.core import clock
from mooc_microcred.core.platform import CourseSummary, PlatformUnavailable, get_platform
from mooc_microcred.dashboard.ladder import _need
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.data import ResultData
from mooc_microcred.programs import api as programs


@dataclass(frozen=True, slots=True)
class MissingPart:
    """What a learner still needs, in words with numbers.

    Attributes:
        name: of the Level 1 that is missing, None for a condition of the Level 2 itself.
        needs: sentences such as ``grade 41 of 60``; the first says what to do where nothing is counted.
        course_title, course_url: where to go for it; may be empty.
    """

    name: Text | None
    needs: tuple[str, ...]
    course_title: str = ""
    course_url: str = ""


@dataclass(frozen=True, slots=True)
class ExamView:
    """An exam as its learner sees it.

    Attributes:
        achievement: None where the exam is not in the catalogue any more.
        award: the Level 2 that the exam led to, if it is earned.
        passed: whether the sitting that counts is enough.
        eligible: whether what must stand before the exam is there; None where that could not be read.
        missing: what must be there first. besides: what the Level 2 asks for besides the exam.
        minimum: percent that is needed, None where none is set for the exam alone.
        waiting: days of sittings whose result is not released.
        attempts: how many there are at most, None for any number. used: how many of them count.
        resit_from: the first day of the next sitting, where the definition sets one that is still to come.
        register: address of the page about registering; may be empty.
        results: released, the newest sitting first.
    """

    code: str
    name: Text
    achievement: Definition | None
    award: AwardData | None
    passed: bool
    eligible: bool | None
    missing: tuple[MissingPart, ...]
    besides: tuple[str, ...]
    minimum: Decimal | None
    admission: str
    waiting: tuple[date, ...]
    attempts: int | None
    used: int
    resit_from: date | None
    register: str
    results: tuple[ResultData, ...]

    @property
    def attempts_left(self) -> int | None:
        """Return how many sittings are left, None for any number."""
        return None if self.attempts is None else max(0, self.attempts - self.used)


def read_exams(*, learner_id: int) -> tuple[tuple[ExamView, ...], bool]:
    """Return the exams that a learner's courses lead to, and whether the platform could be read.

    Also those that they were admitted to or have a result of. What asks for something of the learner comes
    first, what is passed last. Costs the same number of queries for any number of exams and results.
    """
    catalogue = achievements.current_catalogue()
    progress: Mapping[str, AchievementProgress] = {}
    courses: Mapping[str, CourseSummary] = {}
    complete = True
    try:
        progress = achievements.read_progress(learner_id=learner_id)
        keys = {one.course_key for one in progress.values()} - {""}
        courses = get_platform().read_courses(keys) if keys else {}
    except PlatformUnavailable:
        progress, complete = {}, False
    results: dict[str, list[ResultData]] = {}
    for one in exams.my_results(learner_id=learner_id):
        results.setdefault(one.exam_code, []).append(one)
    admissions = {one.exam_code: one.number for one in exams.my_admissions(learner_id=learner_id)}
    waiting: dict[str, list[date]] = {}
    for code, day in exams.my_waiting_sittings(learner_id=learner_id):
        waiting.setdefault(code, []).append(day)

    leading = {
        exam.code
        for code in progress
        if (definition := catalogue.newest(code)) is not None
        for exam in definition.exams
    }
    codes = sorted({*leading, *results, *admissions, *waiting})
    facts = exams.ExamEvidence().read({learner_id}, set(results)) if results else {}
    reader = _Reader(catalogue, progress, courses, complete)
    found = []
    for code in codes:
        fact = facts.get((learner_id, code))
        found.append(
            reader.exam(
                code,
                results=results.get(code, ()),
                admission=admissions.get(code, ""),
                waiting=waiting.get(code, ()),
                details=fact.details if fact else {},
            )
        )
    return tuple(sorted(found, key=_order)), complete


def _order(one: ExamView) -> tuple[int, str]:
    if one.passed or one.award is not None:
        return 3, one.code
    if one.waiting or one.admission:
        return 0, one.code
    return (1 if one.eligible else 2), one.code


@dataclass(slots=True)
class _Reader:
    """What is read once for all exams."""

    catalogue: achievements.Catalogue
    progress: Mapping[str, AchievementProgress]
    courses: Mapping[str, CourseSummary]
    complete: bool

    def exam(
        self,
        code: str,
        *,
        results: Sequence[ResultData],
        admission: str,
        waiting: Sequence[date],
        details: Mapping[str, Any],
    ) -> ExamView:
        achievement, exam = self.catalogue.exams.get(code, ("", None))
        definition = self.catalogue.newest(achievement) if achievement else None
        own = self.progress.get(achievement)
        minimum = self._minimum(definition, own, code)
        award = own.award if own is not None else None
        missing = tuple(self._missing(definition)) if definition is not None else ()
        resit = details.get("resit_from")
        again = date.fromisoformat(resit) if resit else None
        return ExamView(
            code=code,
            name=exam.name if exam else results[0].exam_name if results else Text(en=code),
            achievement=definition,
            award=award,
            passed=any(
                one.counts and one.percent is not None and minimum is not None and one.percent >= minimum
                for one in results
            ),
            eligible=not missing if self.complete and definition is not None else None,
            missing=missing if self.complete and award is None else (),
            besides=tuple(self._besides(own)) if award is None else (),
            minimum=minimum,
            admission=admission,
            waiting=tuple(waiting),
            attempts=exam.attempts if exam else None,
            used=details.get("attempts", 0),
            resit_from=again if again and again > clock.now().date() else None,
            register=definition.raw.get("further_information", "") if definition else "",
            results=tuple(results),
        )

    def _missing(self, definition: Definition) -> Iterator[MissingPart]:
        code = definition.level1
        own = self.progress.get(code)
        if not code or (own is not None and own.award is not None and counts(own.award, clock.now())):
            return
        below = self.catalogue.newest(code)
        needs = [need.text for one in (own.measures if own else ()) if (need := _need(one)) and not need.met]
        if not needs:
            step = programs.next_step_of(self.progress, code, catalogue=self.catalogue)
            needs = [step.text] if step.text and step.action != "done" else []
        course = self.courses.get(own.course_key) if own is not None else None
        yield MissingPart(
            name=below.name if below else Text(en=code),
            needs=tuple(needs),
            course_title=course.title if course else "",
            course_url=course.url if course else "",
        )

    def _besides(self, own: AchievementProgress | None) -> Iterator[str]:
        for one in own.measures if own is not None else ():
            # The exam has lines of its own, and so has the level below.
            if one.kind not in ("exam", "achievement") and (need := _need(one)) and not need.met:
                yield need.text

    def _minimum(
        self, definition: Definition | None, own: AchievementProgress | None, code: str
    ) -> Decimal | None:
        for one in own.measures if own is not None else ():
            if one.kind == "exam" and one.key == code:
                return one.need
        return _minimum_in(definition.rule, code) if definition is not None and definition.rule else None


def _minimum_in(rule: Any, code: str) -> Decimal | None:
    """Return the percent that a rule asks of an exam by itself; of a weighted one, None."""
    if isinstance(rule, Mapping):
        asked = rule.get("exam")
        if isinstance(asked, Mapping) and asked.get("code") == code:
            return Decimal(str(asked["minimum"])) if "minimum" in asked else None
        rules: Sequence[Any] = [one for name, one in rule.items() if name != "weighted"]
    else:
        rules = rule if isinstance(rule, list | tuple) else ()
    return next((found for one in rules if (found := _minimum_in(one, code)) is not None), None)
