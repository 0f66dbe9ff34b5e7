"""What operators do to a real LMS: old certificates, learners who leave, access to data, public events."""

from tests.platform.only import only_in

only_in("lms")

# ruff: noqa: E402 the platform is imported after it is known to be there
import json
from datetime import UTC, datetime, timedelta

import pytest
from common.djangoapps.student.tests.factories import SuperuserFactory
from django.core.management import call_command
from django.test.utils import override_settings
from django.urls import reverse
from lms.djangoapps.certificates.models import GeneratedCertificate
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.user_api.accounts.views import USER_RETIRE_LMS_MISC
from openedx.core.djangoapps.user_api.models import RetirementState, UserRetirementStatus
from openedx_events.learning.signals import BADGE_AWARDED
from openedx_events.tooling import OpenEdxPublicSignal
from rest_framework.test import APIClient

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import Award, Backfill, CertificateAsk, EvaluationRequest
from mooc_microcred.core import clock, identity, lease, outbox, retirement
from mooc_microcred.core.models import LearnerIdentity, OutboxMessage, RetiredLearner, StaffRole
from mooc_microcred_openedx.signals import MICROCRED_AWARD_ISSUED
from tests.support.definitions import level1, programme
from tests.support.platform_contract import PY101, PY102

pytestmark = pytest.mark.django_db(databases="__all__")

RETIREMENT_STATES = [
    ("PENDING", 1, False, True),
    ("RETIRING_LMS", 2, False, False),
    ("LMS_COMPLETE", 3, False, False),
    ("ERRORED", 4, True, True),
    ("COMPLETE", 5, True, True),
]


@pytest.fixture
def learner(campus):
    campus.add_course(PY101)
    learner = campus.add_learner("somying", name="สมหญิง ใจดี", email="somying@example.ac.th")
    campus.enrol(learner, PY101)
    EvaluationRequest.objects.all().delete()
    return learner


def settle() -> None:
    while api.evaluate_due().requests:
        pass


def relay_all() -> None:
    while (report := outbox.relay()).done:
        assert not report.failed


class TestBackfill:
    @pytest.fixture
    def holders(self, campus):
        """Certificates of every kind, from before the suite was there."""
        campus.add_course(PY101)
        campus.add_course(PY102)
        people = {}
        for number, status in enumerate(
            ["downloadable", "downloadable", "notpassing", "unverified", "unavailable", "downloadable"]
        ):
            one = people[number] = campus.add_learner(f"learner{number}")
            for course in (PY101, PY102):
                campus.enrol(one, course)
                campus.grade(one, course, 80, passed=True)
                campus.certify(one, course)
            if status != "downloadable":
                campus.certify(one, PY101, status)
        campus.invalidate(people[5], PY101)
        EvaluationRequest.objects.all().delete()
        return people

    def test_real_certificates_become_what_evaluation_would_have_made_of_them(self, campus, holders, capsys):
        level1()
        level1(
            "py102-l1",
            mode="own_with_platform",
            rule={"course_grade": {"passed": True}},
            course={"organization": "KMUTT", "number": "PY102"},
        )
        programme("python", {"all": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]})
        call_command("microcred_backfill", "--all", "--dry-run", "--no-rest", "--page", "5")
        assert not Award.objects.exists()
        said = capsys.readouterr().out
        call_command("microcred_backfill", "--all", "--no-rest", "--page", "5")
        assert said.splitlines()[0].split(":")[0] in capsys.readouterr().out
        held = {}
        for award in Award.objects.filter(live=True).select_related("achievement"):
            held.setdefault(award.learner_id, set()).add(award.achievement.code)
        everything, second = {"py101-l1", "py102-l1", "python"}, {"py102-l1"}
        assert held == {holders[number]: everything if number in (0, 1) else second for number in holders}
        for award in Award.objects.filter(achievement__code="py102-l1"):
            certificate = campus.certificate(award.learner_id, PY102)
            assert award.evidence["certificate"] == certificate.verify_uuid
            assert award.evidence["grade"] == {"percent": "80.00", "passed": True}
        before = list(Award.objects.order_by("id").values())
        for one in holders.values():
            api.request_evaluation(learner_id=one, reason="check")
        settle()
        assert list(Award.objects.order_by("id").values()) == before
        assert {one.topic for one in OutboxMessage.objects.all()} == {"awards.backfilled"}

    def test_a_certificate_that_is_not_shown_yet_is_an_award_that_is_not_shown(self, campus, holders):
        level1()
        campus.show_certificates_from(PY101, datetime.now(UTC) + timedelta(days=1))
        call_command("microcred_backfill", "--course", PY101, "--no-rest")
        assert Award.objects.filter(live=True).count() == 2
        assert not Award.objects.filter(published_at__isnull=False).exists()
        with clock.shifted(timedelta(days=2)):
            campus.show_certificates_from(PY101, datetime.now(UTC) - timedelta(days=1))
            settle()
        assert Award.objects.filter(published_at__isnull=False).count() == 2

    def test_the_platforms_rows_are_only_read(self, campus, holders):
        level1()
        before = list(GeneratedCertificate.objects.order_by("id").values())
        call_command("microcred_backfill", "--all", "--no-rest")
        assert list(GeneratedCertificate.objects.order_by("id").values()) == before
        assert Backfill.objects.get().finished_at is not None

    def test_a_page_costs_as_many_queries_for_one_as_for_many(self, campus, holders):
        level1()
        api.current_catalogue()
        few = campus.queries(lambda: api.preview_backfill(course_keys=[PY101], after=0, limit=1))
        assert campus.queries(lambda: api.preview_backfill(course_keys=[PY101], after=0, limit=100)) == few


