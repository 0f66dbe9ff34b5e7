"""The stand-in sends what edx-platform sends: the same events, contents, order and transactions."""

from io import StringIO

import pytest
from completion.models import BlockCompletion
from django.core.management import call_command
from django.db import connection
from openedx_events.learning import signals

from mooc_microcred.achievements import watch
from mooc_microcred.achievements.models import EvaluationRequest
from sandbox import lms
from sandbox.models import Certificate, Grade

NAMES = {
    signals.COURSE_ENROLLMENT_CHANGED: "enrolment changed",
    signals.COURSE_ENROLLMENT_CREATED: "enrolment created",
    signals.COURSE_UNENROLLMENT_COMPLETED: "unenrolment",
    signals.PERSISTENT_GRADE_SUMMARY_CHANGED: "grade",
    signals.COURSE_PASSING_STATUS_UPDATED: "passing status",
    signals.CERTIFICATE_CHANGED: "certificate changed",
    signals.CERTIFICATE_CREATED: "certificate created",
    signals.CERTIFICATE_REVOKED: "certificate revoked",
}


class Recorder:
    """A receiver of everything: what came, in order, and whether a transaction was open."""

    def __init__(self):
        self.names = []
        self.payloads = []
        self.in_transaction = []

    def __call__(self, signal, metadata, **kwargs):
        self.names.append(NAMES[signal])
        kwargs.pop("sender", None)
        kwargs.pop("from_event_bus", None)
        (payload,) = kwargs.values()
        self.payloads.append(payload)
        self.in_transaction.append(connection.in_atomic_block)

    def forget(self):
        self.__init__()

    def __getitem__(self, name):
        return self.payloads[self.names.index(name)]


@pytest.fixture
def events():
    recorder = Recorder()
    for signal in NAMES:
        signal.connect(recorder)
    yield recorder
    for signal in NAMES:
        signal.disconnect(recorder)


def answer(user, course, right):
    """Answer the self-test with so many right answers."""
    questions = list(course.questions.all())
    answers = {
        one.id: one.right if number < right else (one.right + 1) % len(one.choices)
        for number, one in enumerate(questions)
    }
    return lms.answer_self_test(user=user, course=course, answers=answers)


@pytest.fixture
def learner(people):
    return people["learner"]


@pytest.fixture
def course(sandbox, learner, events):
    lms.enrol(user=learner, course=sandbox["PY101"])
    return sandbox["PY101"]


def test_enrolling_sends_changed_then_created(events, course, learner):
    assert events.names == ["enrolment changed", "enrolment created"]
    data = events["enrolment created"]
    assert (data.user.id, data.user.pii.username, data.user.pii.name) == (learner.id, "learner", "สมหญิง ใจดี")
    assert (data.course.course_key, data.mode, data.is_active) == (course.key, "honor", True)


def test_enrolling_twice_sends_nothing_and_coming_back_sends_created_again(events, course, learner):
    events.forget()
    lms.enrol(user=learner, course=course)
    assert events.names == []
    lms.unenrol(user=learner, course=course)
    lms.enrol(user=learner, course=course)
    assert events.names == ["enrolment changed", "unenrolment", "enrolment changed", "enrolment created"]


def test_reading_a_unit_saves_a_real_completion_and_sends_no_openedx_event(events, course, learner):
    events.forget()
    unit = course.units.first()
    lms.complete_unit(user=learner, unit=unit)
    row = BlockCompletion.objects.get()
    assert (row.user, str(row.block_key), row.completion) == (learner, unit.block_key, 1.0)
    assert row.context_key == course.key
    assert events.names == []


def test_the_completion_apps_own_receiver_completes_the_self_test(course, learner):
    answer(learner, course, 1)
    assert [row.block_type for row in BlockCompletion.objects.all()] == ["problem"]


