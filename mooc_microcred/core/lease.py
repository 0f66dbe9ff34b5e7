"""The learner's lease: one writer of a learner's awards at a time, on every database.

A lease is taken by compare-and-set and checked again by the first statement of each
transaction that writes awards, so that a worker which wakes after its lease ran out
cannot write a stale decision.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.constants import OnConflict

from mooc_microcred.core import clock
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.models import LearnerLease

# Three parameters each, and SQLite takes 999 in its oldest supported form.
ROWS_PER_INSERT = 300
TOKEN_LENGTH = 32


class LeaseLost(Exception):
    """The lease ran out and somebody else may have written; nothing was changed."""


class LeaseBusy(Exception):
    """Somebody else works on the learner now; try again in a moment."""


def take_leases(learner_ids: Collection[int], *, owner: str = "") -> tuple[str, set[int]]:
    """Take the leases of those learners that nobody else holds.

    Args:
        owner: at most 20 characters that no hex digit begins; what was killed as this owner need not
            be waited for, see :func:`release_leases_of`.

    Returns:
        the token, and the learners who are now ours; the others are somebody else's.
    """
    wanted = set(learner_ids)
    token = (owner + uuid4().hex)[:TOKEN_LENGTH]
    now = clock.now()
    expires = now + timedelta(seconds=microcred_settings.LEASE_SECONDS)
    known = set(LearnerLease.objects.filter(learner_id__in=wanted).values_list("learner_id", flat=True))
    _make_leases(sorted(wanted - known), token, expires)
    if known:
        free = LearnerLease.objects.filter(Q(token="") | Q(expires__lte=now), learner_id__in=wanted)
        free.update(token=token, expires=expires)
    # The token is of this call alone.
    ours = LearnerLease.objects.filter(token=token)
    return token, set(ours.values_list("learner_id", flat=True))


def _make_leases(learner_ids: Sequence[int], token: str, expires: datetime) -> None:
    """Insert the rows of learners who have none, as ours; whoever is faster has them, and that is no error.

    Without model instances: a backfill does it for every learner that there is.
    """
    quote = connection.ops.quote_name
    table, *columns = map(quote, (LearnerLease._meta.db_table, "learner_id", "token", "expires"))
    insert = connection.ops.insert_statement(on_conflict=OnConflict.IGNORE)
    at = connection.ops.adapt_datetimefield_value(expires)
    for start in range(0, len(learner_ids), ROWS_PER_INSERT):
        chunk = learner_ids[start : start + ROWS_PER_INSERT]
        rows = ", ".join(["(%s, %s, %s)"] * len(chunk))
        with connection.cursor() as cursor:
            cursor.execute(
                f"{insert} {table} ({', '.join(columns)}) VALUES {rows}",
                [value for one in chunk for value in (one, token, at)],
            )


def release_leases(token: str, learner_ids: Collection[int] | None = None) -> None:
    """Give the leases back, where they are still ours: those of some learners, or all of the token."""
    ours = LearnerLease.objects.filter(token=token)
    if learner_ids is not None:
        ours = ours.filter(learner_id__in=learner_ids)
    ours.update(token="", expires=clock.now())


def release_leases_of(owner: str) -> None:
    """Give back what an owner still holds who was killed.

    One who lives after all finds its leases lost before it writes, and begins again.
    """
    # A range, for the index, of prefix and hex digits; only what is found is locked.
    held = LearnerLease.objects.filter(token__gte=owner, token__lt=owner + "g")
    tokens = [one for one in held.values_list("token", flat=True).distinct() if one.startswith(owner)]
    for token in tokens:
        release_leases(token)


def confirm_all_leases(token: str) -> int:
    """Do as :func:`confirm_leases` with all leases of a token, and return how many are still ours."""
    expires = clock.now() + timedelta(seconds=microcred_settings.LEASE_SECONDS)
    return LearnerLease.objects.filter(token=token).update(expires=expires)


def confirm_leases(token: str, learner_ids: Collection[int]) -> set[int]:
    """Lock the lease rows until the end of this transaction and return the learners still ours.

    Must run inside ``atomic`` and be its first statement: the UPDATE takes the row locks (and,
    on SQLite, the write lock before anything is read).
    """
    wanted = set(learner_ids)
    ours = LearnerLease.objects.filter(learner_id__in=wanted, token=token)
    confirmed = ours.update(expires=clock.now() + timedelta(seconds=microcred_settings.LEASE_SECONDS))
    if confirmed == len(wanted):
        return wanted
    return set(ours.values_list("learner_id", flat=True))


@contextmanager
def writing(learner_id: int) -> Iterator[None]:
    """Take one learner's lease and open the transaction that writes their awards.

    Raises:
        LeaseBusy: somebody else works on the learner.
        LeaseLost: the lease ran out before the transaction began.
    """
    token, ours = take_leases([learner_id])
    if learner_id not in ours:
        raise LeaseBusy(learner_id)
    try:
        with transaction.atomic():
            if learner_id not in confirm_leases(token, [learner_id]):
                raise LeaseLost(learner_id)
            yield
    finally:
        release_leases(token, [learner_id])
