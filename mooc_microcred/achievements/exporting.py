"""What the achievements room holds of a learner, for the right of access."""

from __future__ import annotations

from typing import Any

from mooc_microcred.achievements.models import Award, AwardEvent, CertificateAsk, EvaluationRequest
from mooc_microcred.core.data_export import rows_of


def export_learner(learner_id: int) -> dict[str, Any]:
    """Return awards with evidence and history, requests for certificates, and what waits."""
    awards = Award.objects.filter(learner_id=learner_id).select_related("achievement", "version")
    events: dict[int, list[dict[str, Any]]] = {}
    for event in rows_of(AwardEvent.objects.filter(award__learner_id=learner_id)):
        events.setdefault(event.pop("award_id"), []).append(event)
    found = []
    for row, award in zip(rows_of(awards), awards.order_by("pk"), strict=True):
        row |= {"achievement": award.achievement.code, "version": award.version.number}
        row["history"] = events.get(award.pk, [])
        found.append({key: one for key, one in row.items() if key not in ("achievement_id", "version_id")})
    return {
        "awards": found,
        "certificate_requests": rows_of(CertificateAsk.objects.filter(learner_id=learner_id)),
        "evaluations_that_wait": rows_of(EvaluationRequest.objects.filter(learner_id=learner_id)),
    }
