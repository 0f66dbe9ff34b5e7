"""Data Integrity proofs with the cryptosuite eddsa-rdfc-2022 (W3C Recommendation, section 3.2).

The slow and plain way, by pyld: what ``signing`` does fast is checked against this. Nothing here
touches the network or the database; the signer is an argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.translation import gettext as _

from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.credentials.contexts import bundled_context
from mooc_microcred.credentials.multikey import to_multibase
from mooc_microcred.credentials.verification.jsonld import Budget, Canonicalizer, NotCanonical
from mooc_microcred.credentials.verification.keys import BadKey, from_multibase, key_of_multikey

CRYPTOSUITE = "eddsa-rdfc-2022"
# A record of a programme holds many credentials; nobody waits for it.
_SECONDS = 120.0


class CannotSign(InvalidInput):
    """The document has something that no signature would cover, or is no JSON-LD."""


class Signs(Protocol):
    """A key that signs."""

    @property
    def verification_method(self) -> str:
        """Return the id of the verification method."""

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of the Ed25519 signature."""


def instant(value: datetime) -> str:
    """Return an instant as credentials carry it: UTC, whole seconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def canonical_form(document: Mapping[str, Any]) -> str:
    """Return the RDFC-1.0 canonical form of a JSON-LD document as N-Quads.

    Raises:
        CannotSign: a term has no definition in its contexts, a context is not bundled, an id is
            relative: pyld alone would leave such a part out, and anybody could change it.
    """
    canonicalizer = Canonicalizer(bundled=bundled_context, fetch=lambda _url: None, budget=Budget(_SECONDS))
    try:
        return canonicalizer.canonical_form(document)
    except NotCanonical as error:
        raise CannotSign(
            _("This cannot be signed as it stands: %(reason)s") % {"reason": error.message}
        ) from None


def proof_options(*, verification_method: str, created: datetime) -> dict[str, Any]:
    """Return a proof without its value, as it goes into the document."""
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": instant(created),
        "verificationMethod": verification_method,
        "proofPurpose": "assertionMethod",
    }


def hashed(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    """Return what is signed: SHA-256 of the canonical proof options, then of the canonical document."""
    config = canonical_form({"@context": document["@context"], **options})
    return (
        hashlib.sha256(config.encode()).digest() + hashlib.sha256(canonical_form(document).encode()).digest()
    )


def add_proof(document: Mapping[str, Any], signer: Signs, created: datetime) -> dict[str, Any]:
    """Return the document with a proof.

    Args:
        document: JSON-LD without proof; its contexts are bundled.
        signer: the issuer's key.
        created: the instant of signing.

    Raises:
        CannotSign: see :func:`canonical_form`.
    """
    options = proof_options(verification_method=signer.verification_method, created=created)
    value = to_multibase(signer.sign(hashed(document, options)))
    return {**document, "proof": {**options, "proofValue": value}}


def check_proof(document: Mapping[str, Any], public_key: str | bytes) -> bool:
    """Say whether the one proof of a document is right.

    Args:
        public_key: Multikey (``z6Mk…``) or the 32 bytes.

    Raises:
        CannotSign: the document has no canonical form that covers everything.
    """
    proof = dict(document.get("proof") or {})
    value = proof.pop("proofValue", "")
    if proof.get("type") != "DataIntegrityProof" or proof.get("cryptosuite") != CRYPTOSUITE:
        return False
    unsigned = {name: one for name, one in document.items() if name != "proof"}
    try:
        signature = from_multibase(value)
        key: Any = (
            key_of_multikey(public_key)
            if isinstance(public_key, str)
            else Ed25519PublicKey.from_public_bytes(public_key)
        )
        key.verify(signature, hashed(unsigned, proof))
    except (BadKey, InvalidSignature):
        return False
    return True
