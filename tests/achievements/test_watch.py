"""The set of courses that have achievements: fresh enough, and never on the caller's connection."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements import watch
from mooc_microcred.achievements.models import CourseRequirement
from mooc_microcred.core import clock
from tests.support.definitions import level1

RUN = "course-v1:KMUTT+PY101+2026"
CCX = "ccx-v1:KMUTT+PY101+2026+ccx@1"


@pytest.fixture
def held(settings):
    """Hold the set in the process, as a server does."""
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "CACHE_TTL": 60}


@pytest.mark.django_db
class TestWhatIsWatched:
    @pytest.mark.parametrize(
        "course_key",
        [
            RUN,
            "course-v1:KMUTT+PY101+2031",
            "course-v1:kmutt+py101+2026",
            "KMUTT/PY101/2014",
            CCX,
        ],
    )
    def test_any_run_of_a_course_named_by_organisation_and_number(self, course_key):
        level1(course={"organization": "KMUTT", "number": "PY101"})
        assert watch.is_watched(course_key)

    @pytest.mark.parametrize(
        "course_key",
        [
            "course-v1:KMUTT+PY1011+2026",
            "course-v1:CMU+PY101+2026",
            "course-v1:PY101+KMUTT+2026",
            "library-v1:KMUTT+PY101",
            "lib:KMUTT:PY101",
            "",
            "not a key",
        ],
    )
    def test_and_nothing_else(self, course_key):
        level1(course={"organization": "KMUTT", "number": "PY101"})
        assert not watch.is_watched(course_key)

    def test_a_listed_run_and_no_other_run_of_its_course(self):
        level1(course={"runs": [RUN]})
        assert watch.is_watched(RUN)
        assert watch.is_watched(RUN.replace("KMUTT", "kmutt"))
        assert not watch.is_watched("course-v1:KMUTT+PY101+2027")
        assert not watch.is_watched(CCX)

    def test_a_listed_ccx_run(self):
        level1(course={"runs": [CCX]})
        assert watch.is_watched(CCX)
        assert not watch.is_watched(RUN)

    def test_a_run_of_a_course_whose_runs_are_listed_is_news(self):
        level1(course={"runs": [RUN]})
        level1("other", course={"organization": "CMU", "number": "TH1"})
        assert watch.has_listed_run("course-v1:KMUTT+PY101+2027")
        assert not watch.has_listed_run("course-v1:CMU+TH1+2027")
        assert not watch.has_listed_run("not a key")

    def test_completion_is_watched_only_where_a_criterion_needs_it(self):
        level1()
        assert not watch.is_watched(RUN, completion=True)
        CourseRequirement.objects.update(needs_completion=True)
        assert watch.is_watched(RUN, completion=True)
        assert watch.is_watched(RUN)


@pytest.mark.django_db(transaction=True)
class TestHowItIsRead:
    def test_never_over_the_callers_connection(self, held, django_assert_num_queries):
        level1()
        with transaction.atomic(), django_assert_num_queries(0):
            assert watch.is_watched(RUN)
            assert not watch.is_watched("course-v1:CMU+OTHER+2026")

    def test_once_for_many_questions(self, held, monkeypatch):
        level1()
        started = []
        start = threading.Thread.start
        monkeypatch.setattr(threading.Thread, "start", lambda self: (started.append(self.name), start(self)))
        for _ in range(100):
            watch.is_watched(RUN)
        assert started == ["mooc_microcred.watch"]

    def test_again_when_it_is_too_old(self, held, django_assert_num_queries):
        assert not watch.is_watched(RUN)
        level1()
        assert not watch.is_watched(RUN)
        with clock.shifted(timedelta(seconds=61)), django_assert_num_queries(0):
            assert watch.is_watched(RUN)

    def test_behind_the_callers_back_when_half_its_time_is_over(self, held):
        assert not watch.is_watched(RUN)
        level1()
        with clock.shifted(timedelta(seconds=31)):
            watch.is_watched(RUN)
            watch._watch._thread.join()
            assert watch.is_watched(RUN)

    def test_what_is_not_yet_committed_is_not_in_it(self, held):
        if connection.vendor == "sqlite":
            pytest.skip("another connection to SQLite in memory waits for the writer")
        with transaction.atomic():
            level1()
            assert not watch.is_watched(RUN)

    def test_the_threads_connection_is_closed(self, held):
        if connection.vendor != "mysql":
            pytest.skip("counts the server's connections")

        def connected():
            with connection.cursor() as cursor:
                cursor.execute("SHOW PROCESSLIST")
                return sum(row[3] == connection.settings_dict["NAME"] for row in cursor.fetchall())

        before = connected()
        for minute in range(5):
            with clock.shifted(timedelta(minutes=2 * minute)):
                watch.is_watched(RUN)
        assert connected() == before


@pytest.mark.django_db(transaction=True)
class TestWhenItCannotBeRead:
    @pytest.fixture
    def missing(self, held, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(CourseRequirement._meta, "db_table", "mooc_microcred_not_migrated")
            yield broken

    def test_every_course_counts_and_it_is_said_once(self, missing, caplog):
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            for _ in range(10):
                assert watch.is_watched(RUN)
                assert watch.is_watched("course-v1:CMU+OTHER+2026", completion=True)
        assert len(queries) == 0
        assert len([one for one in caplog.records if one.name.endswith("achievements.watch")]) == 1

    def test_what_was_known_is_not_trusted_beyond_its_time(self, held, monkeypatch):
        assert not watch.is_watched(RUN)
        monkeypatch.setattr(CourseRequirement._meta, "db_table", "mooc_microcred_not_migrated")
        with clock.shifted(timedelta(seconds=59)):
            assert not watch.is_watched(RUN)
            watch._watch._thread.join()
        with clock.shifted(timedelta(seconds=70)):
            assert watch.is_watched(RUN)

    def test_it_is_tried_again_after_a_pause(self, missing):
        assert watch.is_watched("course-v1:CMU+OTHER+2026")
        missing.undo()
        assert watch.is_watched("course-v1:CMU+OTHER+2026")
        with clock.shifted(watch.RETRY_PAUSE):
            assert not watch.is_watched("course-v1:CMU+OTHER+2026")

    def test_a_database_that_hangs_is_waited_for_once(self, held, monkeypatch):
        hangs = threading.Event()
        monkeypatch.setattr(watch, "REFRESH_TIMEOUT", 0.1)
        monkeypatch.setattr(watch, "_read", lambda: hangs.wait(10))
        began = clock.now()
        for _ in range(50):
            assert watch.is_watched(RUN)
        assert (clock.now() - began).total_seconds() < 1
        hangs.set()
