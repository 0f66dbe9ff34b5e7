"""What the competencies room holds of a learner: forgotten at retirement, told in an export."""

from __future__ import annotations

from typing import Any

from mooc_microcred.competencies.frameworks import get_competencies
from mooc_microcred.competencies.models import LearnerEvidence, Mastery


def forget_learner(learner_id: int) -> None:
    """Delete scores and mastery; an award that rests on them keeps its own snapshot under the id."""
    LearnerEvidence.objects.filter(learner_id=learner_id).delete()
    Mastery.objects.filter(learner_id=learner_id).delete()


def export_learner(learner_id: int) -> dict[str, Any]:
    """Return everything that is held of a learner, JSON-serialisable."""
    masteries = list(Mastery.objects.filter(learner_id=learner_id).order_by("id"))
    known = get_competencies(keys={(row.framework, row.item) for row in masteries})
    evidence = LearnerEvidence.objects.filter(learner_id=learner_id).order_by("id")
    return {
        "mastery": [
            {
                "framework": row.framework,
                "item": row.item,
                "code": found.code if (found := known.get((row.framework, row.item))) else "",
                "status": row.status,
                "since": row.since.isoformat(),
                "demonstrated_at": row.demonstrated_at.isoformat() if row.demonstrated_at else None,
                "figures": row.figures,
                "evidence": row.evidence,
            }
            for row in masteries
        ],
        "evidence": [
            {
                "framework": row.framework,
                "item": row.item,
                "course": row.course_key,
                "block": row.usage_key,
                "percent": str(row.percent),
                "at": row.at.isoformat() if row.at else None,
            }
            for row in evidence
        ],
    }
