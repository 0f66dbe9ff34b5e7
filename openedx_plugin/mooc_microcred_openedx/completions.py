"""Completions, gathered: a learner who works through a course saves one row per block.

Time is cut into windows of COMPLETION_DEBOUNCE seconds for each learner and course. The first
completion of a window appends an evaluation request that is due when the window is over; the
others rely on it. What makes sure that the last one counts:

- the request is due after the window has ended, so it sees all that was committed by then;
- a completion whose transaction commits after that appends a request of its own;
- a request whose transaction was rolled back is missed, and appended again, by the next completion
  that commits: the cache says "committed" only after the commit.

Where the cache is away, each completion appends a request.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b

from django.core.cache import cache
from django.db import transaction

from mooc_microcred.achievements.kick import kick_evaluation, kick_evaluation_after_commit
from mooc_microcred.achievements.requests import request_evaluation
from mooc_microcred.core import clock
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred_openedx.guards import never_raises

log = logging.getLogger(__name__)

REASON = "completion"

# Between the end of a window and the moment at which its request is due: what the clocks of the
# platform's machines may differ by.
GRACE = timedelta(seconds=3)

_WRITTEN, _COMMITTED = "written", "committed"


@dataclass(frozen=True, slots=True)
class _Window:
    """A span of time in which one learner's completions in one course are one."""

    learner_id: int
    course_key: str
    cache_key: str
    seconds: float
    end: datetime

    @property
    def due(self) -> datetime:
        """When the request of this window is due."""
        return self.end + GRACE


def _window_at(now: datetime, learner_id: int, course_key: str) -> _Window:
    seconds = microcred_settings.COMPLETION_DEBOUNCE
    digest = blake2b(f"{learner_id} {course_key}".encode(), digest_size=16)
    # Each learner's windows begin at another moment, or all requests would fall due together.
    phase = int.from_bytes(digest.digest()[:4]) / 2**32 * seconds
    number = (now.timestamp() + phase) // seconds
    end = datetime.fromtimestamp((number + 1) * seconds - phase, UTC)
    # Hashed: memcached allows 250 plain characters, a course key may be Thai and longer.
    cache_key = f"mooc_microcred.completion.{digest.hexdigest()}.{number:.0f}"
    return _Window(learner_id, course_key, cache_key, seconds, end)


def note(*, learner_id: int, course_key: str) -> None:
    """See to it that a block completed in the current transaction leads to an evaluation.

    One INSERT in its own savepoint for the first completion of a window, none for the others.

    Raises:
        DatabaseError: the request could not be appended; the caller's transaction is intact.
    """
    if microcred_settings.COMPLETION_DEBOUNCE <= 0:
        _append(learner_id, course_key, None)
        kick_evaluation_after_commit()
        return
    window = _window_at(clock.now(), learner_id, course_key)
    first = _claim(window)
    if first:
        try:
            _append(learner_id, course_key, window.due)
        except Exception:
            _forget(window)
            raise
    transaction.on_commit(partial(_committed, window, first), robust=True)


@never_raises
def _committed(window: _Window, first: bool) -> None:
    """After the commit of a completion: make sure that a request will be due that sees it."""
    wait = (window.due - clock.now()).total_seconds()
    if first:
        _confirm(window)
        kick_evaluation(delay=max(0.0, wait))
    elif clock.now() >= window.end:
        # The window's request may have been evaluated before this commit.
        _append(window.learner_id, window.course_key, None)
        kick_evaluation()
    elif not _is_confirmed(window):
        _append(window.learner_id, window.course_key, window.due)
        _confirm(window)
        kick_evaluation(delay=wait)


def _append(learner_id: int, course_key: str, not_before: datetime | None) -> None:
    with transaction.atomic():
        request_evaluation(learner_id=learner_id, course_key=course_key, reason=REASON, not_before=not_before)


def _claim(window: _Window) -> bool:
    """Say whether this is the first completion of the window; also where the cache cannot tell."""
    try:
        return bool(cache.add(window.cache_key, _WRITTEN, timeout=2 * window.seconds + 60))
    except Exception as error:  # noqa: BLE001 cache clients raise what they like
        _complain(error)
        return True


def _confirm(window: _Window) -> None:
    try:
        cache.set(window.cache_key, _COMMITTED, timeout=2 * window.seconds + 60)
    except Exception as error:  # noqa: BLE001
        _complain(error)


def _is_confirmed(window: _Window) -> bool:
    try:
        return cache.get(window.cache_key) == _COMMITTED
    except Exception as error:  # noqa: BLE001
        _complain(error)
        return False


def _forget(window: _Window) -> None:
    try:
        cache.delete(window.cache_key)
    except Exception as error:  # noqa: BLE001
        _complain(error)


def _complain(error: Exception) -> None:
    log.warning(
        "completions: the cache is away (%s); each completion appends a request", type(error).__name__
    )
