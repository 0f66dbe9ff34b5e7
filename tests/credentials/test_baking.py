"""Baked badges: what is baked is read again, by us and by others; files of strangers do no harm."""

import io
import json
import struct
import zlib
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.credentials import baking
from mooc_microcred.credentials.pictures import badge_png, badge_svg

CREDENTIAL = json.dumps(
    {"name": 'ใบรับรอง ]]> & <b>"x"</b>', "id": "https://lms.example.org/1"}, ensure_ascii=False
)
JWT = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ4In0.c2ln"


@pytest.mark.parametrize("credential", [CREDENTIAL, JWT])
def test_what_is_baked_into_a_png_is_read_again_and_the_picture_is_the_same(credential):
    baked = baking.bake_png(badge_png("level1"), credential)
    assert baking.extract_credential(baked) == credential
    with Image.open(io.BytesIO(baked)) as picture, Image.open(io.BytesIO(badge_png("level1"))) as plain:
        assert picture.tobytes() == plain.tobytes()
        # Another reader than ours finds it under the keyword that the specification gives.
        assert picture.text["openbadgecredential"] == credential


@pytest.mark.parametrize("credential", [CREDENTIAL, JWT])
def test_what_is_baked_into_an_svg_is_read_again_and_is_the_first_child(credential):
    baked = baking.bake_svg(badge_svg("programme", title="ชุดวิชา"), credential)
    assert baking.extract_credential(baked) == credential
    first = ElementTree.fromstring(baked)[0]
    assert first.tag == "{https://purl.imsglobal.org/ob/v3p0}credential"
    assert (first.get("verify") or first.text) == credential


def test_a_new_credential_replaces_the_one_in_a_png():
    twice = baking.bake_png(baking.bake_png(badge_png("level2"), "{}"), CREDENTIAL)
    assert baking.extract_credential(twice) == CREDENTIAL


def test_an_svg_is_baked_once():
    with pytest.raises(InvalidInput):
        baking.bake_svg(baking.bake_svg(badge_svg("level2"), "{}"), "{}")


def test_a_picture_without_a_credential_has_none():
    assert baking.extract_credential(badge_png("level1")) is None
    assert baking.extract_credential(badge_svg("level1")) is None


def test_a_compressed_text_of_another_baker_is_read_within_bounds():
    def baked_with(text: bytes) -> bytes:
        chunk = b"openbadgecredential\0\1\0\0\0" + zlib.compress(text)
        data = (
            struct.pack(">I", len(chunk)) + b"iTXt" + chunk + struct.pack(">I", zlib.crc32(b"iTXt" + chunk))
        )
        picture = badge_png("level1")
        return picture[:33] + data + picture[33:]

    assert baking.extract_credential(baked_with(CREDENTIAL.encode())) == CREDENTIAL
    with pytest.raises(InvalidInput, match="too large"):
        baking.extract_credential(baked_with(b" " * 50_000_000))


DOCTYPE = b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<html></html>",
        b"<svg",
        b"\xff\xfe<",
        DOCTYPE + b'<svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
        b'<!DOCTYPE svg SYSTEM "http://169.254.169.254/"><svg xmlns="http://www.w3.org/2000/svg"/>',
        b"<svg>" * 5000,
        b'<?xml version="1.0" encoding="nonsense"?><svg/>',
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 100,
        badge_png("level1")[:-20],
        badge_png("level1")[:60] + b"\x00" + badge_png("level1")[61:],
    ],
)
def test_a_damaged_or_hostile_picture_is_refused_in_words(content):
    with pytest.raises(InvalidInput):
        baking.extract_credential(content)


def test_two_credentials_in_one_picture_are_refused():
    one = baking.bake_svg(badge_svg("level1"), "{}").decode()
    element = one[one.index("<openbadges") : one.index("</openbadges:credential>") + 24]
    with pytest.raises(InvalidInput, match="more than one"):
        baking.extract_credential(one.replace(element, element * 2).encode())


@settings(max_examples=300, deadline=1000)
@given(
    st.binary(max_size=600), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"<svg>", badge_png("level1")[:45]])
)
def test_no_bytes_lead_to_anything_but_an_answer_or_a_refusal(tail, head):
    try:
        found = baking.extract_credential(head + tail)
    except InvalidInput:
        return
    assert found is None or isinstance(found, str)
