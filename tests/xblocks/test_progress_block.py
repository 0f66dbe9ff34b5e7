"""The block ``microcred_progress``: the ladder, in numbers, and the one next step."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from django.utils import translation
from lxml import etree
from opaque_keys.edx.keys import CourseKey
from webob import Request
from xblock.completable import XBlockCompletionMode
from xblock.core import XBlock
from xblock.fields import ScopeIds
from xblock.test.tools import blocks_are_equivalent

from mooc_microcred.dashboard import api as dashboard
from tests.support import definitions
from tests.xblocks.conftest import RUN

pytestmark = pytest.mark.django_db
KIND = "microcred_progress"
LEARNER, AUTHOR = 31, 41
RULE = {"all": [{"completion": {"minimum": 100}}, {"course_grade": {"minimum": 70}}]}


@pytest.fixture
def course(platform):
    """A course that leads to a Level 1, an exam, a Level 2 and a programme."""
    platform.add_course(RUN)
    definitions.level1("py-l1", mode="own", rule=RULE, accepted_by=[{"en": "Siam Bank", "th": "ธนาคารสยาม"}])
    definitions.level2("py-l2", needs="py-l1", exam="py-exam")
    definitions.programme("py-all", {"all": [{"achievement": "py-l2"}]})
    return platform


def enrolled(platform, *, completed=2, total=8, grade=61):
    platform.add_learner(LEARNER)
    platform.enrol(LEARNER, RUN)
    platform.complete(LEARNER, RUN, completed, total)
    platform.grade(LEARNER, RUN, grade, passed=False)


def html(fragment):
    return fragment.body_html()


def test_the_learner_sees_what_is_missing_in_numbers_and_one_next_step(desk, course):
    enrolled(course)
    page = html(desk(LEARNER).make(KIND).render("student_view"))
    assert "2 of 8 units" in page
    assert "grade 61 of 70" in page
    assert page.count("Your next step") == 1
    assert page.count('aria-current="step"') == 1
    assert "Continue the course: 2 of 8 units are done." in page


def test_the_rungs_stand_in_the_order_of_the_way(course):
    enrolled(course)
    ladder = dashboard.read_course_ladder(course_key=RUN, learner_id=LEARNER)
    kinds = [one.kind for one in ladder.rungs]
    assert kinds[:4] == ["level1", "exam", "level2", "programme"]
    assert [one.state for one in ladder.rungs][:2] == ["now", "open"]
    assert ladder.rungs[3].needs[0].text == "0 of 1 parts"


def test_a_mirrored_level_1_tells_units_and_grade_too(desk, platform):
    platform.add_course(RUN)
    definitions.level1("py-l1")
    enrolled(platform)
    ladder = dashboard.read_course_ladder(course_key=RUN, learner_id=LEARNER)
    assert [need.text for need in ladder.rungs[0].needs] == ["2 of 8 units", "grade 61 percent, not passed"]


def test_visitors_see_the_way_and_what_it_is_worth(desk, course):
    page = html(desk().make(KIND).render("public_view"))
    assert "English py-l1" in page
    assert "Siam Bank" in page
    assert "45 hours" in page
    assert "can do" in page
    assert "Your next step" not in page
    assert "You are here" not in page


def test_the_platform_being_away_leaves_the_way_and_says_so(desk, course):
    enrolled(course)
    course.away = True
    page = html(desk(LEARNER).make(KIND).render("student_view"))
    assert "cannot be read just now" in page
    assert "English py-l1" in page


def test_a_course_that_leads_nowhere_says_so(desk, platform):
    platform.add_course(RUN)
    assert "does not lead to" in html(desk(LEARNER).make(KIND).render("student_view"))
    assert "programme officer" in html(desk(AUTHOR).make(KIND).render("author_view"))


def test_thai_readers_read_thai(desk, course):
    enrolled(course)
    with translation.override("th"):
        page = html(desk(LEARNER).make(KIND).render("student_view"))
    assert "ขั้นต่อไปของท่าน" in page
    assert "ไทย py-l1" in page
    assert "ธนาคารสยาม" in page


def test_authors_choose_the_title_and_whether_the_worth_is_shown(desk, course, authors):
    authors.add(AUTHOR, RUN)
    block = desk(AUTHOR).make(KIND)
    request = Request.blank(
        "/", method="POST", body=json.dumps({"display_name": "Go", "show_worth": False}).encode()
    )
    assert block.handle("submit_studio_edits", request).status_int == 200
    page = html(block.render("public_view"))
    assert ">Go<" in page
    assert "Siam Bank" not in page


@pytest.mark.parametrize("who", [LEARNER, None])
def test_a_learner_who_calls_the_author_s_handler_is_refused(desk, course, authors, who):
    authors.add(AUTHOR, RUN)
    block = desk(who).make(KIND)
    request = Request.blank(
        "/", method="POST", body=json.dumps({"display_name": "Go", "show_worth": False}).encode()
    )
    assert block.handle("submit_studio_edits", request).status_int == 403
    assert block.show_worth


def test_it_travels_in_olx_and_keeps_what_it_does_not_know(desk):
    runtime = desk(AUTHOR)
    block = runtime.make(KIND, display_name="ทาง", show_worth=False, olx_extras={"colour": "red"})
    node = etree.Element("x")
    block.add_xml_to_node(node)
    assert node.get("colour") == "red"
    usage = CourseKey.from_string(RUN).make_usage_key(KIND, "again")
    again = type(block).parse_xml(
        etree.fromstring(etree.tostring(node)), runtime, ScopeIds(None, KIND, usage, usage)
    )
    assert blocks_are_equivalent(block, again)


@pytest.mark.parametrize("view", ["author_view", "student_view"])
def test_it_renders_in_a_content_library(desk, view):
    page = html(desk(AUTHOR).make(KIND, context="lib:KMUTT:py").render(view))
    assert "content library" in page
    assert "does not lead to" not in page


def test_the_apps_get_the_way_and_nothing_of_a_learner(desk, course):
    enrolled(course)
    data = json.loads(json.dumps(desk(LEARNER).make(KIND).student_view_data()))
    assert [one["kind"] for one in data["rungs"]][:4] == ["level1", "exam", "level2", "programme"]
    assert "61" not in json.dumps(data)


def test_it_counts_for_neither_completion_nor_grade():
    kind = XBlock.load_class(KIND)
    assert kind.completion_mode == XBlockCompletionMode.EXCLUDED
    assert not kind.has_score


def test_the_ladder_costs_a_bounded_number_of_queries(course, django_assert_max_num_queries):
    enrolled(course)
    dashboard.read_course_ladder(course_key=RUN, learner_id=LEARNER)
    with django_assert_max_num_queries(16):
        dashboard.read_course_ladder(course_key=RUN, learner_id=LEARNER)


def test_credits_are_the_last_rung_and_it_says_where_no_bank_takes_them(course, settings):
    enrolled(course)
    ladder = dashboard.read_course_ladder(course_key=RUN, learner_id=LEARNER)
    assert ladder.rungs[-1].kind == "credit"
    assert "No credit bank is connected" in ladder.rungs[-1].note
    assert [one.worth.credits for one in ladder.worths] == [Decimal(3)] * len(ladder.worths)
    visitor = dashboard.read_course_ladder(course_key=RUN)
    assert [one.kind for one in visitor.rungs] == [one.kind for one in ladder.rungs]


@pytest.mark.parametrize(
    ("completed", "grade", "passed", "action", "said", "button"),
    [
        (2, 61, False, "study", "2 of 8 units are done", "Continue the course"),
        (8, 61, False, "raise_grade", "Pass the course", "Improve your grade"),
        (2, 90, True, "wait_for_certificate", "You have passed the course", ""),
    ],
)
def test_before_a_certificate_the_step_is_what_is_really_missing(
    desk, platform, completed, grade, passed, action, said, button
):
    platform.add_course(RUN)
    definitions.level1("py-l1")
    platform.add_learner(LEARNER)
    platform.enrol(LEARNER, RUN)
    platform.complete(LEARNER, RUN, completed, 8)
    platform.grade(LEARNER, RUN, grade, passed=passed)
    ladder = dashboard.read_course_ladder(course_key=RUN, learner_id=LEARNER)
    assert ladder.step.action == action
    page = html(desk(LEARNER).make(KIND).render("student_view"))
    assert said in page
    assert button in page
    assert ("microcred-button" in page) is bool(button)


def test_before_an_exam_the_button_leads_to_the_learners_exams(desk, course):
    enrolled(course)
    step = dashboard.read_course_ladder(course_key=RUN, learner_id=LEARNER).step
    block = desk(LEARNER).make(KIND)
    here = replace(step, action="take_exam", url="/courses/py/")
    assert block._button(here) == {"url": "/microcred/exams/", "text": "About the exam"}
    told = replace(here, worth=replace(step.worth, further_information="https://example.org/exam"))
    assert block._button(told)["url"] == "https://example.org/exam"
