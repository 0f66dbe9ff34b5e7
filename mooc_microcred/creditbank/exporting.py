"""What the creditbank room holds of a learner, for the right of access."""

from __future__ import annotations

from typing import Any

from mooc_microcred.core.data_export import rows_of
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery


def export_learner(learner_id: int) -> dict[str, Any]:
    """Return consents, and credit records with what the banks were told and their receipts.

    What was sent is the learner's name, document and award, sealed for the bank; it stays sealed.
    """
    deliveries: dict[int, list[dict[str, Any]]] = {}
    told = rows_of(
        Delivery.objects.filter(record__learner_id=learner_id),
        without=["sealed_body", "last_error", "drop_file"],
    )
    for row in told:
        deliveries.setdefault(row.pop("record_id"), []).append(row)
    records = CreditRecord.objects.filter(learner_id=learner_id).order_by("pk")
    awards = dict(records.values_list("award_id", "award__uuid"))
    rows = rows_of(records)
    for row, key in zip(rows, records.values_list("pk", flat=True), strict=True):
        row["award"] = awards[row.pop("award_id")]
        row["deliveries"] = deliveries.get(key, [])
    return {"consents": rows_of(Consent.objects.filter(learner_id=learner_id)), "records": rows}
