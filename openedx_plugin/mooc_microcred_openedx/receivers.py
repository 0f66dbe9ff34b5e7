"""What the platform's events lead to: one row, and nothing that could hurt the platform.

An event is a hint that a learner's state may have changed; the worker reads the truth later. A
receiver reads ids from the payload, asks whether the course has achievements (no query), and
appends one evaluation request in the caller's transaction. :func:`hint` carries the guarantees,
for receivers of another form :func:`~mooc_microcred_openedx.guards.never_raises`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction

from mooc_microcred.achievements.kick import kick_evaluation_after_commit
from mooc_microcred.achievements.requests import request_evaluation
from mooc_microcred.achievements.watch import has_listed_run, is_watched
from mooc_microcred.core import outbox
from mooc_microcred.core.kick import RELAY, kick_after_commit
from mooc_microcred.core.retirement import retire_or_queue
from mooc_microcred_openedx import completions
from mooc_microcred_openedx.guards import never_raises

Receiver = Callable[..., None]


def hint(reason: str) -> Callable[[Callable[..., tuple[int, Any]]], Receiver]:
    """Make a receiver of a function that reads (user id, course key) from an event's payload.

    The receiver
    - makes no query where no achievement looks at the course;
    - else appends one evaluation request with one INSERT in a savepoint of its own, in the
      caller's transaction: a database error of ours cannot take the platform's rows with it;
    - wakes a worker after commit, at most once per KICK_INTERVAL and process;
    - never raises.

    Args:
        reason: a short code for people who look at the queue.
    """

    def decorate(ids_of: Callable[..., tuple[int, Any]]) -> Receiver:
        @never_raises
        @wraps(ids_of)
        def receiver(*_args: Any, **payload: Any) -> None:
            learner_id, course_key = ids_of(**payload)
            course_key = str(course_key)
            if not is_watched(course_key):
                return
            with transaction.atomic():
                request_evaluation(learner_id=learner_id, course_key=course_key, reason=reason)
            kick_evaluation_after_commit()

        return receiver

    return decorate


# --- certificates, grades, enrolments, exams (LMS) ---


@hint("certificate")
def certificate_created(*, certificate, **_):
    """Read CERTIFICATE_CREATED, which fires on every save with a passing status."""
    return certificate.user.id, certificate.course.course_key


@hint("certificate")
def certificate_changed(*, certificate, **_):
    """Read CERTIFICATE_CHANGED, which fires on every save."""
    return certificate.user.id, certificate.course.course_key


@hint("certificate")
def certificate_revoked(*, certificate, **_):
    """Read CERTIFICATE_REVOKED."""
    return certificate.user.id, certificate.course.course_key


@hint("passing")
def passing_status_updated(*, course_passing_status, **_):
    """Read COURSE_PASSING_STATUS_UPDATED, which fires on every recomputation of a course grade."""
    return course_passing_status.user.id, course_passing_status.course.course_key


@hint("passing")
def ccx_passing_status_updated(*, course_passing_status, **_):
    """Read CCX_COURSE_PASSING_STATUS_UPDATED; certificates and grades come under the CCX' own key."""
    return course_passing_status.user.id, course_passing_status.course.ccx_course_key


@hint("grade")
def grade_summary_changed(*, grade, **_):
    """Read PERSISTENT_GRADE_SUMMARY_CHANGED, which names the learner by id only."""
    return grade.user_id, grade.course.course_key


@hint("grade")
def subsection_grade_changed(*, grade, **_):
    """Read PERSISTENT_SUBSECTION_GRADE_CHANGED, where a release has it."""
    return grade.user_id, grade.course.course_key


@hint("enrolment")
def enrollment_created(*, enrollment, **_):
    """Read COURSE_ENROLLMENT_CREATED, which also fires when somebody comes back."""
    return enrollment.user.id, enrollment.course.course_key


@hint("exam")
def exam_attempt_changed(*, exam_attempt, **_):
    """Read any of EXAM_ATTEMPT_*, which reach the LMS over the event bus where edx-exams is used."""
    return exam_attempt.student_user.id, exam_attempt.course_key


@never_raises
def block_completed(*_args, instance, raw=False, **_):
    """Read the post_save of a BlockCompletion; many of them become one request, see completions.py."""
    # Loaded fixtures are no news, and a block that is done in part counts as not done.
    if raw or instance.completion < 1:
        return
    course_key = str(instance.context_key)
    if is_watched(course_key, completion=True):
        completions.note(learner_id=instance.user_id, course_key=course_key)


# --- retirement (LMS) ---


def learner_retired(*_args, user, **_):
    """Read USER_RETIRE_LMS_MISC and USER_RETIRE_LMS_CRITICAL, after either of which nothing names the user.

    The platform sends them plainly, from a view that answers 500 to an exception, whereupon its
    pipeline asks again. That is wanted where the learner could not be pseudonymised, and only there:
    awards that are being written are no failure.

    Raises:
        RetirementFailed: ask again.
    """
    retire_or_queue(learner_id=user.id)


# --- course runs (Studio) ---


@never_raises
def course_rerun_completed(*_args, course, **_):
    """Read COURSE_RERUN_COMPLETED: a re-run is offered to the achievements that name runs one by one."""
    _offer(course.course_key)


@never_raises
def course_catalog_info_changed(*_args, catalog_info, **_):
    """Read COURSE_CATALOG_INFO_CHANGED, which fires when a course is published: its run may be a new one."""
    _offer(catalog_info.course_key)


@never_raises
def course_published(*_args, course_key, **_):
    """Read the module store's ``course_published``, which every release sends for each course and library."""
    _offer(course_key)


def _offer(course_key) -> None:
    course_key = str(course_key)
    if not has_listed_run(course_key):
        return
    with transaction.atomic():
        outbox.append([outbox.Note("course.run_seen", payload={"course_key": course_key})])
    kick_after_commit(RELAY)
