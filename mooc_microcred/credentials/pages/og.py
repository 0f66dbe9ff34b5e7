"""The picture that LINE, LinkedIn and others show beside a shared address: 1200 x 630, no personal data."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageDraw, ImageFont, features

from mooc_microcred.credentials import pictures

SIZE = (1200, 630)
_LEFT, _RIGHT = 430, 1140


@cache
def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    # Marks of Thai stand right by the shaping engine; Pillow's wheels have it.
    engine = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(pictures.FONTS / f"NotoSansThai-{weight}.ttf"), size, layout_engine=engine)


def open_graph_png(
    *, title: str, issuer: str, kind: str, kind_words: str, colour: str = "", badge: bytes | None = None
) -> bytes:
    """Return the picture of a credential: its badge, title, kind and issuer.

    Args:
        kind: of the achievement, for the badge that we draw. colour: the issuer's; empty for ours.
        badge: PNG of the institution's own badge picture, in place of ours.
    """
    dark = pictures.dark_enough(colour)
    canvas = Image.new("RGB", SIZE, "#ffffff")
    pen = ImageDraw.Draw(canvas)
    pen.rectangle((0, 0, 380, SIZE[1]), fill=pictures.mixed(dark, "#ffffff", 0.9))
    pen.rectangle((0, 0, SIZE[0], 14), fill=dark)
    pen.rectangle((0, SIZE[1] - 14, SIZE[0], SIZE[1]), fill=dark)
    drawn = _badge(badge, kind, colour)
    canvas.paste(drawn, (190 - drawn.width // 2, SIZE[1] // 2 - drawn.height // 2), drawn)
    size, lines = _set(title, largest=58, smallest=34, most=4)
    height = round(size * 1.45)
    top = max(120, 300 - height * len(lines) // 2)
    pen.text((_LEFT, top - 64), kind_words, font=_font("Regular", 32), fill="#4c5663")
    for number, line in enumerate(lines):
        pen.text((_LEFT, top + number * height), line, font=_font("Bold", size), fill="#1d2530")
    issuer_size, issuer_lines = _set(issuer, largest=32, smallest=24, most=2, weight="Regular")
    for number, line in enumerate(issuer_lines):
        where = (_LEFT, SIZE[1] - 50 - round(issuer_size * 1.5) * (len(issuer_lines) - number))
        pen.text(where, line, font=_font("Regular", issuer_size), fill=dark)
    out = io.BytesIO()
    canvas.save(out, "PNG", optimize=True)
    return out.getvalue()


def _badge(content: bytes | None, kind: str, colour: str) -> Image.Image:
    if content is None:
        return pictures.draw_badge(kind, colour=colour, size=300)
    with Image.open(io.BytesIO(content), formats=("PNG",)) as uploaded:
        badge = uploaded.convert("RGBA")
    badge.thumbnail((300, 300), Image.Resampling.LANCZOS)
    return badge


def _set(text: str, *, largest: int, smallest: int, most: int, weight: str = "Bold") -> tuple[int, list[str]]:
    """Return (size, lines) of a text: as large as it fits; what does not fit at all ends in an ellipsis."""
    for size in range(largest, smallest - 1, -4):
        lines = _broken(text, size, weight)
        if len(lines) <= most:
            return size, lines
    lines = _broken(text, smallest, weight)[:most]
    while lines[-1] and _font(weight, smallest).getlength(lines[-1] + "…") > _RIGHT - _LEFT:
        lines[-1] = lines[-1][:-1]
    lines[-1] += "…"
    return smallest, lines


def _broken(text: str, size: int, weight: str) -> list[str]:
    font, room = _font(weight, size), _RIGHT - _LEFT
    lines, line = [], ""
    for piece in _pieces(text):
        if not line or font.getlength((line + piece).rstrip()) <= room:
            line += piece
            continue
        lines.append(line.rstrip())
        line = piece.lstrip()
    lines.append(line.rstrip())
    return [cut for whole in lines for cut in _cut(whole, font, room)] or [""]


# Vowels that stand before their consonant: a Thai line may break before them.
_LEADING = "เแโใไ"
_FOLLOWING = set("ะาำๅๆ์ๅฯ") | {chr(code) for code in (0x0E31, *range(0x0E34, 0x0E3B), *range(0x0E47, 0x0E4F))}


def _pieces(text: str) -> list[str]:
    """Return the parts between which a line may break: at spaces, and in long Thai before a leading vowel.

    Without a dictionary of words this breaks at fewer places than there are, never at a wrong syllable.
    """
    pieces, piece = [], ""
    for position, letter in enumerate(text):
        after = text[position - 1] if position else ""
        if piece and (after == " " or (letter in _LEADING and after not in _LEADING and len(piece) > 6)):
            pieces.append(piece)
            piece = ""
        piece += letter
    return [*pieces, piece]


def _cut(line: str, font: ImageFont.FreeTypeFont, room: int) -> list[str]:
    """Return a line that is still too long in parts, never between a consonant and its marks."""
    parts = []
    while font.getlength(line) > room:
        end = len(line)
        while end > 1 and (font.getlength(line[:end]) > room or line[end : end + 1] in _FOLLOWING):
            end -= 1
        if end > 1 and line[end - 1] in _LEADING:
            end -= 1
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]
