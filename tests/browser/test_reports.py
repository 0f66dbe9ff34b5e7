"""The programme office's page in a real browser: read, filtered and taken away as a file."""

from __future__ import annotations

import re

import pytest

from tests.reporting.conftest import bank, count, person, populate
from tests.support.browser import DESKTOP, PHONE, accessibility_problems, overflow, photograph

__all__ = ["bank", "count", "person", "populate"]

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/microcred/staff/reports/"
ZOOMED = {"width": 640, "height": 450}


@pytest.fixture
def counted(populate, count):
    """Return the lives of learners who have been counted."""
    lives = populate(400)
    count()
    return lives


def pictures_that_are_there(page):
    """Return how many pictures the browser has drawn, of how many."""
    page.evaluate("document.querySelectorAll('main img').forEach(one => one.loading = 'eager')")
    page.wait_for_load_state("networkidle")
    return page.evaluate(
        "[...document.querySelectorAll('main img')].map(one => one.naturalWidth > 300 && one.alt.length > 20)"
    )


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize(("size", "viewport"), [("desktop", DESKTOP), ("phone", PHONE), ("zoom", ZOOMED)])
def test_the_page_is_read_by_everybody_of_the_office(open_page, counted, person, language, size, viewport):
    page = open_page(PAGE, user=person("programme_officer"), language=language, viewport=viewport)
    drawn = pictures_that_are_there(page)
    assert drawn == [True] * 5
    photograph(page, f"reports-{language}-{size}")
    assert overflow(page) == 0
    assert accessibility_problems(page) == []
    assert page.get_by_text("วิชา PY101" if language == "th" else "Course PY101").count() >= 2
    assert page.complaints == []


def test_an_officer_finds_by_keyboard_where_learners_of_a_course_stop_and_takes_the_figures_along(
    open_page, counted, person
):
    page = open_page(PAGE, user=person("programme_officer", "KMUTT"))
    assert page.get_by_text("Course SEA").count() == 0
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "mc-of":
            break
    page.keyboard.type("Course PY102")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.type") != "submit":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("of=course%3Apy102-l1"))
    mine = [one for one in counted if one.course == "py102"]
    row = page.get_by_role("row", name=re.compile("^Enrolled"))
    assert row.get_by_role("cell").first.inner_text() == str(len(mine))
    assert page.locator(".mc-stop").inner_text().startswith(tuple("0123456789"))
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download as CSV").click()
    content = taken.value.path().read_text("utf-8-sig")
    assert "py102-l1" in content
    assert "py101-l1" not in content
    page.get_by_role("link", name="Without filters").click()
    page.get_by_role("heading", name="Where learners stop").wait_for()
    page.get_by_role("link", name="Course PY101").first.click()
    page.wait_for_url(re.compile("of=course%3Apy101-l1"))
    page.wait_for_load_state("networkidle")
    assert page.complaints == []


def test_an_auditor_reads_without_scripts_and_learns_of_no_small_group(open_page, counted, person):
    page = open_page(PAGE, user=person("auditor"), scripts=False, viewport=PHONE)
    page.get_by_text("rounded down to multiples of 5").wait_for()
    numbers = page.locator(".mc-number").all_inner_texts()
    told = {one.strip() for one in numbers if re.fullmatch(r"[\d,]+", one.strip())}
    assert told
    assert all(int(one.replace(",", "")) % 5 == 0 for one in told)
    assert page.locator("main img").count() == 5
    page.wait_for_load_state("networkidle")


def test_the_page_is_printed_with_its_pictures_and_without_its_form(open_page, counted, person, tmp_path):
    page = open_page(PAGE, user=person("programme_officer"))
    assert all(pictures_that_are_there(page))
    page.emulate_media(media="print")
    assert not page.locator(".mc-filters").is_visible()
    assert page.locator(".mc-plot img").first.is_visible()
    page.pdf(path=str(tmp_path / "reports.pdf"), format="A4")
    assert (tmp_path / "reports.pdf").stat().st_size > 20_000
