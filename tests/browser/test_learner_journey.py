"""A learner's whole way in a real browser, on a telephone, in Thai: from the course to the credit bank."""

import re

import pytest
from django.utils import timezone

from mooc_microcred.core import clock
from mooc_microcred.core.identity import record_identity
from mooc_microcred.core.roles import Actor
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.data import AdmissionRequest
from sandbox.bank import Bank
from sandbox.result_files import CENTRE, as_csv, buddhist
from tests.creditbank.conftest import SECRET, https_settings
from tests.support import definitions
from tests.support.browser import PHONE, accessibility_problems, overflow, photograph

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "course-v1:KMUTT+PY101+2026"
EXAM = "kmutt-py101-exam"


@pytest.fixture
def bank(tmp_path, sandbox, settings):
    """Return a running credit bank that takes everything of the sandbox."""
    with Bank(tmp_path / "bank", keys={"test": SECRET}, clock=lambda: clock.now().timestamp()) as one:
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "BANKS": {"central": https_settings(one)}}
        yield one


def sound(page, name):
    photograph(page, f"journey-{name}")
    assert page.complaints == [], name
    assert overflow(page) == 0, name
    assert accessibility_problems(page) == [], name


def learn(page, course):
    """Enrol, read every unit and answer the self-test, by the course's own pages."""
    page.goto(f"/courses/{KEY}/")
    page.click("main form button")
    page.click("ol.units a >> nth=0")
    while page.locator("main form.row button").count():
        page.click("main form.row button")
    page.goto(f"/courses/{KEY}/self-test/")
    for question in course.questions.all():
        page.locator("fieldset").nth(question.position - 1).locator("input").nth(question.right).check()
    page.click("main form button.button")


def test_from_the_course_to_the_credit_bank(open_page, sandbox, people, sweep, bank):
    definitions.programme("short", {"achievement": "kmutt-py101-l2"}, name={"th": "ชุดวิชาสั้น", "en": "Short"})
    learner = people["learner"]
    page = open_page("/microcred/", user=learner, language="th", viewport=PHONE)
    sound(page, "nothing")

    # 1 and 2: learning leads to Level 1, and the page to the exam.
    learn(page, sandbox["PY101"])
    sweep()
    page.goto("/microcred/")
    sound(page, "level-1")
    assert page.locator(".mc-badge").count() == 1
    assert "ระดับ 1" in page.inner_text(".mc-badge")
    page.goto("/microcred/exams/")
    sound(page, "exam-open")

    # 3: what two officers do is tried in their own tests.
    officer, signatory = Actor.of(people["officer"]), Actor.of(people["signatory"])
    (admission,) = exams.admit_learners(
        actor=officer, exam_code=EXAM, candidates=[AdmissionRequest(learner_id=learner.id)]
    )
    page.goto("/microcred/exams/")
    assert admission.number in page.inner_text("main")
    today = buddhist(timezone.localtime(clock.now()).date())
    content = as_csv([(admission.number, "สมหญิง ใจดี", 78, 100, today, CENTRE)], encoding="utf-8-sig")
    batch = exams.upload_batch(actor=officer, exam_code=EXAM, file_name="results.csv", content=content)
    exams.sign_batch(actor=signatory, batch_uuid=batch.uuid)
    page.goto("/microcred/exams/")
    assert "78" not in page.inner_text("main"), "a result is nobody's before its release"
    exams.release_batch(actor=officer, batch_uuid=batch.uuid)
    sweep()

    # 4: Level 2, and the programme that it completes; the credential can be shared.
    page.goto("/microcred/exams/")
    assert "78" in page.inner_text("main")
    page.goto("/microcred/")
    sound(page, "programme")
    assert page.locator(".mc-badge").count() == 3
    page.click(".mc-badge a:has-text('ชุดวิชาสั้น')")
    sound(page, "credential")
    assert re.search(r"/microcred/credentials/[0-9a-f-]{36}", page.url)
    page.goto("/microcred/programmes/short/")
    sound(page, "road")

    # 5: nothing leaves before the consent and the document; then the bank has it, and the learner sees that.
    page.goto("/microcred/credits/")
    sound(page, "waits")
    assert not bank.store.all()
    page.check("input[name=agree]")
    page.click("main form:has(input[name=agree]) button")
    sweep()
    assert not bank.store.all()
    record_identity(
        learner_id=learner.id, kind="national_id", number="1101700203450", verified_by="thaid", actor_id=None
    )
    sweep()
    page.goto("/microcred/credits/")
    sound(page, "deposited")
    receipts = {one["receipt"] for one in bank.store.all()}
    assert receipts
    assert all(receipt in page.inner_text("main") for receipt in receipts)
    page.goto("/microcred/data/")
    sound(page, "data")
    assert any(receipt in page.inner_text("main") for receipt in receipts)
