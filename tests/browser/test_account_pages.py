"""A learner's exams, credit account and data in a real browser."""

from datetime import date, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from mooc_microcred.achievements.models import Achievement, AchievementVersion, AwardEvent
from mooc_microcred.core import clock
from mooc_microcred.core.identity import record_identity
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult
from sandbox import settings as sandbox_settings
from tests.support import factories
from tests.support.browser import DESKTOP, PHONE, accessibility_problems, overflow, photograph

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ("exams/", "exams/results/", "credits/", "credits/withdraw/sandbox-bank/", "data/")
# What 200 % zoom leaves of a window of 1280 pixels.
ZOOMED = {"width": 640, "height": 450}


@pytest.fixture
def learner(sandbox, people, settings):
    """The sandbox's learner in the middle of everything: results, a credit there, taken back, waiting."""
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "BANKS": sandbox_settings.MOOC_MICROCRED["BANKS"]}
    user = people["learner"]
    level2 = Achievement.objects.get(code="kmutt-py101-l2")
    version = AchievementVersion.objects.get(achievement=level2)
    other = AchievementVersion.objects.get(achievement__code="kmutt-py102-l2")
    code = version.definition["exams"][0]["code"]
    now = clock.now()
    batches = []
    for number, state in enumerate(("released", "released", "signed")):
        batches.append(
            ExamBatch.objects.create(
                exam_code=code,
                achievement=level2,
                organization="KMUTT",
                state=state,
                file_name="r.csv",
                sha256=str(number) * 64,
                size=1,
                uploaded_by=1,
                uploaded_at=now,
                signed_by=2,
                signed_at=now,
                released_by=2 if state == "released" else None,
                released_at=now if state == "released" else None,
            )
        )
    for number, (score, day) in enumerate(
        ((41.5, date(2026, 5, 3)), (None, date(2026, 7, 5)), (88, date(2026, 9, 6)))
    ):
        ExamResult.objects.create(
            batch=batches[number],
            exam_code=code,
            learner_id=user.pk,
            row=2,
            status="sat" if score else "absent",
            sat_on=day,
            score=score,
            max_score=100,
            percent=score,
            centre="ศูนย์สอบ มหาวิทยาลัยเทคโนโลยีพระจอมเกล้าธนบุรี",
        )
    ExamAdmission.objects.create(
        exam_code=code, organization="KMUTT", number="PY101-000017", learner_id=user.pk, created=now
    )
    Consent.objects.create(
        learner_id=user.pk,
        bank="sandbox-bank",
        text_version="old",
        language="th",
        given_at=now - timedelta(days=9),
    )
    record_identity(
        learner_id=user.pk, kind="national_id", number="1101700203450", verified_by="officer:9", actor_id=9
    )
    for number, state in enumerate(("deposited", "reversed", "waiting_identity")):
        award = factories.make_award(user.pk, other if number == 0 else None, announce=False)
        row = CreditRecord.objects.create(
            award=award,
            learner_id=user.pk,
            organization="KMUTT",
            bank="sandbox-bank",
            state=state,
            method_code="CE",
            credits=3,
            hours=45,
            created=now,
            changed=now,
        )
        told = {"deposited": ["deposit"], "reversed": ["deposit", "reverse"]}.get(state, [])
        for sequence, kind in enumerate(told, start=1):
            Delivery.objects.create(
                record=row,
                bank="sandbox-bank",
                sequence=sequence,
                kind=kind,
                state="acknowledged",
                reason="exam_superseded" if kind == "reverse" else "",
                receipt=f"SB-2569-00{number}{sequence}",
                created=now,
                sent_at=now,
                acknowledged_at=now,
            )
        if state == "reversed":
            AwardEvent.objects.create(
                award=award, kind="revoked", at=now, reason="staff_decision", note="ผลสอบถูกแก้ไข", actor_id=9
            )
    return user


@pytest.mark.parametrize("language", ["th", "en"])
def test_every_page_can_be_read_by_everybody(open_page, learner, language):
    for size, viewport in (("desktop", DESKTOP), ("phone", PHONE), ("zoomed", ZOOMED)):
        for path in PAGES:
            page = open_page(f"/microcred/{path}", user=learner, language=language, viewport=viewport)
            photograph(page, f"account-{path.strip('/').replace('/', '-')}-{language}-{size}")
            assert page.get_attribute("html", "lang") == language
            assert page.complaints == [], path
            assert overflow(page) == 0, (path, size)
            assert accessibility_problems(page) == [], (path, size)


def test_who_has_nothing_is_told_what_would_stand_there(open_page, sandbox):
    newcomer = get_user_model().objects.create_user("newcomer", password=None)
    for path in ("exams/", "exams/results/", "credits/", "data/"):
        page = open_page(f"/microcred/{path}", user=newcomer, viewport=PHONE)
        photograph(page, f"account-empty-{path.strip('/').replace('/', '-')}")
        assert page.complaints == [], path
        assert accessibility_problems(page) == [], path


def test_consent_is_given_and_withdrawn_with_the_keyboard_and_without_scripts(open_page, learner):
    Consent.objects.all().delete()
    page = open_page("/microcred/credits/", user=learner, language="en", viewport=PHONE)
    page.focus("#mc-agree-sandbox-bank")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=You have given your consent")
    assert Consent.objects.get().language == "en"
    photograph(page, "account-consented")

    page = open_page("/microcred/credits/", user=learner, language="th", scripts=False)
    assert "SB-2569-0001" in page.inner_text("main")
    assert str(timezone.localtime(clock.now()).year + 543) in page.inner_text("main")
    page.click("main >> a[href*='withdraw']")
    assert Consent.objects.get().live
    page.click("main form button")
    assert Consent.objects.get().live is None
    assert page.url.split("#")[0].endswith("/microcred/credits/")


def test_exams_say_what_waits_and_what_was_and_keep_the_rest_to_themselves(open_page, learner):
    page = open_page("/microcred/exams/", user=learner, language="en")
    found = page.inner_text("main")
    assert "PY101-000017" in found
    assert "6 September 2026" in found
    assert "88" not in found
    assert "41.5 of 100" in found
    page = open_page("/microcred/exams/", user=learner, language="th", scripts=False)
    assert "6 กันยายน 2569" in page.inner_text("main")


def test_everything_is_downloaded_as_files(open_page, learner):
    page = open_page("/microcred/data/", user=learner)
    for name in ("everything.json", "credentials.zip"):
        with page.expect_download() as download:
            page.click(f"main >> a[href$='{name}']")
        assert download.value.suggested_filename.endswith(name[-4:])
