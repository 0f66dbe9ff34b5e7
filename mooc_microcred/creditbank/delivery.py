"""Telling the banks: what is due is claimed, sealed, sent, and its receipt recorded.

Three steps, of which only the first and the last hold a transaction: *prepare* locks the record,
looks again whether the message may leave, and seals its bytes; then the bank is spoken to; then
*record the outcome*. A worker that dies anywhere leaves a delivery that comes back after its claim
ran out and sends the same bytes under the same key.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from mooc_microcred.achievements.catalogue import parse_definition
from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.crypto import decrypt, encrypt
from mooc_microcred.core.errors import NotFound, WrongState
from mooc_microcred.core.models import StaffRole
from mooc_microcred.core.outbox import Note, append, backoff
from mooc_microcred.core.platform import LearnerProfile, PlatformUnavailable, get_platform
from mooc_microcred.core.roles import Actor
from mooc_microcred.creditbank.backends import (
    Absent,
    BankBackend,
    HandedOver,
    Outcome,
    Parcel,
    Received,
    Refused,
    TryLater,
)
from mooc_microcred.creditbank.banks import banks, open_backend
from mooc_microcred.creditbank.data import Bank, DeliveryReport
from mooc_microcred.creditbank.deposits import KINDS
from mooc_microcred.creditbank.deposits import TOPIC as DEPOSITED
from mooc_microcred.creditbank.models import Delivery
from mooc_microcred.creditbank.payload import CannotRender, render_message
from mooc_microcred.creditbank.records import (
    OPEN,
    in_doubt,
    is_allowed,
    is_stale,
    is_told,
    lock_record,
    read_truth,
    settle,
)

log = logging.getLogger(__name__)

State = Delivery.State
_TO_DO = (State.PENDING, State.SENT)
# After so many in a row the bank is away: what else is due for it waits for the next run.
GIVE_UP_AFTER = 3


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours until the claim runs out."""

    id: int
    key: str
    record_id: int
    learner_id: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """What to do about a claimed delivery.

    Attributes:
        ask: only ask for the receipt, send nothing.
        doubtful: the bank may have had it before this attempt.
    """

    claimed: Claimed
    parcel: Parcel
    ask: bool
    doubtful: bool


def deliver_due(*, limit: int = 100) -> DeliveryReport:
    """Tell the banks up to ``limit`` things that are due.

    Safe on any number of workers and to be killed at any line. Must not run inside ``atomic``: the
    banks are spoken to without a transaction.
    """
    report = DeliveryReport()
    configured = banks()
    by_bank: dict[str, list[int]] = defaultdict(list)
    due = Delivery.objects.filter(state__in=_TO_DO, due__lte=clock.now(), bank__in=list(configured))
    for pk, code in due.order_by("due", "pk").values_list("pk", "bank")[:limit]:
        by_bank[code].append(pk)
    for code, ids in by_bank.items():
        _deliver_to_bank(configured[code], ids, report)
    return report


def _deliver_to_bank(bank: Bank, ids: Sequence[int], report: DeliveryReport) -> None:
    try:
        backend = open_backend(bank)
    except Exception as error:  # noqa: BLE001 a bank that is set up wrongly must not stop the others
        log.error("credit bank %s: its back end does not start (%s)", bank.code, type(error).__name__)
        report.postponed += len(ids)
        return
    away = 0
    for start in range(0, len(ids), backend.batch):
        chunk = ids[start : start + backend.batch]
        if away >= GIVE_UP_AFTER:
            report.postponed += len(chunk)
            continue
        away = away + 1 if _deliver_chunk(bank, backend, chunk, report) else 0


def _deliver_chunk(bank: Bank, backend: BankBackend, ids: Sequence[int], report: DeliveryReport) -> bool:
    """Claim, prepare, send, record; return whether the bank seems to be away."""
    token = uuid4().hex
    in_files = backend.batch > 1
    claimed = _claim(bank, ids, token, whole_drops=in_files)
    if not claimed:
        return False
    profiles = _read_profiles(claimed)
    drop = f"{bank.code}-{clock.now():%Y%m%dT%H%M%SZ}-{token[:12]}" if in_files else ""
    prepared: list[Prepared] = []
    for one in claimed:
        ready = _prepare(one, bank, token, profiles, drop)
        if isinstance(ready, Prepared):
            prepared.append(ready)
        else:
            setattr(report, ready, getattr(report, ready) + 1)
    away = False
    for ready, outcome in _exchange(bank, backend, prepared):
        count = _record_outcome(ready.claimed.id, ready.claimed.record_id, token, outcome, ready.doubtful)
        setattr(report, count, getattr(report, count) + 1)
        away = isinstance(outcome, TryLater) and outcome.bank_away
    return away


