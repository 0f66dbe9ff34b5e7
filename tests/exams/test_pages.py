"""The pages of the exam desk: who may do what, errors beside the form, the audit line of each action."""

import csv
import io

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mooc_microcred.core.models import AuditEntry, StaffRole
from mooc_microcred.exams import api
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult
from tests.exams.conftest import OFFICER, SIGNATORY, STRANGER

DESK = "/microcred/staff/exams/"
ADMISSIONS = f"{DESK}admissions/"
RIGHT = "username,score,exam date\nsomchai,80,21/11/2025\nsomying,40,21/11/2025\n"
WRONG = "username,score,exam date\nsomchai,180,21/11/2025\nnobody,40,21/11/2025\nsomying,40,21/11/2025\n"


@pytest.fixture
def staff(exam, platform):
    """Return a function that returns a browser in which one of the staff is signed in."""
    names = {OFFICER: "อรุณี", SIGNATORY: "ประเสริฐ", STRANGER: "Stranger", 104: "Auditor", 105: "Learner"}
    StaffRole.objects.create(user_id=104, role="auditor", organization="KMUTT")
    for number, name in names.items():
        get_user_model().objects.create_user(f"user{number}", pk=number, password=None)
        platform.add_learner(number, name, f"user{number}", f"user{number}@example.com")

    def browser(number, language="en", **options):
        client = Client(headers={"accept-language": language}, **options)
        client.force_login(get_user_model().objects.get(pk=number))
        return client

    return browser


def file(content=RIGHT, name="results.csv"):
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content, "text/csv")


def text(response):
    return response.content.decode()


def upload(client, content=RIGHT, **fields):
    given = {"exam": "py101-exam", "file": file(content), **fields}
    return client.post(DESK, given, follow=True)


def address(batch, more=""):
    return f"{DESK}batches/{batch.uuid}/{more}"


def actions():
    return list(AuditEntry.objects.order_by("id").values_list("actor_id", "action"))


def act(client, batch, action, **fields):
    return client.post(address(batch), {"action": action, **fields}, follow=True)


def released(staff, content=RIGHT):
    upload(staff(OFFICER), content)
    batch = ExamBatch.objects.latest("id")
    act(staff(SIGNATORY), batch, "sign")
    act(staff(OFFICER), batch, "release")
    batch.refresh_from_db()
    assert batch.state == "released"
    return batch


def test_whoever_has_no_role_sees_nothing_and_visitors_are_asked_to_sign_in(staff, client):
    upload(staff(OFFICER))
    batch = ExamBatch.objects.get()
    for path in (
        DESK,
        ADMISSIONS,
        address(batch),
        address(batch, "correct/"),
        address(batch, "problems.csv"),
    ):
        assert client.get(path).status_code == 302, path
        assert staff(105).get(path).status_code == 403, path
    for path in (address(batch), address(batch, "correct/"), address(batch, "problems.csv")):
        assert staff(STRANGER).get(path).status_code == 404, path
    assert "results.csv" not in text(staff(STRANGER).get(DESK))


def test_an_upload_is_checked_and_told_and_written_down(staff):
    answer = upload(staff(OFFICER))
    assert answer.redirect_chain[-1][0] == address(ExamBatch.objects.get()) + "#mc-main"
    assert "All 2 rows are right and were imported." in text(answer)
    assert "You uploaded this file, so you cannot sign it." in text(answer)
    assert actions() == [(OFFICER, "exam_batch.uploaded"), (OFFICER, "exam_batch.imported")]
    thai = text(staff(OFFICER, "th").get(address(ExamBatch.objects.get())))
    assert "พฤศจิกายน 2568" in thai
    assert "อรุณี" in thai