def test_passing_sends_grade_status_and_certificate(events, course, learner):
    events.forget()
    answer(learner, course, 4)
    assert events.names == ["grade", "passing status", "certificate changed", "certificate created"]
    grade = events["grade"]
    assert (grade.user_id, grade.percent_grade, grade.letter_grade) == (learner.id, 0.8, "Pass")
    assert grade.passed_timestamp is not None
    assert events["passing status"].is_passing
    certificate = events["certificate created"]
    assert (certificate.grade, certificate.current_status) == ("0.8", "downloadable")
    assert certificate.previous_status == ""
    assert certificate.name == "สมหญิง ใจดี"
    for data in (grade, events["passing status"], certificate):
        assert data.course.course_key == course.key
        assert (data.course.display_name, data.course.start, data.course.end) == ("", None, None)


@pytest.mark.django_db(transaction=True)
def test_certificates_come_inside_a_transaction_and_grades_in_autocommit(events, course, learner):
    events.forget()
    answer(learner, course, 5)
    assert dict(zip(events.names, events.in_transaction, strict=True)) == {
        "grade": False,
        "passing status": False,
        "certificate changed": True,
        "certificate created": True,
    }


def test_failing_sends_the_grade_without_a_date_of_passing(events, course, learner):
    events.forget()
    answer(learner, course, 1)
    assert events.names == ["grade", "passing status"]
    assert events["grade"].passed_timestamp is None
    assert events["grade"].letter_grade == ""
    assert not events["passing status"].is_passing


def test_every_recomputation_sends_again_although_nothing_changed(events, course, learner):
    answer(learner, course, 4)
    events.forget()
    lms.recompute_grade(user=learner, course=course)
    assert events.names == ["grade", "passing status"]


def test_a_learner_who_never_tried_gets_a_status_and_no_grade(events, course, learner):
    events.forget()
    lms.recompute_grade(user=learner, course=course)
    assert events.names == ["passing status"]
    assert not Grade.objects.exists()


def test_failing_after_a_pass_puts_the_certificate_on_hold_and_the_next_pass_brings_it_back(
    events, course, learner
):
    answer(learner, course, 5)
    uuid = Certificate.objects.get().verify_uuid
    passed_at = Grade.objects.get().passed_at
    events.forget()
    answer(learner, course, 0)
    assert events.names == ["grade", "passing status", "certificate changed", "certificate revoked"]
    assert events["certificate revoked"].current_status == "notpassing"
    assert events["grade"].passed_timestamp == passed_at
    events.forget()
    answer(learner, course, 5)
    assert events.names[-2:] == ["certificate changed", "certificate created"]
    assert Certificate.objects.get().verify_uuid == uuid


def test_invalidating_sends_changed_then_revoked_and_a_new_pass_does_not_undo_it(
    events, course, learner, people
):
    answer(learner, course, 5)
    events.forget()
    lms.invalidate_certificate(certificate=Certificate.objects.get(), by=people["author"], notes="copied")
    assert events.names == ["certificate changed", "certificate revoked"]
    assert events["certificate revoked"].current_status == "unavailable"
    answer(learner, course, 5)
    assert Certificate.objects.get().status == "unavailable"


def test_a_course_that_issues_on_request_waits_for_somebody_to_ask(events, sandbox, learner):
    course = sandbox["PY102"]
    lms.enrol(user=learner, course=course)
    answer(learner, course, 5)
    assert "certificate created" not in events.names
    assert lms.generate_certificate(user=learner, course=course)
    assert events.names[-2:] == ["certificate changed", "certificate created"]


def test_the_plugins_receivers_hear_all_of_it(sandbox, learner):
    call_command("microcred_catalogue", "load", sample=["python-series"], stdout=StringIO())
    EvaluationRequest.objects.all().delete()
    watch.forget()
    course = sandbox["PY102"]
    lms.enrol(user=learner, course=course)
    for unit in course.units.filter(kind="html"):
        lms.complete_unit(user=learner, unit=unit)
    answer(learner, course, 5)
    heard = EvaluationRequest.objects.filter(learner_id=learner.id, course_key=course.course_key)
    assert set(heard.values_list("reason", flat=True)) == {"enrolment", "completion", "grade", "passing"}
