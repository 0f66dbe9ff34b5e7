"""The gateway reads what the real platform wrote: the port's contract, and what is the platform's own."""

from tests.platform.only import only_in

only_in("lms")

# ruff: noqa: E402 the platform is imported after it is known to be there
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from ccx_keys.locator import CCXLocator
from common.djangoapps.student.models import CourseEnrollment
from common.djangoapps.student.roles import CourseBetaTesterRole
from crum import set_current_request
from django.contrib.auth import get_user_model
from django.db import connection
from django.dispatch import Signal
from django.test.utils import CaptureQueriesContext
from edx_django_utils.cache import RequestCache
from edx_name_affirmation.models import VerifiedName
from lms.djangoapps.ccx.tests.factories import CcxFactory
from lms.djangoapps.certificates import api as certificates
from lms.djangoapps.certificates.models import GeneratedCertificate
from lms.djangoapps.grades import api as grades
from lms.djangoapps.grades.models import PersistentCourseGrade
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.content.course_overviews.models import CourseOverview
from openedx.core.djangoapps.lang_pref import LANGUAGE_KEY
from openedx.core.djangoapps.signals import signals as platform_signals
from openedx.core.djangoapps.user_api.preferences.api import set_user_preference
from openedx_events.learning.signals import CERTIFICATE_REVOKED
from openedx_events.tooling import OpenEdxPublicSignal
from xmodule.modulestore.django import modulestore

from mooc_microcred.core.platform import CompletionState, PlatformUnavailable, StateQuery
from tests.platform.campus import EXAM
from tests.support.platform_contract import PY101, PY102, PlatformContract

pytestmark = pytest.mark.django_db(databases="__all__")


class TestContract(PlatformContract):
    @pytest.fixture
    def world(self, campus):
        return campus

    # Another connection sees what is committed only.
    @pytest.mark.django_db(databases="__all__", transaction=True)
    def test_a_change_by_another_connection_is_seen_by_the_next_read_of_this_process(
        self, port, world, learner
    ):
        super().test_a_change_by_another_connection_is_seen_by_the_next_read_of_this_process(
            port, world, learner
        )

    def test_reading_costs_the_same_for_one_learner_and_for_many(self, port, world):
        """Other than the contract says, without completion: see TestCompletion."""
        world.add_course(PY101)
        world.add_course(PY102)
        learners = [world.add_learner(f"learner{number}") for number in range(20)]
        for one in learners:
            for course in (PY101, PY102):
                world.enrol(one, course)
                world.grade(one, course, 80, passed=True)
                world.certify(one, course)

        def read(who):
            queries = [
                StateQuery(one, course, grade=True, subsections=(EXAM,))
                for one in who
                for course in (PY101, PY102)
            ]
            states = port.read_states(queries)
            assert all(state.certificate and state.grade for state in states.values())

        few = world.queries(lambda: read(learners[:1]))
        assert few <= 5
        assert world.queries(lambda: read(learners)) == few
        usernames = [f"learner{number}" for number in range(20)]
        for call in (
            lambda some: port.read_enrolments(learners[:some]),
            lambda some: port.read_learners(learners[:some]),
            lambda some: port.find_learners(usernames=usernames[:some]),
        ):
            few = world.queries(lambda call=call: call(1))
            assert world.queries(lambda call=call: call(20)) == few


@pytest.fixture
def port(campus):
    return campus.platform


@pytest.fixture
def learner(campus):
    campus.add_course(PY101)
    learner = campus.add_learner("somying", name="สมหญิง ใจดี")
    campus.enrol(learner, PY101)
    return learner


def read(port, learner, **wanted):
    return port.read_states([StateQuery(learner, PY101, **wanted)])[learner, PY101]


class TestGrades:
    def test_a_grade_that_the_platform_has_prefetched_is_read_anew(self, campus, port, learner):
        key = CourseKey.from_string(PY101)
        PersistentCourseGrade.prefetch(key, [campus.user(learner)])
        PersistentCourseGrade.objects.create(
            user_id=learner, course_id=key, percent_grade=0.9, letter_grade="Pass", grading_policy_hash=""
        )
        with pytest.raises(PersistentCourseGrade.DoesNotExist):
            PersistentCourseGrade.read(learner, key)
        assert read(port, learner, grade=True).grade.percent == 90
        assert PersistentCourseGrade.read(learner, key).percent_grade == 0.9

    def test_a_learner_who_answers_has_the_platforms_grade(self, campus, port, learner):
        campus.answer(learner, PY101, [True, True, True, False])
        state = read(port, learner, grade=True, subsections=(EXAM, "nowhere"))
        assert (state.grade.percent, state.grade.passed) == (75, True)
        assert state.subsections == {EXAM: Decimal(75)}

    def test_a_grade_of_zero_is_a_grade_that_does_not_pass(self, campus, port, learner):
        campus.answer(learner, PY101, [False])
        state = read(port, learner, grade=True, subsections=(EXAM,))
        assert (state.grade.percent, state.grade.passed) == (0, False)
        assert state.subsections == {EXAM: Decimal(0)}

    def test_what_staff_overrode_counts(self, campus, port, learner):
        campus.answer(learner, PY101, [True, False])
        assert read(port, learner, subsections=(EXAM,)).subsections == {EXAM: Decimal(25)}
        staff = campus.user(campus.add_learner("staff"))
        usage_key = CourseKey.from_string(PY101).make_usage_key("sequential", EXAM)
        grades.override_subsection_grade(
            learner, PY101, str(usage_key), overrider=staff, earned_all=4, earned_graded=4
        )
        assert read(port, learner, subsections=(EXAM,)).subsections == {EXAM: Decimal(100)}


