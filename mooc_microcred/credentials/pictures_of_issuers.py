"""Pictures and certificate templates of issuers: what staff of an institution upload and set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from mooc_microcred.achievements.data import Text
from mooc_microcred.achievements.models import Achievement, Issuer
from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.errors import InvalidInput, NotFound
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.credentials.models import CertificateTemplate, Picture
from mooc_microcred.credentials.pictures import MAX_UPLOAD, clean_colour, clean_picture

Purpose = Picture.Purpose
KINDS = ("", "level1", "level2", "programme", "competency")
# As many as fit side by side on a sheet of A4.
MAX_SIGNATORIES = 3
MAX_NAME = 150
# One byte more than is taken, so that what is too large is known to be.
MAX_READ = MAX_UPLOAD + 1


@dataclass(frozen=True, slots=True)
class PictureData:
    """An uploaded picture, as we have written it anew.

    Attributes:
        issuer, achievement: code of the one that it belongs to; the other is empty.
        live: whether it is the one that is shown; signatures are named by the templates instead.
    """

    uuid: str
    purpose: str
    issuer: str
    achievement: str
    width: int
    height: int
    sha256: str
    live: bool
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class TemplateData:
    """How an issuer's pages and certificates look.

    Attributes:
        kind: of achievements that it is for; empty for all that have none of their own.
        colour: ``#rrggbb``; empty for ours.
        signatories: ``{"name": {"th", "en"}, "role": {"th", "en"}, "signature": uuid or ""}``.
    """

    issuer: str
    kind: str
    colour: str
    signatories: tuple[Mapping[str, Any], ...]


def _issuer(code: str) -> Issuer:
    found = Issuer.objects.filter(code=code).first()
    if found is None:
        raise NotFound(_("There is no such issuer."))
    return found


def upload_picture(
    *, actor: Actor, purpose: str, content: bytes, issuer_code: str = "", achievement_code: str = ""
) -> PictureData:
    """Take a logo or signature of an issuer, or a badge picture of an achievement.

    A logo and a badge picture replace the one before, which stays at its address: signed documents name
    it. A signature is named by its uuid in a template.

    Args:
        content: PNG, JPEG or WebP, see :func:`clean_picture`.

    Raises:
        NotFound: no such issuer or achievement. NotAllowed: the role is missing.
        InvalidInput: the picture cannot be used.
    """
    issuer, achievement = None, None
    if purpose == Purpose.BADGE:
        achievement = Achievement.objects.filter(code=achievement_code).first()
        if achievement is None:
            raise NotFound(_("There is no such achievement."))
        organization = achievement.organization
    elif purpose in (Purpose.LOGO, Purpose.SIGNATURE):
        issuer = _issuer(issuer_code)
        organization = issuer.organization
    else:
        raise InvalidInput(_("A picture is a logo, a badge or a signature."))
    actor.require(Role.PROGRAMME_OFFICER, organization)
    cleaned = clean_picture(content, purpose=purpose)
    with transaction.atomic():
        if purpose != Purpose.SIGNATURE:
            same = Picture.objects.filter(purpose=purpose, issuer=issuer, achievement=achievement, live=True)
            same.update(live=None)
        row = Picture.objects.create(
            purpose=purpose,
            issuer=issuer,
            achievement=achievement,
            live=None if purpose == Purpose.SIGNATURE else True,
            content=cleaned.content,
            media_type=cleaned.media_type,
            sha256=cleaned.sha256,
            width=cleaned.width,
            height=cleaned.height,
            uploaded_by=actor.id,
            uploaded_at=clock.now(),
        )
        log_action(
            actor_id=actor.id,
            action="picture.uploaded",
            object_type="picture",
            object_id=row.uuid,
            organization=organization,
            purpose=purpose,
            sha256=row.sha256,
        )
    return picture_data(row)


def picture_data(row: Picture) -> PictureData:
    """Return what the API says of a picture."""
    return PictureData(
        uuid=row.uuid,
        purpose=row.purpose,
        issuer=row.issuer.code if row.issuer else "",
        achievement=row.achievement.code if row.achievement else "",
        width=row.width,
        height=row.height,
        sha256=row.sha256,
        live=bool(row.live),
        uploaded_at=row.uploaded_at,
    )


def template_of(*, issuer_code: str, kind: str = "") -> TemplateData:
    """Return the template of an issuer for one kind of achievements; an empty one where none was set.

    Raises:
        NotFound: no such issuer.
    """
    issuer = _issuer(issuer_code)
    row = CertificateTemplate.objects.filter(issuer=issuer, kind=kind).first()
    settings = row.settings if row else {}
    return TemplateData(issuer.code, kind, settings.get("colour", ""), tuple(settings.get("signatories", ())))


def set_template(
    *, actor: Actor, issuer_code: str, kind: str = "", colour: str, signatories: Sequence[Mapping[str, Any]]
) -> TemplateData:
    """Say how the certificates of an issuer look, and who signs them.

    Raises:
        NotFound: no such issuer. NotAllowed: the role is missing.
        InvalidInput: no such kind, colour or signature, or too many signatories.
    """
    issuer = _issuer(issuer_code)
    actor.require(Role.PROGRAMME_OFFICER, issuer.organization)
    if kind not in KINDS:
        raise InvalidInput(_("There is no such kind of achievement."))
    settings = {
        "colour": clean_colour(colour),
        "signatories": [_clean_signatory(issuer, one) for one in signatories],
    }
    if len(settings["signatories"]) > MAX_SIGNATORIES:
        raise InvalidInput(_("At most %(limit)s people sign.") % {"limit": MAX_SIGNATORIES})
    with transaction.atomic():
        CertificateTemplate.objects.update_or_create(
            issuer=issuer,
            kind=kind,
            defaults={"settings": settings, "changed_at": clock.now(), "changed_by": actor.id},
        )
        log_action(
            actor_id=actor.id,
            action="template.set",
            object_type="issuer",
            object_id=issuer.code,
            organization=issuer.organization,
            kind=kind,
            colour=settings["colour"],
            signatories=len(settings["signatories"]),
        )
    return template_of(issuer_code=issuer_code, kind=kind)


def _clean_signatory(issuer: Issuer, given: Mapping[str, Any]) -> dict[str, Any]:
    name, role = Text.of(given.get("name")), Text.of(given.get("role"))
    if not (name.th.strip() or name.en.strip()):
        raise InvalidInput(_("Give the name of each person who signs, in Thai or in English."))
    if max(map(len, (name.th, name.en, role.th, role.en))) > MAX_NAME:
        raise InvalidInput(_("A name or an office has at most %(limit)s letters.") % {"limit": MAX_NAME})
    signature = str(given.get("signature") or "")
    own = Picture.objects.filter(uuid=signature, issuer=issuer, purpose=Purpose.SIGNATURE)
    if signature and not own.exists():
        raise InvalidInput(_("There is no such picture of a signature of this issuer."))
    return {
        "name": {"th": name.th.strip(), "en": name.en.strip()},
        "role": {"th": role.th.strip(), "en": role.en.strip()},
        "signature": signature,
    }
