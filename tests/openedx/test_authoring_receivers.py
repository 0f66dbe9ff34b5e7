"""What authors do in Studio, as real events: the course is marked, once, and nothing is read at once."""

from datetime import timedelta

import pytest
from opaque_keys.edx.keys import CourseKey, UsageKey
from openedx_events.content_authoring import signals
from openedx_events.content_authoring.data import ContentObjectChangedData, CourseData, XBlockData

from mooc_microcred.competencies.models import CourseSync
from mooc_microcred.core import clock
from mooc_microcred_openedx import authoring_receivers
from mooc_microcred_openedx.guards import failures

pytestmark = pytest.mark.django_db

RUN = "course-v1:KMUTT+PY101+2026"
UNIT = "block-v1:KMUTT+PY101+2026+type@vertical+block@u1"


def block(text=UNIT, kind="vertical"):
    return XBlockData(usage_key=UsageKey.from_string(text), block_type=kind)


def test_a_publish_marks_the_course_with_its_instant(content):
    before = clock.now()
    signals.XBLOCK_PUBLISHED.send_event(xblock_info=block())
    row = CourseSync.objects.get()
    assert (row.course_key, row.reason) == (RUN, "published")
    assert before <= row.published_at <= clock.now()
    assert content.reads == []


@pytest.mark.parametrize(
    ("send", "reason"),
    [
        (lambda: signals.XBLOCK_DELETED.send_event(xblock_info=block()), "deleted"),
        (
            lambda: signals.COURSE_IMPORT_COMPLETED.send_event(
                course=CourseData(course_key=CourseKey.from_string(RUN))
            ),
            "imported",
        ),
        (
            lambda: signals.CONTENT_OBJECT_ASSOCIATIONS_CHANGED.send_event(
                content_object=ContentObjectChangedData(object_id=UNIT, changes=["tags"])
            ),
            "tagged",
        ),
        (
            lambda: signals.CONTENT_OBJECT_ASSOCIATIONS_CHANGED.send_event(
                content_object=ContentObjectChangedData(object_id=RUN, changes=[])
            ),
            "tagged",
        ),
        (lambda: authoring_receivers.content_published(course_key=CourseKey.from_string(RUN)), "published"),
        (lambda: authoring_receivers.course_deleted(course_key=CourseKey.from_string(RUN)), "deleted"),
        (
            lambda: authoring_receivers.content_rerun_completed(
                course=CourseData(course_key=CourseKey.from_string(RUN))
            ),
            "rerun",
        ),
    ],
)
def test_whatever_changes_a_course_marks_it(send, reason):
    send()
    row = CourseSync.objects.get()
    assert (row.course_key, row.reason) == (RUN, reason)
    assert row.due is not None


def test_a_branch_in_the_key_is_none_of_the_course(db):
    key = CourseKey.from_string(RUN).for_branch("draft-branch")
    authoring_receivers.content_published(course_key=key)
    assert CourseSync.objects.get().course_key == RUN


@pytest.mark.parametrize("object_id", ["lb:KMUTT:LIB:problem:x", "lib:KMUTT:LIB", "nonsense", ""])
def test_what_is_no_course_marks_nothing(object_id):
    authoring_receivers.object_tagged(
        content_object=ContentObjectChangedData(object_id=object_id, changes=["tags"])
    )
    assert not CourseSync.objects.exists()


def test_other_changes_of_an_object_mark_nothing():
    authoring_receivers.object_tagged(
        content_object=ContentObjectChangedData(object_id=UNIT, changes=["collections", "units"])
    )
    assert not CourseSync.objects.exists()


def test_the_publishing_of_a_thousand_blocks_is_one_row_and_few_queries(django_assert_max_num_queries):
    signals.XBLOCK_PUBLISHED.send_event(xblock_info=block())
    due = CourseSync.objects.get().due
    with clock.shifted(timedelta(seconds=1)), django_assert_max_num_queries(3 * 100):
        for number in range(100):
            signals.XBLOCK_PUBLISHED.send_event(xblock_info=block(f"{UNIT}{number}"))
    row = CourseSync.objects.get()
    # Later events do not put it off.
    assert row.due == due


def test_a_failure_of_ours_is_not_the_authors(monkeypatch):
    monkeypatch.setattr(CourseSync._meta, "db_table", "mooc_microcred_not_migrated")
    before = failures["block_published"]
    signals.XBLOCK_PUBLISHED.send_event(xblock_info=block())
    assert failures["block_published"] == before + 1
    monkeypatch.undo()
    assert not CourseSync.objects.exists()
