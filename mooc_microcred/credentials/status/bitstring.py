"""The bits of a status list and their form in a document.

Source: W3C Bitstring Status List v1.0, sections 3.1 to 3.4: at least 131,072 bits, index 0 is the
left-most bit, compressed with GZIP, in base64url without padding behind the multibase letter ``u``.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib
from collections.abc import Iterable

#: Entries of every list that we publish; the specification wants no fewer, for privacy in the crowd.
LIST_SIZE = 131_072
# Bytes that a foreign list may have, packed and unpacked: four million entries.
MAX_PACKED = 1024 * 1024
MAX_UNPACKED = 512 * 1024


class BadBitstring(ValueError):
    """It is not a status list, or too long a one."""


def encode(indexes: Iterable[int], *, size: int = LIST_SIZE) -> str:
    """Return the ``encodedList`` in which just the bits of ``indexes`` are set.

    The same bits always give the same text: GZIP's header holds no time.

    Raises:
        IndexError: an index is negative or not below ``size``.
    """
    bits = bytearray(size // 8)
    for index in indexes:
        if not 0 <= index < size:
            raise IndexError(index)
        bits[index >> 3] |= 0x80 >> (index & 7)
    packed = gzip.compress(bytes(bits), compresslevel=9, mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(encoded: str) -> bytes:
    """Return the bits of an ``encodedList``, of any size that the specification allows.

    Raises:
        BadBitstring: another encoding, damaged, shorter than 131,072 entries, or unpacking to more
            than we read.
    """
    if not isinstance(encoded, str) or not encoded.startswith("u") or len(encoded) > MAX_PACKED:
        raise BadBitstring("not multibase base64url, or too long")
    try:
        text = encoded[1:].encode("ascii")
        packed = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        bits = unpacker.decompress(packed, MAX_UNPACKED + 1)
    except (UnicodeEncodeError, binascii.Error, zlib.error) as error:
        raise BadBitstring(str(error)) from None
    if len(bits) > MAX_UNPACKED:
        raise BadBitstring("unpacks to more than is read")
    if not unpacker.eof:
        raise BadBitstring("ends early")
    if len(bits) * 8 < LIST_SIZE:
        raise BadBitstring("fewer than 131072 entries")
    return bits


def is_set(bits: bytes, index: int) -> bool:
    """Say whether the bit of an entry is set.

    Raises:
        IndexError: the list has no such entry.
    """
    if not 0 <= index < len(bits) * 8:
        raise IndexError(index)
    return bool(bits[index >> 3] & (0x80 >> (index & 7)))
