"""What a credential says: from the definition of an achievement and an award to Open Badges 3.0.

A document is built from a :class:`Frame`, which is the same for all credentials of one version,
key and shape, and from slots, which differ. Every place that differs is written by ``slot(name)``:
``signing`` gives it marks to make a template, and values to make a document.

Sources: Open Badges 3.0 (document 1.2) appendix B; EU Council Recommendation 2022/C 243/02, annex I;
credit bank notice B.E. 2565, clause 7(2). Terms of our own: ADR 0016.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements.data import Definition
from mooc_microcred.credentials import addresses
from mooc_microcred.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS
from mooc_microcred.credentials.status.entries import status_entries
from mooc_microcred.credentials.texts import in_languages, main_language, main_text

#: Open Badges 3.0 has no type "certificate of achievement": Level 2 is the micro-credential.
ACHIEVEMENT_TYPES = {
    "level1": "CertificateOfCompletion",
    "level2": "MicroCredential",
    "programme": "LearningProgram",
    "competency": "Competency",
}

Slot = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Measured:
    """A kind of result that the awards of a version have.

    Attributes:
        name: stable part of its id, such as ``course-grade`` or ``exam-py101``.
        label: what it is, Thai and English. minimum: percent that is needed, empty where none is.
    """

    name: str
    label: Mapping[str, str]
    minimum: str = ""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A competency, or anything else elsewhere, that an achievement is about."""

    name: str
    url: str
    kind: str = "CFItem"
    code: str = ""
    framework: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """All of a document that does not differ between learners.

    Attributes:
        issuer: definition of the issuer. issuer_did: its id in documents.
        list_code: status list; revocations: address of the 1EdTechRevocationList.
        logo: address of a picture; empty without. badge: the same; ours where the institution gave none.
        endorsements: signed EndorsementCredentials, as stored.
    """

    definition: Definition
    issuer: Mapping[str, Any]
    issuer_did: str
    list_code: str
    measured: tuple[Measured, ...] = ()
    aligned: tuple[Aligned, ...] = ()
    logo: str = ""
    badge: str = ""
    endorsements: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """Which of the optional parts a document has.

    Attributes:
        results: names of :class:`Measured` that have a value. exams: names of those that were sat
            on a known day. centres: names of those whose centre is known; the first is the source.
    """

    by_did: bool = False
    expires: bool = False
    course: bool = False
    results: tuple[str, ...] = ()
    exams: tuple[str, ...] = ()
    centres: tuple[str, ...] = ()


@dataclass(slots=True)
class Filling:
    """The shape of one credential and its slots by name."""

    shape: Shape
    slots: dict[str, str] = field(default_factory=dict)


def build_credential(frame: Frame, shape: Shape, slot: Slot) -> dict[str, Any]:
    """Return an Open Badges 3.0 credential without proof.

    Args:
        frame: what all credentials of the version have in common.
        shape: which optional parts there are.
        slot: gives the text of each slot; those in ids hold only letters, digits and ``-._~:``.
    """
    credential_id = addresses.credential_url(slot("uuid"))
    definition = frame.definition
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS, addresses.own_context_url()],
        "id": credential_id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": main_text(definition.raw["name"]),
        "nameIn": in_languages(definition.raw["name"]),
        "issuer": build_profile(frame.issuer, frame.issuer_did, logo=frame.logo),
        "validFrom": slot("valid_from"),
        "awardedDate": slot("valid_from"),
    }
    if shape.expires:
        document["validUntil"] = slot("valid_until")
    document["credentialSubject"] = _subject(frame, shape, slot, credential_id)
    evidence = _evidence(frame, shape, slot, credential_id)
    if evidence:
        document["evidence"] = evidence
    document["credentialStatus"] = [
        {**entry, "statusListIndex": slot("index"), "id": entry["id"].replace("#0", f"#{slot('index')}")}
        if "statusListIndex" in entry
        else entry
        for entry in status_entries(
            lists_url=addresses.status_list_url(frame.list_code),
            revocations_url=addresses.revocations_url(frame.definition.issuer),
            index=0,
        )
    ]
    return document


def build_profile(issuer: Mapping[str, Any], did: str, *, logo: str = "") -> dict[str, Any]:
    """Return an issuer's Profile; ``issuer`` is its definition as in the catalogue."""
    profile: dict[str, Any] = {
        "id": did,
        "type": ["Profile"],
        "name": main_text(issuer["name"]),
        "nameIn": in_languages(issuer["name"]),
    }
    for name in ("url", "email"):
        if issuer.get(name):
            profile[name] = issuer[name]
    if logo:
        profile["image"] = {"id": logo, "type": "Image"}
    address: dict[str, Any] = {"type": ["Address"], "addressCountryCode": issuer["country"]}
    if issuer.get("address"):
        address["streetAddress"] = main_text(issuer["address"])
        profile["addressIn"] = in_languages(issuer["address"])
    profile["address"] = address
    return profile


