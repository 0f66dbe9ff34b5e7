"""What this platform knows itself: its bundled contexts, its issuers' keys, its credentials' status.

For these nothing is fetched, from others or from ourselves, and the answer is of this moment rather
than of the last list that was signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mooc_microcred.credentials import addresses
from mooc_microcred.credentials.contexts import bundled_context
from mooc_microcred.credentials.kept import kept_documents
from mooc_microcred.credentials.models import (
    Credential,
    Endorsement,
    IssuerKey,
    SignedDocument,
    StatusList,
)
from mooc_microcred.credentials.status.entries import REVOCATION, SUSPENSION

__all__ = ["OwnKey", "bit", "bundled_context", "keys_of", "on_record", "revoked_in_list"]

_DID_KEY = "did:key:"
_COLUMNS = {REVOCATION: "revoked_at", SUSPENSION: "suspended_at"}


class NoSuchList(LookupError):
    """It has an address of ours, and there is no such list of that issuer."""

    code = "no_such_list"


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of an issuer of this platform.

    Attributes:
        multikey: the public half. method: id of the verification method.
        retired_at: when it stopped to sign. revoked_from: from when on it is not to be trusted.
    """

    multikey: str
    method: str
    retired_at: datetime | None
    revoked_from: datetime | None


def keys_of(controller: str) -> list[OwnKey] | None:
    """Return the keys of an issuer of this platform; None where the name is not one of ours."""
    code = _rest(controller, lambda: addresses.did_web(""))
    if code is not None:
        rows = IssuerKey.objects.filter(issuer__code=code)
    elif controller.startswith(_DID_KEY):
        rows = IssuerKey.objects.filter(public_key=controller.removeprefix(_DID_KEY)[:64])
    else:
        return None
    found = [
        OwnKey(
            multikey=key.public_key,
            method=f"{controller}#key-{key.number}" if code is not None else f"{controller}#{key.public_key}",
            retired_at=key.retired_at,
            revoked_from=(key.revoked_from or key.revoked_at)
            if key.state == IssuerKey.State.REVOKED
            else None,
        )
        for key in rows.defer("private_key_encrypted").order_by("-number")
    ]
    # A did:key that is none of ours is somebody else's, and speaks for itself.
    return None if code is None and not found else found


def on_record(document: Mapping[str, Any], before: datetime) -> bool:
    """Say whether we have kept just this document, signed before an instant.

    So what a key signed before it came into other hands can be told from what was dated back.
    """
    uuid = _rest(str(document.get("id")), lambda: addresses.credential_url(""))
    if uuid is None:
        return False
    uuid, _slash, _part = uuid.partition("/")
    if not Credential.objects.filter(uuid=uuid, signed_at__lt=before).exists():
        return False
    kept = [kept_documents(uuids=[uuid], kind=kind).get(uuid) for kind in SignedDocument.Kind.values]
    return any(one is not None and json.loads(one) == document for one in kept)


def bit(address: str, index: int, issuer: str) -> bool | None:
    """Return a bit of one of our status lists; None where the address is not one of ours.

    Args:
        issuer: id of the credential's issuer, whose list it must be.

    Raises:
        NoSuchList: there is none of that issuer.
    """
    rest = _rest(address, lambda: addresses.status_list_url(""))
    if rest is None:
        return None
    code, _slash, purpose = rest.partition("/")
    found = (
        StatusList.objects.filter(code=code).values_list("issuer__code", "size").first()
        if purpose in _COLUMNS
        else None
    )
    if found is None or index >= found[1] or not _is_issuer(found[0], issuer):
        raise NoSuchList(address)
    return Credential.objects.filter(
        status_list__code=code, status_index=index, **{f"{_COLUMNS[purpose]}__isnull": False}
    ).exists()


def revoked_in_list(address: str, credential: str, issuer: str) -> bool | None:
    """Say whether one of our 1EdTech revocation lists names a credential; None where it is not ours.

    Raises:
        NoSuchList: it is not the list of that issuer.
    """
    rest = _rest(address, lambda: addresses.revocations_url("\0").partition("\0")[0])
    if rest is None:
        return None
    code = rest.removesuffix("/revocations.json")
    if addresses.revocations_url(code) != address or not _is_issuer(code, issuer):
        raise NoSuchList(address)
    uuid = _rest(credential, lambda: addresses.credential_url(""))
    if uuid is not None:
        return Credential.objects.filter(uuid=uuid, issuer__code=code, revoked_at__isnull=False).exists()
    uuid = _rest(credential, lambda: addresses.endorsement_url(""))
    if uuid is not None:
        return Endorsement.objects.filter(uuid=uuid, endorser__code=code, withdrawn_at__isnull=False).exists()
    return False


def _is_issuer(code: str, did: str) -> bool:
    """Say whether a DID is one of those of an issuer of ours."""
    if did == addresses.did_web(code):
        return True
    multikey = did.removeprefix(_DID_KEY)
    return did != multikey and IssuerKey.objects.filter(public_key=multikey[:64], issuer__code=code).exists()


def _rest(address: str, prefix: Callable[[], str]) -> str | None:
    """Return what follows our own beginning of an address; None where it is somebody else's."""
    try:
        beginning = prefix()
    except ImproperlyConfigured:
        return None
    return address[len(beginning) :] if address.startswith(beginning) and "\0" not in address else None
