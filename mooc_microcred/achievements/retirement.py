"""What the achievements room does when a learner is retired."""

from __future__ import annotations

from collections.abc import Collection

from mooc_microcred.achievements.models import AwardEvent, CertificateAsk, EvaluationRequest
from mooc_microcred.core.retirement import scrubbed


def forget_learner(learner_id: int) -> None:
    """Delete what waits for the learner; awards and their history stay under the id. Idempotent."""
    EvaluationRequest.objects.filter(learner_id=learner_id).delete()
    CertificateAsk.objects.filter(learner_id=learner_id).delete()


def scrub_notes(learner_id: int, texts: Collection[str]) -> None:
    """Take a learner's names out of what staff have written about their awards. Idempotent."""
    for event in AwardEvent.objects.filter(award__learner_id=learner_id).exclude(note=""):
        note = scrubbed(event.note, texts)
        if note != event.note:
            AwardEvent.objects.filter(pk=event.pk).update(note=note)
