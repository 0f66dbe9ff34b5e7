"""A framework as a table: our CSV, and the platform's taxonomy files (CSV and JSON)."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from mooc_microcred.competencies.case import MAX_ITEMS, MAX_PROBLEMS, UUID
from mooc_microcred.competencies.data import DOMAINS, MILLER_STAGES
from mooc_microcred.competencies.documents import (
    EXACT_MATCH_OF,
    PRECEDES,
    Document,
    Item,
    Link,
    made_identifier,
)
from mooc_microcred.core.cells import neutralised
from mooc_microcred.core.csvfiles import HEADER_WITHIN, csv_table, decoded
from mooc_microcred.core.errors import InvalidInput, Problem

#: The columns of our CSV and what people call them. Only code and one statement must be there.
COLUMNS: dict[str, tuple[str, ...]] = {
    "identifier": ("identifier", "uuid", "รหัสประจำตัว"),
    "code": ("code", "รหัส", "รหัสสมรรถนะ"),
    "parent": ("parent", "parent code", "รหัสแม่", "อยู่ภายใต้"),
    "statement_th": ("statement_th", "thai", "สมรรถนะ", "ข้อความภาษาไทย"),
    "statement_en": ("statement_en", "english", "competency", "ข้อความภาษาอังกฤษ"),
    "domain": ("domain", "ด้าน", "ด้านผลลัพธ์การเรียนรู้"),
    "miller": ("miller", "ระดับมิลเลอร์"),
    "nqf": ("nqf", "nqf level", "ระดับคุณวุฒิ"),
    "precedes": ("precedes", "มาก่อน"),
    "exact_match": ("exact_match", "exact match", "ตรงกับ"),
    "replaced_by": ("replaced_by", "replaced by", "แทนด้วย"),
    "retired": ("retired", "เลิกใช้"),
}
_DOMAINS = dict(zip(("ความรู้", "ทักษะ", "จริยธรรม", "ลักษณะบุคคล"), DOMAINS, strict=True)) | {
    one: one for one in DOMAINS
}
_YES = {"1", "yes", "true", "x", "ใช่", "เลิกใช้"}
_THAI = re.compile("[\u0e00-\u0e7f]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
MAX_CELL = 10_000
MAX_COLUMNS = 64


def _folded(heading: str) -> str:
    return re.sub(r"[\s\-_.:*\ufeff]+", "", unicodedata.normalize("NFKC", heading).casefold())


_STANDARD = {_folded(heading): name for name, headings in COLUMNS.items() for heading in headings}
_TAXONOMY = {"id", "value", "parentid"}


def read_table(content: bytes, *, framework: str) -> Document:
    """Return the framework of a CSV: our own, or the platform's taxonomy (``id,value,parent_id``).

    Args:
        framework: identifier; items without one get theirs from it and from their code.

    Raises:
        InvalidInput: it is no such table; each finding names its row and column.
    """
    text = decoded(content)
    known = _STANDARD.keys() | _TAXONOMY
    rows = [
        (number, [cell.strip() for cell in cells])
        for number, cells in csv_table(text, is_heading=lambda cell: _folded(cell) in known)
        if any(cell.strip() for cell in cells)
    ]
    for place, (_number, cells) in enumerate(rows[:HEADER_WITHIN]):
        folded = [_folded(cell) for cell in cells]
        if {"id", "value"} <= set(folded):
            return _read_tags(_named(rows[place + 1 :], folded), framework)
        names = [_STANDARD.get(cell, "") for cell in folded]
        if "code" in names and {"statement_th", "statement_en"} & set(names):
            document = _read_rows(_named(rows[place + 1 :], names), framework)
            document.ignored = [cell for cell, name in zip(cells, names, strict=True) if cell and not name]
            return document
    raise InvalidInput(
        _("The table has no heading row with the columns code and statement_th or statement_en.")
    )


def _named(rows: Sequence[tuple[int, list[str]]], names: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    return [
        (
            number,
            {name: cell for name, cell in zip(names[:MAX_COLUMNS], cells, strict=False) if name and cell},
        )
        for number, cells in rows
    ]


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InvalidInput(
            _("The table is not right; nothing was changed."), problems=problems[:MAX_PROBLEMS]
        )


def _place(number: int, column: str) -> str:
    return _("row %(row)s, %(column)s") % {"row": number, "column": column}


def _read_rows(rows: Sequence[tuple[int, dict[str, str]]], framework: str) -> Document:
    document = Document(framework, carries=["details"])
    problems: list[Problem] = []
    if len(rows) > MAX_ITEMS:
        raise InvalidInput(_("The table has more than %(count)s rows.") % {"count": MAX_ITEMS})
    by_code: dict[str, Item] = {}
    seen: set[str] = set()
    for number, cells in rows:
        for column, cell in cells.items():
            if len(cell) > MAX_CELL or _CONTROL.search(cell):
                problems.append(
                    Problem(_place(number, column), _("The text is too long or holds control characters."))
                )
        code = cells.get("code", "")
        if not code or len(code) > 128:
            problems.append(
                Problem(_place(number, "code"), _("Each row needs a code of at most 128 characters."))
            )
            continue
        if code.casefold() in by_code:
            problems.append(Problem(_place(number, "code"), _("This code stands in the table twice."), code))
            continue
        identifier = cells.get("identifier", "").lower()
        if identifier and not UUID.match(identifier):
            problems.append(
                Problem(
                    _place(number, "identifier"), _("This is no UUID of versions 1 to 5."), identifier[:100]
                )
            )
            continue
        identifier = identifier or made_identifier(framework, code)
        if identifier in seen:
            problems.append(
                Problem(_place(number, "identifier"), _("This identifier stands here twice."), identifier)
            )
            continue
        seen.add(identifier)
        item = Item(
            identifier,
            code=code,
            th=cells.get("statement_th", ""),
            en=cells.get("statement_en", ""),
            domain=_DOMAINS.get(cells.get("domain", "").casefold(), ""),
            miller=cells.get("miller", "").casefold().replace(" ", "_"),
            sequence=len(by_code) + 1,
            retired="yes" if cells.get("retired", "").casefold() in _YES else "",
        )
        problems += _check_row(number, cells, item)
        by_code[code.casefold()] = item
    if not problems:
        _resolve(rows, by_code, document, problems)
    _refuse(problems)
    document.items = list(by_code.values())
    return document


def _check_row(number: int, cells: Mapping[str, str], item: Item) -> list[Problem]:
    problems = []
    if not item.th and not item.en:
        problems.append(
            Problem(_place(number, "statement"), _("Write the statement in Thai, in English or in both."))
        )
    if cells.get("domain") and not item.domain:
        problems.append(
            Problem(
                _place(number, "domain"),
                _("Choose one of: %(allowed)s.") % {"allowed": ", ".join(_DOMAINS)},
                cells["domain"][:100],
            )
        )
    if item.miller and item.miller not in MILLER_STAGES:
        problems.append(
            Problem(
                _place(number, "miller"),
                _("Choose one of: %(allowed)s.") % {"allowed": ", ".join(MILLER_STAGES)},
                cells["miller"][:100],
            )
        )
        item.miller = ""
    level = unicodedata.normalize("NFKC", cells.get("nqf", ""))
    if level:
        # Thai digits are digits.
        item.nqf = int(level) if level.isdecimal() and 1 <= int(level) <= 8 else None
        if item.nqf is None:
            problems.append(
                Problem(_place(number, "nqf"), _("A level is a whole number from 1 to 8."), level[:100])
            )
    return problems


def _resolve(
    rows: Sequence[tuple[int, dict[str, str]]],
    by_code: Mapping[str, Item],
    document: Document,
    problems: list[Problem],
) -> None:
    """Find what rows name by code or identifier: parents, what they precede, what replaces them."""
    by_identifier = {item.identifier: item for item in by_code.values()}

    def named(number: int, column: str, text: str) -> Item | None:
        found = by_code.get(text.casefold()) or by_identifier.get(text.lower())
        if found is None:
            problems.append(Problem(_place(number, column), _("No row has this code."), text[:100]))
        return found

    for number, cells in rows:
        item = by_code[cells["code"].casefold()]
        if cells.get("parent"):
            above = named(number, "parent", cells["parent"])
            if above is item:
                problems.append(
                    Problem(_place(number, "parent"), _("A row cannot lie below itself."), item.code)
                )
            item.parent = above.identifier if above else ""
        if cells.get("replaced_by"):
            later = named(number, "replaced_by", cells["replaced_by"])
            item.successor = (document.identifier, later.identifier) if later else None
        for text in _parts(cells.get("precedes", "")):
            later = named(number, "precedes", text)
            if later is not None:
                document.links.append(_link(document, item, PRECEDES, later.identifier))
        for text in _parts(cells.get("exact_match", "")):
            if not re.match(r"https?://\S{1,480}\Z", text):
                message = _("Write the address of the other competency, such as that of ESCO.")
                problems.append(Problem(_place(number, "exact_match"), message, text[:100]))
                continue
            link = _link(document, item, EXACT_MATCH_OF, text.rstrip("/").rsplit("/", 1)[-1][:255])
            link.destination_uri = text
            document.links.append(link)
    _find_circle(by_code, by_identifier, problems)


def _parts(cell: str) -> list[str]:
    return [part for part in re.split(r"[\s|]+", cell) if part]


def _link(document: Document, item: Item, kind: str, destination: str) -> Link:
    identifier = made_identifier(document.identifier, item.identifier, kind, destination)
    return Link(identifier, kind, item.identifier, destination)


def _find_circle(
    by_code: Mapping[str, Item], by_identifier: Mapping[str, Item], problems: list[Problem]
) -> None:
    for item in by_code.values():
        seen = {item.identifier}
        above = item.parent
        while above:
            if above in seen:
                problems.append(
                    Problem("parent", _("These items lie below each other in a circle."), item.code)
                )
                return
            seen.add(above)
            found = by_identifier.get(above)
            above = found.parent if found else ""


def write_table(document: Document) -> str:
    """Return a framework as our CSV; UTF-8, to be written with a BOM for spreadsheets."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    codes = {item.identifier: item.code or item.identifier for item in document.items}
    links: dict[tuple[str, str], list[str]] = {}
    for link in document.links:
        if link.kind == PRECEDES and link.destination in codes:
            links.setdefault((link.origin, PRECEDES), []).append(link.destination)
        elif link.kind == EXACT_MATCH_OF and link.destination_uri.startswith("http"):
            links.setdefault((link.origin, EXACT_MATCH_OF), []).append(link.destination_uri)
    for item in document.items:
        successor = item.successor[1] if item.successor else ""
        writer.writerow(
            neutralised(cell)
            for cell in (
                item.identifier,
                item.code or item.identifier,
                codes.get(item.parent, ""),
                item.th,
                item.en,
                item.domain,
                item.miller,
                item.nqf,
                # By identifier: a code may hold spaces.
                " ".join(links.get((item.identifier, PRECEDES), ())),
                " ".join(links.get((item.identifier, EXACT_MATCH_OF), ())),
                codes.get(successor, ""),
                "yes" if item.retired else "",
            )
        )
    return file.getvalue()


