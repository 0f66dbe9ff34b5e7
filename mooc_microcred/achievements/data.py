"""What crosses the border of the achievements room: frozen, no model instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mooc_microcred.core.errors import Problem
from mooc_microcred.core.texts import Text as Text


@dataclass(frozen=True, slots=True)
class CourseRule:
    """Which runs fulfil a course requirement: any run of one course, or one of a list of runs."""

    organization: str = ""
    number: str = ""
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judges:
    """Whom a version judges, by the day of enrolment (UTC dates, both ends inclusive)."""

    enrolled_from: date | None = None
    enrolled_until: date | None = None

    def judges(self, enrolled_at: datetime | None) -> bool:
        """Say whether a learner enrolled at that instant is judged; an unknown one is by open ends only."""
        if enrolled_at is None:
            return self.enrolled_from is None and self.enrolled_until is None
        day = enrolled_at.date()
        return not (
            (self.enrolled_from and day < self.enrolled_from)
            or (self.enrolled_until and day > self.enrolled_until)
        )


@dataclass(frozen=True, slots=True)
class Exam:
    """A standard exam of a Level 2 achievement.

    Attributes:
        attempts: how many sittings count at most; None means any number.
        resit_gap_days: days between two sittings; an earlier re-sit does not count.
        policy: which of several sittings counts: ``best``, ``latest`` or ``first``.
    """

    code: str
    name: Text
    max_score: Decimal
    attempts: int | None = None
    resit_gap_days: int = 0
    policy: str = "best"


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of an achievement, as evaluation and the upper rooms read it.

    Attributes:
        rule: the criterion tree (see ``criteria.py``); None for a mirror and for programmes.
        tree: the requirement tree of a programme (see ``programs/trees.py``), else None.
        level1: code of the Level 1 that a Level 2 needs; empty if it needs none.
        credits: credits it is worth. hours: notional workload in hours.
        raw: the whole definition as in the catalogue's YAML, with everything that people read.
    """

    version_id: int
    number: int
    achievement_id: int
    code: str
    organization: str
    kind: str
    issuer: str
    name: Text
    mode: str = ""
    course: CourseRule | None = None
    rule: Mapping[str, Any] | None = None
    level1: str = ""
    exams: tuple[Exam, ...] = ()
    tree: Mapping[str, Any] | None = None
    credits: Decimal = Decimal(0)
    hours: Decimal = Decimal(0)
    validity_months: int | None = None
    judges: Judges = field(default_factory=Judges)
    raw: Mapping[str, Any] = field(default_factory=dict)


def counts(award: Any, at: datetime) -> bool:
    """Say whether an award (as stored or as data) opens something new: valid, shown, not expired."""
    return (
        award.state == "active"
        and award.published_at is not None
        and (award.expires_at is None or award.expires_at > at)
    )


@dataclass(frozen=True, slots=True)
class AwardData:
    """An award as the upper rooms and the API see it."""

    id: int
    uuid: str
    learner_id: int
    code: str
    organization: str
    kind: str
    version_id: int
    version_number: int
    state: str
    course_key: str
    issued_at: datetime
    published_at: datetime | None
    expires_at: datetime | None
    suspended_at: datetime | None
    revoked_at: datetime | None
    reason: str
    evidence: Mapping[str, Any]

    def counts(self, at: datetime) -> bool:
        """Say whether it opens something new."""
        return counts(self, at)


@dataclass(frozen=True, slots=True)
class Measure:
    """One condition of a criterion with what the learner has of it.

    Attributes:
        kind: ``completion``, ``course_grade``, ``exam``, ``weighted``, ``certificate``,
            ``competency``, ``achievement``, ``credits``.
        key: what it is about: a course key, an exam code, an achievement code, the identifiers of a
            competency as ``framework/item``.
        have, need: numbers in ``unit`` (percent 0-100, units, credits); None where unknown.
    """

    kind: str
    key: str
    met: bool
    have: Decimal | None = None
    need: Decimal | None = None
    unit: str = "percent"
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether criteria are met, with every condition and the evidence it rests on.

    Attributes:
        due: the next instant at which time alone may change the verdict, UTC.
        stands_on: codes of the achievements whose awards it rests on.
    """

    met: bool
    measures: tuple[Measure, ...] = ()
    references: tuple[str, ...] = ()
    due: datetime | None = None
    stands_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """An award that counts for trees: which, judged by which version, worth how many credits."""

    uuid: str
    version_number: int
    credits: Decimal


@dataclass(frozen=True, slots=True)
class ProgrammeContext:
    """What the programmes' evidence source is asked: a tree, and what each learner holds by code."""

    code: str
    tree: Mapping[str, Any]
    holdings: Mapping[int, Mapping[str, Holding]]


@dataclass(frozen=True, slots=True)
class AwardEventData:
    """One line of an award's history."""

    kind: str
    at: datetime
    reason: str
    note: str
    actor_id: int | None
    details: Mapping[str, Any]


@dataclass(slots=True)
class EvaluationReport:
    """What one run of the evaluation did.

    Attributes:
        requests: requests folded and deleted. learners: learners evaluated.
        issued, changed: awards issued; awards published, suspended, reinstated, corrected, expired, revoked.
        busy: learners whom another worker owned. failed: learners whose evaluation raised.
        platform_away: the platform could not be read; the requests wait.
    """

    requests: int = 0
    learners: int = 0
    issued: int = 0
    changed: int = 0
    busy: int = 0
    failed: int = 0
    platform_away: bool = False


@dataclass(frozen=True, slots=True)
class AchievementProgress:
    """How far a learner is in one achievement.

    Attributes:
        award: the live award, if it is earned and shown.
        measures: the conditions of the version that judges the learner, in the order of its rule.
        course_key: the run in which the learner is farthest; empty for programmes.
    """

    code: str
    kind: str
    organization: str
    name: Text
    version_id: int
    course_key: str
    met: bool
    measures: tuple[Measure, ...]
    award: AwardData | None = None


@dataclass(frozen=True, slots=True)
class VersionData:
    """A version of a definition, and what a verb did to it.

    Attributes:
        outcome: ``created``, ``replaced`` (a draft), ``unchanged``, ``activated`` or ``retired``.
    """

    id: int
    code: str
    organization: str
    kind: str
    number: int
    state: str
    outcome: str


@dataclass(frozen=True, slots=True)
class RunOfferData:
    """A re-run offered to an achievement that names its course by a list of runs."""

    achievement: str
    organization: str
    course_key: str
    state: str


@dataclass(slots=True)
class LoadReport:
    """What loading a catalogue did.

    Attributes:
        issuers: codes of the issuers that were added or changed.
        versions: one line for every achievement of the document, in its order.
        activated: versions that came into force. retired: versions that they replaced.
        advice: what the catalogue could do better.
    """

    issuers: list[str] = field(default_factory=list)
    versions: list[VersionData] = field(default_factory=list)
    activated: list[VersionData] = field(default_factory=list)
    retired: list[VersionData] = field(default_factory=list)
    advice: list[Problem] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Say whether anything is different from before."""
        return bool(
            self.issuers or self.activated or any(one.outcome != "unchanged" for one in self.versions)
        )
