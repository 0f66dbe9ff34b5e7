"""Status lists over HTTP: the stored bytes, for any verifier and any cache in between."""

from __future__ import annotations

import hashlib
import json

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_cache_control
from django.utils.http import http_date, parse_etags
from django.views.decorators.http import require_safe

from mooc_microcred.achievements.models import Issuer
from mooc_microcred.credentials.status import lists


# Signing a list that was never signed must not be undone by the request's transaction.
@transaction.non_atomic_requests
@require_safe
def status_list(request: HttpRequest, code: str, purpose: str) -> HttpResponse:
    """Answer with a BitstringStatusListCredential."""
    found = lists.published_list(code=code, purpose=purpose)
    if found is None:
        raise Http404
    answer = _public(request, found.body, found.etag, "application/vc")
    answer["Last-Modified"] = http_date(found.signed_at.timestamp())
    return answer


@require_safe
def revocations(request: HttpRequest, issuer: str) -> HttpResponse:
    """Answer with an issuer's 1EdTechRevocationList."""
    if not Issuer.objects.filter(code=issuer).exists():
        raise Http404
    body = json.dumps(lists.revocations(issuer_code=issuer), separators=(",", ":")).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return _public(request, body, etag, "application/json")


def _public(request: HttpRequest, body: bytes, etag: str, media_type: str) -> HttpResponse:
    """Return a document that anybody may read and keep for a while, or 304 to whoever has it."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    answer: HttpResponse
    if etag in known or f"W/{etag}" in known or known == ["*"]:
        answer = HttpResponseNotModified()
    else:
        answer = HttpResponse(body, content_type=media_type)
    answer["ETag"] = etag
    patch_cache_control(answer, public=True, max_age=lists.TTL)
    # Verifiers run in browsers too.
    answer["Access-Control-Allow-Origin"] = "*"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
