"""What the status lists that a credential names say about it.

Sources: Bitstring Status List v1.0 section 3.2 (validation), 1EdTech Revocation List Status Method
1.0. Our own lists are not read as documents: the state that they are made of is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.credentials.status.bitstring import BadBitstring, decode, is_set
from mooc_microcred.credentials.status.entries import (
    BITSTRING_ENTRY,
    REVOCATION,
    REVOCATION_LIST,
    SUSPENSION,
)
from mooc_microcred.credentials.verification import limits, own
from mooc_microcred.credentials.verification.network import NotFetched
from mooc_microcred.credentials.verification.report import Outcome
from mooc_microcred.credentials.verification.required import id_of, listed, types_of

ReadList = Callable[[str], "Mapping[str, Any] | None"]


@dataclass(frozen=True, slots=True)
class Found:
    """How one check of status ended."""

    outcome: Outcome
    message: str
    code: str = ""


def read_statuses(document: Mapping[str, Any], read_list: ReadList) -> tuple[Found, Found]:
    """Return what was found about revocation and about suspension.

    Args:
        read_list: returns a list that is fetched and trusted; None where its host is not allowed;
            raises NotFetched.
    """
    entries = [one for one in listed(document.get("credentialStatus")) if isinstance(one, Mapping)]
    found: dict[str, list[Found]] = {REVOCATION: [], SUSPENSION: []}
    if len(entries) > limits.MAX_STATUS_ENTRIES:
        too_many = Found(Outcome.UNKNOWN, _("It names too many status lists to be looked at."), "too_many")
        return too_many, too_many
    for entry in entries:
        types, purpose = types_of(entry), entry.get("statusPurpose")
        if not types or (BITSTRING_ENTRY in types and not isinstance(purpose, str)):
            # In a record the same entry may stand twice, and a property that one of them has lost
            # is still signed: what is missing must not be taken for good news, of neither kind.
            return _malformed(), _malformed()
        if BITSTRING_ENTRY in types:
            if purpose in found:
                found[purpose].append(_of_bit(entry, purpose, document, read_list))
        elif REVOCATION_LIST in types:
            found[REVOCATION].append(_of_revocation_list(entry, document, read_list))
        else:
            found[REVOCATION].append(_unsupported(types))
    return (
        _together(found[REVOCATION], _("It names no list of revocations.")),
        _together(found[SUSPENSION], _("It names no list of suspensions.")),
    )


def _together(found: list[Found], nothing: str) -> Found:
    """Return what several entries about the same say: bad news from any, else good news from any.

    An entry that could not be read does not matter where another one of the same issuer could.
    """
    for outcome in (Outcome.FAILED, Outcome.PASSED, Outcome.UNKNOWN):
        for one in found:
            if one.outcome is outcome:
                return one
    return Found(Outcome.NOT_CHECKED, nothing)


def _of_bit(
    entry: Mapping[str, Any], purpose: str, document: Mapping[str, Any], read_list: ReadList
) -> Found:
    address = entry.get("statusListCredential")
    index = _index(entry.get("statusListIndex"))
    if not isinstance(address, str) or index is None:
        return _malformed()
    try:
        set_ = own.bit(address, index, id_of(document.get("issuer")))
        if set_ is None:
            set_ = _foreign_bit(address, index, purpose, document, read_list)
    except (NotFetched, own.NoSuchList, BadBitstring, IndexError) as error:
        return _unreachable(address, error)
    if set_ is None:
        return _not_allowed(address)
    return _told(purpose, set_)


def _foreign_bit(
    address: str, index: int, purpose: str, document: Mapping[str, Any], read_list: ReadList
) -> bool | None:
    published = read_list(address)
    if published is None:
        return None
    subject = published.get("credentialSubject")
    if (
        "BitstringStatusListCredential" not in types_of(published)
        or not isinstance(subject, Mapping)
        or purpose not in listed(subject.get("statusPurpose"))
        or subject.get("statusSize", 1) != 1
        or id_of(published.get("issuer")) != id_of(document.get("issuer"))
    ):
        raise NotFetched("list_invalid")
    return is_set(decode(str(subject.get("encodedList", ""))), index)


def _of_revocation_list(entry: Mapping[str, Any], document: Mapping[str, Any], read_list: ReadList) -> Found:
    address, credential = id_of(entry), id_of(document)
    if not address or not credential:
        return _malformed()
    try:
        revoked = own.revoked_in_list(address, credential, id_of(document.get("issuer")))
        if revoked is None:
            revoked = _in_foreign_list(address, credential, read_list)
    except (NotFetched, own.NoSuchList) as error:
        return _unreachable(address, error)
    if revoked is None:
        return _not_allowed(address)
    return _told(REVOCATION, revoked)


def _in_foreign_list(address: str, credential: str, read_list: ReadList) -> bool | None:
    published = read_list(address)
    if published is None:
        return None
    return any(
        isinstance(one, Mapping) and one.get("id") == credential and one.get("revoked") is not False
        for one in listed(published.get("revokedCredentials") or published.get("revokedCredential"))
    )


def _index(value: Any) -> int | None:
    """Return an index, which is a decimal text (some issuers write a number)."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.isascii() or not value.isdecimal() or len(value) > 9:
        return None
    return int(value)


def _told(purpose: str, set_: bool) -> Found:
    if purpose == REVOCATION:
        if set_:
            return Found(Outcome.FAILED, _("The issuer has revoked it."), "revoked")
        return Found(Outcome.PASSED, _("The issuer has not revoked it."))
    if set_:
        return Found(Outcome.FAILED, _("The issuer has suspended it."), "suspended")
    return Found(Outcome.PASSED, _("The issuer has not suspended it."))


def _malformed() -> Found:
    return Found(Outcome.UNKNOWN, _("What it says about its status is malformed."), "status_malformed")


def _unsupported(types: tuple[str, ...]) -> Found:
    return Found(
        Outcome.UNKNOWN,
        _("Its status is told by a method that cannot be checked here: %(method)s")
        % {"method": ", ".join(types)[:60]},
        "status_unsupported",
    )


def _not_allowed(address: str) -> Found:
    return Found(
        Outcome.UNKNOWN,
        _("Its status would have to be fetched from %(address)s, which this platform does not do.")
        % {"address": address[:200]},
        "status_not_allowed",
    )


def _unreachable(address: str, error: Exception) -> Found:
    return Found(
        Outcome.UNKNOWN,
        _("Its status could not be read at %(address)s (%(code)s).")
        % {"address": address[:200], "code": getattr(error, "code", "damaged")},
        "status_unreachable",
    )
