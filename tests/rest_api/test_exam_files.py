"""From an exam centre's file to released results, as officers do it; and files that are none."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Award
from mooc_microcred.core import outbox
from mooc_microcred.core.models import StaffRole
from mooc_microcred.core.storage import private_storage
from mooc_microcred.exams.models import ExamBatch, ExamResult
from tests.rest_api.world import BASE, result_file, snapshot
from tests.support.definitions import level2

UPLOAD = f"{BASE}staff/exam-batches/"


def upload(client, content, *, name="results.csv", **fields):
    return client.post(UPLOAD, {"exam": "py101-exam", "file": ContentFile(content, name=name), **fields})


def stored_files():
    try:
        return sorted(private_storage().listdir("exam-results")[1])
    except FileNotFoundError:
        return []


def reading_forms(get_response):
    """Read the form before the view does, as a middleware of the platform may."""

    def middleware(request):
        assert request.POST is not None
        return get_response(request)

    return middleware


@pytest.fixture
def officer(as_person):
    return as_person("exam_officer@KMUTT")


def test_five_steps_from_a_file_to_a_level_2_award(world, as_person, officer):
    ann = world.person("ann")
    batch = upload(officer, result_file((ann.username, 90), day=25)).json()
    assert (batch["state"], batch["rows_total"], batch["rows_wrong"], batch["rows_imported"]) == (
        "imported",
        1,
        0,
        1,
    )
    address = f"{UPLOAD}{batch['uuid']}"
    assert officer.post(f"{address}/release/", content_type="application/json").status_code == 409
    signed = as_person("exam_signatory@KMUTT").post(f"{address}/sign/", content_type="application/json")
    assert (signed.status_code, signed.json()["state"]) == (200, "signed")
    assert officer.post(f"{address}/release/", content_type="application/json").json()["state"] == "released"
    while outbox.relay().done:
        pass
    achievements.evaluate_due()
    assert Award.objects.filter(learner_id=ann.pk, achievement__code="py101-l2", live=True).exists()


def test_a_file_arrives_also_where_a_middleware_has_read_the_form(world, officer, settings):
    ours = f"{__name__}.reading_forms"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, ours]
    answer = upload(officer, result_file((world.person("ann").username, 90), day=25))
    assert (answer.status_code, answer.json()["rows_imported"]) == (201, 1)


def test_whoever_uploaded_cannot_sign(world, as_person, officer):
    both = world.person("exam_officer@KMUTT")
    StaffRole.objects.create(user_id=both.pk, role="exam_signatory", organization="KMUTT")
    answer = officer.post(f"{UPLOAD}{world.things['imported']}/sign/", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert ExamBatch.objects.get(uuid=world.things["imported"]).signed_by is None
    # Neither can somebody who may do everything else.
    root = as_person("root")
    own = upload(root, result_file((world.person("ann").username, 66), day=26)).json()
    assert root.post(f"{UPLOAD}{own['uuid']}/sign/", content_type="application/json").status_code == 403


def test_wrong_rows_are_listed_in_pages_and_as_a_file_that_is_no_formula(world, officer):
    address = f"{UPLOAD}{world.things['mixed']}/"
    batch = officer.get(address).json()
    assert (batch["state"], batch["rows_total"], batch["rows_wrong"]) == ("invalid", 3, 2)
    assert ExamResult.objects.filter(batch__uuid=batch["uuid"]).count() == 0
    pages = []
    following = f"{address}problems/?page_size=1"
    while following:
        page = officer.get(following).json()
        pages += page["results"]
        following = page["next"]
    assert [(one["row"], one["column"]) for one in pages] == [(3, "username"), (4, "score")]
    assert pages[1]["value"] == "=1+1"
    assert all(one["message"] and one["code"] for one in pages)
    thai = officer.get(f"{address}problems/", headers={"accept-language": "th"}).json()["results"]
    assert [one["code"] for one in thai] == [one["code"] for one in pages]
    assert batch["ignored_columns"] == []
    assert batch["problems"] == pages

    file = officer.get(f"{address}problems.csv")
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert file["Content-Disposition"] == 'attachment; filename="problems.csv"'
    assert file["X-Content-Type-Options"] == "nosniff"
    text = file.content.decode("utf-8-sig")
    assert "'=1+1" in text
    assert ",=1+1" not in text


def test_the_right_rows_can_be_imported_at_once_or_afterwards(world, officer):
    afterwards = officer.post(
        f"{UPLOAD}{world.things['mixed']}/import-right-rows/", content_type="application/json"
    ).json()
    assert (afterwards["state"], afterwards["rows_imported"], afterwards["only_right_rows"]) == (
        "imported",
        1,
        True,
    )
    content = result_file((world.person("ann").username, 77), ("nobody", 1), day=27)
    at_once = upload(officer, content, only_right_rows="true").json()
    assert (at_once["state"], at_once["rows_imported"], at_once["rows_wrong"]) == ("imported", 1, 1)


def test_a_released_batch_is_corrected_by_another_with_a_reason(world, as_person, officer):
    content = result_file((world.person("ann").username, 95), day=14)
    without = upload(officer, content, supersedes=world.things["released"])
    assert without.status_code == 400
    unreleased = upload(officer, content, supersedes=world.things["signed"], reason="Marked again.")
    assert unreleased.status_code == 409
    unknown = upload(
        officer, content, supersedes="00000000-0000-4000-8000-000000000000", reason="Marked again."
    )
    assert unknown.status_code == 404
    batch = upload(officer, content, supersedes=world.things["released"], reason="Marked again.").json()
    assert batch["supersedes"] == world.things["released"]
    as_person("exam_signatory@KMUTT").post(f"{UPLOAD}{batch['uuid']}/sign/", content_type="application/json")
    assert (
        officer.post(f"{UPLOAD}{batch['uuid']}/release/", content_type="application/json").status_code == 200
    )
    assert officer.get(f"{UPLOAD}{world.things['released']}/").json()["state"] == "superseded"
    (result,) = as_person("ann").get(f"{BASE}my/exam-results/").json()["results"]
    assert result["percent"] == "95"


def test_the_same_file_twice_is_recognised(world, officer):
    content = result_file((world.person("ann").username, 88), day=28)
    assert upload(officer, content).status_code == 201
    files = stored_files()
    again = upload(officer, content, name="other name.csv")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert stored_files() == files


def junk_archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\x00" * (300 * 1024 * 1024))
    return buffer.getvalue()


def empty_book():
    buffer = io.BytesIO()
    openpyxl.Workbook().save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.csv", b""),
        ("r.csv", b"\x00"),
        ("r.csv", b"\x00" * 10_000),
        ("r.csv", b"\xff" * 1000),
        ("r.csv", b"\xef\xbb\xbf"),
        ("r.csv", b"\n\n\n"),
        ("r.csv", b"username"),
        ("r.csv", b"username,score,exam date\n"),
        ("r.csv", b"a,b,c\n1,2,3\n"),
        ("r.csv", b'username,score,exam date\n"'),
        ("r.csv", b"username,username,score,exam date\na,b,1,1/1/2025\n"),
        ("r.csv", b"," * 100_000),
        ("r.csv", b"username,score,exam date\n" + b"x" * 200_000 + b",1,1/1/2025\n"),
        ("r.xlsx", b""),
        ("r.xlsx", b"username,score\n"),
        ("r.xlsx", b"PK\x03\x04" + b"\x00" * 100),
        ("r.xlsx", empty_book()),
        ("r.xlsx", empty_book()[:-100]),
        ("r.xlsx", junk_archive()),
        ("r.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600),
        ("r.pdf", b"%PDF-1.7"),
        ("r", b"\x89PNG\r\n\x1a\n"),
    ],
    ids=range(22),
)
def test_what_is_no_file_of_results_is_refused_and_not_kept(world, officer, name, content):
    before, files = snapshot(), stored_files()
    answer = upload(officer, content, name=name)
    assert answer.status_code == 400, answer.content[:500]
    assert answer.json()["message"]
    assert snapshot() == before
    assert stored_files() == files


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"exam": "no-such-exam"}, 404),
        ({"exam": "PY101"}, 400),
        ({"exam": ""}, 400),
        ({"exam": "\x00"}, 400),
        ({"only_right_rows": "perhaps"}, 400),
        ({"supersedes": "x"}, 400),
        ({"reason": "\x00"}, 400),
        ({"reason": "x" * 2001}, 400),
        ({"more": "1"}, 400),
        ({"exam": ["py101-exam", "py101-exam"]}, 400),
        ({"file": "no file"}, 400),
        ({"file": [ContentFile(b"a", name="a.csv"), ContentFile(b"b", name="b.csv")]}, 400),
    ],
    ids=range(12),
)
def test_a_form_with_mistakes_is_refused(world, officer, fields, status):
    before, files = snapshot(), stored_files()
    content = result_file((world.person("ann").username, 60), day=29)
    answer = officer.post(
        UPLOAD, {"exam": "py101-exam", "file": ContentFile(content, name="r.csv"), **fields}
    )
    assert answer.status_code == status, answer.content
    assert snapshot() == before
    assert stored_files() == files


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("text/csv", b"username,score\n", 415),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=", b"x", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; na", 400),
        ("multipart/form-data; boundary=x", b"", 400),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x--", 400),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="file"; '
         b'filename="\x00.csv"\r\nContent-Type: text/csv; charset=base64\r\n\r\na\r\n--x--\r\n', 400),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="file"; '
         b'filename="a.csv"\r\nContent-Transfer-Encoding: base64\r\n\r\n***\r\n--x--\r\n', 400),
        ("multipart/form-data; boundary=x", b"".join(
            b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\na\r\n' % number
            for number in range(2000)) + b"--x--\r\n", 400),
    ],
    ids=range(10),
)  # fmt: skip
def test_a_body_that_is_no_form_is_refused(world, officer, content_type, body, status):
    before = snapshot()
    answer = officer.post(UPLOAD, body, content_type=content_type)
    assert answer.status_code == status, answer.content
    assert set(answer.json()) == {"code", "message", "problems"}
    assert snapshot() == before


def test_a_file_that_is_too_long_is_refused_before_it_is_read(world, officer, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "UPLOAD_MAX_BYTES": 1000}
    before, files = snapshot(), stored_files()
    assert upload(officer, b"x" * 100_000).status_code == 413
    assert upload(officer, b"x" * 2000).status_code == 400
    assert snapshot() == before
    assert stored_files() == files


def test_uploads_are_limited_more_than_requests(world, officer, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "API_UPLOAD_RATE": "2/min", "API_RATE": "100/min"}
    assert [upload(officer, b"x").status_code for _ in range(3)] == [400, 400, 429]
    assert officer.get(UPLOAD).status_code == 200


def test_an_exam_of_another_organisation_does_not_exist(world, as_person, officer):
    level2("sea-l2", needs=None, exam="sea-exam", organization="BUU", issuer="buu")
    content = result_file((world.person("ann").username, 60), day=30)
    before, files = snapshot(), stored_files()
    answers = [
        officer.post(UPLOAD, {"exam": exam, "file": ContentFile(content, name="r.csv")})
        for exam in ("sea-exam", "no-exam")
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    body = {"exam": "sea-exam", "candidates": [{"learner_id": world.things["ann"]}]}
    assert (
        officer.post(f"{BASE}staff/exam-admissions/", body, content_type="application/json").status_code
        == 404
    )
    assert snapshot() == before
    assert stored_files() == files
    codes = [one["code"] for one in officer.get(f"{BASE}staff/exams/").json()["results"]]
    assert codes == ["py101-exam"]
    assert officer.get(f"{BASE}staff/exams/?organization=BUU").json()["results"] == []


class FullStorage(FileSystemStorage):
    """A storage whose disk is full."""

    def save(self, name, content, max_length=None):
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_a_fault_of_ours_and_leaves_no_row(world, as_person, settings):
    client = as_person("exam_officer@KMUTT")
    client.raise_request_exception = False
    before = snapshot()
    content = result_file((world.person("ann").username, 60), day=30)
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "PRIVATE_STORAGE": "tests.rest_api.test_exam_files.FullStorage",
    }
    assert upload(client, content).status_code == 500
    assert snapshot() == before


def test_candidates_are_admitted_all_or_none(world, officer):
    ann, bob = world.person("ann"), world.person("bob")
    address = f"{BASE}staff/exam-admissions/"

    def admit(*candidates):
        body = {"exam": "py101-exam", "candidates": list(candidates)}
        return officer.post(address, body, content_type="application/json")

    before = snapshot()
    refused = admit({"username": ann.username}, {"username": "nobody"})
    assert refused.status_code == 400
    assert [one["where"] for one in refused.json()["problems"]] == ["candidates[1]"]
    assert "nobody" not in refused.content.decode()
    assert snapshot() == before
    # Bob is admitted already and keeps his number.
    admitted = admit({"username": ann.username}, {"learner_id": bob.pk})
    assert admitted.status_code == 201
    assert [one["learner_id"] for one in admitted.json()["admissions"]] == [ann.pk, bob.pk]
    assert admitted.json()["admissions"][1]["number"] == "B-1"
    for wrong in (
        [],
        [{}],
        [{"username": "a", "learner_id": 1}],
        [{"username": "a", "number": "x" * 65}],
        [{"learner_id": ann.pk, "more": 1}],
        [None],
        ["ann"],
        [{"learner_id": ann.pk}] * 1001,
    ):
        assert admit(*wrong).status_code == 400, wrong[:1]


@pytest.mark.parametrize("language", ["th", "en"])
def test_the_template_can_be_filled_in_and_uploaded(world, officer, language):
    headers = {"accept-language": language}
    file = officer.get(f"{UPLOAD}template/", headers=headers)
    assert file["Content-Disposition"] == 'attachment; filename="results.csv"'
    headings = file.content.decode("utf-8-sig").strip().split(",")
    book = officer.get(f"{UPLOAD}template/?form=xlsx", headers=headers)
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert [cell.value for cell in sheet[1]] == headings
    assert officer.get(f"{UPLOAD}template/?form=ods").status_code == 400
