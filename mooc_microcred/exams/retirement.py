"""What the exams room does when a learner is retired."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from mooc_microcred.core.retirement import scrubbed
from mooc_microcred.exams.models import ExamAdmission, ExamBatch

# A number of an exam centre that is as short as this also stands for rows and scores.
SHORT = 5


def forget_learner(learner_id: int) -> None:
    """Delete the learner's admissions, which hold the numbers that the exam centre knows. Idempotent.

    Results stay under the id, as the awards do that rest on them.
    """
    ExamAdmission.objects.filter(learner_id=learner_id).delete()


def numbers_of(learner_id: int) -> list[str]:
    """Return the numbers under which exam centres know the learner, but for short ones."""
    numbers = ExamAdmission.objects.filter(learner_id=learner_id).values_list("number", flat=True)
    return [one for one in numbers if len(one) > SHORT]


def scrub_batches(learner_id: int, texts: Collection[str]) -> None:
    """Take a learner's names and numbers out of the wrong rows that are listed of files. Idempotent.

    And out of file names and reasons: whoever uploads the result of one candidate may name it so.
    """
    for batch in ExamBatch.objects.only("file_name", "reason", "problems").iterator(chunk_size=20):
        told = json.dumps([batch.problems, batch.file_name, batch.reason], ensure_ascii=False)
        if scrubbed(told, texts) != told:
            ExamBatch.objects.filter(pk=batch.pk).update(
                problems=_without(batch.problems, texts),
                file_name=scrubbed(batch.file_name, texts),
                reason=scrubbed(batch.reason, texts),
            )


def _without(value: Any, texts: Collection[str]) -> Any:
    if isinstance(value, str):
        return scrubbed(value, texts)
    if isinstance(value, list):
        return [_without(one, texts) for one in value]
    if isinstance(value, dict):
        return {key: _without(one, texts) for key, one in value.items()}
    return value
