"""What waits for a credit officer, in figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.creditbank.account import IS_FAILING, narrowed, visible
from mooc_microcred.creditbank.models import CreditRecord, Delivery

State = CreditRecord.State
# Records that wait for something: for these it matters since when.
_WAITING = (
    State.WAITING_CONSENT,
    State.WAITING_IDENTITY,
    State.HELD,
    State.SENDING,
    State.REVERSING,
    State.FAILED,
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records in one state; ``since`` is when the one that has waited longest came to it."""

    records: int
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class BankTroubles:
    """What goes wrong with one bank.

    Attributes:
        dead: deliveries that were given up. dead_since: the award waits for the bank since then.
        failing: deliveries whose last attempt failed. next_try: when the first of them is tried again.
    """

    dead: int
    dead_since: datetime | None
    failing: int
    next_try: datetime | None


@dataclass(frozen=True, slots=True)
class DeskData:
    """The figures of the credit desk: by state of the record, and by bank (only those with troubles)."""

    states: dict[str, Waiting]
    banks: dict[str, BankTroubles]

    def records(self, state: str) -> Waiting:
        """Return the records in a state."""
        return self.states.get(state, Waiting(0))

    @property
    def dead(self) -> int:
        """Return how many deliveries were given up."""
        return sum(one.dead for one in self.banks.values())

    @property
    def failing(self) -> int:
        """Return how many deliveries fail and are tried again."""
        return sum(one.failing for one in self.banks.values())

    @property
    def next_try(self) -> datetime | None:
        """Return when the next of the failing ones is tried."""
        return min((one.next_try for one in self.banks.values() if one.next_try), default=None)

    @property
    def dead_since(self) -> datetime | None:
        """Return since when the oldest dead letter has stood there."""
        return min((one.dead_since for one in self.banks.values() if one.dead_since), default=None)


def summarise_desk(
    *,
    actor: Actor,
    bank: str | None = None,
    organization: str | None = None,
    about: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> DeskData:
    """Return what waits, of the actor's organisations; three queries for any number of records.

    The arguments narrow it as those of ``list_records`` do.

    Raises:
        NotAllowed: the actor is neither credit officer nor auditor, or not for that organisation.
    """
    records = visible(actor, CreditRecord.objects.order_by(), "organization", organization)
    deliveries = visible(actor, Delivery.objects.order_by(), "record__organization", organization)
    if bank is not None:
        records, deliveries = records.filter(bank=bank), deliveries.filter(bank=bank)
    records = narrowed(records, "", about=about, since=since, until=until)
    deliveries = narrowed(deliveries, "record__", about=about, since=since, until=until)
    waiting = records.filter(state__in=_WAITING).values("state")
    settled = records.exclude(state__in=_WAITING).values_list("state")
    states = {
        one["state"]: Waiting(one["number"], one["since"])
        for one in waiting.annotate(number=Count("pk"), since=Min("changed"))
    }
    states |= {state: Waiting(number) for state, number in settled.annotate(number=Count("pk"))}
    dead = Q(state=Delivery.State.DEAD)
    troubles = deliveries.filter(dead | IS_FAILING).values("bank")
    found = troubles.annotate(
        dead=Count("pk", filter=dead),
        dead_since=Min("record__changed", filter=dead),
        failing=Count("pk", filter=IS_FAILING),
        next_try=Min("due", filter=IS_FAILING),
    )
    banks = {
        one["bank"]: BankTroubles(one["dead"], one["dead_since"], one["failing"], one["next_try"])
        for one in found
    }
    return DeskData(states=states, banks=banks)


def count_dead_letters(*, actor: Actor) -> int:
    """Return how many deliveries wait for this credit officer to replay them; one query."""
    scope = actor.organizations(Role.CREDIT_OFFICER)
    rows = Delivery.objects.filter(state=Delivery.State.DEAD)
    return (rows if scope is None else rows.filter(record__organization__in=scope)).count()