class TestCompletion:
    WANTED = {"completion": True, "completion_floor": Decimal(80)}

    @pytest.fixture
    def learners(self, campus, learner):
        return [learner, *(campus.add_learner(f"learner{number}") for number in range(19))]

    def cost(self, campus, learners):
        queries = [StateQuery(one, PY101, **self.WANTED) for one in learners]
        return campus.queries(lambda: campus.platform.read_states(queries))

    def test_who_has_completed_nothing_is_counted_and_not_walked(self, campus, learners):
        assert self.cost(campus, learners) == self.cost(campus, learners[:1])

    def test_who_has_completed_something_is_walked_at_the_same_cost_each(self, campus, learners):
        nobody = self.cost(campus, learners)
        costs = []
        for one in learners[:4]:
            campus.complete(one, PY101, 4)
            costs.append(self.cost(campus, [one]) - nobody)
        # The first walk also collects the course's blocks.
        assert 0 < costs[1] < costs[0]
        assert costs[1:] == [costs[1]] * 3

    def test_who_cannot_have_reached_what_is_asked_for_is_not_walked_again(self, campus, port, learner):
        nobody = self.cost(campus, [learner])
        campus.complete(learner, PY101, 2)
        assert self.cost(campus, [learner]) > nobody
        state = read(port, learner, **self.WANTED)
        assert state.completion.completed <= 4
        campus.complete(learner, PY101, 4)
        assert read(port, learner, **self.WANTED).completion == CompletionState(4, 4)

    def test_blocks_of_long_ago_are_no_reason_to_walk_again(self, campus, port, learner):
        from completion.models import BlockCompletion

        campus.complete(learner, PY101, 2)
        BlockCompletion.objects.update(modified=datetime.now(UTC) - timedelta(days=1))
        first = self.cost(campus, [learner])
        assert self.cost(campus, [learner]) < first
        assert read(port, learner, **self.WANTED).completion == CompletionState(2, 4)

    def test_a_unit_that_is_published_later_counts_at_once(self, campus, port, learner):
        campus.complete(learner, PY101, 4)
        assert read(port, learner, **self.WANTED).completion == CompletionState(4, 4)
        campus.add_unit(PY101, 4)
        assert read(port, learner, **self.WANTED).completion == CompletionState(4, 5)

    def test_what_the_platform_cached_for_the_request_is_read_anew(self, campus, port, learner):
        campus.complete(learner, PY101, 1)
        assert read(port, learner, completion=True).completion == CompletionState(1, 4)
        campus.complete(learner, PY101, 3)
        assert read(port, learner, completion=True).completion == CompletionState(3, 4)

    def test_a_course_that_is_gone_does_not_hold_up_the_others(self, campus, port, learner):
        """Its overview and its completions outlive the course."""
        campus.add_course(PY102)
        campus.enrol(learner, PY102)
        for course in (PY101, PY102):
            campus.complete(learner, course, 2)
            campus.certify(learner, course)
        store = modulestore()
        store.delete_course(CourseKey.from_string(PY101), campus.user(learner).id)
        assert CourseOverview.objects.filter(id=CourseKey.from_string(PY101)).exists()
        states = port.read_states([StateQuery(learner, run, completion=True) for run in (PY101, PY102)])
        assert states[learner, PY101].completion is None
        assert states[learner, PY101].certificate.status == "downloadable"
        assert states[learner, PY102].completion == CompletionState(2, 4)


