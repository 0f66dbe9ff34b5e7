"""The blocks in a real Studio: its own handler saves, its own pages draw, its own export carries them."""

from tests.platform.only import only_in

only_in("cms")

# ruff: noqa: E402 the platform is imported after it is known to be there
import json
from datetime import timedelta

import pytest
from common.djangoapps.student.roles import CourseStaffRole
from common.djangoapps.student.tests.factories import UserFactory
from django.test import Client
from django.urls import reverse
from lxml import etree
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.safe_sessions.testing import safe_cookie_test_session_patch
from openedx.core.lib.xblock_pipeline.finder import XBlockPipelineFinder
from xmodule.contentstore.django import contentstore
from xmodule.modulestore import ModuleStoreEnum
from xmodule.modulestore.django import modulestore as open_modulestore
from xmodule.modulestore.tests.factories import BlockFactory, CourseFactory
from xmodule.modulestore.xml_exporter import export_course_to_xml
from xmodule.modulestore.xml_importer import import_course_from_xml

from mooc_microcred.competencies import api
from mooc_microcred.core import clock
from tests.competencies.frameworks import key, make_framework

pytestmark = pytest.mark.django_db(databases="__all__")

RUN = "course-v1:KMUTT+PY101+2026"
AGAIN = "course-v1:KMUTT+PY101+2027"
STRANGER = {
    "framework": "11111111-1111-4111-8111-111111111111",
    "item": "22222222-2222-4222-8222-222222222222",
    "weight": 2,
    "note": "kept",
}


@pytest.fixture
def english(db):
    return make_framework()


@pytest.fixture
def course(modulestore):
    """A published course with a unit that has our two blocks and a problem."""
    run = CourseKey.from_string(RUN)
    with open_modulestore().default_store(ModuleStoreEnum.Type.split):
        top = CourseFactory.create(org=run.org, number=run.course, run=run.run)
    chapter = BlockFactory.create(parent=top, category="chapter")
    subsection = BlockFactory.create(parent=chapter, category="sequential")
    unit = BlockFactory.create(parent=subsection, category="vertical", display_name="Quiz")
    BlockFactory.create(parent=unit, category="problem")
    said = BlockFactory.create(parent=unit, category="microcred_competency")
    ladder = BlockFactory.create(parent=unit, category="microcred_progress")
    return {"key": run, "unit": unit.location, "said": said.location, "ladder": ladder.location}


def signed_in(**fields) -> Client:
    safe_cookie_test_session_patch()
    user = UserFactory.create(**fields)
    client = Client()
    assert client.login(username=user.username, password=UserFactory._DEFAULT_PASSWORD)
    client.user = user
    return client


@pytest.fixture
def author(course):
    client = signed_in()
    CourseStaffRole(course["key"]).add_users(client.user)
    return client


def form(**fields):
    return {"display_name": "Skills", "relation": "assesses", "covers": "unit", "competencies": [], **fields}


def picked(*codes):
    return [dict(zip(("framework", "item"), key(code), strict=True)) | {"weight": 1} for code in codes]


def submit(client, location, data):
    address = reverse(
        "component_handler",
        kwargs={"usage_key_string": str(location), "handler": "submit_studio_edits", "suffix": ""},
    )
    return client.post(address, json.dumps(data), content_type="application/json")


def stored(location):
    return open_modulestore().get_item(location)


def test_an_author_saves_by_studio_s_own_handler_publishes_and_the_tags_follow(english, course, author):
    answer = submit(author, course["said"], form(competencies=picked("EN-1.1")))
    assert answer.status_code == 200, answer.content
    block = stored(course["said"])
    assert (block.display_name, block.relation) == ("Skills", "assesses")
    assert block.competencies == picked("EN-1.1")
    open_modulestore().publish(course["unit"], author.user.id)
    with clock.shifted(timedelta(minutes=3)):
        api.mark_course_dirty(course_key=RUN, reason="published", delay=0)
        api.sync_due()
    assert [(tag.relation, tag.competency.code) for tag in api.tags_of_course(course_key=RUN)] == [
        ("assesses", "EN-1.1")
    ]


