"""What the real platform does, from an answer to an invalidated certificate, drives awards."""

from tests.platform.only import only_in

only_in("lms")

# ruff: noqa: E402 the platform is imported after it is known to be there
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lms.djangoapps.certificates.models import CertificateInvalidation, GeneratedCertificate
from opaque_keys.edx.keys import CourseKey
from openedx_events.learning.signals import CERTIFICATE_CHANGED, CERTIFICATE_CREATED, CERTIFICATE_REVOKED

from mooc_microcred.achievements import api, watch
from mooc_microcred.achievements.models import CertificateAsk, CourseRequirement, EvaluationRequest
from mooc_microcred.core import clock
from mooc_microcred_openedx.guards import failures
from tests.support.definitions import level1
from tests.support.platform_contract import PY101

pytestmark = pytest.mark.django_db(databases="__all__")

OTHER = "course-v1:CMU+OTHER+2026"
RIGHT, WRONG = [True] * 4, [False] * 4


@pytest.fixture
def learner(campus):
    campus.add_course(PY101)
    learner = campus.add_learner("somying", name="สมหญิง ใจดี")
    campus.enrol(learner, PY101)
    EvaluationRequest.objects.all().delete()
    return learner


def settle() -> None:
    """Evaluate until nothing is due, as the workers do."""
    for _ in range(10):
        report = api.evaluate_due()
        assert not report.platform_away
        assert not report.failed
        if not report.requests:
            return
    raise AssertionError("evaluation goes on without end")


def reasons() -> set[str]:
    return set(EvaluationRequest.objects.values_list("reason", flat=True))


def awards(learner, **options):
    return api.list_awards(learner_id=learner, **options)


def history(award):
    return [(one.kind, one.reason) for one in api.award_history(award.uuid)]


class TestEvents:
    """Which hints the platform's own actions leave in the queue."""

    def test_each_action_leaves_requests_for_its_learner_and_run(self, campus, learner):
        level1()
        campus.enrol(campus.add_learner("other"), PY101)
        assert reasons() == {"enrolment"}
        campus.answer(learner, PY101, RIGHT)
        assert reasons() >= {"enrolment", "passing", "grade"}
        campus.certify(learner, PY101)
        assert "certificate" in reasons()
        rows = EvaluationRequest.objects.exclude(reason="enrolment")
        assert set(rows.values_list("learner_id", "course_key")) == {(learner, PY101)}
        assert not failures

    def test_completed_blocks_count_where_a_criterion_looks_at_them(self, campus, learner):
        level1(mode="own", rule={"course_grade": {"minimum": 60}})
        campus.complete(learner, PY101, 1)
        assert reasons() == set()
        CourseRequirement.objects.update(needs_completion=True)
        campus.complete(learner, PY101, 1)
        assert reasons() == set(), "it was complete before"
        campus.complete(learner, PY101, 2)
        assert reasons() == {"completion"}

    def test_a_course_without_achievements_costs_no_query_and_leaves_nothing(
        self, campus, learner, microcred
    ):
        campus.add_course(OTHER)
        level1()
        microcred(CACHE_TTL=60)
        watch.refresh()
        with CaptureQueriesContext(connection) as captured:
            campus.enrol(learner, OTHER)
            campus.answer(learner, OTHER, RIGHT)
            campus.certify(learner, OTHER)
            campus.invalidate(learner, OTHER)
        assert [query for query in captured if "mooc_microcred" in query["sql"]] == []
        assert not EvaluationRequest.objects.exists()

    def test_a_watched_event_costs_one_insert_in_a_savepoint(self, campus, learner, microcred):
        level1()
        microcred(CACHE_TTL=60)
        watch.refresh()
        campus.grade(learner, PY101, 80, passed=True)
        EvaluationRequest.objects.all().delete()
        with CaptureQueriesContext(connection) as captured:
            campus.certify(learner, PY101)
        ours = [query["sql"] for query in captured if "mooc_microcred" in query["sql"]]
        # Two events: CHANGED and CREATED.
        assert len(ours) == 2
        assert all(one.startswith("INSERT") for one in ours)

    @pytest.mark.parametrize("plain_send", [False, True])
    def test_a_failure_of_ours_takes_nothing_from_the_platform(
        self, campus, learner, monkeypatch, settings, plain_send
    ):
        """With DEBUG events are sent plainly, and an exception would end the platform's own work."""
        level1()
        settings.DEBUG = plain_send
        campus.automatic_certificates(True)
        monkeypatch.setattr(EvaluationRequest._meta, "db_table", "mooc_microcred_not_migrated")
        campus.answer(learner, PY101, RIGHT)
        assert campus.certificate(learner, PY101).status == "downloadable"
        assert failures["certificate_created"]
        assert failures["passing_status_updated"]


