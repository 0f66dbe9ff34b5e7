"""Exam officer, second signatory and identity verifier at work in a real browser, in the sandbox."""

import re

import pytest
from django.test import Client

from mooc_microcred.core.models import AuditEntry, LearnerIdentity
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.models import ExamAdmission, ExamBatch
from tests.support.browser import DESKTOP, PHONE, accessibility_problems, overflow, photograph

pytestmark = pytest.mark.django_db(transaction=True)
DESK = "/microcred/staff/exams/"
ADMISSIONS = f"{DESK}admissions/"
IDENTITIES = "/microcred/staff/identities/"
KEY = "course-v1:KMUTT+PY101+2026"
EXAM = "kmutt-py101-exam"
HEADER = "เลขประจำตัวสอบ,ชื่อ-สกุล,คะแนน,คะแนนเต็ม,วันที่สอบ,ศูนย์สอบ"
# As wide as a window of 1280 pixels is when everything is twice as large.
ZOOMED = {"width": 640, "height": 450}


def results(*rows, name="ผลสอบ-py101.csv"):
    """Return a file as an exam centre sends it, for a form."""
    content = "\n".join([HEADER, *rows]).encode("utf-8-sig")
    return {"name": name, "mimeType": "text/csv", "buffer": content}


@pytest.fixture
def enrolled(people):
    """Return the accounts; the learner is enrolled in the first course."""
    client = Client()
    client.force_login(people["learner"])
    assert client.post(f"/courses/{KEY}/enrol/").status_code == 302
    return people


def sound(page, name, *, refused=False):
    """Look at a page: nothing broken, nothing beyond its edges, usable by everybody.

    Args:
        refused: whether a form has just been handed back, which the browser logs as an error.
    """
    photograph(page, name)
    complaints = [one for one in page.complaints if not (refused and re.search(r"\b40[0-9]\b", one))]
    page.complaints.clear()
    assert complaints == []
    assert overflow(page) == 0
    assert accessibility_problems(page) == []


def press(page, action):
    """Press the button of a form that does this; the page that comes is there when this returns."""
    with page.expect_navigation():
        page.click(f"button[name=action][value={action}]")


@pytest.mark.parametrize(
    ("language", "viewport", "year"), [("en", DESKTOP, "2025"), ("th", PHONE, "2568")], ids=["en", "th"]
)
def test_results_go_from_a_wrong_file_to_a_released_correction(open_page, enrolled, language, viewport, year):
    officer = open_page(ADMISSIONS, user=enrolled["officer"], language=language, viewport=viewport)

    # Candidates: one row is wrong, is told by its number, and what was typed is kept.
    officer.select_option("#mc-exam", EXAM)
    officer.fill("#mc-people", "learner, A-1\nnobody, A-2")
    press(officer, "admit")
    sound(officer, f"admissions-wrong-{language}", refused=True)
    assert "nobody" in officer.inner_text("#mc-admit table")
    assert officer.input_value("#mc-people") == "learner, A-1\nnobody, A-2"
    assert not ExamAdmission.objects.exists()
    officer.fill("#mc-people", "learner, A-1")
    press(officer, "admit")
    assert "A-1" in officer.inner_text("#mc-list table")
    assert officer.get_attribute(".mc-state", "role") == "status"

    # A file with wrong rows: nothing is imported, each is told.
    officer.goto(DESK)
    officer.select_option("#mc-exam", EXAM)
    officer.set_input_files("#mc-file", results("A-1,,178,100,21/11/2568,", "A-9,,60,100,21/11/2568,"))
    with officer.expect_navigation():
        officer.click("#mc-upload form button")
    wrong = ExamBatch.objects.get()
    assert (wrong.state, f"/batches/{wrong.uuid}/" in officer.url) == ("invalid", True)
    sound(officer, f"batch-wrong-{language}")
    rows = officer.locator("#mc-problems tbody tr")
    assert [re.sub(r"\D", "", rows.nth(one).locator("th").inner_text()) for one in (0, 1)] == ["2", "3"]
    assert "178" in rows.nth(0).inner_text()
    with officer.expect_download() as download:
        officer.click("#mc-problems a")
    assert "178" in download.value.path().read_text("utf-8-sig")

    # The mended file takes its place; who uploaded sees why they cannot sign.
    officer.set_input_files("#mc-file", results("A-1,สมหญิง ใจดี,78,100,21/11/2568,บางมด", name="mended.csv"))
    press(officer, "mend")
    sound(officer, f"batch-imported-{language}")
    wrong.refresh_from_db()
    assert wrong.state == "cancelled"
    assert officer.locator("button[value=sign]").count() == 0
    assert "KMUTT" in officer.inner_text("#mc-next")
    assert year in officer.inner_text("#mc-results table")
    batch = ExamBatch.objects.get(file_name="mended.csv")

    # Another person finds it on their desk, and signs by keyboard alone.
    signatory = open_page(DESK, user=enrolled["signatory"], language=language, viewport=viewport)
    sound(signatory, f"desk-to-sign-{language}")
    assert signatory.locator("#mc-upload").count() == 0
    signatory.focus("section[aria-labelledby=mc-waiting] a")
    with signatory.expect_navigation():
        signatory.keyboard.press("Enter")
    assert f"/batches/{batch.uuid}/" in signatory.url
    for _step in range(30):
        signatory.keyboard.press("Tab")
        if signatory.evaluate("document.activeElement.value") == "sign":
            break
    with signatory.expect_navigation():
        signatory.keyboard.press("Enter")
    batch.refresh_from_db()
    assert (batch.state, batch.signed_by) == ("signed", enrolled["signatory"].pk)
    sound(signatory, f"batch-signed-{language}")
    assert exams.my_results(learner_id=enrolled["learner"].pk) == []

    officer.goto(DESK)
    sound(officer, f"desk-to-release-{language}")
    officer.click("section[aria-labelledby=mc-waiting] a")
    press(officer, "release")
    sound(officer, f"batch-released-{language}")
    (result,) = exams.my_results(learner_id=enrolled["learner"].pk)
    assert result.score == 78

    # A correction: what it does is said in words, what it changes in numbers, before anybody signs.
    officer.click("#mc-next a")
    sound(officer, f"correct-{language}")
    officer.fill("#mc-reason", "ศูนย์สอบส่งคะแนนที่แก้ไข")
    officer.set_input_files("#mc-file", {"name": "x.csv", "mimeType": "text/csv", "buffer": b"name\n1\n"})
    with officer.expect_navigation():
        officer.click("#mc-upload form button")
    sound(officer, f"correct-refused-{language}", refused=True)
    assert officer.locator("#mc-upload-problem").is_visible()
    assert officer.input_value("#mc-reason") == "ศูนย์สอบส่งคะแนนที่แก้ไข"
    officer.set_input_files("#mc-file", results("A-1,,58,100,21/11/2568,", name="corrected.csv"))
    with officer.expect_navigation():
        officer.click("#mc-upload form button")
    sound(officer, f"batch-correction-{language}")
    changes = officer.inner_text("section[aria-labelledby=mc-changes]")
    assert {"78", "58"} <= set(changes.split())
    correction = ExamBatch.objects.get(file_name="corrected.csv")
    signatory.goto(f"{DESK}batches/{correction.uuid}/")
    press(signatory, "sign")
    press(signatory, "release")
    (result,) = exams.my_results(learner_id=enrolled["learner"].pk)
    assert result.score == 58
    officer.goto(f"{DESK}batches/{batch.uuid}/")
    sound(officer, f"batch-superseded-{language}")
    assert correction.file_name in officer.inner_text("#mc-next")
    # Every step is in the audit log under the name of who did it.
    done = AuditEntry.objects.filter(object_id__in=[wrong.uuid, batch.uuid, correction.uuid])
    by = {(one.action.removeprefix("exam_batch."), one.actor_id) for one in done}
    mine, theirs = enrolled["officer"].pk, enrolled["signatory"].pk
    assert by >= {
        ("uploaded", mine),
        ("cancelled", mine),
        ("imported", mine),
        ("released", mine),
        ("signed", theirs),
        ("released", theirs),
        ("superseded", theirs),
    }


