"""Pictures: what institutions upload, made harmless, and the badges that we draw ourselves.

An upload is never stored or served as it came: it is decoded within bounds and written anew as PNG.
SVG is refused, since it is a program to a browser; ours are drawn from fixed shapes and numbers only.
"""

from __future__ import annotations

import base64
import hashlib
import io
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.utils.translation import gettext as _
from PIL import Image, ImageChops, ImageDraw, ImageOps, UnidentifiedImageError

from mooc_microcred.core.errors import InvalidInput

# Bytes of an upload, and pixels on one side and in all: a few kilobytes of PNG may expand to gigabytes.
MAX_UPLOAD = 2 * 1024 * 1024
MAX_SIDE = 6000
MAX_PIXELS = 16_000_000

# What a picture is for, and the (width, height) in pixels into which it is fitted.
BOUNDS = {"logo": (1000, 500), "badge": (800, 800), "signature": (1200, 480)}

# Bytes of a picture in lists, and the (side in pixels, quality) that are tried; the first is sharp on
# screens with two pixels for each of the style sheet's.
SMALL_BYTES = 3 * 1024
_SMALLER = ((160, 75), (160, 50), (128, 60), (112, 50), (96, 40))

DEFAULT_COLOUR = "#1b4f8a"
FONTS = Path(__file__).parent / "fonts"

_SIZE = 512
_HEX = re.compile(r"#[0-9a-fA-F]{6}")

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """A picture written anew by us.

    Attributes:
        content: a PNG without any metadata. sha256: of ``content``, hex.
    """

    content: bytes
    sha256: str
    width: int
    height: int
    media_type: str = "image/png"


def clean_picture(content: bytes, *, purpose: str) -> CleanPicture:
    """Return an uploaded PNG, JPEG or WebP as a PNG of our own making, fitted to its purpose.

    Args:
        content: what was uploaded, of any kind.
        purpose: ``logo``, ``badge`` or ``signature``.

    Raises:
        InvalidInput: too large, too many pixels, damaged, animated, or of another format.
    """
    if len(content) > MAX_UPLOAD:
        raise InvalidInput(
            _("The picture is too large: at most %(limit)s megabytes.") % {"limit": MAX_UPLOAD // 1024**2}
        )
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as picture:
            width, height = picture.size
            if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
                raise _too_many_pixels()
            if getattr(picture, "n_frames", 1) > 1:
                raise InvalidInput(_("The picture is animated; upload a still one."))
            # Reads to the end, which decoding alone may not: the process may allow truncated pictures.
            picture.verify()
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as picture:
            fitted = ImageOps.exif_transpose(picture).convert("RGBA")
    except InvalidInput:
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except UnidentifiedImageError:
        raise InvalidInput(
            _("This is not a picture that can be used: upload a PNG, a JPEG or a WebP, and an SVG as PNG.")
        ) from None
    except Exception:
        # Decoders raise whatever they stumble over (SyntaxError, struct.error, zlib.error, OSError ...).
        raise InvalidInput(_("The picture is damaged.")) from None
    fitted.thumbnail(BOUNDS[purpose], Image.Resampling.LANCZOS)
    if _is_blank(fitted):
        raise InvalidInput(_("The picture is empty: one colour from edge to edge."))
    return _as_clean(fitted)


def _too_many_pixels() -> InvalidInput:
    return InvalidInput(
        _("The picture has too many pixels: at most %(side)s on a side and %(pixels)s in all.")
        % {"side": MAX_SIDE, "pixels": MAX_PIXELS}
    )


def _as_clean(picture: Image.Image) -> CleanPicture:
    # A fresh image: no text chunk, profile or comment of the upload survives.
    fresh = Image.new("RGBA", picture.size)
    fresh.paste(picture)
    out = io.BytesIO()
    fresh.save(out, "PNG", optimize=True)
    content = out.getvalue()
    return CleanPicture(content, hashlib.sha256(content).hexdigest(), *fresh.size)


def clean_colour(text: str) -> str:
    """Return a colour as ``#rrggbb``; empty for an empty text.

    Raises:
        InvalidInput: another form.
    """
    text = text.strip().lower()
    if text and not _HEX.fullmatch(text):
        raise InvalidInput(_("Write the colour as # and six hexadecimal digits, such as #1b4f8a."))
    return text


def dark_enough(colour: str, *, contrast: float = 4.5) -> str:
    """Return the colour, darkened until white text on it has the contrast (WCAG 2 AA: 4.5)."""
    red, green, blue = _rgb(colour or DEFAULT_COLOUR)
    while 1.05 / (_luminance(red, green, blue) + 0.05) < contrast:
        red, green, blue = (int(one * 0.93) for one in (red, green, blue))
    return _hex(red, green, blue)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(red: int, green: int, blue: int) -> str:
    return f"#{red:02x}{green:02x}{blue:02x}"


def _luminance(*channels: int) -> float:
    linear = [
        one / 255 / 12.92 if one / 255 <= 0.04045 else ((one / 255 + 0.055) / 1.055) ** 2.4
        for one in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def mixed(colour: str, other: str, part: float) -> str:
    """Return ``part`` (0-1) of ``other`` mixed into ``colour``."""
    mixed = (int(a + (b - a) * part) for a, b in zip(_rgb(colour), _rgb(other), strict=True))
    return _hex(*mixed)


# --- the badges that we draw ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shape:
    """A filled polygon, or a line with round ends where ``width`` is given, on a field of 512 x 512."""

    points: tuple[Point, ...]
    colour: str
    width: float = 0


def badge_svg(kind: str, *, colour: str = "", title: str = "") -> bytes:
    """Return the default badge picture of a kind of achievement as SVG, without script, style or text.

    Args:
        kind: ``level1``, ``level2``, ``programme``, ``competency``; any other is drawn as a competency.
        colour: the issuer's, ``#rrggbb``; darkened where white on it could not be seen.
        title: what a screen reader says.
    """
    safe = re.sub(r"[<>&\"'\x00-\x1f]", " ", title)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}" width="{_SIZE}"'
        f' height="{_SIZE}" role="img"><title>{safe}</title>'
    ]
    for shape in _scene(kind, dark_enough(colour)):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        if shape.width:
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{shape.colour}"'
                f' stroke-width="{shape.width:g}" stroke-linecap="round" stroke-linejoin="round"/>'
            )
        else:
            parts.append(f'<polygon points="{points}" fill="{shape.colour}"/>')
    parts.append("</svg>")
    return "".join(parts).encode()