def test_wrong_rows_are_told_one_by_one_and_nothing_is_imported(staff):
    page = text(upload(staff(OFFICER), WRONG))
    batch = ExamBatch.objects.get()
    assert "2 of 3 rows are wrong, and nothing was imported" in page
    assert 'class="mc-state mc-state--warn" role="status"' in page
    assert "Write a number from 0 to 100" in page
    assert "There is no such account on the platform." in page
    assert "Findings 1 to 2 of 2." in page
    content = staff(SIGNATORY).get(address(batch, "problems.csv"))
    assert content["Content-Disposition"] == 'attachment; filename="problems.csv"'
    rows = list(csv.reader(io.StringIO(content.content.decode("utf-8-sig"))))
    assert [row[:3] for row in rows[1:]] == [["2", "score", "180"], ["3", "username", "nobody"]]
    assert not ExamResult.objects.exists()


def test_only_the_right_rows_are_imported_on_wish_now_or_later(staff):
    page = text(upload(staff(OFFICER), WRONG, only_right_rows="true"))
    assert "Right rows, imported: 1. Wrong rows, left out: 2." in page
    upload(staff(OFFICER), WRONG.replace("180", "170"))
    later = ExamBatch.objects.latest("id")
    act(staff(OFFICER), ExamBatch.objects.first(), "cancel", reason="anew")
    assert act(staff(SIGNATORY), later, "import").status_code == 404
    page = text(act(staff(OFFICER), later, "import"))
    assert "Right rows, imported: 1." in page
    assert (OFFICER, "exam_batch.imported") in actions()


def test_a_mended_file_takes_the_place_of_the_wrong_one(staff):
    upload(staff(OFFICER), WRONG)
    wrong = ExamBatch.objects.get()
    nothing = staff(OFFICER).post(address(wrong), {"action": "mend"})
    assert nothing.status_code == 400
    assert "Choose a file." in text(nothing)
    page = text(act(staff(OFFICER), wrong, "mend", file=file(RIGHT, "mended.csv")))
    assert "All 2 rows are right" in page
    wrong.refresh_from_db()
    assert (wrong.state, wrong.reason) == ("cancelled", "A mended file took its place: mended.csv")
    assert actions()[-1] == (OFFICER, "exam_batch.cancelled")
    again = staff(OFFICER).post(
        address(wrong), {"action": "mend", "file": file(RIGHT + "john,1,21/11/2025\n")}
    )
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        (b"", 400, "The submitted file is empty|The file is empty"),
        (b"name\n1\n", 400, "No column names the candidates"),
        (b"\xd0\xcf\x11\xe0", 400, "old .xls file"),
    ],
)
def test_what_is_no_file_of_results_is_refused_beside_the_form_and_the_choice_kept(
    staff, content, status, says
):
    given = {"exam": "py101-exam", "only_right_rows": "true", "file": file(content)}
    answer = staff(OFFICER).post(DESK, given)
    assert answer.status_code == status
    assert any(one in text(answer) for one in says.split("|"))
    assert 'value="true" checked' in text(answer)
    assert '<option value="py101-exam" selected>' in text(answer)
    assert actions() == []


def test_an_error_is_told_in_the_readers_language(staff):
    answer = staff(OFFICER, "th").post(DESK, {"exam": "py101-exam", "file": file("name\n1\n")})
    assert "ไม่มีคอลัมน์" in text(answer)


def test_a_file_that_is_too_large_is_refused_beside_the_form_and_a_huge_one_at_the_door(staff, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "UPLOAD_MAX_BYTES": 1_048_576}
    large = staff(OFFICER).post(DESK, {"exam": "py101-exam", "file": file(b"x" * 1_100_000)})
    assert large.status_code == 400
    assert "larger than 1 MB" in text(large)
    assert "mc-upload-problem" in text(large)
    huge = staff(OFFICER).post(DESK, {"exam": "py101-exam", "file": file(b"x" * 3_000_000)})
    assert huge.status_code == 400
    assert "Nothing of it was kept" in text(huge)
    assert not ExamBatch.objects.exists()


def test_too_many_uploads_in_a_short_time_wait(staff, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "API_UPLOAD_RATE": "1/min"}
    upload(staff(OFFICER))
    answer = upload(staff(OFFICER), WRONG)
    assert answer.status_code == 409
    assert "Try again in a minute" in text(answer)


