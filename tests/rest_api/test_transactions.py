"""The platform wraps requests in transactions (ATOMIC_REQUESTS): what stays and what does not."""

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import path

from mooc_microcred.achievements.models import Award, AwardEvent
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.errors import WrongState
from mooc_microcred.core.lease import LeaseBusy
from mooc_microcred.core.models import AuditEntry, LearnerLease
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred.core.rest_api.views import ApiView, operation
from mooc_microcred.rest_api.v1.urls import urlpatterns as api
from tests.rest_api.world import BASE, build_world

TAKE_A_LEASE = {"revoke-award", "suspend-award", "reinstate-award", "allow-award-again"}


class WriteAndRefuse(ApiView):
    """Writes a line and then finds out that it cannot be done."""

    error: Exception = WrongState("no")

    @operation("write_and_refuse", "Write and refuse", tag="my")
    def post(self):
        log_action(actor_id=1, action="test.refused", object_type="test", object_id=1)
        raise self.error


urlpatterns = [
    path("refuse/", WriteAndRefuse.as_view()),
    path("busy/", WriteAndRefuse.as_view(error=LeaseBusy(1))),
    path("away/", WriteAndRefuse.as_view(error=PlatformUnavailable("away"))),
]


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("address", "status"), [("refuse", 409), ("busy", 409), ("away", 503)])
def test_what_a_refused_request_has_written_does_not_stay(django_user_model, address, status):
    client = Client()
    client.force_login(django_user_model.objects.create_user("ann"))
    assert client.post(f"/{address}/", content_type="application/json").status_code == status
    assert not AuditEntry.objects.filter(action="test.refused").exists()


def test_verbs_that_take_a_lease_are_outside_of_the_requests_transaction():
    """A lease inside it would be seen by nobody until the end, and block who asks for it."""
    outside = {one.name for one in api if "default" in getattr(one.callback, "_non_atomic_requests", ())}
    assert outside == TAKE_A_LEASE


@pytest.mark.django_db(transaction=True)
def test_a_decision_is_committed_and_its_lease_given_back(platform):
    with transaction.atomic():
        world = build_world(platform)
    client = Client()
    client.force_login(world.person("programme_officer@KMUTT"))
    seen = []

    def watch(execute, sql, params, many, context):
        if "learnerlease" in sql.lower() and sql.startswith(("INSERT", "UPDATE")):
            seen.append(connection.in_atomic_block)
        return execute(sql, params, many, context)

    LearnerLease.objects.all().delete()
    with connection.execute_wrapper(watch):
        answer = client.post(
            f"{BASE}staff/awards/{world.things['award']}/revoke/",
            {"note": "A mistake."},
            content_type="application/json",
        )
    assert answer.status_code == 200
    assert Award.objects.get(uuid=world.things["award"]).state == "revoked"
    assert AwardEvent.objects.filter(award__uuid=world.things["award"], kind="revoked").count() == 1
    assert LearnerLease.objects.get(learner_id=world.things["ann"]).token == ""
    # The lease is taken where others see it at once.
    assert seen[0] is False
