"""What waits for a credit officer, in figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from mooc_microcred.core.asking import asked, moment_of
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.creditbank.account import IS_FAILING, READERS, narrowed, visible
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
    where = _scope(actor, organization), bank, about, since, until
    states = {state: Waiting(number, moment_of(oldest)) for state, number, oldest in asked(_waiting, *where)}
    states |= {state: Waiting(number) for state, number in asked(_settled, *where)}
    banks = {
        code: BankTroubles(dead, moment_of(dead_since), failing, moment_of(next_try))
        for code, dead, dead_since, failing, next_try in asked(_troubles, *where)
    }
    return DeskData(states=states, banks=banks)


def lines_state(
    *,
    actor: Actor,
    state: str | None = None,
    failing: bool = False,
    of_deliveries: bool,
    bank: str | None = None,
    organization: str | None = None,
    about: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[Any, ...]:
    """Return what changes with the lines of a list of the desk; one query, or two for a list of records.

    Args:
        of_deliveries: whether it is a list of deliveries. The others are those of ``list_records`` and
            ``list_deliveries``.

    Raises:
        NotAllowed: the actor is neither credit officer nor auditor, or not for that organisation.
    """
    where = _scope(actor, organization), bank, about, since, until
    if of_deliveries:
        return asked(_delivery_lines, *where, state, failing, before, limit)
    found = asked(_record_lines, *where, state, before, limit)
    return (*found, *asked(_told_of, tuple(row[0] for row in found)))


# --- the questions: put into SQL once for the same arguments ---

# Organisations, as an argument of a question; None means all.
_Scope = tuple[str, ...] | None


def _scope(actor: Actor, organization: str | None) -> _Scope:
    visible(actor, CreditRecord.objects.none(), "organization", organization)
    if organization is not None:
        return (organization,)
    scope = actor.organizations(READERS)
    return None if scope is None else tuple(sorted(scope))


def _records(*where: Any) -> QuerySet[CreditRecord]:
    return _narrowed(CreditRecord.objects.order_by(), "", *where)


def _deliveries(*where: Any) -> QuerySet[Delivery]:
    return _narrowed(Delivery.objects.order_by(), "record__", *where)


def _narrowed(
    rows: QuerySet,
    record: str,
    scope: _Scope,
    bank: str | None,
    about: str,
    since: datetime | None,
    until: datetime | None,
) -> QuerySet:
    """Return the rows that a list of the desk is about; ``record`` is the path of their record."""
    rows = rows if scope is None else rows.filter(**{f"{record}organization__in": scope})
    rows = rows if bank is None else rows.filter(bank=bank)
    return narrowed(rows, record, about=about, since=since, until=until)


def _waiting(*where: Any) -> QuerySet[Any, Any]:
    rows = _records(*where).filter(state__in=_WAITING).values_list("state")
    return rows.annotate(number=Count("pk"), since=Min("changed"))


def _settled(*where: Any) -> QuerySet[Any, Any]:
    return _records(*where).exclude(state__in=_WAITING).values_list("state").annotate(number=Count("pk"))


def _troubles(*where: Any) -> QuerySet[Any, Any]:
    dead = Q(state=Delivery.State.DEAD)
    rows = _deliveries(*where).filter(dead | IS_FAILING).values_list("bank")
    return rows.annotate(
        dead=Count("pk", filter=dead),
        dead_since=Min("record__changed", filter=dead),
        failing=Count("pk", filter=IS_FAILING),
        next_try=Min("due", filter=IS_FAILING),
    )


def _newest(rows: QuerySet, before: int | None, limit: int) -> QuerySet:
    return (rows if before is None else rows.filter(pk__lt=before)).order_by("-pk")[:limit]


def _record_lines(
    scope: _Scope,
    bank: str | None,
    about: str,
    since: datetime | None,
    until: datetime | None,
    state: str | None,
    before: int | None,
    limit: int,
) -> QuerySet[Any, Any]:
    rows = _records(scope, bank, about, since, until)
    rows = rows if state is None else rows.filter(state=state)
    return _newest(rows.values_list("pk", "state", "changed", "credits"), before, limit)


def _told_of(records: tuple[int, ...]) -> QuerySet[Any, Any]:
    rows = Delivery.objects.filter(record__in=records or (0,)).order_by("pk")
    return rows.values_list("pk", "state", "attempts", "reason", "last_error", "receipt")


def _delivery_lines(
    scope: _Scope,
    bank: str | None,
    about: str,
    since: datetime | None,
    until: datetime | None,
    state: str | None,
    failing: bool,
    before: int | None,
    limit: int,
) -> QuerySet[Any, Any]:
    rows = _deliveries(scope, bank, about, since, until)
    rows = rows if state is None else rows.filter(state=state)
    rows = rows.filter(IS_FAILING) if failing else rows
    columns = ("pk", "state", "attempts", "reason", "last_error", "due", "sent_at", "handed_over_at")
    return _newest(rows.values_list(*columns, "record__state", "record__changed"), before, limit)


def count_dead_letters(*, actor: Actor) -> int:
    """Return how many deliveries wait for this credit officer to replay them; one query."""
    scope = actor.organizations(Role.CREDIT_OFFICER)
    rows = Delivery.objects.filter(state=Delivery.State.DEAD)
    return (rows if scope is None else rows.filter(record__organization__in=scope)).count()
