"""Signed documents at rest: compressed with a text that those of one kind have in common.

The bytes that come back are the bytes that were signed.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import lru_cache

from mooc_microcred.credentials.models import DocumentDictionary

# The window of zlib: of a longer text only the end would be used.
_MOST = 32 * 1024


def dictionary_of(text: bytes) -> DocumentDictionary:
    """Return the stored text by which documents like this one are compressed."""
    text = text[-_MOST:]
    found, _made = DocumentDictionary.objects.get_or_create(
        sha256=hashlib.sha256(text).hexdigest(), defaults={"content": text}
    )
    return found


def pack(body: bytes, dictionary: bytes = b"") -> bytes:
    """Compress a document."""
    packer = zlib.compressobj(level=6, zdict=dictionary) if dictionary else zlib.compressobj(level=6)
    return packer.compress(body) + packer.flush()


def unpack(packed: bytes, dictionary_id: int | None) -> bytes:
    """Return the document byte for byte."""
    return expand(packed, _content(dictionary_id) if dictionary_id else b"")


def expand(packed: bytes, content: bytes) -> bytes:
    """Return the document byte for byte; ``content`` is the text by which it was compressed, if any."""
    unpacker = zlib.decompressobj(zdict=content) if content else zlib.decompressobj()
    return unpacker.decompress(bytes(packed))


@lru_cache(maxsize=500)
def _content(dictionary_id: int) -> bytes:
    """Return a stored text; it never changes."""
    return bytes(DocumentDictionary.objects.values_list("content", flat=True).get(pk=dictionary_id))
