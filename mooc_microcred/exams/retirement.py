"""What the exams room does when a learner is retired."""

from __future__ import annotations

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
    named = ExamBatch.objects.values_list("pk", "file_name", "reason")
    for pk, file_name, reason in named.iterator():
        told = {"file_name": scrubbed(file_name, texts), "reason": scrubbed(reason, texts)}
        if told != {"file_name": file_name, "reason": reason}:
            ExamBatch.objects.filter(pk=pk).update(**told)
    # The lists of wrong rows may be long; most files have none.
    listed = ExamBatch.objects.exclude(problems=[]).values_list("pk", "problems")
    for pk, problems in listed.iterator(chunk_size=10):
        left = _without(problems, texts)
        if left != problems:
            ExamBatch.objects.filter(pk=pk).update(problems=left)


def _without(value: Any, texts: Collection[str]) -> Any:
    if isinstance(value, str):
        return scrubbed(value, texts)
    if isinstance(value, list):
        return [_without(one, texts) for one in value]
    if isinstance(value, dict):
        return {key: _without(one, texts) for key, one in value.items()}
    return value
