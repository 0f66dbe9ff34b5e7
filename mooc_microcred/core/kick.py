"""Kicks: waking a worker after commit, in a way that cannot hurt whoever has just committed.

A kick carries no work: the work lies in a table, and the sweeper finds it too. So a kick may be
lost, and everything here chooses losing it over making somebody wait:

- it is sent after commit, by a robust callback: the platform's own later callbacks always run;
- it goes out over a connection of its own with short timeouts, without retries, and after a
  failure none is tried for a while;
- each process sends at most one per task and KICK_INTERVAL. A kick that comes too early is not
  dropped but becomes one at the end of the interval, so that the last event of a storm is
  evaluated as soon as the first.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_right, insort
from collections import Counter, defaultdict
from importlib import import_module

from celery import Celery, current_app
from django.db import transaction

from mooc_microcred.core import clock
from mooc_microcred.core.conf import microcred_settings

log = logging.getLogger(__name__)

#: The task that hands outbox messages over.
RELAY = "mooc_microcred.tasks.relay_outbox"

# Version of the arguments that tasks are sent; a worker may be older or newer than the sender.
ARGUMENTS_VERSION = 1

# Seconds after its time for which a kick that no worker took is still worth delivering.
EXPIRES = 300
# Seconds within which the broker has to accept a connection and each read and write.
BROKER_TIMEOUT = 1
# Seconds for which a process sends nothing after the broker could not be reached.
BROKER_PAUSE = 30

# Redis' options and RabbitMQ's; each transport takes those that it knows.
_IMPATIENT = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "socket_connect_timeout": BROKER_TIMEOUT,
    "socket_timeout": BROKER_TIMEOUT,
    "retry_on_timeout": False,
    "read_timeout": BROKER_TIMEOUT,
    "write_timeout": BROKER_TIMEOUT,
}

#: What this process did: ``sent``, ``covered`` (another kick does), ``failed``, ``paused``, ``eager``.
counts: Counter[str] = Counter()


class _Schedule:
    """The instants at which a task of this process is kicked, so that they stay an interval apart."""

    def __init__(self):
        self._instants: list[float] = []

    def plan(self, now: float, delay: float, interval: float) -> float | None:
        """Return the seconds to wait before a kick wanted in ``delay`` seconds; None where one is coming."""
        wanted = now + delay
        self._instants = [instant for instant in self._instants if instant > now - interval]
        following = bisect_right(self._instants, wanted)
        if following:
            wanted = max(wanted, self._instants[following - 1] + interval)
        if following < len(self._instants) and self._instants[following] < wanted + interval:
            return None
        insort(self._instants, wanted)
        return wanted - now


_schedules: dict[str, _Schedule] = defaultdict(_Schedule)
_lock = threading.Lock()
_paused_until = 0.0


def kick_after_commit(task_name: str, *, delay: float = 0) -> None:
    """Wake a worker for ``task_name`` after the current transaction's commit; at once where there is none.

    Args:
        task_name: the task's name, which is its module's path and its function.
        delay: seconds after the commit.
    """

    # Not a partial: where a robust callback raises, Django logs its __qualname__.
    def send() -> None:
        kick(task_name, delay=delay)

    transaction.on_commit(send, robust=True)


def kick(task_name: str, *, delay: float = 0) -> None:
    """Wake a worker for ``task_name`` in ``delay`` seconds. Never raises, never takes long.

    With eager Celery nothing runs, unless EVALUATE_WHEN_EAGER says so; then the task runs here,
    if it is to run at once (Celery has no later when it is eager).
    """
    try:
        app = current_app._get_current_object()
        if app.conf.task_always_eager:
            _run_here(app, task_name, delay)
        else:
            _send(app, task_name, delay)
    except Exception as error:  # noqa: BLE001 the sweeper does what a lost kick has not
        counts["failed"] += 1
        log.warning("kick: %s could not be sent (%s); the sweeper will do it", task_name, _said(error))


def _run_here(app: Celery, task_name: str, delay: float) -> None:
    if not microcred_settings.EVALUATE_WHEN_EAGER or delay > 0:
        return
    counts["eager"] += 1
    import_module(task_name.rpartition(".")[0])
    app.tasks[task_name].apply(kwargs={"version": ARGUMENTS_VERSION})


def _send(app: Celery, task_name: str, delay: float) -> None:
    global _paused_until  # noqa: PLW0603
    now = clock.now().timestamp()
    with _lock:
        if now < _paused_until <= now + BROKER_PAUSE:
            counts["paused"] += 1
            return
        wait = _schedules[task_name].plan(now, delay, microcred_settings.KICK_INTERVAL)
    if wait is None:
        counts["covered"] += 1
        return
    try:
        _publish(app, task_name, wait)
    except Exception:
        with _lock:
            _paused_until = now + BROKER_PAUSE
            _schedules.pop(task_name, None)
        raise
    counts["sent"] += 1


def _publish(app: Celery, task_name: str, wait: float) -> None:
    with (
        app.connection_for_write(connect_timeout=BROKER_TIMEOUT, transport_options=_IMPATIENT) as connection,
        app.amqp.Producer(connection, auto_declare=False) as producer,
    ):
        app.send_task(
            task_name,
            kwargs={"version": ARGUMENTS_VERSION},
            producer=producer,
            # By name: a router of the platform would send what Studio sends to Studio's workers.
            queue=microcred_settings.LMS_QUEUE,
            countdown=wait or None,
            expires=wait + EXPIRES,
            retry=False,
            ignore_result=True,
        )


def _said(error: Exception) -> str:
    """Name an error; its text may hold a broker's URL with its password."""
    cause = error.__cause__
    return f"{type(error).__name__} after {type(cause).__name__}" if cause else type(error).__name__


def forget() -> None:
    """Forget every kick that this process has sent (tests, and workers after a fork)."""
    global _paused_until  # noqa: PLW0603
    with _lock:
        _schedules.clear()
        _paused_until = 0.0
        counts.clear()
