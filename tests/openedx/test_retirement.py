"""A learner who leaves: the platform's retirement is never stopped, and nothing of ours is forgotten."""

import sys
from datetime import timedelta
from types import ModuleType

import pytest
from django.db import transaction
from django.dispatch import Signal

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import Award, CertificateAsk, EvaluationRequest
from mooc_microcred.core import clock, identity, outbox, retirement
from mooc_microcred.core.lease import take_leases
from mooc_microcred.core.models import (
    AuditEntry,
    LearnerIdentity,
    LearnerLease,
    OutboxMessage,
    RetiredLearner,
    StaffRole,
)
from mooc_microcred.exams.models import ExamAdmission
from mooc_microcred_openedx.guards import failures
from mooc_microcred_openedx.wiring import RETIREMENT_SIGNALS, connect_optional_receivers
from tests.support import events
from tests.support.definitions import RUN

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def platform_signals(monkeypatch):
    """The platform's module of retirement signals, importable; connected as at start."""
    path = "openedx.core.djangoapps.user_api.accounts.signals".split(".")
    for end in range(1, len(path) + 1):
        monkeypatch.setitem(sys.modules, ".".join(path[:end]), ModuleType(".".join(path[:end])))
    module = sys.modules[".".join(path)]
    for name in RETIREMENT_SIGNALS:
        setattr(module, name, Signal())
    connect_optional_receivers()
    connect_optional_receivers()
    return module


def relay_all():
    while (report := outbox.relay()).done:
        assert report.failed + report.dead == 0


@pytest.mark.parametrize("name", RETIREMENT_SIGNALS)
def test_the_platforms_signal_appends_one_message(platform_signals, user, name):
    getattr(platform_signals, name).send(sender=object, user=user)
    message = OutboxMessage.objects.get()
    assert (message.topic, message.learner_id, message.payload) == ("learner.retired", user.pk, {})


def test_a_failure_does_not_stop_the_platforms_retirement(platform_signals, user, monkeypatch):
    monkeypatch.setattr(OutboxMessage._meta, "db_table", "mooc_microcred_not_migrated")
    with transaction.atomic():
        platform_signals.USER_RETIRE_LMS_MISC.send(sender=object, user=user)
        user.username = "retired__user_1"
        user.save()
    user.refresh_from_db()
    assert user.username == "retired__user_1"
    assert failures == {"learner_retired": 1}


def test_everything_personal_and_everything_pending_is_gone(platform_signals, watched, platform, user):
    platform.certify(user.pk, RUN)
    events.send_certificate_created(user.pk, RUN)
    api.evaluate_due()
    identity.record_identity(
        learner_id=user.pk, kind="passport", number="AB1234567", verified_by="thaid", actor_id=None
    )
    StaffRole.objects.create(user_id=user.pk, role="verifier")
    CertificateAsk.objects.create(learner_id=user.pk, course_key=RUN, checked_at=clock.now())
    ExamAdmission.objects.create(
        exam_code="e", organization="KMUTT", number="1", learner_id=user.pk, created=clock.now()
    )
    events.send_certificate_changed(user.pk, RUN)

    platform_signals.USER_RETIRE_LMS_MISC.send(sender=object, user=user)
    relay_all()

    for model in (LearnerIdentity, EvaluationRequest, CertificateAsk, ExamAdmission):
        assert not model.objects.filter(learner_id=user.pk).exists()
    assert not StaffRole.objects.filter(user_id=user.pk).exists()
    assert retirement.retired_among([user.pk, 999]) == {user.pk}
    # The award stays, under an id that names nobody any more.
    assert Award.objects.filter(learner_id=user.pk, live=True).count() == 1


def test_late_events_of_a_retired_learner_make_nothing(watched, platform, user):
    retirement.retire_learner(learner_id=user.pk)
    platform.certify(user.pk, RUN)
    events.send_certificate_created(user.pk, RUN)
    api.evaluate_due()
    assert not Award.objects.filter(learner_id=user.pk).exists()
    assert not EvaluationRequest.objects.filter(learner_id=user.pk).exists()


def test_both_signals_and_a_repeated_message_are_one_retirement(platform_signals, user):
    for name in RETIREMENT_SIGNALS:
        getattr(platform_signals, name).send(sender=object, user=user)
    relay_all()
    assert RetiredLearner.objects.count() == 1
    assert AuditEntry.objects.filter(action="learner.retired").count() == 1


def test_while_somebody_writes_the_learners_awards_retirement_waits_and_then_happens(platform_signals, user):
    take_leases([user.pk])
    platform_signals.USER_RETIRE_LMS_MISC.send(sender=object, user=user)
    assert outbox.relay().failed == 1
    assert not RetiredLearner.objects.exists()
    LearnerLease.objects.update(expires=clock.now())
    with clock.shifted(timedelta(minutes=5)):
        relay_all()
    assert RetiredLearner.objects.get().learner_id == user.pk


def test_a_room_that_fails_leaves_nothing_half_done(user, monkeypatch):
    identity.record_identity(
        learner_id=user.pk, kind="passport", number="AB1234567", verified_by="thaid", actor_id=None
    )

    def fails(learner_id):
        raise RuntimeError

    monkeypatch.setitem(retirement._hooks, "failing", fails)
    with pytest.raises(RuntimeError):
        retirement.retire_learner(learner_id=user.pk)
    assert LearnerIdentity.objects.filter(learner_id=user.pk).exists()
    assert not RetiredLearner.objects.exists()
