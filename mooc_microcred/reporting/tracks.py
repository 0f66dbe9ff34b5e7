"""What is counted: each course and each programme with the steps that lead through it to credit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import Definition, Exam
from mooc_microcred.achievements.models import Achievement
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.reporting.data import STEPS, Kind, Step


@dataclass(frozen=True)
class ExamOfTrack:
    """An exam with its pass mark in percent; None where it counts together with other things."""

    exam: Exam
    minimum: Decimal | None


@dataclass(frozen=True)
class Track:
    """A course or a programme, and by which rows its steps are told.

    Attributes:
        code: of the Level 1 (of the Level 2, where there is none) or of the programme.
        runs: keys of the course runs in which its learners are enrolled.
        level1, level2, programmes: ids of the achievements of these steps.
        credited: ids of those whose awards go to a bank.
        steps: those of STEPS that there are in it.
    """

    code: str
    kind: Kind
    organization: str
    runs: frozenset[str]
    level1: frozenset[int]
    level2: frozenset[int]
    programmes: frozenset[int]
    credited: frozenset[int]
    exams: Mapping[str, ExamOfTrack]
    steps: tuple[Step, ...]


def tracks_in(catalogue: achievements.Catalogue, runs: list[str]) -> list[Track]:
    """Return the courses and programmes of a catalogue in which somebody can be enrolled.

    Args:
        runs: keys of the course runs that achievements look at.
    """
    newest = {code: found[0] for code, found in catalogue.versions.items()}
    runs_of: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        for code in catalogue.codes_for_run(run):
            runs_of[code].add(run)
    tracks = []
    for code, definition in newest.items():
        if definition.kind == Achievement.Kind.PROGRAMME:
            needed = _needed(code, newest)
            mine = needed | {code}
            ways = frozenset(run for one in needed for run in runs_of[one])
            tracks.append(_track(definition, Kind.PROGRAMME, ways, mine, newest))
        elif definition.kind == Achievement.Kind.LEVEL_1 or (
            definition.kind == Achievement.Kind.LEVEL_2 and not definition.level1
        ):
            mine = {one for one in catalogue.with_dependents({code}) if one in newest}
            tracks.append(_track(definition, Kind.COURSE, frozenset(runs_of[code]), mine, newest))
    return [track for track in tracks if track.runs]


def _needed(code: str, newest: Mapping[str, Definition]) -> set[str]:
    """Return everything below a programme: its parts, theirs, and the Level 1 of each Level 2."""
    found: set[str] = set()
    todo = [code]
    while todo:
        definition = newest.get(todo.pop())
        if definition is None:
            continue
        below = (
            {leaf["achievement"] for leaf in achievements.leaves_of(definition.tree)}
            if definition.tree is not None
            else {definition.level1} - {""}
        )
        todo += below - found
        found |= below
    return found


def _track(
    own: Definition, kind: Kind, runs: frozenset[str], codes: set[str], newest: Mapping[str, Definition]
) -> Track:
    mine = [newest[code] for code in sorted(codes) if code in newest]
    of_kind: dict[str, list[Definition]] = defaultdict(list)
    for one in mine:
        of_kind[one.kind].append(one)
    level1 = _ids(of_kind[Achievement.Kind.LEVEL_1])
    level2 = of_kind[Achievement.Kind.LEVEL_2]
    # A programme's own step is itself, not one that it contains.
    programmes = [own] if kind == Kind.PROGRAMME else of_kind[Achievement.Kind.PROGRAMME]
    exams = {
        exam.code: ExamOfTrack(exam, _pass_mark(one.rule, exam.code)) for one in level2 for exam in one.exams
    }
    worth = [one for one in (*of_kind[Achievement.Kind.LEVEL_1], *level2, *programmes) if _goes_to_bank(one)]
    there = {Step.ENROLLED, Step.STARTED}
    there |= {Step.LEVEL_1} if level1 else set()
    there |= {Step.ADMITTED, Step.SAT, Step.PASSED} if exams else set()
    there |= {Step.LEVEL_2} if level2 else set()
    there |= {Step.PROGRAMME} if programmes else set()
    there |= {Step.CONSENTED, Step.CREDITED} if worth else set()
    return Track(
        code=own.code,
        kind=kind,
        organization=own.organization,
        runs=runs,
        level1=level1,
        level2=_ids(level2),
        programmes=_ids(programmes),
        credited=_ids(worth),
        exams=exams,
        steps=tuple(step for step in STEPS if step in there),
    )


def _ids(definitions: list[Definition]) -> frozenset[int]:
    return frozenset(one.achievement_id for one in definitions)


def _goes_to_bank(definition: Definition) -> bool:
    return (
        definition.credits > 0
        and creditbank.bank_for(organization=definition.organization, kind=definition.kind) is not None
    )


def _pass_mark(rule: Mapping[str, Any] | None, code: str) -> Decimal | None:
    """Return the lowest percent with which an exam alone meets its condition; None if there is none."""
    found = [Decimal(str(one["minimum"])) for one in _exams_of(rule or {}) if one.get("code") == code]
    return min(found, default=None)


def _exams_of(rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for kind, value in rule.items():
        if kind in ("all", "any"):
            for child in value:
                yield from _exams_of(child)
        elif kind == "exam" and "minimum" in value:
            yield value
