"""The blocks in a real browser: authors pick, learners work, the ladder moves."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mooc_microcred.achievements import api as achievements
from mooc_microcred.competencies import api as competencies
from mooc_microcred.competencies.models import Competency
from sandbox import lms
from sandbox.models import Unit
from sandbox.studio.content import publish
from sandbox.studio.models import Block
from tests.support.browser import DESKTOP, PHONE, accessibility_problems, overflow, photograph
from tests.xblocks.conftest import competency, entry

SHAPES = [(DESKTOP, "desktop"), (PHONE, "phone")]
LANGUAGES = ["en", "th"]


def vertical(course, name="unit1"):
    return str(course.key.make_usage_key("vertical", name))


def add_block(course, kind="microcred_competency", *, unit="unit1", **fields):
    """Put a block into a unit and publish it."""
    key = str(course.key.make_usage_key(kind, f"{unit}-{kind}"))
    row = Block.objects.create(
        course=course, usage_key=key, kind=kind, parent=vertical(course, unit), position=15, fields=fields
    )
    publish(course)
    return row


def some(skills, *codes):
    return [entry(Competency.objects.get(framework=skills, code=code)) for code in codes]


def sound(page, name):
    """Check what holds of every page, and take its picture."""
    photograph(page, name)
    assert accessibility_problems(page) == []
    assert overflow(page) <= 0
    assert page.complaints == []


def pages(sandbox, people, skills):
    """Return (name, path, user) of each view of each block."""
    course = sandbox["PY101"]
    unknown = "11111111-1111-4111-8111-11111111111"
    stranger = {"framework": f"{unknown}1", "item": f"{unknown}2"}
    block = add_block(
        course, competencies=[*some(skills, "PY-1", "PY-2"), {**stranger, "weight": 2}], relation="assesses"
    )
    ladder = str(course.key.make_usage_key("microcred_progress", "ladder"))
    lms.enrol(user=people["learner"], course=course)
    for unit in course.units.filter(position__in=(1, 2)):
        lms.complete_unit(user=people["learner"], unit=unit)
    return {
        "learner": (reverse("sandbox:unit", args=[course.course_key, 1]), people["learner"]),
        "author": (reverse("sandbox:studio_unit", args=[vertical(course)]), people["author"]),
        "competency-editor": (reverse("sandbox:studio_edit", args=[block.usage_key]), people["author"]),
        "progress-editor": (reverse("sandbox:studio_edit", args=[ladder]), people["author"]),
    }


@pytest.mark.parametrize("view", ["learner", "author", "competency-editor", "progress-editor"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("viewport", "shape"), SHAPES)
def test_every_view_is_accessible_narrow_and_wide_in_both_languages(
    open_page, sandbox, people, skills, view, language, viewport, shape
):
    path, user = pages(sandbox, people, skills)[view]
    page = open_page(path, user=user, language=language, viewport=viewport)
    page.wait_for_selector(".microcred")
    if view == "competency-editor":
        page.wait_for_selector("[role=treeitem]")
        assert page.locator(".microcred-chosen li").count() == 3
    wanted = {"en": "What you show here", "th": "สิ่งที่ท่านแสดงให้เห็นที่นี่"}[language]
    if view == "learner":
        assert page.get_by_text(wanted).count() == 1
        units = {"en": "2 of 9 units", "th": "2"}[language]
        assert units in page.locator(".microcred-measures").first.inner_text()
    sound(page, f"{view}-{language}-{shape}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_author_picks_by_keyboard_alone_and_it_is_saved(open_page, sandbox, people, skills, language):
    course = sandbox["PY101"]
    row = add_block(course)
    page = open_page(
        reverse("sandbox:studio_edit", args=[row.usage_key]), user=people["author"], language=language
    )
    page.wait_for_selector("[role=treeitem]")
    assert page.locator("[role=treeitem]").count() == 2
    page.locator(".microcred-search").focus()
    keys = page.keyboard
    # From the field into the tree, open the first group, go to its second competency, pick it.
    keys.press("ArrowDown")
    keys.press("ArrowRight")
    page.wait_for_selector("[role=treeitem][aria-level='2']")
    keys.press("ArrowRight")
    keys.press("ArrowDown")
    keys.press("Space")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("PY-2")
    assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    assert "PY-2" in page.locator(".microcred-status").inner_text()
    # Back to the group, close it, and on to the other one.
    keys.press("ArrowLeft")
    keys.press("ArrowLeft")
    assert page.locator("[role=treeitem][aria-level='1']").first.get_attribute("aria-expanded") == "false"
    keys.press("End")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("DA")
    # Search, pick the only hit.
    keys.press("Home")
    keys.press("ArrowUp")
    keys.type("DA-3")
    page.locator("[role=treeitem]").nth(1).wait_for(state="detached")
    keys.press("ArrowDown")
    keys.press("Enter")
    assert page.locator(".microcred-chosen li").count() == 2
    # On by tab: weight of the first, its removal, weight of the second.
    for _ in range(3):
        keys.press("Tab")
    keys.press("Control+A")
    keys.type("2.5")
    page.locator("input[value=assesses]").focus()
    keys.press("Space")
    sound(page, f"picked-{language}")
    page.locator(".microcred-save").focus()
    keys.press("Enter")
    page.wait_for_url("**/studio/units/**")
    row.refresh_from_db()
    codes = dict(Competency.objects.values_list("identifier", "code"))
    weights = {codes[one["item"]]: one["weight"] for one in row.fields["competencies"]}
    assert weights == {"PY-2": 1, "DA-3": 2.5}
    assert row.fields["relation"] == "assesses"
    assert page.complaints == []


def test_removing_by_keyboard_keeps_the_focus_at_hand(open_page, sandbox, people, skills):
    row = add_block(sandbox["PY101"], competencies=some(skills, "PY-1", "PY-2"))
    page = open_page(reverse("sandbox:studio_edit", args=[row.usage_key]), user=people["author"])
    page.wait_for_selector("[role=treeitem]")
    page.locator(".microcred-remove").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "microcred-remove"
    page.keyboard.press("Enter")
    assert page.locator(".microcred-chosen li").count() == 0
    assert page.evaluate("document.activeElement.className") == "microcred-subtitle"


def test_a_framework_of_2000_items_comes_page_by_page(open_page, sandbox, people, skills):
    for number in range(120):
        competency(skills, f"ZZ-{number:04}")
    row = add_block(sandbox["PY101"])
    page = open_page(reverse("sandbox:studio_edit", args=[row.usage_key]), user=people["author"])
    page.wait_for_selector(".microcred-more")
    assert page.locator("[role=treeitem]").count() == 51
    page.locator("[role=treeitem]").first.focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.locator("[role=treeitem]").nth(100).wait_for()
    # The focus stands on the first of the new ones.
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("ZZ-")
    assert page.locator("[role=treeitem][tabindex='0']").count() == 1


def test_a_refused_saving_says_why_and_loses_nothing(open_page, sandbox, people, skills):
    row = add_block(sandbox["PY101"], competencies=some(skills, "PY-1"))
    page = open_page(reverse("sandbox:studio_edit", args=[row.usage_key]), user=people["author"])
    page.wait_for_selector("[role=treeitem]")
    page.locator(".microcred-weight input").fill("-3")
    page.locator(".microcred-save").click()
    page.wait_for_selector(".microcred-error:not([hidden])")
    assert "A weight is a number above 0" in page.locator(".microcred-error").inner_text()
    assert page.locator(".microcred-weight input").input_value() == "-3"
    assert page.locator(".microcred-save").is_enabled()


def test_a_learner_cannot_call_the_author_s_handler(sandbox, people, client, skills):
    course = sandbox["PY101"]
    row = add_block(course)
    lms.enrol(user=people["learner"], course=course)
    body = {"display_name": "mine", "relation": "assesses", "covers": "unit", "competencies": []}
    tries = [("learner", "xblock_handler"), ("learner", "studio_handler"), ("author", "xblock_handler")]
    for who, page in tries:
        if who == "author":
            lms.enrol(user=people["author"], course=course)
        client.force_login(people[who])
        address = reverse(f"sandbox:{page}", args=[row.usage_key, "submit_studio_edits"])
        answer = client.post(address, body, content_type="application/json")
        assert answer.status_code == 403, (who, page)
    row.refresh_from_db()
    assert row.fields == {}


def test_author_picks_learner_works_the_ladder_moves(open_page, sandbox, people, skills, sweep):
    course = sandbox["PY101"]
    learner = people["learner"]
    row = add_block(course, unit="selftest", competencies=some(skills, "PY-1"), relation="assesses")
    sweep()
    assert [tag.relation for tag in competencies.tags_of_course(course_key=course.course_key)] == ["assesses"]
    page = open_page(reverse("sandbox:course", args=[course.course_key]), user=learner)
    page.get_by_role("button", name="Enrol").click()
    page.goto(reverse("sandbox:unit", args=[course.course_key, 1]))
    assert page.locator(".microcred-rung.is-now .microcred-rung-kind").inner_text() == "Level 1: completion"
    assert "0 of 9 units" in page.locator(".microcred-rung.is-now").inner_text()
    page.get_by_role("button", name="I have read this, go on").click()
    page.goto(reverse("sandbox:unit", args=[course.course_key, 1]))
    assert "1 of 9 units" in page.locator(".microcred-rung.is-now").inner_text()
    page.goto(reverse("sandbox:self_test", args=[course.course_key]))
    assert "Not begun" in page.locator(".microcred-item").inner_text()
    # The learner answers everything rightly.
    for question in course.questions.all():
        page.locator(f"input[name=question{question.position}][value='{question.right}']").check()
    page.get_by_role("button", name="Hand in").click()
    page.wait_for_load_state()
    sweep()
    page.goto(reverse("sandbox:self_test", args=[course.course_key]))
    assert "Shown" in page.locator(".microcred-item .microcred-badge").inner_text()
    photograph(page, "mastery-shown")
    page.goto(reverse("sandbox:unit", args=[course.course_key, 1]))
    assert page.locator(".microcred-rung.is-done").count() == 1
    assert page.locator(".microcred-rung.is-now .microcred-rung-kind").inner_text() == "Standard exam"
    assert "exam" in page.locator(".microcred-next").inner_text().lower()
    photograph(page, "ladder-moved")
    assert achievements.list_awards(learner_id=learner.id)
    assert row.kind == "microcred_competency"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("viewport", "shape"), SHAPES)
def test_the_competency_map_is_readable_for_everybody(
    open_page, sandbox, people, skills, sweep, language, viewport, shape
):
    course = sandbox["PY101"]
    add_block(course, unit="unit1", competencies=some(skills, "PY-1"), relation="assesses")
    add_block(course, unit="unit2", competencies=some(skills, "PY-1", "PY-2"), relation="teaches")
    add_block(course, unit="unit3", competencies=some(skills, "PY-2"), relation="practises")
    sweep()
    path = reverse("mooc_microcred:competency-map", args=[course.course_key])
    page = open_page(path, user=people["author"], language=language, viewport=viewport)
    assert page.locator(".gaps li").count() >= 3
    assert page.locator(".matrix tbody tr").count() >= Unit.objects.filter(course=course).count()
    sound(page, f"map-{language}-{shape}")


def test_the_ladder_and_the_list_need_no_script(open_page, sandbox, people, skills):
    course = sandbox["PY101"]
    lms.enrol(user=people["learner"], course=course)
    add_block(course, competencies=some(skills, "PY-1"))
    path = reverse("sandbox:unit", args=[course.course_key, 1])
    page = open_page(path, user=people["learner"], scripts=False)
    assert page.locator(".microcred-rung").count() >= 4
    assert page.locator(".microcred-item").count() == 1
