"""Personal data at rest: authenticated encryption and keyed hashes."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.exceptions import ImproperlyConfigured

from mooc_microcred.core.conf import microcred_settings

PERSONAL_DATA = "ENCRYPTION_KEYS"
ISSUER_KEYS = "ISSUER_KEY_ENCRYPTION_KEYS"


def _cipher(setting: str) -> MultiFernet:
    keys = getattr(microcred_settings, setting) or microcred_settings.ENCRYPTION_KEYS
    if not keys:
        raise ImproperlyConfigured("MOOC_MICROCRED['ENCRYPTION_KEYS'] is empty")
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(data: bytes, *, setting: str = PERSONAL_DATA) -> bytes:
    """Encrypt with the newest key of a setting (Fernet: AES-128-CBC and HMAC-SHA256)."""
    return _cipher(setting).encrypt(data)


def decrypt(token: bytes | memoryview, *, setting: str = PERSONAL_DATA) -> bytes:
    """Decrypt with whichever of the configured keys fits.

    Raises:
        ValueError: no key fits, or the data was changed.
    """
    try:
        return _cipher(setting).decrypt(bytes(token))
    except InvalidToken:
        raise ValueError(f"no key in MOOC_MICROCRED[{setting!r}] decrypts this value") from None


def keyed_hash(*parts: str) -> str:
    """Return HMAC-SHA256 in hex. 13 digits can be guessed by trying all, so the key is what protects them."""
    key = microcred_settings.IDENTITY_HASH_KEY
    if not key:
        raise ImproperlyConfigured("MOOC_MICROCRED['IDENTITY_HASH_KEY'] is empty")
    return hmac.new(key.encode(), "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()