def _subject(frame: Frame, shape: Shape, slot: Slot, credential_id: str) -> dict[str, Any]:
    subject: dict[str, Any] = {
        "id": f"did:{slot('did')}" if shape.by_did else f"{credential_id}#subject",
        "type": ["AchievementSubject"],
    }
    if not shape.by_did:
        subject["identifier"] = [
            {
                "type": "IdentityObject",
                "hashed": True,
                "identityHash": slot("identity_hash"),
                "identityType": "emailAddress",
                "salt": slot("salt"),
            }
        ]
    if frame.definition.credits:
        subject["creditsEarned"] = _float(frame.definition.credits)
    subject["achievement"] = build_achievement(frame)
    achievement_id = subject["achievement"]["id"]
    subject["result"] = [
        {
            "id": f"{credential_id}#result-status",
            "type": ["Result"],
            "resultDescription": f"{achievement_id}#result-status",
            "status": "Completed",
        },
        *(
            {
                "id": f"{credential_id}#result-{name}",
                "type": ["Result"],
                "resultDescription": f"{achievement_id}#result-{name}",
                "value": slot(f"value:{name}"),
            }
            for name in shape.results
        ),
    ]
    if shape.centres:
        # Who assessed on the issuer's behalf.
        first = shape.centres[0]
        subject["source"] = {
            "id": f"urn:uuid:{slot(f'centre_id:{first}')}",
            "type": ["Profile"],
            "name": slot(f"centre:{first}"),
        }
    return subject


def _evidence(frame: Frame, shape: Shape, slot: Slot, credential_id: str) -> list[dict[str, Any]]:
    """Return what the award rests on, without anything that names the learner."""
    found: list[dict[str, Any]] = []
    if shape.course:
        found.append(
            {
                "id": f"{credential_id}#evidence-course",
                "type": ["Evidence"],
                "genre": "course",
                "courseRun": slot("course"),
            }
        )
    labels = {one.name: one.label for one in frame.measured}
    for name in shape.exams:
        one: dict[str, Any] = {
            "id": f"{credential_id}#evidence-{name}",
            "type": ["Evidence"],
            "genre": "exam",
            "name": main_text(labels[name]),
            "nameIn": in_languages(labels[name]),
            "examDate": slot(f"sat_on:{name}"),
        }
        if name in shape.centres:
            one["examCentre"] = slot(f"centre:{name}")
        found.append(one)
    return found


def build_achievement(frame: Frame) -> dict[str, Any]:
    """Return the Achievement of a version: the same in every credential, and at its address."""
    definition, raw = frame.definition, frame.definition.raw
    achievement_id = addresses.achievement_url(definition.code, definition.number)
    narrative = raw["criteria"]["narrative"]
    description = raw.get("description") or narrative
    found: dict[str, Any] = {
        "id": achievement_id,
        "type": ["Achievement"],
        "achievementType": ACHIEVEMENT_TYPES.get(definition.kind, f"ext:{definition.kind}"),
        "name": main_text(raw["name"]),
        "nameIn": in_languages(raw["name"]),
        "description": main_text(description),
        "descriptionIn": in_languages(description),
        "criteria": {
            "id": f"{achievement_id}#criteria",
            "narrative": main_text(narrative),
            "narrativeIn": in_languages(narrative),
        },
        "humanCode": definition.code,
        "version": str(definition.number),
        "inLanguage": main_language(raw["name"]),
    }
    if frame.badge:
        found["image"] = {"id": frame.badge, "type": "Image"}
    if definition.credits:
        found["creditsAvailable"] = _float(definition.credits)
        found["thaiCredits"] = _decimal(definition.credits)
    if frame.aligned:
        found["alignment"] = [
            _alignment(one, f"{achievement_id}#alignment-{position}")
            for position, one in enumerate(frame.aligned, start=1)
        ]
    found["resultDescription"] = _result_descriptions(frame, achievement_id)
    found |= _micro_credential_elements(definition, achievement_id)
    if frame.endorsements:
        found["endorsement"] = [dict(one) for one in frame.endorsements]
    return found


def _micro_credential_elements(definition: Definition, achievement_id: str) -> dict[str, Any]:
    """Return what the EU's and the Thai descriptions of micro-credentials ask for beyond Open Badges."""
    raw = definition.raw
    assessment = raw["assessment"]
    found: dict[str, Any] = {
        "notionalHours": _decimal(definition.hours),
        "assessmentType": sorted(assessment["types"]),
        "participation": assessment["participation"],
        "supervision": assessment["supervision"],
        "creditBankMethod": assessment["method"],
        "qualityAssurance": raw["quality_assurance"],
        "learningOutcome": [
            {
                "id": f"{achievement_id}#outcome-{position}",
                "type": ["LearningOutcome"],
                "outcomeDomain": outcome["domain"],
                "statementIn": in_languages(outcome["text"]),
            }
            for position, outcome in enumerate(raw["outcomes"], start=1)
        ],
    }
    if raw.get("nqf_level") is not None:
        found["nqfLevel"] = int(raw["nqf_level"])
    if raw.get("languages"):
        found["teachingLanguage"] = sorted(raw["languages"])
    if raw.get("prerequisites"):
        found["prerequisitesIn"] = in_languages(raw["prerequisites"])
    if raw.get("stackable") is not None:
        found["stackable"] = bool(raw["stackable"])
    if raw.get("further_information"):
        found["furtherInformation"] = raw["further_information"]
    if raw.get("accepted_by"):
        accepted = [in_languages(one) for one in raw["accepted_by"]]
        found["acceptedByIn"] = {
            language: names
            for language in ("th", "en")
            if (names := sorted({one[language] for one in accepted if language in one}))
        }
    return found


