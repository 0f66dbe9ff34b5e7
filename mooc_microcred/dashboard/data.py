"""What crosses the border of the dashboard room: frozen, ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements.data import AwardData, Definition, RunOfferData, Text


@dataclass(frozen=True, slots=True)
class Worth:
    """What a credential is worth.

    Attributes:
        hours: notional workload in hours. credits: 0 where it carries none.
        nqf_level: level of the national qualifications framework, None where none is stated.
        accepted_by: who has said that they accept it.
        further_information: address of a page about it; empty if there is none.
    """

    hours: Decimal
    credits: Decimal
    nqf_level: int | None = None
    accepted_by: tuple[Text, ...] = ()
    further_information: str = ""

    @classmethod
    def of(cls, definition: Definition) -> Worth:
        """Return what a definition says that it is worth."""
        raw = definition.raw
        return cls(
            hours=definition.hours,
            credits=definition.credits,
            nqf_level=raw.get("nqf_level"),
            accepted_by=tuple(Text.of(one) for one in raw.get("accepted_by", ())),
            further_information=raw.get("further_information", ""),
        )


@dataclass(frozen=True, slots=True)
class Badge:
    """Something that a learner has earned.

    Attributes:
        issuer: the name of who awards it.
        url: the public page by which others verify it; empty where there is none.
        picture: path of its picture on the LMS, the same that the public page shows.
    """

    award: AwardData
    name: Text
    issuer: Text
    worth: Worth
    url: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """The one thing to do next, in words, with numbers and a link.

    Attributes:
        action: as in ``programs.data.NextStep``, or ``certificate_refused``, or ``give_consent``.
        text: the sentence for the learner, in the active language.
        achievement, name, kind: what it leads to. worth: what that is worth.
        course_key, course_title: the run that it is about; empty where it is about none.
        exam: code of the exam; admission: the number under which the learner is admitted to it.
        url: where to go for it; empty where the platform has no page for it.
        details: the numbers behind the sentence.
    """

    action: str
    text: str
    achievement: str
    name: Text
    kind: str
    worth: Worth
    course_key: str = ""
    course_title: str = ""
    exam: str = ""
    admission: str = ""
    url: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rung:
    """A part of a programme.

    Attributes:
        state: ``earned``, ``begun`` or ``open``.
        within: how many nodes of the tree it stands below, for indenting.
    """

    code: str
    name: Text
    kind: str
    state: str
    within: int = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the stages of every programme: many courses have their exams, and all of them are one stage.

    Attributes:
        kind: ``level1``, ``exam``, ``level2``, ``programme`` or ``credit``.
        state: ``done``, ``now`` (where the learner stands) or ``open``.
        have, need: how many are done of how many; credits in the stage ``credit`` and, in a programme that
            counts them, in the stage ``programme``. need is None where the learner may choose among parts.
    """

    kind: str
    state: str
    have: Decimal
    need: Decimal | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """A programme with how far the learner is in it.

    Attributes:
        have, need: in ``unit``, which is ``components`` or ``credits``.
        percent: 0-100, for pictures. step: None where the programme is earned.
        stages: from Level 1 to the programme, and to the credit where it was read.
    """

    code: str
    name: Text
    worth: Worth
    have: Decimal
    need: Decimal
    unit: str
    percent: int
    rungs: tuple[Rung, ...]
    earned: bool
    step: Step | None = None
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything that a learner sees at a glance.

    Attributes:
        badges: the newest first. ladders: those in progress first.
        steps: what to do next, the most advanced first; for what no shown ladder tells already.
        complete: False where the platform could not be read: badges only.
    """

    badges: tuple[Badge, ...] = ()
    ladders: tuple[Ladder, ...] = ()
    steps: tuple[Step, ...] = ()
    complete: bool = True

    @property
    def empty(self) -> bool:
        """Say whether there is nothing to show."""
        return not (self.badges or self.ladders or self.steps)


@dataclass(frozen=True, slots=True)
class CardItem:
    """What a course leads to, on its card: ``state`` is ``earned``, ``suspended`` or ``open``."""

    code: str
    kind: str
    name: Text
    state: str
    worth: Worth
    award: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Honour:
    """What a course certificate stands for, on the page of that certificate.

    Attributes:
        outcomes: what its holder can do, in the order of the definition.
        url: the public page by which others verify it; empty where there is none.
    """

    award: AwardData
    name: Text
    issuer: Text
    worth: Worth
    outcomes: tuple[Text, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class AwardCounts:
    """An achievement of a course run, with the number of awards in each state.

    Attributes:
        states: by state of an award; also awards whose certificate is not shown yet.
    """

    code: str
    kind: str
    name: Text
    version: int
    mode: str
    states: Mapping[str, int]

    @property
    def total(self) -> int:
        """Return the number of all awards."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Refusals:
    """How many learners the platform refuses a certificate for one reason."""

    code: str
    reason: str
    learners: int


@dataclass(frozen=True, slots=True)
class CourseOverview:
    """What the staff of a course run see.

    Attributes:
        asked: learners for whom the platform was asked for a certificate, and took the request.
    """

    course_key: str
    achievements: tuple[AwardCounts, ...]
    refusals: tuple[Refusals, ...]
    offers: Sequence[RunOfferData]
    asked: int = 0

    @property
    def empty(self) -> bool:
        """Say whether no achievement looks at the run."""
        return not (self.achievements or self.offers)