@pytest.mark.parametrize("path", [DESK, ADMISSIONS])
def test_a_form_without_its_token_is_refused_whatever_its_size(staff, path):
    client = staff(OFFICER, enforce_csrf_checks=True)
    answer = client.post(path, {"exam": "py101-exam", "action": "admit", "people": "john", "file": file()})
    assert answer.status_code == 403
    assert not ExamBatch.objects.exists()
    assert not ExamAdmission.objects.exists()


def test_only_a_second_person_signs(staff):
    upload(staff(OFFICER))
    batch = ExamBatch.objects.get()
    assert "Sign as the second person" not in text(staff(OFFICER).get(address(batch)))
    own = staff(OFFICER).post(address(batch), {"action": "sign"})
    assert own.status_code == 403
    assert "A second person must sign" in text(own)
    assert staff(104).post(address(batch), {"action": "sign"}).status_code == 403
    assert "results.csv" in text(staff(SIGNATORY).get(DESK)).split("All batches")[0]
    page = text(act(staff(SIGNATORY), batch, "sign"))
    assert "The batch is signed." in page
    assert actions()[-1] == (SIGNATORY, "exam_batch.signed")
    page = text(act(staff(SIGNATORY), batch, "release"))
    assert "The results are released." in page
    assert actions()[-1] == (SIGNATORY, "exam_batch.released")
    history = page.split("History")[1]
    assert history.index("uploaded the file") < history.index("signed as") < history.index("released the")
    assert [one.percent for one in api.my_results(learner_id=1)] == [80]


