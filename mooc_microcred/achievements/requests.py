"""Appending evaluation requests: the only thing that a platform event leads to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mooc_microcred.achievements.models import EvaluationRequest
from mooc_microcred.core import clock


def request_evaluation(
    *, learner_id: int, course_key: str = "", reason: str, not_before: datetime | None = None
) -> None:
    """Append one request with one bare INSERT, in the caller's transaction.

    Args:
        learner_id: user id.
        course_key: the run that the hint is about; empty means whatever the learner is enrolled in.
        reason: a short code for people who look at the queue, such as ``certificate``.
        not_before: UTC; None means now.
    """
    due = not_before or clock.now()
    EvaluationRequest.objects.create(
        learner_id=learner_id, course_key=course_key, reason=reason, not_before=due, due=due
    )


def append_requests(
    learner_ids: Iterable[int], *, course_key: str = "", reason: str, not_before: datetime | None = None
) -> int:
    """Append a request for each learner with one INSERT of at most 1,000 rows; return how many.

    Raises:
        ValueError: more than 1,000 learners (a longer INSERT would block the receivers' on MariaDB).
    """
    due = not_before or clock.now()
    rows = [
        EvaluationRequest(learner_id=learner, course_key=course_key, reason=reason, not_before=due, due=due)
        for learner in learner_ids
    ]
    if len(rows) > 1000:
        raise ValueError("at most 1,000 requests in one transaction")
    EvaluationRequest.objects.bulk_create(rows)
    return len(rows)
