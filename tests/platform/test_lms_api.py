"""Learners reach what is theirs through the platform's own ways of signing in, until it retires them."""

from tests.platform.only import only_in

only_in("lms")

# ruff: noqa: E402 the platform is imported after it is known to be there
import pytest
from django.test import Client
from django.urls import reverse
from openedx.core.djangoapps.oauth_dispatch.jwt import create_jwt_for_user
from openedx.core.djangoapps.user_api.models import RetirementState, UserRetirementStatus

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import EvaluationRequest
from mooc_microcred.core import outbox
from mooc_microcred.core.models import RetiredLearner
from tests.support.definitions import level1
from tests.support.platform_contract import PY101

pytestmark = pytest.mark.django_db(databases="__all__")

AWARDS = "/api/mooc_microcred/v1/my/awards/"
ME = "/api/mooc_microcred/v1/me/"


@pytest.fixture
def learner(campus):
    campus.add_course(PY101)
    learner = campus.add_learner("somying", name="สมหญิง ใจดี")
    campus.enrol(learner, PY101)
    level1()
    campus.certify(learner, PY101)
    while api.evaluate_due().requests:
        pass
    return learner


def with_token(user, **claims) -> Client:
    return Client(headers={"authorization": f"JWT {create_jwt_for_user(user, **claims)}"})


class TestApi:
    def check(self, client, learner, award):
        reply = client.get(ME)
        assert reply.status_code == 200, reply.content
        assert reply.json()["id"] == learner
        reply = client.get(AWARDS)
        assert reply.status_code == 200, reply.content
        assert [one["uuid"] for one in reply.json()["results"]] == [award]
        assert "no-store" in reply["Cache-Control"]

    def test_a_token_of_the_platform_and_a_session_read_the_same(self, campus, learner):
        (award,) = api.list_awards(learner_id=learner)
        uuid = campus.hyphened(award.uuid)
        self.check(with_token(campus.user(learner)), learner, uuid)
        self.check(campus.signed_in(learner), learner, uuid)

    def test_others_see_nothing_of_it(self, campus, learner):
        other = campus.add_learner("other")
        assert with_token(campus.user(other)).get(AWARDS).json()["results"] == []

    def test_strangers_are_told_to_sign_in_as_json(self, learner):
        for client in (Client(), Client(headers={"authorization": "JWT a.b.c"})):
            reply = client.get(AWARDS)
            assert reply.status_code == 401
            assert reply.json()["code"] == "not_authenticated"

    def test_a_session_needs_the_csrf_token_for_changes(self, campus, learner):
        client = campus.signed_in(learner, enforce_csrf_checks=True)
        assert client.get(ME).status_code == 200
        reply = client.post("/api/mooc_microcred/v1/my/consents/", {}, content_type="application/json")
        assert reply.status_code == 403


class TestRetirement:
    @pytest.fixture
    def pipeline(self, campus, learner):
        """Bring the learner to the step at which the platform's pipeline retires them in the LMS."""
        for order, state in enumerate(("PENDING", "RETIRING_LMS", "ERRORED", "ABORTED", "COMPLETE")):
            RetirementState.objects.create(
                state_name=state,
                state_execution_order=order,
                is_dead_end_state=order > 1,
                required=order != 1,
            )
        user = campus.user(learner)
        status = UserRetirementStatus.create_retirement(user)
        status.current_state = status.last_state = RetirementState.objects.get(state_name="RETIRING_LMS")
        status.save()
        boss = campus.user(campus.add_learner("boss"))
        boss.is_staff = boss.is_superuser = True
        boss.save()
        username = user.username

        def call(step):
            return with_token(boss).post(
                reverse(step), {"username": username}, content_type="application/json"
            )

        return call

    @pytest.mark.parametrize("step", ["accounts_retire_misc", "accounts_retire"])
    def test_the_platforms_own_step_retires_the_learner_here(self, campus, learner, pipeline, step):
        api.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
        reply = pipeline(step)
        assert reply.status_code == 204, reply.content
        while outbox.relay().done:
            pass
        assert RetiredLearner.objects.filter(learner_id=learner).count() == 1
        assert not EvaluationRequest.objects.filter(learner_id=learner).exists()

    def test_both_steps_and_an_event_afterwards_do_nothing_more(self, campus, learner, pipeline):
        before = api.list_awards(learner_id=learner, include_hidden=True)
        assert pipeline("accounts_retire_misc").status_code == 204
        assert pipeline("accounts_retire").status_code == 204
        while outbox.relay().done:
            pass
        campus.invalidate(learner, PY101)
        assert EvaluationRequest.objects.filter(learner_id=learner).exists()
        report = api.evaluate_due()
        assert (report.issued, report.changed) == (0, 0)
        assert not EvaluationRequest.objects.filter(learner_id=learner).exists()
        assert api.list_awards(learner_id=learner, include_hidden=True) == before

    def test_the_platform_is_told_where_a_learner_could_not_be_retired_and_asks_again(
        self, campus, learner, pipeline, monkeypatch
    ):
        table = RetiredLearner._meta.db_table
        monkeypatch.setattr(RetiredLearner._meta, "db_table", "mooc_microcred_not_migrated")
        assert pipeline("accounts_retire_misc").status_code == 500
        monkeypatch.setattr(RetiredLearner._meta, "db_table", table)
        assert not RetiredLearner.objects.filter(learner_id=learner).exists()
        assert pipeline("accounts_retire_misc").status_code == 204
        assert RetiredLearner.objects.filter(learner_id=learner).count() == 1