# --- the platform's taxonomy ---


def read_taxonomy_json(content: bytes, *, framework: str) -> Document:
    """Return the framework of the platform's taxonomy file ``{"tags": [{id, value, parent_id}]}``.

    Raises:
        InvalidInput: it is no such file.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_("The file is no JSON.")) from error
    tags = found.get("tags") if isinstance(found, dict) else None
    if not isinstance(tags, list) or not all(isinstance(tag, dict) for tag in tags):
        raise InvalidInput(_("This is neither a CFPackage nor a taxonomy of the platform."))
    rows = [
        (
            place,
            {
                "id": str(tag.get("id") or ""),
                "value": str(tag.get("value") or ""),
                "parentid": str(tag.get("parent_id") or ""),
            },
        )
        for place, tag in enumerate(tags, start=1)
    ]
    return _read_tags(rows, framework)


def write_tags(tags: Sequence[Mapping[str, str]], *, as_json: bool) -> bytes:
    """Return tags as the platform imports them: CSV (``id,value,parent_id``) or JSON."""
    if as_json:
        rows = [{name: value for name, value in tag.items() if value} for tag in tags]
        return json.dumps({"tags": rows}, ensure_ascii=False, indent=1).encode()
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(("id", "value", "parent_id"))
    # A machine reads this: nothing may stand before a value.
    writer.writerows((tag["id"], tag["value"], tag["parent_id"]) for tag in tags)
    return file.getvalue().encode()


def _read_tags(rows: Sequence[tuple[int, dict[str, str]]], framework: str) -> Document:
    """Read tags: a taxonomy has no domains, stages, levels and associations; these stay as they are."""
    if len(rows) > MAX_ITEMS:
        raise InvalidInput(_("The table has more than %(count)s rows.") % {"count": MAX_ITEMS})
    document = Document(framework, carries=[])
    problems: list[Problem] = []
    identifiers: dict[str, str] = {}
    for number, cells in rows:
        name, value = cells.get("id", ""), " ".join(cells.get("value", "").split())
        if not name or not value or _CONTROL.search(name + value) or len(value) > MAX_CELL:
            problems.append(Problem(_place(number, "id"), _("Each tag needs an id and a value.")))
            continue
        if name.casefold() in identifiers:
            problems.append(
                Problem(_place(number, "id"), _("This identifier stands here twice."), name[:100])
            )
            continue
        identifier = name.lower() if UUID.match(name) else made_identifier(framework, name)
        identifiers[name.casefold()] = identifier
        thai = bool(_THAI.search(value))
        document.items.append(
            Item(
                identifier,
                code="" if UUID.match(name) else name[:128],
                th=value if thai else "",
                en="" if thai else value,
                sequence=len(document.items) + 1,
            )
        )
    by_identifier = {item.identifier: item for item in document.items}
    for number, cells in rows:
        above = cells.get("parentid", "")
        if above and not problems:
            if above.casefold() not in identifiers:
                problems.append(Problem(_place(number, "parent_id"), _("No row has this code."), above[:100]))
            else:
                by_identifier[identifiers[cells["id"].casefold()]].parent = identifiers[above.casefold()]
    if not problems:
        _find_circle({item.identifier: item for item in document.items}, by_identifier, problems)
    _refuse(problems)
    return document