@pytest.mark.parametrize("language", ["en", "th"])
def test_the_pages_are_read_at_every_size_and_without_scripts(open_page, enrolled, language):
    client = Client()
    client.force_login(enrolled["officer"])
    client.post(ADMISSIONS, {"action": "admit", "exam": EXAM, "people": "learner"})
    page = open_page(DESK, user=enrolled["officer"], language=language, scripts=False)
    for number, row in enumerate(["learner,78", "learner,178", "nobody,50"]):
        page.set_input_files(
            "#mc-file",
            {
                "name": f"ผลสอบการเขียนโปรแกรมไพทอนเบื้องต้น-รอบที่-{number}-2569.csv",
                "mimeType": "text/csv",
                "buffer": f"username,score,exam date\n{row},2{number}/11/2025\n".encode(),
            },
        )
        page.click("#mc-upload form button")
        page.goto(DESK)
    assert page.get_attribute("html", "lang") == language
    batches = ExamBatch.objects.order_by("id")
    assert [one.state for one in batches] == ["imported", "invalid", "invalid"]
    paths = {
        "desk": DESK,
        "filtered": f"{DESK}?state=invalid",
        "batch": f"{DESK}batches/{batches[0].uuid}/",
        "invalid": f"{DESK}batches/{batches[1].uuid}/",
        "admissions": ADMISSIONS,
        "identities": IDENTITIES,
    }
    for size, viewport in (("desktop", DESKTOP), ("phone", PHONE), ("zoomed", ZOOMED)):
        for name, path in paths.items():
            who = enrolled["verifier" if name == "identities" else "officer"]
            page = open_page(path, user=who, language=language, viewport=viewport)
            sound(page, f"{name}-{language}-{size}")


def test_a_verifier_records_a_document_by_keyboard(open_page, enrolled):
    page = open_page(IDENTITIES, user=enrolled["verifier"], viewport=PHONE)
    page.focus("#mc-who")
    page.keyboard.type("learner@example.ac.th")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "สมหญิง ใจดี" in page.inner_text("#mc-record")
    assert "learner@" not in page.url
    sound(page, "identities-found")
    page.focus("#mc-kind-national_id")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("1-2345-67890-12-9")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    sound(page, "identities-wrong", refused=True)
    assert "check digit" in page.inner_text("#mc-number-problem")
    assert page.is_checked("#mc-kind-national_id")
    page.fill("#mc-number", "1-2345-67890-12-1")
    with page.expect_navigation():
        page.press("#mc-number", "Enter")
    sound(page, "identities-recorded")
    assert "0121" in page.inner_text("[role=status]")
    assert "1234567890121" not in page.content()
    assert LearnerIdentity.objects.get().learner_id == enrolled["learner"].pk
