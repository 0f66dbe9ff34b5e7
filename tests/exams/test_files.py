"""Result files as exam centres send them."""

import io
import re
import time
import zipfile
from contextlib import suppress
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.exams.files import COLUMNS, read_table, result_template

ENGLISH = "username,score,exam date\nsomchai,75.5,21/11/2025\n"
THAI = "ชื่อผู้ใช้,ชื่อ-สกุล,คะแนน,วันที่สอบ\nsomchai,สมชาย ใจดี,๗๕.๕,๒๑/๑๑/๒๕๖๘\n"


def read_rows(content):
    return read_table(content).rows


def xlsx(*rows, change=None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(THAI.encode("utf-8"), id="utf-8"),
        pytest.param(THAI.encode("utf-8-sig"), id="utf-8-with-bom"),
        pytest.param(THAI.encode("cp874"), id="windows-874"),
        pytest.param(THAI.encode("utf-16"), id="utf-16"),
        pytest.param(THAI.replace(",", ";").encode("cp874"), id="semicolons"),
        pytest.param(THAI.replace(",", "\t").encode("utf-16"), id="unicode-text"),
        pytest.param(THAI.replace("\n", "\r\n").encode("cp874"), id="windows-line-ends"),
    ],
)
def test_every_encoding_of_a_csv_reads_the_same(content):
    (row,) = read_rows(content)
    assert row.number == 2
    assert row.cells == {
        "username": "somchai",
        "name": "สมชาย ใจดี",
        "score": "๗๕.๕",
        "sat_on": "๒๑/๑๑/๒๕๖๘",
    }


def test_an_xlsx_keeps_dates_and_long_numbers():
    content = xlsx(
        ["เลขประจำตัวประชาชน", "Score", "วันที่สอบ"],
        [1101700203450, 75, datetime(2025, 11, 21)],
        [None, None, None],
        ["1101700203450", 75.5, date(2568, 11, 21)],
    )
    first, second = read_rows(content)
    assert first.cells == {"national_id": "1101700203450", "score": "75", "sat_on": date(2025, 11, 21)}
    assert (second.number, second.cells["score"]) == (4, "75.5")


def test_headings_are_found_whatever_their_case_and_spaces():
    (row,) = read_rows("  USER  NAME ,Exam-Date,SCORE,ลำดับ\na,1/1/2026,5,1\n".encode())
    assert set(row.cells) == {"username", "sat_on", "score"}


def test_columns_that_are_not_ours_are_left_out_and_named():
    table = read_table("ลำดับ,username,Scroe,score,exam date\n1,a,5,5,1/1/2026\n".encode())
    assert table.ignored == ("ลำดับ", "Scroe")
    assert set(table.rows[0].cells) == {"username", "score", "sat_on"}


def test_titles_above_the_header_are_passed_over():
    (row,) = read_rows("ผลการสอบ,,\nศูนย์สอบ มจธ.,,\n\nusername,score,exam date\na,5,1/1/2026\n".encode())
    assert (row.number, row.cells["username"]) == (5, "a")


@pytest.mark.parametrize(
    "text",
    [
        '"username";"score";"exam date"\n"a";"5";"1/1/2026"\n',
        '"username"\t"score"\t"exam date"\n"a"\t"5"\t"1/1/2026"\n',
        "USERNAME ; score (of 100) ; exam date\na;5;1/1/2026\n",
        "username\u200b,score,exam date\na\u200b,5,1/1/2026\n",
        "username,score,exam date\ra,5,1/1/2026\r",
        "title; of, many\nusername;score;exam date\na;5;1/1/2026\n",
    ],
)
def test_every_way_of_writing_a_csv_reads_the_same(text):
    (row,) = read_rows(text.encode())
    assert row.cells == {"username": "a", "score": "5", "sat_on": "1/1/2026"}


def test_the_delimiter_that_excel_declares_is_taken_and_its_line_counts():
    (row,) = read_rows(b"sep=;\r\nusername;score;exam date\r\na;5;1/1/2026\r\n")
    assert row.number == 3


