"""What crosses the border of the credentials room: frozen, no model instances."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from mooc_microcred.core.texts import Text


@dataclass(frozen=True, slots=True)
class KeyData:
    """A key of an issuer, as people may know it.

    Attributes:
        state: ``active``, ``retired`` or ``revoked``.
        public_key: Multikey (``z6Mk…``).
        revoked_from: from when on nothing that it signed is to be trusted.
    """

    issuer: str
    number: int
    state: str
    public_key: str
    verification_method: str
    created: datetime
    retired_at: datetime | None
    revoked_from: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class CredentialData:
    """A signed credential, with what pages and lists say of it.

    Attributes:
        uuid: public and random. award_uuid: of what was earned.
        kind: of the achievement: ``level1``, ``level2``, ``programme``, …
        state: of the award: ``active``, ``suspended``, ``revoked``, ``expired``; ``superseded`` where a
            correction of the award has led to a new credential.
        shown: whether the learner's platform shows what was earned.
        successor: uuid of the credential that took its place; else empty.
        record: whether there is a Comprehensive Learner Record with it.
        visibility: what the learner chose; empty: the default one.
        erased: the learner has left the platform, and the document is gone.
        list_code, index: its place in the issuer's status list.
    """

    uuid: str
    award_uuid: str
    award_id: int
    learner_id: int
    achievement: str
    version_id: int
    version_number: int
    organization: str
    kind: str
    issuer: str
    issuer_did: str
    name: Text
    state: str
    reason: str
    shown: bool
    valid_from: datetime
    valid_until: datetime | None
    signed_at: datetime
    suspended_at: datetime | None
    revoked_at: datetime | None
    superseded_at: datetime | None
    successor: str
    record: bool
    key_state: str
    key_revoked_from: datetime | None
    list_code: str
    index: int
    visibility: str
    name_choice: str
    shown_name: str = field(repr=False)
    erased: bool = False


@dataclass(frozen=True, slots=True)
class EndorsementData:
    """A partner's endorsement of an achievement."""

    uuid: str
    endorser: str
    achievement: str
    comment: Text
    made_at: datetime
    withdrawn_at: datetime | None


@dataclass(slots=True)
class IssueReport:
    """What one run of issuing did.

    Attributes:
        issued: new credentials. corrected: credentials that took the place of another one.
        postponed: awards that wait, such as for the platform to be reachable. looked_at: awards.
    """

    issued: int = 0
    corrected: int = 0
    postponed: int = 0
    looked_at: int = 0
