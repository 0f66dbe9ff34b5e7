"""The style sheets of the pages, served by us: no theme, build step or CDN of the LMS is needed.

What stands at an address never changes, so readers keep it for a year.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

STATIC = Path(__file__).parents[2] / "static" / "mooc_microcred"
A_YEAR = "public, max-age=31536000, immutable"
# "pages" has what every page needs; "staff" comes on top of it where staff work.
SHEETS = ("pages", "staff")


@cache
def _sheet(name: str) -> tuple[str, bytes]:
    content = (STATIC / f"{name}.css").read_bytes()
    return hashlib.sha256(content).hexdigest()[:16], content


def style_sheet_url(name: str = "pages") -> str:
    """Return the address of a style sheet of ours."""
    return reverse("mooc_microcred:page-style", kwargs={"name": name, "version": _sheet(name)[0]})


@transaction.non_atomic_requests
@require_safe
def style(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Serve a style sheet; an old address gets the present one, for a short time."""
    if name not in SHEETS:
        raise Http404
    present, content = _sheet(name)
    answer = HttpResponse(content, content_type="text/css; charset=utf-8")
    answer["Cache-Control"] = A_YEAR if version == present else "public, max-age=60"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
