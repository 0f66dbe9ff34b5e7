"""Credit records: what a bank should be told, settled from what is true now.

Nothing here reacts to the kind of a message. Whatever happened, the record is locked, the truth is
read (award, consent, identity, what the bank has or may have), and the deliveries are made to fit.
So messages may come twice, late and in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from mooc_microcred.achievements.api import get_definition
from mooc_microcred.achievements.models import Achievement, Award
from mooc_microcred.core import clock
from mooc_microcred.core.identity import has_identity
from mooc_microcred.core.models import RetiredLearner
from mooc_microcred.creditbank.banks import bank_for, banks
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from mooc_microcred.creditbank.payload import fingerprint

Kind = Delivery.Kind
State = CreditRecord.State
OPEN = (Delivery.State.PENDING, Delivery.State.SENT, Delivery.State.DEAD)
_ABOUT_CREDIT = (Kind.DEPOSIT, Kind.REPLACE)
# Records for which nothing that a learner does changes anything any more.
FINAL = (State.REVERSED, State.CANCELLED)


def open_record(*, award_uuid: str) -> CreditRecord | None:
    """Make the credit record of an award, once, and settle it; None where the award goes to no bank.

    An award goes to a bank when one takes its organisation and kind, when it is worth credits
    (a bank keeps credits; evidence without credit stays with the platform) and when it is neither
    hidden nor revoked nor expired. Must run inside ``atomic``.
    """
    record = CreditRecord.objects.filter(award__uuid=award_uuid).first()
    if record is None:
        record = _make_record(award_uuid)
    if record is not None:
        settle(record.pk)
    return record


def _make_record(award_uuid: str) -> CreditRecord | None:
    award = Award.objects.select_related("achievement").filter(uuid=award_uuid).first()
    if (
        award is None
        or award.published_at is None
        or award.state
        not in (
            Award.State.ACTIVE,
            Award.State.SUSPENDED,
        )
    ):
        return None
    achievement: Achievement = award.achievement
    bank = bank_for(organization=achievement.organization, kind=achievement.kind)
    if bank is None or RetiredLearner.objects.filter(learner_id=award.learner_id).exists():
        return None
    definition = get_definition(award.version_id)
    if definition.credits <= 0:
        return None
    now = clock.now()
    record, __ = CreditRecord.objects.get_or_create(
        award=award,
        defaults={
            "learner_id": award.learner_id,
            "organization": achievement.organization,
            "bank": bank.code,
            "state": State.WAITING_CONSENT,
            "method_code": definition.raw["assessment"]["method"],
            "credits": definition.credits,
            "hours": definition.hours,
            "created": now,
            "changed": now,
        },
    )
    return record


def lock_record(record_id: int) -> None:
    """Lock a record until the end of the transaction; must be its first statement.

    An UPDATE takes the row lock on MySQL and the write lock on SQLite, where SELECT FOR UPDATE
    does nothing and a read that turns into a write later would fail.
    """
    CreditRecord.objects.filter(pk=record_id).update(state=F("state"))


@dataclass(frozen=True, slots=True)
class Truth:
    """What a record's deliveries depend on.

    Attributes:
        missing: ``consent`` or ``identity``, what keeps personal data from being sent; else empty.
        content: fingerprint of what the bank should know of the award.
        reason: code of the award's last change.
    """

    award_state: str
    shown: bool
    missing: str
    content: str
    reason: str

    @property
    def held(self) -> bool:
        """Say whether the bank is told nothing for the time being."""
        return self.award_state == Award.State.SUSPENDED or not self.shown


def read_truth(record: CreditRecord, *, lock_consent: bool = False) -> Truth:
    """Read what the deliveries of a locked record depend on.

    Args:
        record: locked by the caller, and read with ``award__achievement`` after it was locked: what
            is rendered and what is fingerprinted must be the same row.
        lock_consent: keep a withdrawal waiting until the end of the transaction, so that none can
            slip in between this look and the sealing.
    """
    award: Award = record.award
    return Truth(
        award_state=award.state,
        shown=award.published_at is not None,
        missing=_missing(record, lock_consent=lock_consent),
        content=fingerprint(award, award.achievement.kind),
        reason=award.reason,
    )


def _missing(record: CreditRecord, *, lock_consent: bool) -> str:
    consents = Consent.objects.filter(learner_id=record.learner_id, bank=record.bank, live=True)
    given = consents.update(live=F("live")) if lock_consent else consents.exists()
    if not given:
        return "consent"
    bank = banks().get(record.bank)
    if (bank is None or bank.requires_identity) and not has_identity(learner_id=record.learner_id):
        return "identity"
    return ""


def in_doubt(delivery: Delivery) -> bool:
    """Say whether the bank may have a delivery for which there is no receipt."""
    return delivery.state in (Delivery.State.SENT, Delivery.State.DEAD) and delivery.sent_at is not None


def is_told(delivery: Delivery) -> bool:
    """Say whether the bank has, or may have, a delivery."""
    return delivery.state == Delivery.State.ACKNOWLEDGED or in_doubt(delivery)


def is_allowed(delivery: Delivery, truth: Truth) -> bool:
    """Say whether the delivery may leave now, as the award, the consent and the identity stand."""
    if delivery.kind == Kind.REVERSE:
        return truth.award_state == Award.State.REVOKED
    return truth.award_state == Award.State.ACTIVE and truth.shown and not truth.missing


def settle(record_id: int) -> CreditRecord:
    """Make the deliveries and the state of a record fit the truth. Must run inside ``atomic``."""
    lock_record(record_id)
    record = CreditRecord.objects.select_related("award__achievement").get(pk=record_id)
    truth = read_truth(record)
    deliveries = list(record.deliveries.order_by("sequence"))
    told = [one for one in deliveries if is_told(one)]
    wanted = _wanted(truth, told)
    now_wanted = None if wanted in _ABOUT_CREDIT and truth.missing else wanted
    for delivery in deliveries:
        if delivery.state in OPEN and not is_told(delivery) and not _still_fits(delivery, now_wanted, truth):
            _cancel(delivery)
    if now_wanted and not any(one.state in OPEN and not is_told(one) for one in deliveries):
        deliveries.append(_new_delivery(record, deliveries, now_wanted, truth))
    _schedule(deliveries, truth)
    state = _state(truth, deliveries, wanted)
    if state != record.state:
        record.state, record.changed = state, clock.now()
        record.save(update_fields=["state", "changed"])
    return record


def _wanted(truth: Truth, told: Sequence[Delivery]) -> str | None:
    """Return the kind of the next thing that the bank should be told, None if it knows everything."""
    holds = bool(told) and told[-1].kind != Kind.REVERSE
    if truth.award_state == Award.State.REVOKED:
        return Kind.REVERSE if holds else None
    if truth.award_state == Award.State.EXPIRED:
        # Credit is accumulated for life (notice 2565, clause 5(3)): what is deposited stays. What
        # ran out before it was sent is not offered as current any more.
        return None
    if not holds:
        return Kind.DEPOSIT
    return Kind.REPLACE if told[-1].content_sha256 != truth.content else None


def _still_fits(delivery: Delivery, wanted: str | None, truth: Truth) -> bool:
    """Say whether a delivery that the bank surely does not have is still what should be sent."""
    return delivery.kind == wanted and not is_stale(delivery, truth)


def is_stale(delivery: Delivery, truth: Truth) -> bool:
    """Say whether the sealed bytes tell something that is not so any more."""
    return (
        delivery.kind in _ABOUT_CREDIT
        and delivery.sealed_body is not None
        and delivery.content_sha256 != truth.content
    )


def _cancel(delivery: Delivery) -> None:
    delivery.state = Delivery.State.CANCELLED
    delivery.sealed_body = None
    delivery.due, delivery.claim = None, ""
    delivery.save(update_fields=["state", "sealed_body", "due", "claim"])


def _new_delivery(record: CreditRecord, deliveries: Sequence[Delivery], kind: str, truth: Truth) -> Delivery:
    reasons = {
        Kind.DEPOSIT: "",
        Kind.REPLACE: truth.reason or "corrected",
        Kind.REVERSE: truth.reason or "revoked",
    }
    return Delivery.objects.create(
        record=record,
        bank=record.bank,
        sequence=deliveries[-1].sequence + 1 if deliveries else 1,
        kind=kind,
        reason=reasons[Kind(kind)],
        created=clock.now(),
    )


def _schedule(deliveries: Sequence[Delivery], truth: Truth) -> None:
    """Give a time to the first open delivery only: the bank is told one thing after the other."""
    open_ones = [one for one in deliveries if one.state in OPEN]
    for position, delivery in enumerate(open_ones):
        due = delivery.due
        if position > 0 or delivery.state == Delivery.State.DEAD:
            due = None
        elif delivery.state == Delivery.State.PENDING:
            due = (due or clock.now()) if is_allowed(delivery, truth) else None
        elif delivery.handed_over_at is None:
            due = due or clock.now()
        if due != delivery.due:
            delivery.due = due
            delivery.save(update_fields=["due"])


def _state(truth: Truth, deliveries: Sequence[Delivery], wanted: str | None) -> str:
    open_ones = [one for one in deliveries if one.state in OPEN]
    received = [one for one in deliveries if one.state == Delivery.State.ACKNOWLEDGED]
    if any(one.state == Delivery.State.DEAD for one in open_ones):
        return State.FAILED
    if truth.award_state == Award.State.REVOKED:
        if open_ones:
            return State.REVERSING
        return State.REVERSED if received else State.CANCELLED
    if any(one.state == Delivery.State.SENT for one in open_ones):
        return State.SENDING
    if wanted and truth.missing:
        return State.WAITING_CONSENT if truth.missing == "consent" else State.WAITING_IDENTITY
    if open_ones:
        return State.HELD if truth.held else State.SENDING
    return State.DEPOSITED if received and received[-1].kind != Kind.REVERSE else State.CANCELLED


def settle_learner(*, learner_id: int, bank: str = "") -> int:
    """Settle every record of a learner (at one bank) that can still change; return how many.

    Must run inside ``atomic``.
    """
    records = CreditRecord.objects.filter(learner_id=learner_id).exclude(state__in=FINAL)
    if bank:
        records = records.filter(bank=bank)
    ids = list(records.order_by("pk").values_list("pk", flat=True))
    for record_id in ids:
        settle(record_id)
    return len(ids)


def forget_learner(learner_id: int) -> None:
    """Stop what was not sent to a bank yet and withdraw the consents of a retired learner; idempotent.

    What was deposited stays with the bank, and so does the record of it under the pseudonymous id:
    credit is accumulated for life (credit bank notice B.E. 2565, clause 5(3)).
    """
    Consent.objects.filter(learner_id=learner_id, live=True).update(live=None, withdrawn_at=clock.now())
    settle_learner(learner_id=learner_id)


def reconcile_records(*, after: int = 0, limit: int = 500) -> tuple[int, int]:
    """Make missing records and settle existing ones for the next awards, as if every message came again.

    Needed when a bank is added to the settings, and harmless at any time.

    Args:
        after: id of the last award that was looked at, 0 to begin.
        limit: how many awards at most, each in its own transaction.

    Returns:
        the id to go on after (0: that was the end), and how many records were made or changed state.
    """
    rows = list(
        Award.objects.filter(pk__gt=after, published_at__isnull=False)
        .order_by("pk")
        .values_list("pk", "uuid", "credit_record__state")[:limit]
    )
    changed = 0
    for __, award_uuid, before in rows:
        with transaction.atomic():
            record = open_record(award_uuid=award_uuid)
            if record is not None:
                record.refresh_from_db(fields=["state"])
                changed += record.state != before
    return (rows[-1][0] if len(rows) == limit else 0), changed
