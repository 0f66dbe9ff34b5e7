"""Public keys in the forms in which issuers publish them, and checking a signature with one.

Sources: W3C Controlled Identifiers 1.0 section 2.2 (Multikey, JsonWebKey), RFC 7517 and 8037 (JWK),
did:key v0.7, RFC 7518 (RS256, ES256).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

PublicKey = ed25519.Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES = {character: value for value, character in enumerate(_BASE58)}
# The longest thing in base58 here is a signature of 64 bytes; decoding is quadratic.
_BASE58_LENGTH = 200
_ED25519 = b"\xed\x01"
# Bits of an RSA key: fewer are broken, more are slow.
_RSA_BITS = (2048, 8192)
_P256_BYTES = 32


class BadKey(ValueError):
    """It is not a public key of a kind that is supported, or damaged."""


def from_base58(text: str) -> bytes:
    """Return the bytes of a base58btc text.

    Raises:
        BadKey: another character, or too long.
    """
    if not isinstance(text, str) or len(text) > _BASE58_LENGTH:
        raise BadKey("base58")
    number = 0
    for character in text:
        if character not in _BASE58_VALUES:
            raise BadKey("base58")
        number = number * 58 + _BASE58_VALUES[character]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def from_base64url(text: str) -> bytes:
    """Return the bytes of a base64url text without padding.

    Raises:
        BadKey: another alphabet, or padded.
    """
    try:
        raw = text.encode("ascii")
        found = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, AttributeError, binascii.Error):
        raise BadKey("base64url") from None
    if b"=" in raw or base64.urlsafe_b64encode(found).rstrip(b"=") != raw:
        # Bits left over that are not zero would let one value have several texts.
        raise BadKey("base64url")
    return found


def from_multibase(text: str) -> bytes:
    """Return the bytes of a multibase text in base58btc (``z``) or base64url (``u``).

    Raises:
        BadKey: another base, or damaged.
    """
    if isinstance(text, str) and text.startswith("z"):
        return from_base58(text[1:])
    if isinstance(text, str) and text.startswith("u"):
        return from_base64url(text[1:])
    raise BadKey("multibase")


def key_of_multikey(text: str) -> PublicKey:
    """Return the key of a ``publicKeyMultibase``.

    Raises:
        BadKey: not an Ed25519 public key.
    """
    found = from_multibase(text)
    if not found.startswith(_ED25519) or len(found) != 34:
        raise BadKey("not an Ed25519 multikey")
    return ed25519.Ed25519PublicKey.from_public_bytes(found[2:])


def key_of_jwk(jwk: Mapping[str, Any]) -> PublicKey:
    """Return the key of a public JWK: OKP Ed25519, RSA, EC P-256.

    Raises:
        BadKey: another kind, damaged, or with private parts in it.
    """
    if not isinstance(jwk, Mapping) or "d" in jwk:
        raise BadKey("jwk")
    try:
        kind = jwk.get("kty")
        if kind == "OKP" and jwk.get("crv") == "Ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(from_base64url(jwk["x"]))
        if kind == "RSA":
            modulus, exponent = (_number(jwk[name]) for name in ("n", "e"))
            if not _RSA_BITS[0] <= modulus.bit_length() <= _RSA_BITS[1] or exponent.bit_length() > 64:
                raise BadKey("RSA key of a size that is not supported")
            return rsa.RSAPublicNumbers(exponent, modulus).public_key()
        if kind == "EC" and jwk.get("crv") == "P-256":
            numbers = ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), ec.SECP256R1())
            return numbers.public_key()
    except (KeyError, TypeError, ValueError) as error:
        raise BadKey(str(error)) from None
    raise BadKey("kind of key")


def key_of_method(method: Mapping[str, Any]) -> PublicKey:
    """Return the key of a verification method of a DID document, or of a bare JWK.

    Raises:
        BadKey: none, or of a kind that is not supported.
    """
    if isinstance(method.get("publicKeyMultibase"), str):
        return key_of_multikey(method["publicKeyMultibase"])
    if isinstance(method.get("publicKeyJwk"), Mapping):
        return key_of_jwk(method["publicKeyJwk"])
    if "kty" in method:
        return key_of_jwk(method)
    raise BadKey("no key")


def same_key(one: PublicKey, other: PublicKey) -> bool:
    """Say whether two keys are the same."""
    return type(one) is type(other) and one == other


def signature_is_right(key: PublicKey, algorithm: str, data: bytes, signature: bytes) -> bool:
    """Check a signature.

    Args:
        algorithm: ``EdDSA``, ``RS256`` or ``ES256``, the name of JWS; it must be the key's own.
    """
    try:
        if algorithm == "EdDSA" and isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        elif algorithm == "RS256" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        elif algorithm == "ES256" and isinstance(key, ec.EllipticCurvePublicKey):
            if len(signature) != 2 * _P256_BYTES:
                return False
            halves = (
                int.from_bytes(signature[:_P256_BYTES], "big"),
                int.from_bytes(signature[_P256_BYTES:], "big"),
            )
            key.verify(encode_dss_signature(*halves), data, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def _number(text: str) -> int:
    return int.from_bytes(from_base64url(text), "big")
