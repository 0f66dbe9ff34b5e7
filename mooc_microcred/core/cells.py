"""Cells of tables that people open in a spreadsheet."""

from __future__ import annotations

# What makes Excel and LibreOffice take a text for a formula (CWE-1236).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def neutralised(value: object) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula: an apostrophe goes before it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
