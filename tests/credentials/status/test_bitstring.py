import base64
import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mooc_microcred.credentials.status.bitstring import (
    LIST_SIZE,
    MAX_UNPACKED,
    BadBitstring,
    decode,
    encode,
    is_set,
)


def packed(data: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_the_list_of_the_specification_is_read():
    # Bitstring Status List v1.0, example 3: nothing is set in it.
    bits = decode("uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA")
    assert len(bits) * 8 == LIST_SIZE
    assert not any(bits)


def test_index_0_is_the_left_most_bit():
    bits = decode(encode([0, 9, LIST_SIZE - 1]))
    assert bits[0] == 0b10000000
    assert bits[1] == 0b01000000
    assert bits[-1] == 0b00000001


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, LIST_SIZE - 1), max_size=200))
def test_what_is_set_is_read_again_and_nothing_else(indexes):
    bits = decode(encode(indexes))
    found = {place * 8 + bit for place, byte in enumerate(bits) for bit in range(8) if byte & (0x80 >> bit)}
    assert found == indexes
    assert all(is_set(bits, index) for index in indexes)


def test_the_same_bits_give_the_same_text_in_any_order():
    assert encode([5, 3, 70000]) == encode([70000, 5, 3, 3])


@pytest.mark.parametrize("index", [-1, LIST_SIZE])
def test_an_index_outside_of_the_list_is_refused(index):
    with pytest.raises(IndexError):
        encode([index])
    with pytest.raises(IndexError):
        is_set(decode(encode([])), index)


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "H4sIAAAAAAAA",
        "zH4sIAAAAAAAA",
        "u",
        "u!!!!",
        "u====",
        "uก",
        packed(b"not gzip"),
        packed(gzip.compress(b"\0" * 100, mtime=0)),
        packed(gzip.compress(bytes(LIST_SIZE // 8), mtime=0)[:-12]),
        packed(gzip.compress(bytes(MAX_UNPACKED + 1), mtime=0)),
        None,
        5,
        ["u"],
    ],
)
def test_what_is_no_list_is_refused(encoded):
    with pytest.raises(BadBitstring):
        decode(encoded)


def test_a_bomb_is_not_unpacked():
    bomb = _bomb()
    tracemalloc.start()
    with pytest.raises(BadBitstring):
        decode(bomb)
    assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    tracemalloc.stop()


def _bomb() -> str:
    """Return half a gigabyte of zeros in half a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    parts = [packer.compress(bytes(1 << 20)) for _megabyte in range(500)]
    return packed(b"".join([*parts, packer.flush()]))