def test_what_is_in_another_state_meanwhile_is_told_and_shown_as_it_is(staff):
    batch = released(staff)
    answer = staff(SIGNATORY).post(address(batch), {"action": "sign"})
    assert answer.status_code == 409
    assert "This cannot be done to a batch that is released." in text(answer)
    assert staff(OFFICER).post(address(batch), {"action": "else"}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_where_the_platform_wraps_requests_a_refused_release_changes_nothing_and_is_told(staff, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    first = released(staff)
    # Both were uploaded before either was released, so that only the release can see it.
    second = ExamBatch.objects.get(pk=first.pk)
    second.pk, second.sha256, second.state = None, "f" * 64, "signed"
    second.uuid = "44444444-4444-4444-8444-444444444444"
    second.released_by = second.released_at = None
    second.save()
    for row in ExamResult.objects.filter(batch=first):
        row.pk, row.batch = None, second
        row.save()
    answer = act(staff(OFFICER), second, "release")
    assert answer.status_code == 409
    assert "has been released (rows 2, 3)" in text(answer)
    assert "signed by a second person" in text(answer)
    second.refresh_from_db()
    assert second.state == "signed"
    assert upload(staff(OFFICER), "name\n1\n").status_code == 400
    assert "is cancelled" in text(act(staff(OFFICER), second, "cancel", reason="twice"))


def test_a_batch_is_cancelled_with_a_reason(staff):
    upload(staff(OFFICER))
    batch = ExamBatch.objects.get()
    empty = staff(OFFICER).post(address(batch), {"action": "cancel", "reason": " "})
    assert empty.status_code == 400
    assert "mc-reason-problem" in text(empty)
    page = text(act(staff(OFFICER), batch, "cancel", reason="the centre sent another"))
    assert "The batch is cancelled." in page
    assert "the centre sent another" in page
    assert actions()[-1] == (OFFICER, "exam_batch.cancelled")


def test_a_correction_shows_what_it_changes_before_its_release(staff):
    batch = released(staff, RIGHT + "john,70,21/11/2025\n")
    page = text(staff(OFFICER).get(address(batch, "correct/")))
    assert "Whoever no longer meets them has Level 2 revoked" in page
    corrected = RIGHT.replace("80", "50") + "somchai,90,20/11/2025\n"
    no_reason = staff(OFFICER).post(address(batch, "correct/"), {"file": file(corrected), "reason": ""})
    assert no_reason.status_code == 400
    assert "Say in a few words why" in text(no_reason)
    given = {"file": file(corrected), "reason": "a slip of the centre"}
    page = text(staff(OFFICER).post(address(batch, "correct/"), given, follow=True))
    correction = ExamBatch.objects.latest("id")
    assert correction.supersedes == batch
    found = api.compare_with_corrected(actor=_actor(SIGNATORY), batch_uuid=correction.uuid)
    assert (found.changed, found.lower, found.added, found.missing, found.unchanged) == (1, 1, 1, 1, 1)
    assert [(one.kind, one.name) for one in found.differences] == [
        ("missing", "John Smith"),
        ("changed", "สมชาย ใจดี"),
        ("added", "สมชาย ใจดี"),
    ]
    assert "results that are not in this file" in page
    assert "1 of them lower than before" in page
    assert "A correction is on its way" in text(staff(OFFICER).get(address(batch)))
    act(staff(SIGNATORY), correction, "sign")
    act(staff(OFFICER), correction, "release")
    assert "A correction stands in its place" in text(staff(OFFICER).get(address(batch)))
    assert (OFFICER, "exam_batch.superseded") in actions()
    refused = staff(OFFICER).get(address(batch, "correct/"))
    assert refused.status_code == 409


def _actor(number):
    from mooc_microcred.core.roles import Actor

    return Actor(user_id=number)


def test_an_absence_counts_as_lower_and_two_absences_as_unchanged(staff):
    before = "username,score,exam date,status\nsomchai,80,21/11/2025,\nsomying,,21/11/2025,absent\n"
    batch = released(staff, before)
    after = before.replace("80,21/11/2025,", ",21/11/2025,void")
    staff(OFFICER).post(address(batch, "correct/"), {"file": file(after), "reason": "r"})
    correction = ExamBatch.objects.latest("id")
    found = api.compare_with_corrected(actor=_actor(OFFICER), batch_uuid=correction.uuid)
    assert (found.changed, found.lower, found.unchanged, found.missing) == (1, 1, 1, 0)


def test_an_auditor_looks_and_changes_nothing(staff):
    upload(staff(OFFICER))
    batch = ExamBatch.objects.get()
    page = text(staff(104).get(address(batch)))
    assert "It waits for a second signatory of KMUTT." in page
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    assert upload(staff(104), WRONG).status_code == 404
    assert staff(104).post(address(batch), {"action": "cancel", "reason": "x"}).status_code == 403


def test_batches_are_listed_by_page_and_filtered_with_the_same_number_of_queries(staff, exam):
    def queries(path):
        client = staff(OFFICER)
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as found:
            answer = client.get(path)
        return len(found), text(answer)

    upload(staff(OFFICER))
    one, _page = queries(DESK)
    first = ExamBatch.objects.get()
    for number in range(60):
        ExamBatch.objects.create(
            exam_code=exam,
            achievement=first.achievement,
            organization="KMUTT",
            state=("invalid", "imported", "cancelled")[number % 3],
            live=True if number % 3 < 2 else None,
            file_name=f"file{number}.csv",
            sha256=f"{number:064x}",
            size=1,
            uploaded_by=SIGNATORY,
            uploaded_at=first.uploaded_at,
        )
    many, page = queries(DESK)
    # Groups that are there now need no query of their own.
    assert many == one
    assert "file59.csv" in page.split("All batches")[1]
    assert "file34.csv" not in page.split("All batches")[1]
    before = page.split("before=")[1].split("#")[0]
    _count, second = queries(f"{DESK}?before={before}")
    assert "file34.csv" in second.split("All batches")[1]
    assert "file35.csv" not in second.split("All batches")[1]
    _count, some = queries(f"{DESK}?state=cancelled&exam=py101-exam&organization=KMUTT")
    assert "file59.csv" in some.split("All batches")[1]
    assert "file58.csv" not in some.split("All batches")[1]
    _count, none = queries(f"{DESK}?organization=CMU")
    assert "No batch is like that." in none
    assert staff(OFFICER).get(f"{DESK}?before=x%00&state=nonsense&exam=%27").status_code == 200


def test_a_large_batch_is_read_by_page_and_from_any_row(staff, exam, platform):
    upload(staff(OFFICER))
    batch = ExamBatch.objects.get()
    with CaptureQueriesContext(connection) as few:
        staff(SIGNATORY).get(address(batch))
    day = ExamResult.objects.first().sat_on
    for learner in range(1000, 1120):
        platform.add_learner(learner, f"Learner {learner}", f"l{learner}", f"l{learner}@example.com")
    ExamResult.objects.bulk_create(
        ExamResult(
            batch=batch, exam_code=exam, learner_id=learner, row=learner, sat_on=day, score=1, max_score=100
        )
        for learner in range(1000, 1120)
    )
    with CaptureQueriesContext(connection) as many:
        page = text(staff(SIGNATORY).get(address(batch)))
    assert len(many) == len(few)
    assert "Learner 1047" in page
    assert "Learner 1048" not in page
    assert "?row=1048#mc-results" in page
    assert "Learner 1110" in text(staff(SIGNATORY).get(address(batch, "?row=1100")))


def test_many_wrong_rows_are_read_by_page(staff):
    rows = "".join(f"nobody{number},40,21/11/2025\n" for number in range(120))
    page = text(upload(staff(OFFICER), f"username,score,exam date\n{rows}"))
    batch = ExamBatch.objects.get()
    assert "Findings 1 to 50 of 120." in page
    assert "nobody50" not in page
    page = text(staff(OFFICER).get(address(batch, "?problem=100")))
    assert "Findings 101 to 120 of 120." in page
    assert "Later rows" not in page


def test_the_template_is_in_the_readers_language(staff):
    answer = staff(OFFICER, "th").get(f"{DESK}template.csv")
    assert answer.content.decode("utf-8-sig").startswith("เลขประจำตัวสอบ,")
    assert staff(OFFICER).get(f"{DESK}template.xlsx").content.startswith(b"PK")
    assert staff(OFFICER).get(f"{DESK}template.pdf").status_code == 404


# --- admissions ---


def admit(client, people="", **fields):
    given = {"action": "admit", "exam": "py101-exam", "people": people, **fields}
    return client.post(ADMISSIONS, given, follow=True)


def test_candidates_are_admitted_by_a_pasted_list_or_a_file(staff):
    page = text(admit(staff(OFFICER), "somchai, bkk-1\n\nsomying@example.com\n"))
    assert "2 candidates are admitted." in page
    assert "BKK-1" in page
    assert "สมหญิง รักเรียน" in page
    assert actions() == [(OFFICER, "exam.admitted")]
    content = "เลขประจำตัวสอบ;อีเมล;หมายเหตุ\nBKK-3;john@example.com;x\n"
    page = text(admit(staff(OFFICER), file=file(content.encode("cp874"), "list.csv")))
    assert "1 candidate is admitted." in page
    numbers = set(ExamAdmission.objects.values_list("learner_id", "number"))
    assert numbers == {(1, "BKK-1"), (2, "PY101-EXAM-000001"), (3, "BKK-3")}


def test_columns_pasted_from_a_spreadsheet_are_understood(staff):
    admit(staff(OFFICER), "username\tadmission number\nsomchai\tA-1\njohn\tA-2")
    assert set(ExamAdmission.objects.values_list("learner_id", "number")) == {(1, "A-1"), (3, "A-2")}


def test_if_one_row_is_wrong_nobody_is_admitted_and_its_row_is_named(staff):
    answer = admit(staff(OFFICER), "somchai\n\nnobody, X-1\n")
    assert answer.status_code == 400
    page = text(answer)
    assert "Nobody was admitted" in page
    assert "There is no such account, or there are several." in page
    wrong = page.split("<tbody>")[1].split("</tbody>")[0]
    assert "</span>3</th>" in wrong
    assert "somchai\n\nnobody, X-1" in page.replace("\r", "")
    assert not ExamAdmission.objects.exists()


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ("", "one of the two"),
        (" ,5\nsomchai", "Nothing in this row names the candidate."),
        ("somchai," + "9" * 65, "too long"),
        ("somchai,a b!", "Use letters, digits, dash, slash"),
        ("somchai\nsomchai@example.com", "stands in the list twice"),
        ('"somchai', "a quotation mark is not closed"),
        ("\n".join(f"u{number}" for number in range(1001)), "Admit from 1 to 1000"),
    ],
)
def test_a_wrong_list_is_refused_beside_the_form(staff, people, says):
    answer = admit(staff(OFFICER), people)
    assert answer.status_code == 400
    assert says in text(answer)
    assert not ExamAdmission.objects.exists()


