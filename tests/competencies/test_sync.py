import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.competencies import api, sync
from mooc_microcred.competencies.models import ContentTag, CourseSync, Framework, Mastery
from mooc_microcred.core import clock
from mooc_microcred.core.errors import WrongState
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.core.roles import Actor
from mooc_microcred.core.texts import Text
from tests.competencies.frameworks import identifier, key, make_framework
from tests.support.memory_content import Course

pytestmark = pytest.mark.django_db(transaction=True)


def small_course(key_text="course-v1:KMUTT+PY101+2026"):
    course = Course(key_text)
    section = course.section("s1")
    lesson = course.subsection("lesson", section)
    unit = course.unit("u1", lesson)
    course.html("text", unit)
    course.says("teach", unit, "teaches", key("EN-1.1"))
    quiz = course.unit("u2", lesson)
    course.problem("p1", quiz)
    course.problem("p2", quiz)
    course.says("assess", quiz, "assesses", key("EN-1.1"), key("EN-1.2"), weight=2)
    return course


def dirty(course, **kwargs):
    api.mark_course_dirty(course_key=course.key, reason="published", delay=0, **kwargs)


def synced(course, content, **kwargs):
    content.publish(course)
    dirty(course, **kwargs)
    return api.sync_due()


def test_blocks_say_what_their_unit_does(english, content):
    course = small_course()
    report = synced(course, content)
    assert (report.courses, report.added, report.stale, report.failed) == (1, 3, 0, 0)
    tags = api.tags_of_course(course_key=course.key)
    assert [(tag.relation, tag.competency.code, str(tag.weight)) for tag in tags] == [
        ("teaches", "EN-1.1", "1.000"),
        ("assesses", "EN-1.1", "2.000"),
        ("assesses", "EN-1.2", "2.000"),
    ]
    assert tags[1].usage_key == course.usage_key("vertical", "u2")
    row = ContentTag.objects.filter(relation="assesses").first()
    assert row.pieces == [
        [course.usage_key("problem", "p1"), "problem"],
        [course.usage_key("problem", "p2"), "problem"],
    ]


def test_a_subsection_is_assessed_by_its_own_grade(english, content):
    course = small_course()
    unit = course.usage_key("vertical", "u1")
    course.says("whole", unit, "assesses", key("EN-2"), covers="subsection")
    synced(course, content)
    row = ContentTag.objects.get(item=key("EN-2")[1])
    lesson = course.usage_key("sequential", "lesson")
    assert (row.usage_key, row.unit, row.pieces) == (lesson, "", [[lesson, "sequential"]])


def test_unknown_competencies_are_kept_and_known_once_their_framework_is_there(content):
    course = small_course()
    synced(course, content)
    assert [tag.competency for tag in api.tags_of_course(course_key=course.key)] == [None] * 3
    make_framework()
    assert [tag.competency.code for tag in api.tags_of_course(course_key=course.key)][0] == "EN-1.1"


@pytest.mark.parametrize(
    "named",
    [None, "EN-1", 7, {"framework": 1}, {"framework": key("EN")[0]}, {"framework": "x" * 300, "item": "y"}],
)
def test_what_an_import_has_spoilt_costs_only_itself(english, content, named):
    course = small_course()
    broken = course.blocks[-1]
    course.blocks[-1] = type(broken)(
        broken.usage_key, broken.kind, broken.parent, competencies=[named, broken.competencies[0]]
    )
    report = synced(course, content)
    assert (report.failed, report.added) == (0, 2)


@pytest.mark.parametrize("weight", ["NaN", "-1", 0, None, "heavy", 10**9, [], True])
def test_a_weight_that_is_none_counts_one(english, content, weight):
    course = Course()
    unit = course.unit("u", course.subsection("l", course.section("s")))
    course.says("x", unit, "teaches", key("EN-1"), weight=weight)
    synced(course, content)
    assert ContentTag.objects.get().weight == 1


def test_the_drawer_owns_its_tags_and_the_blocks_theirs(english, content):
    Framework.objects.update(taxonomy="kmutt-english")
    course = small_course()
    problem, unit = course.usage_key("problem", "p1"), course.usage_key("vertical", "u1")
    course.tag(problem, "kmutt-english", key("EN-2")[1])
    course.tag(unit, "kmutt-english", key("EN-1.1")[1].upper())
    course.tag(unit, "colours", "blue")
    synced(course, content)
    found = {
        (tag.source, tag.relation, tag.competency.code) for tag in api.tags_of_course(course_key=course.key)
    }
    assert found == {
        ("olx", "teaches", "EN-1.1"),
        ("olx", "assesses", "EN-1.1"),
        ("olx", "assesses", "EN-1.2"),
        ("taxonomy", "assesses", "EN-2"),
        ("taxonomy", "teaches", "EN-1.1"),
    }
    course.tags = []
    synced(course, content)
    assert {tag.source for tag in api.tags_of_course(course_key=course.key)} == {"olx"}


