"""Baked badges: a picture that carries its signed credential, as Open Badges 3.0 section 5.3 has it.

PNG: one uncompressed ``iTXt`` chunk with the keyword ``openbadgecredential``. SVG: one element
``<openbadges:credential>`` as the first child of the root, with JSON in a CDATA section or a JWT in
its attribute ``verify``. Reading is for files of strangers: everything is bounded, nothing is fetched.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser
from django.utils.translation import gettext as _

from mooc_microcred.core.errors import InvalidInput

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"

# Bytes of a picture that is read, bytes of the credential in it, chunks of a PNG, depth of an SVG.
MAX_PICTURE = 10 * 1024 * 1024
MAX_CREDENTIAL = 1024 * 1024
MAX_CHUNKS = 10_000
MAX_DEPTH = 200


def bake_png(picture: bytes, credential: str) -> bytes:
    """Return the PNG with ``credential`` (JSON or JWT) in it; one that it carried before is replaced.

    Raises:
        InvalidInput: the picture is not a PNG.
    """
    text = KEYWORD + b"\0" + b"\0\0" + b"\0\0" + credential.encode()
    parts = [PNG_SIGNATURE]
    for kind, data in _chunks(picture):
        if _is_credential(kind, data):
            continue
        parts.append(_chunk(kind, data))
        if kind == b"IHDR":
            parts.append(_chunk(b"iTXt", text))
    return b"".join(parts)


def bake_svg(picture: bytes, credential: str) -> bytes:
    """Return the SVG with ``credential`` as the first child of its root.

    Args:
        picture: an SVG of ours, or one that :func:`extract_credential` could read; with no credential yet.
        credential: JSON text, or a JWT in compact form.

    Raises:
        InvalidInput: it is not an SVG, or already carries a credential.
    """
    if extract_credential(picture) is not None:
        raise InvalidInput(_("This picture already carries a credential."))
    if _looks_like_jwt(credential):
        inner = (
            f"<openbadges:credential xmlns:openbadges={quoteattr(NAMESPACE)} verify={quoteattr(credential)}/>"
        )
    else:
        # The end mark of a CDATA section is the only thing that cannot stand in one.
        safe = credential.replace("]]>", "]]]]><![CDATA[>")
        inner = (
            f"<openbadges:credential xmlns:openbadges={quoteattr(NAMESPACE)}>"
            f"<![CDATA[{safe}]]></openbadges:credential>"
        )
    place = _end_of_root_tag(picture)
    return picture[:place] + inner.encode() + picture[place:]


def extract_credential(picture: bytes) -> str | None:
    """Return the credential that a PNG or SVG carries, JSON or JWT as text; None where it carries none.

    Raises:
        InvalidInput: neither a PNG nor an SVG, damaged, too large, or with more than one credential.
    """
    if len(picture) > MAX_PICTURE:
        raise InvalidInput(_("The picture is too large: at most %(limit)s bytes.") % {"limit": MAX_PICTURE})
    if picture.startswith(PNG_SIGNATURE):
        found = [_text_of(data) for kind, data in _chunks(picture) if _is_credential(kind, data)]
    else:
        found = _credentials_of_svg(picture)
    if len(found) > 1:
        raise InvalidInput(_("The picture carries more than one credential; one is allowed."))
    return found[0] if found else None


def is_picture(content: bytes) -> bool:
    """Say whether bytes may be a baked PNG or SVG rather than JSON or a JWT."""
    return content.startswith(PNG_SIGNATURE) or content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _looks_like_jwt(credential: str) -> bool:
    return not credential.lstrip().startswith("{")


def _damaged() -> InvalidInput:
    return InvalidInput(_("The picture is damaged or is neither a PNG nor an SVG."))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Return the (type, data) of each chunk up to IEND; what follows is not part of the picture."""
    if not picture.startswith(PNG_SIGNATURE):
        raise _damaged()
    place = len(PNG_SIGNATURE)
    for _number in range(MAX_CHUNKS):
        head = picture[place : place + 8]
        if len(head) < 8:
            raise _damaged()
        (length,) = struct.unpack(">I", head[:4])
        data = picture[place + 8 : place + 8 + length]
        check = picture[place + 8 + length : place + 12 + length]
        if len(check) < 4 or struct.unpack(">I", check)[0] != zlib.crc32(head[4:] + data):
            raise _damaged()
        yield head[4:], data
        if head[4:] == b"IEND":
            return
        place += 12 + length
    raise _damaged()


def _is_credential(kind: bytes, data: bytes) -> bool:
    return kind == b"iTXt" and data.partition(b"\0")[0] == KEYWORD


def _text_of(data: bytes) -> str:
    """Return the text of an iTXt chunk; a compressed one (others make them) is expanded within bounds."""
    body = data[len(KEYWORD) + 1 :]
    compressed, method = body[:1], body[1:2]
    _language, _nul, body = body[2:].partition(b"\0")
    _translated, nul, text = body.partition(b"\0")
    if not nul:
        raise _damaged()
    if compressed == b"\1" and method == b"\0":
        unpack = zlib.decompressobj()
        try:
            text = unpack.decompress(text, MAX_CREDENTIAL + 1)
        except zlib.error:
            raise _damaged() from None
    return _bounded_text(text)


def _bounded_text(text: bytes) -> str:
    if len(text) > MAX_CREDENTIAL:
        raise InvalidInput(
            _("The credential in the picture is too large: at most %(limit)s bytes.")
            % {"limit": MAX_CREDENTIAL}
        )
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise _damaged() from None


class _CredentialCollector:
    """What the XML parser feeds: keeps nothing but the credential elements."""

    def __init__(self):
        self.found: list[str] = []
        self.depth = 0
        self.root = ""
        self._open: list[str] | None = None
        self._length = 0

    def start(self, tag, attributes):
        self.depth += 1
        self.root = self.root or tag
        if self.depth > MAX_DEPTH or self._open is not None:
            raise _damaged()
        if tag == f"{{{NAMESPACE}}}credential":
            if len(self.found) > 1:
                raise _damaged()
            self._open = [attributes.get("verify", "")]

    def data(self, text):
        if self._open is not None:
            self._length += len(text)
            if self._length > MAX_CREDENTIAL:
                _bounded_text(b" " * (MAX_CREDENTIAL + 1))
            self._open.append(text)

    def end(self, _tag):
        self.depth -= 1
        if self._open is not None:
            verify, *text = self._open
            self.found.append(verify.strip() or "".join(text).strip())
            self._open = None

    def close(self):
        return self.found


def _credentials_of_svg(picture: bytes) -> list[str]:
    collector = _CredentialCollector()
    parser = XMLParser(target=collector, forbid_dtd=True)
    try:
        parser.feed(picture)
        parser.close()
    except (SyntaxError, ValueError, ExpatError, LookupError, DefusedXmlException):
        raise _damaged() from None
    if collector.root.rpartition("}")[2] != "svg":
        raise _damaged()
    return collector.found


def _end_of_root_tag(picture: bytes) -> int:
    """Return the index after the root's start tag, which attributes may make hard to see: > in quotes."""
    start = picture.find(b"<svg")
    quote = 0
    for place in range(start, len(picture)):
        byte = picture[place]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == ord(">"):
            if picture[place - 1] == ord("/"):
                break
            return place + 1
    raise _damaged()
