"""Workers that contend for one learner, as threads or as processes."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

from mooc_microcred.core.lease import LeaseBusy, LeaseLost, writing
from mooc_microcred.core.models import Heartbeat

COUNTER = "contended"
LEARNER = 42


def prepare() -> None:
    """Make the counter that the workers read, pause over and write."""
    Heartbeat.objects.create(name=COUNTER, at=datetime(2026, 1, 1, tzinfo=UTC), details={"n": 0})


def contend(rounds: int) -> int:
    """Raise the counter ``rounds`` times under the learner's lease; return how often it was busy."""
    busy = done = 0
    deadline = time.monotonic() + 60
    while done < rounds and time.monotonic() < deadline:
        try:
            with writing(LEARNER):
                row = Heartbeat.objects.get(name=COUNTER)
                # Long enough that without the lease the other worker would read the same number.
                time.sleep(0.005)
                Heartbeat.objects.filter(name=COUNTER).update(details={"n": row.details["n"] + 1})
            done += 1
        except (LeaseBusy, LeaseLost):
            busy += 1
            time.sleep(random.uniform(0, 0.01))
    if done < rounds:
        raise TimeoutError(f"{done} of {rounds} rounds in a minute")
    return busy
