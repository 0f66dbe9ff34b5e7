"""Whether a credential's subject is the person whom somebody names by an e-mail address."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from mooc_microcred.credentials.verification.required import listed

_ALGORITHMS = {"sha256": hashlib.sha256, "md5": hashlib.md5}


def belongs_to(document: Mapping[str, Any], email: str) -> bool | None:
    """Compare an e-mail address with the subject's hashed or plain identifiers.

    Source: Open Badges 3.0, IdentityObject: ``identityHash`` is ``sha256$`` and the hash in
    hexadecimal of the address followed by the salt.

    Returns:
        None where the credential names its subject by other means only.
    """
    found = None
    for subject in listed(document.get("credentialSubject")):
        if not isinstance(subject, Mapping):
            continue
        for identity in listed(subject.get("identifier")):
            if not isinstance(identity, Mapping) or identity.get("identityType") != "emailAddress":
                continue
            if _is(identity, email):
                return True
            found = False
        if isinstance(subject.get("email"), str):
            if subject["email"].strip().casefold() == email.strip().casefold():
                return True
            found = False
    return found


def _is(identity: Mapping[str, Any], email: str) -> bool:
    told = identity.get("identityHash")
    if not isinstance(told, str):
        return False
    given = email.strip()
    if identity.get("hashed") is not True:
        return told.strip().casefold() == given.casefold()
    name, _dollar, digest = told.partition("$")
    algorithm = _ALGORITHMS.get(name)
    salt = identity.get("salt")
    if algorithm is None:
        return False
    salt = salt if isinstance(salt, str) else ""
    # Issuers hash the address as they have it; most have it in lower case.
    return any(
        hmac.compare_digest(algorithm((one + salt).encode()).hexdigest(), digest.lower())
        for one in {given, given.lower()}
        if digest.isascii()
    )