def test_what_a_spreadsheet_would_compute_is_marked_in_a_csv_too():
    (row,) = read_rows(b'username,score,exam date\n"=HYPERLINK(1)",5,1/1/2026\n')
    assert row.formulas == {"username"}


def edited(content, name, change):
    """Return an XLSX with one of its parts changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(target, "w", 8) as after:
        for entry in before.infolist():
            part = before.read(entry)
            after.writestr(entry.filename, change(part) if entry.filename == name else part)
    return target.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_a_wrong_extent_of_the_sheet_loses_no_row():
    rows = [["a", 1, "1/1/2026"], ["b", 2, "1/1/2026"]]
    content = edited(
        xlsx(["username", "score", "exam date"], *rows),
        SHEET,
        lambda part: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', part),
    )
    assert [row.cells["username"] for row in read_rows(content)] == ["a", "b"]
    assert "sat_on" in read_rows(content)[0].cells


def test_a_day_in_a_thai_number_format_is_a_day():
    content = edited(
        xlsx(["username", "score", "exam date"], ["a", 44000, date(2568, 11, 21)]),
        "xl/styles.xml",
        # 71 is d/m/bbbb of Thai spreadsheets, ECMA-376 18.8.30.
        lambda part: re.sub(rb'numFmtId="(14|16[0-9])"', b'numFmtId="71"', part),
    )
    (row,) = read_rows(content)
    assert (row.cells["score"], row.cells["sat_on"]) == ("44000", date(2568, 11, 21))


def test_only_the_sheet_that_people_see_is_read():
    def hide_first(book):
        other = book.create_sheet("results")
        other.append(["username", "score", "exam date"])
        other.append(["b", 1, "1/1/2026"])
        book.worksheets[0].sheet_state = "hidden"
        book.active = 1

    (row,) = read_rows(xlsx(["username", "score", "exam date"], ["a", 1, "1/1/2026"], change=hide_first))
    assert row.cells["username"] == "b"


def test_several_sheets_are_refused_since_one_would_be_lost():
    def add(book):
        book.create_sheet("แผ่น 2").append(["username", "score"])
        book.create_sheet("empty")

    with pytest.raises(InvalidInput, match="several sheets: Sheet, แผ่น 2"):
        read_rows(xlsx(["username", "score", "exam date"], ["a", 1, "1/1/2026"], change=add))


class TestBounds:
    """What would keep a parser busy is refused before it begins."""

    TABLE = xlsx(["username", "score", "exam date"], ["a", 1, "1/1/2026"])

    def sheet(self, rows):
        return edited(self.TABLE, SHEET, lambda part: part.replace(b"</sheetData>", rows + b"</sheetData>"))

    def test_very_many_elements(self, settings):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "UPLOAD_MAX_ROWS": 10}
        with pytest.raises(InvalidInput, match="unpacked"):
            read_rows(self.sheet(b"<row/>" * 150_000))

    def test_a_row_very_far_down(self):
        far = b'<row r="999999999999"><c r="A999999999999" t="inlineStr"><is><t>x</t></is></c></row>'
        with pytest.raises(InvalidInput, match="cannot be read"):
            read_rows(self.sheet(far))

    def test_very_many_formulas(self):
        with pytest.raises(InvalidInput, match="full of formulas"):
            read_rows(self.sheet(b"<row>" + b'<c><f t="shared" si="0"/></c>' * 2001 + b"</row>"))

    def test_a_very_long_formula(self):
        with pytest.raises(InvalidInput, match="full of formulas"):
            read_rows(self.sheet(b'<row><c><f t="shared" si="0">' + b"1+" * 5000 + b"1</f></c></row>"))

    def test_one_sheet_named_very_often(self):
        def often(part):
            return re.sub(rb"(<sheet [^>]*/>)", rb"\1" * 60, part)

        with pytest.raises(InvalidInput, match="cannot be read"):
            read_rows(edited(self.TABLE, "xl/workbook.xml", often))

    def test_utf_16_in_which_nothing_would_be_counted(self):
        with pytest.raises(InvalidInput, match="cannot be read"):
            read_rows(edited(self.TABLE, SHEET, lambda part: part.decode().encode("utf-16")))

    def test_a_compression_that_no_spreadsheet_uses(self):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
            archive.writestr(SHEET, b"0" * 1000)
        with pytest.raises(InvalidInput, match="cannot be read"):
            read_rows(target.getvalue())

    def test_a_long_table_of_numbers_is_read_in_seconds(self):
        rows = [[f"u{number}", 75.5, "1/1/2026"] for number in range(3000)]
        began = time.monotonic()
        assert len(read_rows(xlsx(["username", "score", "exam date"], *rows))) == 3000
        assert time.monotonic() - began < 15

    def test_blank_rows_below_the_table_are_no_rows(self, settings):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "UPLOAD_MAX_ROWS": 2}
        assert len(read_rows(self.sheet(b'<row r="5000"><c r="A5000" s="0"/></row>'))) == 1


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize("as_xlsx", [True, False])
def test_the_template_is_a_file_that_reads_back(language, as_xlsx):
    content = result_template(language=language, as_xlsx=as_xlsx)
    with pytest.raises(InvalidInput, match="no results"):
        read_rows(content)
    assert len(COLUMNS) == 11


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"   \n ", "empty"),
        (b"PK\x03\x04 not a zip", "cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "neither a CSV"),
        (b"score,exam date\n5,1/1/2026\n", "names the candidates"),
        (b"username,exam date\na,1/1/2026\n", "missing in the first row: score"),
        (b"username,score,score,exam date\na,1,2,1/1/2026\n", "twice"),
        (b'username,score,exam date\n"a,1,1/1/2026\n', "quotation mark"),
        (ENGLISH.split("\n")[0].encode(), "no results"),
        (xlsx(["username", "score"], ["a", 1]), "missing in the first row: sat_on"),
    ],
)
def test_what_is_no_result_file_is_refused_with_what_to_do(content, says):
    with pytest.raises(InvalidInput, match=says):
        read_rows(content)


def test_sizes_are_bounded(settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "UPLOAD_MAX_ROWS": 2, "UPLOAD_MAX_BYTES": 200}
    with pytest.raises(InvalidInput, match="more than 2 rows"):
        read_rows(ENGLISH.encode() + b"a,1,1/1/2026\n" * 2)
    with pytest.raises(InvalidInput, match="larger than"):
        read_rows(b"x" * 201)
    with pytest.raises(InvalidInput, match="64 columns"):
        read_rows(ENGLISH.encode() + b",".join([b"a"] * 70) + b"\n")


def test_an_archive_that_expands_beyond_bounds_is_refused_before_it_is_parsed(settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "UPLOAD_MAX_EXPANDED_BYTES": 1_000_000}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 5_000_000)
    with pytest.raises(InvalidInput, match="unpacked"):
        read_rows(buffer.getvalue())


def test_macros_are_refused():
    buffer = io.BytesIO(xlsx(["username", "score", "date"], ["a", 1, "1/1/2026"]))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    with pytest.raises(InvalidInput, match="macros"):
        read_rows(buffer.getvalue())


def test_xml_entities_do_not_expand():
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
    )
    source = io.BytesIO(xlsx(["username"]))
    target = io.BytesIO()
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(target, "w") as after:
        for entry in before.infolist():
            sheet = entry.filename == "xl/worksheets/sheet1.xml"
            after.writestr(entry.filename, bomb if sheet else before.read(entry))
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_rows(target.getvalue())


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content):
    with suppress(InvalidInput):
        read_rows(content)


@given(st.text(max_size=200))
def test_any_text_below_a_right_header_is_read_or_refused(text):
    try:
        rows = read_rows((ENGLISH.split("\n")[0] + "\n" + text).encode("utf-8", "ignore"))
    except InvalidInput:
        return
    assert all(set(row.cells) <= set(COLUMNS) for row in rows)


@given(st.binary(max_size=200), st.integers(0, 4000))
def test_any_damage_to_an_xlsx_is_read_or_refused(damage, place):
    content = bytearray(WHOLE)
    content[place : place + len(damage)] = damage
    with suppress(InvalidInput):
        read_rows(bytes(content))


WHOLE = xlsx(["username", "score", "date"], ["a", 1, "1/1/2026"])
