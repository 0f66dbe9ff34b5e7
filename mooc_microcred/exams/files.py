"""Reading a file of exam results as a centre sends it, into rows of named cells.

CSV in UTF-8 (with or without BOM), UTF-16 with BOM or Windows-874 (as Thai Excel saves it),
with commas, semicolons or tabs; XLSX. Bounded in bytes, rows, columns and expansion before
anything is parsed. What the cells mean is the business of ``rows.py``.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.styles import Font

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import InvalidInput

MAX_COLUMNS = 64
MAX_CELL = 1000

# The standard name of each column, and the headings under which centres send it. The first Thai
# and the first English heading are those of the template.
COLUMNS: dict[str, tuple[str, ...]] = {
    "admission_number": (
        "เลขประจำตัวสอบ",
        "admission number",
        "เลขที่นั่งสอบ",
        "เลขประจำตัวผู้สอบ",
        "เลขที่สอบ",
        "candidate number",
        "admission no",
    ),
    "username": ("ชื่อผู้ใช้", "username", "user name", "บัญชีผู้ใช้"),
    "email": ("อีเมล", "email", "e-mail", "อีเมล์", "email address"),
    "national_id": (
        "เลขประจำตัวประชาชน",
        "national id",
        "เลขบัตรประชาชน",
        "เลขประชาชน",
        "citizen id",
        "id card number",
    ),
    "passport": ("หนังสือเดินทาง", "passport", "เลขที่หนังสือเดินทาง", "passport number", "passport no"),
    "name": ("ชื่อ-สกุล", "name", "ชื่อ-นามสกุล", "ชื่อ สกุล", "ชื่อ นามสกุล", "full name", "ชื่อสกุล"),
    "score": ("คะแนน", "score", "คะแนนที่ได้", "คะแนนสอบ", "marks"),
    "max_score": ("คะแนนเต็ม", "max score", "maximum score", "full score", "full marks"),
    "sat_on": ("วันที่สอบ", "exam date", "วันสอบ", "date", "date of exam"),
    "status": ("สถานะ", "status", "สถานะการสอบ"),
    "centre": ("ศูนย์สอบ", "centre", "center", "test centre", "test center", "สถานที่สอบ"),
}
IDENTIFIERS = ("admission_number", "username", "email", "national_id", "passport")


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands in the file.

    Attributes:
        number: counted from 1, the header included, as a spreadsheet shows it.
        cells: by standard name of the column; a text, or a date where the file has one; absent
            where the cell is empty.
        formulas: standard names of columns whose cell is a formula.
    """

    number: int
    cells: dict[str, str | date]
    formulas: frozenset[str] = frozenset()


def _folded(heading: str) -> str:
    """Return a heading without the differences that people make: case, spaces, dashes, dots."""
    text = unicodedata.normalize("NFKC", heading).casefold()
    # NFKC takes sara am apart; both spellings of it come out the same.
    return re.sub(r"[\s\-_.:()*\ufeff\u200b]+", "", text)


_STANDARD = {_folded(heading): name for name, headings in COLUMNS.items() for heading in headings}
_STANDARD |= {_folded(name): name for name in COLUMNS}


def read_rows(file_name: str, content: bytes) -> list[RawRow]:
    """Read the rows of a CSV or XLSX file; empty rows are left out.

    Args:
        file_name: as uploaded; only the content decides what it is.

    Raises:
        InvalidInput: too large, not a table of results, or a kind of file that is not taken.
    """
    if not content.strip():
        raise InvalidInput(_("The file is empty."))
    if len(content) > microcred_settings.UPLOAD_MAX_BYTES:
        raise InvalidInput(
            _("The file is larger than %(megabytes)s MB. Split it into several batches.")
            % {"megabytes": microcred_settings.UPLOAD_MAX_BYTES // 2**20}
        )
    if content.startswith(b"PK"):
        table: Iterable[Sequence[Any]] = _xlsx_table(content)
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidInput(
            _("This is an old .xls file or one with a password. Save it as .xlsx without a password.")
        )
    else:
        table = _csv_table(_decoded(content))
    return _named_rows(table)


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp874"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InvalidInput(_("The file is neither a CSV in UTF-8 or Windows-874 (Thai) nor an XLSX file."))


def _csv_table(text: str) -> Iterator[Sequence[str]]:
    first_line = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=lambda one: sum(_folded(cell) in _STANDARD for cell in first_line.split(one)))
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error:
        raise InvalidInput(
            _("The CSV cannot be read: a quotation mark is not closed or a cell is too long.")
        ) from None


class _Formula(str):
    """A cell that is computed by the spreadsheet; what it would show is not in the file for sure."""


