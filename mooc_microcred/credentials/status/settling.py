"""From the state of awards to the status of their credentials: state, not events.

A message says only that something about an award may have changed. What is written follows from
the award as it stands when its credential is locked, so messages may come late, twice or in any
order, and two workers at once end at the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from mooc_microcred.achievements.models import Award
from mooc_microcred.core import clock
from mooc_microcred.core.kick import kick_after_commit
from mooc_microcred.core.outbox import Message, subscribe
from mooc_microcred.credentials.models import Credential, StatusList

#: The task that signs the lists whose bits have changed.
SIGN_LISTS = "mooc_microcred.tasks.sign_status_lists"

# award.issued too: its credential may be made after the message of its suspension was handed over.
TOPICS = (
    "award.issued",
    "award.suspended",
    "award.reinstated",
    "award.revoked",
    "award.expired",
    "award.corrected",
)
# Why a credential is revoked while its award lives: a corrected one stands in its place.
SUPERSEDED = "superseded"


def register() -> None:
    """Subscribe to the outbox, after whoever makes credentials; again is harmless."""
    for topic in TOPICS:
        subscribe(topic, "credentials.status", settle_award)


def settle_award(message: Message) -> None:
    """Settle the credentials of the award that a message names."""
    settle_awards(award_uuids=[message.payload["award"]])


def settle_awards(*, award_uuids: Collection[str]) -> int:
    """Make the status of all credentials of these awards follow from the awards as they stand.

    Revoked stays revoked. A credential that a corrected one has superseded is revoked. An expired
    award sets no bit: its credential says itself until when it is valid.

    Returns:
        how many credentials have changed.
    """
    with transaction.atomic():
        # Ids apart: a join would lock the awards too, and whoever evaluates would wait.
        ids = list(Award.objects.filter(uuid__in=award_uuids).values_list("pk", flat=True))
        # Locked first, the awards' states read after: whoever comes last writes what holds then.
        locked = list(
            Credential.objects.select_for_update()
            .filter(award_id__in=ids)
            .order_by("pk")
            .only(
                "pk",
                "award_id",
                "status_list_id",
                "superseded_at",
                "revoked_at",
                "suspended_at",
                "status_reason",
            )
        )
        awards = {
            pk: (state, reason)
            for pk, state, reason in Award.objects.filter(
                pk__in={credential.award_id for credential in locked}
            ).values_list("pk", "state", "reason")
        }
        now = clock.now()
        changed = [one for one in locked if _follow(one, *awards[one.award_id], now)]
        Credential.objects.bulk_update(
            changed, ["revoked_at", "suspended_at", "status_reason"], batch_size=200
        )
        mark_changed(one.status_list_id for one in changed)
    return len(changed)


def _follow(credential: Credential, state: str, reason: str, now: datetime) -> bool:
    """Set the columns of a credential by its award's state; say whether that changed anything."""
    before = credential.revoked_at is not None, credential.suspended_at is not None
    superseded = credential.superseded_at is not None
    revoked = before[0] or superseded or state == Award.State.REVOKED
    suspended = not revoked and state == Award.State.SUSPENDED
    if (revoked, suspended) == before:
        return False
    if revoked and not before[0]:
        credential.revoked_at = now
    credential.suspended_at = (credential.suspended_at or now) if suspended else None
    credential.status_reason = SUPERSEDED if superseded else reason
    return True


def mark_changed(list_ids: Iterable[int]) -> None:
    """Count a change of each list, in the transaction that changes its bits, and wake who signs."""
    wanted = sorted(set(list_ids))
    if wanted:
        StatusList.objects.filter(pk__in=wanted).update(changes=F("changes") + 1)
        kick_after_commit(SIGN_LISTS)


def sign_again(*, issuer_code: str) -> None:
    """Have all lists of an issuer signed anew, after the issuer's key was rotated or revoked."""
    with transaction.atomic():
        mark_changed(StatusList.objects.filter(issuer__code=issuer_code).values_list("pk", flat=True))