@lru_cache(maxsize=256)
def badge_png(kind: str, *, colour: str = "", size: int = 512) -> bytes:
    """Return the same picture as PNG with a transparent ground, ``size`` pixels wide and high."""
    out = io.BytesIO()
    draw_badge(kind, colour=colour, size=size).save(out, "PNG", optimize=True)
    return out.getvalue()


def draw_badge(kind: str, *, colour: str = "", size: int = 512) -> Image.Image:
    """Return the same picture for further drawing."""
    # Drawn larger and shrunk, since Pillow draws edges without smoothing.
    scale = 3 * size / _SIZE
    canvas = Image.new("RGBA", (3 * size, 3 * size), (255, 255, 255, 0))
    pen = ImageDraw.Draw(canvas)
    for shape in _scene(kind, dark_enough(colour)):
        points = [(x * scale, y * scale) for x, y in shape.points]
        if shape.width:
            pen.line(points, fill=shape.colour, width=round(shape.width * scale), joint="curve")
            half = shape.width * scale / 2
            for x, y in (points[0], points[-1]):
                pen.ellipse((x - half, y - half, x + half, y + half), fill=shape.colour)
        else:
            pen.polygon(points, fill=shape.colour)
    return canvas.resize((size, size), Image.Resampling.LANCZOS)