class TestMirror:
    @pytest.fixture(autouse=True)
    def _level1(self, campus, learner):
        level1()
        campus.automatic_certificates(True)

    @pytest.fixture
    def award(self, campus, learner):
        campus.answer(learner, PY101, RIGHT)
        settle()
        (award,) = awards(learner)
        return award

    def test_from_the_answer_to_the_award(self, campus, learner):
        campus.answer(learner, PY101, [True, True, False])
        settle()
        assert awards(learner, include_hidden=True) == []
        campus.answer(learner, PY101, RIGHT)
        assert campus.certificate(learner, PY101).status == "downloadable"
        settle()
        (award,) = awards(learner)
        assert (award.code, award.state, award.course_key) == ("py101-l1", "active", PY101)
        assert award.evidence["certificate"] == campus.certificate(learner, PY101).verify_uuid

    def test_a_certificate_that_is_generated_again_changes_nothing(self, campus, learner, award):
        uuid = campus.certificate(learner, PY101).verify_uuid
        for _ in range(3):
            campus.certify(learner, PY101)
        assert EvaluationRequest.objects.filter(reason="certificate").exists()
        settle()
        assert campus.certificate(learner, PY101).verify_uuid == uuid
        assert awards(learner) == [award]
        assert history(award) == [("issued", "earned")]

    def test_an_invalidated_certificate_takes_the_award_back_at_once(self, campus, learner, award):
        campus.invalidate(learner, PY101)
        settle()
        assert api.get_award(award.uuid).state == "revoked"
        assert history(award)[-1] == ("revoked", "certificate_invalidated")

    def test_a_certificate_made_unavailable_does_so_too(self, campus, learner, award):
        from lms.djangoapps.certificates.api import invalidate_certificate

        invalidate_certificate(learner, CourseKey.from_string(PY101), source="exam_event")
        settle()
        assert history(award)[-1] == ("revoked", "certificate_unavailable")

    def test_a_certificate_that_is_valid_again_is_a_new_award(self, campus, learner, award):
        campus.invalidate(learner, PY101)
        settle()
        CertificateInvalidation.objects.update(active=False)
        campus.certify(learner, PY101)
        settle()
        live = [one for one in awards(learner) if one.state == "active"]
        assert len(live) == 1
        assert live[0].uuid != award.uuid

    def test_a_grade_that_no_longer_passes_suspends_and_a_passing_one_lifts_it(self, campus, learner, award):
        campus.answer(learner, PY101, WRONG)
        assert campus.certificate(learner, PY101).status == "notpassing"
        settle()
        assert api.get_award(award.uuid).state == "suspended"
        campus.answer(learner, PY101, RIGHT)
        assert campus.certificate(learner, PY101).status == "downloadable"
        settle()
        assert api.get_award(award.uuid).state == "active"
        assert history(award) == [
            ("issued", "earned"),
            ("suspended", "certificate_notpassing"),
            ("reinstated", "certificate_back"),
        ]

    @pytest.mark.parametrize("status", ["notpassing", "unverified"])
    def test_after_the_grace_the_suspended_award_is_revoked(self, campus, learner, award, status):
        campus.certify(learner, PY101, status)
        settle()
        assert api.get_award(award.uuid).state == "suspended"
        with clock.shifted(timedelta(days=6, hours=23)):
            settle()
            assert api.get_award(award.uuid).state == "suspended"
        with clock.shifted(timedelta(days=7, minutes=1)):
            settle()
        assert history(award)[-1] == ("revoked", f"certificate_{status}")

    def test_leaving_the_course_keeps_the_award(self, campus, learner, award):
        campus.unenrol(learner, PY101)
        api.request_evaluation(learner_id=learner, reason="test")
        settle()
        assert awards(learner) == [award]

    def test_a_lost_certificate_row_decides_nothing(self, campus, learner, award):
        GeneratedCertificate.objects.all().delete()
        api.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
        settle()
        assert awards(learner) == [award]


