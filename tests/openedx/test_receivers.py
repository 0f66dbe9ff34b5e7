"""What a platform event costs and leads to: one row, and never harm to the platform."""

import logging

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from openedx_events.learning.signals import CERTIFICATE_CREATED

from mooc_microcred.achievements import watch
from mooc_microcred.achievements.models import EvaluationRequest
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred_openedx.guards import failures
from tests.openedx.conftest import OTHER_RUN
from tests.support import events
from tests.support.definitions import RUN, level1

LEARNER = 7

on_mariadb = pytest.mark.skipif(connection.vendor != "mysql", reason="about MariaDB's transactions")


def requests():
    return list(EvaluationRequest.objects.values_list("learner_id", "course_key", "reason"))


def verbs(queries):
    return [query["sql"].split()[0] for query in queries]


@pytest.mark.parametrize("send", events.LEARNER_EVENTS)
def test_an_event_of_a_watched_course_appends_one_request_in_a_savepoint_of_its_own(watched, send):
    with CaptureQueriesContext(connection) as queries:
        responses = send(LEARNER, watched)
    assert verbs(queries) == ["SAVEPOINT", "INSERT", "RELEASE"]
    assert [response for _, response in responses] == [None]
    ((learner, course_key, reason),) = requests()
    assert (learner, course_key) == (LEARNER, RUN)
    assert reason
    assert not failures


@pytest.mark.parametrize("send", events.LEARNER_EVENTS)
def test_an_event_of_a_course_without_achievements_makes_no_query(watched, send, django_assert_num_queries):
    with django_assert_num_queries(0):
        send(LEARNER, OTHER_RUN)
    assert requests() == []


@pytest.mark.parametrize(
    "name",
    [
        "EXAM_ATTEMPT_SUBMITTED",
        "EXAM_ATTEMPT_VERIFIED",
        "EXAM_ATTEMPT_REJECTED",
        "EXAM_ATTEMPT_ERRORED",
        "EXAM_ATTEMPT_RESET",
    ],
)
def test_every_event_of_an_exam_attempt_is_a_hint(watched, name):
    events.send_exam_attempt(LEARNER, watched, name)
    assert requests() == [(LEARNER, RUN, "exam")]


def test_a_passing_status_in_a_ccx_names_the_ccx_run(watched):
    ccx = "ccx-v1:KMUTT+PY101+2026+ccx@3"
    events.send_ccx_passing_status(LEARNER, ccx)
    assert requests() == [(LEARNER, ccx, "passing")]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("send", [*events.LEARNER_EVENTS, events.send_ccx_passing_status])
def test_a_refused_insert_neither_raises_nor_breaks_the_callers_transaction(
    watched, missing_table, settings, caplog, send, debug
):
    settings.DEBUG = debug
    course_key = "ccx-v1:KMUTT+PY101+2026+ccx@3" if "ccx" in send.__name__ else watched
    with transaction.atomic():
        Group.objects.create(name="before")
        with caplog.at_level(logging.ERROR):
            responses = send(LEARNER, course_key)
        Group.objects.create(name="after")
    assert not any(isinstance(response, Exception) for _, response in responses)
    assert Group.objects.count() == 2
    assert sum(failures.values()) == 1
    (record,) = [one for one in caplog.records if one.name == "mooc_microcred_openedx.guards"]
    assert "microcred_reconcile" in record.getMessage()
    for personal in ("learner7", "example.com", "สมชาย", "7,"):
        assert personal not in caplog.text


@pytest.mark.parametrize("debug", [True, False])
def test_a_payload_that_is_not_as_announced_does_not_raise(watched, settings, debug):
    settings.DEBUG = debug
    certificate = events.certificate(LEARNER, watched)
    object.__setattr__(certificate, "course", None)
    CERTIFICATE_CREATED.send_event(certificate=certificate)
    assert failures == {"certificate_created": 1}
    assert requests() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("debug", [True, False])
