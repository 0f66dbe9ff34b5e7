"""Reading what was issued: credentials as data, their documents byte for byte, JWTs and Open Badges 2.0."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings as django_settings
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from mooc_microcred.achievements.catalogue import parse_definition
from mooc_microcred.achievements.models import AchievementVersion, Issuer
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import NotFound, WrongState
from mooc_microcred.core.texts import Text
from mooc_microcred.credentials import addresses
from mooc_microcred.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS
from mooc_microcred.credentials.data import CredentialData
from mooc_microcred.credentials.filling import frame_of, logo_of
from mooc_microcred.credentials.kept import Kind, kept_documents
from mooc_microcred.credentials.keys import current_key, handle_of, issuer_did
from mooc_microcred.credentials.models import Credential, IssuerKey, SignedDocument
from mooc_microcred.credentials.proofs import canonical_form
from mooc_microcred.credentials.rendering import (
    Frame,
    build_achievement,
    build_assertion_2,
    build_badge_class,
    build_issuer_2,
    build_profile,
)
from mooc_microcred.credentials.verification.dates import instant as parse_instant


def _rows():
    record = SignedDocument.objects.filter(credential=OuterRef("pk"), kind=Kind.RECORD)
    document = SignedDocument.objects.filter(credential=OuterRef("pk"), kind=Kind.CREDENTIAL)
    return (
        Credential.objects.select_related(
            "award__achievement", "award__version", "issuer", "key", "status_list"
        )
        .defer("key__private_key_encrypted", "award__evidence")
        .prefetch_related("superseded_by")
        .annotate(has_record=Exists(record), has_document=Exists(document))
    )


def _data(row: Any) -> CredentialData:
    award, key = row.award, row.key
    key.issuer = row.issuer
    successor = next(iter(row.superseded_by.all()), None)
    return CredentialData(
        uuid=row.uuid,
        award_uuid=award.uuid,
        award_id=award.pk,
        learner_id=row.learner_id,
        achievement=award.achievement.code,
        version_id=award.version_id,
        version_number=award.version.number,
        organization=award.achievement.organization,
        kind=award.achievement.kind,
        issuer=row.issuer.code,
        issuer_did=issuer_did(key),
        name=Text.of(award.version.definition["name"]),
        state="superseded" if row.superseded_at else award.state,
        reason=row.status_reason or award.reason,
        shown=award.published_at is not None,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        signed_at=row.signed_at,
        suspended_at=row.suspended_at,
        revoked_at=row.revoked_at,
        superseded_at=row.superseded_at,
        successor=successor.uuid if successor else "",
        record=row.has_record,
        key_state=key.state,
        key_revoked_from=key.revoked_from,
        list_code=row.status_list.code,
        index=row.status_index,
        visibility=row.visibility,
        name_choice=row.name_choice,
        shown_name=row.shown_name,
        erased=not row.has_document,
    )


def get_credential(*, uuid: str) -> CredentialData | None:
    """Return a credential, also a revoked or superseded one; None where there is none."""
    row = _rows().filter(uuid=uuid).first()
    return _data(row) if row is not None else None


def credentials_of_learner(*, learner_id: int, superseded: bool = False) -> list[CredentialData]:
    """Return a learner's credentials, newest first.

    Args:
        superseded: also those that a corrected one has replaced.
    """
    rows = _rows().filter(learner_id=learner_id)
    if not superseded:
        rows = rows.filter(live=True)
    return [_data(row) for row in rows.order_by("-valid_from", "-pk")]


def credential_of_awards(*, award_uuids: Collection[str]) -> dict[str, CredentialData]:
    """Return the credential of each award that has one."""
    rows = _rows().filter(award__uuid__in=award_uuids, live=True)
    return {row.award.uuid: _data(row) for row in rows}


def public_url(*, award_uuid: str) -> str:
    """Return the address of the public page of an award's credential; empty where there is none."""
    uuid = Credential.objects.filter(award__uuid=award_uuid, live=True).values_list("uuid", flat=True).first()
    return addresses.credential_url(uuid) if uuid else ""


def public_urls(*, award_uuids: Collection[str], to_others: bool = False) -> dict[str, str]:
    """Return the addresses of the public pages of awards' credentials, where there are some; one query.

    Args:
        to_others: only those that others than the learner can open.
    """
    rows = Credential.objects.filter(award__uuid__in=award_uuids, live=True)
    return {
        award_uuid: addresses.credential_url(uuid)
        for award_uuid, uuid, visibility in rows.values_list("award__uuid", "uuid", "visibility")
        if not (to_others and (visibility or microcred_settings.CREDENTIAL_VISIBILITY) == "private")
    }


def signed_bytes(*, uuid: str, record: bool = False) -> bytes:
    """Return a signed document byte for byte, as it was signed.

    Args:
        uuid: of the credential. record: the programme's Comprehensive Learner Record instead.

    Raises:
        NotFound: there is none, or its learner has left the platform and it was deleted.
    """
    found = kept_documents(uuids=[uuid], kind=Kind.RECORD if record else Kind.CREDENTIAL).get(uuid)
    if found is None:
        raise NotFound(_("There is no such credential."))
    return found


