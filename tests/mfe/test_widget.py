"""The dashboard's widget in both shells, with what the API says of a learner's real journey."""

import re
from datetime import timedelta

import pytest

from mooc_microcred.core import clock
from mooc_microcred.core.roles import Actor
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.data import AdmissionRequest
from sandbox import lms
from sandbox.models import Unit, name_of
from sandbox.result_files import CENTRE, as_csv, buddhist
from tests.support.browser import DESKTOP, PHONE, accessibility_problems, overflow, photograph

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

SHELLS = ("legacy", "site")
API = re.compile(r"/api/mooc_microcred/v1/my/dashboard/\?lang=(th|en)$")
PANEL = "section.mcw--panel"


def learn(user, course, units=None):
    """Take some units of a course, or all of them with the self-test."""
    lms.enrol(user=user, course=course)
    readings = [unit for unit in course.units.all() if unit.kind == Unit.Kind.READING]
    for unit in readings[:units]:
        lms.complete_unit(user=user, unit=unit)
    if units is None:
        answers = {question.id: question.right for question in course.questions.all()}
        lms.answer_self_test(user=user, course=course, answers=answers)
        lms.complete_unit(user=user, unit=course.units.get(kind=Unit.Kind.SELF_TEST))


def sit(user, people, course):
    """Sit the exam of a course and pass it; the results are signed and released."""
    code = f"{course.organization}-{course.number}-exam".lower()
    officer, signatory = (Actor.of(people[name]) for name in ("officer", "signatory"))
    (admission,) = exams.admit_learners(
        actor=officer, exam_code=code, candidates=[AdmissionRequest(learner_id=user.pk)]
    )
    day = buddhist((clock.now() - timedelta(days=1)).date())
    row = (admission.number, name_of(user), 83, 100, day, CENTRE)
    batch = exams.upload_batch(
        actor=officer,
        exam_code=code,
        file_name="results.csv",
        content=as_csv([row], encoding="utf-8-sig"),
    )
    exams.sign_batch(actor=signatory, batch_uuid=batch.uuid)
    exams.release_batch(actor=officer, batch_uuid=batch.uuid)


@pytest.fixture
def learner(dashboards, people, sweep):
    """Return a learner with both levels of the first course, who is in the second one."""
    user = people["learner"]
    learn(user, dashboards["PY101"])
    sweep()
    sit(user, people, dashboards["PY101"])
    sweep()
    learn(user, dashboards["PY102"], units=2)
    sweep()
    return user


def asked_of(page):
    """Return the answers of our API that the page gets from now on."""
    asked = []
    page.on("request", lambda one: asked.append(one.url) if "/my/dashboard/" in one.url else None)
    return asked


def opened(open_page, shell, user, *, wait=f"{PANEL} .mcw__badges", **options):
    page = open_page(f"/learner-dashboard/{shell}/", user=user, **options)
    if wait:
        page.wait_for_selector(wait)
    return page


