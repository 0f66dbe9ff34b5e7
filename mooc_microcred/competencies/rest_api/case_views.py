"""A read-only provider of CASE 1.1: published frameworks, for everybody.

Source: 1EdTech CASE 1.1, REST/JSON binding. Errors are ``imsx_StatusInfo`` payloads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.utils.translation import override
from django.views.decorators.http import require_safe

from mooc_microcred.competencies import case
from mooc_microcred.competencies.documents import (
    Document,
    document_of,
    head_of,
    item_of,
    link_of,
)
from mooc_microcred.competencies.models import Association, Competency, Framework

DEFAULT_LIMIT, MAX_LIMIT = 100, 500


def _published() -> QuerySet[Framework]:
    return Framework.objects.exclude(state=Framework.State.DRAFT)


def _failure(status: int, description: str, name: str, value: str) -> JsonResponse:
    return JsonResponse(
        {
            "imsx_codeMajor": "failure",
            "imsx_severity": "error",
            "imsx_description": description,
            "imsx_codeMinor": {
                "imsx_codeMinorField": [{"imsx_codeMinorFieldName": name, "imsx_codeMinorFieldValue": value}]
            },
        },
        status=status,
    )


def _unknown() -> JsonResponse:
    return _failure(404, "The supplied identifier is unknown.", "sourcedId", "unknownobject")


class _BadPage(Exception):
    """A parameter of paging is none."""


def _provides(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer anybody, from any site, in the words of the standard."""

    @require_safe
    @wraps(view)
    def respond(request: HttpRequest, **where: Any) -> HttpResponse:
        with override("en"):
            try:
                answer = view(request, **where)
            except _BadPage:
                answer = _failure(
                    400, "limit and offset must be whole numbers.", "limit", "invalid_selection_field"
                )
        # What is published is for everybody, and no cookie is looked at.
        answer["Access-Control-Allow-Origin"] = "*"
        answer["X-Content-Type-Options"] = "nosniff"
        answer.setdefault("Cache-Control", "public, max-age=60")
        return answer

    return respond


def _paging(request: HttpRequest) -> tuple[int, int]:
    try:
        limit = int(request.GET.get("limit", DEFAULT_LIMIT))
        offset = int(request.GET.get("offset", 0))
    except ValueError as error:
        raise _BadPage from error
    if not 1 <= limit <= 10**9 or not 0 <= offset <= 10**9:
        raise _BadPage
    return min(limit, MAX_LIMIT), offset


def _tell_pages(request: HttpRequest, answer: HttpResponse, total: int, limit: int, offset: int) -> None:
    """Tell the number of all and the next page as the standard does: X-Total-Count and Link."""
    answer["X-Total-Count"] = str(total)
    links = {"first": 0, "last": max(0, (total - 1) // limit * limit)}
    if offset + limit < total:
        links["next"] = offset + limit
    if offset > 0:
        links["prev"] = max(0, offset - limit)
    base = request.build_absolute_uri(request.path)
    answer["Link"] = ", ".join(
        f'<{base}?{urlencode({"limit": limit, "offset": start})}>; rel="{name}"'
        for name, start in links.items()
    )


@_provides
def documents(request: HttpRequest) -> HttpResponse:
    """Return the published frameworks, in pages."""
    limit, offset = _paging(request)
    rows = _published().order_by("id")
    found = [case.write_document(head_of(row), changed=row.changed) for row in rows[offset : offset + limit]]
    answer = JsonResponse({"CFDocuments": found})
    _tell_pages(request, answer, rows.count(), limit, offset)
    return answer


@_provides
def document(request: HttpRequest, identifier: str) -> HttpResponse:
    """Return one published framework without its items."""
    row = _published().filter(identifier=str(identifier)).first()
    return JsonResponse(case.write_document(head_of(row), changed=row.changed)) if row else _unknown()


@_provides
def package(request: HttpRequest, identifier: str) -> HttpResponse:
    """Return a published framework with everything; 304 where the reader has this revision."""
    row = _published().filter(identifier=str(identifier)).first()
    if row is None:
        return _unknown()
    tag = f'"{row.revision}"'
    if tag in request.headers.get("If-None-Match", ""):
        answer: HttpResponse = HttpResponseNotModified()
    else:
        answer = JsonResponse(case.write_package(document_of(row), changed=row.changed))
    answer["ETag"] = tag
    return answer


def _find_item(identifier: str) -> Competency | None:
    rows = Competency.objects.filter(identifier=str(identifier), framework__in=_published())
    return rows.select_related("framework", "parent").order_by("id").first()


@_provides
def item(request: HttpRequest, identifier: str) -> HttpResponse:
    """Return one item of a published framework."""
    row = _find_item(identifier)
    if row is None:
        return _unknown()
    return JsonResponse(case.write_item(item_of(row), head_of(row.framework), changed=row.changed))


@_provides
def item_associations(request: HttpRequest, identifier: str) -> HttpResponse:
    """Return one item with every association that begins or ends at it."""
    row = _find_item(identifier)
    if row is None:
        return _unknown()
    head = _around(row)
    links = [
        case.write_link(link, head, changed=row.changed)
        for link in case.all_links(head)
        if row.identifier in (link.origin, link.destination)
    ]
    return JsonResponse(
        {"CFItem": case.write_item(item_of(row), head, changed=row.changed), "CFAssociations": links}
    )


def _around(row: Competency) -> Document:
    """Return the framework with the item, its children, and the associations at the item."""
    head = head_of(row.framework)
    children = row.children.select_related("parent").order_by("ordinal")
    head.items = [
        item_of(row),
        *(item_of(one, sequence=place) for place, one in enumerate(children, start=1)),
    ]
    rows = Association.objects.filter(Q(origin=row.identifier) | Q(destination=row.identifier))
    head.links = [link_of(one) for one in rows.filter(framework__in=_published()).order_by("id")]
    return head


@_provides
def association(request: HttpRequest, identifier: str) -> HttpResponse:
    """Return one association of a published framework."""
    rows = Association.objects.filter(identifier=str(identifier), framework__in=_published())
    row = rows.select_related("framework").order_by("id").first()
    if row is None:
        return _unknown()
    return JsonResponse(case.write_link(link_of(row), head_of(row.framework), changed=row.changed))
