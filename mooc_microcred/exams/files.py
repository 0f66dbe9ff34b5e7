"""Reading a file of exam results as a centre sends it, into rows of named cells.

CSV in UTF-8 (with or without BOM), UTF-16 with BOM or Windows-874 (as Thai Excel saves it),
with commas, semicolons or tabs; XLSX. Bounded in bytes, rows, columns and expansion before
anything is parsed. What the cells mean is the business of ``rows.py``.
"""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet.datavalidation import DataValidation

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.csvfiles import HEADER_WITHIN, csv_table, decoded
from mooc_microcred.core.errors import InvalidInput

MAX_COLUMNS = 64
MAX_CELL = 1000

# What an XLSX may hold besides its size. A formula is reported cell by cell, and openpyxl shifts
# a shared one for each cell, so there must not be very many; a sheet may be named many times over.
MAX_PARTS = 2000
MAX_SHEETS = 50
MAX_FORMULAS = 2000
MAX_FORMULA = 8192
# XML elements for each row: 11 columns need about 50, with their texts in a part of their own.
ELEMENTS_PER_ROW = 64
ELEMENTS_BESIDES = 100_000
# The last row that a spreadsheet can have.
LAST_ROW = 1_048_576

# Days since 1900 that are taken for a date in the column of dates: 1954 to 2995, since a Buddhist
# year may have been typed as a Common Era one.
_FIRST_DAY, _LAST_DAY = 20_000, 400_000

