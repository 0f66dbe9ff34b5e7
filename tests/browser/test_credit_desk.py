"""The credit officer in a real browser, with a bank that really goes away and comes back."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from mooc_microcred.core import clock
from mooc_microcred.core.identity import record_identity
from mooc_microcred.core.models import AuditEntry, OutboxMessage, StaffRole
from mooc_microcred.core.roles import Actor
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank.models import Delivery
from sandbox.bank import Bank
from tests.creditbank.conftest import CONSENT, SECRET, https_settings
from tests.support import factories
from tests.support.browser import DESKTOP, PHONE, accessibility_problems, overflow, photograph

pytestmark = pytest.mark.django_db(transaction=True)
DESK = "/microcred/staff/credits/"
NAME = "ว่าที่ร้อยตรีหญิง ดร.ปิ่นอนงค์ลักษณ์ เจริญศรีสุวรรณภูมิพัฒน์"
LEARNER = 71
# A viewport of 640 CSS pixels is a window of 1,280 at 200 %.
ZOOMED = {"width": 640, "height": 450}


@pytest.fixture
def bank(tmp_path):
    with Bank(tmp_path / "bank", keys={"test": SECRET}, clock=lambda: clock.now().timestamp()) as one:
        yield one


@pytest.fixture
def central(bank, settings, platform):
    """Return the running bank, configured as the one that takes everything."""
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "BANKS": {"central": https_settings(bank)},
        "BANK_MAX_ATTEMPTS": 2,
    }
    platform.add_learner(LEARNER, name=NAME)
    return bank


@pytest.fixture
def officer(db):
    user = get_user_model().objects.create_user("wipa", password=None)
    for role in ("credit_officer", "auditor"):
        StaffRole.objects.create(user_id=user.pk, role=role, organization="")
    return user


def ready_awards(number):
    """Return awards of a learner who has agreed and is identified; their deposits are due."""
    creditbank.give_consent(
        learner_id=LEARNER, bank="central", text_version=CONSENT["version"], language="th"
    )
    record_identity(
        learner_id=LEARNER, kind="national_id", number="1101700203450", verified_by="thaid", actor_id=None
    )
    name = {"th": "การเขียนโปรแกรมภาษาไพทอนเบื้องต้น", "en": "Python Programming Fundamentals"}
    made = [factories.make_award(LEARNER, factories.make_version(name=name)) for _ in range(number)]
    factories.relay_all()
    return made


def looked_at(page, name):
    photograph(page, name)
    assert page.complaints == [], name
    assert overflow(page) == 0, name
    assert accessibility_problems(page) == [], name


def try_again_now():
    """Let the time pass after which failed deliveries are tried again."""
    Delivery.objects.filter(due__isnull=False).update(due=clock.now() - timedelta(seconds=1))
    creditbank.deliver_due(limit=10)


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize(("size", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_a_bank_that_is_away_is_seen_and_its_dead_letters_are_replayed(
    open_page, central, officer, language, size, viewport
):
    ready_awards(2)
    factories.make_award(LEARNER + 1)
    factories.relay_all()
    central.misbehave("error", times=1000)
    creditbank.deliver_due(limit=10)
    page = open_page(
        "/microcred/staff/", user=officer, language=language, viewport=viewport, scripts=size == "phone"
    )
    photograph(page, f"staff-{language}-{size}")
    page.click(f"main a[href='{DESK}']")
    assert page.get_attribute("html", "lang") == language
    failing = page.locator(".mc-count[href*='show=failing']")
    assert failing.locator("strong").inner_text() == "2"
    photograph(page, f"desk-failing-{language}-{size}")
    # The bank stays away until the attempts are used up.
    while Delivery.objects.exclude(state="dead").filter(record__learner_id=LEARNER).exists():
        try_again_now()
    page.goto(DESK)
    assert page.locator(".mc-count--bad strong").inner_text() == "2"
    if size == "phone":
        looked_at(page, f"desk-dead-{language}-{size}")
    # It is back. One by its checkbox, from the keyboard; the other with all of the bank.
    central.behave()
    page.locator("input[type=checkbox]").first.focus()
    page.keyboard.press("Space")
    page.locator("button[name=action][value=ask]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("button[value=replay]")
    if size == "phone":
        looked_at(page, f"desk-confirm-{language}-{size}")
    page.locator("button[value=replay]").press("Enter")
    page.wait_for_selector(".mc-state--good")
    assert Delivery.objects.filter(state="dead").count() == 1
    page.locator("button[name=bank]").click()
    page.wait_for_selector("button[value=replay]")
    page.click("button[value=replay]")
    page.wait_for_selector(".mc-state--good")
    assert not Delivery.objects.filter(state="dead").exists()
    assert AuditEntry.objects.filter(action="delivery.replayed", actor_id=officer.pk).count() == 2
    creditbank.deliver_due(limit=10)
    assert len(central.store.all()) == 2
    page.goto(f"{DESK}?show=deposited")
    assert page.locator("tbody tr").count() == 2
    page.locator("tbody a").first.click()
    text = page.inner_text("main")
    assert any(one in text for one in Delivery.objects.values_list("receipt", flat=True) if one)
    assert NAME not in text
    if size == "phone":
        looked_at(page, f"record-{language}-{size}")
    else:
        photograph(page, f"record-{language}-{size}")


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize(("size", "viewport"), [("desktop", DESKTOP), ("phone", PHONE), ("zoomed", ZOOMED)])
def test_every_page_of_the_officers_can_be_read_by_everybody(
    open_page, central, officer, platform, language, size, viewport
):
    StaffRole.objects.create(user_id=officer.pk, role="programme_officer", organization="")
    platform.add_learner(officer.pk, name="วิภา ใจซื่อ" if language == "th" else "Wipa Jaisue")
    award = ready_awards(1)[0]
    central.misbehave("refuse", times=1000)
    creditbank.deliver_due(limit=10)
    creditbank.replay_deliveries(
        actor=Actor.of(officer), delivery_ids=list(Delivery.objects.values_list("pk", flat=True))
    )
    creditbank.deliver_due(limit=10)
    now = clock.now()
    OutboxMessage.objects.create(
        topic="award.issued",
        learner_id=LEARNER,
        created=now,
        due=now,
        state="dead",
        attempts=8,
        last_error="creditbank: OperationalError",
    )
    pages = {
        "staff": "/microcred/staff/",
        "desk": DESK,
        "desk-all": f"{DESK}?show=all",
        "record": f"{DESK}records/{award.credit_record.uuid}/",
        "audit": "/microcred/staff/audit/",
        "messages": "/microcred/staff/messages/",
        "awards": "/microcred/staff/awards/",
        "award": f"/microcred/staff/awards/{award.uuid}/",
        "revoke": f"/microcred/staff/awards/{award.uuid}/?do=revoke",
        "runs": "/microcred/staff/awards/runs/?state=all",
    }
    page = open_page("/microcred/staff/", user=officer, language=language, viewport=viewport)
    for name, path in pages.items():
        page.goto(path)
        looked_at(page, f"{name}-{language}-{size}")
        assert page.evaluate("document.documentElement.lang") == language
