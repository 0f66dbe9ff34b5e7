"""Multibase and Multikey of Ed25519 keys and signatures (W3C Controlled Identifiers 1.0, section 2.2.2)."""

from __future__ import annotations

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519 = b"\xed\x01"
# Ten digits at a time: big numbers are divided by 58**10, small ones are looked up by pairs.
_PAIRS = [left + right for left in _ALPHABET for right in _ALPHABET]
_CHUNK = 58**10
_PAIR = 58**2


def to_base58(data: bytes) -> str:
    """Return bytes as base58btc."""
    number = int.from_bytes(data, "big")
    chunks = []
    while number:
        number, low = divmod(number, _CHUNK)
        low, fifth = divmod(low, _PAIR)
        low, fourth = divmod(low, _PAIR)
        low, third = divmod(low, _PAIR)
        first, second = divmod(low, _PAIR)
        chunks.append(_PAIRS[first] + _PAIRS[second] + _PAIRS[third] + _PAIRS[fourth] + _PAIRS[fifth])
    chunks.reverse()
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(chunks).lstrip("1")


def to_multibase(data: bytes) -> str:
    """Return bytes as multibase base58btc."""
    return "z" + to_base58(data)


def public_multikey(public_key: bytes) -> str:
    """Return the 32 bytes of an Ed25519 public key as ``z6Mk…``."""
    return to_multibase(_ED25519 + public_key)


def did_key(multikey: str) -> str:
    """Return the did:key of a Multikey."""
    return f"did:key:{multikey}"