class TestProfiles:
    def test_the_approved_verified_name_comes_first(self, campus, port, learner):
        assert port.read_learners([learner])[learner].name == "สมหญิง ใจดี"
        user = campus.user(learner)
        for name, status in (
            ("Somying J.", "approved"),
            ("Somying Jaidee", "approved"),
            ("X", "denied"),
            ("Y", "pending"),
        ):
            VerifiedName.objects.create(user=user, verified_name=name, profile_name="p", status=status)
        assert port.read_learners([learner])[learner].name == "Somying Jaidee"

    def test_the_language_is_the_one_that_the_learner_chose(self, campus, port, learner):
        assert port.read_learners([learner])[learner].language == ""
        set_user_preference(campus.user(learner), LANGUAGE_KEY, "th")
        assert port.read_learners([learner])[learner].language == "th"

    def test_an_account_without_a_profile_has_its_user_name(self, port, db):
        user = get_user_model().objects.create(username="service")
        assert port.read_learners([user.id])[user.id].name == "service"


class TestFreshness:
    """A worker reads what is true now, whatever the platform keeps for the length of a request."""

    @pytest.mark.django_db(databases="__all__", transaction=True)
    def test_what_the_platform_has_prefetched_before_is_not_believed(self, campus, port, learner):
        key = CourseKey.from_string(PY101)
        user = campus.user(learner)
        PersistentCourseGrade.prefetch(key, [user])
        CourseEnrollment.enrollment_mode_for_user(user, key)
        assert port.would_issue_certificate(learner, PY101).reason == "not_passing"
        PersistentCourseGrade.prefetch(key, [user])
        campus.elsewhere(lambda: campus.grade(learner, PY101, 80, passed=True))
        # The prefetch still says that there is none: who reads through it reads the past.
        with pytest.raises(PersistentCourseGrade.DoesNotExist):
            PersistentCourseGrade.read(learner, key)
        assert port.would_issue_certificate(learner, PY101).accepted
        assert read(port, learner, grade=True).grade.percent == 80

    @pytest.mark.django_db(databases="__all__", transaction=True)
    def test_one_process_reads_an_enrolment_mode_and_a_completion_that_changed_meanwhile(
        self, campus, port, learner
    ):
        campus.complete(learner, PY101, 1)
        assert read(port, learner, completion=True).completion.completed == 1

        def change():
            campus.complete(learner, PY101, 3)
            CourseEnrollment.objects.update(mode="audit")

        campus.elsewhere(change)
        assert read(port, learner, completion=True).completion.completed == 3
        assert port.would_issue_certificate(learner, PY101).reason == "mode"

    def test_a_web_request_keeps_what_the_platform_keeps_for_it(self, campus, port, learner, rf):
        cache = RequestCache("somebody else's")
        try:
            set_current_request(rf.get("/"))
            cache.set("key", "value")
            port.read_enrolments([learner])
            assert cache.get_cached_response("key").is_found
        finally:
            set_current_request(None)
        port.read_enrolments([learner])
        assert not cache.get_cached_response("key").is_found


def forbid_certificates(settings):
    settings.OPEN_EDX_FILTERS_CONFIG = {
        **getattr(settings, "OPEN_EDX_FILTERS_CONFIG", {}),
        "org.openedx.learning.certificate.creation.requested.v1": {
            "fail_silently": False,
            "pipeline": ["tests.platform.steps.NoCertificates"],
        },
    }


