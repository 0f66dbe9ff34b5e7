"""What crosses the border of the creditbank room: frozen, no model instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements.data import Text


@dataclass(frozen=True, slots=True)
class Bank:
    """A credit bank as the settings describe it.

    Attributes:
        backend: dotted path of the class that speaks to it.
        organizations: short names whose awards it takes; None means everybody's.
        kinds: kinds of achievement whose awards it takes.
        consent_version: of the text that a learner agrees to; a new text has a new version.
        requires_identity: whether a verified identity must be there before anything is sent.
        options: what the back end needs; may hold secrets, so it is never shown or logged.
    """

    code: str
    backend: str
    name: Text
    organizations: tuple[str, ...] | None
    kinds: tuple[str, ...]
    consent_version: str
    consent_text: Text
    requires_identity: bool = True
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def takes(self, *, organization: str, kind: str) -> bool:
        """Say whether awards of that organisation and kind are deposited here."""
        return kind in self.kinds and (self.organizations is None or organization in self.organizations)


@dataclass(frozen=True, slots=True)
class ConsentData:
    """A consent, live while ``withdrawn_at`` is None."""

    id: int
    learner_id: int
    bank: str
    text_version: str
    language: str
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryData:
    """One thing told to a bank.

    Attributes:
        error: code of the last failure, never the bank's own words (they might hold personal data).
        error_text: the same as a translated sentence; empty where there is none.
        in_doubt: whether the bank may have it although there is no receipt.
    """

    id: int
    record: str
    bank: str
    organization: str
    sequence: int
    kind: str
    state: str
    reason: str
    key: str
    attempts: int
    error: str
    error_text: str
    in_doubt: bool
    receipt: str
    due: datetime | None
    created: datetime
    sent_at: datetime | None
    handed_over_at: datetime | None
    acknowledged_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecordData:
    """A credit record as the learner and the credit officer see it.

    Attributes:
        id: cursor of the listings.
        method_code: method of assessment CS, CN, CT, CP or CE; there is no grade (notice 2565, 7(2)).
        status: one translated sentence in plain words, with what it waits for.
        in_bank: whether the bank has acknowledged a deposit that was not taken back.
        deliveries: what the bank was told, in order.
    """

    id: int
    uuid: str
    award: str
    learner_id: int
    organization: str
    achievement: str
    achievement_name: Text
    bank: str
    bank_name: Text
    state: str
    status: str
    in_bank: bool
    method_code: str
    credits: Decimal
    hours: Decimal
    created: datetime
    changed: datetime
    deliveries: tuple[DeliveryData, ...] = ()


@dataclass(frozen=True, slots=True)
class BankAccount:
    """One bank as a learner sees it.

    Attributes:
        consent: the live consent, or None.
        identity_recorded: whether a verified identity is on file.
    """

    code: str
    name: Text
    consent_version: str
    consent_text: Text
    requires_identity: bool
    identity_recorded: bool
    consent: ConsentData | None
    credits_in_bank: Decimal


@dataclass(frozen=True, slots=True)
class AccountData:
    """A learner's credit account: banks, every consent ever given, and records, the newest first."""

    learner_id: int
    banks: tuple[BankAccount, ...]
    consents: tuple[ConsentData, ...]
    records: tuple[RecordData, ...]


@dataclass(slots=True)
class DeliveryReport:
    """What one run of deliver_due did, counted in deliveries.

    Attributes:
        acknowledged: the bank's receipt is there.
        handed_over: the bank has it, the receipt comes later.
        failed: to be tried again. dead: given up, for a credit officer.
        stopped: not sent after all (consent, identity, the award's state, the order).
        postponed: the platform or the bank was away, left for the next run.
    """

    acknowledged: int = 0
    handed_over: int = 0
    failed: int = 0
    dead: int = 0
    stopped: int = 0
    postponed: int = 0

    @property
    def total(self) -> int:
        """Return how many deliveries were touched."""
        return self.acknowledged + self.handed_over + self.failed + self.dead + self.stopped + self.postponed
