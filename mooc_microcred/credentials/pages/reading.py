"""What the pages show, put together from rows; one query decides whether anything else is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

import mooc_microcred
from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.catalogue import parse_definition
from mooc_microcred.achievements.data import Definition, Text
from mooc_microcred.achievements.models import Award
from mooc_microcred.core import clock
from mooc_microcred.core.dates import display_date
from mooc_microcred.core.pages.style import style_sheet_url
from mooc_microcred.credentials import library as credentials
from mooc_microcred.credentials import words
from mooc_microcred.credentials.addresses import public_base
from mooc_microcred.credentials.models import (
    CertificateTemplate,
    Credential,
    Endorsement,
    IssuerKey,
    Picture,
    SignedDocument,
)
from mooc_microcred.credentials.pages import assets
from mooc_microcred.credentials.visibility import sharing_of, visibility_of

VALID, SUSPENDED, REVOKED, EXPIRED, REPLACED, UNTRUSTED = (
    "valid",
    "suspended",
    "revoked",
    "expired",
    "replaced",
    "untrusted",
)


def credential_rows():
    """Return the query of a credential with all that its state and its definition hang on."""
    return Credential.objects.select_related(
        "award", "award__version__achievement", "award__version__issuer", "issuer", "key"
    )


def _in_order(model: type[Model], *names: str) -> tuple[str, ...]:
    """Return columns in the model's order, which is that in which from_db takes their values."""
    return tuple(one.attname for one in model._meta.concrete_fields if one.attname in names)


# What decides whether a page that is kept may be shown; everything else is read when it is put together.
_AWARD = _in_order(
    Award, "id", "uuid", "state", "reason", "published_at", "expires_at", "suspended_at", "revoked_at"
)
_KEY = _in_order(IssuerKey, "id", "state", "revoked_from", "revoked_at")
_CREDENTIAL = _in_order(
    Credential,
    "id",
    "uuid",
    "award_id",
    "learner_id",
    "issuer_id",
    "key_id",
    "valid_from",
    "valid_until",
    "signed_at",
    "content",
    "superseded_at",
    "status_list_id",
    "status_index",
    "revoked_at",
    "suspended_at",
    "status_reason",
    "visibility",
    "name_choice",
    "shown_name",
)
_COLUMNS = (*_CREDENTIAL, *(f"award__{name}" for name in _AWARD), *(f"key__{name}" for name in _KEY))


@cache
def _prepared() -> QuerySet:
    """Return the query of a page that is kept, made once: resolving its columns costs as much as asking."""
    kept = Credential.objects.filter(documents__kind=SignedDocument.Kind.CREDENTIAL)
    return kept.order_by().values_list(*_COLUMNS)


def find_credential(uuid: str) -> Any:
    """Return the row of a credential whose document is kept (its learner has not left), or None. One query.

    Columns are named one by one: putting rows of six tables together costs more than all the rest of
    a page. What is not named is read when it is asked for.
    """
    found = _prepared().filter(uuid=uuid)[:1]
    for values in found:
        mine, rest = values[: len(_CREDENTIAL)], values[len(_CREDENTIAL) :]
        credential = Credential.from_db(found.db, _CREDENTIAL, mine)
        credential.award = Award.from_db(found.db, _AWARD, rest[: len(_AWARD)])
        credential.key = IssuerKey.from_db(found.db, _KEY, rest[len(_AWARD) :])
        return credential
    return None


def state_of(credential: Any, now: datetime) -> tuple[str, datetime | None]:
    """Return (state, since when) of a credential as a reader is to understand it."""
    award, key = credential.award, credential.key
    if credential.superseded_at is not None:
        return REPLACED, credential.superseded_at
    if credential.revoked_at is not None or award.state == award.State.REVOKED:
        return REVOKED, credential.revoked_at or award.revoked_at
    if key.state == IssuerKey.State.REVOKED and (
        key.revoked_from is None or credential.signed_at >= key.revoked_from
    ):
        return UNTRUSTED, key.revoked_at
    if credential.suspended_at is not None or award.state == award.State.SUSPENDED:
        return SUSPENDED, credential.suspended_at or award.suspended_at
    until = credential.valid_until or award.expires_at
    if until is not None and until <= now:
        return EXPIRED, until
    return VALID, None


