"""Waking a worker for evaluation."""

from __future__ import annotations

from mooc_microcred.core.kick import kick, kick_after_commit

EVALUATE = "mooc_microcred.tasks.evaluate_due_requests"


def kick_evaluation_after_commit(*, delay: float = 0) -> None:
    """Wake a worker once the current transaction has committed; whoever appends requests calls this.

    Never raises, never takes long, and sends at most one message per KICK_INTERVAL and process:
    see :mod:`mooc_microcred.core.kick`.

    Args:
        delay: seconds after the commit, for requests with a ``not_before``.
    """
    kick_after_commit(EVALUATE, delay=delay)


def kick_evaluation(*, delay: float = 0) -> None:
    """Wake a worker now, or in ``delay`` seconds; outside of a transaction."""
    kick(EVALUATE, delay=delay)