class TestNotShownYet:
    def test_the_award_waits_for_the_day_on_which_the_platform_shows_the_certificate(self, campus, learner):
        level1()
        day = datetime.now(UTC) + timedelta(days=3)
        campus.show_certificates_from(PY101, day)
        campus.certify(learner, PY101)
        settle()
        assert awards(learner) == []
        (hidden,) = awards(learner, include_hidden=True)
        assert hidden.published_at is None
        assert EvaluationRequest.objects.filter(learner_id=learner, not_before=day).exists()
        campus.show_certificates_from(PY101, datetime.now(UTC) - timedelta(seconds=1))
        with clock.shifted(timedelta(days=3, seconds=1)):
            settle()
        (shown,) = awards(learner)
        assert shown.uuid == hidden.uuid

    def test_of_a_run_that_shows_certificates_at_its_end_the_end_is_the_day(self, campus, learner):
        level1()
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
        campus.change_overview(PY101, certificates_display_behavior="end", end=end)
        campus.certify(learner, PY101)
        settle()
        assert awards(learner) == []
        assert EvaluationRequest.objects.filter(learner_id=learner, not_before=end).exists()


class TestOwnWithPlatform:
    RULE = {"all": [{"course_grade": {"minimum": 60}}, {"completion": {"minimum": 80}}]}

    @pytest.fixture(autouse=True)
    def _level1(self, learner):
        level1(mode="own_with_platform", rule=self.RULE)

    @pytest.fixture
    def events(self):
        seen = []
        watched = {
            CERTIFICATE_CREATED: "created",
            CERTIFICATE_CHANGED: "changed",
            CERTIFICATE_REVOKED: "revoked",
        }

        def note(signal, **_kwargs):
            seen.append(watched[signal])

        for signal in watched:
            signal.connect(note)
        yield seen
        for signal in watched:
            signal.disconnect(note)

    def test_our_criteria_ask_for_the_certificate_once_and_its_event_closes_the_loop(
        self, campus, learner, events
    ):
        campus.answer(learner, PY101, [True, True, True])
        settle()
        assert campus.certificate(learner, PY101) is None
        campus.answer(learner, PY101, RIGHT)
        campus.complete(learner, PY101, 4)
        api.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
        settle()
        assert campus.certificate(learner, PY101).status == "downloadable"
        assert events == ["changed", "created"]
        (award,) = awards(learner)
        assert award.state == "active"
        ask = CertificateAsk.objects.get()
        assert (ask.learner_id, ask.course_key, ask.refusal) == (learner, PY101, "")
        api.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
        settle()
        assert events == ["changed", "created"]

    def test_a_refusal_is_kept_and_nothing_is_asked(self, campus, learner, events):
        from common.djangoapps.student.models import CourseEnrollment

        CourseEnrollment.objects.update(mode="audit")
        campus.answer(learner, PY101, RIGHT)
        campus.complete(learner, PY101, 4)
        api.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
        settle()
        assert events == []
        ask = CertificateAsk.objects.get()
        assert (ask.asked_at, ask.refusal) == (None, "mode")
        assert awards(learner, include_hidden=True) == []

    def test_a_certificate_of_somebody_who_fails_is_left_as_it_is(self, campus, learner, events):
        """The platform would take it back if it were asked."""
        campus.certify(learner, PY101)
        campus.certify(learner, PY101, "unverified")
        campus.grade(learner, PY101, 60, passed=False)
        campus.complete(learner, PY101, 4)
        del events[:]
        settle()
        assert CertificateAsk.objects.get().refusal == "not_passing"
        assert campus.certificate(learner, PY101).status == "unverified"
        assert events == []

    def test_an_operators_filter_that_forbids_it_is_a_refusal_that_staff_read(
        self, campus, learner, events, settings
    ):
        settings.OPEN_EDX_FILTERS_CONFIG = {
            **settings.OPEN_EDX_FILTERS_CONFIG,
            "org.openedx.learning.certificate.creation.requested.v1": {
                "fail_silently": False,
                "pipeline": ["tests.platform.steps.NoCertificates"],
            },
        }
        campus.answer(learner, PY101, RIGHT)
        campus.complete(learner, PY101, 4)
        api.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
        settle()
        ask = CertificateAsk.objects.get()
        assert (ask.asked_at, ask.refusal, ask.attempts) == (None, "prevented", 1)
        assert campus.certificate(learner, PY101) is None
        assert api.count_certificate_requests(course_key=PY101) == (0, {"prevented": 1})
        due = EvaluationRequest.objects.filter(reason="due").values_list("not_before", flat=True)
        assert list(due) == [ask.ask_again_at]

    def test_the_allowlist_is_written_only_for_runs_that_the_operator_names(
        self, campus, learner, events, microcred
    ):
        from lms.djangoapps.certificates.models import CertificateAllowlist

        from mooc_microcred.core.models import AuditEntry

        # Our criteria ask for 60 percent; the platform says that it is not enough.
        campus.grade(learner, PY101, 60, passed=False)
        campus.complete(learner, PY101, 4)
        settle()
        assert CertificateAsk.objects.get().refusal == "not_passing"
        assert not CertificateAllowlist.objects.exists()
        microcred(ALLOWLIST_COURSES=[PY101])
        api.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
        settle()
        entry = CertificateAllowlist.objects.get()
        assert (entry.user_id, str(entry.course_id), entry.allowlist) == (learner, PY101, True)
        assert campus.certificate(learner, PY101).status == "downloadable"
        assert [award.state for award in awards(learner)] == ["active"]
        line = AuditEntry.objects.get(action="certificate.allowlisted")
        assert (line.object_id, line.details["learner"]) == (PY101, learner)


