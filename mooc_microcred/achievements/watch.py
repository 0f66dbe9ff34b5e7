"""The courses that have achievements, held in each process: what receivers ask before they write.

Receivers run inside the platform's transactions, so they may not query. The set is read by a
short-lived thread over a database connection of its own; once it is half of CACHE_TTL old it is
renewed behind the caller's back, and a caller waits (for REFRESH_TIMEOUT at most) only where it
is older than CACHE_TTL. Whoever cannot be answered is told "yes": a request too many costs one
evaluation, a request too few costs somebody their award.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connections
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from opaque_keys.edx.locator import LibraryLocator

from mooc_microcred.achievements.models import CourseRequirement
from mooc_microcred.competencies import api as competencies
from mooc_microcred.core import clock
from mooc_microcred.core.conf import microcred_settings

log = logging.getLogger(__name__)

# Seconds that a caller waits for a set that is too old to be used.
REFRESH_TIMEOUT = 1.0
# After a failed or slow refresh, seconds until the next attempt.
RETRY_PAUSE = timedelta(seconds=5)
# Answers kept per process; far more than there are courses, far less than memory.
MEMO_SIZE = 50_000

Course = tuple[str, str]


@dataclass(slots=True)
class _Needs:
    """Courses by organisation and number, and single runs.

    Casefolded: no two courses of the platform differ by letter case alone.
    """

    courses: set[Course] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)

    def has(self, course_key: str, course: Course) -> bool:
        return course in self.courses or course_key.casefold() in self.runs


class _Watched:
    """The set as it was at one instant, with the answers given from it."""

    def __init__(self, rows: Iterable[tuple[str, str, str, bool]], assessing: Iterable[str], at: datetime):
        self.at = at
        self._all = _Needs()
        self._completion = _Needs()
        self._listed: set[Course] = set()
        self._answers: dict[str, tuple[bool, bool, bool]] = {}
        for organization, number, course_key, needs_completion in rows:
            for needs in (self._all, self._completion) if needs_completion else (self._all,):
                if course_key:
                    needs.runs.add(course_key.casefold())
                else:
                    needs.courses.add((organization.casefold(), number.casefold()))
            if course_key:
                self._listed.add(_course_of(course_key))
        # A course whose content assesses competencies counts without any achievement of its own.
        self._all.runs |= {course_key.casefold() for course_key in assessing}

    @property
    def empty(self) -> bool:
        """Say whether no achievement looks at any course."""
        return not (self._all.courses or self._all.runs)

    def answers(self, course_key: str) -> tuple[bool, bool, bool]:
        """Return (watched, watched for completion, has a run that is listed) of a run."""
        answers = self._answers.get(course_key)
        if answers is None:
            course = _course_of(course_key)
            answers = (
                self._all.has(course_key, course),
                self._completion.has(course_key, course),
                course != _NO_COURSE and course in self._listed,
            )
            if len(self._answers) >= MEMO_SIZE:
                self._answers.clear()
            self._answers[course_key] = answers
        return answers


_NO_COURSE: Course = ("", "")
_EVERYTHING = (True, True, True)


def _course_of(course_key: str) -> Course:
    """Return the folded organisation and number of a run; a CCX run has those of its master course."""
    try:
        key = CourseKey.from_string(course_key)
    except InvalidKeyError:
        return _NO_COURSE
    if isinstance(key, LibraryLocator):
        return _NO_COURSE
    return (key.org or "").casefold(), (key.course or "").casefold()


def _read() -> _Watched:
    """Read the set over this thread's connection."""
    at = clock.now()
    rows = CourseRequirement.objects.values_list("organization", "number", "course_key", "needs_completion")
    return _Watched(rows, competencies.assessed_courses(), at)


