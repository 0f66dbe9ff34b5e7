"""Colours and pictures of the pages, served by us: no theme, build step or CDN of the LMS is needed.

What stands at an address never changes, so readers keep it for a year.
"""

from __future__ import annotations

import re
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from mooc_microcred.core.pages.style import A_YEAR
from mooc_microcred.credentials import pictures
from mooc_microcred.credentials.models import Picture

_KINDS = ("level1", "level2", "programme", "competency")


def colours_url(colour: str) -> str:
    """Return the address of the style sheet with an issuer's colour; empty for ours."""
    if not colour or colour == pictures.DEFAULT_COLOUR:
        return ""
    return reverse("mooc_microcred:page-colours", kwargs={"colour": pictures.dark_enough(colour)[1:]})


def badge_url(kind: str, colour: str = "") -> str:
    """Return the address of the picture that we draw for a kind of achievement in a colour."""
    shown = kind if kind in _KINDS else "competency"
    return reverse(
        "mooc_microcred:page-badge", kwargs={"kind": shown, "colour": pictures.dark_enough(colour)[1:]}
    )


def picture_url(uuid: str) -> str:
    """Return the address of an uploaded picture; another picture has another one."""
    return reverse("mooc_microcred:picture", kwargs={"uuid": uuid})


def small_picture_url(uuid: str) -> str:
    """Return the address of the same picture for lists."""
    return reverse("mooc_microcred:small-picture", kwargs={"uuid": uuid})


def hardened(answer: HttpResponse) -> HttpResponse:
    """Let a browser take a file for nothing but what it is, and run nothing in it."""
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@transaction.non_atomic_requests
@require_safe
def colours(request: HttpRequest, colour: str) -> HttpResponse:
    """Serve the few lines that give the pages of an issuer its colour."""
    if not re.fullmatch("[0-9a-f]{6}", colour):
        raise Http404
    shown = pictures.dark_enough(f"#{colour}")
    answer = HttpResponse(
        f":root{{--mc-colour:{shown};--mc-tint:{pictures.mixed(shown, '#ffffff', 0.93)};"
        f"--mc-line:{pictures.mixed(shown, '#ffffff', 0.6)}}}",
        content_type="text/css; charset=utf-8",
    )
    answer["Cache-Control"] = A_YEAR
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@transaction.non_atomic_requests
@require_safe
def badge(request: HttpRequest, kind: str, colour: str) -> HttpResponse:
    """Serve the picture that we draw for a kind of achievement: shapes only, no script can stand in it."""
    if kind not in _KINDS or not re.fullmatch("[0-9a-f]{6}", colour):
        raise Http404
    answer = HttpResponse(pictures.badge_svg(kind, colour=f"#{colour}"), content_type="image/svg+xml")
    answer["Cache-Control"] = "public, max-age=86400"
    return hardened(answer)


@transaction.non_atomic_requests
@require_safe
def badge_as_png(request: HttpRequest, kind: str, colour: str) -> HttpResponse:
    """Serve the same picture as PNG, as signed documents name it: wallets draw no SVG."""
    if not re.fullmatch("[0-9a-f]{6}", colour):
        raise Http404
    drawn = pictures.badge_png(kind if kind in _KINDS else "competency", colour=f"#{colour}")
    answer = HttpResponse(drawn, content_type="image/png")
    answer["Cache-Control"] = "public, max-age=86400"
    return hardened(answer)


@transaction.non_atomic_requests
@require_safe
def small_picture(request: HttpRequest, uuid: Any) -> HttpResponse:
    """Serve a picture of an institution for lists: a few kilobytes, for many of them on a telephone."""
    key = f"mooc_microcred.small.{uuid}"
    content = cache.get(key)
    if content is None:
        found = Picture.objects.filter(uuid=str(uuid)).only("content").first()
        if found is None:
            raise Http404
        content = pictures.small_webp(bytes(found.content))
        cache.set(key, content, 24 * 3600)
    answer = HttpResponse(content, content_type="image/webp")
    answer["Cache-Control"] = A_YEAR
    return hardened(answer)


@require_safe
def picture(request: HttpRequest, uuid: Any) -> HttpResponse:
    """Serve a picture of an institution; what stands at an address never changes."""
    found = Picture.objects.filter(uuid=str(uuid)).only("content", "media_type").first()
    if found is None:
        raise Http404
    answer = HttpResponse(bytes(found.content), content_type=found.media_type)
    answer["Cache-Control"] = A_YEAR
    return hardened(answer)
