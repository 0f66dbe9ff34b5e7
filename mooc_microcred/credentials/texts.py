"""Texts as they go into a signed document."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

# Control characters: N-Quads escapes them one way in RDFC-1.0 and another way in older programs,
# so a text that holds them would have two canonical forms.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")
LANGUAGES = ("th", "en")


def clean(text: str) -> str:
    """Return a text that every program signs alike: NFC, line breaks as LF, no other controls."""
    text = _LINE_BREAKS.sub("\n", text)
    if _CONTROLS.search(text):
        text = _CONTROLS.sub(lambda found: {"\n": "\n", "\t": " "}.get(found[0], ""), text)
    return unicodedata.normalize("NFC", text.strip())


def main_text(value: Mapping[str, str] | None) -> str:
    """Return the text in Thai, else in English: what stands where a standard allows one language only."""
    value = value or {}
    return clean(value.get("th") or value.get("en") or "")


def main_language(value: Mapping[str, str] | None) -> str:
    """Return the language of :func:`main_text`."""
    return "th" if (value or {}).get("th") else "en"


def in_languages(value: Mapping[str, str] | None) -> dict[str, Any]:
    """Return a text as a JSON-LD language map."""
    value = value or {}
    return {language: clean(value[language]) for language in LANGUAGES if value.get(language)}
