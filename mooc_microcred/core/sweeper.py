"""The sweeper: finishes whatever a lost kick, a dead worker or the passing of time has left.

Every step takes what is due by itself, in chunks, and is safe beside workers and other
sweepers. Rooms register their steps in ``mooc_microcred.registration``, because this room
knows none of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import connections

from mooc_microcred.core import clock
from mooc_microcred.core.models import Heartbeat

log = logging.getLogger(__name__)

HEARTBEAT = "sweeper"
# A step with a long queue hands over to the next one after this many seconds and has its turn
# again in the next round: a backfill of a million requests must not hold up deliveries.
TURN_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of work that waits.

    Attributes:
        name: stable, for logs and the heartbeat, such as ``evaluate``.
        run: does one chunk and returns how many items it took; 0 means that nothing is due.
        order: steps run in ascending order.
        waiting: how many items are due now, for a progress bar; None where counting costs more
            than the work.
        once: whether one call per sweep is enough (deleting what is old).
    """

    name: str
    run: Callable[[], int]
    order: int
    waiting: Callable[[], int] | None = None
    once: bool = False


@dataclass(slots=True)
class StepReport:
    """What a step did in one sweep."""

    taken: int = 0
    seconds: float = 0.0
    error: str = ""


@dataclass(slots=True)
class SweepReport:
    """What one sweep did, by step name; ``stopped`` says that it was asked to stop before the end."""

    steps: dict[str, StepReport] = field(default_factory=dict)
    stopped: bool = False

    @property
    def failed(self) -> bool:
        """Say whether a step ended in an error."""
        return any(step.error for step in self.steps.values())


class Watcher(Protocol):
    """Somebody who looks on: a progress bar."""

    def begin(self, step: Step) -> None:
        """A step has its first turn."""

    def advance(self, step: Step, taken: int) -> None:
        """A chunk of ``taken`` items is done."""

    def finish(self, step: Step) -> None:
        """The sweep is over for the step."""


class NobodyWatches:
    """A watcher that does nothing."""

    def begin(self, step: Step) -> None:
        """Do nothing."""

    def advance(self, step: Step, taken: int) -> None:
        """Do nothing."""

    def finish(self, step: Step) -> None:
        """Do nothing."""


_steps: dict[str, Step] = {}


def register_step(step: Step) -> None:
    """Make a step known; called from AppConfig.ready, again is harmless."""
    _steps[step.name] = step


def registered_steps() -> list[Step]:
    """Return the steps in the order in which they run."""
    return sorted(_steps.values(), key=lambda step: (step.order, step.name))


def sweep(
    *,
    only: set[str] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    watcher: Watcher | None = None,
    turn_seconds: float = TURN_SECONDS,
) -> SweepReport:
    """Run every step until nothing is due any more.

    In rounds, so that what one step sets in motion another one sees: an award's message leads to
    a credit record, the record to a delivery.

    A step that fails is logged, has no further turn in this sweep and stops no other one. Must
    not run inside ``atomic``.

    Args:
        only: names of the steps to run; None means all.
        should_stop: asked between chunks; what was taken is finished, the rest stays due.
        watcher: is told about progress.
        turn_seconds: after how many seconds a step hands over to the next.
    """
    watcher = watcher or NobodyWatches()
    report = SweepReport()
    steps = [step for step in registered_steps() if only is None or step.name in only]
    active = list(steps)
    while active and not report.stopped:
        again = []
        took_something = False
        for step in active:
            if should_stop():
                report.stopped = True
                break
            first_turn = step.name not in report.steps
            entry = report.steps.setdefault(step.name, StepReport())
            if first_turn:
                watcher.begin(step)
            taken = _turn(step, entry, should_stop, watcher, turn_seconds)
            took_something = took_something or taken > 0
            _beat(report)
            if not step.once and not entry.error:
                again.append(step)
        active = again if took_something else []
    report.stopped = report.stopped or should_stop()
    for step in steps:
        if step.name in report.steps:
            watcher.finish(step)
    _beat(report, finished=not report.stopped)
    return report


def _turn(
    step: Step, entry: StepReport, should_stop: Callable[[], bool], watcher: Watcher, turn_seconds: float
) -> int:
    """Let a step work until it has nothing left, its time is over or somebody says stop."""
    began = time.monotonic()
    total = 0
    while True:
        _drop_lost_connections()
        try:
            taken = step.run()
        except Exception as error:  # noqa: BLE001 one room's failure must not stop the others
            log.exception("sweeper: step %s failed", step.name)
            entry.error = type(error).__name__
            break
        total += taken
        if taken:
            watcher.advance(step, taken)
        over = time.monotonic() - began > turn_seconds
        if not taken or step.once or over or should_stop():
            break
    entry.taken += total
    entry.seconds = round(entry.seconds + time.monotonic() - began, 3)
    return total


def _drop_lost_connections() -> None:
    """Close what the database has closed or what is older than CONN_MAX_AGE: a sweeper lives for weeks."""
    for connection in connections.all(initialized_only=True):
        # Inside a transaction (of a test) an older Django would close it for not being in autocommit.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _beat(report: SweepReport, *, finished: bool = False) -> None:
    """Leave a sign of life; the doctor reads it."""
    details: dict[str, Any] = {
        "finished": finished,
        "steps": {
            name: {"taken": step.taken, "seconds": step.seconds, "error": step.error}
            for name, step in report.steps.items()
        },
    }
    try:
        Heartbeat.objects.update_or_create(name=HEARTBEAT, defaults={"at": clock.now(), "details": details})
    except Exception:  # noqa: BLE001 the database is away: the next sweep says so again
        log.exception("sweeper: the heartbeat could not be written")