def test_a_taxonomy_that_the_platform_had_first_is_used_and_not_published_into(english, content):
    boss = Actor(user_id=1, superuser=True)
    tags = {"tags": [{"id": "listening", "value": "Listening"}]}
    framework = identifier("theirs")
    shown = api.preview_import(
        actor=boss,
        content=json.dumps(tags).encode(),
        framework=framework,
        organization="KMUTT",
        title=Text(en="Theirs"),
    )
    api.commit_import(actor=boss, token=shown.token, publish=True)
    api.link_taxonomy(actor=boss, framework=framework, taxonomy="cbe-1")
    course = small_course()
    course.tag(course.usage_key("problem", "p1"), "cbe-1", "listening")
    synced(course, content)
    assert "listening" in [tag.competency.code for tag in api.tags_of_course(course_key=course.key)]
    with pytest.raises(WrongState):
        api.publish_taxonomy(actor=boss, framework=framework)
    with pytest.raises(WrongState):
        api.link_taxonomy(actor=boss, framework=english.identifier, taxonomy="cbe-1")


def test_what_is_no_longer_said_goes_and_what_changed_changes(english, content):
    course = small_course()
    synced(course, content)
    before = {tag.pk for tag in ContentTag.objects.filter(item=key("EN-1.2")[1])}
    course.blocks = [one for one in course.blocks if one.name != "teach"]
    course.problem("p3", course.usage_key("vertical", "u2"))
    report = synced(course, content)
    assert (report.added, report.changed, report.removed) == (0, 2, 1)
    assert {tag.pk for tag in ContentTag.objects.filter(item=key("EN-1.2")[1])} == before
    assert len(ContentTag.objects.get(item=key("EN-1.2")[1]).pieces) == 3


def test_a_second_reading_writes_no_tag(english, content):
    course = small_course()
    synced(course, content)
    dirty(course)
    report = api.sync_due()
    assert (report.courses, report.added, report.changed, report.removed) == (1, 0, 0, 0)
    assert api.sync_due().claimed == 0


def test_a_deleted_course_loses_its_tags_and_nobody_their_mastery(english, content):
    course = small_course()
    synced(course, content)
    framework, item = key("EN-1.1")
    Mastery.objects.create(
        learner_id=7, framework=framework, item=item, status="Demonstrated", since=clock.now()
    )
    content.delete(course.key)
    dirty(course)
    assert api.sync_due().deleted == 1
    assert not ContentTag.objects.exists()
    assert Mastery.objects.count() == 1
    assert api.coverage_of_course(course_key=course.key).units == []


def test_a_rerun_has_tags_of_its_own_by_the_same_identifiers(english, content):
    synced(small_course(), content)
    rerun = small_course("course-v1:KMUTT+PY101+2027")
    synced(rerun, content)
    runs = ContentTag.objects.filter(item=key("EN-1.2")[1]).values_list("course_key", flat=True)
    assert sorted(runs) == ["course-v1:KMUTT+PY101+2026", "course-v1:KMUTT+PY101+2027"]


def test_a_storm_of_events_costs_one_reading(english, content):
    course = small_course()
    content.publish(course)
    for _ in range(50):
        api.mark_course_dirty(course_key=course.key, reason="published", published_at=clock.now())
    with clock.shifted(timedelta(seconds=sync.DEBOUNCE + 1)):
        api.sync_due()
        api.sync_due()
    assert content.reads == [course.key]
    assert CourseSync.objects.count() == 1


def test_what_comes_while_a_course_is_read_is_read_too(english, content):
    course = small_course()
    content.publish(course)
    dirty(course)

    def meanwhile(_course_key):
        content.during = None
        course.says("more", course.usage_key("vertical", "u1"), "practises", key("EN-2"))
        content.publish(course)
        dirty(course)

    content.during = meanwhile
    api.sync_due()
    assert not ContentTag.objects.filter(relation="practises").exists()
    with clock.shifted(timedelta(seconds=1)):
        api.sync_due()
    assert ContentTag.objects.filter(relation="practises").exists()
    assert CourseSync.objects.get().due is None


def test_what_was_read_too_early_is_read_again(english, content):
    course = small_course()
    synced(course, content)
    # The event comes before the platform has committed what it published.
    dirty(course, published_at=clock.now())
    assert api.sync_due().stale == 1
    course.says("more", course.usage_key("vertical", "u1"), "practises", key("EN-2"))
    content.publish(course)
    assert api.sync_due().claimed == 0
    with clock.shifted(timedelta(seconds=sync.STALE_WAITS[0] + 1)):
        assert api.sync_due().courses == 1
    assert ContentTag.objects.filter(relation="practises").exists()
    row = CourseSync.objects.get()
    assert (row.due, row.published_at, row.attempts) == (None, None, 0)