@pytest.mark.parametrize("block", ["said", "ladder"])
def test_somebody_who_is_not_an_author_of_the_course_is_refused(english, course, block):
    stranger = signed_in()
    CourseStaffRole(CourseKey.from_string("course-v1:KMUTT+Other+1")).add_users(stranger.user)
    before = stored(course[block]).display_name
    data = form() if block == "said" else {"display_name": "x", "show_worth": False}
    assert submit(stranger, course[block], data).status_code == 403
    assert stored(course[block]).display_name == before


@pytest.mark.parametrize("block", ["said", "ladder"])
@pytest.mark.parametrize("view", ["studio_view", "author_view"])
def test_studio_draws_every_view(english, course, author, block, view):
    submit(author, course["said"], form(competencies=[*picked("EN-1.1")]))
    address = reverse(
        "xblock_view_handler", kwargs={"usage_key_string": str(course[block]), "view_name": view}
    )
    answer = author.get(address, HTTP_ACCEPT="application/json")
    assert answer.status_code == 200
    page = answer.json()
    assert "microcred" in page["html"]
    assert "html_error" not in page["html"]
    links = [resource["data"] for _hash, resource in page["resources"] if resource["kind"] == "url"]
    ours = [link for link in links if "mooc" in link or "microcred" in link]
    assert ours
    # What collectstatic takes from the packages of blocks.
    collected = {f"{storage.prefix}/{path}" for path, storage in XBlockPipelineFinder().list([])}
    assert {link.split("/static/", 1)[1].removeprefix("studio/") for link in ours} <= collected


def test_a_thai_author_s_studio_speaks_thai(english, course, author):
    author.cookies["openedx-language-preference"] = "th"
    address = reverse(
        "xblock_view_handler", kwargs={"usage_key_string": str(course["said"]), "view_name": "studio_view"}
    )
    from django.utils import translation

    with translation.override("th"):
        answer = author.get(address, HTTP_ACCEPT="application/json", HTTP_ACCEPT_LANGUAGE="th")
    assert "ค้นหาสมรรถนะ" in answer.json()["html"]


def test_the_pages_that_the_authoring_app_frames_have_the_blocks(english, course, author):
    for address in (f"/container_embed/{course['unit']}", f"/xblock/{course['said']}/action/edit"):
        answer = author.get(address)
        assert answer.status_code == 200, address
    outside = signed_in()
    assert outside.get(f"/container_embed/{course['unit']}").status_code in (302, 403)


def test_the_picker_s_endpoints_are_for_authors_of_the_course(english, course, author):
    address = reverse("mooc_microcred:authoring-competencies")
    answer = author.get(address, {"context": RUN, "text": "EN-1"})
    assert answer.status_code == 200
    assert "EN-1.1" in [one["code"] for one in answer.json()["results"]]
    assert author.get(address, {"context": "course-v1:KMUTT+Other+1"}).status_code == 403
    assert signed_in().get(address, {"context": RUN}).status_code == 403
    assert Client().get(address, {"context": RUN}).status_code == 401


def test_the_competency_map_is_for_authors_of_the_course(english, course, author):
    submit(author, course["said"], form(competencies=picked("EN-1.1")))
    open_modulestore().publish(course["unit"], author.user.id)
    api.mark_course_dirty(course_key=RUN, reason="published", delay=0)
    with clock.shifted(timedelta(minutes=3)):
        api.sync_due()
    address = reverse("mooc_microcred:competency-map", args=[RUN])
    answer = author.get(address)
    assert answer.status_code == 200
    assert "EN-1.1" in answer.content.decode()
    assert author.get(reverse("mooc_microcred:competency-map-csv", args=[RUN])).content.startswith(
        b"\xef\xbb\xbf"
    )
    assert signed_in().get(address).status_code == 403


