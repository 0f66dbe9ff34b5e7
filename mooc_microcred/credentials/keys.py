"""Keys of issuers: making, rotating and revoking them, and the DID document that publishes them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from mooc_microcred.achievements.models import Issuer
from mooc_microcred.core import clock, crypto
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import InvalidInput, NotFound, WrongState
from mooc_microcred.credentials.addresses import did_web
from mooc_microcred.credentials.contexts import DID, MULTIKEY
from mooc_microcred.credentials.data import KeyData
from mooc_microcred.credentials.models import IssuerKey
from mooc_microcred.credentials.multikey import did_key, public_multikey
from mooc_microcred.credentials.proofs import instant
from mooc_microcred.credentials.signers import KeyHandle, get_signer
from mooc_microcred.credentials.status.settling import sign_again

log = logging.getLogger(__name__)

State = IssuerKey.State


def is_did_key_issuer(issuer_code: str) -> bool:
    """Say whether an issuer's credentials name a did:key."""
    return issuer_code in microcred_settings.DID_KEY_ISSUERS


def issuer_did(key: IssuerKey) -> str:
    """Return the id of the issuer as credentials signed with this key name it; the issuer is read."""
    return did_key(key.public_key) if is_did_key_issuer(key.issuer.code) else did_web(key.issuer.code)


def verification_method(key: IssuerKey) -> str:
    """Return the id of a key in its issuer's DID document; the issuer is read."""
    if is_did_key_issuer(key.issuer.code):
        return f"{did_key(key.public_key)}#{key.public_key}"
    return f"{did_web(key.issuer.code)}#key-{key.number}"


def handle_of(key: IssuerKey) -> KeyHandle:
    """Return what the signer is told of a key; the issuer is read."""
    return KeyHandle(
        key_id=key.pk,
        issuer=key.issuer.code,
        number=key.number,
        public_key=key.public_key,
        verification_method=verification_method(key),
        reference=key.reference,
        private_key_encrypted=bytes(key.private_key_encrypted),
    )


def key_data(key: IssuerKey) -> KeyData:
    """Return what people may know of a key."""
    return KeyData(
        issuer=key.issuer.code,
        number=key.number,
        state=key.state,
        public_key=key.public_key,
        verification_method=verification_method(key),
        created=key.created,
        retired_at=key.retired_at,
        revoked_from=key.revoked_from,
        revoked_at=key.revoked_at,
    )


def _issuer(code: str) -> Issuer:
    found = Issuer.objects.filter(code=code).first()
    if found is None:
        raise NotFound(_("There is no issuer with this code."))
    return found


def current_key(issuer: Issuer) -> IssuerKey:
    """Return the key with which an issuer signs now; the first time it is made."""
    found = IssuerKey.objects.select_related("issuer").filter(issuer=issuer, current=True).first()
    if found is None:
        try:
            with transaction.atomic():
                found = _make_key(issuer, actor_id=None, action="issuer_key.created")
        except IntegrityError:
            # Another worker made it in the same moment.
            found = IssuerKey.objects.select_related("issuer").get(issuer=issuer, current=True)
    return found


def _make_key(issuer: Issuer, *, actor_id: int | None, action: str) -> IssuerKey:
    """Make the current key of an issuer that has none, in the caller's transaction."""
    signer = get_signer()
    new = signer.create_key(issuer=issuer.code)
    last = IssuerKey.objects.filter(issuer=issuer).aggregate(last=Max("number"))["last"] or 0
    key = IssuerKey(
        issuer=issuer,
        number=last + 1,
        public_key=public_multikey(new.public_key),
        private_key_encrypted=new.private_key_encrypted,
        reference=new.reference,
        created=clock.now(),
    )
    # A signer that signs with another key than it says is found now and not by the first verifier.
    try:
        probe = b"mooc-microcred: does the key sign?"
        Ed25519PublicKey.from_public_bytes(new.public_key).verify(signer.sign(handle_of(key), probe), probe)
    except InvalidSignature:
        raise WrongState(_("The signer does not sign with the key that it made.")) from None
    key.save(force_insert=True)
    _log(key, action, actor_id)
    return key


def create_key(*, issuer_code: str, actor_id: int | None = None) -> KeyData:
    """Make the first key of an issuer; where there is one, return it.

    Raises:
        NotFound: there is no such issuer.
    """
    issuer = _issuer(issuer_code)
    found = IssuerKey.objects.select_related("issuer").filter(issuer=issuer, current=True).first()
    if found is None:
        with transaction.atomic():
            found = _make_key(issuer, actor_id=actor_id, action="issuer_key.created")
    return key_data(found)


def rotate_key(*, issuer_code: str, actor_id: int | None = None) -> KeyData:
    """Make a new key that signs from now on. What the old one signed stays valid.

    Raises:
        NotFound: there is no such issuer.
        WrongState: its credentials name a did:key, which cannot be rotated.
    """
    issuer = _issuer(issuer_code)
    if is_did_key_issuer(issuer.code):
        raise WrongState(_("A did:key cannot be changed. Take the issuer out of DID_KEY_ISSUERS first."))
    with transaction.atomic():
        _lock(issuer)
        IssuerKey.objects.filter(issuer=issuer, current=True).update(
            current=None, state=State.RETIRED, retired_at=clock.now()
        )
        sign_again(issuer_code=issuer.code)
        return key_data(_make_key(issuer, actor_id=actor_id, action="issuer_key.rotated"))


