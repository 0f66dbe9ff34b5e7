"""Wrong rows are all listed, with row, column, value and what is expected; right ones find their learner."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.core import clock
from mooc_microcred.core.identity import record_identity
from mooc_microcred.core.models import RetiredLearner
from mooc_microcred.exams import api
from mooc_microcred.exams.batches import exam_of
from mooc_microcred.exams.data import AdmissionRequest
from mooc_microcred.exams.files import read_table
from mooc_microcred.exams.rows import check_rows, same_name

PIN = "1101700203450"


def rows_of(content):
    return read_table(content).rows


@pytest.fixture
def check(exam, officer):
    def check(text):
        _achievement, policy = exam_of(officer, exam, ("exam_officer",))
        return check_rows(rows_of(text.encode()), exam_code=exam, exam=policy)

    return check


def wrong(check, text):
    good, problems = check(text)
    assert good == [] or problems
    return [(one.row, one.column, one.value) for one in problems]


def test_a_right_row_by_each_identifier(check, exam, officer):
    record_identity(learner_id=3, kind="passport", number="AB12345", verified_by="test", actor_id=None)
    record_identity(learner_id=2, kind="national_id", number=PIN, verified_by="test", actor_id=None)
    (admission,) = api.admit_learners(
        actor=officer, exam_code=exam, candidates=[AdmissionRequest(username="somchai")]
    )
    good, problems = check(
        "admission number,username,email,national id,passport,name,score,max score,exam date,status,centre\n"
        f"{admission.number},,,,,นาย สมชาย  ใจดี,๗๕,100,๒๑/๑๑/๒๕๖๘,,ศูนย์สอบ 1\n"
        ",SOMYING,,,,,60.125,,2025-11-21,เข้าสอบ,\n"
        ",,John@Example.com,,,Mr. John SMITH,,,21 พ.ย. 2568,ขาดสอบ,\n"
        ",,,1-1017-00203-45-0,,,0,,20/11/2025,sat,\n"
        ",,,,ab 12345,,,,20/11/2025,โมฆะ,\n"
    )
    assert problems == []
    assert [(one.learner_id, one.status, str(one.score)) for one in good] == [
        (1, "sat", "75"),
        (2, "sat", "60.125"),
        (3, "absent", "None"),
        (2, "sat", "0"),
        (3, "void", "None"),
    ]
    assert {one.sat_on.isoformat() for one in good} == {"2025-11-21", "2025-11-20"}
    assert str(good[1].percent) == "60.1250"


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("nobody,50,,21/11/2025", [(2, "username", "nobody")]),
        ('somchai,"75,5",,21/11/2025', [(2, "score", "75,5")]),
        ("somchai,101,,21/11/2025", [(2, "score", "101")]),
        ("somchai,-1,,21/11/2025", [(2, "score", "-1")]),
        ("somchai,1e2,,21/11/2025", [(2, "score", "1e2")]),
        ("somchai,NaN,,21/11/2025", [(2, "score", "NaN")]),
        ("somchai,1.0001,,21/11/2025", [(2, "score", "1.0001")]),
        ("somchai,,,21/11/2025", [(2, "score", "")]),
        ("somchai,50,,", [(2, "sat_on", "")]),
        ("somchai,50,,31/02/2025", [(2, "sat_on", "31/02/2025")]),
        ("somchai,50,,21/11/68", [(2, "sat_on", "21/11/68")]),
        ("somchai,50,,21/11/2999", [(2, "sat_on", "21/11/2999")]),
        ("somchai,50,สมหญิง รักเรียน,21/11/2025", [(2, "name", "สมหญิง รักเรียน")]),
        (",50,,21/11/2025", [(2, "", "")]),
    ],
)
def test_each_wrong_value_is_named(check, row, found):
    assert wrong(check, "username,score,name,exam date\n" + row + "\n") == found


def test_every_wrong_row_is_listed_in_one_pass(check):
    found = wrong(
        check,
        "username,score,exam date,status,max score\n"
        "nobody,200,32/1/2025,here,50\n"
        "somchai,50,21/11/2025,,100\n"
        "somchai,60,21/11/2025,,100\n",
    )
    assert found == [
        (2, "status", "here"),
        (2, "sat_on", "32/1/2025"),
        (2, "max_score", "50"),
        (2, "score", "200"),
        (2, "username", "nobody"),
        (4, "", ""),
    ]


def test_identifiers_of_different_people_are_an_error(check):
    assert wrong(check, "username,email,score,date\nsomchai,somying@example.com,50,21/11/2025\n") == [
        (2, "", "")
    ]


def test_an_address_of_several_accounts_is_an_error(check, platform):
    platform.add_learner(9, "X", "other", "somchai@example.com")
    assert wrong(check, "email,score,date\nsomchai@example.com,50,21/11/2025\n") == [
        (2, "email", "somchai@example.com")
    ]


def test_document_numbers_are_shown_by_their_end_only(check):
    assert wrong(check, "national id,score,date\n1101700203451,50,21/11/2025\n") == [
        (2, "national_id", "…3451")
    ]
    assert wrong(check, f"national id,score,date\n{PIN},50,21/11/2025\n") == [(2, "national_id", "…3450")]


def test_a_document_number_in_a_wrong_column_is_shown_by_its_end_only(check):
    assert wrong(check, "username,score,date\n1-1017-00203-45-0,50,21/11/2025\n") == [
        (2, "username", "…45-0")
    ]


def test_a_decimal_comma_is_told_apart(check):
    _good, problems = check('username,score,exam date\nsomchai,"75,5",21/11/2025\n')
    assert [one.code for one in problems] == ["comma"]
    assert "decimal point" in problems[0].message


def test_a_dash_is_no_score(check):
    good, problems = check("username,score,date,status\nsomchai,-,21/11/2025,ขาดสอบ\nsomying,-,21/11/2025,\n")
    assert [(one.learner_id, one.score) for one in good] == [(1, None)]
    assert [(one.row, one.code) for one in problems] == [(3, "no_score")]


def test_a_percent_is_never_rounded_up_to_a_minimum(exam, officer):
    from dataclasses import replace
    from decimal import Decimal

    _achievement, policy = exam_of(officer, exam, ("exam_officer",))
    policy = replace(policy, max_score=Decimal(99999))
    rows = rows_of(b"username,score,date\nsomchai,59999.399,21/11/2025\n")
    (good,), _problems = check_rows(rows, exam_code=exam, exam=policy)
    assert str(good.percent) == "59.9999"


def test_an_admission_number_is_found_whatever_its_letter_case(check, exam, officer):
    api.admit_learners(
        actor=officer, exam_code=exam, candidates=[AdmissionRequest(username="somchai", number="bkk-01")]
    )
    good, _problems = check("admission number,score,date\nBkk-๐๑,50,21/11/2025\n")
    assert [one.learner_id for one in good] == [1]


def test_a_row_is_wrong_if_another_batch_has_the_same_sitting(exam, officer):
    rows = b"username,score,exam date\nsomchai,80,21/11/2025\n"
    first = api.upload_batch(actor=officer, exam_code=exam, file_name="a.csv", content=rows)
    again = api.upload_batch(actor=officer, exam_code=exam, file_name="b.csv", content=rows + b"\n")
    assert [(one.row, one.code) for one in again.problems] == [(2, "other_batch")]
    api.cancel_batch(actor=officer, batch_uuid=first.uuid, reason="twice")
    assert api.import_right_rows(actor=officer, batch_uuid=again.uuid).state == "imported"


@pytest.mark.parametrize("language", ["en", "th"])
def test_every_message_can_be_told(language):
    from django.utils import translation

    from mooc_microcred.exams.problems import MESSAGES, describe

    with translation.override(language):
        for code in MESSAGES:
            assert describe(code, {"score": "100", "columns": "a, b", "row": 3})


def test_a_list_of_wrong_rows_always_fits_into_the_database(monkeypatch):
    from mooc_microcred.exams import problems

    found = [(row, column, "ก" * 40, "score", {"score": "100"}) for row in range(9) for column in ("a", "b")]
    monkeypatch.setattr(problems, "MAX_STORED", 3000)
    assert [one[2] for one in problems.fitted(found)] == [""] * 18
    monkeypatch.setattr(problems, "MAX_STORED", 700)
    assert [one[:2] for one in problems.fitted(found)] == [(row, "a") for row in range(9)]


def test_a_learner_who_left_is_an_error(check):
    RetiredLearner.objects.create(learner_id=1, at=clock.now())
    assert wrong(check, "username,score,date\nsomchai,50,21/11/2025\n") == [(2, "", "")]


def test_formulas_are_refused(exam, officer):
    from tests.exams.test_files import xlsx

    content = xlsx(["username", "score", "date"], ["somchai", "=50+40", "21/11/2025"])
    batch = api.upload_batch(actor=officer, exam_code=exam, file_name="r.xlsx", content=content)
    assert [(one.row, one.column) for one in batch.problems] == [(2, "score")]


def test_looking_up_candidates_costs_the_same_for_any_number_of_rows(check, platform):
    def cost(count):
        for learner in range(1000, 1000 + count):
            platform.add_learner(learner, username=f"u{learner}")
        rows = "".join(f"u{learner},{PIN},50,21/11/2025\n" for learner in range(1000, 1000 + count))
        with CaptureQueriesContext(connection) as queries:
            check("username,national id,score,date\n" + rows)
        return len(queries)

    cost(1)  # compiles the catalogue
    assert cost(300) == cost(1)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("นายสมชาย ใจดี", "สมชาย  ใจดี", True),
        ("ผศ.ดร.สมชาย ใจดี", "นาย สมชาย ใจดี", True),
        ("น.ส. สมหญิง รักเรียน", "นางสาวสมหญิง รักเรียน", True),
        ("Mr. JOHN  smith", "John Smith", True),
        ("Msabila Okoye", "Abila Okoye", False),
        ("สมชาย ใจดี", "สมชาย ใจดำ", False),
        ("น้ำ", "น้ํา", True),
        ("นํ้า ใส", "น้ำ ใส", True),
        ("พ.ต.อ. สมชาย ใจดี", "สมชาย ใจดี", True),
        ("ว่าที่ ร.ต. สมชาย ใจดี", "สมชาย ใจดี", True),
        ("ดร สมชาย ใจดี", "ดร.สมชาย ใจดี", True),
        ("ดรุณี ใจดี", "ุณี ใจดี", False),
        ("นายิกา ใจดี", "ิกา ใจดี", False),
        ("นางสาวนายิกา ใจดี", "นายิกา ใจดี", True),
        ("Mr.", "นาย", False),
    ],
)
def test_titles_and_spaces_make_no_difference_between_names(first, second, same):
    assert same_name(first, second) is same
