"""What the achievements room does when a learner is retired."""

from __future__ import annotations

from mooc_microcred.achievements.models import CertificateAsk, EvaluationRequest


def forget_learner(learner_id: int) -> None:
    """Delete what waits for the learner; awards and their history stay under the id. Idempotent."""
    EvaluationRequest.objects.filter(learner_id=learner_id).delete()
    CertificateAsk.objects.filter(learner_id=learner_id).delete()
