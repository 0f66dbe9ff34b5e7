"""From rows to what :mod:`rendering` needs: the frame of a version and the slots of an award."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from mooc_microcred.achievements.data import Definition
from mooc_microcred.achievements.models import Award, Issuer
from mooc_microcred.competencies import api as competencies
from mooc_microcred.credentials import addresses, pictures
from mooc_microcred.credentials.models import CertificateTemplate, Endorsement, Picture
from mooc_microcred.credentials.proofs import instant
from mooc_microcred.credentials.rendering import Aligned, Filling, Frame, Measured, Shape
from mooc_microcred.credentials.texts import clean, main_text
from mooc_microcred.exams.data import SittingData

# What is not the learner's words needs no translation by gettext: a document is not of a reader's language.
LABELS: Mapping[str, Mapping[str, str]] = {
    "course-grade": {"th": "คะแนนรายวิชา", "en": "Course grade"},
    "completion": {"th": "ร้อยละของเนื้อหาที่เรียนจบ", "en": "Course completion"},
    "total": {"th": "คะแนนรวม", "en": "Total score"},
}
_ESCO = "data.europa.eu/esco/"
_CASE = "/api/mooc_microcred/ims/case/v1p1/CFItems/"


# --- the frame ---


def frame_of(
    definition: Definition, issuer: Issuer, *, issuer_did: str, list_code: str, with_endorsements: bool = True
) -> Frame:
    """Return all that the credentials of a version have in common; a handful of queries."""
    logo = logo_of(issuer)
    badge = _picture(
        achievement_id=definition.achievement_id, purpose=Picture.Purpose.BADGE
    ) or addresses.drawn_badge_url(definition.kind, pictures.dark_enough(_colour_of(issuer, definition.kind)))
    endorsements = []
    if with_endorsements:
        rows = Endorsement.objects.filter(achievement_id=definition.achievement_id, live=True)
        endorsements = [json.loads(body) for body in rows.order_by("uuid").values_list("body", flat=True)]
    return Frame(
        definition=definition,
        issuer=issuer.definition,
        issuer_did=issuer_did,
        list_code=list_code,
        measured=measured_of(definition),
        aligned=_aligned(definition),
        logo=logo,
        badge=badge,
        endorsements=tuple(endorsements),
    )


def logo_of(issuer: Issuer) -> str:
    """Return the address of an issuer's logo; empty without one."""
    return _picture(issuer=issuer, purpose=Picture.Purpose.LOGO)


def _colour_of(issuer: Issuer, kind: str) -> str:
    """Return the colour of the issuer's certificates of a kind; empty for ours."""
    rows = CertificateTemplate.objects.filter(issuer=issuer, kind__in=("", kind)).order_by("kind")
    found = [one["colour"] for one in rows.values_list("settings", flat=True) if one.get("colour")]
    return found[-1] if found else ""


def _picture(**which: Any) -> str:
    found = Picture.objects.filter(live=True, **which).values_list("uuid", flat=True).first()
    return addresses.picture_url(found) if found else ""


def measured_of(definition: Definition) -> tuple[Measured, ...]:
    """Return the results that a version's rule looks at, each once, in its order."""
    exams = {exam.code: exam for exam in definition.exams}
    found: dict[str, Measured] = {}
    for kind, arguments, minimum in _leaves(definition.rule or {}):
        if kind == "exam":
            code = arguments["code"]
            name = f"exam-{code}"
            exam = exams.get(code)
            label = {"th": exam.name.th, "en": exam.name.en} if exam else {"en": code}
        else:
            name, label = kind, dict(LABELS[kind])
        before = found.get(name)
        if before is None or (minimum and not before.minimum):
            found[name] = Measured(name, label, minimum)
    return tuple(found.values())


