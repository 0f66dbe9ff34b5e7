"""Pages that cost the same wherever they are: the next one starts after the last row of this one.

An offset would make the database walk over everything before it; with millions of awards that
is a way to hurt the platform.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.rest_api.fields import MAX_ID

# An absolute bound, whatever MOOC_MICROCRED["API_PAGE_SIZE"] says.
MAX_PAGE_SIZE = 200


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE})
class PageSize(serializers.IntegerField):
    """How many rows: at most MAX_PAGE_SIZE; by default MOOC_MICROCRED["API_PAGE_SIZE"]."""

    def __init__(self, **options):
        super().__init__(
            min_value=1,
            max_value=MAX_PAGE_SIZE,
            required=False,
            help_text=gettext_lazy("rows of a page; the default is the platform's setting"),
            **options,
        )


class PageQuery(serializers.Serializer):
    """Which page: every list takes these parameters."""

    page_size = PageSize()
    cursor = serializers.IntegerField(
        min_value=0,
        max_value=MAX_ID,
        required=False,
        help_text=gettext_lazy("as the `next` of the page before has it"),
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the cursor of the page after; None where this is the last."""

    rows: Sequence[Any]
    cursor: int | None


def page_size(query: dict[str, Any]) -> int:
    """Return the number of rows that a checked query asks for."""
    return min(query.get("page_size") or microcred_settings.API_PAGE_SIZE, MAX_PAGE_SIZE)


def page_of_rows(
    rows: QuerySet, query: dict[str, Any], *, read: Callable[[Any], Any] = lambda row: row
) -> Page:
    """Return the newest rows first, from the cursor on: one query.

    Args:
        rows: a queryset without order; its primary key is the cursor.
        query: a checked PageQuery.
        read: what to make of each row.
    """
    size = page_size(query)
    if "cursor" in query:
        rows = rows.filter(pk__lt=query["cursor"])
    found = list(rows.order_by("-pk")[: size + 1])
    more = len(found) > size
    found = found[:size]
    return Page([read(row) for row in found], found[-1].pk if more else None)


def page_of_list(items: Sequence[Any], query: dict[str, Any]) -> Page:
    """Return a part of a list that is in memory anyhow; the cursor counts its items."""
    start, size = query.get("cursor", 0), page_size(query)
    more = len(items) > start + size
    return Page(items[start : start + size], start + size if more else None)


@cache
def page_serializer(item: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """Return the serializer of a page of ``item``; the same class for every endpoint that lists them."""
    name = f"{item.__name__.removesuffix('Serializer')}Page"
    described = inline_serializer(
        name,
        fields={
            "next": serializers.URLField(
                allow_null=True, help_text=gettext_lazy("address of the next page; null on the last one")
            ),
            "results": item(many=True),
        },
    )
    return type(described)
