"""The one place that asks for the time, so that tests can move it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.utils import timezone

_offset = timedelta()


def now() -> datetime:
    """Return the present instant, UTC, aware."""
    return timezone.now() + _offset


@contextmanager
def shifted(by: timedelta) -> Iterator[None]:
    """Move the clock of this process by ``by`` for the length of the block (tests and demos)."""
    global _offset  # noqa: PLW0603
    before = _offset
    _offset = before + by
    try:
        yield
    finally:
        _offset = before
