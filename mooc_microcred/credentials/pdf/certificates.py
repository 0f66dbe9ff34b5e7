"""From a credential to its certificate: what goes on it, and the private storage in which it is kept.

A made certificate may hold a name, so it lies in the private storage, in a folder of the credential;
one file for each content, the older ones of the same language removed when a new one is made.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from mooc_microcred.achievements.catalogue import parse_definition
from mooc_microcred.achievements.data import Text
from mooc_microcred.core.storage import private_storage
from mooc_microcred.credentials import library, pictures, words
from mooc_microcred.credentials.models import Credential, Picture
from mooc_microcred.credentials.pages import reading
from mooc_microcred.credentials.pdf.data import CertificateData, Signatory
from mooc_microcred.credentials.pdf.typesetting import typeset

FOLDER = "certificates"
# Raised when the template changes, so that kept files are made anew.
TEMPLATE = 1


def certificate_pdf(credential: Any, *, language: str, holder: str) -> bytes:
    """Return the certificate of a credential, made now or kept from before.

    Args:
        credential: its row, with award, version and issuer.
        language: ``th`` or ``en``. holder: the name on it; empty for none.

    Raises:
        PdfUnavailable, PdfBusy: see :func:`typeset`.
    """
    data = certificate_data(credential, language=language, holder=holder)
    stamp = hashlib.sha256(repr((TEMPLATE, data)).encode()).hexdigest()[:32]
    storage = private_storage()
    folder = f"{FOLDER}/{credential.uuid}"
    name = f"{folder}/{language}-{stamp}.pdf"
    if storage.exists(name):
        with storage.open(name) as kept:
            return kept.read()
    content = typeset(data)
    for older in _files(storage, folder):
        if older.startswith(f"{language}-"):
            storage.delete(f"{folder}/{older}")
    storage.save(name, ContentFile(content))
    return content


def forget_learner(learner_id: int) -> None:
    """Delete the kept certificates of a learner who leaves. Idempotent."""
    storage = private_storage()
    for uuid in Credential.objects.filter(learner_id=learner_id).values_list("uuid", flat=True):
        folder = f"{FOLDER}/{uuid}"
        for name in _files(storage, folder):
            storage.delete(f"{folder}/{name}")


def _files(storage: Any, folder: str) -> list[str]:
    try:
        return storage.listdir(folder)[1]
    except (FileNotFoundError, NotADirectoryError):
        return []


def certificate_data(credential: Any, *, language: str, holder: str) -> CertificateData:
    """Return what the certificate of a credential says; the language is the active one."""
    award = credential.award
    definition = parse_definition(award.version)
    look = reading.look_of_issuer(credential.issuer_id, definition.kind)
    until = credential.valid_until or award.expires_at
    facts = [
        *words.assessment_of(definition, language),
        *reading.results_of(definition, award.evidence, language),
        *words.worth_of(definition, language),
    ]
    document = library.signed_bytes(uuid=credential.uuid).decode()
    parts = reading.parts_of(definition, award.evidence, language, award.learner_id)
    return CertificateData(
        language=language,
        kind=definition.kind,
        issuer=Text.of(credential.issuer.definition.get("name")),
        title=definition.name,
        issued_on=timezone.localtime(credential.valid_from).date(),
        expires_on=timezone.localtime(until).date() if until else None,
        holder=holder,
        hours=definition.hours,
        credits=definition.credits,
        nqf_level=definition.raw.get("nqf_level"),
        assessed_by=reading.assessor_of(json.loads(document)),
        colour=look.colour,
        logo=_content(look.logo) if look.logo else None,
        badge=_badge(definition, look),
        signatories=signatories_of(look),
        outcomes=tuple(
            (domain, tuple(sentences)) for domain, sentences in words.outcomes_of(definition.raw, language)
        ),
        facts=tuple(facts),
        parts=tuple(Text(**{language: part["title"]}) for part in parts),
        page_url=reading.absolute(reading.page_path(credential.uuid)),
        identifier=credential.uuid,
        credential=document,
    )


def signatories_of(look: reading.Look) -> tuple[Signatory, ...]:
    """Return who signs, with their pictures: one query."""
    wanted = {one["signature"] for one in look.signatories if one.get("signature")}
    found = dict(Picture.objects.filter(uuid__in=wanted).values_list("uuid", "content")) if wanted else {}
    return tuple(
        Signatory(
            name=Text.of(one.get("name")),
            role=Text.of(one.get("role")),
            signature=bytes(found[one["signature"]]) if one.get("signature") in found else None,
        )
        for one in look.signatories
    )


def _content(uuid: str) -> bytes | None:
    found = Picture.objects.filter(uuid=uuid).values_list("content", flat=True).first()
    return bytes(found) if found is not None else None


def _badge(definition: Any, look: reading.Look) -> bytes:
    found = reading.badge_picture_of(definition.achievement_id)
    own = _content(found.uuid) if found else None
    return own or pictures.badge_png(definition.kind, colour=look.colour)


def specimen(*, issuer: Any, kind: str, language: str, look: reading.Look) -> CertificateData:
    """Return an invented certificate of an issuer, for the preview of its template in the admin."""
    names = {
        "level1": Text("ชื่อของใบรับรองระดับ 1", "Title of a Level 1"),
        "level2": Text("ชื่อของใบรับรองระดับ 2", "Title of a Level 2"),
        "programme": Text("ชื่อของชุดวิชา", "Title of a programme"),
    }
    return CertificateData(
        language=language,
        kind=kind or "level1",
        issuer=Text.of(issuer.definition.get("name")),
        title=names.get(kind, names["level1"]),
        issued_on=timezone.localdate(),
        holder="ชื่อ นามสกุล" if language == "th" else "First name Last name",
        colour=look.colour,
        logo=_content(look.logo) if look.logo else None,
        badge=pictures.badge_png(kind or "level1", colour=look.colour),
        signatories=signatories_of(look),
        page_url=reading.absolute("/microcred/verify"),
        identifier="specimen",
        specimen=True,
    )
