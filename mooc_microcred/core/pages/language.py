"""In which language a reader wants a page: Thai or English."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation.trans_real import parse_accept_lang_header

LANGUAGES = ("th", "en")
# Ours, and not the platform's: a click on our pages must not change the language of the LMS.
COOKIE = "microcred_language"


def asked_language(request: HttpRequest) -> str:
    """Return the language that the address names (``?lang=``); empty where it names none of ours."""
    asked = request.GET.get("lang", "")
    return asked if asked in LANGUAGES else ""


def wanted_language(request: HttpRequest) -> str:
    """Return ``th`` or ``en``: by ``?lang=``, the choice here or on the platform, the browser; else Thai."""
    chosen = (request.COOKIES.get(name, "")[:2] for name in (COOKIE, settings.LANGUAGE_COOKIE_NAME))
    for one in (asked_language(request), *chosen):
        if one in LANGUAGES:
            return one
    for language, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:500]):
        if language[:2] in LANGUAGES:
            return language[:2]
    return "th"


def remember_language(request: HttpRequest, answer: HttpResponseBase) -> None:
    """Keep a language that the address named, until the browser is closed."""
    asked = asked_language(request)
    if asked:
        answer.set_cookie(COOKIE, asked, samesite="Lax", secure=request.is_secure(), httponly=True)