def until(page, expression):
    """Wait until an expression holds; the page's own policy forbids playwright's way of waiting."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


@pytest.mark.parametrize("shell", SHELLS)
def test_it_shows_the_journey_on_a_desktop_and_a_phone_in_both_languages(open_page, learner, shell):
    for size, viewport in {
        "desktop": DESKTOP,
        "phone": PHONE,
        "zoomed": {"width": 640, "height": 450},
    }.items():
        for language in ("th", "en"):
            page = opened(open_page, shell, learner, language=language, viewport=viewport)
            page.wait_for_selector(".mcw--card >> nth=1")
            for picture in page.locator(f"{PANEL} img").all():
                picture.scroll_into_view_if_needed()
            until(page, f"[...document.querySelectorAll('{PANEL} img')].every(one => one.naturalWidth > 0)")
            page.evaluate("scrollTo(0, 0)")
            photograph(page, f"widget-{shell}-{language}-{size}")
            assert page.complaints == []
            assert overflow(page) == 0
            assert accessibility_problems(page) == []
            _tells_the_journey(page, language)
            page.context.close()


def _tells_the_journey(page, language):
    states = page.eval_on_selector_all(".mcw__rung", "all => all.map(one => one.className.split('--')[1])")
    assert states == ["now", "open", "open", "open", "open"]
    panel, cards = page.inner_text(PANEL), page.locator(".mcw--card").all_inner_texts()
    assert len(cards) == 2
    if language == "th":
        assert re.search(r"ได้รับเมื่อ \d+ \S+ 25\d\d", panel)
        assert "ท่านอยู่ขั้นนี้ · 1 จาก 3" in panel
        assert "ยังไม่ถึง · 0 จาก 3 หน่วยกิต" in panel
        assert "รายวิชานี้นำไปสู่" in cards[0]
        assert cards[0].count("ได้รับแล้ว") == 2
    else:
        assert "you are here · 1 of 3" in panel
        assert "still to come · 0 of 3 credits" in panel
        assert "2 badges" in panel
        assert "Level 1: completion · Earned" in cards[0]
        assert "Level 2: achievement · Earned" in cards[0]
        assert cards[1].count("Not earned yet") == 2
    assert "PY102" in page.get_attribute(f"{PANEL} .mcw__step a", "href")


def test_it_is_worked_with_the_keyboard(open_page, learner):
    page = opened(open_page, "legacy", learner)
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        inside, text, outline = page.evaluate(
            "() => [!!document.activeElement.closest('.mcw--panel'), document.activeElement.textContent,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        if inside:
            seen.append(text)
            assert outline == "solid"
    assert seen[0] == "Continue the course"
    assert seen[-1] == "All my credentials"
    page.focus(f"{PANEL} .mcw__step a")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/courses/.*PY102"))


@pytest.mark.parametrize("shell", SHELLS)
def test_panel_and_cards_ask_once_and_are_not_shown_to_staff_who_masquerade(open_page, learner, shell):
    page = open_page("/login/", user=learner)
    asked = asked_of(page)
    page.goto(f"/learner-dashboard/{shell}/")
    page.wait_for_selector(".mcw--card >> nth=1")
    page.click("#leave")
    assert page.locator(".mcw").count() == 0
    page.click("#leave")
    page.wait_for_selector(".mcw--card >> nth=1")
    # Staff who look at somebody else's dashboard see nothing of their own.
    page.click("#masquerade")
    page.wait_for_selector(".mcw", state="detached")
    page.click("#masquerade")
    page.wait_for_selector(".mcw--card >> nth=1")
    assert len(asked) == 1


def test_who_has_nothing_yet_is_led_to_a_course(open_page, dashboards, people):
    page = opened(open_page, "legacy", people["learner"], viewport=PHONE, wait=f"{PANEL} .mcw__step")
    photograph(page, "widget-new")
    assert "Enrol in" in page.inner_text(PANEL)
    assert page.get_attribute(f"{PANEL} .mcw__step a", "href").endswith("/")
    assert accessibility_problems(page) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_without_a_thai_catalogue_holds_a_widget_that_is_thai_throughout(open_page, learner, shell):
    # Such a shell, and here its LMS, too, says English whatever the learner prefers.
    page = open_page("/login/", user=learner, language="en")
    address = page.evaluate("location.origin")
    page.context.add_cookies([{"name": "openedx-language-preference", "value": "th", "url": address}])
    asked = asked_of(page)
    page.goto(f"/learner-dashboard/{shell}/")
    page.wait_for_selector(f"{PANEL} .mcw__badges")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert [one.partition("?")[2] for one in asked] == ["lang=th"]
    panel = page.inner_text(f"{PANEL} .mcw__step")
    assert re.search("[ก-ฮ]", panel)
    assert not re.search("[A-Za-z]{3,}", panel.replace("PY102", ""))
    page.context.add_cookies([{"name": "openedx-language-preference", "value": "en", "url": address}])
    page.reload()
    page.get_by_role("link", name="Continue the course").wait_for()
    assert asked[-1].endswith("?lang=en")


class TestWhenItDoesNotComeOut:
    """What is shown while, and when, the answer does not come."""

    @pytest.fixture
    def broken(self, open_page, learner):
        """Return a function that opens the dashboard with a handler for the API, and the handler's switch."""

        def opening(handle, shell="legacy", language="en"):
            page = open_page("/login/", user=learner, language=language)
            page.route(API, handle)
            page.goto(f"/learner-dashboard/{shell}/")
            page.wait_for_selector("h1")
            return page

        return opening

    @pytest.mark.parametrize("language", ["th", "en"])
    def test_loading_failing_and_trying_again(self, broken, language):
        waiting = []
        page = broken(lambda route: waiting.append(route), language=language)
        status = page.locator(f"{PANEL} [role=status]")
        told = {"th": ("กำลังโหลด", "ไม่สำเร็จ", "ลองอีกครั้ง"), "en": ("being loaded", "could not", "Try again")}[
            language
        ]
        status.get_by_text(told[0]).wait_for()
        photograph(page, f"widget-loading-{language}")
        waiting.pop().fulfill(status=500, body="{}")
        status.get_by_text(told[1]).wait_for()
        photograph(page, f"widget-failed-{language}")
        assert accessibility_problems(page) == []
        assert page.locator(".mcw--card").count() == 0
        page.unroute(API)
        page.get_by_role("button", name=told[2]).press("Enter")
        page.wait_for_selector(f"{PANEL} .mcw__badges")
        assert status.inner_text() == ""

    def test_where_the_plugin_is_not_there_is_no_trace_of_it(self, broken):
        asked = []

        def refuse(status):
            def handle(route):
                asked.append(route.request.url)
                route.fulfill(status=status, body="")

            return handle

        for shell, status in (("legacy", 404), ("site", 404), ("legacy", 403), ("legacy", 401)):
            asked.clear()
            page = broken(refuse(status), shell=shell)
            page.wait_for_selector(".mcw", state="detached")
            page.click("#leave")
            page.click("#leave")
            page.wait_for_timeout(300)
            assert page.locator(".mcw").count() == 0
            assert len(asked) == 1
            page.context.close()

    def test_offline(self, broken):
        page = broken(lambda route: route.continue_())
        page.wait_for_selector(f"{PANEL} .mcw__badges")
        page.context.set_offline(True)
        status = page.locator(f"{PANEL} [role=status]")
        status.get_by_text("You are offline. This is how it was at").wait_for()
        photograph(page, "widget-offline")
        assert accessibility_problems(page, PANEL) == []
        assert page.locator(f"{PANEL} .mcw__badge").count() == 2
        page.context.set_offline(False)
        until(page, f"!document.querySelector('{PANEL} [role=status]').textContent")

    def test_offline_from_the_beginning_until_the_connection_is_back(self, broken):
        page = broken(lambda route: route.abort())
        page.get_by_text("could not be loaded").wait_for()
        page.context.set_offline(True)
        page.get_by_text("You are offline. Your micro-credentials will appear").wait_for()
        assert page.locator(f"{PANEL} button").count() == 0
        page.unroute(API)
        page.context.set_offline(False)
        page.wait_for_selector(f"{PANEL} .mcw__badges")


# Sizes and places follow what is in the page; everything else of the host stays as it is.
LOOK = """() => [...document.querySelectorAll('[data-host], html, body')].map(one => {
  const style = getComputedStyle(one);
  const found = {};
  for (const name of style) {
    const place = /(size|width|height|origin|^inset|^top$|^bottom$|^left$|^right$)/.test(name);
    if (!place || name === 'font-size') {
      found[name] = style[name];
    }
  }
  return [one.tagName, JSON.stringify(found)];
})"""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_host_looks_as_without_it(open_page, learner, shell):
    plain = open_page(f"/learner-dashboard/{shell}/?plain", user=learner)
    plain.wait_for_selector("h1")
    assert plain.locator(".mcw").count() == 0
    with_it = opened(open_page, shell, learner)
    before, after = plain.evaluate(LOOK), with_it.evaluate(LOOK)
    assert len(before) > 20
    assert before == after