# --- claim ---


def _claim(bank: Bank, ids: Sequence[int], token: str, *, whole_drops: bool) -> list[Claimed]:
    """Take those of the deliveries that nobody else took, by compare-and-set.

    A drop that a dead worker left is taken whole, so that its file is written as it was meant.
    """
    now = clock.now()
    wanted = set(ids)
    if whole_drops:
        left = Delivery.objects.filter(bank=bank.code, state=State.SENT, handed_over_at=None, due__lte=now)
        drops = left.filter(pk__in=ids).exclude(drop_file="").values_list("drop_file", flat=True)
        wanted |= set(left.filter(drop_file__in=set(drops)).values_list("pk", flat=True))
    lease = max(microcred_settings.LEASE_SECONDS, 4 * microcred_settings.BANK_TIMEOUT)
    Delivery.objects.filter(pk__in=wanted, state__in=_TO_DO, due__lte=now).update(
        claim=token, due=now + timedelta(seconds=lease)
    )
    rows = Delivery.objects.filter(pk__in=wanted, claim=token).order_by("pk")
    return [Claimed(*row) for row in rows.values_list("pk", "key", "record_id", "record__learner_id")]


def _read_profiles(claimed: Sequence[Claimed]) -> Mapping[int, LearnerProfile] | None:
    """Return who the learners are, None while the platform is away."""
    try:
        return get_platform().read_learners({one.learner_id for one in claimed})
    except PlatformUnavailable:
        return None


# --- prepare ---


def _prepare(
    claimed: Claimed,
    bank: Bank,
    token: str,
    profiles: Mapping[int, LearnerProfile] | None,
    drop: str,
) -> Prepared | str:
    """Look again, under lock, whether the delivery may leave; seal it.

    Returns:
        what to do, or the name of the report's counter where there is nothing to do.
    """
    with transaction.atomic():
        lock_record(claimed.record_id)
        delivery = Delivery.objects.select_related(
            "record__award__achievement",
            "record__award__version__achievement",
            "record__award__version__issuer",
        ).get(pk=claimed.id)
        if delivery.claim != token or delivery.state not in _TO_DO:
            return "stopped"
        record = delivery.record
        earlier = list(
            Delivery.objects.filter(record_id=record.pk, sequence__lt=delivery.sequence).order_by("sequence")
        )
        truth = read_truth(record, lock_consent=delivery.kind != Delivery.Kind.REVERSE)
        allowed = is_allowed(delivery, truth)
        doubtful = delivery.state == State.SENT
        if any(one.state in OPEN for one in earlier) or (
            not doubtful and (not allowed or is_stale(delivery, truth))
        ):
            settle(record.pk)
            return "stopped"
        if doubtful and (not allowed or delivery.handed_over_at is not None):
            # It may be there already, but must not be sent (again): the bank is only asked.
            return Prepared(claimed, _parcel(delivery, b""), ask=True, doubtful=True)
        if delivery.sealed_body is None:
            if profiles is None and delivery.kind != Delivery.Kind.REVERSE:
                _postpone(delivery, "platform_away")
                return "postponed"
            try:
                body = _render(delivery, bank, profiles or {}, earlier)
            except CannotRender as error:
                _give_up(delivery, str(error))
                settle(record.pk)
                return "dead"
            delivery.sealed_body = encrypt(body)
            delivery.body_sha256 = hashlib.sha256(body).hexdigest()
            delivery.content_sha256 = truth.content
        else:
            body = decrypt(bytes(delivery.sealed_body))
        delivery.state = State.SENT
        delivery.sent_at = clock.now()
        delivery.attempts += 1
        delivery.drop_file = delivery.drop_file or drop
        delivery.save(
            update_fields=[
                "sealed_body",
                "body_sha256",
                "content_sha256",
                "state",
                "sent_at",
                "attempts",
                "drop_file",
            ]
        )
        return Prepared(claimed, _parcel(delivery, body), ask=False, doubtful=doubtful)


def _render(
    delivery: Delivery, bank: Bank, profiles: Mapping[int, LearnerProfile], earlier: Sequence[Delivery]
) -> bytes:
    award = delivery.record.award
    last = [one for one in earlier if is_told(one) and one.kind != Delivery.Kind.REVERSE]
    return render_message(
        delivery=delivery,
        record=delivery.record,
        bank=bank,
        award=award,
        definition=parse_definition(award.version),
        issuer=award.version.issuer.definition,
        profile=profiles.get(delivery.record.learner_id),
        supersedes=last[-1].key if last and delivery.kind != Delivery.Kind.DEPOSIT else None,
    )


