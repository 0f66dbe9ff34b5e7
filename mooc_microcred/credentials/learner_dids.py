"""A learner's own identifier: credentials may name a DID instead of the hash of an e-mail address.

Control of it is proved first: the learner's wallet signs a challenge of ours, which ends after some
minutes and names the learner, so that nobody has credentials issued to somebody else's DID.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from cryptography.exceptions import InvalidSignature
from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.retirement import retired_among
from mooc_microcred.credentials.addresses import public_base
from mooc_microcred.credentials.models import LearnerDid
from mooc_microcred.credentials.verification.keys import BadKey, key_of_multikey

_SALT = "mooc_microcred.did"
_SECONDS = 600
_DID_KEY = re.compile(r"did:key:(z6Mk[1-9A-HJ-NP-Za-km-z]{40,50})")


def did_challenge(*, learner_id: int) -> str:
    """Return a text for the learner's wallet to sign; it is good for ten minutes."""
    return signing.dumps({"learner": learner_id}, salt=_SALT)


def did_of(*, learner_id: int) -> str:
    """Return the learner's proved DID; empty without one."""
    return LearnerDid.objects.filter(learner_id=learner_id).values_list("did", flat=True).first() or ""


def use_did(*, learner_id: int, proof: str) -> str:
    """Have the learner's later credentials issued to their DID, after proof of control.

    Args:
        proof: a JWT signed by the DID's key: header ``alg`` EdDSA and ``kid`` the did:key, payload
            ``iss`` the DID, ``aud`` our address and ``nonce`` the challenge (as in OpenID4VCI's
            key proof of type jwt).

    Returns:
        the DID.

    Raises:
        InvalidInput: not a did:key of Ed25519, another audience, an old or somebody else's
            challenge, or a wrong signature.
    """
    header, payload, signed, signature = _read(proof)
    did = payload.get("iss")
    found = _DID_KEY.fullmatch(did) if isinstance(did, str) else None
    if found is None or str(header.get("kid", "")).partition("#")[0] != did or header.get("alg") != "EdDSA":
        raise InvalidInput(_("Only a did:key with an Ed25519 key can be used."))
    if payload.get("aud") != public_base():
        raise InvalidInput(_("The proof was made for another platform."))
    try:
        told = signing.loads(str(payload.get("nonce", "")), salt=_SALT, max_age=_SECONDS)
    except signing.BadSignature:
        raise InvalidInput(_("The challenge is not ours, or too old. Ask for a new one.")) from None
    if told != {"learner": learner_id}:
        raise InvalidInput(_("The challenge is not ours, or too old. Ask for a new one."))
    try:
        key: Any = key_of_multikey(found[1])
        key.verify(signature, signed)
    except (BadKey, InvalidSignature):
        raise InvalidInput(_("The signature of the proof is wrong.")) from None
    with transaction.atomic():
        if not retired_among([learner_id]):
            LearnerDid.objects.update_or_create(
                learner_id=learner_id, defaults={"did": did, "proved_at": clock.now()}
            )
            log_action(actor_id=learner_id, action="did.proved", object_type="learner", object_id=learner_id)
    return found[0]


def forget_did(*, learner_id: int) -> None:
    """Have later credentials name the e-mail address's hash again."""
    with transaction.atomic():
        if LearnerDid.objects.filter(learner_id=learner_id).delete()[0]:
            log_action(
                actor_id=learner_id, action="did.forgotten", object_type="learner", object_id=learner_id
            )


def _read(proof: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Return header, payload, what is signed, and the signature of a compact JWS."""
    parts = proof.split(".") if isinstance(proof, str) and len(proof) < 8192 else []
    try:
        header, payload, signature = (
            base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True) for part in parts
        )
        read = json.loads(header), json.loads(payload)
    except (ValueError, binascii.Error):
        raise InvalidInput(_("This is not a signed proof.")) from None
    if not all(isinstance(one, dict) for one in read):
        raise InvalidInput(_("This is not a signed proof."))
    return read[0], read[1], ".".join(parts[:2]).encode(), signature
