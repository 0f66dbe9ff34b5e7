"""What lists of staff have in common: days to filter by, selections, addresses of pages, and files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils import timezone

from mooc_microcred.core.cells import neutralised
from mooc_microcred.core.dates import parse_date
from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.rest_api.files import CSV, download

PAGE = 25
# Rows of a file: what is more is asked for with narrower filters.
FILE_ROWS = 5000


def first_moment(text: str) -> datetime | None:
    """Return when a day begins in the platform's time zone; None for an empty text.

    Raises:
        InvalidInput: it is no day.
    """
    if not text.strip():
        return None
    try:
        day = parse_date(text[:40])
    except ValueError as error:
        raise InvalidInput(str(error)) from None
    return timezone.make_aware(datetime.combine(day, time.min))


def last_moment(text: str) -> datetime | None:
    """Return when the day after begins; None for an empty text.

    Raises:
        InvalidInput: it is no day.
    """
    begin = first_moment(text)
    if begin is None:
        return None
    following = timezone.localtime(begin).date() + timedelta(days=1)
    return timezone.make_aware(datetime.combine(following, time.min))


def whole_number(text: str) -> int | None:
    """Return a number that an address names, or None; only what a database takes."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def choices(given: Iterable[tuple[str, Any]], chosen: str) -> list[dict[str, Any]]:
    """Return what a list to choose from shows: pairs of value and label."""
    return [{"value": value, "label": label, "chosen": value == chosen} for value, label in given]


def pages(kept: Mapping[str, Any], *, before: int | None, last: int | None) -> dict[str, str]:
    """Return the queries of the first page and the next one; empty where there is none.

    Args:
        kept: the filters. before: the cursor of this page. last: that of the next one, None if none follows.
    """
    filters = {name: value for name, value in kept.items() if value not in ("", None)}
    return {
        "query": urlencode(filters),
        "first": urlencode(filters) or "all=" if before is not None else "",
        "next": urlencode({**filters, "before": last}) if last is not None else "",
    }


def csv_answer(name: str, header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """Return a table as a file that Thai Excel opens; no cell of it is taken for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([neutralised(one) for one in header])
    writer.writerows([neutralised(one) for one in row] for row in rows)
    return download(("\ufeff" + out.getvalue()).encode(), name=name, media_type=CSV)