def test_export_and_import_carry_what_authors_set_and_what_is_not_known_here(
    english, course, author, tmp_path
):
    submit(author, course["said"], form(competencies=picked("EN-1.1"), covers="subsection"))
    store = open_modulestore()
    block = stored(course["said"])
    block.competencies = [*block.competencies, STRANGER]
    block.olx_extras = {"stage": "does"}
    store.update_item(block, author.user.id)
    store.publish(course["unit"], author.user.id)
    export_course_to_xml(store, contentstore(), course["key"], str(tmp_path), "olx")
    written = (
        etree.parse(str(next((tmp_path / "olx" / "microcred_competency").glob("*.xml")))).getroot()
        if (tmp_path / "olx" / "microcred_competency").exists()
        else next(
            etree.parse(str(file)).getroot().find("microcred_competency")
            for file in (tmp_path / "olx" / "vertical").glob("*.xml")
        )
    )
    assert written.get("stage") == "does"
    assert json.loads(written.get("competencies"))[1] == STRANGER
    again = CourseKey.from_string(AGAIN)
    import_course_from_xml(
        store,
        author.user.id,
        str(tmp_path),
        ["olx"],
        static_content_store=contentstore(),
        target_id=again,
        create_if_not_present=True,
    )
    copy = stored(again.make_usage_key("microcred_competency", course["said"].block_id))
    assert copy.competencies == [*picked("EN-1.1"), STRANGER]
    assert (copy.relation, copy.covers, copy.olx_extras) == ("assesses", "subsection", {"stage": "does"})


def test_a_content_library_draws_and_keeps_the_block(english, course, settings):
    from openedx.core.djangoapps.content_libraries import api as libraries
    from openedx.core.djangoapps.xblock.api import load_block
    from organizations.models import Organization

    settings.LIBRARY_ENABLED_BLOCKS = [
        *getattr(settings, "LIBRARY_ENABLED_BLOCKS", ()),
        "microcred_competency",
    ]
    boss = UserFactory.create(is_staff=True)
    Organization.objects.get_or_create(short_name="KMUTT", defaults={"name": "KMUTT"})
    library = libraries.create_library(
        org=Organization.objects.get(short_name="KMUTT"), slug="py", title="Python"
    )
    made = libraries.create_library_block(library.key, "microcred_competency", "said", boss.id)
    entries = json.dumps([*picked("EN-1.1"), STRANGER])
    node = etree.Element("microcred_competency", relation="practises", stage="does", competencies=entries)
    libraries.set_library_block_olx(made.usage_key, etree.tostring(node, encoding="unicode"))
    block = load_block(made.usage_key, boss)
    assert block.competencies == [*picked("EN-1.1"), STRANGER]
    assert block.olx_extras == {"stage": "does"}
    page = block.render("student_view").body_html()
    assert "EN-1.1" in page
    assert "content library" in block.render("author_view").body_html()
    assert block.relation == "practises"


def test_in_a_content_library_its_authors_save_and_others_are_refused(english, course, settings):
    from openedx.core.djangoapps.content_libraries import api as libraries
    from openedx.core.djangoapps.xblock.api import get_handler_url, load_block
    from organizations.models import Organization

    settings.LIBRARY_ENABLED_BLOCKS = ["microcred_competency"]
    boss, stranger = signed_in(is_staff=True), signed_in()
    Organization.objects.get_or_create(short_name="KMUTT", defaults={"name": "KMUTT"})
    library = libraries.create_library(
        org=Organization.objects.get(short_name="KMUTT"), slug="py", title="Python"
    )
    made = libraries.create_library_block(library.key, "microcred_competency", "said", boss.user.id)
    data = json.dumps(form(competencies=picked("EN-1.1")))
    address = get_handler_url(made.usage_key, "submit_studio_edits", stranger.user)
    assert stranger.post(address, data, content_type="application/json").status_code in (403, 404)
    assert load_block(made.usage_key, boss.user).competencies == []
    address = get_handler_url(made.usage_key, "submit_studio_edits", boss.user)
    answer = boss.post(address, data, content_type="application/json")
    assert answer.status_code == 200, answer.content
    block = load_block(made.usage_key, boss.user)
    assert block.competencies == picked("EN-1.1")
    assert block.relation == "assesses"
