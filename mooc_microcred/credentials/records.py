"""The Comprehensive Learner Record of a programme: the signed credentials that it stands on.

Source: CLR 2.0, appendix B. There are few of them and each is different, so the full algorithm
makes the canonical form.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mooc_microcred.credentials import addresses
from mooc_microcred.credentials.contexts import (
    CREDENTIALS_V2,
    LEARNER_RECORD,
    OPEN_BADGES,
    OPEN_BADGES_EXTENSIONS,
)
from mooc_microcred.credentials.kept import kept_documents
from mooc_microcred.credentials.proofs import Signs
from mooc_microcred.credentials.rendering import Frame
from mooc_microcred.credentials.signing import sign_slowly


def sign_record(frame: Frame, body: bytes, parts: Sequence[str], signer: Signs, now: datetime) -> bytes:
    """Return the signed record of a programme.

    Args:
        frame: of the programme. body: its own signed Open Badges credential.
        parts: uuids of the credentials that it stands on, in the order in which they are listed.

    Raises:
        CannotSign: see :func:`~mooc_microcred.credentials.proofs.canonical_form`.
    """
    programme = json.loads(body)
    found = {uuid: json.loads(kept) for uuid, kept in kept_documents(uuids=parts).items()}
    document = build_record(frame, programme, [found[uuid] for uuid in parts])
    return sign_slowly(document, signer, now).body


def build_record(frame: Frame, programme: dict[str, Any], parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a ClrCredential without proof."""
    subject = programme["credentialSubject"]
    who = {name: subject[name] for name in ("id", "identifier") if name in subject}
    document: dict[str, Any] = {
        "@context": [
            CREDENTIALS_V2,
            LEARNER_RECORD,
            OPEN_BADGES,
            OPEN_BADGES_EXTENSIONS,
            addresses.own_context_url(),
        ],
        "id": f"{programme['id']}/record",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": programme["name"],
        "nameIn": programme["nameIn"],
        "issuer": programme["issuer"],
        "validFrom": programme["validFrom"],
    }
    if "validUntil" in programme:
        document["validUntil"] = programme["validUntil"]
    document["credentialSubject"] = {
        **who,
        "type": ["ClrSubject"],
        "verifiableCredential": [programme, *parts],
        "association": [
            {
                "type": "Association",
                "associationType": "isParentOf",
                "sourceId": programme["id"],
                "targetId": part["id"],
            }
            for part in parts
        ],
    }
    # It stands and falls with the programme's own credential.
    document["credentialStatus"] = [
        entry for entry in programme["credentialStatus"] if "statusListIndex" in entry
    ]
    return document
