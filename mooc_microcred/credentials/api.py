"""The verbs of the credentials room; the only thing that other rooms call."""

from mooc_microcred.credentials.keys import (
    create_key,
    did_document,
    list_keys,
    reencrypt_keys,
    revoke_key,
    rotate_key,
)
from mooc_microcred.credentials.status.settling import settle_awards
from mooc_microcred.credentials.verification.engine import verify

__all__ = [
    "create_key",
    "did_document",
    "list_keys",
    "reencrypt_keys",
    "revoke_key",
    "rotate_key",
    "settle_awards",
    "verify",
]
