"""CASE 1.1: reading and writing a CFPackage without losing anything.

What CASE has no field for (the statement in the second language, outcome domain, Miller's stage,
level of the qualifications framework) stands in ``extensions.microcred`` of the item, where CASE
1.1 keeps what is not its own. Fields that we do not model are kept as they are.

Source: 1EdTech Competencies and Academic Standards Exchange 1.1, REST/JSON binding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from mooc_microcred.competencies.data import DOMAINS, MILLER_STAGES
from mooc_microcred.competencies.documents import (
    ASSOCIATION_TYPES,
    IS_CHILD_OF,
    REPLACED_BY,
    Document,
    Item,
    Link,
    made_identifier,
)
from mooc_microcred.core import clock
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import InvalidInput, Problem

EXTENSION = "microcred"
VERSION = "1.1"
MAX_ITEMS = 20_000
MAX_PROBLEMS = 50
MAX_DEPTH = 40

# CASE takes UUIDs of versions 1 to 5.
UUID = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}\Z"
)
_THAI = re.compile("[\u0e00-\u0e7f]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

_COMMON = {"identifier", "uri", "lastChangeDateTime", "notes", "extensions"}
_DOCUMENT = _COMMON | {
    "creator", "title", "frameworkType", "caseVersion", "officialSourceURL", "publisher", "description",
    "subject", "subjectURI", "language", "version", "adoptionStatus", "statusStartDate", "statusEndDate",
    "licenseURI", "CFPackageURI",
}  # fmt: skip
_ITEM = _COMMON | {
    "fullStatement", "alternativeLabel", "CFItemType", "humanCodingScheme", "listEnumeration",
    "abbreviatedStatement", "conceptKeywords", "conceptKeywordsURI", "subject", "subjectURI", "language",
    "educationLevel", "CFItemTypeURI", "licenseURI", "statusStartDate", "statusEndDate", "CFDocumentURI",
}  # fmt: skip
_ASSOCIATION = _COMMON | {
    "associationType", "sequenceNumber", "originNodeURI", "destinationNodeURI", "CFAssociationGroupingURI",
    "CFDocumentURI",
}  # fmt: skip
_PACKAGE = {"CFDocument", "CFItems", "CFAssociations", "CFDefinitions", "CFRubrics", "extensions"}
_LENGTHS = {"title": 500, "creator": 500, "version": 64, "language": 16, "humanCodingScheme": 128, "uri": 500}


# --- reading ---


def read_package(content: bytes) -> Document:
    """Return the framework of a CFPackage.

    Raises:
        InvalidInput: it is no JSON or no CFPackage; each finding names its place.
    """
    try:
        package = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_("The file is no JSON.")) from error
    problems = list(_check_package(package))[: MAX_PROBLEMS + 1]
    if problems:
        raise InvalidInput(_("This is no CFPackage of CASE 1.1."), problems=problems[:MAX_PROBLEMS])
    return _read(package)


def _check_package(package: Any) -> Iterator[Problem]:
    if not isinstance(package, dict) or not isinstance(package.get("CFDocument"), dict):
        yield Problem("CFDocument", _("This is missing."))
        return
    if _too_deep(package):
        yield Problem("", _("This is nested more than %(count)s deep.") % {"count": MAX_DEPTH})
        return
    yield from _unknown(package, _PACKAGE, "")
    yield from _check_object(
        package["CFDocument"],
        "CFDocument",
        _DOCUMENT,
        ("identifier", "uri", "creator", "title", "lastChangeDateTime"),
    )
    for section, allowed, required in (
        ("CFItems", _ITEM, ("identifier", "uri", "fullStatement", "lastChangeDateTime")),
        (
            "CFAssociations",
            _ASSOCIATION,
            (
                "identifier",
                "uri",
                "associationType",
                "originNodeURI",
                "destinationNodeURI",
                "lastChangeDateTime",
            ),
        ),
    ):
        rows = package[section] if package.get(section) is not None else []
        if not isinstance(rows, list) or len(rows) > MAX_ITEMS * (3 if section == "CFAssociations" else 1):
            yield Problem(section, _("This must be a list of at most %(count)s.") % {"count": MAX_ITEMS})
            continue
        seen: set[str] = set()
        for index, row in enumerate(rows):
            where = f"{section}[{index}]"
            if not isinstance(row, dict):
                yield Problem(where, _("This must be fields with values."))
                continue
            yield from _check_object(row, where, allowed, required)
            identifier = str(row.get("identifier", "")).lower()
            if identifier in seen:
                yield Problem(f"{where}.identifier", _("This identifier stands here twice."), identifier)
            seen.add(identifier)
            if section == "CFAssociations":
                yield from _check_association(row, where)
    for section, kind in (("CFDefinitions", dict), ("CFRubrics", list)):
        if package.get(section) is not None and not isinstance(package[section], kind):
            yield Problem(section, _("This does not have the form that CASE gives it."))


def _too_deep(package: Any) -> bool:
    todo = [(package, 1)]
    while todo:
        value, depth = todo.pop()
        if depth > MAX_DEPTH:
            return True
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        todo += [(child, depth + 1) for child in children]
    return False


def _check_object(
    row: Mapping[str, Any], where: str, allowed: set[str], required: tuple[str, ...]
) -> Iterator[Problem]:
    yield from _unknown(row, allowed, where)
    for name in required:
        if row.get(name) in (None, ""):
            yield Problem(f"{where}.{name}", _("This is missing."))
    identifier = row.get("identifier")
    if identifier is not None and not (isinstance(identifier, str) and UUID.match(identifier)):
        yield Problem(f"{where}.identifier", _("This is no UUID of versions 1 to 5."), str(identifier)[:100])
    for name, value in row.items():
        if isinstance(value, str) and _CONTROL.search(value):
            yield Problem(f"{where}.{name}", _("The text holds control characters. Write it without them."))
    for name, limit in _LENGTHS.items():
        value = row.get(name)
        if value is not None and not isinstance(value, str):
            yield Problem(f"{where}.{name}", _("This must be text."))
        elif value is not None and len(value) > limit:
            yield Problem(
                f"{where}.{name}", _("The text is longer than %(limit)s characters.") % {"limit": limit}
            )
    for name in ("fullStatement", "lastChangeDateTime", "statusEndDate", "associationType"):
        if row.get(name) is not None and not isinstance(row[name], str):
            yield Problem(f"{where}.{name}", _("This must be text."))
    changed = row.get("lastChangeDateTime")
    if isinstance(changed, str) and _moment(changed) is None:
        yield Problem(
            f"{where}.lastChangeDateTime", _("This is no instant as ISO 8601 writes it."), changed[:100]
        )
    yield from _check_extension(row, where)


def _check_extension(row: Mapping[str, Any], where: str) -> Iterator[Problem]:
    extensions = row.get("extensions")
    if extensions is None:
        return
    if not isinstance(extensions, dict):
        yield Problem(f"{where}.extensions", _("This must be fields with values."))
        return
    ours = extensions.get(EXTENSION)
    if ours is None:
        return
    here = f"{where}.extensions.{EXTENSION}"
    if not isinstance(ours, dict):
        yield Problem(here, _("This must be fields with values."))
        return
    for name, choices in (("domain", DOMAINS), ("miller", MILLER_STAGES)):
        if ours.get(name) not in (None, "", *choices):
            yield Problem(
                f"{here}.{name}", _("Choose one of: %(allowed)s.") % {"allowed": ", ".join(choices)}
            )
    level = ours.get("nqf")
    if level is not None and not (isinstance(level, int) and not isinstance(level, bool) and 1 <= level <= 8):
        yield Problem(f"{here}.nqf", _("A level is a whole number from 1 to 8."), str(level)[:100])
    for name in ("statement", "title"):
        text = ours.get(name)
        if text is not None and not (
            isinstance(text, dict)
            and set(text) <= {"th", "en"}
            and all(isinstance(one, str) and not _CONTROL.search(one) for one in text.values())
        ):
            yield Problem(
                f"{here}.{name}", _("This must be a text in Thai (th), in English (en) or in both.")
            )


def _check_association(row: Mapping[str, Any], where: str) -> Iterator[Problem]:
    kind = row.get("associationType")
    if (
        isinstance(kind, str)
        and kind not in ASSOCIATION_TYPES
        and not re.match(r"ext:[A-Za-z0-9._-]+\Z", kind)
        or isinstance(kind, str)
        and len(kind) > 64
    ):
        yield Problem(f"{where}.associationType", _("CASE has no such type of association."), kind[:100])
    sequence = row.get("sequenceNumber")
    if sequence is not None and (
        not isinstance(sequence, int) or isinstance(sequence, bool) or abs(sequence) > 2**31 - 1
    ):
        yield Problem(f"{where}.sequenceNumber", _("This must be a whole number."))
    for name in ("originNodeURI", "destinationNodeURI"):
        node = row.get(name)
        if not isinstance(node, dict) or not all(
            isinstance(node.get(part), str) and 0 < len(node[part]) <= limit
            for part, limit in (("identifier", 255), ("uri", 500))
        ):
            yield Problem(f"{where}.{name}", _("This must name an identifier and a URI."))


def _unknown(row: Mapping[str, Any], allowed: set[str], where: str) -> Iterator[Problem]:
    for name in sorted(set(row) - allowed):
        place = f"{where}.{name}" if where else name
        yield Problem(place[:200], _("CASE has no such field. Put what is your own into extensions."))


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    if found is not None and found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found


def _read(package: Mapping[str, Any]) -> Document:
    head = dict(package["CFDocument"])
    language = head.get("language") or ""
    title = _both(head, head["title"], language, "title")
    document = Document(
        identifier=head["identifier"].lower(),
        th=title["th"],
        en=title["en"],
        creator=head["creator"],
        version=head.get("version") or "",
        language=language or ("th" if title["th"] else "en"),
        uri=head["uri"],
        document=_rest(
            head, ("identifier", "title", "creator", "version", "language", "uri", "CFPackageURI")
        ),
        definitions=package.get("CFDefinitions") or {},
        rubrics=package.get("CFRubrics") or [],
        carries=["document", "links", "details"],
    )
    if package.get("extensions"):
        document.document["packageExtensions"] = package["extensions"]
    document.links = [_read_link(row) for row in package.get("CFAssociations") or []]
    items = {row["identifier"].lower(): _read_item(row, language) for row in package.get("CFItems") or []}
    for place, item in enumerate(items.values(), start=1):
        item.sequence = place
    for link in document.links:
        child = items.get(link.origin)
        if child is None:
            continue
        if link.kind == IS_CHILD_OF and link.destination in items and not child.parent:
            child.parent = link.destination
            child.sequence = link.sequence if link.sequence is not None else child.sequence
        elif (
            link.kind == IS_CHILD_OF and link.sequence is not None and link.destination == document.identifier
        ):
            child.sequence = link.sequence
        elif link.kind == REPLACED_BY and child.successor is None:
            known_here = link.destination in items
            child.successor = (document.identifier if known_here else "", link.destination)
    document.items = list(items.values())
    return document


def _both(row: Mapping[str, Any], text: str, language: str, name: str) -> dict[str, str]:
    """Return a text in both languages: as the extension says, or by its language or letters."""
    said = ((row.get("extensions") or {}).get(EXTENSION) or {}).get(name)
    if said:
        return {"th": said.get("th", ""), "en": said.get("en", "")}
    language = row.get("language") or language
    thai = language.startswith("th") if language else bool(_THAI.search(text))
    return {"th": text if thai else "", "en": "" if thai else text}


def _rest(row: Mapping[str, Any], modelled: tuple[str, ...]) -> dict[str, Any]:
    """Return what we do not model; our own extension is modelled."""
    rest = {name: value for name, value in row.items() if name not in modelled}
    if rest.get("extensions"):
        others = {name: value for name, value in rest["extensions"].items() if name != EXTENSION}
        rest["extensions"] = others
        if not others:
            del rest["extensions"]
    return rest


def _read_item(row: Mapping[str, Any], language: str) -> Item:
    ours = (row.get("extensions") or {}).get(EXTENSION) or {}
    text = _both(row, row["fullStatement"], language, "statement")
    ended = (row.get("statusEndDate") or "")[:10]
    try:
        retired = bool(ended) and date.fromisoformat(ended) <= clock.now().date()
    except ValueError:
        retired = False
    return Item(
        identifier=row["identifier"].lower(),
        code=row.get("humanCodingScheme") or "",
        th=text["th"],
        en=text["en"],
        domain=ours.get("domain") or "",
        miller=ours.get("miller") or "",
        nqf=ours.get("nqf"),
        retired=ended if retired else "",
        uri=row["uri"],
        extras=_rest(row, ("identifier", "humanCodingScheme", "fullStatement", "uri", "CFDocumentURI")),
    )


def _read_link(row: Mapping[str, Any]) -> Link:
    origin, destination = row["originNodeURI"], row["destinationNodeURI"]
    extras = _rest(
        row,
        (
            "identifier",
            "associationType",
            "sequenceNumber",
            "uri",
            "originNodeURI",
            "destinationNodeURI",
            "CFDocumentURI",
        ),
    )
    for name, node in (("originNodeURI", origin), ("destinationNodeURI", destination)):
        rest = {part: value for part, value in node.items() if part not in ("identifier", "uri")}
        if rest:
            extras[name] = rest
    return Link(
        identifier=row["identifier"].lower(),
        kind=row["associationType"],
        origin=_folded(origin["identifier"]),
        destination=_folded(destination["identifier"]),
        origin_uri=origin["uri"],
        destination_uri=destination["uri"],
        sequence=row.get("sequenceNumber"),
        uri=row["uri"],
        extras=extras,
    )


def _folded(identifier: str) -> str:
    return identifier.lower() if UUID.match(identifier) else identifier


# --- writing ---


def address(resource: str, identifier: str) -> str:
    """Return our address of a CASE resource, such as ``CFItems``."""
    base = getattr(microcred_settings, "PUBLIC_URL", None) or ""
    return f"{base}/api/mooc_microcred/ims/case/v1p1/{resource}/{identifier}"


def write_package(document: Document, *, changed: datetime) -> dict[str, Any]:
    """Return a framework as a CFPackage.

    Args:
        changed: when it was last changed, for what has no instant of its own.
    """
    package: dict[str, Any] = {
        "CFDocument": write_document(document, changed=changed),
        "CFItems": [write_item(one, document, changed=changed) for one in document.items],
        "CFAssociations": [write_link(one, document, changed=changed) for one in all_links(document)],
    }
    # Inside a package the items need not say of which document they are.
    for row in (*package["CFItems"], *package["CFAssociations"]):
        del row["CFDocumentURI"]
    del package["CFDocument"]["CFPackageURI"]
    if document.definitions:
        package["CFDefinitions"] = document.definitions
    if document.rubrics:
        package["CFRubrics"] = document.rubrics
    if document.document.get("packageExtensions"):
        package["extensions"] = document.document["packageExtensions"]
    return package


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _main(text: Mapping[str, str], language: str) -> str:
    return (text["th"] or text["en"]) if language.startswith("th") else (text["en"] or text["th"])


def _extended(row: dict[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in ours.items() if value not in (None, "", {})}
    if said:
        row["extensions"] = {**row.get("extensions", {}), EXTENSION: said}
    return row


def write_document(document: Document, *, changed: datetime) -> dict[str, Any]:
    """Return the CFDocument of a framework."""
    text = {"th": document.th, "en": document.en}
    extras = {name: value for name, value in document.document.items() if name != "packageExtensions"}
    row = {
        **extras,
        "identifier": document.identifier,
        "uri": document.uri or address("CFDocuments", document.identifier),
        "creator": document.creator or "-",
        "title": _main(text, document.language),
        "lastChangeDateTime": extras.get("lastChangeDateTime") or _instant(changed),
        "caseVersion": extras.get("caseVersion", VERSION),
        "CFPackageURI": {
            "title": _main(text, document.language),
            "identifier": document.identifier,
            "uri": address("CFPackages", document.identifier),
        },
    }
    for name in ("version", "language"):
        if getattr(document, name):
            row[name] = getattr(document, name)
    return _extended(row, {"title": text} if text["th"] and text["en"] else {})


def _document_link(document: Document) -> dict[str, str]:
    return {
        "title": _main({"th": document.th, "en": document.en}, document.language),
        "identifier": document.identifier,
        "uri": document.uri or address("CFDocuments", document.identifier),
    }


def write_item(item: Item, document: Document, *, changed: datetime) -> dict[str, Any]:
    """Return the CFItem of an item."""
    language = item.extras.get("language") or document.language
    text = {"th": item.th, "en": item.en}
    row = {
        **item.extras,
        "identifier": item.identifier,
        "uri": item.uri or address("CFItems", item.identifier),
        "fullStatement": _main(text, language) or item.code or "-",
        "lastChangeDateTime": item.extras.get("lastChangeDateTime") or _instant(changed),
        "CFDocumentURI": _document_link(document),
    }
    if item.code:
        row["humanCodingScheme"] = item.code
    if item.retired:
        row["statusEndDate"] = item.extras.get("statusEndDate") or item.retired
    told = {"th" if language.startswith("th") else "en"}
    said = {name for name, value in text.items() if value}
    return _extended(
        row,
        {
            "statement": text if said != told else {},
            "domain": item.domain,
            "miller": item.miller,
            "nqf": item.nqf,
        },
    )


def all_links(document: Document) -> list[Link]:
    """Return the associations of a framework, those that only the tree and the successors say included."""
    said = {(one.kind, one.origin, one.destination) for one in document.links}
    made = []
    for item in document.items:
        above = item.parent or document.identifier
        wanted: list[tuple[str, str, int | None]] = [(IS_CHILD_OF, above, item.sequence)]
        if item.successor:
            wanted.append((REPLACED_BY, item.successor[1], None))
        for kind, destination, sequence in wanted:
            if (kind, item.identifier, destination) not in said:
                identifier = made_identifier(document.identifier, item.identifier, kind, destination)
                made.append(Link(identifier, kind, item.identifier, destination, sequence=sequence))
    return [*document.links, *made]


def write_link(link: Link, document: Document, *, changed: datetime) -> dict[str, Any]:
    """Return the CFAssociation of an association."""
    extras = dict(link.extras)
    nodes = {}
    for name, identifier, uri in (
        ("originNodeURI", link.origin, link.origin_uri),
        ("destinationNodeURI", link.destination, link.destination_uri),
    ):
        resource = "CFDocuments" if identifier == document.identifier else "CFItems"
        rest = extras.pop(name, {})
        nodes[name] = {
            **rest,
            "title": rest.get("title", identifier),
            "identifier": identifier,
            "uri": uri or address(resource, identifier),
        }
    row = {
        **extras,
        "identifier": link.identifier,
        "associationType": link.kind,
        "uri": link.uri or address("CFAssociations", link.identifier),
        **nodes,
        "lastChangeDateTime": extras.get("lastChangeDateTime") or _instant(changed),
        "CFDocumentURI": _document_link(document),
    }
    if link.sequence is not None:
        row["sequenceNumber"] = link.sequence
    return row
