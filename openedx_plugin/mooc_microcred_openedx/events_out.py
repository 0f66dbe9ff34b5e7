"""Public events: what the outbox hands over becomes openedx-events of this process, and of its bus.

Every receiver is called, also when another one fails; then the message is handed over again. So an
event comes at least once, and who receives it tells by the id in its data that it came before. What the
bus does with it is the bus' own: its Redis producer logs what it could not send.

Nothing is read where nobody listens, and what the platform's badge events say of a person is read when
they are sent.
"""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from opaque_keys.edx.keys import CourseKey
from openedx_events.learning import data as learning
from openedx_events.learning import signals as learning_signals
from openedx_events.tooling import OpenEdxPublicSignal

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import AwardData
from mooc_microcred.core import outbox
from mooc_microcred.core.platform import get_platform
from mooc_microcred.core.retirement import retired_among
from mooc_microcred.credentials import api as credentials
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred_openedx.data import MicrocredAwardData, MicrocredCreditData
from mooc_microcred_openedx.signals import (
    MICROCRED_AWARD_ISSUED,
    MICROCRED_AWARD_REVOKED,
    MICROCRED_CREDIT_DEPOSITED,
)

ORIGIN = "mooc-microcred"
# openedx-events has them since 9.15; whoever has not simply sends none.
BADGE_AWARDED: OpenEdxPublicSignal | None = getattr(learning_signals, "BADGE_AWARDED", None)
BADGE_REVOKED: OpenEdxPublicSignal | None = getattr(learning_signals, "BADGE_REVOKED", None)


class ReceiverFailed(Exception):
    """Some receiver of an event raised: the message is handed over again."""


def subscribe() -> None:
    """Have the outbox hand over what becomes an event; called from AppConfig.ready, again is harmless."""
    outbox.subscribe("award.issued", "events.award", award_issued)
    outbox.subscribe("award.issued", "events.badge", badge_awarded)
    outbox.subscribe("award.revoked", "events.award", award_revoked)
    outbox.subscribe("award.revoked", "events.badge", badge_revoked)
    outbox.subscribe(creditbank.DEPOSITED, "events.credit", credit_deposited)


# --- our own ---


def award_issued(message: outbox.Message) -> None:
    """Send MICROCRED_AWARD_ISSUED."""
    if MICROCRED_AWARD_ISSUED.has_listeners():
        data = _award(message)
        # .. event_implemented_name: MICROCRED_AWARD_ISSUED
        # .. event_type: org.mooc_microcred.learning.award.issued.v1
        _sent(MICROCRED_AWARD_ISSUED.send_event(time=message.created, award=data))


def award_revoked(message: outbox.Message) -> None:
    """Send MICROCRED_AWARD_REVOKED."""
    if MICROCRED_AWARD_REVOKED.has_listeners():
        data = _award(message)
        # .. event_implemented_name: MICROCRED_AWARD_REVOKED
        # .. event_type: org.mooc_microcred.learning.award.revoked.v1
        _sent(MICROCRED_AWARD_REVOKED.send_event(time=message.created, award=data))


def credit_deposited(message: outbox.Message) -> None:
    """Send MICROCRED_CREDIT_DEPOSITED."""
    if not MICROCRED_CREDIT_DEPOSITED.has_listeners():
        return
    deposit = creditbank.get_deposit(key=message.payload["delivery"])
    if deposit is None:
        return
    data = MicrocredCreditData(
        key=deposit.key,
        record=deposit.record,
        award=deposit.award,
        user_id=deposit.learner_id,
        bank=deposit.bank,
        organization=deposit.organization,
        method=deposit.method_code,
        credits=str(deposit.credits),
        hours=str(deposit.hours),
        receipt=deposit.receipt,
        deposited_at=deposit.deposited_at,
        replaces=deposit.replaces,
    )
    # .. event_implemented_name: MICROCRED_CREDIT_DEPOSITED
    # .. event_type: org.mooc_microcred.learning.credit.deposited.v1
    _sent(MICROCRED_CREDIT_DEPOSITED.send_event(time=message.created, credit=data))


def _award(message: outbox.Message) -> MicrocredAwardData:
    award = achievements.get_award(message.payload["award"])
    definition = achievements.get_definition(award.version_id)
    return MicrocredAwardData(
        uuid=award.uuid,
        user_id=award.learner_id,
        achievement=award.code,
        version=award.version_number,
        kind=award.kind,
        organization=award.organization,
        name_th=definition.name.th or "",
        name_en=definition.name.en or "",
        credits=str(award.evidence.get("credits", definition.credits)),
        hours=str(award.evidence.get("hours", definition.hours)),
        state=award.state,
        reason=award.reason,
        issued_at=award.issued_at,
        expires_at=award.expires_at,
        revoked_at=award.revoked_at,
        course_key=CourseKey.from_string(award.course_key) if award.course_key else None,
        credential_url=credentials.public_url(award_uuid=award.uuid) or None,
    )


# --- the platform's own form ---


def badge_awarded(message: outbox.Message) -> None:
    """Send BADGE_AWARDED, as the platform's Credentials service does of its own badges."""
    badge = _badge(message, BADGE_AWARDED)
    if badge is not None and BADGE_AWARDED is not None:
        # .. event_implemented_name: BADGE_AWARDED
        # .. event_type: org.openedx.learning.badge.awarded.v1
        _sent(BADGE_AWARDED.send_event(time=message.created, badge=badge))


def badge_revoked(message: outbox.Message) -> None:
    """Send BADGE_REVOKED."""
    badge = _badge(message, BADGE_REVOKED)
    if badge is not None and BADGE_REVOKED is not None:
        # .. event_implemented_name: BADGE_REVOKED
        # .. event_type: org.openedx.learning.badge.revoked.v1
        _sent(BADGE_REVOKED.send_event(time=message.created, badge=badge))


def _badge(message: outbox.Message, signal: OpenEdxPublicSignal | None) -> Any | None:
    """Return what a badge event says; None where nobody listens, or the learner has left."""
    if signal is None or not signal.has_listeners():
        return None
    award = achievements.get_award(message.payload["award"])
    if retired_among([award.learner_id]):
        return None
    user = get_platform().read_learners([award.learner_id]).get(award.learner_id)
    if user is None:
        return None
    return learning.BadgeData(
        uuid=award.uuid,
        user=learning.UserData(
            pii=learning.UserPersonalData(username=user.username, email=user.email, name=user.name or ""),
            id=user.learner_id,
            is_active=user.active,
        ),
        template=_template(award),
    )


def _template(award: AwardData) -> Any:
    definition = achievements.get_definition(award.version_id)
    return learning.BadgeTemplateData(
        # The same for every version, and of no other achievement anywhere.
        uuid=str(uuid5(NAMESPACE_URL, f"{ORIGIN}:achievement:{award.organization}:{award.code}")),
        origin=ORIGIN,
        name=definition.name.en or definition.name.th,
        description=_narrative(definition.raw),
        image_url=None,
    )


def _narrative(raw: Any) -> str | None:
    narrative = raw.get("criteria", {}).get("narrative", {})
    return narrative.get("en") or narrative.get("th")


def _sent(responses: list[tuple[Any, Any]]) -> None:
    """Raise where a receiver did.

    Raises:
        ReceiverFailed: naming the receivers and the types of their errors.
    """
    failed = [
        f"{getattr(receiver, '__qualname__', receiver)}: {type(response).__name__}"
        for receiver, response in responses
        if isinstance(response, Exception)
    ]
    if failed:
        raise ReceiverFailed("; ".join(failed))
