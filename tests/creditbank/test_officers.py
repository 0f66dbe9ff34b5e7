"""What credit officers see and may do, for their organisations only."""

from datetime import timedelta

import pytest

from mooc_microcred.core import clock
from mooc_microcred.core.errors import InvalidInput, NotAllowed, NotFound, WrongState
from mooc_microcred.core.models import AuditEntry, StaffRole
from mooc_microcred.core.roles import Actor
from mooc_microcred.creditbank import api
from tests.creditbank.conftest import LEARNER, ready_award, received, record_of, told
from tests.support import factories

pytestmark = pytest.mark.django_db

OFFICER, AUDITOR, STRANGER, EVERYWHERE = 50, 51, 52, 53


@pytest.fixture(autouse=True)
def _roles():
    for user, role, organization in (
        (OFFICER, "credit_officer", "KMUTT"),
        (AUDITOR, "auditor", "KMUTT"),
        (STRANGER, "credit_officer", "CMU"),
        (EVERYWHERE, "credit_officer", ""),
    ):
        StaffRole.objects.create(user_id=user, role=role, organization=organization)


def actor(user):
    return Actor(user_id=user)


def dead_letter(bank, mode="refuse"):
    award = ready_award()
    bank.misbehave(mode)
    api.deliver_due(limit=10)
    return award, record_of(award).deliveries.get()


def test_records_are_listed_by_organisation(central):
    award = ready_award()
    for user in (OFFICER, AUDITOR, EVERYWHERE):
        assert [one.award for one in api.list_records(actor=actor(user))] == [award.uuid]
    assert api.list_records(actor=actor(STRANGER)) == []
    with pytest.raises(NotAllowed):
        api.list_records(actor=actor(99))
    with pytest.raises(NotAllowed):
        api.list_records(actor=actor(OFFICER), organization="CMU")
    assert api.list_records(actor=Actor(user_id=99, superuser=True))


def test_one_record_is_not_found_by_an_officer_of_another_organisation(central):
    record = record_of(ready_award())
    assert api.get_record(actor=actor(OFFICER), uuid=record.uuid).learner_id == LEARNER
    for user in (STRANGER, 99):
        with pytest.raises(NotFound):
            api.get_record(actor=actor(user), uuid=record.uuid)
    with pytest.raises(NotFound):
        api.get_record(actor=actor(OFFICER), uuid="none")


def test_records_are_filtered_and_paged(central, django_assert_num_queries):
    ready_award()
    for _ in range(4):
        factories.make_award(LEARNER)
    factories.relay_all()
    officer = actor(OFFICER)
    first = api.list_records(actor=officer, limit=2)
    rest = api.list_records(actor=officer, before=first[-1].id, limit=10)
    assert [one.id for one in first + rest] == sorted((one.id for one in first + rest), reverse=True)
    assert len(rest) == 3
    assert api.list_records(actor=officer, state="deposited") == []
    assert len(api.list_records(actor=officer, bank="central", learner_id=LEARNER)) == 5
    for wrong in ({"state": "nonsense"}, {"limit": 0}, {"limit": 10_000}):
        with pytest.raises(InvalidInput):
            api.list_records(actor=officer, **wrong)
    with django_assert_num_queries(2):
        api.list_records(actor=officer, limit=100)


def test_dead_letters_are_listed_with_their_reason_in_words(central):
    award, delivery = dead_letter(central)
    [one] = api.list_deliveries(actor=actor(OFFICER), state="dead")
    assert (one.id, one.error, one.in_doubt) == (delivery.pk, "http_422_unknown_learner", False)
    assert "refused" in one.error_text
    assert api.list_deliveries(actor=actor(STRANGER), state="dead") == []
    assert len(api.list_deliveries(actor=actor(OFFICER), record=record_of(award).uuid)) == 1


def test_a_replay_of_what_the_bank_refused_is_made_anew_from_what_is_true_now(central, platform):
    award, delivery = dead_letter(central)
    platform.add_learner(LEARNER, name="สมหญิง ใหม่")
    assert api.replay_deliveries(actor=actor(OFFICER), delivery_ids=[delivery.pk]) == 1
    assert api.deliver_due(limit=10).acknowledged == 1
    assert told(award) == [(1, "deposit", "cancelled"), (2, "deposit", "acknowledged")]
    assert received(central)[0]["learner"]["name"] == "สมหญิง ใหม่"
    line = AuditEntry.objects.get(action="delivery.replayed")
    assert (line.actor_id, line.organization, line.details["same_bytes"]) == (OFFICER, "KMUTT", False)


def test_a_replay_of_what_the_bank_may_have_sends_the_same_bytes_under_the_same_key(central, configure):
    configure(BANK_MAX_ATTEMPTS=1)
    award, delivery = dead_letter(central, "error_after_storing")
    api.replay_deliveries(actor=actor(OFFICER), delivery_ids=[delivery.pk])
    assert api.deliver_due(limit=10).acknowledged == 1
    assert told(award) == [(1, "deposit", "acknowledged")]
    assert len(set(central.requests)) == 1
    assert len(received(central)) == 1


def test_a_replay_of_a_dead_letter_whose_award_was_revoked_only_asks_and_then_reverses(central, configure):
    configure(BANK_MAX_ATTEMPTS=1)
    award, delivery = dead_letter(central, "error_after_storing")
    factories.revoke(award)
    factories.relay_all()
    api.replay_deliveries(actor=actor(OFFICER), delivery_ids=[delivery.pk])
    with clock.shifted(timedelta(hours=1)):
        api.deliver_due(limit=10)
        api.deliver_due(limit=10)
    assert [method for method, *_ in central.requests] == ["POST", "GET", "POST"]
    assert record_of(award).state == "reversed"


def test_only_a_credit_officer_of_the_organisation_may_replay(central):
    _, delivery = dead_letter(central)
    with pytest.raises(NotAllowed):
        api.replay_deliveries(actor=actor(AUDITOR), delivery_ids=[delivery.pk])
    with pytest.raises(NotFound):
        api.replay_deliveries(actor=actor(STRANGER), delivery_ids=[delivery.pk])
    with pytest.raises(NotFound):
        api.replay_deliveries(actor=actor(OFFICER), delivery_ids=[delivery.pk, 10**9])
    delivery.refresh_from_db()
    assert delivery.state == "dead"
    assert not AuditEntry.objects.filter(action="delivery.replayed").exists()


def test_what_is_not_a_dead_letter_is_not_replayed_and_nothing_else_is(central):
    _, dead = dead_letter(central)
    award = factories.make_award(LEARNER)
    factories.relay_all()
    pending = record_of(award).deliveries.get()
    with pytest.raises(WrongState):
        api.replay_deliveries(actor=actor(OFFICER), delivery_ids=[dead.pk, pending.pk])
    dead.refresh_from_db()
    assert dead.state == "dead"