def _parcel(delivery: Delivery, body: bytes) -> Parcel:
    return Parcel(
        key=delivery.key,
        record=delivery.record.uuid,
        sequence=delivery.sequence,
        kind=str(delivery.kind),
        body=body,
        body_sha256=delivery.body_sha256,
        drop_file=delivery.drop_file,
    )


def _postpone(delivery: Delivery, error: str) -> None:
    """Leave it for later without counting an attempt: nothing was tried."""
    delivery.due = clock.now() + timedelta(seconds=microcred_settings.BANK_BACKOFF_FIRST)
    delivery.claim, delivery.last_error = "", error
    delivery.save(update_fields=["due", "claim", "last_error"])


def _give_up(delivery: Delivery, error: str) -> None:
    delivery.state = State.DEAD
    delivery.due, delivery.claim, delivery.last_error = None, "", error
    delivery.save(update_fields=["state", "due", "claim", "last_error"])


# --- speak ---


def _exchange(
    bank: Bank, backend: BankBackend, prepared: Sequence[Prepared]
) -> Iterator[tuple[Prepared, Outcome]]:
    """Speak to the bank about each delivery and yield what came of it, as soon as it is known."""
    now = clock.now()
    for speak, batch in (
        (backend.deliver, [one for one in prepared if not one.ask]),
        (backend.inquire, [one for one in prepared if one.ask]),
    ):
        left = {one.parcel.key: one for one in batch}
        if not left:
            continue
        try:
            for key, outcome in speak([one.parcel for one in batch], now=now):
                if key in left:
                    yield left.pop(key), outcome
        except Exception as error:  # noqa: BLE001 a back end's failure must not lose the other deliveries
            # The message of the error may quote what was sent, so only its kind is told.
            log.error("credit bank %s: back end failed (%s)", bank.code, type(error).__name__)
            failure = TryLater(f"backend_{type(error).__name__}"[:60], in_doubt=True)
        else:
            failure = TryLater("no_outcome", in_doubt=True)
        for one in left.values():
            yield one, failure


# --- record the outcome ---


def _record_outcome(
    delivery_id: int, record_id: int, token: str | None, outcome: Outcome, doubtful: bool
) -> str:
    """Write down what came of a delivery; return the name of the report's counter.

    That the bank has something is a fact whoever learns it; that it has not is only believed from
    the worker whose claim still stands (``token`` None: from the bank itself).
    """
    with transaction.atomic():
        lock_record(record_id)
        delivery = Delivery.objects.get(pk=delivery_id)
        if delivery.state == State.ACKNOWLEDGED:
            return "acknowledged"
        if isinstance(outcome, Received):
            return _acknowledge(delivery, outcome)
        if isinstance(outcome, HandedOver) and delivery.state == State.SENT:
            return _hand_over(delivery, outcome)
        if delivery.state != State.SENT or token not in (None, delivery.claim):
            return "stopped"
        return _record_failure(delivery, outcome, doubtful)


def _acknowledge(delivery: Delivery, outcome: Received) -> str:
    delivery.state = State.ACKNOWLEDGED
    delivery.receipt = outcome.receipt
    delivery.acknowledged_at = clock.now()
    delivery.sent_at = delivery.sent_at or delivery.acknowledged_at
    delivery.sealed_body = None
    delivery.due, delivery.claim, delivery.last_error = None, "", ""
    delivery.save()
    settle(delivery.record_id)
    if delivery.kind in KINDS:
        append([Note(DEPOSITED, delivery.record.learner_id, {"delivery": delivery.key})])
    return "acknowledged"


def _hand_over(delivery: Delivery, outcome: HandedOver) -> str:
    now = clock.now()
    delivery.handed_over_at = delivery.handed_over_at or now
    delivery.due = now + outcome.ask_again if outcome.ask_again is not None else None
    delivery.attempts, delivery.claim, delivery.last_error = 0, "", ""
    delivery.save(update_fields=["handed_over_at", "due", "attempts", "claim", "last_error"])
    settle(delivery.record_id)
    return "handed_over"