def _leaves(rule: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Yield (kind of result, arguments, minimum percent) of every criterion with a figure."""
    names = {"course_grade": "course-grade", "completion": "completion", "exam": "exam"}
    for kind, value in rule.items():
        if kind in ("all", "any"):
            for child in value:
                yield from _leaves(child)
        elif kind == "weighted":
            for part in value["parts"]:
                for part_kind, arguments in part["of"].items():
                    if part_kind in names:
                        yield names[part_kind], arguments, ""
            yield "total", {}, percent(value["minimum"])
        elif kind in names:
            minimum = value.get("minimum")
            yield names[kind], value, "" if minimum is None else percent(minimum)


def _competency_keys(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, value in rule.items():
        if kind in ("all", "any"):
            for child in value:
                yield from _competency_keys(child)
        elif kind == "competency":
            yield value["framework"], value["item"]


def _aligned(definition: Definition) -> tuple[Aligned, ...]:
    """Return the competencies that a version's criteria name, as CASE items, and what each equals."""
    keys = list(dict.fromkeys(_competency_keys(definition.rule or {})))
    if not keys:
        return ()
    known = competencies.get_competencies(keys=keys)
    elsewhere = competencies.exact_matches_of(keys=keys)
    found = []
    for key in keys:
        one = known.get(key)
        if one is None:
            continue
        name = main_text({"th": one.statement.th, "en": one.statement.en})
        found.append(
            Aligned(
                name=name,
                # What the platform itself has is at no CASE address: its identifier is all there is.
                url=f"urn:uuid:{one.item}" if one.borrowed else f"{addresses.public_base()}{_CASE}{one.item}",
                kind="ceasn:Competency" if one.borrowed else "CFItem",
                code=one.code,
                framework=main_text({"th": one.framework_title.th, "en": one.framework_title.en}),
            )
        )
        found.extend(
            Aligned(
                name=name,
                url=address,
                kind="ceasn:Competency",
                framework="ESCO" if _ESCO in address else "",
            )
            for address in elsewhere.get(key, ())
        )
    return tuple(found)


# --- the slots ---


def percent(value: Any) -> str:
    """Return a percentage as text: at most two decimals, none where there are none."""
    text = f"{Decimal(str(value)):.2f}"
    return text.rstrip("0").rstrip(".")


def claims_of(award: Award, frame: Frame, sittings: Mapping[str, SittingData]) -> Filling:
    """Return what a credential says of an award, without what makes each credential different.

    Args:
        sittings: by the references of the award's evidence.
    """
    slots = {"valid_from": instant(award.issued_at)}
    if award.expires_at is not None:
        slots["valid_until"] = instant(award.expires_at)
    if award.course_key:
        slots["course"] = clean(award.course_key)
    values = _values(award.evidence)
    exams: list[str] = []
    centres: list[str] = []
    for reference in award.evidence.get("references", ()):
        sitting = sittings.get(reference)
        if sitting is None:
            continue
        name = f"exam-{sitting.exam_code}"
        if name in exams:
            continue
        exams.append(name)
        slots[f"sat_on:{name}"] = sitting.sat_on.isoformat()
        if sitting.percent is not None:
            values.setdefault(name, percent(sitting.percent))
        centre = clean(sitting.centre)
        if centre:
            centres.append(name)
            slots[f"centre:{name}"] = centre
    known = [one.name for one in frame.measured]
    results = tuple(name for name in known if name in values)
    exams = [name for name in exams if name in known]
    centres = [name for name in centres if name in known]
    for name in results:
        slots[f"value:{name}"] = values[name]
    kept = {"valid_from", "valid_until", "course", *(f"value:{name}" for name in results)}
    kept |= {f"sat_on:{name}" for name in exams} | {f"centre:{name}" for name in centres}
    shape = Shape(
        expires=award.expires_at is not None,
        course=bool(award.course_key),
        results=results,
        exams=tuple(exams),
        centres=tuple(centres),
    )
    return Filling(shape, {name: value for name, value in slots.items() if name in kept})


def _values(evidence: Mapping[str, Any]) -> dict[str, str]:
    """Return percentages by name of result, from the snapshot by which the award was judged."""
    found: dict[str, str] = {}
    grade, completion = evidence.get("grade"), evidence.get("completion")
    if grade:
        found["course-grade"] = percent(grade["percent"])
    if completion and completion["total"]:
        found["completion"] = percent(Decimal(100) * completion["completed"] / completion["total"])
    for measure in evidence.get("measures", ()):
        if measure["have"] is None:
            continue
        if measure["kind"] == "weighted":
            found["total"] = percent(measure["have"])
        elif measure["kind"] == "exam":
            found[f"exam-{measure['key']}"] = percent(measure["have"])
    return found


def content_of(award: Award, claims: Filling, parts: Sequence[str]) -> str:
    """Return a hash of what a credential says of an award: it stays where a correction changes nothing.

    Args:
        parts: uuids of the credentials that a programme stands on.
    """
    said = [award.uuid, award.version_id, sorted(claims.slots.items()), sorted(parts)]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def complete(
    claims: Filling, *, credential_uuid: str, index: int, email: str, did: str, organization: str
) -> Filling:
    """Return the slots of one credential: its ids, its place and its subject.

    The e-mail address is hashed with a salt that stands in this credential only. It is hashed in
    lower case, as displayers compare it. A national ID is never used, in no form.

    Args:
        did: the learner's own identifier; then the e-mail address is not needed.
        organization: whose exam centres these are.
    """
    shape = claims.shape
    slots = dict(claims.slots)
    slots["uuid"] = credential_uuid
    slots["index"] = str(index)
    if shape.centres:
        first = shape.centres[0]
        slots[f"centre_id:{first}"] = _centre_id(
            addresses.public_base(), organization, slots[f"centre:{first}"]
        )
    if did:
        # An id with a slot has its scheme outside: the template must be JSON-LD too.
        slots["did"] = did.removeprefix("did:")
        shape = Shape(
            by_did=True,
            expires=shape.expires,
            course=shape.course,
            results=shape.results,
            exams=shape.exams,
            centres=shape.centres,
        )
    else:
        salt = secrets.token_hex(16)
        slots["salt"] = salt
        slots["identity_hash"] = identity_hash(email, salt)
    return Filling(shape, slots)


def identity_hash(email: str, salt: str) -> str:
    """Return the identityHash of an e-mail address (Open Badges 3.0, IdentityObject)."""
    return "sha256$" + hashlib.sha256((email.strip().lower() + salt).encode()).hexdigest()


@lru_cache(maxsize=1000)
def _centre_id(base: str, organization: str, centre: str) -> str:
    """Return a stable identifier of an exam centre, of which result files give the name only."""
    name = f"{base}/microcred/centres/{organization}/{centre}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def references_of(awards: Collection[Award]) -> set[str]:
    """Return the references in the evidence of awards."""
    return {one for award in awards for one in award.evidence.get("references", ()) if isinstance(one, str)}


def signed_instant(now: datetime) -> datetime:
    """Return an instant in whole seconds, as proofs carry it."""
    return now.replace(microsecond=0)