def _xlsx_table(content: bytes) -> Iterator[Sequence[Any]]:
    _check_archive(content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(max_col=MAX_COLUMNS + 1)
        for row in rows:
            yield [
                _Formula(cell.value) if getattr(cell, "data_type", "") == "f" else cell.value for cell in row
            ]
    except InvalidInput:
        raise
    except Exception:  # noqa: BLE001 openpyxl raises whatever its XML and ZIP readers raise
        raise InvalidInput(_("The XLSX file cannot be read. Open it, save it again and send that.")) from None


def _check_archive(content: bytes) -> None:
    """Refuse what expands beyond bounds or carries macros, before a parser sees it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            expanded = sum(entry.file_size for entry in entries)
            names = {entry.filename.lower() for entry in entries}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError):
        raise InvalidInput(_("The XLSX file cannot be read. Open it, save it again and send that.")) from None
    if expanded > microcred_settings.UPLOAD_MAX_EXPANDED_BYTES or len(entries) > 2000:
        raise InvalidInput(_("The XLSX file is too large when unpacked. Split it into several batches."))
    if any(name.endswith("vbaproject.bin") for name in names):
        raise InvalidInput(_("The file contains macros. Save it as .xlsx without macros."))


def _named_rows(table: Iterable[Sequence[Any]]) -> list[RawRow]:
    header: list[str | None] | None = None
    rows: list[RawRow] = []
    for number, values in enumerate(table, start=1):
        if number > microcred_settings.UPLOAD_MAX_ROWS + 1:
            raise InvalidInput(
                _("The file has more than %(rows)s rows. Split it into several batches.")
                % {"rows": microcred_settings.UPLOAD_MAX_ROWS}
            )
        if len(values) > MAX_COLUMNS and any(value not in (None, "") for value in values[MAX_COLUMNS:]):
            raise InvalidInput(_("The file has more than %(columns)s columns.") % {"columns": MAX_COLUMNS})
        if all(value is None or not str(value).strip() for value in values):
            continue
        if header is None:
            header = _header(values)
            continue
        rows.append(_named_row(number, header, values))
    if header is None:
        raise InvalidInput(_("The file is empty."))
    if not rows:
        raise InvalidInput(_("The file has a header and no results below it."))
    return rows


def _header(values: Sequence[Any]) -> list[str | None]:
    """Return the standard name of each column, None where it is none of ours (a running number, say)."""
    names = [_STANDARD.get(_folded(str(value))) if value is not None else None for value in values]
    known = [name for name in names if name]
    doubled = sorted({name for name in known if known.count(name) > 1})
    if doubled:
        raise InvalidInput(
            _("These columns stand twice in the header: %(columns)s.") % {"columns": ", ".join(doubled)}
        )
    if not set(known) & set(IDENTIFIERS):
        raise InvalidInput(
            _(
                "No column names the candidates. The first row must have one of: admission number, "
                "user name, e-mail, national ID, passport."
            )
        )
    missing = [name for name in ("score", "sat_on") if name not in known]
    if missing:
        raise InvalidInput(
            _("These columns are missing in the first row: %(columns)s.") % {"columns": ", ".join(missing)}
        )
    return names


def _named_row(number: int, header: Sequence[str | None], values: Sequence[Any]) -> RawRow:
    cells: dict[str, str | date] = {}
    formulas = set()
    for name, value in zip(header, values, strict=False):
        if name is None or value is None:
            continue
        if isinstance(value, _Formula):
            formulas.add(name)
        cell = _cell(value)
        if cell != "":
            cells[name] = cell
    return RawRow(number, cells, frozenset(formulas))


def _cell(value: Any) -> str | date:
    """Return a cell as a date or as stripped text; whole numbers of a spreadsheet without ``.0``."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, Decimal):
        value = format(value, "f")
    return unicodedata.normalize("NFC", str(value)).strip()[: MAX_CELL + 1]


# --- what officers fill in ---


def result_template(*, language: str, as_xlsx: bool) -> bytes:
    """Return an empty result file with the standard headings, CSV in UTF-8 with BOM or XLSX.

    Args:
        language: ``th`` for Thai headings, else English.
    """
    place = 0 if language.startswith("th") else 1
    headings = [found[place] for found in COLUMNS.values()]
    if not as_xlsx:
        return ("\ufeff" + ",".join(headings) + "\r\n").encode("utf-8")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(headings)
    for column, cell in enumerate(sheet[1], start=1):
        cell.font = Font(bold=True)
        sheet.column_dimensions[openpyxl.utils.get_column_letter(column)].width = 24
        # Identity numbers are text: a number would lose its leading zeros.
        if list(COLUMNS)[column - 1] in IDENTIFIERS:
            sheet.column_dimensions[openpyxl.utils.get_column_letter(column)].number_format = "@"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
