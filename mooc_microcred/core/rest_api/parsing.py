"""Reading requests: the same on every platform, whatever its REST framework settings are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.utils.mediatypes import media_type_matches

# No body of ours is deeper than a list of objects; a deep one only wants to exhaust the stack.
MAX_DEPTH = 16


class StrictJSONParser(parsers.BaseParser):
    """JSON in UTF-8, without NaN and Infinity, without repeated keys, at most 16 levels deep."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        """Return the value.

        Raises:
            ParseError: it is not such JSON.
        """
        try:
            value = json.loads(
                stream.read().decode("utf-8"),
                parse_constant=_refuse_constant,
                object_pairs_hook=_without_repeats,
            )
        except (ValueError, RecursionError):
            # ValueError includes UnicodeDecodeError and integers of more than 4,300 digits.
            raise ParseError(_("The body is not valid JSON in UTF-8.")) from None
        _refuse_depth(value)
        return value


def _refuse_constant(name: str):
    raise ValueError(name)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("repeated key")
    return found


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [
            below
            for one in level
            if isinstance(one, dict | list)
            for below in (one.values() if isinstance(one, Mapping) else one)
        ]
        if not level:
            return
    raise ParseError(_("The body is nested too deeply."))


class JSONAnswers(BaseContentNegotiation):
    """Every answer is JSON: an Accept header or ``?format=`` of the platform's other APIs changes nothing."""

    def select_parser(self, request, parsers):
        """Return the parser for the request's media type, or None (HTTP 415)."""
        for parser in parsers:
            if media_type_matches(parser.media_type, request.content_type):
                return parser
        return None

    def select_renderer(self, request, renderers, format_suffix=None):
        """Return the only renderer."""
        return renderers[0], renderers[0].media_type
