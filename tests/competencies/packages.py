"""A CFPackage of CASE 1.1 with everything that it may hold."""

from __future__ import annotations

import copy
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID("0d9f1c52-8d0e-4a55-9f0a-3d2f6b7c0001")
BASE = "https://case.example.org/ims/case/v1p1"
AT = "2026-05-01T08:00:00Z"


def ident(name: str) -> str:
    return str(uuid5(_NAMESPACE, name))


def node(name: str, resource: str = "CFItems") -> dict[str, str]:
    return {"title": name, "identifier": ident(name), "uri": f"{BASE}/{resource}/{ident(name)}"}


def item(name: str, statement: str, **fields: Any) -> dict[str, Any]:
    return {
        "identifier": ident(name),
        "uri": f"{BASE}/CFItems/{ident(name)}",
        "fullStatement": statement,
        "humanCodingScheme": name,
        "lastChangeDateTime": AT,
        **fields,
    }


def link(kind: str, origin: str, destination: dict[str, str], sequence: int | None = None) -> dict[str, Any]:
    name = f"{origin} {kind} {destination['identifier']}"
    row = {
        "identifier": ident(name),
        "uri": f"{BASE}/CFAssociations/{ident(name)}",
        "associationType": kind,
        "originNodeURI": node(origin),
        "destinationNodeURI": destination,
        "lastChangeDateTime": AT,
    }
    return row if sequence is None else {**row, "sequenceNumber": sequence}


ESCO = {
    "title": "ESCO: understand spoken English",
    "identifier": "http://data.europa.eu/esco/skill/d41d8cd9",
    "uri": "http://data.europa.eu/esco/skill/d41d8cd9",
}
_TOP = node("english", "CFDocuments")

PACKAGE: dict[str, Any] = {
    "CFDocument": {
        "identifier": ident("english"),
        "uri": f"{BASE}/CFDocuments/{ident('english')}",
        "creator": "มหาวิทยาลัยเทคโนโลยีพระจอมเกล้าธนบุรี",
        "title": "English for work",
        "language": "en",
        "version": "2",
        "publisher": "KMUTT",
        "subject": ["English"],
        "adoptionStatus": "Adopted",
        "caseVersion": "1.1",
        "licenseURI": {"title": "CC BY", "identifier": ident("ccby"), "uri": "https://creativecommons.org/"},
        "lastChangeDateTime": AT,
        "extensions": {
            "microcred": {"title": {"th": "ภาษาอังกฤษเพื่อการทำงาน", "en": "English for work"}},
            "other": {"kept": [1, 2]},
        },
    },
    "CFItems": [
        item("EN", "English", CFItemType="Domain", educationLevel=["UG"]),
        item(
            "EN-1",
            "Gets the gist",
            conceptKeywords=["listening"],
            notes="first",
            extensions={
                "microcred": {
                    "statement": {"th": "จับใจความสำคัญ", "en": "Gets the gist"},
                    "domain": "skills",
                    "miller": "knows_how",
                    "nqf": 6,
                }
            },
        ),
        item("EN-2", "เขียนอีเมล", language="th"),
        item("EN-0", "Old", statusStartDate="2020-01-01", statusEndDate="2024-12-31"),
    ],
    "CFAssociations": [
        link("isChildOf", "EN", _TOP, 1),
        link("isChildOf", "EN-1", node("EN"), 2),
        link("isChildOf", "EN-2", node("EN"), 1),
        link("isChildOf", "EN-0", node("EN"), 3),
        link("precedes", "EN-1", node("EN-2")),
        link("exactMatchOf", "EN-1", ESCO),
        link("replacedBy", "EN-0", node("EN-1")),
        link("ext:trains", "EN", node("EN-2")),
    ],
    "CFDefinitions": {
        "CFItemTypes": [
            {
                "identifier": ident("Domain"),
                "uri": f"{BASE}/CFItemTypes/{ident('Domain')}",
                "title": "Domain",
                "hierarchyCode": "1",
                "lastChangeDateTime": AT,
            }
        ]
    },
    "CFRubrics": [
        {
            "identifier": ident("rubric"),
            "uri": f"{BASE}/CFRubrics/{ident('rubric')}",
            "lastChangeDateTime": AT,
            "CFRubricCriteria": [],
        }
    ],
}


def package() -> dict[str, Any]:
    return copy.deepcopy(PACKAGE)
