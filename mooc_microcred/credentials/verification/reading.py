"""From bytes of any kind to a JSON object or a JWT, within limits."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.credentials.baking import extract_credential, is_picture
from mooc_microcred.credentials.verification import limits

JSON_LD = "json-ld"
JWT = "jwt"

_PICTURES = ("image/png", "image/svg+xml")
_COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}")
# Possessive, and content with a string that never ends: no text makes it go back and try again.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
# JSON numbers that are whole in JavaScript are whole here, so that both sign the same text.
_EXACT = 2**53


class Unreadable(Exception):
    """It is no credential that can be looked at.

    Attributes:
        message: what is wrong, in the reader's language.
        code: stable word for programs.
    """

    def __init__(self, message: str, code: str = "unreadable"):
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Presented:
    """A credential as somebody presents it: a JSON object with proofs, or a JWT."""

    document: Mapping[str, Any] | None = None
    token: str = ""


def read(credential: bytes | str, content_type: str = "") -> Presented:
    """Return what was presented: JSON, a JWT, or the credential baked into a PNG or SVG picture.

    Args:
        credential: the file or the pasted text.
        content_type: media type as the sender gives it; it decides nothing that the bytes say better.

    Raises:
        Unreadable: it is none of these, damaged, or beyond a limit.
    """
    data = credential.encode("utf-8", "surrogatepass") if isinstance(credential, str) else credential
    if is_picture(data) or content_type.partition(";")[0].strip().lower() in _PICTURES:
        data = _baked(data)
    if len(data) > limits.MAX_BYTES:
        raise Unreadable(
            _("The credential is too long: at most %(limit)d KB are read.")
            % {"limit": limits.MAX_BYTES // 1024},
            "too_long",
        )
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise Unreadable(
            _("This is neither JSON nor a JWT in UTF-8, nor a PNG or SVG picture."), "encoding"
        ) from None
    if not text:
        raise Unreadable(_("There is nothing to check."), "empty")
    if _COMPACT_JWS.fullmatch(text):
        return Presented(token=text)
    if text.lower().startswith(("http://", "https://")):
        raise Unreadable(
            _(
                "This is an address. Open it yourself and give the credential's text or file: "
                "addresses are not opened here."
            ),
            "address",
        )
    value = parse(text)
    if isinstance(value, str) and _COMPACT_JWS.fullmatch(value):
        return Presented(token=value)
    if not isinstance(value, dict):
        raise Unreadable(_("A credential is a JSON object, and this is not one."), "not_an_object")
    return Presented(document=value)


def parse(text: str) -> Any:
    """Return the value of a JSON text that two programs cannot read differently.

    Raises:
        Unreadable: not JSON, with a name twice in one object, with numbers that JavaScript cannot
            hold exactly, or beyond a limit.
    """
    _refuse_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_whole,
        )
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable(_("This is not valid JSON."), "not_json") from None
    _refuse_size(value)
    return value


def _baked(data: bytes) -> bytes:
    if len(data) > limits.MAX_UPLOAD_BYTES:
        raise Unreadable(
            _("The picture is too large: at most %(limit)d MB are read.")
            % {"limit": limits.MAX_UPLOAD_BYTES // 1024 // 1024},
            "too_long",
        )
    try:
        found = extract_credential(data)
    except InvalidInput as error:
        raise Unreadable(error.message, "picture") from None
    if found is None:
        raise Unreadable(_("There is no credential in this picture."), "not_baked")
    return found.encode("utf-8", "surrogatepass")


def _refuse_depth(text: str) -> None:
    """Refuse deep nesting by counting brackets: the parser itself would go as deep as the text does."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        character = found[0]
        if character in "[{":
            depth += 1
            if depth > limits.MAX_DEPTH:
                raise Unreadable(
                    _("It is nested too deeply: at most %(limit)d levels are read.")
                    % {"limit": limits.MAX_DEPTH},
                    "too_deep",
                )
        elif character in "]}":
            depth -= 1


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable(
            _("A name stands twice in one object, so programs may read it differently."), "repeated_name"
        )
    return found


def _refuse_constant(_name: str) -> Any:
    raise Unreadable(_("NaN and Infinity are no JSON."), "not_json")


def _bad_number() -> Unreadable:
    return Unreadable(_("It holds a number that not every program reads alike."), "number")


def _whole(digits: str) -> int:
    if len(digits) > limits.MAX_DIGITS or abs(int(digits)) >= _EXACT:
        raise _bad_number()
    return int(digits)


def _float(digits: str) -> float | int:
    if len(digits) > limits.MAX_DIGITS:
        raise _bad_number()
    value = float(digits)
    if not math.isfinite(value):
        raise _bad_number()
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _refuse_size(value: Any) -> None:
    """Count names and values, level by level, and refuse text that is no Unicode."""
    objects = values = 0
    level = [value]
    while level:
        below: list[Any] = []
        for one in level:
            values += 1
            if isinstance(one, dict):
                objects += 1
                for name in one:
                    if len(name) > limits.MAX_KEY_LENGTH:
                        raise Unreadable(_("It holds a name that is too long."), "too_large")
                    _refuse_surrogates(name)
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
            elif isinstance(one, str):
                _refuse_surrogates(one)
        if objects > limits.MAX_OBJECTS or values + len(below) > limits.MAX_VALUES:
            raise Unreadable(
                _("It holds too much: at most %(objects)d objects and %(values)d values are read.")
                % {"objects": limits.MAX_OBJECTS, "values": limits.MAX_VALUES},
                "too_large",
            )
        level = below


def _refuse_surrogates(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Unreadable(_("It holds a character that is no Unicode."), "encoding") from None
