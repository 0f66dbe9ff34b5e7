"""What the exams room does when a learner is retired."""

from __future__ import annotations

from mooc_microcred.exams.models import ExamAdmission


def forget_learner(learner_id: int) -> None:
    """Delete the learner's admissions, which hold the numbers that the exam centre knows. Idempotent.

    Results stay under the id, as the awards do that rest on them.
    """
    ExamAdmission.objects.filter(learner_id=learner_id).delete()
