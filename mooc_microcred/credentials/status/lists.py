"""Status lists as they are published: made from the credentials' rows, signed once per change.

``StatusList.changes`` counts changes of bits, in the transactions that change them; a
StatusListDocument says which count it shows. Whoever signs reads the count first and the bits
after, and stores the list only where no newer one is stored (compare-and-set), so a worker that was
paused or killed at any line leaves at worst an older list, which the next sweep signs anew.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Min, Q, QuerySet

from mooc_microcred.core import clock
from mooc_microcred.credentials import addresses, proofs
from mooc_microcred.credentials.contexts import CREDENTIALS_V2
from mooc_microcred.credentials.keys import current_key, handle_of, issuer_did
from mooc_microcred.credentials.models import Credential, Endorsement, StatusList, StatusListDocument
from mooc_microcred.credentials.status.bitstring import encode
from mooc_microcred.credentials.status.entries import PURPOSES, REVOCATION, SUSPENSION

log = logging.getLogger(__name__)

#: Seconds for which a verifier may use a list before it looks again: ``ttl`` and Cache-Control.
TTL = 300

_COLUMNS = {REVOCATION: "revoked_at", SUSPENSION: "suspended_at"}


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A signed list, byte for byte as it is served.

    Attributes:
        body: JSON. etag: changes whenever the body does. signed_at: when it was signed (UTC).
    """

    body: bytes
    etag: str
    signed_at: datetime


def lists_due() -> QuerySet[StatusList]:
    """Return the lists that are not signed as they stand, for some purpose."""
    return (
        StatusList.objects.annotate(signed=Count("documents"), shown=Min("documents__changes"))
        .filter(Q(signed__lt=len(PURPOSES)) | Q(shown__lt=F("changes")))
        .select_related("issuer")
        .order_by("pk")
    )


def sign_due(*, limit: int = 200) -> int:
    """Sign up to ``limit`` lists that have changed; return how many. Must not run inside ``atomic``.

    One issuer whose key cannot be used does not keep the others' lists from being signed.
    """
    signed = 0
    for status_list in lists_due()[:limit]:
        try:
            for purpose in PURPOSES:
                sign(status_list, purpose)
        except Exception:  # the doctor tells that it waits
            log.exception("status list %s could not be signed", status_list.code)
        else:
            signed += 1
    return signed


def sign(status_list: StatusList, purpose: str) -> None:
    """Sign one list for one purpose as the rows stand, unless a list as new is stored."""
    # The order matters: the count first, so that the bits are at least as new as it says.
    changes = StatusList.objects.values_list("changes", flat=True).get(pk=status_list.pk)
    stored = StatusListDocument.objects.filter(status_list=status_list, purpose=purpose).first()
    if stored is not None and stored.changes >= changes:
        return
    key = current_key(status_list.issuer)
    signer = handle_of(key)
    encoded = encode(_set_bits(status_list, purpose), size=status_list.size)
    now = clock.now()
    if stored is not None and _shows(stored.body, encoded, signer.verification_method):
        fields: dict[str, Any] = {"changes": changes}
    else:
        document = list_document(status_list, purpose, issuer=issuer_did(key), encoded=encoded, at=now)
        signed = proofs.add_proof(document, signer, now)
        body = json.dumps(signed, ensure_ascii=False, separators=(",", ":"))
        fields = {"changes": changes, "body": body, "signed_at": now}
    if stored is None:
        try:
            with transaction.atomic():
                StatusListDocument.objects.create(status_list=status_list, purpose=purpose, **fields)
                return
        except IntegrityError:
            pass  # somebody else has made the first one: ours is stored if it is newer
    StatusListDocument.objects.filter(status_list=status_list, purpose=purpose, changes__lt=changes).update(
        **fields
    )


def list_document(
    status_list: StatusList, purpose: str, *, issuer: str, encoded: str, at: datetime
) -> dict[str, Any]:
    """Return a BitstringStatusListCredential without proof (Bitstring Status List v1.0, section 2.2)."""
    address = f"{addresses.status_list_url(status_list.code)}/{purpose}"
    return {
        "@context": [CREDENTIALS_V2],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": proofs.instant(at),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": encoded,
            "ttl": TTL * 1000,
        },
    }


def published_list(*, code: str, purpose: str) -> PublishedList | None:
    """Return a list as it was last signed, with one query; None where there is no such list.

    A list that was never signed is signed now.
    """
    found = _stored(code, purpose)
    if found is None and purpose in PURPOSES:
        status_list = StatusList.objects.select_related("issuer").filter(code=code).first()
        if status_list is not None:
            sign(status_list, purpose)
            found = _stored(code, purpose)
    return found


def revocations(*, issuer_code: str) -> dict[str, Any]:
    """Return the 1EdTechRevocationList of an issuer: ids only, no reasons and no names.

    Source: 1EdTech Revocation List Status Method 1.0. It is not signed; https says whose it is.
    """
    credentials = (
        Credential.objects.filter(issuer__code=issuer_code, revoked_at__isnull=False)
        .order_by("uuid")
        .values_list("uuid", flat=True)
    )
    endorsements = (
        Endorsement.objects.filter(endorser__code=issuer_code, withdrawn_at__isnull=False)
        .order_by("uuid")
        .values_list("uuid", flat=True)
    )
    ids = [
        *map(addresses.credential_url, credentials.iterator(chunk_size=10_000)),
        *map(addresses.endorsement_url, endorsements),
    ]
    return {
        "id": addresses.revocations_url(issuer_code),
        "type": "1EdTechRevocationList",
        "issuer": addresses.did_web(issuer_code),
        "revokedCredentials": [{"id": one, "revoked": True} for one in ids],
    }


def _set_bits(status_list: StatusList, purpose: str) -> QuerySet:
    return Credential.objects.filter(
        status_list=status_list, **{f"{_COLUMNS[purpose]}__isnull": False}
    ).values_list("status_index", flat=True)


def _shows(body: str, encoded: str, verification_method: str) -> bool:
    """Say whether a signed list has these bits already, by the key that signs now."""
    document = json.loads(body)
    return (
        document["credentialSubject"]["encodedList"] == encoded
        and document["proof"]["verificationMethod"] == verification_method
    )


def _stored(code: str, purpose: str) -> PublishedList | None:
    row = (
        StatusListDocument.objects.filter(status_list__code=code, purpose=purpose)
        .values_list("body", "signed_at", "pk")
        .first()
    )
    if row is None:
        return None
    body, signed_at, pk = row
    return PublishedList(body.encode(), f'"{pk}-{int(signed_at.timestamp() * 1_000_000):x}"', signed_at)