def revoke_key(
    *, issuer_code: str, number: int, since: datetime | None = None, actor_id: int | None = None
) -> KeyData:
    """Say that a key may be in other hands: nothing that it signed is to be trusted from ``since`` on.

    Who has the key can date a signature back, so verifiers elsewhere trust none of its signatures
    any more; our own records tell which credentials were signed before. A new key signs from now on.

    Args:
        since: from when on, UTC; default: from its first day.

    Raises:
        NotFound: there is no such issuer or key.
        InvalidInput: the time is in the future.
        WrongState: it has been revoked before.
    """
    issuer = _issuer(issuer_code)
    now = clock.now()
    if since is not None and since > now:
        raise InvalidInput(_("A key can only be revoked from a time in the past."))
    with transaction.atomic():
        _lock(issuer)
        key = IssuerKey.objects.select_related("issuer").filter(issuer=issuer, number=number).first()
        if key is None:
            raise NotFound(_("The issuer has no key with this number."))
        if key.state == State.REVOKED:
            raise WrongState(_("This key has already been revoked."))
        was_current = key.current
        key.state, key.current = State.REVOKED, None
        key.revoked_at, key.revoked_from = now, since or key.created
        # Nobody signs with it again.
        key.private_key_encrypted = b""
        key.save()
        _log(key, "issuer_key.revoked", actor_id, since=key.revoked_from.isoformat())
        sign_again(issuer_code=issuer.code)
        if was_current:
            _make_key(issuer, actor_id=actor_id, action="issuer_key.rotated")
    return key_data(key)


def list_keys(*, issuer_code: str = "") -> list[KeyData]:
    """Return the keys of one issuer or of all, oldest first."""
    rows = IssuerKey.objects.select_related("issuer").defer("private_key_encrypted")
    if issuer_code:
        rows = rows.filter(issuer=_issuer(issuer_code))
    return [key_data(one) for one in rows.order_by("issuer__code", "number")]


def reencrypt_keys() -> int:
    """Encrypt every private key with the newest of ISSUER_KEY_ENCRYPTION_KEYS; return how many."""
    count = 0
    for key_id in list(IssuerKey.objects.values_list("pk", flat=True)):
        with transaction.atomic():
            key = IssuerKey.objects.select_for_update().get(pk=key_id)
            if not key.private_key_encrypted:
                continue
            private = crypto.decrypt(key.private_key_encrypted, setting=crypto.ISSUER_KEYS)
            key.private_key_encrypted = crypto.encrypt(private, setting=crypto.ISSUER_KEYS)
            key.save(update_fields=["private_key_encrypted"])
            count += 1
    if count:
        log_action(
            actor_id=None,
            action="issuer_key.reencrypted",
            object_type="issuer_key",
            object_id="all",
            count=count,
        )
    return count


def did_document(*, issuer_code: str) -> Mapping[str, Any]:
    """Return the did:web document of an issuer, also of one whose credentials name a did:key.

    Retired keys stay, without an end: what they signed is verified by them. A revoked key stays
    too, so that it can be told from an unknown one, with the time of revocation and without the
    right to sign (W3C Controlled Identifiers 1.0, section 2.2).

    Raises:
        NotFound: there is no such issuer, or it has no key yet.
    """
    issuer = _issuer(issuer_code)
    did = did_web(issuer.code)
    keys = list(IssuerKey.objects.filter(issuer=issuer).defer("private_key_encrypted").order_by("number"))
    if not keys:
        raise NotFound(_("This issuer has not signed anything yet."))
    methods = []
    for key in keys:
        method = {
            "id": f"{did}#key-{key.number}",
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": key.public_key,
        }
        if key.state == State.REVOKED and key.revoked_at:
            method["revoked"] = instant(key.revoked_from or key.revoked_at)
        methods.append(method)
    return {
        "@context": [DID, MULTIKEY],
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [
            method["id"] for method, key in zip(methods, keys, strict=True) if key.state != State.REVOKED
        ],
    }


def _lock(issuer: Issuer) -> None:
    """Let one at a time change the keys of an issuer; an UPDATE locks on SQLite too."""
    Issuer.objects.filter(pk=issuer.pk).update(code=issuer.code)


def _log(key: IssuerKey, action: str, actor_id: int | None, **details: Any) -> None:
    log_action(
        actor_id=actor_id,
        action=action,
        object_type="issuer",
        object_id=key.issuer.code,
        organization=key.issuer.organization,
        key=key.number,
        public_key=key.public_key,
        **details,
    )


def signer_of(issuer: Issuer) -> KeyHandle:
    """Return the key with which an issuer signs now, ready to sign; the first time it is made."""
    return handle_of(current_key(issuer))