def signed_document(*, uuid: str, record: bool = False) -> dict[str, Any]:
    """Return a signed document. Raises NotFound as :func:`signed_bytes` does."""
    return json.loads(signed_bytes(uuid=uuid, record=record))


# --- VC-JWT ---


def signed_jwt(*, uuid: str, record: bool = False) -> str:
    """Return a credential as VC-JWT (Open Badges 3.0, section 8.2; RFC 7519, RFC 8037).

    It is made when it is asked for: Ed25519 signatures of the same text by the same key are the
    same. The key that signed the credential signs, or the issuer's present one where that is
    retired. The header holds ``alg``, ``kid`` and ``typ`` and nothing else, as certification asks.

    Raises:
        NotFound: there is no such credential.
        WrongState: the key that signed it was revoked, and no other key speaks for its issuer's id.
    """
    document = signed_document(uuid=uuid, record=record)
    row = Credential.objects.select_related("key__issuer").get(uuid=uuid)
    key = row.key
    if key.state == IssuerKey.State.REVOKED:
        raise WrongState(_("The key that signed this credential has been revoked."))
    if key.state == IssuerKey.State.RETIRED:
        key = current_key(key.issuer)
        if issuer_did(key) != document["issuer"]["id"]:
            raise WrongState(_("The key that signed this credential signs no more."))
    handle = handle_of(key)
    payload = {name: value for name, value in document.items() if name != "proof"}
    payload |= {
        "iss": document["issuer"]["id"],
        "jti": document["id"],
        "sub": document["credentialSubject"]["id"],
    }
    payload["nbf"] = _seconds(document["validFrom"])
    if "validUntil" in document:
        payload["exp"] = _seconds(document["validUntil"])
    header = {"alg": "EdDSA", "kid": handle.verification_method, "typ": "JWT"}
    signed = ".".join(_base64url(_json(part)) for part in (header, payload))
    return f"{signed}.{_base64url(handle.sign(signed.encode()))}"


def _seconds(value: str) -> int:
    found = parse_instant(value)
    if found is None:
        raise ValueError(value)
    return int(found.timestamp())


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# --- what credentials name ---


def achievement_document(*, version_id: int) -> dict[str, Any]:
    """Return one version of an achievement as JSON-LD, as credentials hold it, with its issuer.

    Raises:
        NotFound: there is none that was ever in force.
    """
    frame = _frame(pk=version_id)
    creator = build_profile(frame.issuer, frame.issuer_did, logo=frame.logo)
    document = {"@context": _context(), **build_achievement(frame), "creator": creator}
    # As strictly as what is signed: a term without definition is found here too.
    canonical_form(document)
    return document


def issuer_profile(*, code: str) -> dict[str, Any]:
    """Return an issuer's Open Badges 3.0 Profile as JSON-LD.

    Raises:
        NotFound: there is no such issuer.
    """
    issuer = _issuer(code)
    logo = logo_of(issuer)
    return {
        "@context": _context(),
        **build_profile(issuer.definition, issuer_did(current_key(issuer)), logo=logo),
    }


def _context() -> list[str]:
    return [CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS, addresses.own_context_url()]


def _issuer(code: str) -> Issuer:
    found = Issuer.objects.filter(code=code).first()
    if found is None:
        raise NotFound(_("There is no issuer with this code."))
    return found


def _frame(**which: Any) -> Frame:
    version = (
        AchievementVersion.objects.select_related("achievement", "issuer")
        .filter(activated_at__isnull=False, **which)
        .first()
    )
    if version is None:
        raise NotFound(_("There is no such achievement."))
    return frame_of(
        parse_definition(version),
        version.issuer,
        issuer_did=issuer_did(current_key(version.issuer)),
        list_code="",
    )


def badge_class(*, code: str, number: int) -> dict[str, Any]:
    """Return the Open Badges 2.0 BadgeClass of a version.

    Raises:
        NotFound: there is none that was ever in force.
    """
    return build_badge_class(_frame(achievement__code=code, number=number))


def issuer_profile_2(*, issuer_code: str) -> dict[str, Any]:
    """Return the Open Badges 2.0 profile of an issuer.

    Raises:
        NotFound: there is no such issuer.
    """
    issuer = _issuer(issuer_code)
    contact = getattr(django_settings, "CONTACT_EMAIL", "") or ""
    return build_issuer_2(issuer.code, issuer.definition, logo=logo_of(issuer), contact=contact)


def hosted_assertion(*, uuid: str) -> dict[str, Any]:
    """Return the Open Badges 2.0 hosted assertion of a credential.

    Raises:
        NotFound: there is no such credential, or its learner has left.
    """
    document = signed_document(uuid=uuid)
    row = (
        Credential.objects.filter(uuid=uuid)
        .values_list("revoked_at", "suspended_at", "status_reason")
        .first()
    )
    revoked_at, suspended_at, reason = row or (None, None, "")
    # Open Badges 2.0 knows no suspension: what is not to be relied on now is told as revoked.
    return build_assertion_2(document, revoked_reason=reason if revoked_at or suspended_at else None)


def hosted_assertion_text(*, uuid: str) -> str:
    """Return :func:`hosted_assertion` as JSON."""
    return json.dumps(hosted_assertion(uuid=uuid), ensure_ascii=False)