def test_a_list_that_is_too_long_is_refused(staff):
    answer = admit(staff(OFFICER), file=file(b"somchai\n" * 80_000))
    assert answer.status_code == 400
    assert "The list is too long." in text(answer)


def test_only_officers_of_the_organisation_admit(staff):
    for number, status in ((SIGNATORY, 404), (STRANGER, 404), (104, 404), (105, 403)):
        assert admit(staff(number), "somchai").status_code == status
    assert not ExamAdmission.objects.exists()


def test_candidates_are_found_without_anybody_in_the_address(staff):
    admit(staff(OFFICER), "somchai,BKK-1\nsomying,BKK-2\njohn,CNX-1")

    def find(words, who=OFFICER):
        answer = staff(who).post(ADMISSIONS, {"action": "find", "words": words})
        assert answer.status_code == 200
        return [one for one in ("BKK-1", "BKK-2", "CNX-1") if one in text(answer).split('id="mc-list"')[1]]

    assert find("bkk") == ["BKK-1", "BKK-2"]
    assert find("SOMCHAI@example.com") == ["BKK-1"]
    assert find("john") == ["CNX-1"]
    assert find("x") == find("") == []
    assert find("bkk", STRANGER) == []


def test_the_list_of_candidates_is_paged_and_costs_the_same(staff, exam, platform):
    admit(staff(OFFICER), "somchai,BKK-1")
    with CaptureQueriesContext(connection) as few:
        staff(SIGNATORY).get(ADMISSIONS)
    people = []
    for learner in range(1000, 1120):
        platform.add_learner(learner, f"Learner {learner}", f"l{learner}", f"l{learner}@example.com")
        people.append(f"l{learner}")
    admit(staff(OFFICER), "\n".join(people))
    with CaptureQueriesContext(connection) as many:
        page = text(staff(SIGNATORY).get(ADMISSIONS))
    assert len(many) == len(few)
    assert "Learner 1119" in page
    assert "Learner 1069" not in page
    before = page.split("before=")[1].split("#")[0]
    assert "Learner 1069" in text(staff(SIGNATORY).get(f"{ADMISSIONS}?before={before}&exam=py101-exam"))


def test_the_centre_gets_a_list_of_its_candidates_and_that_is_written_down(staff, platform):
    platform.add_learner(3, "=cmd()", "john", "john@example.com")
    admit(staff(OFFICER), "somchai,BKK-1\njohn,BKK-2")
    answer = staff(OFFICER).get(f"{ADMISSIONS}py101-exam.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[1:] == [["BKK-1", "สมชาย ใจดี"], ["BKK-2", "'=cmd()"]]
    assert actions()[-1] == (OFFICER, "exam.candidates_listed")
    stranger = staff(STRANGER).get(f"{ADMISSIONS}py101-exam.csv")
    assert stranger.content.decode("utf-8-sig").count("\n") == 1
    assert staff(SIGNATORY).get(f"{ADMISSIONS}py101-exam.csv").status_code == 403
