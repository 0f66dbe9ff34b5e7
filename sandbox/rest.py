"""How the sandbox's pages use the suite: by its REST API, as the person who is signed in.

A page asks the API inside the same process, through the same URL table, permissions and transactions as
a call from outside, so a page can show and do nothing that the API would not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.handlers.base import BaseHandler
from django.test import RequestFactory
from django.urls import resolve, reverse

PAGE_SIZE = 200


@dataclass(frozen=True)
class Answer:
    """What the API answered: its status and its JSON."""

    status: int
    data: Any

    @property
    def ok(self) -> bool:
        return self.status < 400


def address(name: str, **where) -> str:
    """Return the path of an endpoint by its name."""
    return reverse(f"mooc_microcred:{name}", kwargs=where)


def get(request, name: str, *, query: Mapping[str, Any] | None = None, **where) -> Answer:
    """Read an endpoint."""
    return _send(request, RequestFactory().get(address(name, **where), query or {}))


def rows(request, name: str, *, query: Mapping[str, Any] | None = None, **where) -> list[dict]:
    """Read the first page of a list; empty where the person may not see it."""
    answer = get(request, name, query={"page_size": PAGE_SIZE, **(query or {})}, **where)
    return answer.data["results"] if answer.ok else []


def post(request, name: str, data: Mapping[str, Any] | None = None, **where) -> Answer:
    """Send JSON to an endpoint."""
    body = json.dumps(data or {})
    return _send(
        request, RequestFactory().post(address(name, **where), body, content_type="application/json")
    )


def _send(request, inner) -> Answer:
    inner.user = request.user
    inner.session = request.session
    inner.META["HTTP_ACCEPT_LANGUAGE"] = request.LANGUAGE_CODE
    # The page's own form carried the token, and the page has checked it.
    inner._dont_enforce_csrf_checks = True
    match = resolve(inner.path_info)
    inner.resolver_match = match
    view = BaseHandler().make_view_atomic(match.func)
    response = view(inner, *match.args, **match.kwargs)
    return Answer(response.status_code, getattr(response, "data", None))
