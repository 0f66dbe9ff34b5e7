"""Breaking texts into lines where no browser does it: in pictures. Thai has no spaces between words."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

# Vowels that stand before their consonant: a Thai line may break before them.
_LEADING = "เแโใไ"
_FOLLOWING = set("ะาำๅๆ์ๅฯ") | {chr(code) for code in (0x0E31, *range(0x0E34, 0x0E3B), *range(0x0E47, 0x0E4F))}


def broken(text: str, width_of: Callable[[str], float], room: float) -> list[str]:
    """Return a text in lines that are no wider than ``room``.

    Without a dictionary of words this breaks at fewer places than there are, never at a wrong syllable.
    """
    lines, line = [], ""
    for piece in _pieces(text):
        if not line or width_of((line + piece).rstrip()) <= room:
            line += piece
            continue
        lines.append(line.rstrip())
        line = piece.lstrip()
    lines.append(line.rstrip())
    return [cut for whole in lines for cut in _cut(whole, width_of, room)] or [""]


def shortened(lines: list[str], most: int, width_of: Callable[[str], float], room: float) -> list[str]:
    """Return at most so many lines; the last one ends in an ellipsis where there were more."""
    if len(lines) <= most:
        return lines
    *kept, last = lines[:most]
    while last and (width_of(last + "…") > room or last[-1] in _LEADING):
        last = last[:-1]
    return [*kept, last + "…"]


def rough_width(text: str, size: float) -> float:
    """Return about how wide a text is in the fonts of browsers, rather too wide, in the unit of ``size``."""
    return sum(map(_letter, text)) * size


def _letter(letter: str) -> float:
    if unicodedata.category(letter) == "Mn":
        return 0.0
    if "\u0e00" <= letter <= "\u0e7f":
        return 0.62
    if letter == " ":
        return 0.3
    return 0.72 if letter.isupper() else 0.6


def _pieces(text: str) -> list[str]:
    """Return the parts between which a line may break: at spaces, in long Thai before a leading vowel."""
    pieces, piece = [], ""
    for position, letter in enumerate(text):
        after = text[position - 1] if position else ""
        if piece and (after == " " or (letter in _LEADING and after not in _LEADING and len(piece) > 6)):
            pieces.append(piece)
            piece = ""
        piece += letter
    return [*pieces, piece]


def _cut(line: str, width_of: Callable[[str], float], room: float) -> list[str]:
    """Return a line that is still too long in parts, never between a consonant and its marks."""
    parts = []
    while width_of(line) > room:
        end = len(line)
        while end > 1 and (width_of(line[:end]) > room or line[end : end + 1] in _FOLLOWING):
            end -= 1
        if end > 1 and line[end - 1] in _LEADING:
            end -= 1
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]
