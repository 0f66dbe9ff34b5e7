"""Verified identities of learners: Thai national ID or passport."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from stdnum.th import pin

from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.crypto import decrypt, encrypt, keyed_hash
from mooc_microcred.core.dates import western_digits
from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.models import LearnerIdentity
from mooc_microcred.core.outbox import Note, append

Kind = LearnerIdentity.Kind


def normalise_number(kind: str, number: str) -> str:
    """Return the number without separators; a national ID has its check digit verified.

    Raises:
        InvalidInput: not a number of that kind.
    """
    cleaned = re.sub(r"[\s\-]", "", western_digits(str(number))).upper()
    if kind == Kind.NATIONAL_ID:
        if not pin.is_valid(cleaned):
            raise InvalidInput(_("This is not a Thai national ID: 13 digits with a right check digit."))
    elif kind == Kind.PASSPORT:
        if not re.fullmatch(r"[A-Z0-9]{5,20}", cleaned):
            raise InvalidInput(_("This is not a passport number: 5 to 20 letters and digits."))
    else:
        raise InvalidInput(_("The kind of document must be national_id or passport."))
    return cleaned


def record_identity(
    *, learner_id: int, kind: str, number: str, verified_by: str, actor_id: int | None
) -> None:
    """Store a verified identity, replacing an earlier one of the same kind. Does not check permissions.

    Raises:
        InvalidInput: wrong number, or the number belongs to another learner already.
    """
    cleaned = normalise_number(kind, number)
    now = clock.now()
    try:
        with transaction.atomic():
            LearnerIdentity.objects.update_or_create(
                learner_id=learner_id,
                kind=kind,
                defaults={
                    "number_encrypted": encrypt(cleaned.encode()),
                    "number_hash": keyed_hash(kind, cleaned),
                    "last_four": cleaned[-4:],
                    "verified_at": now,
                    "verified_by": verified_by,
                    "last_needed_at": now,
                },
            )
            # A credit record may have been waiting for this.
            append([Note("identity.recorded", learner_id)])
            log_action(
                actor_id=actor_id,
                action="identity.recorded",
                object_type="learner",
                object_id=learner_id,
                kind=kind,
                verified_by=verified_by,
            )
    except IntegrityError:
        raise InvalidInput(
            _("This document is already recorded for another learner. Ask the identity verifier.")
        ) from None


def find_learner_by_identity(*, kind: str, number: str) -> int | None:
    """Return the learner whose verified document this is, or None.

    Raises:
        InvalidInput: not a number of that kind.
    """
    cleaned = normalise_number(kind, number)
    return find_learners_by_identity(numbers=[(kind, cleaned)]).get((kind, cleaned))


def find_learners_by_identity(*, numbers: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the learners of up to 2,000 documents with one query, by (kind, normalised number).

    Args:
        numbers: pairs of a kind and a number as :func:`normalise_number` returns it.
    """
    by_hash = {keyed_hash(kind, number): (kind, number) for kind, number in numbers}
    if not by_hash:
        return {}
    # The kinds too: the index begins with them.
    kinds = {kind for kind, _number in numbers}
    rows = LearnerIdentity.objects.filter(kind__in=kinds, number_hash__in=by_hash)
    found = rows.values_list("number_hash", "learner_id")
    return {by_hash[number_hash]: learner for number_hash, learner in found}


def reveal_identity(*, learner_id: int) -> tuple[str, str] | None:
    """Return (kind, number) in the clear, for sending to a credit bank only; national ID first."""
    rows = {row.kind: row for row in LearnerIdentity.objects.filter(learner_id=learner_id)}
    for kind in (Kind.NATIONAL_ID, Kind.PASSPORT):
        if kind in rows:
            LearnerIdentity.objects.filter(pk=rows[kind].pk).update(last_needed_at=clock.now())
            return str(kind), decrypt(rows[kind].number_encrypted).decode()
    return None


def all_numbers(*, learner_id: int) -> list[str]:
    """Return every number of a learner in the clear, to take it out of what was written about them.

    What no configured key decrypts is left out: it names nobody.
    """
    numbers = []
    for row in LearnerIdentity.objects.filter(learner_id=learner_id):
        with suppress(ValueError):
            numbers.append(decrypt(row.number_encrypted).decode())
    return numbers


def has_identity(*, learner_id: int) -> bool:
    """Say whether a verified identity is recorded."""
    return LearnerIdentity.objects.filter(learner_id=learner_id).exists()


def forget_old_identities() -> int:
    """Delete identities not needed for IDENTITY_RETENTION_DAYS; return how many."""
    days = microcred_settings.IDENTITY_RETENTION_DAYS
    if days is None:
        return 0
    limit = clock.now() - timedelta(days=days)
    return LearnerIdentity.objects.filter(last_needed_at__lt=limit).delete()[0]


@dataclass(frozen=True, slots=True)
class RenewedChunk:
    """What :func:`renew_identities` did with one chunk.

    Attributes:
        seen: rows looked at. renewed: rows written.
        last: the highest id seen; None when there was none left.
        unreadable: ids that no configured key decrypts.
        doubled: ids whose number another row already holds under the present hash key.
    """

    seen: int
    renewed: int
    last: int | None
    unreadable: tuple[int, ...] = ()
    doubled: tuple[int, ...] = ()


def renew_identities(*, action: str, after: int, limit: int) -> RenewedChunk:
    """Bring up to ``limit`` identities above id ``after`` up to date with the keys that are set now.

    Args:
        action: ``reencrypt`` with the newest of ENCRYPTION_KEYS, or ``rehash`` with the present
            IDENTITY_HASH_KEY.
        after: id of the last row already done; 0 to begin.
        limit: rows of this chunk, which is one transaction.
    """
    rows = list(LearnerIdentity.objects.filter(pk__gt=after).order_by("pk")[:limit])
    renewed = 0
    unreadable, doubled = [], []
    with transaction.atomic():
        for row in rows:
            try:
                number = decrypt(row.number_encrypted)
            except ValueError:
                unreadable.append(row.pk)
                continue
            change: dict[str, str | bytes]
            if action == "reencrypt":
                change = {"number_encrypted": encrypt(number)}
            else:
                change = {"number_hash": keyed_hash(row.kind, number.decode())}
            try:
                with transaction.atomic():
                    # Whoever was verified anew meanwhile is up to date already.
                    same = LearnerIdentity.objects.filter(pk=row.pk, verified_at=row.verified_at)
                    renewed += same.update(**change)
            except IntegrityError:
                doubled.append(row.pk)
        if renewed:
            log_action(
                actor_id=None,
                action=f"identity.{action}",
                object_type="learner_identity",
                object_id="many",
                first=rows[0].pk,
                last=rows[-1].pk,
                count=renewed,
            )
    return RenewedChunk(len(rows), renewed, rows[-1].pk if rows else None, tuple(unreadable), tuple(doubled))
