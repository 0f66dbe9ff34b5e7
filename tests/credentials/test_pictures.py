"""Pictures that institutions upload are written anew; those that we draw are good to see and harmless."""

import io
import struct
import zlib
from xml.etree import ElementTree

import pytest
from PIL import Image, PngImagePlugin

from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.credentials import pictures


def picture(*, size=(300, 120), form="PNG", colour=(200, 30, 30), **options) -> bytes:
    image = Image.new("RGB", size, "#ffffff")
    image.paste(colour, (10, 10, size[0] // 2, size[1] // 2))
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_an_upload_becomes_a_png_that_holds_nothing_of_the_file(form):
    found = pictures.clean_picture(picture(form=form) + b"<script>alert(1)</script>", purpose="logo")
    assert found.content.startswith(b"\x89PNG")
    assert b"script" not in found.content
    assert (found.width, found.height) == (300, 120)
    assert pictures.clean_picture(picture(form=form), purpose="logo").sha256 == found.sha256


def test_metadata_does_not_survive():
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "somchai@example.ac.th")
    found = pictures.clean_picture(picture(pnginfo=info), purpose="logo")
    assert b"somchai" not in found.content


def test_a_picture_is_fitted_to_its_purpose():
    found = pictures.clean_picture(picture(size=(3000, 3000)), purpose="signature")
    assert (found.width, found.height) == (480, 480)


def bomb() -> bytes:
    """A PNG of 30,000 x 30,000 pixels in a few hundred bytes."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 6, 0, 0, 0)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def animated() -> bytes:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    return out.getvalue()


def gif() -> bytes:
    return picture(form="GIF")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a picture"),
        (gif(), "not a picture"),
        (bomb(), "pixels"),
        (b"", "not a picture"),
        (picture()[:200], "damaged"),
        (animated(), "animated"),
        (b"\0" * (2 * 1024 * 1024 + 1), "too large"),
        (picture(colour=(255, 255, 255)), "empty"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(content, says):
    with pytest.raises(InvalidInput, match=says):
        pictures.clean_picture(content, purpose="logo")


@pytest.mark.parametrize("kind", ["level1", "level2", "programme", "competency", "portfolio"])
def test_each_kind_has_a_picture_in_the_issuers_colour(kind):
    svg = ElementTree.fromstring(pictures.badge_svg(kind, colour="#a01020", title='x"><script>'))
    assert {one.tag.rpartition("}")[2] for one in svg.iter()} <= {"svg", "title", "polygon", "polyline"}
    assert "#a01020" in {one.get("fill") for one in svg.iter()}
    with Image.open(io.BytesIO(pictures.badge_png(kind, colour="#a01020", size=256))) as png:
        assert png.size == (256, 256)
        assert (0xA0, 0x10, 0x20) in {pixel[:3] for _count, pixel in png.getcolors(100_000)}
        assert png.getpixel((1, 1))[3] == 0


def test_the_four_kinds_can_be_told_apart():
    assert len({pictures.badge_png(kind) for kind in ("level1", "level2", "programme", "competency")}) == 4


def test_the_four_kinds_differ_by_their_outline_even_as_small_as_in_a_list():
    kinds = ("level1", "level2", "programme", "competency")
    outlines = [
        {
            number
            for number, covered in enumerate(pictures.draw_badge(kind, size=48).getchannel("A").tobytes())
            if covered > 127
        }
        for kind in kinds
    ]
    for number, one in enumerate(outlines):
        for other in outlines[number + 1 :]:
            assert len(one ^ other) / len(one | other) > 0.08


@pytest.mark.parametrize("kind", ["level1", "level2", "programme", "competency"])
def test_a_picture_for_lists_is_small_and_keeps_its_transparency(kind):
    small = pictures.small_webp(pictures.badge_png(kind, size=800))
    assert len(small) <= pictures.SMALL_BYTES
    with Image.open(io.BytesIO(small)) as shown:
        assert shown.format == "WEBP"
        assert max(shown.size) >= 96
        assert shown.getpixel((0, 0))[3] == 0


@pytest.mark.parametrize("colour", ["#ffffff", "#f5b000", "#00ff00", "#1b4f8a", "#000000"])
def test_white_can_be_read_on_every_colour(colour):
    found = pictures.dark_enough(colour)
    assert 1.05 / (pictures._luminance(*pictures._rgb(found)) + 0.05) >= 4.5


def test_a_colour_is_six_hexadecimal_digits_or_nothing():
    assert pictures.clean_colour(" #1B4F8A ") == "#1b4f8a"
    assert pictures.clean_colour("") == ""
    for wrong in ("red", "#fff", "#1b4f8a;background:url(x)"):
        with pytest.raises(InvalidInput):
            pictures.clean_colour(wrong)
