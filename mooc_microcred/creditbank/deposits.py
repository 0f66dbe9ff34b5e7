"""What is told of a deposit that a bank has acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from mooc_microcred.creditbank.models import Delivery

#: A bank has taken over credit: ``{"delivery": key}``. A replacement is a deposit, too.
TOPIC = "credit.deposited"
KINDS = (Delivery.Kind.DEPOSIT, Delivery.Kind.REPLACE)


@dataclass(frozen=True, slots=True)
class DepositData:
    """An acknowledged deposit.

    Attributes:
        key: idempotency key of the delivery: the same deposit has the same key whenever it is told.
        record, award: their uuids. replaces: whether it replaces what the bank had of the award before.
    """

    key: str
    record: str
    award: str
    learner_id: int
    bank: str
    organization: str
    method_code: str
    credits: Decimal
    hours: Decimal
    receipt: str
    deposited_at: datetime
    replaces: bool


def get_deposit(*, key: str) -> DepositData | None:
    """Return a deposit by its key; None where there is none that the bank has acknowledged."""
    row = (
        Delivery.objects.filter(key=key, kind__in=KINDS, acknowledged_at__isnull=False)
        .select_related("record__award")
        .first()
    )
    if row is None or row.acknowledged_at is None:
        return None
    record = row.record
    return DepositData(
        key=row.key,
        record=record.uuid,
        award=record.award.uuid,
        learner_id=record.learner_id,
        bank=row.bank,
        organization=record.organization,
        method_code=record.method_code,
        credits=record.credits,
        hours=record.hours,
        receipt=row.receipt,
        deposited_at=row.acknowledged_at,
        replaces=row.kind == Delivery.Kind.REPLACE,
    )
