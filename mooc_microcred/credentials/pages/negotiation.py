"""What a reader wants: a page or a signed document."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

HTML, JSON, JWT = "html", "json", "jwt"
_FORMS: Mapping[str, str] = {
    "text/html": HTML,
    "application/xhtml+xml": HTML,
    "application/vc+ld+json": JSON,
    "application/vc": JSON,
    "application/ld+json": JSON,
    "application/json": JSON,
    "application/vc+jwt": JWT,
    "application/vc+ld+json+jwt": JWT,
    "application/jwt": JWT,
}
JSON_TYPES = ("application/vc+ld+json", "application/vc", "application/ld+json", "application/json")
MAX_HEADER = 1000


def wanted_form(request: HttpRequest) -> tuple[str, str]:
    """Return (form, media type) that the Accept header asks for; a page where it asks for none of ours.

    The media type is the one to answer with.
    """
    best: tuple[float, str, str] = (0.0, HTML, "text/html")
    for part in request.headers.get("Accept", "")[:MAX_HEADER].split(","):
        media_type, _, parameters = part.strip().lower().partition(";")
        media_type = media_type.strip()
        quality = _quality(parameters)
        if media_type in _FORMS and quality > best[0]:
            best = (quality, _FORMS[media_type], media_type)
    form, media_type = best[1:]
    if form == JWT:
        media_type = "application/vc+jwt"
    return form, media_type


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