class TestOwn:
    RULE = {"completion": {"minimum": 75}}

    def test_completed_units_earn_it_without_a_certificate(self, campus, learner):
        level1(mode="own", rule=self.RULE)
        campus.complete(learner, PY101, 2)
        api.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
        settle()
        assert awards(learner) == []
        campus.complete(learner, PY101, 3)
        api.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
        settle()
        (award,) = awards(learner)
        assert award.evidence["completion"] == {"completed": 3, "total": 4}
        assert campus.certificate(learner, PY101) is None

    def test_a_unit_published_later_and_a_certificates_end_take_nothing_away(self, campus, learner):
        level1(mode="own", rule=self.RULE)
        campus.complete(learner, PY101, 3)
        campus.certify(learner, PY101)
        settle()
        (award,) = awards(learner)
        for number in range(4, 8):
            campus.add_unit(PY101, number)
        campus.invalidate(learner, PY101)
        api.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
        settle()
        assert awards(learner) == [award]

    def test_a_graded_subsection_earns_it(self, campus, learner):
        level1(mode="own", rule={"subsection_grade": {"block": "exam", "minimum": 50}})
        campus.answer(learner, PY101, [True, True])
        settle()
        (award,) = awards(learner)
        assert Decimal(award.evidence["subsections"]["exam"]) == 50


def test_one_read_serves_many_learners(campus, learner):
    level1()
    learners = [campus.add_learner(f"learner{number}") for number in range(20)]
    for one in learners:
        campus.enrol(one, PY101)
        campus.certify(one, PY101)
    few, many = learners[:1], learners[1:]

    def cost(some):
        EvaluationRequest.objects.all().delete()
        api.append_requests(some, course_key=PY101, reason="test")
        with CaptureQueriesContext(connection) as captured:
            report = api.evaluate_due()
        assert report.issued == len(some)
        return [query for query in captured if query["sql"].startswith("SELECT")]

    api.current_catalogue()
    assert len(cost(many)) <= len(cost(few))
