"""kill -9 at every line of a synchronisation and of a judgement of mastery: nothing lost, nothing doubled."""

from datetime import timedelta

import pytest

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Award, EvaluationRequest, Feed
from mooc_microcred.competencies import api
from mooc_microcred.competencies.models import ContentTag, CourseSync, LearnerEvidence, Mastery
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.models import OutboxMessage
from tests.competencies.frameworks import key, make_framework
from tests.faults.processes import at_line, pause
from tests.faults.test_killed_workers import killed_at_every_line
from tests.support.definitions import RUN, activate, definition
from tests.support.memory_content import Course, the_content

pytestmark = pytest.mark.services

LEARNERS = (1, 2, 3)


def published(codes=("EN-1.1", "EN-1.2"), run=RUN):
    """Publish a course whose unit of two problems assesses competencies; return the problems."""
    course = Course(run)
    unit = course.unit("quiz", course.subsection("lesson", course.section("s")))
    blocks = [course.problem(f"p{number}", unit) for number in range(2)]
    course.says("assess", unit, "assesses", *(key(code) for code in codes))
    the_content.publish(course)
    return blocks


def wanted():
    return {(tag.item, tag.relation, len(tag.pieces)) for tag in ContentTag.objects.all()}


def test_a_worker_killed_at_any_line_of_a_synchronisation_loses_and_doubles_nothing(mariadb, start, lease):
    def prepare():
        the_content.reset()
        make_framework()
        published()
        api.mark_course_dirty(course_key=RUN, reason="published", delay=0)
        api.sync_due()
        OutboxMessage.objects.all().delete()
        # One tag goes, one stays, one comes.
        published(codes=("EN-1.2", "EN-2"))
        api.mark_course_dirty(course_key=RUN, reason="published", published_at=clock.now(), delay=0)

    def check():
        with clock.shifted(lease + timedelta(minutes=1)):
            while api.sync_due().claimed:
                pass
            assert wanted() == {(key("EN-1.2")[1], "assesses", 2), (key("EN-2")[1], "assesses", 2)}
            row = CourseSync.objects.get()
            assert (row.due, row.claim, row.last_error, row.published_at) == (None, "", "", None)
            # Everybody enrolled is judged anew, at least once.
            assert OutboxMessage.objects.filter(topic=api.TAGS_CHANGED).count() == 1
            while outbox.relay().done:
                pass
            assert Feed.objects.filter(course_key=RUN, reason="competencies").exists()

    assert killed_at_every_line(start, prepare, api.sync_due, check) > 5


def test_a_worker_killed_at_any_line_of_a_judgement_loses_and_doubles_nothing(mariadb, start, lease):
    rule = {"competency": dict(zip(("framework", "item"), key("EN-1.1"), strict=True))}

    def prepare():
        the_content.reset()
        make_framework()
        blocks = published()
        api.mark_course_dirty(course_key=RUN, reason="published", delay=0)
        api.sync_due()
        criteria = {"narrative": {"en": "Show it."}, "rule": rule}
        activate(definition("en-gist", "competency", criteria=criteria))
        for learner in LEARNERS:
            for block in blocks:
                mariadb.score(learner, RUN, block, 1)
            achievements.request_evaluation(learner_id=learner, course_key=RUN, reason="grade")

    def check():
        with clock.shifted(lease + timedelta(minutes=1)):
            while achievements.evaluate_due().requests:
                pass
            while outbox.relay().done:
                pass
            while achievements.evaluate_due().requests:
                pass
            assert Mastery.objects.filter(status="Demonstrated").count() == 2 * len(LEARNERS)
            assert LearnerEvidence.objects.count() == 4 * len(LEARNERS)
            told = OutboxMessage.objects.filter(topic=api.DEMONSTRATED_TOPIC)
            assert told.count() == 2 * len(LEARNERS)
            assert Award.objects.filter(live=True).count() == len(LEARNERS)
            assert not EvaluationRequest.objects.filter(due__lte=clock.now()).exists()

    assert killed_at_every_line(start, prepare, achievements.evaluate_due, check) > 10


def test_a_worker_that_was_paused_beyond_its_lease_overwrites_nobody(mariadb, start, lease):
    make_framework()
    published()
    api.mark_course_dirty(course_key=RUN, reason="published", delay=0)
    # It stops after it has claimed the course, before it reads it: a child sees it as it was at the fork.
    sleeper = start(api.sync_due, before=lambda: at_line(4, pause))
    assert sleeper.wait_until_paused()
    published(codes=("EN-2",))
    api.mark_course_dirty(course_key=RUN, reason="published", delay=0)
    with clock.shifted(lease + timedelta(minutes=1)):
        while api.sync_due().claimed:
            pass
    assert wanted() == {(key("EN-2")[1], "assesses", 2)}
    sleeper.resume()
    sleeper.result()
    with clock.shifted(lease + timedelta(minutes=2)):
        while api.sync_due().claimed:
            pass
    # It had read the course as it was before, and must not have written that.
    assert wanted() == {(key("EN-2")[1], "assesses", 2)}


def test_two_workers_at_once_make_each_tag_once(mariadb, start):
    make_framework()
    runs = [f"course-v1:KMUTT+PY{number}+2026" for number in range(12)]
    for run in runs:
        published(run=run)
        api.mark_course_dirty(course_key=run, reason="published", delay=0)
    workers = [start(lambda: api.sync_due(limit=3).courses) for _ in range(3)]
    done = sum(worker.result() for worker in workers)
    while True:
        more = api.sync_due().courses
        done += more
        if not more:
            break
    assert done == len(runs)
    assert ContentTag.objects.count() == 2 * len(runs)
    assert not CourseSync.objects.filter(due__isnull=False).exists()
