"""What people are shown: a learner's credit account, and the officers' lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Prefetch, Q, QuerySet, Sum
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mooc_microcred.achievements.data import Text
from mooc_microcred.achievements.models import Award
from mooc_microcred.core.dates import display_date
from mooc_microcred.core.errors import InvalidInput, NotAllowed, NotFound
from mooc_microcred.core.identity import has_identity
from mooc_microcred.core.models import StaffRole
from mooc_microcred.core.roles import Actor
from mooc_microcred.creditbank.banks import banks
from mooc_microcred.creditbank.consents import consent_data
from mooc_microcred.creditbank.data import AccountData, Bank, BankAccount, DeliveryData, RecordData
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from mooc_microcred.creditbank.records import OPEN, in_doubt

READERS = (StaffRole.Role.CREDIT_OFFICER, StaffRole.Role.AUDITOR)
MAX_PAGE = 1001
State = CreditRecord.State
# Of deliveries: the last attempt failed, and the next one comes by itself.
IS_FAILING = Q(state__in=(Delivery.State.PENDING, Delivery.State.SENT)) & ~Q(last_error="")


def my_account(*, learner_id: int) -> AccountData:
    """Return the learner's own account: banks with consent, and records with what they wait for.

    Call it only for the learner who is signed in. Costs the same number of queries for any number
    of records.
    """
    configured = banks()
    consents = [
        consent_data(row)
        for row in Consent.objects.filter(learner_id=learner_id).order_by("-given_at", "-pk")
    ]
    live = {one.bank: one for one in consents if one.withdrawn_at is None}
    identified = has_identity(learner_id=learner_id)
    records = [
        _record_data(row, configured)
        for row in _with_everything(CreditRecord.objects.filter(learner_id=learner_id)).order_by("-pk")
    ]
    return AccountData(
        learner_id=learner_id,
        banks=tuple(
            BankAccount(
                code=bank.code,
                name=bank.name,
                consent_version=bank.consent_version,
                consent_text=bank.consent_text,
                requires_identity=bank.requires_identity,
                identity_recorded=identified,
                consent=live.get(bank.code),
                credits_in_bank=sum(
                    (one.credits for one in records if one.bank == bank.code and one.in_bank), Decimal(0)
                ),
            )
            for bank in configured.values()
        ),
        consents=tuple(consents),
        records=tuple(records),
    )


def credits_in_bank(*, learner_id: int, achievements: Collection[str]) -> dict[str, Decimal]:
    """Return the credits of a learner that banks hold, by code of the achievement; one query."""
    rows = CreditRecord.objects.filter(
        learner_id=learner_id, state=State.DEPOSITED, award__achievement__code__in=achievements
    ).order_by()
    return dict(rows.values_list("award__achievement__code").annotate(Sum("credits")))


def list_records(
    *,
    actor: Actor,
    state: str | None = None,
    bank: str | None = None,
    organization: str | None = None,
    learner_id: int | None = None,
    uuids: Collection[str] | None = None,
    about: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[RecordData]:
    """Return records of the actor's organisations, the newest first.

    Args:
        actor: a credit officer or auditor.
        state: only records in this state.
        bank: only this bank's.
        organization: only this organisation's; None means all that the actor may see.
        learner_id: only this learner's.
        uuids: only these.
        about: only records of awards of the achievement with this code, or of this course run.
        since, until: only records that last changed at or after the one and before the other.
        before: id of the last record of the page before.
        limit: length of the page, 1 to 1001.

    Raises:
        NotAllowed: the actor is neither credit officer nor auditor, or not for that organisation.
        InvalidInput: there is no such state, or the limit is not 1 to 1001.
    """
    rows = visible(actor, CreditRecord.objects.all(), "organization", organization)
    if state is not None:
        rows = rows.filter(state=_one_of(state, State.values))
    if bank is not None:
        rows = rows.filter(bank=bank)
    if learner_id is not None:
        rows = rows.filter(learner_id=learner_id)
    if uuids is not None:
        rows = rows.filter(uuid__in=uuids)
    rows = narrowed(rows, "", about=about, since=since, until=until)
    configured = banks()
    page = _page(_with_everything(rows), before, limit)
    return [_record_data(row, configured) for row in page]


def get_record(*, actor: Actor, uuid: str) -> RecordData:
    """Return one record.

    Raises:
        NotFound: there is none, or the actor may not know of it.
    """
    row = _with_everything(CreditRecord.objects.filter(uuid=uuid)).first()
    if row is None or not actor.has(READERS, row.organization):
        raise NotFound(_("There is no such credit record."))
    return _record_data(row, banks())


def list_deliveries(
    *,
    actor: Actor,
    state: str | None = None,
    bank: str | None = None,
    organization: str | None = None,
    record: str | None = None,
    failing: bool = False,
    about: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[DeliveryData]:
    """Return deliveries of the actor's organisations, the newest first; ``state="dead"``: the dead letters.

    Args:
        actor: a credit officer or auditor.
        state: only deliveries in this state.
        bank: only this bank's.
        organization: only this organisation's; None means all that the actor may see.
        record: only those of the record with this uuid.
        failing: only those whose last attempt failed and that are tried again by themselves.
        about, since, until: as for :func:`list_records`, of the record.
        before: id of the last delivery of the page before.
        limit: length of the page, 1 to 1001.

    Raises:
        NotAllowed: the actor is neither credit officer nor auditor, or not for that organisation.
        InvalidInput: there is no such state, or the limit is not 1 to 1001.
    """
    rows = visible(actor, Delivery.objects.select_related("record"), "record__organization", organization)
    rows = rows.defer("sealed_body")
    if state is not None:
        rows = rows.filter(state=_one_of(state, Delivery.State.values))
    if bank is not None:
        rows = rows.filter(bank=bank)
    if record is not None:
        rows = rows.filter(record__uuid=record)
    if failing:
        rows = rows.filter(IS_FAILING)
    rows = narrowed(rows, "record__", about=about, since=since, until=until)
    return [_delivery_data(row, row.record) for row in _page(rows, before, limit)]


def visible(actor: Actor, rows: QuerySet, field: str, organization: str | None) -> QuerySet:
    """Return those of the rows that a credit officer or auditor may see.

    Args:
        field: where the organisation stands. organization: only this one's; None means all.

    Raises:
        NotAllowed: the actor holds neither role, or not for that organisation.
    """
    scope = actor.organizations(READERS)
    if scope is not None and not scope:
        raise NotAllowed(_("You do not hold the role that this needs."))
    if organization is not None:
        actor.require(READERS, organization)
        return rows.filter(**{field: organization})
    return rows if scope is None else rows.filter(**{f"{field}__in": scope})


def narrowed(
    rows: QuerySet, record: str, *, about: str, since: datetime | None, until: datetime | None
) -> QuerySet:
    """Return the rows whose record is about something and changed in a time; ``record`` is its path."""
    if about:
        award = f"{record}award__"
        rows = rows.filter(Q(**{f"{award}achievement__code": about}) | Q(**{f"{award}course_key": about}))
    if since is not None:
        rows = rows.filter(**{f"{record}changed__gte": since})
    if until is not None:
        rows = rows.filter(**{f"{record}changed__lt": until})
    return rows


def _one_of(value: str, known: Collection[str]) -> str:
    if value not in known:
        raise InvalidInput(_("The state must be one of: %(states)s.") % {"states": ", ".join(known)})
    return value


def _page(rows: QuerySet, before: int | None, limit: int) -> Iterable:
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput(_("The limit must be from 1 to %(maximum)s.") % {"maximum": MAX_PAGE})
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return rows.order_by("-pk")[:limit]


def _with_everything(rows: QuerySet) -> QuerySet:
    return rows.select_related("award__version__achievement").prefetch_related(
        Prefetch("deliveries", Delivery.objects.defer("sealed_body").order_by("sequence"))
    )


def _record_data(row: CreditRecord, configured: dict[str, Bank]) -> RecordData:
    bank = configured.get(row.bank)
    bank_name = bank.name if bank else Text(en=row.bank)
    deliveries = list(row.deliveries.all())
    received = [one for one in deliveries if one.state == Delivery.State.ACKNOWLEDGED]
    return RecordData(
        id=row.pk,
        uuid=row.uuid,
        award=row.award.uuid,
        learner_id=row.learner_id,
        organization=row.organization,
        achievement=row.award.version.achievement.code,
        achievement_name=Text.of(row.award.version.definition["name"]),
        bank=row.bank,
        bank_name=bank_name,
        state=row.state,
        status=_status(row, bank_name, deliveries, received),
        in_bank=bool(received) and received[-1].kind != Delivery.Kind.REVERSE,
        method_code=row.method_code,
        credits=row.credits,
        hours=row.hours,
        created=row.created,
        changed=row.changed,
        deliveries=tuple(_delivery_data(one, row) for one in deliveries),
    )


def _status(
    row: CreditRecord, bank_name: Text, deliveries: Sequence[Delivery], received: Sequence[Delivery]
) -> str:
    """Return where the record stands, in one sentence for the learner."""
    head = next((one for one in deliveries if one.state in OPEN), None)
    words = {
        "bank": bank_name.in_language(get_language() or "en"),
        "date": display_date(received[-1].acknowledged_at)
        if received and received[-1].acknowledged_at
        else "",
        "receipt": received[-1].receipt if received else "",
    }
    if row.state == State.SENDING and head is not None and head.handed_over_at:
        words["date"] = display_date(head.handed_over_at)
        return _("Handed over to %(bank)s on %(date)s; its receipt is not here yet.") % words
    if row.state == State.SENDING and head is not None and head.last_error:
        return _("%(bank)s could not be reached yet. It is tried again by itself.") % words
    if row.state == State.CANCELLED:
        if row.award.state == Award.State.EXPIRED:
            return _("The award expired before it was sent. The bank was told nothing.")
        return _("The award was revoked before it was sent. The bank was told nothing.")
    return {
        State.WAITING_CONSENT: _("Waits for your consent to send it to %(bank)s."),
        State.WAITING_IDENTITY: _(
            "Waits for your identity to be verified: %(bank)s needs to know whose credit it is."
        ),
        State.HELD: _("Held back while the award is suspended."),
        State.SENDING: _("Is on its way to %(bank)s."),
        State.DEPOSITED: _("Deposited with %(bank)s on %(date)s, receipt %(receipt)s."),
        State.REVERSING: _("The award was revoked; %(bank)s is being told."),
        State.REVERSED: _(
            "The award was revoked; %(bank)s took the credit back on %(date)s, receipt %(receipt)s."
        ),
        State.FAILED: _(
            "%(bank)s did not take it. A credit officer looks into it; you need not do anything."
        ),
    }[State(row.state)] % words


def _delivery_data(row: Delivery, record: CreditRecord) -> DeliveryData:
    return DeliveryData(
        id=row.pk,
        record=record.uuid,
        bank=row.bank,
        organization=record.organization,
        sequence=row.sequence,
        kind=row.kind,
        state=row.state,
        reason=row.reason,
        key=row.key,
        attempts=row.attempts,
        error=row.last_error,
        error_text=describe_error(row.last_error),
        in_doubt=in_doubt(row),
        receipt=row.receipt,
        due=row.due,
        created=row.created,
        sent_at=row.sent_at,
        handed_over_at=row.handed_over_at,
        acknowledged_at=row.acknowledged_at,
    )


def describe_error(code: str) -> str:
    """Return a code of a failed delivery as a sentence for a credit officer; empty for no error."""
    if not code:
        return ""
    exact = {
        "timeout": _("The bank did not answer in time; it may have stored the message."),
        "connection_broken": _("The connection broke off; the bank may have stored the message."),
        "unreachable": _("No connection to the bank could be made."),
        "tls": _("The bank's certificate is not trusted. Tell the operator."),
        "answer_unclear": _("The bank answered something that is no receipt for this message."),
        "answer_too_long": _("The bank's answer was too long to be a receipt."),
        "platform_away": _("The learner's name could not be read from the platform."),
        "learner_unknown": _("The platform does not know the learner (any more)."),
        "identity_missing": _("The learner has no verified identity."),
        "drop_closed": _("The file was complete already; the message goes with the next one."),
    }
    if code in exact:
        return exact[code]
    if code.startswith("invalid_message"):
        return _("The message is not complete: %(where)s. Correct the catalogue, then replay.") % {
            "where": code.partition(":")[2] or "?"
        }
    if code.startswith(("http_401", "http_403")):
        return _("The bank does not accept our key or signature (%(code)s). Tell the operator.") % {
            "code": code
        }
    if code.startswith("http_409"):
        return _("The bank has another message under this key or is missing an earlier one (%(code)s).") % {
            "code": code
        }
    if code.startswith("http_5"):
        return _("The bank has a fault of its own (%(code)s).") % {"code": code}
    if code.startswith(("http_4", "refused")):
        return _("The bank refused the message (%(code)s). Correct the cause, then replay.") % {"code": code}
    if code.startswith("storage_"):
        return _("The storage of the files is not available (%(code)s). Tell the operator.") % {"code": code}
    return _("The delivery failed (%(code)s). Tell the operator.") % {"code": code}
