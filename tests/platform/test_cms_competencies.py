"""Competency tags in Studio: what authors do marks the course, and the published branch is what is read."""

from tests.platform.only import only_in

only_in("cms")

# ruff: noqa: E402 the platform is imported after it is known to be there
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from common.djangoapps.student.tests.factories import UserFactory
from django.db import connection
from django.test.utils import CaptureQueriesContext
from opaque_keys.edx.keys import CourseKey, UsageKey
from openedx.core.djangoapps.content_tagging import api as tagging
from openedx_events.content_authoring import signals as authoring
from organizations.models import Organization
from xmodule.contentstore.django import contentstore
from xmodule.modulestore import ModuleStoreEnum
from xmodule.modulestore.django import SignalHandler
from xmodule.modulestore.django import modulestore as open_modulestore
from xmodule.modulestore.tests.factories import BlockFactory, CourseFactory

from mooc_microcred.competencies import api
from mooc_microcred.competencies.models import ContentTag, CourseSync, Framework
from mooc_microcred.core import clock
from mooc_microcred.core.roles import Actor
from tests.competencies.frameworks import key, make_framework

pytestmark = pytest.mark.django_db(databases="__all__")

DEMO = Path(__file__).parents[3] / "shared" / "data" / "olx" / "open-edx-demo-course" / "course"
RUN = "course-v1:KMUTT+PY101+2026"
EVENTS = ("XBLOCK_PUBLISHED", "XBLOCK_DELETED", "XBLOCK_CREATED", "CONTENT_OBJECT_ASSOCIATIONS_CHANGED")


@pytest.fixture
def english(db):
    return make_framework()


@pytest.fixture
def author(modulestore):
    for name in EVENTS:
        getattr(authoring, name).enable()
    return UserFactory.create(is_staff=True)


@pytest.fixture
def course(author):
    """A course with a unit of a problem that is assessed, still a draft."""
    run = CourseKey.from_string(RUN)
    store = open_modulestore()
    with store.default_store(ModuleStoreEnum.Type.split):
        course = CourseFactory.create(org=run.org, number=run.course, run=run.run, user_id=author.id)
    chapter = BlockFactory.create(parent=course, category="chapter", user_id=author.id)
    subsection = BlockFactory.create(parent=chapter, category="sequential", user_id=author.id)
    unit = BlockFactory.create(
        parent=subsection, category="vertical", display_name="Quiz", user_id=author.id, publish_item=False
    )
    problem = BlockFactory.create(parent=unit, category="problem", user_id=author.id, publish_item=False)
    framework, item = key("EN-1.1")
    said = BlockFactory.create(
        parent=unit,
        category="microcred_competency",
        user_id=author.id,
        publish_item=False,
        competencies=[{"framework": framework, "item": item, "weight": 2}],
        relation="assesses",
        covers="unit",
    )
    CourseSync.objects.all().delete()
    return {"key": run, "unit": unit.location, "problem": problem.location, "said": said.location}


def due():
    """Let a minute pass and synchronise."""
    with clock.shifted(timedelta(minutes=3)):
        return api.sync_due()


def codes():
    return sorted(
        (tag.source, tag.relation, tag.competency.code) for tag in api.tags_of_course(course_key=RUN)
    )


def test_a_draft_says_nothing_and_a_publish_says_it(english, course, author):
    api.mark_course_dirty(course_key=RUN, reason="test", delay=0)
    due()
    assert codes() == []
    assert CourseSync.objects.get().due is None
    open_modulestore().publish(course["unit"], author.id)
    row = CourseSync.objects.get()
    assert row.due is not None
    assert row.published_at is not None
    report = due()
    assert (report.courses, report.added, report.stale) == (1, 1, 0)
    tag = ContentTag.objects.get()
    assert (tag.usage_key, tag.said_by, str(tag.weight)) == (
        str(course["unit"]),
        str(course["said"]),
        "2.000",
    )
    assert tag.pieces == [[str(course["problem"]), "problem"]]
    coverage = api.coverage_of_course(course_key=RUN)
    assert [(unit.name, unit.scored) for unit in coverage.units] == [("Quiz", 1)]


def test_the_event_names_the_root_only_and_the_whole_course_is_walked(english, course, author):
    store = open_modulestore()
    store.publish(course["unit"], author.id)
    due()
    block = store.get_item(course["said"])
    block.relation = "teaches"
    store.update_item(block, author.id)
    due()
    assert codes() == [("olx", "assesses", "EN-1.1")]
    store.publish(course["unit"], author.id)
    due()
    assert codes() == [("olx", "teaches", "EN-1.1")]


def test_what_is_deleted_is_no_longer_said(english, course, author):
    store = open_modulestore()
    store.publish(course["unit"], author.id)
    due()
    store.delete_item(course["said"], author.id)
    store.publish(course["unit"], author.id)
    due()
    assert codes() == []


def test_a_deleted_course_loses_its_tags(english, course, author):
    store = open_modulestore()
    store.publish(course["unit"], author.id)
    due()
    store.delete_course(course["key"], author.id)
    api.mark_course_dirty(course_key=RUN, reason="deleted", delay=0)
    assert due().deleted == 1
    assert codes() == []


def test_the_signal_of_the_module_store_marks_the_course(english, course):
    CourseSync.objects.all().delete()
    SignalHandler.course_deleted.enable()
    try:
        SignalHandler.course_deleted.send_robust(sender=None, course_key=course["key"])
    finally:
        SignalHandler.course_deleted.disable()
    assert CourseSync.objects.get().reason == "deleted"
    SignalHandler.course_published.send_robust(sender=None, course_key=course["key"])
    assert CourseSync.objects.get().reason == "published"


