"""Texts in Thai and English, as every room carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text in Thai and English; at least one is there."""

    th: str = ""
    en: str = ""

    @classmethod
    def of(cls, value: Mapping[str, str] | None) -> Text:
        """Return the text of a ``{"th": ..., "en": ...}`` mapping."""
        return cls(th=(value or {}).get("th", ""), en=(value or {}).get("en", ""))

    def in_language(self, language: str) -> str:
        """Return the text in the language, or in the other one where it is missing."""
        return (self.th or self.en) if language.startswith("th") else (self.en or self.th)
