"""The picture that LINE, LinkedIn and others show beside a shared address: 1200 x 630, no personal data."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageDraw, ImageFont, features

from mooc_microcred.core.pages.lines import broken, shortened
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
    width_of = _font(weight, smallest).getlength
    return smallest, shortened(_broken(text, smallest, weight), most, width_of, _RIGHT - _LEFT)


def _broken(text: str, size: int, weight: str) -> list[str]:
    return broken(text, _font(weight, size).getlength, _RIGHT - _LEFT)