def stamp_of(credential: Any, language: str, *parts: object) -> str:
    """Return a text that changes with everything that the learner, the award and time change on the page."""
    state, since = state_of(credential, clock.now())
    sharing = sharing_of(credential)
    seen = (
        mooc_microcred.__version__,
        style_sheet_url(),
        credential.uuid,
        credential.content,
        state,
        since,
        credential.status_reason,
        credential.award.reason,
        sharing,
        language,
        *parts,
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Look:
    """How an issuer's pages and certificates look.

    Attributes:
        colour: ``#rrggbb``; empty for ours. logo: uuid of its picture; empty for none.
        signatories: as the template's settings have them.
    """

    colour: str = ""
    logo: str = ""
    signatories: tuple[Mapping[str, Any], ...] = ()

    @property
    def logo_url(self) -> str:
        """Return the address of the logo; empty without one."""
        return assets.picture_url(self.logo) if self.logo else ""


def _settings_for(templates: Mapping[str, Mapping[str, Any]], kind: str) -> dict[str, Any]:
    """Return the settings for a kind: what its own template leaves out is as in the one for every kind."""
    return {**templates.get("", {}), **{k: v for k, v in templates.get(kind, {}).items() if v}}


def look_of_issuer(issuer_id: int, kind: str = "") -> Look:
    """Return how an issuer looks: the template of the kind, or else that of every kind. Two queries."""
    templates = {
        row.kind: row.settings
        for row in CertificateTemplate.objects.filter(issuer_id=issuer_id, kind__in=("", kind))
    }
    settings = _settings_for(templates, kind)
    logos = Picture.objects.filter(issuer_id=issuer_id, purpose=Picture.Purpose.LOGO, live=True)
    return Look(
        colour=settings.get("colour", ""),
        logo=logos.values_list("uuid", flat=True).first() or "",
        signatories=tuple(settings.get("signatories", ())),
    )


def badge_picture_of(achievement_id: int) -> Any:
    """Return the row of the picture that the institution uploaded for an achievement, or None."""
    rows = Picture.objects.filter(achievement_id=achievement_id, purpose=Picture.Purpose.BADGE, live=True)
    return rows.only("uuid").first()


def pictured_badge(definition: Definition, look: Look) -> str:
    """Return the address of an achievement's badge picture: the institution's, or ours in its colour."""
    found = badge_picture_of(definition.achievement_id)
    return assets.picture_url(found.uuid) if found else assets.badge_url(definition.kind, look.colour)


def badge_pictures(*, definitions: Collection[Definition], small: bool = False) -> dict[int, str]:
    """Return the addresses of badge pictures below the LMS, by id of version: the same that the pages show.

    Two queries, whatever the number of definitions; none for no definition.

    Args:
        small: as lists show them, with few bytes.
    """
    uploaded_url = assets.small_picture_url if small else assets.picture_url
    if not definitions:
        return {}
    uploaded = dict(
        Picture.objects.filter(
            achievement_id__in={one.achievement_id for one in definitions},
            purpose=Picture.Purpose.BADGE,
            live=True,
        ).values_list("achievement_id", "uuid")
    )
    templates: dict[str, dict[str, Mapping[str, Any]]] = {}
    rows = CertificateTemplate.objects.filter(issuer__code__in={one.issuer for one in definitions})
    for code, kind, settings in rows.values_list("issuer__code", "kind", "settings"):
        templates.setdefault(code, {})[kind] = settings
    return {
        one.version_id: (
            uploaded_url(uploaded[one.achievement_id])
            if one.achievement_id in uploaded
            else assets.badge_url(
                one.kind, _settings_for(templates.get(one.issuer, {}), one.kind).get("colour", "")
            )
        )
        for one in definitions
    }


@dataclass(frozen=True, slots=True)
class ShownIssuer:
    """An issuer as pages show it."""

    code: str
    name: str
    other_name: str
    url: str
    email: str
    address: str
    logo_url: str
    page: str


def shown_issuer(issuer: Any, look: Look, language: str) -> ShownIssuer:
    """Return an issuer (a row) in the reader's language."""
    raw = issuer.definition
    name = Text.of(raw.get("name"))
    first = name.in_language(language)
    second = name.in_language("en" if language == "th" else "th")
    return ShownIssuer(
        code=issuer.code,
        name=first or issuer.code,
        other_name=second if second != first else "",
        url=raw.get("url", ""),
        email=raw.get("email", ""),
        address=Text.of(raw.get("address")).in_language(language),
        logo_url=look.logo_url,
        page=reverse("mooc_microcred:issuer-page", kwargs={"code": issuer.code}),
    )


@dataclass(frozen=True, slots=True)
class ShownCredential:
    """Everything that the page of a credential says, in the reader's language."""

    uuid: str
    state: str
    since: str
    reason: str
    kind: str
    kind_words: str
    title: str
    other_title: str
    description: str
    holder: str
    issued: str
    expires: str
    issuer: ShownIssuer
    assessor: str
    outcomes: list[tuple[str, list[str]]]
    assessment: list[tuple[str, str]]
    worth: list[tuple[str, str]]
    results: list[tuple[str, str]]
    parts: list[Any]
    endorsements: list[tuple[str, str]]
    competencies: list[tuple[str, str]]
    badge: str
    achievement_page: str
    page: str
    address: str
    colours: str
    listed: bool
    replaced_by: str = ""
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def works(self) -> bool:
        """Say whether it is worth being shared and saved: valid, or only suspended or expired."""
        return self.state in (VALID, SUSPENDED, EXPIRED)


def absolute(path: str) -> str:
    """Return an address of ours with scheme and host, as in the signed documents."""
    return public_base() + path


def page_path(uuid: str) -> str:
    """Return the path of a credential's page."""
    return reverse("mooc_microcred:credential", kwargs={"uuid": uuid})


def shown_credential(credential: Any, language: str) -> ShownCredential:
    """Put together the page of a credential; the reader's language is the active one. Constant queries."""
    credential = credential_rows().get(pk=credential.pk)
    award = credential.award
    definition = parse_definition(award.version)
    look = look_of_issuer(credential.issuer_id, definition.kind)
    state, since = state_of(credential, clock.now())
    sharing = sharing_of(credential)
    until = credential.valid_until or award.expires_at
    title = definition.name.in_language(language)
    other = definition.name.in_language("en" if language == "th" else "th")
    path = page_path(credential.uuid)
    issuer = shown_issuer(credential.issuer, look, language)
    document = credentials.signed_document(uuid=credential.uuid)
    achievement_page = reverse(
        "mooc_microcred:achievement-page", kwargs={"code": definition.code, "number": definition.number}
    )
    return ShownCredential(
        uuid=credential.uuid,
        state=state,
        since=display_date(since, language) if since else "",
        reason=_reason(credential, state),
        kind=definition.kind,
        kind_words=words.kind_in_words(definition.kind),
        title=title,
        other_title=other if other != title else "",
        description=Text.of(definition.raw.get("description")).in_language(language),
        holder=sharing.shown_name,
        issued=display_date(credential.valid_from, language),
        expires=display_date(until, language) if until else "",
        issuer=issuer,
        assessor=assessor_of(document).in_language(language),
        outcomes=words.outcomes_of(definition.raw, language),
        assessment=words.assessment_of(definition, language),
        worth=words.worth_of(definition, language),
        results=results_of(definition, award.evidence, language),
        parts=parts_of(definition, award.evidence, language, award.learner_id),
        endorsements=endorsements_of(definition.achievement_id, language),
        competencies=competencies_of(document),
        badge=pictured_badge(definition, look),
        achievement_page=achievement_page,
        page=path,
        address=absolute(path),
        colours=assets.colours_url(look.colour),
        listed=sharing.visibility == Credential.Visibility.PUBLIC,
        replaced_by=_replacement(credential) if state == REPLACED else "",
        links=links_of(
            credential, title, Text.of(credential.issuer.definition.get("name")).in_language(language)
        ),
    )


def _reason(credential: Any, state: str) -> str:
    if state not in (SUSPENDED, REVOKED):
        return ""
    award = credential.award
    # The award knows first; the status list and this row follow it.
    current = award.state in (award.State.SUSPENDED, award.State.REVOKED)
    code = award.reason if current and award.reason else credential.status_reason
    return str(achievements.describe_reason(code)) if code else ""


def _replacement(credential: Any) -> str:
    newer = Credential.objects.filter(award_id=credential.award_id, live=True).values_list("uuid", flat=True)
    found = newer.first()
    return page_path(found) if found else ""


def assessor_of(document: Mapping[str, Any]) -> Text:
    """Return the test centre that a signed document names as the source of the assessment, if any."""
    subject = document.get("credentialSubject")
    source = subject.get("source") if isinstance(subject, Mapping) else None
    name = source.get("name") if isinstance(source, Mapping) else None
    return Text(th=name, en=name) if isinstance(name, str) else Text()


def competencies_of(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (competency, framework) of what a signed document is aligned to, each once."""
    achievement = document["credentialSubject"]["achievement"]
    named = [
        (str(one.get("targetName", "")), str(one.get("targetFramework", "")))
        for one in achievement.get("alignment", ())
    ]
    return [one for one in dict.fromkeys(named) if one[0]]


def results_of(definition: Definition, evidence: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    """Return (condition, what was required) of the conditions that were met; scores are not public."""
    exams = {exam.code: exam.name.in_language(language) for exam in definition.exams}
    found = []
    for measure in evidence.get("measures", ()):
        if not measure.get("met"):
            continue
        need = measure.get("need")
        at_least = (
            _("at least %(percent)s percent") % {"percent": words.plain_number(Decimal(str(need)))}
            if need is not None and measure.get("unit", "percent") == "percent"
            else _("met")
        )
        label = {
            "completion": _("Course completed"),
            "course_grade": _("Course grade"),
            "subsection_grade": _("Grade of a part of the course"),
            "exam": exams.get(measure.get("key"), _("Exam")),
            "weighted": _("Weighted total"),
            "certificate": _("Course certificate"),
            "competency": _("Competency"),
        }.get(measure.get("kind"))
        if label:
            found.append((label, at_least))
    return found


def parts_of(
    definition: Definition, evidence: Mapping[str, Any], language: str, learner_id: int
) -> list[dict[str, str]]:
    """Return what a programme stands on: title, and page where everybody may see it. One query."""
    stands_on = [str(one) for one in evidence.get("stands_on", ())]
    if definition.kind != "programme" or not stands_on:
        return []
    rows = credential_rows().filter(award__uuid__in=stands_on, live=True, learner_id=learner_id)
    found = []
    for row in sorted(rows, key=lambda one: one.award.version.achievement.code):
        part = parse_definition(row.award.version)
        public = sharing_of(row).visibility == Credential.Visibility.PUBLIC
        found.append(
            {"title": part.name.in_language(language), "page": page_path(row.uuid) if public else ""}
        )
    return found


def holds_private(record: bytes) -> bool:
    """Say whether a learner record (JSON) holds a credential that its learner shows to nobody. One query."""
    subject = json.loads(record)["credentialSubject"]
    uuids = [str(one["id"]).rpartition("/")[2] for one in subject["verifiableCredential"]]
    rows = Credential.objects.filter(uuid__in=uuids).only("visibility")
    return any(visibility_of(row) == Credential.Visibility.PRIVATE for row in rows)


def endorsements_of(achievement_id: int, language: str) -> list[tuple[str, str]]:
    """Return (partner, what it says) of those who speak for an achievement. One query."""
    rows = Endorsement.objects.filter(achievement_id=achievement_id, live=True).select_related("endorser")
    return [
        (
            Text.of(row.endorser.definition.get("name")).in_language(language),
            Text.of(row.comment).in_language(language),
        )
        for row in rows.order_by("pk")
    ]


def links_of(credential: Any, title: str, issuer: str) -> dict[str, str]:
    """Return the addresses to share a credential at LINE and LinkedIn."""
    address = absolute(page_path(credential.uuid))
    day = timezone.localtime(credential.valid_from)
    linkedin = {
        "startTask": "CERTIFICATION_NAME",
        "name": title,
        "organizationName": issuer,
        # LinkedIn counts in the Common Era.
        "issueYear": day.year,
        "issueMonth": day.month,
        "certUrl": address,
        "certId": credential.uuid,
    }
    if credential.valid_until:
        end = timezone.localtime(credential.valid_until)
        linkedin |= {"expirationYear": end.year, "expirationMonth": end.month}
    return {
        "line": f"https://social-plugins.line.me/lineit/share?{urlencode({'url': address})}",
        "linkedin": f"https://www.linkedin.com/profile/add?{urlencode(linkedin)}",
    }