def test_a_library_marks_nothing(english, author):
    SignalHandler.course_published.send_robust(
        sender=None, course_key=CourseKey.from_string("library-v1:KMUTT+LIB")
    )
    assert not CourseSync.objects.exists()


def test_a_framework_becomes_a_taxonomy_whose_tags_the_drawer_owns(english, course, author):
    Organization.objects.create(name="KMUTT", short_name="KMUTT")
    officer = Actor(user_id=author.id, superuser=True)
    assert api.publish_taxonomy(actor=officer, framework=english.identifier) == 5
    export_id = Framework.objects.get().taxonomy
    taxonomy = tagging.get_taxonomies_for_org(True, "KMUTT").get(export_id=export_id)
    names = {tag.external_id: tag for tag in taxonomy.tag_set.all()}
    assert names[key("EN-1.1")[1]].parent.external_id == key("EN-1")[1]
    # Again, after a change: the same taxonomy and the same tags.
    english.items.filter(code="EN-2").update(statement_th="เขียนจดหมาย")
    api.publish_taxonomy(actor=officer, framework=english.identifier)
    assert taxonomy.tag_set.count() == 5
    assert "เขียนจดหมาย" in taxonomy.tag_set.get(external_id=key("EN-2")[1]).value
    open_modulestore().publish(course["unit"], author.id)
    due()
    CourseSync.objects.update(due=None)
    tagging.tag_object(str(course["problem"]), taxonomy, [names[key("EN-1.2")[1]].value])
    assert CourseSync.objects.get().reason == "tagged"
    due()
    assert codes() == [("olx", "assesses", "EN-1.1"), ("taxonomy", "assesses", "EN-1.2")]
    tagging.tag_object(str(course["problem"]), taxonomy, [])
    due()
    assert codes() == [("olx", "assesses", "EN-1.1")]


def test_other_news_of_an_object_is_none_of_ours(english, course, author):
    from openedx_events.content_authoring.data import ContentObjectChangedData

    CourseSync.objects.all().delete()
    authoring.CONTENT_OBJECT_ASSOCIATIONS_CHANGED.send_event(
        content_object=ContentObjectChangedData(object_id=str(course["problem"]), changes=["collections"])
    )
    assert not CourseSync.objects.exists()


def test_a_failure_of_ours_does_not_stop_a_publish(english, course, author, monkeypatch):
    monkeypatch.setattr(CourseSync._meta, "db_table", "mooc_microcred_not_migrated")
    open_modulestore().publish(course["unit"], author.id)
    assert open_modulestore().has_published_version(open_modulestore().get_item(course["unit"]))


def test_reading_a_course_costs_few_queries_whatever_its_size(english, course, author):
    store = open_modulestore()
    store.publish(course["unit"], author.id)
    port = api_port()
    with CaptureQueriesContext(connection) as few:
        small = port.read_course_structure(RUN, taxonomies=["x"])
    with store.bulk_operations(course["key"]):
        subsection = store.get_item(course["unit"]).parent
        for number in range(30):
            unit = BlockFactory.create(parent_location=subsection, category="vertical", user_id=author.id)
            BlockFactory.create(parent=unit, category="problem", user_id=author.id)
            BlockFactory.create(parent=unit, category="html", user_id=author.id, display_name=str(number))
    with CaptureQueriesContext(connection) as many:
        large = port.read_course_structure(RUN, taxonomies=["x"])
    assert len(large.blocks) == len(small.blocks) + 90
    assert len(many) <= len(few)
    assert large.version != small.version


@pytest.mark.skipif(not DEMO.is_dir(), reason="the OLX of the Open edX Demo Course is not here")
def test_the_demo_course_is_imported_tagged_walked_exported_and_imported_again(english, author, tmp_path):
    from xmodule.modulestore.xml_exporter import export_course_to_xml
    from xmodule.modulestore.xml_importer import import_course_from_xml

    store = open_modulestore()

    def imported(folder, name, run):
        key = CourseKey.from_string(run)
        with store.default_store(ModuleStoreEnum.Type.split):
            (course,) = import_course_from_xml(
                store, author.id, folder, [name], target_id=key, create_if_not_present=True,
                static_content_store=contentstore(), do_import_static=False,
            )  # fmt: skip
        return course.id

    first = imported(str(DEMO.parent), DEMO.name, "course-v1:KMUTT+DEMO+2026")
    outline = api_port().read_course_structure(str(first), taxonomies=[])
    kinds = Counter(block.kind for block in outline.blocks)
    assert (kinds["chapter"], kinds["sequential"], kinds["vertical"]) == (6, 17, 58)
    assert kinds["problem"] >= 29
    problem = next(block for block in outline.blocks if block.kind == "problem" and block.scored)
    framework, item = key("EN-1.1")
    BlockFactory.create(
        parent_location=UsageKey.from_string(problem.parent),
        category="microcred_competency",
        user_id=author.id,
        competencies=[{"framework": framework, "item": item, "weight": 3}],
        relation="assesses",
    )
    export_course_to_xml(store, contentstore(), first, str(tmp_path), "exported")
    second = imported(str(tmp_path), "exported", "course-v1:KMUTT+DEMO+2027")
    for run in (first, second):
        api.mark_course_dirty(course_key=str(run), reason="imported", delay=0)
    due()
    for run in (first, second):
        (tag,) = api.tags_of_course(course_key=str(run))
        assert (tag.competency.code, tag.relation, str(tag.weight)) == ("EN-1.1", "assesses", "3.000")
        assert len(api.coverage_of_course(course_key=str(run)).units) == 58
    pieces = [row.pieces[0][0].rsplit("@", 1)[1] for row in ContentTag.objects.order_by("course_key")]
    assert pieces[0] == pieces[1]


def api_port():
    from mooc_microcred.core.content import get_content

    return get_content()
