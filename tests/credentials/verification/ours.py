"""Credentials of an issuer of this platform, of each kind and form, signed with its key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from mooc_microcred.achievements.models import Issuer
from mooc_microcred.core import clock
from mooc_microcred.credentials import addresses, contexts, keys, proofs
from mooc_microcred.credentials.models import Credential, StatusList
from mooc_microcred.credentials.status import lists
from mooc_microcred.credentials.status.entries import PURPOSES, status_entries
from mooc_microcred.credentials.verification.keys import from_multibase
from tests.credentials.verification.foreign import ForeignIssuer, base64url
from tests.support.factories import make_award

FROM = datetime(2026, 1, 1, tzinfo=UTC)


class OurIssuer:
    """An issuer with a status list, which gives each credential a row and an index."""

    def __init__(self, code: str = "thai-u"):
        self.issuer, _created = Issuer.objects.get_or_create(
            code=code, defaults={"organization": code.upper(), "definition": {}}
        )
        self.did = addresses.did_web(code)
        self.list = StatusList.objects.create(
            code=f"{code}-1", issuer=self.issuer, number=1, permutation_key="k", created=clock.now()
        )
        self._next = 100

    def issue(self, **changes: Any) -> tuple[Credential, dict[str, Any]]:
        """Return the row and the signed document of an award."""
        award = make_award(self._next)
        row = Credential.objects.create(
            award=award,
            learner_id=award.learner_id,
            issuer=self.issuer,
            key=keys.current_key(self.issuer),
            valid_from=FROM,
            signed_at=clock.now(),
            content="c",
            status_list=self.list,
            status_index=self._next * 1000,
        )
        self._next += 1
        document = ForeignIssuer(did=self.did).credential(
            id=addresses.credential_url(row.uuid),
            credentialStatus=status_entries(
                lists_url=addresses.status_list_url(self.list.code),
                revocations_url=addresses.revocations_url(self.issuer.code),
                index=row.status_index,
            ),
            **changes,
        )
        document["@context"].append(contexts.OPEN_BADGES_EXTENSIONS)
        return row, self.sign(document)

    def sign(self, document: dict[str, Any], **options: Any) -> dict[str, Any]:
        handle = keys.handle_of(keys.current_key(self.issuer))
        return proofs.add_proof(document, handle, options.get("at", datetime(2026, 1, 2, tzinfo=UTC)))

    def token(self, document: dict[str, Any]) -> str:
        """Return the document without proof as a JWT by the issuer's key."""
        handle = keys.handle_of(keys.current_key(self.issuer))
        unsigned = {name: value for name, value in document.items() if name != "proof"}
        claims = {**unsigned, "iss": self.did, "jti": document["id"], "nbf": int(FROM.timestamp())}
        parts = [
            base64url(json.dumps(one, ensure_ascii=False).encode())
            for one in ({"alg": "EdDSA", "typ": "JWT", "kid": handle.verification_method}, claims)
        ]
        signed = ".".join(parts)
        return f"{signed}.{base64url(handle.sign(signed.encode()))}"

    def published(self) -> dict[str, Any]:
        """Return the DID document and the status lists by address, as they are served now."""
        lists.sign_due()
        found = {self.did: dict(keys.did_document(issuer_code=self.issuer.code))}
        for purpose in PURPOSES:
            document = json.loads(lists.published_list(code=self.list.code, purpose=purpose).body)
            found[document["id"]] = document
        return found


def proof_bytes(document: dict[str, Any]) -> bytes:
    return from_multibase(document["proof"]["proofValue"])
