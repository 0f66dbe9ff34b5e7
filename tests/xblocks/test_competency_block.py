"""The block ``microcred_competency``: what it shows, keeps, refuses and warns of."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from django.utils import translation
from lxml import etree
from opaque_keys.edx.keys import CourseKey
from webob import Request
from xblock.completable import XBlockCompletionMode
from xblock.core import XBlock
from xblock.fields import ScopeIds
from xblock.test.tools import blocks_are_equivalent

from mooc_microcred.competencies.models import Mastery
from mooc_microcred.core import clock
from tests.xblocks.conftest import RUN, competency, entry, framework

pytestmark = pytest.mark.django_db
KIND = "microcred_competency"
LEARNER, AUTHOR = 11, 21


@pytest.fixture
def studio(authors):
    authors.add(AUTHOR, RUN)
    return authors


def submit(block, handler="submit_studio_edits", **data):
    request = Request.blank("/", method="POST", body=json.dumps(data).encode())
    return block.handle(handler, request)


def html(fragment):
    return fragment.body_html()


def test_learners_see_what_they_will_be_able_to_do_and_how_far_they_are(desk):
    skills = framework()
    loops, files = competency(skills, "PY-1"), competency(skills, "PY-2", domain="skills")
    Mastery.objects.create(
        learner_id=LEARNER,
        framework=skills.identifier,
        item=loops.identifier,
        status="Demonstrated",
        since=clock.now(),
        demonstrated_at=clock.now(),
    )
    block = desk(LEARNER).make(KIND, competencies=[entry(loops), entry(files)])
    page = html(block.render("student_view"))
    assert "can do PY-1" in page
    assert "can do PY-2" in page
    assert "1 of 2 shown" in page
    assert page.count("is-done") == 2  # the line and its badge
    assert "Not begun" in page


def test_another_learner_s_mastery_is_not_shown(desk):
    skills = framework()
    loops = competency(skills, "PY-1")
    Mastery.objects.create(
        learner_id=LEARNER + 1,
        framework=skills.identifier,
        item=loops.identifier,
        status="Demonstrated",
        since=clock.now(),
    )
    page = html(desk(LEARNER).make(KIND, competencies=[entry(loops)]).render("student_view"))
    assert "0 of 1 shown" in page


def test_visitors_see_the_list_and_nobody_s_standing(desk):
    block = desk().make(KIND, competencies=[entry(competency(framework(), "PY-1"))])
    page = html(block.render("public_view"))
    assert "can do PY-1" in page
    assert "microcred-standing" not in page


def test_thai_readers_read_thai(desk):
    block = desk(LEARNER).make(KIND, competencies=[entry(competency(framework(), "PY-1"))])
    with translation.override("th"):
        page = html(block.render("student_view"))
        author = html(block.render("author_view"))
    assert "ทำ PY-1 ได้" in page
    assert "ยังไม่เริ่ม" in page
    assert "สอน" in author
    assert "Not begun" not in page


def test_unknown_competencies_are_told_to_authors_and_kept(desk, studio):
    known = competency(framework(), "PY-1")
    stranger = {
        "framework": "11111111-1111-4111-8111-111111111111",
        "item": "22222222-2222-4222-8222-222222222222",
        "weight": 2.5,
        "note": "of another platform",
    }
    block = desk(AUTHOR).make(KIND, competencies=[stranger, entry(known)])
    author = html(block.render("author_view"))
    assert "unknown here" in author
    assert stranger["item"] in author
    # Learners cannot do anything about it.
    assert stranger["item"] not in html(block.render("student_view"))
    answer = submit(
        block,
        display_name="New title",
        relation="practises",
        covers="subsection",
        competencies=[{key: stranger[key] for key in ("framework", "item", "weight")}],
    )
    assert answer.status_int == 200, answer.body
    assert block.competencies == [stranger]
    assert (block.relation, block.covers, block.display_name) == ("practises", "subsection", "New title")


def test_entries_that_cannot_be_read_survive_saving(desk, studio):
    block = desk(AUTHOR).make(KIND, competencies=["??", {"framework": "only half"}])
    assert "cannot be read" in html(block.render("author_view"))
    submit(block, display_name="x", relation="teaches", covers="unit", competencies=[])
    assert block.competencies == ["??", {"framework": "only half"}]


def test_a_retired_competency_names_its_successor(desk):
    skills = framework()
    new = competency(skills, "PY-9", en="program in Python 4")
    old = competency(
        skills,
        "PY-1",
        retired_at=clock.now(),
        successor_framework=skills.identifier,
        successor_item=new.identifier,
    )
    page = html(desk(AUTHOR).make(KIND, competencies=[entry(old)]).render("author_view"))
    assert "PY-1 is retired; PY-9 program in Python 4 replaces it." in page


class Container(XBlock):
    has_children = True


class Scored(XBlock):
    has_score = True


@XBlock.register_temp_plugin(Container, "container")
@XBlock.register_temp_plugin(Scored, "scored")
@pytest.mark.parametrize(("covers", "warned"), [("unit", True), ("subsection", False)])
def test_an_assessing_unit_without_a_scored_problem_is_warned_of(desk, covers, warned):
    runtime = desk(AUTHOR)
    section = runtime.make("container", "section")
    unit = runtime.make("container", "unit", parent=section)
    other = runtime.make("container", "other", parent=section)
    runtime.make("scored", "problem", parent=other)
    block = runtime.make(KIND, relation="assesses", covers=covers, parent=unit)
    assert ("Nothing scored here" in html(block.render("author_view"))) is warned
    assert any("Nothing scored" in message.text for message in block.validate().messages) is warned
    runtime.make("scored", "problem2", parent=unit)
    assert "Nothing scored here" not in html(block.render("author_view"))


# --- who may save ---


@pytest.mark.parametrize("who", [LEARNER, None])
def test_a_learner_who_calls_the_author_s_handler_is_refused(desk, studio, who):
    block = desk(who).make(KIND)
    answer = submit(block, display_name="x", relation="assesses", covers="unit", competencies=[])
    assert answer.status_int == 403
    assert block.relation == "teaches"


def test_an_author_is_refused_in_the_lms(desk, studio):
    studio.studio = False
    block = desk(AUTHOR).make(KIND)
    answer = submit(block, display_name="x", relation="assesses", covers="unit", competencies=[])
    assert answer.status_int == 403
    assert block.relation == "teaches"


def test_nobody_saves_in_a_process_without_an_authoring_port(desk, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "AUTHORING": None}
    block = desk(AUTHOR).make(KIND)
    answer = submit(block, display_name="x", relation="assesses", covers="unit", competencies=[])
    assert answer.status_int == 403


def test_an_author_of_another_course_is_refused(desk, studio):
    block = desk(AUTHOR).make(KIND, context="course-v1:Other+X+1")
    answer = submit(block, display_name="x", relation="assesses", covers="unit", competencies=[])
    assert answer.status_int == 403


GOOD = {"display_name": "x", "relation": "teaches", "covers": "unit", "competencies": []}
UNKNOWN = {
    "framework": "1" * 8 + "-1111-4111-8111-" + "1" * 12,
    "item": "2" * 8 + "-2222-4222-8222-" + "2" * 12,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"relation": "sings"},
        {"relation": None},
        {"covers": "course"},
        {"display_name": 7},
        {"display_name": "x" * 256},
        {"competencies": "all"},
        {"competencies": [7]},
        {"competencies": [{"framework": "a", "item": "b"}]},
        {"competencies": [UNKNOWN]},
        {"competencies": [UNKNOWN] * 201},
    ],
)
def test_a_wrong_form_changes_nothing_and_says_what_is_wrong(desk, studio, wrong):
    block = desk(AUTHOR).make(KIND, display_name="before")
    answer = submit(block, **{**GOOD, **wrong})
    assert answer.status_int == 400
    assert answer.json["error"]
    assert block.display_name == "before"


@pytest.mark.parametrize("weight", [0, -1, 1001, "much", None, True, float("inf")])
def test_a_weight_is_a_positive_number(desk, studio, weight):
    one = competency(framework(), "PY-1")
    block = desk(AUTHOR).make(KIND)
    request = Request.blank(
        "/", method="POST", body=json.dumps({**GOOD, "competencies": [entry(one, weight)]}).encode()
    )
    assert block.handle("submit_studio_edits", request).status_int == 400


def test_a_competency_is_picked_once(desk, studio):
    one = competency(framework(), "PY-1")
    answer = submit(desk(AUTHOR).make(KIND), **{**GOOD, "competencies": [entry(one), entry(one, 2)]})
    assert answer.status_int == 400


def test_weights_are_kept_as_people_write_them(desk, studio):
    skills = framework()
    one, two = competency(skills, "PY-1"), competency(skills, "PY-2")
    block = desk(AUTHOR).make(KIND)
    submit(block, **{**GOOD, "competencies": [entry(one, 2.0), entry(two, 0.5)]})
    assert [item["weight"] for item in block.competencies] == [2, 0.5]


# --- OLX ---


def olx(block):
    node = etree.Element("x")
    block.add_xml_to_node(node)
    return etree.tostring(node, encoding="unicode")


def read(runtime, text, name="again"):
    usage = CourseKey.from_string(RUN).make_usage_key(KIND, name)
    kind = XBlock.load_class(KIND)
    return kind.parse_xml(etree.fromstring(text), runtime, ScopeIds(None, KIND, usage, usage))


def test_what_an_author_sets_travels_in_olx(desk):
    runtime = desk(AUTHOR)
    one = competency(framework(), "PY-1")
    block = runtime.make(
        KIND,
        competencies=[entry(one, 2.5, note="ก")],
        relation="assesses",
        covers="subsection",
        display_name="ชื่อ",
    )
    text = olx(block)
    assert "\n" not in text
    again = read(runtime, text)
    assert blocks_are_equivalent(block, again)
    assert again.competencies == [entry(one, 2.5, note="ก")]


def test_what_a_later_version_wrote_is_kept(desk):
    runtime = desk(AUTHOR)
    entries = (
        "[{&quot;framework&quot;: &quot;f&quot;, &quot;item&quot;: &quot;i&quot;, &quot;level&quot;: 3}]"
    )
    attributes = f'url_name="a" relation="teaches" stage="does" competencies="{entries}"'
    text = f'<{KIND} {attributes}><rubric id="7"><row/></rubric></{KIND}>'
    block = read(runtime, text)
    written = etree.fromstring(olx(block))
    assert written.get("stage") == "does"
    assert json.loads(written.get("competencies")) == [{"framework": "f", "item": "i", "level": 3}]
    assert etree.tostring(written.find("rubric")) == b'<rubric id="7"><row/></rubric>'
    assert blocks_are_equivalent(block, read(runtime, olx(block), "third"))


@pytest.mark.parametrize("broken", ["[{", "7", '"text"', "{}"])
def test_an_import_never_fails_on_a_broken_list(desk, broken):
    runtime = desk(AUTHOR)
    node = etree.Element(KIND, competencies=broken)
    block = read(runtime, etree.tostring(node))
    assert block.competencies == []
    assert "cannot be read" in html(block.render("author_view"))
    assert etree.fromstring(olx(block)).get("competencies") == broken


# --- what the platform asks of a block ---


def test_it_counts_for_neither_completion_nor_grade():
    kind = XBlock.load_class(KIND)
    assert kind.completion_mode == XBlockCompletionMode.EXCLUDED
    assert not kind.has_score


def test_it_needs_no_service_that_a_process_may_lack():
    kind = XBlock.load_class(KIND)
    needed = {name for name, how in kind._combined_services.items() if how == "need"}
    assert needed <= {"field-data"}


@pytest.mark.parametrize("view", ["student_view", "public_view", "author_view", "studio_view"])
def test_no_view_has_inline_scripts_or_styles(desk, view):
    block = desk(LEARNER).make(
        KIND, competencies=[entry(competency(framework(), "PY-1"))], relation="assesses"
    )
    fragment = block.render(view)
    tree = etree.parse(BytesIO(html(fragment).encode()), etree.HTMLParser(encoding="utf-8"))
    assert not tree.xpath("//script | //style")
    attributes = {name for node in tree.iter() for name in node.attrib}
    assert not {name for name in attributes if name.startswith("on") or name == "style"}
    assert all(resource.kind == "url" for resource in fragment.resources)


def test_names_from_a_framework_are_text_and_never_markup(desk):
    evil = competency(framework("<b>x</b>"), "<i>1</i>", en="<script>alert(1)</script>")
    block = desk(LEARNER).make(KIND, competencies=[entry(evil)], display_name="<u>t</u>")
    for view in ("student_view", "author_view", "studio_view"):
        page = html(block.render(view))
        assert "<script>" not in page
        assert "<i>1</i>" not in page
        assert "<u>t</u>" not in page


@pytest.mark.parametrize("view", ["student_view", "author_view", "studio_view"])
def test_it_renders_in_a_content_library(desk, view):
    one = competency(framework(), "PY-1")
    block = desk(AUTHOR).make(KIND, context="lib:KMUTT:py", competencies=[entry(one)])
    page = html(block.render(view))
    assert "content librar" in page.lower()
    if view == "student_view":
        assert "can do PY-1" in page
        assert "Not begun" not in page
    assert block.competencies == [entry(one)]


def test_the_apps_get_the_competencies_and_nothing_of_a_learner(desk):
    one = competency(framework(), "PY-1")
    data = desk(LEARNER).make(KIND, competencies=[entry(one, 2)]).student_view_data()
    assert json.loads(json.dumps(data)) == {
        "relation": "teaches",
        "covers": "unit",
        "competencies": [
            {
                "framework": one.framework.identifier,
                "item": one.identifier,
                "known": True,
                "code": "PY-1",
                "statement": {"th": "ทำ PY-1 ได้", "en": "can do PY-1"},
                "weight": 2.0,
            }
        ],
    }


def test_a_page_costs_the_same_however_many_competencies_it_names(desk, django_assert_max_num_queries):
    skills = framework()
    many = [entry(competency(skills, f"PY-{number}")) for number in range(60)]
    block = desk(LEARNER).make(KIND, competencies=many)
    with django_assert_max_num_queries(3):
        block.render("student_view")
