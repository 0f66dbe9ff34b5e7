"""What crosses the border of the reporting room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from mooc_microcred.core.texts import Text


class Step(StrEnum):
    """The steps from enrolment to credit, in their order."""

    ENROLLED = "enrolled"
    STARTED = "started"
    LEVEL_1 = "level1"
    ADMITTED = "admitted"
    SAT = "sat"
    PASSED = "passed"
    LEVEL_2 = "level2"
    PROGRAMME = "programme"
    CONSENTED = "consented"
    CREDITED = "credited"


STEPS = tuple(Step)


class Kind(StrEnum):
    """What a funnel is of: a course (all its runs) or a programme (all its courses)."""

    COURSE = "course"
    PROGRAMME = "programme"


class By(StrEnum):
    """How cohorts are put together: by the month, quarter, term or year of enrolment."""

    MONTH = "month"
    QUARTER = "quarter"
    TERM = "term"
    YEAR = "year"


# Days since which learners stand at a step, as figures are kept: each group begins at its number.
WAITED_DAYS = (0, 7, 14, 30, 60, 90, 180, 365)


@dataclass(frozen=True, slots=True)
class StepFigure:
    """How many learners have reached a step, and how many of them stand there now.

    A number is None where it is smaller than FUNNEL_MIN_GROUP and the reader may not know it.

    Attributes:
        reached: learners who have taken the step; whatever a later step proves counts (who passed an exam
            has sat it).
        waits: those of them for whom it is the latest step, and something follows.
        waited: how many of these since at least so many days, by WAITED_DAYS.
        half_since: the days for which at least half of them have stood there, one of WAITED_DAYS (60 means
            60 to 89 days for the one in the middle); None for nobody, or where it may not be told.
    """

    step: Step
    reached: int | None
    waits: int | None
    waited: tuple[int | None, ...] = ()
    half_since: int | None = None


@dataclass(frozen=True, slots=True)
class Funnel:
    """The steps of something, in their order, with their figures.

    Attributes:
        code: of the course's Level 1 (or of its Level 2, where it has none) or of the programme; empty for a
            sum. name: of it in both languages, None for a sum.
        month: first month of the cohort; None for all of them together.
        rounded: whether figures are rounded down to multiples of FUNNEL_MIN_GROUP.
    """

    steps: tuple[StepFigure, ...]
    code: str = ""
    organization: str = ""
    kind: Kind = Kind.COURSE
    name: Text | None = None
    month: date | None = None
    rounded: bool = False

    @property
    def stop(self) -> StepFigure | None:
        """Return the step at which most learners wait; None where nobody does."""
        waiting = [one for one in self.steps if one.waits != 0]
        return max(waiting, key=lambda one: one.waits or 0) if waiting else None

    def at(self, step: Step) -> StepFigure | None:
        """Return the figures of a step; None where there is no such step."""
        return next((one for one in self.steps if one.step == step), None)

    def after(self, step: Step) -> Step | None:
        """Return the step that follows; None after the last one."""
        steps = [one.step for one in self.steps]
        place = steps.index(step) + 1
        return steps[place] if place < len(steps) else None

    def share(self, step: Step) -> int | None:
        """Return how many percent (0-100, whole) of those enrolled have reached a step; None if unknown."""
        figure = self.at(step)
        enrolled = self.steps[0].reached if self.steps else None
        if figure is None or figure.reached is None or not enrolled:
            return None
        return round(100 * figure.reached / enrolled)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which figures somebody asks for.

    Attributes:
        since, until: first and last month of enrolment, both included; None leaves the end open.
        rounded: whether the reader wants rounded figures even where exact ones are allowed, to pass on.
    """

    kind: Kind = Kind.COURSE
    organization: str = ""
    code: str = ""
    by: By = By.MONTH
    since: date | None = None
    until: date | None = None
    rounded: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The figures that somebody has asked for.

    Attributes:
        as_of: the moment for which the figures are right; None where none have been made yet.
        wanted: what was asked for.
        whole: everything together. funnels: each course or programme, most learners waiting first.
        organizations: the sum of each institution. periods: the sum of each cohort, the oldest first.
        names: by kind and code, whatever the reader may choose from; institutions: likewise.
        months: first and last month with figures.
        min_group: figures below this number are not told where ``whole.rounded``.
    """

    as_of: datetime | None
    wanted: Wanted
    whole: Funnel
    funnels: Sequence[Funnel] = ()
    organizations: Sequence[Funnel] = ()
    periods: Sequence[Funnel] = ()
    names: Mapping[tuple[Kind, str], Text] = field(default_factory=dict)
    institutions: Sequence[str] = ()
    months: tuple[date, date] | None = None
    min_group: int = 5