# The standard name of each column, and the headings under which centres send it. The first Thai
# and the first English heading are those of the template.
COLUMNS: dict[str, tuple[str, ...]] = {
    "admission_number": (
        "เลขประจำตัวสอบ",
        "admission number",
        "เลขที่นั่งสอบ",
        "เลขประจำตัวผู้สอบ",
        "เลขประจำตัวผู้เข้าสอบ",
        "เลขที่สอบ",
        "candidate number",
        "admission no",
    ),
    "username": ("ชื่อผู้ใช้", "username", "user name", "บัญชีผู้ใช้", "ชื่อผู้ใช้งาน"),
    "email": ("อีเมล", "email", "e-mail", "อีเมล์", "email address", "e-mail address"),
    "national_id": (
        "เลขประจำตัวประชาชน",
        "national id",
        "เลขบัตรประชาชน",
        "เลขบัตรประจำตัวประชาชน",
        "เลขประชาชน",
        "citizen id",
        "id card number",
        "national id number",
    ),
    "passport": (
        "หนังสือเดินทาง",
        "passport",
        "เลขที่หนังสือเดินทาง",
        "เลขหนังสือเดินทาง",
        "passport number",
        "passport no",
    ),
    "name": ("ชื่อ-สกุล", "name", "ชื่อ-นามสกุล", "ชื่อ สกุล", "ชื่อ นามสกุล", "full name", "ชื่อสกุล"),
    "score": ("คะแนน", "score", "คะแนนที่ได้", "คะแนนสอบ", "marks"),
    "max_score": ("คะแนนเต็ม", "max score", "maximum score", "full score", "full marks"),
    "sat_on": ("วันที่สอบ", "exam date", "วันสอบ", "date", "date of exam"),
    "status": ("สถานะ", "status", "สถานะการสอบ"),
    "centre": (
        "ศูนย์สอบ",
        "centre",
        "center",
        "test centre",
        "test center",
        "exam centre",
        "สถานที่สอบ",
        "สนามสอบ",
    ),
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


@dataclass(frozen=True, slots=True)
class Table:
    """What was read from a file.

    Attributes:
        rows: those that are not empty.
        ignored: headings of the columns that are none of ours and were not read. An officer has
            to see them: a heading with a slip of the pen must not silently drop a column.
    """

    rows: list[RawRow]
    ignored: tuple[str, ...] = ()


def _folded(heading: str) -> str:
    """Return a heading without the differences that people make: case, spaces, dashes, dots, hints."""
    # NFKC takes sara am apart; both spellings of it come out the same.
    text = unicodedata.normalize("NFKC", heading).casefold()
    text = re.sub(r"\([^()]*\)", "", text)
    return re.sub(r"[\s\-_.:*/\u200b-\u200d\u2060\ufeff]+", "", text)


_STANDARD = {_folded(heading): name for name, headings in COLUMNS.items() for heading in headings}
_STANDARD |= {_folded(name): name for name in COLUMNS}


def read_table(content: bytes) -> Table:
    """Read the rows of a CSV or XLSX file; empty rows are left out. Only the content decides what it is.

    Raises:
        InvalidInput: too large, not a table of results, or a kind of file that is not taken.
    """
    if len(content) > microcred_settings.UPLOAD_MAX_BYTES:
        raise InvalidInput(
            _("The file is larger than %(megabytes)s MB. Split it into several batches.")
            % {"megabytes": microcred_settings.UPLOAD_MAX_BYTES // 2**20}
        )
    if not content.strip():
        raise InvalidInput(_("The file is empty."))
    if content.startswith(b"PK\x03\x04"):
        table: Iterable[tuple[int, Sequence[Any]]] = _xlsx_table(content)
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidInput(
            _("This is an old .xls file or one with a password. Save it as .xlsx without a password.")
        )
    else:
        table = csv_table(decoded(content), is_heading=lambda cell: _folded(cell) in _STANDARD)
    return _named_rows(table)


# --- XLSX ---


class _Formula(str):
    """A cell that is computed by the spreadsheet; what it would show is not in the file for sure."""


@dataclass(frozen=True, slots=True)
class _DayNumber:
    """A whole number that would be this day if its column is one of dates.

    A spreadsheet stores days as numbers, and not every Thai date format (numbers 71 to 81 of
    ECMA-376 18.8.30) is known to openpyxl as one.
    """

    number: int
    day: date

    def __str__(self) -> str:
        return str(self.number)


def _xlsx_table(content: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    _check_archive(content)
    try:
        # openpyxl warns of extensions that it does not know; they do not matter here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
            yield from _sheet_rows(_the_sheet(book), book.epoch)
    except InvalidInput:
        raise
    except Exception:  # noqa: BLE001 openpyxl raises whatever its XML and ZIP readers raise
        raise _unreadable() from None


def _unreadable() -> InvalidInput:
    return InvalidInput(_("The XLSX file cannot be read. Open it, save it again and send that."))


def _the_sheet(book: Any) -> Any:
    """Return the one sheet that people see something on."""
    filled = []
    for sheet in book.worksheets:
        # Many programs write a wrong extent of the sheet, or none; rows beyond it would be lost.
        sheet.reset_dimensions()
        if sheet.sheet_state == "visible" and any(
            cell.value is not None for row in sheet.iter_rows() for cell in row
        ):
            filled.append(sheet)
    if not filled:
        raise InvalidInput(_("The file is empty."))
    if len(filled) > 1:
        raise InvalidInput(
            _("The file has several sheets: %(sheets)s. Send each as a file of its own.")
            % {"sheets": ", ".join(sheet.title[:40] for sheet in filled[:5])}
        )
    return filled[0]


def _sheet_rows(sheet: Any, epoch: datetime) -> Iterator[tuple[int, Sequence[Any]]]:
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > LAST_ROW:
            raise _unreadable()
        yield number, [_excel_value(cell, epoch) for cell in row]


def _excel_value(cell: Any, epoch: datetime) -> Any:
    value = cell.value
    if getattr(cell, "data_type", "") == "f":
        # An array formula is an object; its text is in an attribute.
        return _Formula(getattr(value, "text", value))
    if isinstance(value, int | float) and _FIRST_DAY <= value <= _LAST_DAY and value == int(value):
        return _DayNumber(int(value), from_excel(value, epoch).date())
    return value


def _check_archive(content: bytes) -> None:
    """Refuse what expands beyond bounds, carries macros or would keep a parser busy, before it is parsed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            # A ZIP reader gives at most as many bytes of a part as are declared here.
            expanded = sum(entry.file_size for entry in entries)
            if expanded > microcred_settings.UPLOAD_MAX_EXPANDED_BYTES or len(entries) > MAX_PARTS:
                raise _too_large()
            if any(entry.filename.lower().endswith("vbaproject.bin") for entry in entries):
                raise InvalidInput(_("The file contains macros. Save it as .xlsx without macros."))
            # What spreadsheets write; the other methods expand without bounds for each block.
            if any(
                entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries
            ):
                raise _unreadable()
            _check_parts(archive.read(entry) for entry in entries)
    except InvalidInput:
        raise
    except Exception:  # noqa: BLE001 zipfile raises whatever its decompressors raise
        raise _unreadable() from None


def _too_large() -> InvalidInput:
    return InvalidInput(_("The XLSX file is too large when unpacked. Split it into several batches."))


_SHEET = re.compile(rb"<(?:[\w.\-]+:)?sheet[\s/>]")
_FORMULA = re.compile(rb"<(?:[\w.\-]+:)?f[\s/>]")
_LONG_FORMULA = re.compile(rb"<(?:[\w.\-]+:)?f(?:\s[^<>]*)?>[^<]{%d}" % MAX_FORMULA)


def _check_parts(parts: Iterable[bytes]) -> None:
    elements = sheets = formulas = 0
    for part in parts:
        # No spreadsheet program writes UTF-16, in which the counts below would see nothing.
        if part[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<"):
            raise _unreadable()
        elements += part.count(b"<") - part.count(b"</")
        sheets += sum(1 for _match in _SHEET.finditer(part))
        formulas += sum(1 for _match in _FORMULA.finditer(part))
        if elements > microcred_settings.UPLOAD_MAX_ROWS * ELEMENTS_PER_ROW + ELEMENTS_BESIDES:
            raise _too_large()
        if sheets > MAX_SHEETS:
            raise _unreadable()
        if formulas > MAX_FORMULAS or _LONG_FORMULA.search(part):
            raise InvalidInput(
                _("The file is full of formulas. Copy the table and paste it as values into a new sheet.")
            )


# --- rows ---


def _named_rows(table: Iterable[tuple[int, Sequence[Any]]]) -> Table:
    above: list[Sequence[Any]] = []
    header: list[str | None] | None = None
    ignored: tuple[str, ...] = ()
    rows: list[RawRow] = []
    for number, values in table:
        if all(value is None or not _cell(value) for value in values):
            continue
        if len(values) > MAX_COLUMNS and any(value not in (None, "") for value in values[MAX_COLUMNS:]):
            raise InvalidInput(_("The file has more than %(columns)s columns.") % {"columns": MAX_COLUMNS})
        if header is None:
            above.append(values)
            if sum(_standard(value) is not None for value in values) >= 2 or len(above) == HEADER_WITHIN:
                header = _header(values)
                ignored = _ignored(values, header)
            continue
        if len(rows) == microcred_settings.UPLOAD_MAX_ROWS:
            raise InvalidInput(
                _("The file has more than %(rows)s rows. Split it into several batches.")
                % {"rows": microcred_settings.UPLOAD_MAX_ROWS}
            )
        rows.append(_named_row(number, header, values))
    if header is None:
        if not above:
            raise InvalidInput(_("The file is empty."))
        # It is none, and this says what is missing in it.
        _header(above[0])
    if not rows:
        raise InvalidInput(_("The file has a header and no results below it."))
    return Table(rows, ignored)


def _standard(value: Any) -> str | None:
    return None if value is None else _STANDARD.get(_folded(str(value)))


def _header(values: Sequence[Any]) -> list[str | None]:
    """Return the standard name of each column, None where it is none of ours (a running number, say)."""
    names = [_standard(value) for value in values]
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


def _ignored(values: Sequence[Any], header: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(
        str(_cell(value))[:60]
        for value, name in zip(values, header, strict=True)
        if name is None and value is not None and _cell(value)
    )


def _named_row(number: int, header: Sequence[str | None], values: Sequence[Any]) -> RawRow:
    cells: dict[str, str | date] = {}
    formulas = set()
    for name, value in zip(header, values, strict=False):
        if name is None or value is None:
            continue
        # A CSV has no formulas, but what a spreadsheet would take for one is none of our values.
        if isinstance(value, _Formula) or (isinstance(value, str) and value.lstrip().startswith("=")):
            formulas.add(name)
        cell = value.day if isinstance(value, _DayNumber) and name == "sat_on" else _cell(value)
        if cell != "":
            cells[name] = cell
    return RawRow(number, cells, frozenset(formulas))


# Characters that nobody sees: zero-width spaces, joiners and marks of direction.
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"))


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
    text = str(value)[: 2 * MAX_CELL].translate(_UNSEEN)
    return unicodedata.normalize("NFC", text).strip()[: MAX_CELL + 1]


# --- what officers fill in ---

_TEMPLATE_ROWS = 5000


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
    for column, (name, cell) in enumerate(zip(COLUMNS, sheet[1], strict=True), start=1):
        letter = get_column_letter(column)
        cell.font = Font(bold=True)
        sheet.column_dimensions[letter].width = 24
        # Identity numbers are text, since a number would lose its leading zeros; so are dates,
        # since a spreadsheet that thinks in the Common Era would take 2569 for a year to come.
        if name in (*IDENTIFIERS, "sat_on"):
            sheet.column_dimensions[letter].number_format = "@"
        if name == "status":
            choices = "เข้าสอบ,ขาดสอบ,โมฆะ" if place == 0 else "sat,absent,void"
            allowed = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=True)
            allowed.add(f"{letter}2:{letter}{_TEMPLATE_ROWS}")
            sheet.add_data_validation(allowed)
    sheet.freeze_panes = "A2"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