def _record_failure(delivery: Delivery, outcome: Outcome, doubtful: bool) -> str:
    now = clock.now()
    delivery.claim = ""
    if isinstance(outcome, Absent):
        # A bank may still have the message in its hands until it is too old to be taken.
        sure = (delivery.sent_at or now) + timedelta(seconds=microcred_settings.BANK_CLOCK_SKEW)
        if now < sure:
            delivery.due = sure
            delivery.save(update_fields=["due", "claim"])
            return "postponed"
        _take_back(delivery)
        delivery.due, delivery.handed_over_at = now, None
        delivery.save()
        settle(delivery.record_id)
        return "stopped"
    if isinstance(outcome, Refused):
        if not outcome.in_doubt:
            delivery.sent_at = None
        return _bury(delivery, outcome.error)
    assert isinstance(outcome, TryLater)
    if not outcome.in_doubt and not doubtful:
        _take_back(delivery)
    if delivery.attempts >= microcred_settings.BANK_MAX_ATTEMPTS:
        return _bury(delivery, outcome.error)
    wait = backoff(
        max(delivery.attempts, 1),
        first=microcred_settings.BANK_BACKOFF_FIRST,
        longest=microcred_settings.BANK_BACKOFF_MAX,
    )
    delivery.due = now + max(wait, outcome.wait or wait)
    delivery.last_error = outcome.error
    delivery.save()
    settle(delivery.record_id)
    return "failed"


def _take_back(delivery: Delivery) -> None:
    """The bank surely has nothing; the sealed bytes stay, so that the next attempt sends the same."""
    delivery.state = State.PENDING
    delivery.sent_at = None
    delivery.drop_file = ""


def _bury(delivery: Delivery, error: str) -> str:
    delivery.state = State.DEAD
    delivery.due, delivery.claim, delivery.last_error = None, "", error
    delivery.save()
    settle(delivery.record_id)
    log.error("credit bank %s: delivery %s is a dead letter (%s)", delivery.bank, delivery.pk, error)
    return "dead"


# --- receipts that the bank leaves ---


def collect_receipts() -> int:
    """Read what the banks left for us; return how many receipts and refusals were recorded.

    Safe to be killed and to run twice: a file is put away after everything in it is written.
    """
    count = 0
    for bank in banks().values():
        try:
            backend = open_backend(bank)
            for file in backend.read_receipts():
                if not file.readable:
                    log.error("credit bank %s: receipt file %s is not readable", bank.code, file.name)
                for left in file.receipts:
                    count += _record_left_receipt(bank, left.key, left.outcome)
                backend.put_away(file)
        except Exception as error:  # noqa: BLE001 one bank's storage being away must not stop the others
            log.error("credit bank %s: receipts not collected (%s)", bank.code, type(error).__name__)
    return count


def _record_left_receipt(bank: Bank, key: str, outcome: Outcome) -> bool:
    row = Delivery.objects.filter(bank=bank.code, key=key).values_list("pk", "record_id", "state").first()
    if row is None:
        log.warning("credit bank %s: receipt for a key that is not ours", bank.code)
        return False
    if row[2] == State.ACKNOWLEDGED:
        return False
    return _record_outcome(row[0], row[1], None, outcome, doubtful=True) in ("acknowledged", "dead")


# --- replay ---


def replay_deliveries(*, actor: Actor, delivery_ids: Collection[int]) -> int:
    """Put dead letters back to work and return how many.

    Where the bank may have the message, the same bytes go again under the same key. Where it surely
    does not, the message is made anew from what is true now, under a new key.

    Raises:
        NotFound: there is no such delivery, or it is none of the actor's organisations.
        NotAllowed: the actor is no credit officer.
        WrongState: one of them is not a dead letter; nothing was changed.
    """
    with transaction.atomic():
        rows = list(
            Delivery.objects.filter(pk__in=delivery_ids)
            .order_by("record_id", "pk")
            .values_list("pk", "record_id", "record__organization")
        )
        scope = actor.organizations(StaffRole.Role.CREDIT_OFFICER)
        if scope is not None and not scope:
            actor.require(StaffRole.Role.CREDIT_OFFICER, "")
        if len(rows) != len(set(delivery_ids)) or any(
            scope is not None and organization not in scope for *__, organization in rows
        ):
            raise NotFound(_("There is no such delivery."))
        for delivery_id, record_id, organization in rows:
            lock_record(record_id)
            delivery = Delivery.objects.get(pk=delivery_id)
            if delivery.state != State.DEAD:
                raise WrongState(
                    _("Delivery %(id)s is not a dead letter; it cannot be replayed.") % {"id": delivery_id}
                )
            again = in_doubt(delivery)
            delivery.state = State.SENT if again else State.CANCELLED
            delivery.attempts, delivery.claim = 0, ""
            delivery.due = clock.now() if again else None
            if not again:
                delivery.sealed_body = None
            delivery.save()
            settle(record_id)
            log_action(
                actor_id=actor.id,
                action="delivery.replayed",
                object_type="delivery",
                object_id=delivery_id,
                organization=organization,
                record=record_id,
                error=delivery.last_error,
                same_bytes=again,
            )
    return len(rows)
