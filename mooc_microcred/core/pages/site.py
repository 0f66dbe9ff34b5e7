"""What every page has around it, and the headers under which pages of ours are answered with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import patch_vary_headers

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.pages.style import style_sheet_url


def site_context(language: str) -> dict[str, Any]:
    """Return the platform's name, logo and style sheets, as the settings have them."""
    given = microcred_settings.PAGE_SITE_NAME
    name = (given.get(language) or next(iter(given.values()), "")) if isinstance(given, Mapping) else given
    return {
        "name": name or getattr(django_settings, "PLATFORM_NAME", "") or "Open edX",
        "home": "/",
        "logo": microcred_settings.PAGE_LOGO or "",
        "style": style_sheet_url(),
        "staff_style": style_sheet_url("staff"),
        "stylesheets": microcred_settings.PAGE_STYLESHEETS,
    }


def rendered(
    template: str, context: Mapping[str, Any], language: str, request: HttpRequest | None = None
) -> str:
    """Return a page in a language."""
    with translation.override(language):
        return render_to_string(
            f"mooc_microcred/pages/{template}",
            {
                "language": language,
                "other_language": "en" if language == "th" else "th",
                "site": site_context(language),
                **context,
            },
            request=request,
        )


def page(
    content: str, language: str, *, status: int = 200, listed: bool = False, shared: bool = True
) -> HttpResponse:
    """Return a page under headers that let it load our own style sheets and pictures and nothing else.

    Args:
        listed: whether search engines may show it.
        shared: whether it is the same for everybody, and may be kept if it is asked for anew each time.
    """
    answer = HttpResponse(content, content_type="text/html; charset=utf-8", status=status)
    answer["Content-Language"] = language
    answer["Content-Security-Policy"] = _policy()
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Referrer-Policy"] = "strict-origin-when-cross-origin"
    answer["Cache-Control"] = "no-cache" if shared else "private, no-store"
    if not listed:
        answer["X-Robots-Tag"] = "noindex"
    patch_vary_headers(answer, ["Accept", "Accept-Language", "Cookie"])
    return answer


def _policy() -> str:
    others = [microcred_settings.PAGE_LOGO or "", *microcred_settings.PAGE_STYLESHEETS]
    origins = sorted({f"{one.scheme}://{one.netloc}" for one in map(urlsplit, others) if one.netloc})
    own = " ".join(["'self'", *origins])
    return (
        f"default-src 'none'; style-src {own}; img-src {own} data:; font-src {own}; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    )
