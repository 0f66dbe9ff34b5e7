"""What leaves: the message to a bank, rendered from ids at the moment of sealing."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator

from mooc_microcred.achievements.data import Definition
from mooc_microcred.achievements.models import Award
from mooc_microcred.core.identity import reveal_identity
from mooc_microcred.core.platform import LearnerProfile
from mooc_microcred.creditbank.data import Bank
from mooc_microcred.creditbank.models import CreditRecord, Delivery

PROTOCOL = 1
DOMAINS = ("knowledge", "skills", "ethics", "character")


class CannotRender(Exception):
    """The message cannot be made; the text is a code without personal data."""


@cache
def message_schema() -> Mapping[str, Any]:
    """Return the JSON Schema of the messages, the one that banks are given."""
    text = resources.files("mooc_microcred.creditbank").joinpath("deposit.schema.json").read_text("utf-8")
    return json.loads(text)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(message_schema())


def render_message(
    *,
    delivery: Delivery,
    record: CreditRecord,
    bank: Bank,
    award: Award,
    definition: Definition,
    issuer: Mapping[str, Any],
    profile: LearnerProfile | None,
    supersedes: str | None,
) -> bytes:
    """Return the message as UTF-8 JSON, checked against the schema.

    An institution must check correctness and completeness before it sends (credit bank notice
    B.E. 2565, clause 12).

    Args:
        delivery: what is told; its key, sequence, kind and reason go in.
        record: the credit record, with method of assessment, credits and hours.
        bank: decides by requires_identity how the learner is named.
        award: what was earned.
        definition: of the version by which it was judged.
        issuer: the issuer's definition, as in the catalogue.
        profile: who the learner is to the platform; not needed for a reversal.
        supersedes: key of the delivery that is replaced or reversed.

    Raises:
        CannotRender: the learner is unknown to the platform, or the message does not fit the schema.
    """
    message: dict[str, Any] = {
        "protocol": PROTOCOL,
        "key": delivery.key,
        "record": record.uuid,
        "sequence": delivery.sequence,
        "kind": str(delivery.kind),
        "reason": delivery.reason,
        "supersedes": supersedes,
    }
    if delivery.kind != Delivery.Kind.REVERSE:
        if profile is None:
            raise CannotRender("learner_unknown")
        message["learner"] = _learner(record, bank, profile)
        message["award"] = _award(award, definition, issuer)
        message |= _credit(record, definition)
        message["evidence"] = {"award": award.uuid, "references": _references(award)}
    error = next(_validator().iter_errors(message), None)
    if error is not None:
        # The path only: the value may be personal.
        raise CannotRender("invalid_message:" + ".".join(map(str, error.absolute_path)))
    return json.dumps(message, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _learner(record: CreditRecord, bank: Bank, profile: LearnerProfile) -> dict[str, Any]:
    if bank.requires_identity:
        identity = reveal_identity(learner_id=record.learner_id)
        if identity is None:
            raise CannotRender("identity_missing")
        kind, number = identity
    else:
        # A bank that does not need the document is not sent it (PDPA s. 22).
        kind, number = "account", str(record.learner_id)
    return {"identity": {"kind": kind, "number": number}, "name": profile.name}


def _award(award: Award, definition: Definition, issuer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uuid": award.uuid,
        "achievement": definition.code,
        "version": definition.number,
        "kind": definition.kind,
        "name": dict(definition.raw["name"]),
        "issuer": {
            "code": definition.issuer,
            "name": dict(issuer["name"]),
            "country": issuer["country"],
        },
        "organization": definition.organization,
        "course": award.course_key,
        "issued_at": _instant(award.issued_at),
        "expires_at": _instant(award.expires_at) if award.expires_at else None,
        "includes": _includes(award, definition.kind),
    }


def _credit(record: CreditRecord, definition: Definition) -> dict[str, Any]:
    raw = definition.raw
    outcomes: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for outcome in raw["outcomes"]:
        outcomes[outcome["domain"]].append(dict(outcome["text"]))
    assessment = raw["assessment"]
    return {
        "credit": {
            "method": record.method_code,
            "credits": _decimal(record.credits),
            "hours": _decimal(record.hours),
            "nqf_level": raw.get("nqf_level"),
        },
        "outcomes": {domain: outcomes[domain] for domain in DOMAINS},
        "assessment": {
            "types": list(assessment["types"]),
            "participation": assessment["participation"],
            "supervision": assessment["supervision"],
            "quality_assurance": raw["quality_assurance"],
        },
    }


def fingerprint(award: Award, kind: str) -> str:
    """Return a hash of what a message says that a correction of the award may change.

    What is not in it (names, addresses, how a course is described) never makes a replacement.

    Args:
        award: as it stands now.
        kind: of the achievement.
    """
    said = [
        award.uuid,
        award.version_id,
        award.course_key,
        _instant(award.issued_at),
        _instant(award.expires_at) if award.expires_at else None,
        _includes(award, kind),
        _references(award),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _includes(award: Award, kind: str) -> list[str]:
    """Return the awards that a programme is stacked from; a Level 2 adds its own credit to none."""
    return sorted(set(award.evidence.get("stands_on", ()))) if kind == "programme" else []


def _references(award: Award) -> list[str]:
    """Return where the evidence lies: ids, no results (a percentage would be a grade by another name)."""
    return sorted({str(one)[:255] for one in award.evidence.get("references", ()) if one})


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _decimal(value: Decimal) -> str:
    return f"{value:.2f}"
