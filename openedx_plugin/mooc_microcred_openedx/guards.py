"""What keeps a failure of ours from becoming the platform's."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import connection
from django.db.transaction import TransactionManagementError

log = logging.getLogger(__name__)

#: How often each guarded function of this process has failed since it started.
failures: Counter[str] = Counter()


def never_raises(function: Callable[..., None]) -> Callable[..., None]:
    """Make a receiver or an on-commit callback swallow, log and count its failures.

    With DEBUG, send_event is a plain send, and so are the platform's retirement signals: an
    exception would end the grade task, the certificate or the request that sent the signal. What
    was not written is repaired by reconcile. A callback must not raise even where it is robust:
    Django's own handling of that fails on a ``functools.partial``, and drops all later callbacks.

    The log names the error's type only, since a database error quotes the values of the row.
    """

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 whatever it is, it is not the platform's problem
            name = function.__name__
            failures[name] += 1
            log.error("%s failed: %s; microcred_reconcile repairs it", name, type(error).__name__)
            if _lost_transaction(error):
                log.critical("%s: the database has rolled back the platform's transaction", name)

    return wrapped


def _lost_transaction(error: Exception) -> bool:
    """Say whether the caller's transaction is gone, as after a deadlock on MySQL, savepoint or not."""
    return (
        connection.in_atomic_block
        and connection.needs_rollback
        # Then it was broken before we came.
        and not isinstance(error, TransactionManagementError)
    )
