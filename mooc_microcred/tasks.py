"""All tasks, where Celery looks for them.

Their names are stable, since a worker of another release may hold a message. No task carries
work in its arguments: what is to be done lies in tables, so any message may be lost, doubled or
late. A task that has done something wakes the one that goes on from there.
"""

from __future__ import annotations

import time

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


@shared_task(name=RELAY, ignore_result=True, acks_late=True)
def relay_outbox(version: int = ARGUMENTS_VERSION) -> None:
    """Hand due messages to their subscribers until none is due or the turn is over, then wake who goes on.

    What was handed over may have led to deliveries, and to requests (a released exam batch does).

    Args:
        version: of the arguments; there are no others yet.
    """
    ends = time.monotonic() + TURN_SECONDS
    worked = False
    while (report := outbox.relay()).done or report.failed or report.dead:
        worked = worked or report.done > 0
        if time.monotonic() >= ends:
            kick(RELAY)
            break
    if worked:
        kick(DELIVER)
        kick_evaluation()


@shared_task(name=DELIVER, ignore_result=True, acks_late=True)
def deliver_to_banks(version: int = ARGUMENTS_VERSION) -> None:
    """Send due deliveries to their banks until none is due or the turn is over.

    Args:
        version: of the arguments; there are no others yet.
    """
    ends = time.monotonic() + TURN_SECONDS
    # Postponed ones wait until the bank or the platform is back: for the next run.
    while (report := deliver_due()).total > report.postponed:
        if time.monotonic() >= ends:
            kick(DELIVER)
            break


@shared_task(name=SYNC, ignore_result=True, acks_late=True)
def sync_courses(version: int = ARGUMENTS_VERSION) -> None:
    """Read the published content of due courses for their tags, until none is due or the turn is over.

    Args:
        version: of the arguments; there are no others yet.
    """
    ends = time.monotonic() + TURN_SECONDS
    while sync_due().claimed:
        if time.monotonic() >= ends:
            kick(SYNC)
            break


@shared_task(name=SIGN_LISTS, ignore_result=True, acks_late=True)
def sign_status_lists(version: int = ARGUMENTS_VERSION) -> None:
    """Sign the status lists whose bits have changed until none has or the turn is over.

    Args:
        version: of the arguments; there are no others yet.
    """
    ends = time.monotonic() + TURN_SECONDS
    while sign_due():
        if time.monotonic() >= ends:
            kick(SIGN_LISTS)
            break


@shared_task(name=ISSUE, ignore_result=True, acks_late=True)
def issue_credentials(version: int = ARGUMENTS_VERSION) -> None:
    """Issue the credentials of awards that are due until none is or the turn is over.

    Args:
        version: of the arguments; there are no others yet.
    """
    ends = time.monotonic() + TURN_SECONDS
    while issue_due().looked_at:
        if time.monotonic() >= ends:
            kick(ISSUE)
            break