def _alignment(one: Aligned, alignment_id: str) -> dict[str, Any]:
    found = {
        "id": alignment_id,
        "type": ["Alignment"],
        "targetName": one.name,
        "targetUrl": one.url,
        "targetType": one.kind,
    }
    for name, value in (
        ("targetCode", one.code),
        ("targetFramework", one.framework),
        ("targetDescription", one.description),
    ):
        if value:
            found[name] = value
    return found


STATUS_LABEL = {"th": "สถานะ", "en": "Status"}


def _result_descriptions(frame: Frame, achievement_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "id": f"{achievement_id}#result-status",
            "type": ["ResultDescription"],
            "name": main_text(STATUS_LABEL),
            "nameIn": in_languages(STATUS_LABEL),
            "resultType": "Status",
        }
    ]
    for one in frame.measured:
        described = {
            "id": f"{achievement_id}#result-{one.name}",
            "type": ["ResultDescription"],
            "name": main_text(one.label),
            "nameIn": in_languages(one.label),
            "resultType": "Percent",
            "valueMin": "0",
            "valueMax": "100",
        }
        if one.minimum:
            described["requiredValue"] = one.minimum
        found.append(described)
    return found


# --- Open Badges 2.0, for old displayers ---


def build_badge_class(frame: Frame) -> dict[str, Any]:
    """Return the BadgeClass of a version (Open Badges 2.0, section 3.2), hosted."""
    raw, definition = frame.definition.raw, frame.definition
    achievement = addresses.achievement_url(definition.code, definition.number)
    found = {
        "@context": "https://w3id.org/openbadges/v2",
        "id": f"{achievement}/badge.json",
        "type": "BadgeClass",
        "name": main_text(raw["name"]),
        "description": main_text(raw.get("description") or raw["criteria"]["narrative"]),
        "criteria": {"id": achievement, "narrative": main_text(raw["criteria"]["narrative"])},
        "issuer": f"{addresses.issuer_url(definition.issuer)}/issuer.json",
    }
    if frame.badge:
        found["image"] = frame.badge
    return found


def build_issuer_2(
    code: str, issuer: Mapping[str, Any], *, logo: str = "", contact: str = ""
) -> dict[str, Any]:
    """Return the Issuer profile of Open Badges 2.0 (section 3.3), hosted.

    Args:
        logo: address of a picture.
        contact: e-mail of the platform, where the issuer has none: one is required.
    """
    found = {
        "@context": "https://w3id.org/openbadges/v2",
        "id": f"{addresses.issuer_url(code)}/issuer.json",
        "type": "Issuer",
        "name": main_text(issuer["name"]),
        "url": issuer.get("url") or addresses.public_base(),
    }
    if issuer.get("email") or contact:
        found["email"] = issuer.get("email") or contact
    if logo:
        found["image"] = logo
    return found


def build_assertion_2(document: Mapping[str, Any], *, revoked_reason: str | None) -> dict[str, Any]:
    """Return the hosted Assertion of Open Badges 2.0 (section 3.1) of a signed credential.

    Args:
        document: the signed Open Badges 3.0 credential.
        revoked_reason: None where it stands; else why it was revoked, may be empty.
    """
    achievement = document["credentialSubject"]["achievement"]["id"]
    found: dict[str, Any] = {
        "@context": "https://w3id.org/openbadges/v2",
        "id": f"{document['id']}/assertion.json",
        "type": "Assertion",
    }
    if revoked_reason is not None:
        # A revoked assertion may say no more than this (section 3.1, "revoked").
        return {**found, "revoked": True, **({"revocationReason": revoked_reason} if revoked_reason else {})}
    identity = (document["credentialSubject"].get("identifier") or [None])[0]
    if identity is not None:
        found["recipient"] = {
            "type": "email",
            "identity": identity["identityHash"],
            "hashed": True,
            "salt": identity["salt"],
        }
    else:
        found["recipient"] = {"type": "url", "identity": document["credentialSubject"]["id"], "hashed": False}
    found |= {
        "badge": f"{achievement}/badge.json",
        "verification": {"type": "HostedBadge"},
        "issuedOn": document["validFrom"],
    }
    if document.get("validUntil"):
        found["expires"] = document["validUntil"]
    return found


def _float(value: Decimal) -> float | int:
    """Return a number that JSON and xsd:float carry alike; credits have two decimals at most."""
    found = float(value)
    return int(found) if found.is_integer() else found


def _decimal(value: Decimal) -> str:
    return f"{Decimal(value):.2f}"
