"""Pages that are put together once for the same content, and shown again while nothing of it changes.

What stands on a page is read anew each time; only putting it into HTML is spared. A page is found again by
a hash of all that it shows, so that it is never older than what was read for it.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language

import mooc_microcred
from mooc_microcred.core.pages.site import rendered, site_context

# Seconds.
KEEP = 60


@lru_cache(maxsize=4)
def _place_of(secret: str) -> str:
    return salted_hmac("mooc_microcred.pages.keeping", "token", secret=secret).hexdigest()


def place_of_token() -> str:
    """Return what stands in a kept page where its reader's own CSRF token comes; others cannot guess it."""
    return _place_of(settings.SECRET_KEY)


def for_anybody(
    template: str, context: Mapping[str, Any], language: str, request: HttpRequest | None = None
) -> str:
    """Return a page without its reader's CSRF token; ``for_reader`` puts that in."""
    return rendered(template, {**context, "csrf_token": place_of_token()}, language, request)


def for_reader(request: HttpRequest, content: str) -> str:
    """Put the reader's own CSRF token into a page that takes forms."""
    place = place_of_token()
    return content.replace(place, get_token(request)) if place in content else content


def rendered_once(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    language: str,
    *,
    around: Mapping[str, Any],
    known_by: Any,
) -> str:
    """Return a page, as it was kept for the same content, or put together now.

    Args:
        context: plain values; one that cannot be told apart by its content makes the page not kept.
        around: what the template gets besides.
        known_by: tells every ``around`` that looks different apart.
    """
    key = _key(template, context, language, known_by)
    content = cache.get(key) if key else None
    if content is None:
        content = for_anybody(template, {**around, **context}, language, request)
        if key:
            cache.set(key, content, KEEP)
    return for_reader(request, content)


def _key(template: str, context: Mapping[str, Any], language: str, known_by: Any) -> str:
    shows = (
        mooc_microcred.__version__,
        template,
        language,
        # Of numbers and dates in templates.
        get_language(),
        site_context(language),
        known_by,
        dict(context),
    )
    try:
        # Never read back. The same bytes are the same values; that the same values can make other bytes
        # costs a rendering and nothing else.
        content = pickle.dumps(shows)
    except (TypeError, AttributeError, pickle.PicklingError):
        return ""
    return f"mooc_microcred.page.{hashlib.sha256(content).hexdigest()[:40]}"
