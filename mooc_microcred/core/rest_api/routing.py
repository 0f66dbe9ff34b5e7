"""Parts of addresses: ids and codes, never names or e-mail addresses."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import get_converters


class IdConverter:
    """A row's or a person's id: at most 18 digits, so that it fits every database."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        """Return the id."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Return the id as text."""
        return str(value)


class CodeConverter:
    """A code of the catalogue."""

    regex = "[a-z0-9][a-z0-9-]{1,63}"

    def to_python(self, value: str) -> str:
        """Return the code."""
        return value

    def to_url(self, value: str) -> str:
        """Return the code."""
        return value


def register() -> None:
    """Make ``<microcred_id:…>`` and ``<microcred_code:…>`` known; again is harmless."""
    for name, converter in (("microcred_id", IdConverter), ("microcred_code", CodeConverter)):
        if name not in get_converters():
            register_converter(converter, name)
