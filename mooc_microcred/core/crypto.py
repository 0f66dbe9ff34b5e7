"""Personal data at rest: authenticated encryption and keyed hashes."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.exceptions import ImproperlyConfigured

from mooc_microcred.core.conf import microcred_settings


def _cipher() -> MultiFernet:
    keys = microcred_settings.ENCRYPTION_KEYS
    if not keys:
        raise ImproperlyConfigured("MOOC_MICROCRED['ENCRYPTION_KEYS'] is empty")
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(data: bytes) -> bytes:
    """Encrypt with the newest key (Fernet: AES-128-CBC and HMAC-SHA256)."""
    return _cipher().encrypt(data)


def decrypt(token: bytes | memoryview) -> bytes:
    """Decrypt with whichever of the configured keys fits.

    Raises:
        ValueError: no key fits, or the data was changed.
    """
    try:
        return _cipher().decrypt(bytes(token))
    except InvalidToken:
        raise ValueError("no key in MOOC_MICROCRED['ENCRYPTION_KEYS'] decrypts this value") from None


def keyed_hash(*parts: str) -> str:
    """Return HMAC-SHA256 in hex. 13 digits can be guessed by trying all, so the key is what protects them."""
    key = microcred_settings.IDENTITY_HASH_KEY
    if not key:
        raise ImproperlyConfigured("MOOC_MICROCRED['IDENTITY_HASH_KEY'] is empty")
    return hmac.new(key.encode(), "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()