class TestCertificatesOnRequest:
    """``would_issue_certificate`` agrees with what the platform then does, and changes nothing."""

    @pytest.fixture
    def passing(self, campus, learner):
        campus.grade(learner, PY101, 80, passed=True)
        return learner

    @contextmanager
    def untouched(self):
        """Fail where anything is written or any signal of the platform is sent."""
        sent = []

        def spy(signal, **_kwargs):
            sent.append(signal)

        watched = [*OpenEdxPublicSignal.all_events()]
        watched += [one for one in vars(platform_signals).values() if isinstance(one, Signal)]
        for signal in watched:
            signal.connect(spy)
        try:
            with CaptureQueriesContext(connection) as captured:
                yield sent
        finally:
            for signal in watched:
                signal.disconnect(spy)
        assert sent == []
        statements = [query["sql"].split()[0].upper() for query in captured]
        assert set(statements) <= {"SELECT"}, statements

    def ask(self, port, learner, course_key=PY101):
        with self.untouched():
            return port.would_issue_certificate(learner, course_key)

    def refused(self, port, learner, course_key=PY101):
        """Return the reason of a refusal, after seeing that the platform would indeed not issue."""
        answer = self.ask(port, learner, course_key)
        assert not answer.accepted
        user = get_user_model().objects.filter(id=learner).first()
        if user is not None:
            key = CourseKey.from_string(course_key)
            before = GeneratedCertificate.objects.filter(status="downloadable").count()
            certificates.generate_certificate_task(user, key)
            assert GeneratedCertificate.objects.filter(status="downloadable").count() == before
        return answer.reason

    def test_who_passes_is_accepted_and_asking_brings_the_certificate(self, campus, port, passing):
        assert self.ask(port, passing).accepted
        assert campus.certificate(passing, PY101) is None
        port.request_certificate(passing, PY101)
        assert campus.certificate(passing, PY101).status == "downloadable"

    def test_without_a_passing_grade(self, campus, port, learner):
        assert self.refused(port, learner) == "not_passing"
        campus.grade(learner, PY101, 30, passed=False)
        assert self.refused(port, learner) == "not_passing"

    def test_without_an_enrolment(self, campus, port, passing):
        stranger = campus.add_learner("stranger")
        campus.grade(stranger, PY101, 80, passed=True)
        assert self.refused(port, stranger) == "not_enrolled"

    def test_in_a_mode_without_certificates(self, campus, port, passing):
        CourseEnrollment.objects.update(mode="audit")
        assert self.refused(port, passing) == "mode"

    def test_for_a_beta_tester(self, campus, port, passing):
        CourseBetaTesterRole(CourseKey.from_string(PY101)).add_users(campus.user(passing))
        assert self.refused(port, passing) == "beta_tester"

    def test_in_a_ccx(self, campus, port, passing):
        ccx = CcxFactory(course_id=CourseKey.from_string(PY101))
        key = CCXLocator.from_course_locator(CourseKey.from_string(PY101), str(ccx.id))
        CourseOverview.get_from_id(key)
        campus.enrol(passing, str(key))
        campus.grade(passing, str(key), 80, passed=True)
        assert self.refused(port, passing, str(key)) == "ccx"

    def test_after_a_person_invalidated_it(self, campus, port, passing):
        campus.certify(passing, PY101)
        campus.invalidate(passing, PY101)
        assert self.refused(port, passing) == "invalidated"

    def test_in_a_course_without_certificates(self, campus, port, passing):
        campus.change_overview(PY101, cert_html_view_enabled=False)
        assert self.refused(port, passing) == "certificates_disabled"

    def test_without_the_identity_check_that_the_platform_demands(self, campus, port, passing, settings):
        settings.FEATURES = {**settings.FEATURES, "ENABLE_CERTIFICATES_IDV_REQUIREMENT": True}
        CourseEnrollment.objects.update(mode="verified")
        assert self.refused(port, passing) == "identity"

    def test_for_nobody_and_nowhere(self, campus, port, passing):
        assert self.refused(port, passing + 9999) == "no_such_learner"
        assert self.ask(port, passing, "course-v1:KMUTT+NONE+2026").reason == "no_such_course"
        assert self.ask(port, passing, "no key").reason == "no_such_course"

    def test_who_is_on_the_allowlist_needs_no_grade(self, campus, port, learner):
        certificates.create_or_update_certificate_allowlist_entry(campus.user(learner), PY101, "exam hall")
        assert self.ask(port, learner).accepted

    def test_asking_the_platform_itself_is_no_question(self, campus, port, learner):
        """What the read-only check spares learners: a refusal takes a certificate back, with an event."""
        campus.certify(learner, PY101)
        campus.certify(learner, PY101, "unverified")
        assert self.ask(port, learner).reason == "not_passing"
        with pytest.raises(AssertionError), self.untouched() as sent:
            certificates.generate_certificate_task(campus.user(learner), CourseKey.from_string(PY101))
        assert CERTIFICATE_REVOKED in sent
        assert campus.certificate(learner, PY101).status == "notpassing"

    def test_a_filter_of_the_operator_that_forbids_it_is_a_refusal(self, campus, port, passing, settings):
        forbid_certificates(settings)
        assert self.ask(port, passing).accepted
        answer = port.request_certificate(passing, PY101)
        assert (answer.accepted, answer.reason) == (False, "prevented")
        assert campus.certificate(passing, PY101) is None

    def test_it_is_one_too_for_who_is_on_the_allowlist(self, campus, port, learner, settings):
        assert port.allow_certificate(learner, PY101)
        forbid_certificates(settings)
        assert port.request_certificate(learner, PY101).reason == "prevented"
        assert campus.certificate(learner, PY101) is None

    def test_a_refused_request_leaves_a_certificate_as_it_is(self, campus, port, learner):
        campus.certify(learner, PY101)
        campus.certify(learner, PY101, "unverified")
        assert port.request_certificate(learner, PY101).reason == "not_passing"
        assert campus.certificate(learner, PY101).status == "unverified"


def test_a_broken_read_of_the_platform_is_an_absence_of_the_platform(port, learner, monkeypatch):
    monkeypatch.setattr(GeneratedCertificate._meta, "db_table", "not_there")
    with pytest.raises(PlatformUnavailable):
        read(port, learner)
