"""All tasks, where Celery looks for them.

Their names are stable, since a worker of another release may hold a message. No task carries
work in its arguments: what is to be done lies in tables, so any message may be lost, doubled or
late. A task that has done something wakes the one that goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from celery import shared_task

from mooc_microcred.achievements.kick import kick_evaluation
from mooc_microcred.achievements.tasks import TURN_SECONDS, evaluate_due_requests
from mooc_microcred.competencies.api import SYNC, sync_due
from mooc_microcred.core import outbox
from mooc_microcred.core.kick import ARGUMENTS_VERSION, RELAY, kick
from mooc_microcred.credentials.api import ISSUE, issue_due
from mooc_microcred.credentials.status.lists import sign_due
from mooc_microcred.credentials.status.settling import SIGN_LISTS
from mooc_microcred.creditbank.api import deliver_due

__all__ = [
    "deliver_to_banks",
    "evaluate_due_requests",
    "issue_credentials",
    "relay_outbox",
    "sign_status_lists",
    "sync_courses",
]

DELIVER = "mooc_microcred.tasks.deliver_to_banks"


def _work_for_a_turn(task: str, work: Callable[[], int]) -> None:
    """Call ``work`` until it has done nothing or the turn is over; then the task goes to the queue's end."""
    ends = time.monotonic() + TURN_SECONDS
    while work():
        if time.monotonic() >= ends:
            kick(task)
            break


@shared_task(name=RELAY, ignore_result=True, acks_late=True)
def relay_outbox(version: int = ARGUMENTS_VERSION) -> None:
    """Hand due messages to their subscribers until none is due or the turn is over, then wake who goes on.

    What was handed over may have led to deliveries, and to requests (a released exam batch does).

    Args:
        version: of the arguments; there are no others yet.
    """
    handed_over = 0

    def relay() -> int:
        nonlocal handed_over
        report = outbox.relay()
        handed_over += report.done
        return report.done + report.failed + report.dead

    _work_for_a_turn(RELAY, relay)
    if handed_over:
        kick(DELIVER)
        kick_evaluation()


@shared_task(name=DELIVER, ignore_result=True, acks_late=True)
def deliver_to_banks(version: int = ARGUMENTS_VERSION) -> None:
    """Send due deliveries to their banks until none is due or the turn is over.

    Args:
        version: of the arguments; there are no others yet.
    """

    def deliver() -> int:
        report = deliver_due()
        # Postponed ones wait until the bank or the platform is back: for the next run.
        return report.total - report.postponed

    _work_for_a_turn(DELIVER, deliver)


@shared_task(name=SYNC, ignore_result=True, acks_late=True)
def sync_courses(version: int = ARGUMENTS_VERSION) -> None:
    """Read the published content of due courses for their tags, until none is due or the turn is over.

    Args:
        version: of the arguments; there are no others yet.
    """
    _work_for_a_turn(SYNC, lambda: sync_due().claimed)


@shared_task(name=SIGN_LISTS, ignore_result=True, acks_late=True)
def sign_status_lists(version: int = ARGUMENTS_VERSION) -> None:
    """Sign the status lists whose bits have changed until none has or the turn is over.

    Args:
        version: of the arguments; there are no others yet.
    """
    _work_for_a_turn(SIGN_LISTS, sign_due)


@shared_task(name=ISSUE, ignore_result=True, acks_late=True)
def issue_credentials(version: int = ARGUMENTS_VERSION) -> None:
    """Issue the credentials of awards that are due until none is or the turn is over.

    Args:
        version: of the arguments; there are no others yet.
    """
    _work_for_a_turn(ISSUE, lambda: issue_due().looked_at)