def test_a_first_reading_that_is_older_than_the_publishing_is_repeated_and_then_believed(english, content):
    course = small_course()
    content.publish(course, at=clock.now() - timedelta(minutes=10))
    dirty(course, published_at=clock.now())
    offset = timedelta()
    for wait in sync.STALE_WAITS:
        with clock.shifted(offset):
            assert api.sync_due().stale == 1
        offset += timedelta(seconds=wait + 1)
    with clock.shifted(offset):
        assert api.sync_due().courses == 1
    assert CourseSync.objects.get().due is None
    assert ContentTag.objects.count() == 3


def test_a_course_that_cannot_be_read_holds_up_no_other_and_loses_nothing(english, content):
    first, second = small_course(), small_course("course-v1:KMUTT+PY102+2026")
    synced(first, content)
    content.broken.add(first.key)
    content.publish(second)
    dirty(first)
    dirty(second)
    report = api.sync_due()
    assert (report.failed, report.courses) == (1, 1)
    assert ContentTag.objects.filter(course_key=first.key).count() == 3
    row = CourseSync.objects.get(course_key=first.key)
    assert row.due > clock.now()
    assert row.last_error.startswith("KeyError")
    assert row.claim == ""
    content.broken.clear()
    with clock.shifted(timedelta(hours=2)):
        assert api.sync_due().courses == 1
    assert api.count_dirty() == (0, 0)


def test_a_new_publishing_does_not_wait_for_the_end_of_a_backoff(english, content):
    course = small_course()
    content.away = True
    dirty(course)
    api.sync_due()
    CourseSync.objects.update(due=clock.now() + timedelta(hours=1))
    content.away = False
    content.publish(course)
    dirty(course)
    assert api.sync_due().courses == 1


def test_a_worker_whose_lease_ran_out_writes_nothing(english, content):
    course = small_course()
    content.publish(course)
    dirty(course)

    def another_worker(_course_key):
        content.during = None
        with clock.shifted(timedelta(hours=1)):
            assert api.sync_due().added == 3
        ContentTag.objects.filter(relation="teaches").delete()

    content.during = another_worker
    report = api.sync_due()
    assert report.claimed == 0
    assert ContentTag.objects.count() == 2


def test_only_what_assesses_makes_learners_be_judged_anew(english, content):
    course = small_course()
    synced(course, content)
    assert OutboxMessage.objects.filter(topic=api.TAGS_CHANGED).count() == 1
    course.says("more", course.usage_key("vertical", "u1"), "practises", key("EN-2"))
    synced(course, content)
    assert OutboxMessage.objects.filter(topic=api.TAGS_CHANGED).count() == 1


def test_courses_that_were_there_before_us_and_lost_events_are_found_once_a_day(english, content):
    known, lost = small_course(), small_course("course-v1:KMUTT+PY102+2026")
    synced(known, content)
    content.publish(lost)
    assert api.recheck_courses() == 1
    assert api.recheck_courses() == 0
    api.sync_due()
    assert ContentTag.objects.filter(course_key=lost.key).count() == 3
    content.delete(known.key)
    with clock.shifted(timedelta(days=1, seconds=5)):
        assert api.recheck_courses() == 2
        api.sync_due()
    assert not ContentTag.objects.filter(course_key=known.key).exists()


def big_course(units, tags, run="2026"):
    course = Course(f"course-v1:KMUTT+BIG+{run}")
    section = course.section("s")
    for number in range(units):
        if number % 10 == 0:
            subsection = course.subsection(f"l{number}", section)
        unit = course.unit(f"u{number}", subsection)
        course.html(f"h{number}", unit)
        course.problem(f"p{number}", unit)
        if number < tags:
            course.says(f"t{number}", unit, "assesses", key("EN-1.1"))
    return course


def queries_of_sync(course, content):
    content.publish(course)
    dirty(course)
    with CaptureQueriesContext(connection) as captured:
        assert api.sync_due().courses == 1
    return len(captured)


def test_a_hundred_times_the_course_costs_no_more_queries_than_its_batches(english, content):
    small = queries_of_sync(big_course(5, 4, "small"), content)
    large = queries_of_sync(big_course(500, 400, "large"), content)
    fields = [field for field in ContentTag._meta.concrete_fields if not field.primary_key]
    # SQLite takes fewer values in a statement than we write rows in one.
    batch = min(sync.ROWS_PER_STATEMENT, connection.ops.bulk_batch_size(fields, [None] * 400))
    assert large - small <= -(-400 // batch) - 1
    # Read again with nothing changed: as many queries as a small course.
    assert queries_of_sync(big_course(500, 400, "large"), content) <= small
