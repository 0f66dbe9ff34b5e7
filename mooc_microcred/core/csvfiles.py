"""Reading CSV as people save it: UTF-8, UTF-16 or Windows-874 (Thai Excel), commas, semicolons or tabs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence

from django.utils.translation import gettext as _

from mooc_microcred.core.errors import InvalidInput

# Lines among which the header is looked for: titles stand above it.
HEADER_WITHIN = 10


def decoded(content: bytes) -> str:
    """Return the text of a file.

    Raises:
        InvalidInput: it is in none of the encodings.
    """
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


def csv_table(text: str, *, is_heading: Callable[[str], bool]) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield (row number as a spreadsheet shows it, cells).

    Args:
        is_heading: says of a cell whether it is a heading that is known: the delimiter is the one under
            which the first lines hold the most of them.

    Raises:
        InvalidInput: a quotation mark is not closed, or a cell is too long.
    """
    # What Excel itself writes and reads: the delimiter, in a line of its own above the table.
    declared = re.match(r"sep=([,;\t])(?=[\r\n])", text, re.IGNORECASE)
    delimiter = declared[1] if declared else _delimiter(text, is_heading)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, values in enumerate(reader, start=1):
            if not (declared and number == 1):
                yield number, values
    except csv.Error:
        raise InvalidInput(
            _(
                "The CSV cannot be read after row %(row)s: a quotation mark is not closed "
                "or a cell is too long."
            )
            % {"row": number}
        ) from None


def _delimiter(text: str, is_heading: Callable[[str], bool]) -> str:
    """Return the delimiter under which the first lines hold the most of the known headings."""
    head = "".join(text.splitlines(keepends=True)[: HEADER_WITHIN * 2])

    def headings(delimiter: str) -> int:
        try:
            rows = list(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter))
        except csv.Error:
            return 0
        return max((sum(is_heading(cell) for cell in row) for row in rows), default=0)

    return max(",;\t", key=headings)
