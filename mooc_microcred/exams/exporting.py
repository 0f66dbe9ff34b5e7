"""What the exams room holds of a learner, for the right of access."""

from __future__ import annotations

from typing import Any

from mooc_microcred.core.data_export import rows_of
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult


def export_learner(learner_id: int) -> dict[str, Any]:
    """Return admissions and released results; what is not released is not a result yet."""
    told = (ExamBatch.State.RELEASED, ExamBatch.State.SUPERSEDED)
    results = ExamResult.objects.filter(learner_id=learner_id, batch__state__in=told)
    states = dict(results.values_list("batch_id", "batch__state"))
    rows = rows_of(results)
    for row in rows:
        row["superseded"] = states[row.pop("batch_id")] == ExamBatch.State.SUPERSEDED
    return {
        "admissions": rows_of(ExamAdmission.objects.filter(learner_id=learner_id)),
        "results": rows,
    }
