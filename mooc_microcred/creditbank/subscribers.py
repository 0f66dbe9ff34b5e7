"""What the creditbank room does when something happened elsewhere: it settles the records concerned."""

from __future__ import annotations

from mooc_microcred.achievements.api import BACKFILLED
from mooc_microcred.core.outbox import Message, subscribe
from mooc_microcred.creditbank.banks import banks
from mooc_microcred.creditbank.records import open_record, settle_learner

AWARD_TOPICS = (
    "award.issued",
    "award.suspended",
    "award.reinstated",
    "award.revoked",
    "award.expired",
    "award.corrected",
)


def settle_award(message: Message) -> None:
    """Make or settle the record of the award that a message names."""
    open_record(award_uuid=message.payload["award"])


def settle_backfilled(message: Message) -> None:
    """Make or settle the records of the awards of a backfill; what comes of them is as of any other."""
    if banks():
        for award_uuid in message.payload["awards"]:
            open_record(award_uuid=award_uuid)


def settle_identity(message: Message) -> None:
    """Settle the records of a learner whose identity was verified."""
    if message.learner_id is not None:
        settle_learner(learner_id=message.learner_id)


def settle_consent(message: Message) -> None:
    """Settle the records of a learner who gave or withdrew a consent."""
    if message.learner_id is not None:
        settle_learner(learner_id=message.learner_id, bank=message.payload["bank"])


def register() -> None:
    """Subscribe to the outbox; again is harmless."""
    for topic in AWARD_TOPICS:
        subscribe(topic, "creditbank", settle_award)
    subscribe(BACKFILLED, "creditbank", settle_backfilled)
    subscribe("identity.recorded", "creditbank", settle_identity)
    subscribe("consent.given", "creditbank", settle_consent)
    subscribe("consent.withdrawn", "creditbank", settle_consent)
