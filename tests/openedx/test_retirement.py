"""A learner who leaves: the platform's retirement is never stopped, and nothing of ours is forgotten."""

import json
import sys
from datetime import timedelta
from types import ModuleType

import pytest
from django.apps import apps
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
from mooc_microcred.core.roles import Actor
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.models import ExamAdmission
from mooc_microcred_openedx.wiring import RETIREMENT_SIGNALS, connect_optional_receivers
from tests.support import events
from tests.support.definitions import RUN, level2

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
def test_the_platforms_signal_retires_at_once_in_the_platforms_own_transaction(platform_signals, user, name):
    with transaction.atomic():
        getattr(platform_signals, name).send(sender=object, user=user)
        transaction.set_rollback(True)
    assert not RetiredLearner.objects.exists()
    with transaction.atomic():
        getattr(platform_signals, name).send(sender=object, user=user)
    assert RetiredLearner.objects.get().learner_id == user.pk
    assert not OutboxMessage.objects.filter(topic="learner.retired").exists()


def test_a_failure_is_told_to_the_platform_without_naming_anybody_and_leaves_nothing_half_done(
    platform_signals, user, monkeypatch
):
    """The platform's view answers 500, and its pipeline asks again."""
    identity.record_identity(
        learner_id=user.pk, kind="passport", number="AB1234567", verified_by="thaid", actor_id=None
    )
    with monkeypatch.context() as broken:
        broken.setattr(CertificateAsk._meta, "db_table", "mooc_microcred_not_migrated")
        with transaction.atomic():
            with pytest.raises(retirement.RetirementFailed) as raised:
                platform_signals.USER_RETIRE_LMS_MISC.send(sender=object, user=user)
            # The platform's own transaction goes on.
            user.first_name = "x"
            user.save()
    assert not any(one in str(raised.value) for one in (user.username, "AB1234567"))
    assert LearnerIdentity.objects.filter(learner_id=user.pk).exists()
    assert not RetiredLearner.objects.exists()
    platform_signals.USER_RETIRE_LMS_MISC.send(sender=object, user=user)
    assert RetiredLearner.objects.exists()
    assert not LearnerIdentity.objects.filter(learner_id=user.pk).exists()


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


def test_while_somebody_writes_the_learners_awards_the_outbox_finishes_it(
    platform_signals, platform, watched, user, monkeypatch
):
    monkeypatch.setattr(retirement.retire_or_queue, "__kwdefaults__", {"patience": 0.1})
    CertificateAsk.objects.create(learner_id=user.pk, course_key=RUN, checked_at=clock.now())
    take_leases([user.pk])
    platform_signals.USER_RETIRE_LMS_MISC.send(sender=object, user=user)
    # Nothing begins for the learner any more, and what is there goes as soon as it can.
    assert RetiredLearner.objects.get().learner_id == user.pk
    assert CertificateAsk.objects.exists()
    assert outbox.relay().failed == 1
    LearnerLease.objects.update(expires=clock.now())
    with clock.shifted(timedelta(minutes=5)):
        relay_all()
    assert not CertificateAsk.objects.exists()
    assert AuditEntry.objects.filter(action="learner.retired").count() == 1


# What names the learner of the test below: no table of ours holds any of it after retirement.
WHO = {"username": "somying_j", "email": "somying.j@example.ac.th", "name": "สมหญิง ใจดีเลิศ"}
NATIONAL_ID, PASSPORT, SEAT = "1101700203450", "AB1234567", "BKK-2569-000417"


def everything_written() -> dict[str, str]:
    """Return all rows of all our tables as text, by table."""
    found = {}
    for model in apps.get_app_config("mooc_microcred").get_models(include_auto_created=True):
        rows = []
        for row in model.objects.values_list():
            for value in row:
                rows.append(
                    bytes(value).decode("latin-1") if isinstance(value, (bytes, memoryview)) else value
                )
        found[model.__name__] = json.dumps(rows, ensure_ascii=False, default=str)
    return found


def test_no_table_names_the_learner_afterwards(platform_signals, watched, platform, user):
    learner = user.pk
    platform.add_learner(learner, **WHO)
    platform.add_learner(learner + 1, username="somchai", name="สมชาย ดีใจ")
    officer = Actor(user_id=900, superuser=True)
    for who, number in ((learner, NATIONAL_ID),):
        identity.record_identity(
            learner_id=who, kind="national_id", number=number, verified_by="thaid", actor_id=900
        )
    identity.record_identity(
        learner_id=learner, kind="passport", number=PASSPORT, verified_by="thaid", actor_id=900
    )
    ExamAdmission.objects.create(
        exam_code="py101-exam", organization="KMUTT", number=SEAT, learner_id=learner, created=clock.now()
    )
    level2()
    # A file whose rows are wrong: they are listed with what stands in them.
    exams.upload_batch(
        actor=officer,
        exam_code="py101-exam",
        file_name=f"result of {WHO['username'].upper()}.csv",
        content="username,national id,passport,score,exam date\n"
        f"{WHO['username']},{NATIONAL_ID[:-1]}9,,999,01/06/2025\n"
        f"{WHO['email']},{NATIONAL_ID},{PASSPORT},80,tomorrow\n".encode(),
    )
    platform.certify(learner, RUN)
    events.send_certificate_created(learner, RUN)
    api.evaluate_due()
    award = Award.objects.get(learner_id=learner)
    api.suspend_award(
        actor=officer, award_uuid=award.uuid, note=f"{WHO['name']} ({SEAT}) copied from {PASSPORT}"
    )
    api.reinstate_award(actor=officer, award_uuid=award.uuid, note=f"ask {WHO['email']} again")
    names = [*WHO.values(), NATIONAL_ID, PASSPORT, SEAT]
    before = " ".join(everything_written().values()).casefold()
    assert all(one.casefold() in before for one in (*WHO.values(), PASSPORT, SEAT)), "else nothing is shown"

    platform_signals.USER_RETIRE_LMS_MISC.send(sender=object, user=user)
    relay_all()

    for table, text in everything_written().items():
        for one in names:
            assert one.casefold() not in text.casefold(), f"{one} stands in {table}"
    award.refresh_from_db()
    assert award.learner_id == learner, "the award stays under an id that names nobody"


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
