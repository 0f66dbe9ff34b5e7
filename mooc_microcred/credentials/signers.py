"""Who holds the private keys of issuers and signs with them.

``MOOC_MICROCRED["SIGNER"]`` names a class with the two methods of :class:`Signer`. The one here
keeps the keys in the database, encrypted; another one leaves them in a KMS or an HSM and stores
only what that calls them. See docs/reference/credentials.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mooc_microcred.core import crypto
from mooc_microcred.core.conf import microcred_settings


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that a signer has made.

    Attributes:
        public_key: the 32 bytes of the Ed25519 public key.
        reference: what the signer calls it; stored and given back with every request.
        private_key_encrypted: for a signer that keeps its keys in our database only.
    """

    public_key: bytes
    reference: str = ""
    private_key_encrypted: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class KeyHandle:
    """What a signer is told of the key to sign with.

    Attributes:
        public_key: as Multikey (``z6Mk…``).
        verification_method: its id in the issuer's DID document.
    """

    key_id: int
    issuer: str
    number: int
    public_key: str
    verification_method: str
    reference: str = ""
    private_key_encrypted: bytes = field(default=b"", repr=False)

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of the signature, by the signer of the settings."""
        return get_signer().sign(self, data)


class Signer(Protocol):
    """What MOOC_MICROCRED["SIGNER"] names. Must be safe in several threads."""

    def create_key(self, *, issuer: str) -> NewKey:
        """Make a new Ed25519 key for the issuer of that code."""

    def sign(self, key: KeyHandle, data: bytes) -> bytes:
        """Return the 64 bytes of the Ed25519 signature over ``data``."""


class KeyUnusable(Exception):
    """The private key cannot be used. The text names the key, never what it holds."""


class DatabaseSigner:
    """Keeps private keys in the database, encrypted with ISSUER_KEY_ENCRYPTION_KEYS."""

    def create_key(self, *, issuer: str) -> NewKey:  # noqa: ARG002 one signer serves all issuers
        """Make a key; its private half leaves this method encrypted only."""
        private = Ed25519PrivateKey.generate()
        return NewKey(
            public_key=private.public_key().public_bytes_raw(),
            private_key_encrypted=crypto.encrypt(private.private_bytes_raw(), setting=crypto.ISSUER_KEYS),
        )

    def sign(self, key: KeyHandle, data: bytes) -> bytes:
        """Sign with the key that the handle carries.

        Raises:
            KeyUnusable: no encryption key fits, or the row was changed.
        """
        return _opened(key.private_key_encrypted, key.public_key).sign(data)


@lru_cache(maxsize=256)
def _opened(encrypted: bytes, public_key: str) -> Ed25519PrivateKey:
    """Return a private key ready to sign. Decrypting costs as much as signing, so it is kept."""
    try:
        return Ed25519PrivateKey.from_private_bytes(crypto.decrypt(encrypted, setting=crypto.ISSUER_KEYS))
    except ValueError:
        # Without the cause: a traceback with variables must not show what was decrypted.
        raise KeyUnusable(f"the private key of {public_key} cannot be decrypted") from None


def forget_opened_keys() -> None:
    """Drop the private keys that this process has decrypted."""
    _opened.cache_clear()


def get_signer() -> Signer:
    """Return the signer that MOOC_MICROCRED["SIGNER"] names."""
    found = microcred_settings.imported("SIGNER")
    return found() if isinstance(found, type) else found
