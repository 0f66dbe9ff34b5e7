"""Public pages in a real browser: on a desktop and a phone, in Thai and English, without scripts."""

import json

import pytest
from django.contrib.auth import get_user_model

from mooc_microcred.achievements.catalogue_file import load_catalogue, read_sample
from mooc_microcred.achievements.models import AchievementVersion
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials.visibility import share_credential
from tests.credentials.issuing_world import credential_of, issue_all
from tests.support.browser import DESKTOP, PHONE, accessibility_problems, overflow, photograph
from tests.support.factories import make_award, revoke, suspend

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "ว่าที่ร้อยตรีหญิง ดร.ปิ่นอนงค์ลักษณ์ เจริญศรีสุวรรณภูมิพัฒน์"


@pytest.fixture
def learner(platform):
    user = get_user_model().objects.create_user("pin", password=None)
    platform.add_learner(user.pk, name=NAME, username="pin", email="pin@example.ac.th")
    return user


@pytest.fixture
def held(learner):
    """Return a credential of the sample catalogue, public and with a long name."""
    load_catalogue(read_sample("python-series").document, actor_id=None, activate=True)
    version = AchievementVersion.objects.get(achievement__code="kmutt-py101-l2")
    exam = {"kind": "exam", "key": "kmutt-py101-exam", "met": True, "have": "83", "need": "60"}
    award = make_award(learner.pk, version, evidence={"measures": [exam], "references": []})
    issue_all()
    share_credential(
        learner_id=learner.pk,
        credential_uuid=credential_of(award).uuid,
        visibility="public",
        name_choice="verified",
    )
    return credential_of(award)


def path_of(credential, name=""):
    return f"/microcred/credentials/{credential.uuid}{name}"


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize(("size", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_every_public_page_can_be_read_by_everybody(open_page, held, learner, language, size, viewport):
    pages = {
        "credential": path_of(held),
        "achievement": "/microcred/achievements/kmutt-py101-l2/1",
        "issuer": "/microcred/issuers/kmutt",
        "verify": "/microcred/verify",
        "sharing": path_of(held, "/sharing"),
    }
    for name, path in pages.items():
        page = open_page(path, user=learner, language=language, viewport=viewport)
        photograph(page, f"{name}-{language}-{size}")
        assert page.evaluate("document.documentElement.lang") == language
        assert page.complaints == [], name
        assert overflow(page) == 0, name
        assert accessibility_problems(page) == [], name


def test_it_can_be_read_without_scripts_and_the_language_switched(open_page, held):
    page = open_page(path_of(held), language="th", scripts=False)
    assert NAME in page.inner_text("main")
    page.click("nav >> text=English")
    assert "This credential is valid." in page.inner_text("main")
    assert "Python Programming Fundamentals" in page.inner_text("h1")
    assert page.get_attribute("html", "lang") == "en"


@pytest.mark.parametrize(
    ("change", "says"), [(suspend, "suspended for the time being"), (revoke, "has been revoked")]
)
def test_bad_news_is_seen_first(open_page, held, change, says):
    change(held.award)
    page = open_page(path_of(held), language="en", viewport=PHONE)
    photograph(page, f"bad-news-{change.__name__}")
    assert page.complaints == []
    box = page.locator("[role=status]").bounding_box()
    assert box["y"] + box["height"] < PHONE["height"]
    assert says in page.inner_text("[role=status]")
    assert accessibility_problems(page) == []


def test_a_document_is_verified_by_pasting_it(open_page, held):
    page = open_page("/microcred/verify", language="en", viewport=PHONE, scripts=False)
    page.fill("textarea", credentials.signed_bytes(uuid=held.uuid).decode())
    page.fill("input[type=email]", "pin@example.ac.th")
    page.click("button[type=submit]")
    assert "This credential is valid." in page.inner_text("main")
    changed = credentials.signed_document(uuid=held.uuid)
    changed["name"] = "Something else"
    page.fill("textarea", json.dumps(changed))
    page.click("button[type=submit]")
    assert "do not rely on it" in page.inner_text("main")
    photograph(page, "verify-changed")


def test_the_learner_hides_a_credential_by_keyboard(open_page, held, learner):
    page = open_page(path_of(held, "/sharing"), user=learner, language="en")
    page.focus("#mc-v-public")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.is_checked("#mc-v-private")
    page.press("#mc-v-private", "Enter")
    page.wait_for_selector("text=Saved.")
    photograph(page, "sharing-saved")
    stranger = open_page(path_of(held), language="en")
    assert "There is no such credential here" in stranger.inner_text("main")
