"""A framework as read from a file or from the tables: what every format is read into and written from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from uuid import UUID, uuid5

from mooc_microcred.competencies.models import Association, Competency, Framework

IS_CHILD_OF, REPLACED_BY, PRECEDES, EXACT_MATCH_OF = "isChildOf", "replacedBy", "precedes", "exactMatchOf"
ASSOCIATION_TYPES = (
    IS_CHILD_OF,
    "isPeerOf",
    "isPartOf",
    EXACT_MATCH_OF,
    PRECEDES,
    "isRelatedTo",
    REPLACED_BY,
    "exemplar",
    "hasSkillLevel",
    "isTranslationOf",
)


@dataclass(slots=True)
class Item:
    """An item as a file has it.

    Attributes:
        retired: the day from which it no longer holds (ISO 8601), or empty.
        successor: identifiers of the framework (empty: not known) and the item that replace it.
        extras: what CASE has of it besides.
    """

    identifier: str
    code: str = ""
    th: str = ""
    en: str = ""
    domain: str = ""
    miller: str = ""
    nqf: int | None = None
    parent: str = ""
    sequence: int = 0
    retired: str = ""
    successor: tuple[str, str] | None = None
    uri: str = ""
    extras: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Link:
    """An association as a file has it."""

    identifier: str
    kind: str
    origin: str
    destination: str
    origin_uri: str = ""
    destination_uri: str = ""
    sequence: int | None = None
    uri: str = ""
    extras: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Document:
    """A whole framework as a file has it.

    Attributes:
        carries: what the format can say: ``document`` (the framework's own fields), ``details`` (all fields
            of items), ``links`` (all associations). What it cannot say is left as it is.
        ignored: headings that were not read.
    """

    identifier: str
    th: str = ""
    en: str = ""
    creator: str = ""
    version: str = ""
    language: str = ""
    uri: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)
    rubrics: list[Any] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    carries: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, for a preview to keep."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Document:
        """Return what :meth:`to_json` gave."""
        known = {one.name for one in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        values["items"] = [
            Item(**{**one, "successor": tuple(one["successor"]) if one["successor"] else None})
            for one in stored["items"]
        ]
        values["links"] = [Link(**one) for one in stored["links"]]
        return cls(**values)


IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


def made_identifier(framework: str, *parts: str) -> str:
    """Return the identifier of something that a file names without one: the same each time."""
    return str(uuid5(UUID(framework), "/".join(parts)))


def tag_identifier(framework: str, external_id: str) -> str:
    """Return the identifier of the item that a tag of the platform is, by the tag's external id.

    Of a taxonomy that is not ours, items have the identifiers that its import made.
    """
    item = external_id.lower()
    return item if IDENTIFIER.match(item) else made_identifier(framework, external_id)


def head_of(row: Framework) -> Document:
    """Return a stored framework without its items and associations; no query."""
    return Document(
        identifier=row.identifier,
        th=row.title_th,
        en=row.title_en,
        creator=row.creator,
        version=row.version,
        language=row.language,
        uri=row.uri,
        document=dict(row.document),
        definitions=dict(row.definitions),
        rubrics=list(row.rubrics),
    )


def item_of(one: Competency, *, sequence: int = 0) -> Item:
    """Return a stored item; its ``parent`` is read."""
    return Item(
        identifier=one.identifier,
        code=one.code,
        th=one.statement_th,
        en=one.statement_en,
        domain=one.domain,
        miller=one.miller,
        nqf=one.nqf_level,
        parent=one.parent.identifier if one.parent else "",
        sequence=sequence,
        retired=one.retired_at.date().isoformat() if one.retired_at else "",
        successor=(one.successor_framework, one.successor_item) if one.successor_item else None,
        uri=one.uri,
        extras=dict(one.extras),
    )


def link_of(one: Association) -> Link:
    """Return a stored association."""
    return Link(
        identifier=one.identifier,
        kind=one.kind,
        origin=one.origin,
        destination=one.destination,
        origin_uri=one.origin_uri,
        destination_uri=one.destination_uri,
        sequence=one.sequence,
        uri=one.uri,
        extras=dict(one.extras),
    )


def document_of(row: Framework) -> Document:
    """Return a stored framework with all its items, retired ones included; two queries."""
    document = head_of(row)
    counters: dict[str, int] = {}
    for one in Competency.objects.filter(framework=row).select_related("parent").order_by("ordinal", "id"):
        above = one.parent.identifier if one.parent else ""
        counters[above] = counters.get(above, 0) + 1
        document.items.append(item_of(one, sequence=counters[above]))
    document.links = [link_of(one) for one in row.associations.order_by("id")]
    return document


def in_tree_order(items: Iterable[Item]) -> list[tuple[Item, int]]:
    """Return the items from the top down with their depth; what hangs on nothing stands on top."""
    ordered = sorted(items, key=lambda one: one.sequence)
    known = {one.identifier for one in ordered}
    below: dict[str, list[Item]] = {}
    for one in ordered:
        below.setdefault(one.parent if one.parent in known else "", []).append(one)
    found: list[tuple[Item, int]] = []
    seen: set[str] = set()
    todo = [(one, 0) for one in reversed(below.get("", []))]
    while todo:
        one, depth = todo.pop()
        if one.identifier in seen:
            continue
        seen.add(one.identifier)
        found.append((one, depth))
        todo += [(child, depth + 1) for child in reversed(below.get(one.identifier, []))]
    return found + [(one, 0) for one in ordered if one.identifier not in seen]
