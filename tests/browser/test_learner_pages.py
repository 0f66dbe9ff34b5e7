"""A learner's badges and programmes in a real browser: from the first step to the shared badge."""

import pytest

from mooc_microcred.achievements.catalogue_file import load_catalogue, read_sample
from mooc_microcred.achievements.models import AchievementVersion
from mooc_microcred.core.pages.language import LANGUAGES
from sandbox import lms
from tests.credentials.issuing_world import issue_all
from tests.support.browser import DESKTOP, PHONE, accessibility_problems, overflow, photograph
from tests.support.factories import make_award, revoke, suspend

pytestmark = pytest.mark.django_db(transaction=True)

# A window of 1280 pixels at 200 percent.
ENLARGED = {"width": 640, "height": 450}


def award(user, code, **fields):
    return make_award(user.pk, AchievementVersion.objects.get(achievement__code=code), **fields)


@pytest.fixture
def learner(sandbox, people):
    """Return a learner amid two programmes, with badges of every state."""
    load_catalogue(read_sample("maritime-english").document, actor_id=None, activate=True)
    user = people["learner"]
    course = sandbox["PY101"]
    lms.enrol(user=user, course=course)
    award(user, "kmutt-py101-l1", course_key=course.course_key)
    award(user, "kmutt-py101-l2", course_key=course.course_key)
    for code in ("kmutt-bme101-l1", "kmutt-bme102-l1", "kmutt-bme103-l1", "kmutt-bme106-l1"):
        award(user, code)
    award(user, "kmutt-bme-foundation", course_key="")
    suspend(award(user, "kmutt-bme104-l1"))
    revoke(award(user, "kmutt-bme105-l1"), reason="certificate_invalidated")
    issue_all()
    return user


def checked(page, name, *, language=""):
    photograph(page, name)
    assert page.complaints == [], name
    assert overflow(page) == 0, name
    assert accessibility_problems(page) == [], name
    if language:
        assert page.get_attribute("html", "lang") == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_badges_and_programmes_can_be_read_on_every_window(open_page, learner, language):
    pages = {
        "badges": "/microcred/",
        "badges-revoked": "/microcred/?state=revoked",
        "badges-none": "/microcred/?text=zzz",
        "programmes": "/microcred/programmes/",
        "programme-python": "/microcred/programmes/kmutt-python/",
        "programme-maritime": "/microcred/programmes/kmutt-basic-maritime-english/",
    }
    for size, viewport in {"desktop": DESKTOP, "phone": PHONE, "enlarged": ENLARGED}.items():
        for name, path in pages.items():
            page = open_page(path, user=learner, language=language, viewport=viewport, scripts=True)
            checked(page, f"{name}-{language}-{size}", language=language)
            page.context.close()


def test_who_has_nothing_is_told_how_it_begins(open_page, sandbox, people):
    for language in LANGUAGES:
        page = open_page("/microcred/", user=people["learner"], language=language, viewport=PHONE)
        checked(page, f"badges-empty-{language}-phone")
        assert page.locator(".mc-button--main").count() == 1
        assert page.locator(".mc-badge").count() == 0


def test_a_badge_is_found_and_shared_by_keyboard_without_scripts(open_page, learner):
    page = open_page("/microcred/", user=learner, language="en", viewport=PHONE, scripts=False)

    def to(selector):
        for _step in range(60):
            page.keyboard.press("Tab")
            if page.locator(":focus").and_(page.locator(selector)).count():
                return
        raise AssertionError(f"{selector} is not reached")

    to("#mc-f-text")
    page.keyboard.type("python")
    page.keyboard.press("Enter")
    page.wait_for_url("**text=python**")
    assert page.locator(".mc-badge").count() == 2
    assert "2 badges found" in page.inner_text(".mc-count")
    to(".mc-badge-do a >> nth=0")
    page.keyboard.press("Enter")
    page.wait_for_url("**#mc-share")
    assert "This credential is valid." in page.inner_text("main")
    assert page.locator("text=LinkedIn").is_visible()
    page.click("text=Choose who sees it")
    assert "Who sees this credential" in page.inner_text("h1")
    page.click("text=My badges")
    page.wait_for_url("**/microcred/")
    page.click("nav >> text=Programmes")
    page.click("text=Basic Maritime English")
    assert page.locator("svg.mc-tree--tall").is_visible()
    assert "any 2 of these 3" in page.inner_text(".mc-parts")
    assert page.complaints == []
