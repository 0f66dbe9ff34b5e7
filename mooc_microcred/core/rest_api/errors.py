"""Every refusal of the API has one form: ``{"code", "message", "problems": [{where, message, value}]}``.

The platform's own exception handler is not relied upon: operators replace it, and it lets
library exceptions through as they come.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from mooc_microcred.core.errors import InvalidInput, MicrocredError, NotAllowed, NotFound, Problem, WrongState
from mooc_microcred.core.lease import LeaseBusy, LeaseLost
from mooc_microcred.core.platform import PlatformUnavailable

VALUE_LENGTH = 100

_STATUS_OF_DOMAIN_ERROR = ((InvalidInput, 400), (NotAllowed, 403), (NotFound, 404), (WrongState, 409))


class TooLarge(exceptions.APIException):
    """The body is longer than this endpoint takes (HTTP 413)."""

    status_code = 413
    default_code = "too_large"

    def __init__(self, limit: int):
        super().__init__(_("The request is too large: at most %(limit)s bytes.") % {"limit": limit})


def printable(text: object) -> str:
    """Return text that can be encoded as UTF-8 and is at most 100 characters long."""
    return str(text)[:VALUE_LENGTH].encode("utf-8", "replace").decode()


def api_exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the answer to an error, or None for a bug, which the platform logs as it logs its own."""
    answer = _answer_to(error)
    if answer is not None and not getattr(context.get("view"), "own_transactions", False):
        # What the request's transaction (ATOMIC_REQUESTS) has written so far must not stay.
        set_rollback()
    return answer


def _answer_to(error: Exception) -> Response | None:
    if isinstance(error, MicrocredError):
        for kind, status in _STATUS_OF_DOMAIN_ERROR:
            if isinstance(error, kind):
                return _response(status, error.code, error.message, error.problems)
        return _response(400, error.code, error.message, error.problems)
    if isinstance(error, LeaseBusy | LeaseLost):
        message = _("This learner's awards are being worked on. Try again in a moment.")
        return _response(409, "busy", message, headers={"Retry-After": "5"})
    if isinstance(error, PlatformUnavailable):
        message = _("The platform cannot be read now. Try again later; nothing was changed.")
        return _response(503, "platform_unavailable", message, headers={"Retry-After": "60"})
    if isinstance(error, exceptions.APIException):
        return _answer_to_framework_error(error)
    if isinstance(error, Http404):
        return _response(404, "not_found", _("There is nothing at this address."))
    if isinstance(error, PermissionDenied):
        return _response(403, "not_allowed", _("You may not do this."))
    if isinstance(error, RequestDataTooBig):
        return _response(413, "too_large", _("The request is too large."))
    if isinstance(error, MultiPartParserError | SuspiciousOperation | UnreadablePostError):
        return _response(400, "malformed", _("The request cannot be read."))
    return None


def _answer_to_framework_error(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(math.ceil(error.wait))
    code = {
        400: "invalid",
        401: "not_authenticated",
        403: "not_allowed",
        404: "not_found",
        405: "method_not_allowed",
        413: "too_large",
        415: "unsupported_media_type",
        429: "throttled",
    }.get(error.status_code, "error")
    if isinstance(error, exceptions.ParseError):
        code = "malformed"
    if isinstance(error, InvalidRequest):
        return _response(400, code, _("The request has mistakes."), error.problems)
    detail = error.detail if isinstance(error.detail, str) else _("The request has mistakes.")
    return _response(error.status_code, code, detail, headers=headers)


def _response(
    status: int,
    code: str,
    message: object,
    problems: Iterable[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = {
        "code": code,
        "message": str(message).encode("utf-8", "replace").decode(),
        "problems": [
            {
                "where": printable(one.where),
                "message": str(one.message).encode("utf-8", "replace").decode(),
                "value": printable(one.value),
            }
            for one in problems
        ],
    }
    return Response(body, status=status, headers=headers)


class InvalidRequest(exceptions.ValidationError):
    """A query or a body that does not have the documented form, with its problems."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(problems)
        super().__init__("invalid")


def problems_of(serializer: serializers.BaseSerializer, given: Any) -> list[Problem]:
    """Return what a serializer found wrong; values of personal fields are left out."""
    hidden = set(_personal_names(serializer))
    return list(_flatten(serializer.errors, given, "", hidden))


def _personal_names(field: Any) -> Iterator[str]:
    if field.style.get("personal"):
        yield field.field_name
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        yield from _personal_names(field.child)
    for child in getattr(field, "fields", {}).values():
        yield from _personal_names(child)


def _flatten(found: Any, given: Any, where: str, hidden: set[str]) -> Iterator[Problem]:
    if isinstance(found, Mapping):
        for key, below in found.items():
            if key == api_settings.NON_FIELD_ERRORS_KEY:
                yield from _flatten(below, given, where, hidden)
            elif isinstance(key, int):
                yield from _flatten(below, _part(given, key), f"{where}[{key}]", hidden)
            else:
                value = None if key in hidden else _part(given, key)
                yield from _flatten(below, value, f"{where}.{key}" if where else str(key), hidden)
    elif isinstance(found, list) and any(isinstance(one, Mapping | list) for one in found):
        for position, below in enumerate(found):
            if below:
                yield from _flatten(below, _part(given, position), f"{where}[{position}]", hidden)
    else:
        shown = given if isinstance(given, str | int | float) else ""
        for message in found if isinstance(found, list) else [found]:
            yield Problem(where=where, message=str(message), value=printable(shown))


def _part(given: Any, key: Any) -> Any:
    if isinstance(given, Mapping):
        return given.get(key)
    if isinstance(given, list) and isinstance(key, int) and key < len(given):
        return given[key]
    return None
