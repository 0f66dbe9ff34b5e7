"""Tasks of the achievements room; Celery finds them by ``mooc_microcred/tasks.py``."""

from __future__ import annotations

import time

from celery import shared_task

from mooc_microcred.achievements.evaluation import RETRY_BUSY, evaluate_due
from mooc_microcred.achievements.kick import EVALUATE, kick_evaluation
from mooc_microcred.core.kick import ARGUMENTS_VERSION

# Seconds after which a task gives its worker back to other tasks and goes to the end of the queue.
TURN_SECONDS = 30


@shared_task(name=EVALUATE, ignore_result=True, acks_late=True)
def evaluate_due_requests(version: int = ARGUMENTS_VERSION) -> None:
    """Evaluate until nothing is due or the turn is over; what is set in motion wakes the relay itself.

    Safe on any number of workers at once: each request is claimed by one of them.

    Args:
        version: of the arguments; there are no others yet.
    """
    ends = time.monotonic() + TURN_SECONDS
    while True:
        report = evaluate_due()
        if report.busy:
            kick_evaluation(delay=RETRY_BUSY)
        if report.platform_away or not (report.requests or report.busy or report.failed):
            break
        if time.monotonic() >= ends:
            kick_evaluation()
            break