class TestRetirement:
    @pytest.fixture
    def leaving(self, campus, learner):
        """A learner with everything that the suite holds, whom the platform's pipeline is retiring."""
        level1()
        campus.certify(learner, PY101)
        settle()
        identity.record_identity(
            learner_id=learner, kind="passport", number="AB1234567", verified_by="thaid", actor_id=None
        )
        StaffRole.objects.create(user_id=learner, role="verifier")
        CertificateAsk.objects.create(learner_id=learner, course_key=PY101, checked_at=clock.now())
        campus.certify(learner, PY101)
        for name, order, dead_end, required in RETIREMENT_STATES:
            RetirementState.objects.create(
                state_name=name, state_execution_order=order, is_dead_end_state=dead_end, required=required
            )
        status = UserRetirementStatus.create_retirement(campus.user(learner))
        status.current_state = RetirementState.objects.get(state_name="RETIRING_LMS")
        status.save()
        return learner

    @pytest.fixture
    def pipeline(self):
        """The platform's own retirement pipeline, which calls its API."""
        worker = SuperuserFactory.create(username="retirement_worker")
        client = APIClient()
        client.force_authenticate(worker)

        def call(view: str, username: str) -> int:
            with override_settings(RETIREMENT_SERVICE_WORKER_USERNAME=worker.username):
                return client.post(reverse(view), {"username": username}, format="json").status_code

        return call

    def test_the_platforms_own_views_retire_the_learner_here(self, campus, leaving, pipeline):
        assert EvaluationRequest.objects.filter(learner_id=leaving).exists()
        assert pipeline("accounts_retire_misc", "somying") == 204
        assert RetiredLearner.objects.filter(learner_id=leaving).exists()
        for model in (LearnerIdentity, EvaluationRequest, CertificateAsk):
            assert not model.objects.filter(learner_id=leaving).exists()
        assert not StaffRole.objects.filter(user_id=leaving).exists()
        assert pipeline("accounts_retire", "somying") == 204
        assert campus.user(leaving).username != "somying"
        # The pipeline sends each step again when a later one has failed.
        assert RetiredLearner.objects.count() == 1
        assert Award.objects.filter(learner_id=leaving, live=True).count() == 1
        campus.certify(leaving, PY101)
        settle()
        assert not EvaluationRequest.objects.filter(learner_id=leaving).exists()

    def test_a_failure_is_answered_with_500_and_the_next_call_does_it(
        self, campus, leaving, pipeline, monkeypatch
    ):
        with monkeypatch.context() as broken:
            broken.setattr(CertificateAsk._meta, "db_table", "mooc_microcred_not_migrated")
            assert pipeline("accounts_retire_misc", "somying") == 500
        assert not RetiredLearner.objects.exists()
        assert pipeline("accounts_retire_misc", "somying") == 204
        assert RetiredLearner.objects.exists()

    def test_awards_that_are_being_written_fail_no_step_of_the_pipeline(self, leaving, pipeline, monkeypatch):
        monkeypatch.setattr(retirement.retire_or_queue, "__kwdefaults__", {"patience": 0.1})
        token, _ = lease.take_leases([leaving])
        assert pipeline("accounts_retire_misc", "somying") == 204
        assert LearnerIdentity.objects.filter(learner_id=leaving).exists()
        lease.release_leases(token)
        relay_all()
        assert not LearnerIdentity.objects.filter(learner_id=leaving).exists()

    def test_only_these_receivers_of_ours_listen(self):
        ours = [ref for key, *ref in USER_RETIRE_LMS_MISC.receivers if "mooc_microcred" in str(key)]
        assert len(ours) == 1


def test_a_learners_data_is_exported_with_what_the_real_platform_led_to(campus, learner, tmp_path):
    level1()
    campus.certify(learner, PY101)
    settle()
    target = tmp_path / "data.json"
    call_command("microcred_export_learner", "--username", "somying", "--output", str(target))
    found = json.loads(target.read_text(encoding="utf-8"))
    (award,) = found["rooms"]["achievements"]["awards"]
    assert award["evidence"]["certificate"] == campus.certificate(learner, PY101).verify_uuid


def test_public_events_are_sent_and_the_platform_knows_them(campus, learner):
    """The platform has checked the settings of the event bus with them when it started."""
    assert OpenEdxPublicSignal.get_signal_by_type(MICROCRED_AWARD_ISSUED.event_type) is MICROCRED_AWARD_ISSUED
    from django.conf import settings

    config = settings.EVENT_BUS_PRODUCER_CONFIG[MICROCRED_AWARD_ISSUED.event_type]
    assert [one["enabled"] for one in config.values()] == [False]
    heard = []

    def own(award, **_):
        heard.append(award)

    def badges(badge, **_):
        heard.append(badge)

    MICROCRED_AWARD_ISSUED.connect(own)
    BADGE_AWARDED.connect(badges)
    try:
        level1()
        campus.certify(learner, PY101)
        settle()
        relay_all()
    finally:
        MICROCRED_AWARD_ISSUED.disconnect(own)
        BADGE_AWARDED.disconnect(badges)
    award, badge = heard
    assert (award.user_id, award.course_key) == (learner, CourseKey.from_string(PY101))
    assert (badge.user.pii.username, badge.user.pii.name) == ("somying", "สมหญิง ใจดี")
    assert badge.uuid == award.uuid
