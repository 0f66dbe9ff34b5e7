"""Result files as exam centres send them, for the demo: CSV in two encodings, and XLSX."""

from __future__ import annotations

import csv
import io
from datetime import date

import openpyxl

HEADINGS = ("เลขประจำตัวสอบ", "ชื่อ-สกุล", "คะแนน", "คะแนนเต็ม", "วันที่สอบ", "ศูนย์สอบ")
CENTRE = "ศูนย์สอบความรู้ มจธ. บางมด"
THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
Row = tuple[object, ...]


def buddhist(day: date, *, thai_digits: bool = False) -> str:
    """Return a day as Thai offices write it: 21/11/2569, or ๒๑/๑๑/๒๕๖๙."""
    text = f"{day.day}/{day.month}/{day.year + 543}"
    return text.translate(THAI_DIGITS) if thai_digits else text


def as_csv(rows: list[Row], *, encoding: str) -> bytes:
    """Return a CSV file; ``utf-8-sig`` as new Excel saves it, ``cp874`` as Thai Windows does."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADINGS, *rows])
    return text.getvalue().encode(encoding)


def as_xlsx(rows: list[Row]) -> bytes:
    """Return an Excel workbook with one sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [HEADINGS, *rows]:
        sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def as_file(name: str, *rows: Row) -> bytes:
    """Return the file that a name promises: ``.xlsx``, or ``.csv`` in UTF-8 or, if named so, Windows-874."""
    if name.endswith(".xlsx"):
        return as_xlsx(list(rows))
    return as_csv(list(rows), encoding="cp874" if "windows874" in name else "utf-8-sig")
