"""VC-JWT: a credential as the payload of a signed JSON Web Token.

Sources: Open Badges 3.0 section 8.2 (JSON Web Token proof format), RFC 7515, RFC 8725 (best
practices: the algorithm must be the key's, no ``none``, no unknown critical header).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.credentials.verification.dates import instant
from mooc_microcred.credentials.verification.keys import BadKey, from_base64url
from mooc_microcred.credentials.verification.reading import Unreadable, parse
from mooc_microcred.credentials.verification.required import id_of, listed

# JWS has EdDSA; RFC 9864 names the curve instead.
ALGORITHMS = {"EdDSA": "EdDSA", "Ed25519": "EdDSA", "RS256": "RS256", "ES256": "ES256"}


@dataclass(frozen=True, slots=True)
class Token:
    """A JWT in its parts. ``algorithm`` is empty where it is none that is supported."""

    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    algorithm: str
    signed: bytes
    signature: bytes

    @property
    def document(self) -> Mapping[str, Any]:
        """Return the credential in the payload: the payload itself, or its claim ``vc``."""
        inner = self.payload.get("vc")
        if isinstance(inner, Mapping):
            return inner
        return {name: value for name, value in self.payload.items() if name not in _REGISTERED}


_REGISTERED = ("iss", "jti", "sub", "nbf", "exp", "iat", "aud", "vc")


def read_token(text: str) -> Token:
    """Return the parts of a compact JWS whose payload is a JSON object.

    Raises:
        Unreadable: it is damaged.
    """
    parts = text.split(".")
    try:
        header, payload = (parse(from_base64url(part).decode()) for part in parts[:2])
        signature = from_base64url(parts[2])
    except (BadKey, UnicodeDecodeError, Unreadable):
        raise Unreadable(_("This JWT is damaged."), "token") from None
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise Unreadable(_("This JWT is damaged."), "token")
    name = header.get("alg")
    algorithm = ALGORITHMS.get(name, "") if isinstance(name, str) and "crit" not in header else ""
    return Token(header, payload, algorithm, ".".join(parts[:2]).encode(), signature)


def differing_claims(token: Token) -> list[str]:
    """Return the registered claims that say something else than the credential (OB 3.0 section 8.2.4.1)."""
    document = token.document
    payload = token.payload
    subjects = [one for one in listed(document.get("credentialSubject")) if isinstance(one, Mapping)]
    told = {
        "iss": id_of(document.get("issuer")),
        "jti": id_of(document),
        "sub": id_of(subjects[0]) if subjects else "",
    }
    found = [name for name, value in told.items() if name in payload and value and payload[name] != value]
    if not payload.get("iss") and not told["iss"]:
        found.append("iss")
    for name, field in (("nbf", "validFrom"), ("exp", "validUntil")):
        value, written = claim_instant(token, name), instant(document.get(field))
        unreadable = name in payload and value is None
        if unreadable or (value and written and abs((value - written).total_seconds()) > 1):
            found.append(name)
    return found


def claim_instant(token: Token, name: str) -> datetime | None:
    """Return the instant of a numeric date among the claims, or None."""
    value = token.payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**38:
        return None
    try:
        return datetime.fromtimestamp(value, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None
