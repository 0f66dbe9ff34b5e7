"""Instants as credentials write them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

# XML Schema's dateTimeStamp: a time zone is required.
_STAMP = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)",
    re.ASCII,
)


def instant(value: Any) -> datetime | None:
    """Return the instant of an XML Schema dateTimeStamp, or None where it is none."""
    if not isinstance(value, str) or not _STAMP.fullmatch(value):
        return None
    text = re.sub(r"(\.\d{6})\d+", r"\1", value)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
