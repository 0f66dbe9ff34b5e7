"""Taking due rows of a queue table, without a lock and without taking one twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import OperationalError, connections
from django.db.models import QuerySet

from mooc_microcred.core.conf import microcred_settings

# How often rows are asked for before a database that refuses is somebody else's matter.
TRIES = 4


def claim_due(due: QuerySet, *, now: datetime, limit: int, order: tuple[str, ...]) -> QuerySet:
    """Take up to ``limit`` rows for LEASE_SECONDS; who dies gives them back by doing nothing.

    The ids are read without any lock and taken by compare-and-set on the primary key: a locking
    scan would block a bare INSERT into the table on MySQL under REPEATABLE READ.

    Args:
        due: the rows that may be taken at ``now``; their model has ``due`` and ``claim``.
        order: in which they are taken.

    Returns:
        the rows that are now ours; an empty queryset when nothing is due.

    Raises:
        OperationalError: the database refused again and again, or inside a transaction.
    """
    token = uuid4().hex
    ids: list[int] = []
    tries = TRIES
    while ids := list(due.order_by(*order).values_list("id", flat=True)[:limit]):
        try:
            taken = due.filter(id__in=ids).update(
                claim=token, due=now + timedelta(seconds=microcred_settings.LEASE_SECONDS)
            )
        except OperationalError:
            # A deadlock with whoever finishes the same rows: the statement is undone and nothing else, so
            # what is left is read again. Inside a transaction all of it is gone, and its owner begins again.
            tries -= 1
            if not tries or connections[due.db].in_atomic_block:
                raise
            continue
        if taken:
            break
        # Another worker took all of them between the two statements: there may be more.
    return due.model._default_manager.filter(id__in=ids, claim=token)
