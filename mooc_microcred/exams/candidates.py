"""Reading a list of candidates, pasted or as a CSV file: one in each row, by user name or e-mail address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from mooc_microcred.core.csvfiles import HEADER_WITHIN, csv_table, decoded
from mooc_microcred.core.errors import InvalidInput, Problem
from mooc_microcred.exams.data import AdmissionRequest
from mooc_microcred.exams.files import COLUMNS

# A thousand candidates with long addresses and numbers.
MAX_BYTES = 512 * 1024
_LONGEST = {"username": 150, "email": 254, "number": 64}
_NAMES = {"username": "username", "email": "email", "admission_number": "number"}
_HEADINGS = {
    heading.casefold(): ours for column, ours in _NAMES.items() for heading in (column, *COLUMNS[column])
}


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """A candidate with the row of the list in which they stand, counted from 1."""

    row: int
    candidate: AdmissionRequest


def read_candidates(content: bytes) -> list[CandidateLine]:
    """Read a list of candidates.

    Each row holds a user name or an e-mail address and, after a comma, semicolon or tab, the admission
    number, which may be missing. A header with the headings of a result file may say otherwise; columns
    with other headings are not read. Empty rows are passed over.

    Raises:
        InvalidInput: too large, not a text, empty, or rows that name nobody, with a problem for each.
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput(_("The list is too long. Split it into several."))
    table = [
        (number, [cell.strip() for cell in cells])
        for number, cells in csv_table(decoded(content), is_heading=_known)
        if any(cell.strip() for cell in cells)
    ]
    columns, rows = _header(table)
    if not rows:
        raise InvalidInput(_("The list is empty."))
    found, problems = [], []
    for number, cells in rows:
        fields = _fields(cells, columns)
        too_long = [name for name, value in fields.items() if len(value) > _LONGEST[name]]
        if too_long or not (fields.get("username") or fields.get("email")):
            message = _("Nothing in this row names the candidate.")
            if too_long:
                message = _("This is too long or has characters that cannot be shown.")
            problems.append(Problem(str(number), message, ", ".join(cells)[:100]))
            continue
        found.append(CandidateLine(number, _candidate(fields)))
    if problems:
        raise InvalidInput(_("Nobody was admitted; correct these rows."), problems=problems)
    return found


def _candidate(fields: dict[str, str]) -> AdmissionRequest:
    return AdmissionRequest(
        username=fields.get("username", ""), email=fields.get("email", ""), number=fields.get("number", "")
    )


def _known(cell: str) -> bool:
    return cell.strip().casefold() in _HEADINGS


def _header(
    rows: Sequence[tuple[int, list[str]]],
) -> tuple[list[str] | None, Sequence[tuple[int, list[str]]]]:
    """Return what the columns are, None where no header says so, and the rows below the header."""
    for place, (_number, cells) in enumerate(rows[:HEADER_WITHIN]):
        columns = [_HEADINGS.get(cell.casefold(), "") for cell in cells]
        if "username" in columns or "email" in columns:
            return columns, rows[place + 1 :]
    return None, rows


def _fields(cells: Sequence[str], columns: Sequence[str] | None) -> dict[str, str]:
    if columns is None:
        who, number = cells[0], cells[1] if len(cells) > 1 else ""
        return {"email" if "@" in who else "username": who, "number": number}
    fields: dict[str, str] = {}
    for name, cell in zip(columns, cells, strict=False):
        if name and cell and name not in fields:
            fields[name] = cell
    # One way to name somebody is enough, and the verb takes one; the address is the surer of the two.
    if fields.get("email"):
        fields.pop("username", None)
    return fields
