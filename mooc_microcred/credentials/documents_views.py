"""Documents that programs fetch by their ids: DID documents, our context, endorsements, Open Badges 2.0."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from mooc_microcred.core.errors import NotFound
from mooc_microcred.credentials import endorsing, keys, library
from mooc_microcred.credentials.contexts import OWN_FILE, context_bytes

# Short: after a rotation the new key must be found, and after a revocation the old one must not be trusted.
_DID_SECONDS = 300


def _answer(
    read: Callable[[], Mapping[str, Any]], media_type: str, seconds: int = _DID_SECONDS
) -> HttpResponse:
    try:
        content = json.dumps(read(), ensure_ascii=False)
    except NotFound as error:
        return _public(JsonResponse({"detail": error.message}, status=404), 60)
    return _public(HttpResponse(content, content_type=media_type), seconds)


def _public(answer: HttpResponse, seconds: int) -> HttpResponse:
    """Let programs on any page read it: it is public, and says the same to everybody."""
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cache-Control"] = f"public, max-age={seconds}"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@require_safe
def did_json(request: HttpRequest, code: str) -> HttpResponse:
    """Answer with the did:web document of an issuer."""
    return _answer(lambda: keys.did_document(issuer_code=code), "application/did+ld+json")


@require_safe
def own_context(request: HttpRequest) -> HttpResponse:
    """Answer with our JSON-LD context: the same bytes for ever."""
    content = context_bytes(OWN_FILE)
    answer = HttpResponse(content, content_type="application/ld+json")
    answer["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return _public(answer, 365 * 24 * 3600)


@require_safe
def endorsement(request: HttpRequest, uuid: object) -> HttpResponse:
    """Answer with a signed endorsement, byte for byte; also with one that was withdrawn."""
    try:
        content = endorsing.signed_endorsement(uuid=str(uuid))
    except NotFound as error:
        return _public(JsonResponse({"detail": error.message}, status=404), 60)
    return _public(HttpResponse(content, content_type="application/vc+ld+json"), _DID_SECONDS)


@require_safe
def badge_class(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Answer with the Open Badges 2.0 BadgeClass of a version."""
    return _answer(lambda: library.badge_class(code=code, number=number), "application/ld+json")


@require_safe
def issuer_2(request: HttpRequest, code: str) -> HttpResponse:
    """Answer with the Open Badges 2.0 profile of an issuer."""
    return _answer(lambda: library.issuer_profile_2(issuer_code=code), "application/ld+json")
