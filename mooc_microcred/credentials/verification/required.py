"""What the standards require to be there, and of which kind.

Sources: VC Data Model 2.0 section 4; Open Badges 3.0 (document 1.2) appendix B, CLR 2.0 appendix B,
the columns "required". Kinds of values are looked at only as far as a program that reads the
credential needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mooc_microcred.credentials.verification.dates import instant

V2 = "https://www.w3.org/ns/credentials/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
ACHIEVEMENT_TYPES = ("OpenBadgeCredential", "AchievementCredential")
CLR = "ClrCredential"
ENDORSEMENT = "EndorsementCredential"


def listed(value: Any) -> list[Any]:
    """Return a value that may be one or several as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def types_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the types of a node."""
    return tuple(one for one in listed(document.get("type")) if isinstance(one, str))


def id_of(value: Any) -> str:
    """Return the id of a node that may be given by its id alone; empty where it has none."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) else ""


def missing_of_credential(document: Mapping[str, Any]) -> list[str]:
    """Return the paths of what a verifiable credential must have and this one has not."""
    found = []
    if "VerifiableCredential" not in types_of(document):
        found.append("type: VerifiableCredential")
    issuer = document.get("issuer")
    if not id_of(issuer) or isinstance(issuer, list):
        found.append("issuer.id")
    subjects = listed(document.get("credentialSubject"))
    if not subjects or not all(isinstance(one, Mapping) and one for one in subjects):
        found.append("credentialSubject")
    for name in ("validFrom", "validUntil"):
        if name in document and instant(document[name]) is None:
            found.append(name)
    for name in ("credentialStatus", "credentialSchema", "evidence", "termsOfUse"):
        for one in listed(document.get(name)):
            if not isinstance(one, Mapping) or not types_of(one):
                found.append(f"{name}.type")
    if "id" in document and ":" not in id_of(document):
        found.append("id")
    return found


def missing_of_profile(document: Mapping[str, Any]) -> list[str]:
    """Return the paths of what Open Badges 3.0 or CLR 2.0 require besides; empty for other credentials."""
    types = types_of(document)
    if not {*ACHIEVEMENT_TYPES, CLR, ENDORSEMENT} & set(types):
        return []
    found = [name for name in ("id", "validFrom") if not isinstance(document.get(name), str)]
    issuer = document.get("issuer")
    if isinstance(issuer, Mapping) and "Profile" not in types_of(issuer):
        found.append("issuer.type: Profile")
    for one in listed(document.get("credentialStatus")):
        if isinstance(one, Mapping) and not id_of(one):
            found.append("credentialStatus.id")
    subject = document.get("credentialSubject")
    if not isinstance(subject, Mapping):
        return [*found, "credentialSubject"]
    checks: list[tuple[bool, Callable[[Mapping[str, Any]], Iterator[str]]]] = [
        (bool(set(ACHIEVEMENT_TYPES) & set(types)), _achievement_subject),
        (CLR in types, _clr_subject),
        (ENDORSEMENT in types, _endorsement_subject),
    ]
    for concerned, check in checks:
        if concerned:
            found.extend(f"credentialSubject.{path}" for path in check(subject))
    if (CLR in types or ENDORSEMENT in types) and not _text(document.get("name")):
        found.append("name")
    return found


def _achievement_subject(subject: Mapping[str, Any]) -> Iterator[str]:
    if "AchievementSubject" not in types_of(subject):
        yield "type: AchievementSubject"
    yield from _somebody(subject)
    achievement = subject.get("achievement")
    if not isinstance(achievement, Mapping):
        yield "achievement"
        return
    if "Achievement" not in types_of(achievement):
        yield "achievement.type: Achievement"
    for name in ("id", "name", "description"):
        if not _text(achievement.get(name)):
            yield f"achievement.{name}"
    criteria = achievement.get("criteria")
    if not isinstance(criteria, Mapping) or not (
        _text(criteria.get("id")) or _text(criteria.get("narrative"))
    ):
        yield "achievement.criteria"
    described = set()
    for one in listed(achievement.get("resultDescription")):
        if not isinstance(one, Mapping) or not all(
            _text(one.get(name)) for name in ("id", "name", "resultType")
        ):
            yield "achievement.resultDescription"
        else:
            described.add(id_of(one))
    for one in listed(subject.get("result")):
        if not isinstance(one, Mapping) or "Result" not in types_of(one):
            yield "result.type: Result"
        elif "resultDescription" in one and id_of(one.get("resultDescription")) not in described:
            yield "result.resultDescription"
    for one in listed(achievement.get("alignment")):
        if not isinstance(one, Mapping) or not all(
            _text(one.get(name)) for name in ("targetName", "targetUrl")
        ):
            yield "achievement.alignment"


def _clr_subject(subject: Mapping[str, Any]) -> Iterator[str]:
    if "ClrSubject" not in types_of(subject):
        yield "type: ClrSubject"
    yield from _somebody(subject)
    if not listed(subject.get("verifiableCredential")):
        yield "verifiableCredential"
    for one in listed(subject.get("association")):
        if not isinstance(one, Mapping) or not all(
            _text(one.get(name)) for name in ("associationType", "sourceId", "targetId")
        ):
            yield "association"


def _endorsement_subject(subject: Mapping[str, Any]) -> Iterator[str]:
    if "EndorsementSubject" not in types_of(subject):
        yield "type: EndorsementSubject"
    if not _text(subject.get("id")):
        yield "id"


def _somebody(subject: Mapping[str, Any]) -> Iterator[str]:
    if not _text(subject.get("id")) and not listed(subject.get("identifier")):
        yield "id or identifier"


def _text(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    # With a language: {"@value": ..., "@language": ...}, or one for each language.
    if isinstance(value, Mapping):
        return isinstance(value.get("@value"), str)
    return isinstance(value, list) and bool(value) and all(map(_text, value))