def test_a_locked_table_does_not_raise(watched, settings, debug):
    settings.DEBUG = debug
    other = connection.copy()
    table = EvaluationRequest._meta.db_table
    try:
        with connection.cursor() as cursor, other.cursor() as holder:
            if connection.vendor == "mysql":
                cursor.execute("SET SESSION lock_wait_timeout = 1")
                holder.execute(f"LOCK TABLES {table} WRITE")
            else:
                cursor.execute("PRAGMA busy_timeout = 100")
                holder.execute("BEGIN IMMEDIATE")
                holder.execute(f"DELETE FROM {table}")
            events.send_certificate_created(LEARNER, watched)
            assert failures == {"certificate_created": 1}
            holder.execute("UNLOCK TABLES" if connection.vendor == "mysql" else "ROLLBACK")
            events.send_certificate_created(LEARNER, watched)
    finally:
        other.close()
        connections["default"].close()
    assert requests() == [(LEARNER, RUN, "certificate")]


@pytest.fixture
def certificate_table():
    """Let a table of Django's stand for the platform's certificates: its save() sends CERTIFICATE_CREATED."""

    def save(sender, instance, **kwargs):
        events.send_certificate_created(LEARNER, RUN)

    post_save.connect(save, sender=Group)
    yield Group.objects
    post_save.disconnect(save, sender=Group)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("debug", [True, False])
def test_a_database_error_of_ours_does_not_cost_the_platform_its_certificate(
    watched, missing_table, certificate_table, settings, debug
):
    settings.DEBUG = debug
    certificate_table.update_or_create(name="certificate", defaults={})
    assert failures == {"certificate_created": 1}
    assert Group.objects.filter(name="certificate").exists()


@on_mariadb
@pytest.mark.django_db(transaction=True)
def test_without_a_savepoint_the_same_error_loses_the_certificate_in_silence(
    watched, missing_table, certificate_table
):
    """The trap itself, so that the test above is known to test it."""

    def without_savepoint(**kwargs):
        EvaluationRequest.objects.create(learner_id=LEARNER, not_before=events.AT, due=events.AT)

    CERTIFICATE_CREATED.connect(without_savepoint)
    try:
        certificate_table.update_or_create(name="certificate", defaults={})
    finally:
        CERTIFICATE_CREATED.disconnect(without_savepoint)
    assert not Group.objects.filter(name="certificate").exists()


@on_mariadb
@pytest.mark.django_db(transaction=True)
def test_an_insert_that_waits_for_a_lock_in_vain_does_not_cost_the_platform_its_certificate(
    watched, certificate_table
):
    other = connection.copy()
    try:
        with connection.cursor() as cursor, other.cursor() as holder:
            cursor.execute("SET SESSION lock_wait_timeout = 1")
            holder.execute(f"LOCK TABLES {EvaluationRequest._meta.db_table} WRITE")
            certificate_table.update_or_create(name="certificate", defaults={})
    finally:
        other.close()
        connections["default"].close()
    assert failures == {"certificate_created": 1}
    assert Group.objects.filter(name="certificate").exists()


@pytest.mark.django_db(transaction=True)
def test_the_request_is_part_of_the_platforms_transaction(watched):
    with transaction.atomic():
        events.send_certificate_created(LEARNER, watched)
        transaction.set_rollback(True)
    assert requests() == []
    with transaction.atomic():
        events.send_certificate_created(LEARNER, watched)
    assert len(requests()) == 1


def test_a_rerun_of_a_course_whose_runs_are_listed_is_offered_through_the_outbox(db, microcred):
    microcred(CACHE_TTL=60)
    level1(course={"runs": [RUN]})
    watch.refresh()
    events.send_rerun_completed("course-v1:KMUTT+PY101+2027")
    message = OutboxMessage.objects.get(topic="course.run_seen")
    assert (message.topic, message.payload) == (
        "course.run_seen",
        {"course_key": "course-v1:KMUTT+PY101+2027"},
    )


def test_a_rerun_of_any_other_course_is_offered_to_nobody(watched):
    events.send_rerun_completed("course-v1:KMUTT+PY101+2027")
    events.send_rerun_completed(OTHER_RUN)
    assert not OutboxMessage.objects.exists()


def test_a_subsection_grade_is_a_hint_where_a_release_announces_it(watched):
    if not hasattr(events.signals, "PERSISTENT_SUBSECTION_GRADE_CHANGED"):
        pytest.skip("this openedx-events has no PERSISTENT_SUBSECTION_GRADE_CHANGED (11.2.0 has none)")
    with CaptureQueriesContext(connection) as queries:
        responses = events.send_subsection_grade(LEARNER, watched)
    assert verbs(queries) == ["SAVEPOINT", "INSERT", "RELEASE"]
    assert [response for _, response in responses] == [None]
    assert requests() == [(LEARNER, RUN, "grade")]
    assert not failures