def small_webp(png: bytes) -> bytes:
    """Return a picture of ours as lists show it, in about SMALL_BYTES: a page holds dozens of them."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        small = picture.convert("RGBA")
    content = b""
    for side, quality in _SMALLER:
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        small.save(out, "WEBP", quality=quality, alpha_quality=quality, method=6)
        content = out.getvalue()
        if len(content) <= SMALL_BYTES:
            break
    return content


def svg_around(png: bytes, *, width: int, height: int, title: str = "") -> bytes:
    """Return an SVG that shows an uploaded (cleaned) picture, for baking."""
    safe = re.sub(r"[<>&\"'\x00-\x1f]", " ", title)
    data = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img"><title>{safe}</title>'
        f'<image href="data:image/png;base64,{data}" width="{width}" height="{height}"/></svg>'
    ).encode()


def _scene(kind: str, colour: str) -> list[_Shape]:
    deep, light = mixed(colour, "#000000", 0.35), mixed(colour, "#ffffff", 0.82)
    gold, gold_deep = "#e8b33c", "#b98514"
    draw = {"level1": _level1, "level2": _level2, "programme": _programme}.get(kind, _competency)
    return draw(colour, deep, light, gold, gold_deep)


def _circle(cx: float, cy: float, radius: float, colour: str, steps: int = 120) -> _Shape:
    turn = 2 * math.pi / steps
    return _Shape(
        tuple((cx + radius * math.cos(i * turn), cy + radius * math.sin(i * turn)) for i in range(steps)),
        colour,
    )


def _star(cx: float, cy: float, outer: float, inner: float, points: int, colour: str) -> _Shape:
    corners = []
    for number in range(2 * points):
        radius = inner if number % 2 else outer
        angle = math.pi * number / points - math.pi / 2
        corners.append((cx + radius * math.cos(angle), cy + radius * math.sin(angle)))
    return _Shape(tuple(corners), colour)


def _ngon(cx: float, cy: float, radius: float, corners: int, colour: str, turned: float = -90) -> _Shape:
    return _Shape(
        tuple(
            (
                cx + radius * math.cos(math.radians(turned + i * 360 / corners)),
                cy + radius * math.sin(math.radians(turned + i * 360 / corners)),
            )
            for i in range(corners)
        ),
        colour,
    )


def _level1(colour: str, deep: str, light: str, gold: str, gold_deep: str) -> list[_Shape]:
    """Draw an open book on a disc: the course is completed."""
    return [
        _circle(256, 256, 236, deep),
        _circle(256, 256, 220, "#ffffff"),
        _circle(256, 256, 208, colour),
        _page(-1, "#ffffff"),
        _page(1, light),
        _Shape(((146, 208), (184, 208), (222, 220)), colour, 10),
        _Shape(((146, 244), (184, 244), (222, 256)), colour, 10),
        _Shape(((146, 280), (184, 280), (222, 292)), colour, 10),
        _circle(336, 316, 72, deep),
        _circle(336, 316, 62, gold),
        _Shape(((306, 318), (328, 340), (368, 296)), "#ffffff", 18),
    ]


def _page(side: int, colour: str) -> _Shape:
    """Draw one page of the open book: -1 the left one, 1 the right one."""
    outline = ((6, 196), (34, 178), (76, 168), (138, 168), (138, 322), (76, 322), (34, 332), (6, 350))
    return _Shape(tuple((256 + side * x, y) for x, y in outline), colour)


def _level2(colour: str, deep: str, light: str, gold: str, gold_deep: str) -> list[_Shape]:
    """Draw a rosette with a star: what was learned was shown in an exam."""
    scallops = [
        _circle(256 + 178 * math.cos(i * math.pi / 9), 218 + 178 * math.sin(i * math.pi / 9), 34, deep, 40)
        for i in range(18)
    ]
    return [
        _Shape(((172, 330), (128, 492), (180, 470), (214, 508), (256, 360)), mixed(colour, "#000000", 0.15)),
        _Shape(((340, 330), (384, 492), (332, 470), (298, 508), (256, 360)), colour),
        *scallops,
        _circle(256, 218, 184, deep),
        _circle(256, 218, 168, gold),
        _circle(256, 218, 156, colour),
        _star(256, 222, 122, 52, 5, gold_deep),
        _star(256, 216, 122, 52, 5, "#ffffff"),
    ]


def _programme(colour: str, deep: str, light: str, gold: str, gold_deep: str) -> list[_Shape]:
    """Draw three layers that lie on each other: a stack."""

    def layer(y: float, top: str, side: str) -> list[_Shape]:
        return [
            _Shape(((116, y), (256, y + 70), (396, y), (396, y + 26), (256, y + 96), (116, y + 26)), side),
            _Shape(((256, y - 70), (396, y), (256, y + 70), (116, y)), top),
        ]

    return [
        _ngon(256, 256, 246, 6, deep),
        _ngon(256, 256, 228, 6, gold),
        _ngon(256, 256, 214, 6, colour),
        *layer(320, mixed(colour, "#ffffff", 0.55), mixed(colour, "#ffffff", 0.3)),
        *layer(252, light, mixed(colour, "#ffffff", 0.5)),
        *layer(184, "#ffffff", light),
    ]


def _competency(colour: str, deep: str, light: str, gold: str, gold_deep: str) -> list[_Shape]:
    """Draw a shield with a tick: one thing that the holder can do."""

    def shield(inset: float, fill: str) -> _Shape:
        half, top, bottom = 196 - inset, 40 + inset, 486 - 1.25 * inset
        right = [(256 + half, top + 34), (256 + half, 250)]
        right += [
            (
                256 + half * math.cos(i * math.pi / 36),
                250 + (bottom - 250) * math.sin(i * math.pi / 36) ** 1.1,
            )
            for i in range(1, 19)
        ]
        left = [(512 - x, y) for x, y in reversed(right)]
        return _Shape(((256, top), *right, *left), fill)

    return [
        shield(0, deep),
        shield(16, "#ffffff"),
        shield(28, colour),
        _Shape(((164, 250), (232, 318), (356, 178)), "#ffffff", 46),
    ]


def on_white(picture: Image.Image) -> Image.Image:
    """Return a picture without transparency, for formats that have none."""
    ground = Image.new("RGB", picture.size, "#ffffff")
    ground.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    return ground


def _is_blank(picture: Image.Image) -> bool:
    flat = on_white(picture)
    return ImageChops.difference(flat, Image.new("RGB", flat.size, flat.getpixel((0, 0)))).getbbox() is None