class CourseWatch:
    """The set of one process and the thread that renews it."""

    def __init__(self):
        self._watched: _Watched | None = None
        self._forget_thread()

    def _forget_thread(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._retry_at: datetime | None = None
        self._complained = False

    def answers(self, course_key: str) -> tuple[bool, bool, bool]:
        """Return (watched, watched for completion, has a run that is listed) of a run."""
        watched = self._current()
        return _EVERYTHING if watched is None else watched.answers(course_key)

    def watches_anything(self) -> bool:
        """Say whether some achievement looks at some course."""
        watched = self._current()
        return watched is None or not watched.empty

    def _current(self) -> _Watched | None:
        """Return the set as it was at most CACHE_TTL seconds ago; None where it cannot be read."""
        ttl = microcred_settings.CACHE_TTL
        if ttl <= 0:
            return _read()
        watched = self._watched
        age = self._age(watched)
        if age is None or age > ttl:
            self._start_thread(wait=True)
            watched = self._watched
            age = self._age(watched)
        elif age > ttl / 2:
            self._start_thread(wait=False)
        if watched is None or age is None or age > ttl:
            self._complain()
            return None
        return watched

    @staticmethod
    def _age(watched: _Watched | None) -> float | None:
        """Return seconds; None where there is no set, or the clock was turned back since."""
        age = (clock.now() - watched.at).total_seconds() if watched else -1
        return age if age >= 0 else None

    def _start_thread(self, *, wait: bool) -> None:
        with self._lock:
            now = clock.now()
            if self._retry_at is not None and now < self._retry_at <= now + RETRY_PAUSE:
                return
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._renew, name="mooc_microcred.watch", daemon=True)
                self._thread.start()
            thread = self._thread
        if wait:
            thread.join(REFRESH_TIMEOUT)
            if thread.is_alive():
                self._retry_at = clock.now() + RETRY_PAUSE

    def _renew(self) -> None:
        try:
            self._watched = _read()
        except Exception:
            self._retry_at = clock.now() + RETRY_PAUSE
            self._complain(failed=True)
        else:
            self._retry_at = None
            self._complained = False
        finally:
            # Connections are the thread's own: the caller's is not among them.
            connections.close_all()

    def _complain(self, *, failed: bool = False) -> None:
        if not self._complained:
            self._complained = True
            log.warning(
                "watch: the courses with achievements could not be read; until then every course counts",
                exc_info=failed,
            )

    def refresh(self) -> None:
        """Read the set now, over the caller's connection (commands and tests).

        Raises:
            DatabaseError: it could not be read.
        """
        self._watched = _read()
        self._retry_at = None

    def forget(self) -> None:
        """Wait for a running refresh and forget the set (tests)."""
        if self._thread is not None:
            self._thread.join(REFRESH_TIMEOUT)
        self._watched = None
        self._forget_thread()


_watch = CourseWatch()
# A thread of the parent does not live on in the child, and its lock may have been held.
os.register_at_fork(after_in_child=_watch._forget_thread)


def is_watched(course_key: str, *, completion: bool = False) -> bool:
    """Say whether some achievement looks at a run. No query on the caller's connection.

    A run is watched by its organisation and number, or by its own key; letter case does not
    count. A CCX run has its master course's organisation and number, and a key of its own.

    Args:
        course_key: key of the run as text; what is no course key is not watched.
        completion: ask for achievements with a completion criterion only.

    Returns:
        what was true at most CACHE_TTL seconds ago; True where that could not be found out. With
        CACHE_TTL 0 (tests only) the answer is read over the caller's connection each time.
    """
    return _watch.answers(course_key)[1 if completion else 0]


def watches_anything() -> bool:
    """Say whether some achievement looks at some course: else nobody has anything to see. No query.

    The same freshness and the same "yes" in doubt as :func:`is_watched`.
    """
    return _watch.watches_anything()


def has_listed_run(course_key: str) -> bool:
    """Say whether an achievement names runs of this run's course one by one, so that a re-run is news to it.

    The same freshness and the same "yes" in doubt as :func:`is_watched`.
    """
    return _watch.answers(course_key)[2]


def refresh() -> None:
    """Read the set now, over the caller's connection (commands and tests).

    Raises:
        DatabaseError: it could not be read.
    """
    _watch.refresh()


def forget() -> None:
    """Forget the set of this process (tests)."""
    _watch.forget()
