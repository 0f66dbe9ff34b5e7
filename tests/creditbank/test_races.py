"""What happens between two lines: each test acts at a moment at which another process could."""

from datetime import timedelta

import pytest

from mooc_microcred.core import clock
from mooc_microcred.creditbank import api
from mooc_microcred.creditbank.backends.https_json import HttpsJsonBackend
from mooc_microcred.creditbank.models import Delivery
from tests.creditbank.conftest import LEARNER, https_settings, ready_award, received, record_of, told
from tests.support import factories
from tests.support.memory_platform import the_platform

pytestmark = pytest.mark.django_db


class BackendWithVisitor(HttpsJsonBackend):
    """The real back end; somebody does something right before and right after each exchange."""

    before = after = staticmethod(lambda: None)

    def deliver(self, parcels, *, now):
        type(self).before()
        found = list(super().deliver(parcels, now=now))
        type(self).after()
        yield from found


@pytest.fixture
def visited(central, configure):
    settings = https_settings(central, backend=f"{__name__}.BackendWithVisitor")
    configure(BANKS={"central": settings})
    BackendWithVisitor.before = BackendWithVisitor.after = staticmethod(lambda: None)
    return BackendWithVisitor


@pytest.fixture
def after_the_claim(monkeypatch):
    """Return a function whose argument is called between the claim and the sealing."""

    def arrange(action):
        read_learners = the_platform.read_learners

        def read_and_act(ids):
            action()
            return read_learners(ids)

        monkeypatch.setattr(the_platform, "read_learners", read_and_act)

    return arrange


def test_consent_withdrawn_between_claim_and_sealing_sends_nothing(central, after_the_claim):
    award = ready_award()
    after_the_claim(lambda: api.withdraw_consent(learner_id=LEARNER, bank="central"))
    assert api.deliver_due(limit=10).stopped == 1
    assert central.requests == []
    assert told(award) == [(1, "deposit", "cancelled")]
    assert record_of(award).state == "waiting_consent"


@pytest.mark.parametrize("change", [factories.revoke, factories.suspend, factories.expire])
def test_an_award_that_ends_between_claim_and_sealing_sends_nothing(central, after_the_claim, change):
    award = ready_award()
    after_the_claim(lambda: change(award))
    assert api.deliver_due(limit=10).stopped == 1
    assert central.requests == []


def test_consent_withdrawn_while_the_bank_is_spoken_to_keeps_the_receipt(central, visited):
    award = ready_award()
    visited.before = staticmethod(lambda: api.withdraw_consent(learner_id=LEARNER, bank="central"))
    assert api.deliver_due(limit=10).acknowledged == 1
    factories.relay_all()
    assert record_of(award).state == "deposited"


def test_revoked_while_the_bank_is_spoken_to_is_reversed_next(central, visited):
    award = ready_award()

    def revoke():
        visited.before = staticmethod(lambda: None)
        factories.revoke(award)
        factories.relay_all()

    visited.before = staticmethod(revoke)
    assert api.deliver_due(limit=10).acknowledged == 1
    assert told(award) == [(1, "deposit", "acknowledged"), (2, "reverse", "pending")]
    api.deliver_due(limit=10)
    assert [body["kind"] for body in received(central)] == ["deposit", "reverse"]


def test_a_worker_that_wakes_after_its_claim_ran_out_undoes_nothing(central, visited):
    award = ready_award()
    central.misbehave("error")

    def another_worker_takes_over():
        visited.after = staticmethod(lambda: None)
        with clock.shifted(timedelta(hours=1)):
            assert api.deliver_due(limit=10).acknowledged == 1

    visited.after = staticmethod(another_worker_takes_over)
    api.deliver_due(limit=10)
    assert told(award) == [(1, "deposit", "acknowledged")]
    assert len(received(central)) == 1


def test_a_worker_that_wakes_with_bad_news_does_not_touch_the_others_claim(central, visited):
    award = ready_award()
    central.misbehave("error", times=2)

    def another_worker_takes_over():
        visited.after = staticmethod(lambda: None)
        with clock.shifted(timedelta(hours=1)):
            assert api.deliver_due(limit=10).failed == 1

    visited.after = staticmethod(another_worker_takes_over)
    assert api.deliver_due(limit=10).stopped == 1
    delivery = record_of(award).deliveries.get()
    assert (delivery.attempts, delivery.state) == (2, "sent")
    assert delivery.due > clock.now() + timedelta(minutes=59)


def test_no_claimed_delivery_is_taken_by_another_worker(central, visited):
    ready_award()
    seen = []
    visited.before = staticmethod(lambda: seen.append(api.deliver_due(limit=10).total))
    api.deliver_due(limit=10)
    assert seen == [0]
    assert len(central.requests) == 1


def test_a_worker_that_wakes_after_another_took_its_claim_sends_nothing(central, after_the_claim):
    ready_award()
    central.misbehave("error")
    taken_over = []

    def another_worker_takes_over():
        if not taken_over:
            taken_over.append(True)
            with clock.shifted(timedelta(minutes=10)):
                assert api.deliver_due(limit=10).failed == 1

    after_the_claim(another_worker_takes_over)
    assert api.deliver_due(limit=10).stopped == 1
    assert len(central.requests) == 1


def test_what_is_due_out_of_order_is_not_sent(central):
    award = ready_award()
    central.misbehave("break_after_storing")
    api.deliver_due(limit=10)
    factories.revoke(award)
    factories.relay_all()
    record_of(award).deliveries.filter(sequence=2).update(due=clock.now())
    assert api.deliver_due(limit=10).stopped == 1
    assert len(central.requests) == 1
    assert record_of(award).deliveries.get(sequence=2).due is None


@pytest.mark.parametrize("line", ["claimed", "sealed", "answered"])
def test_a_worker_that_dies_leaves_a_delivery_that_comes_back_and_is_stored_once(central, visited, line):
    award = ready_award()

    class Died(BaseException):
        """What no except clause of ours catches, as no code of ours survives kill -9."""

    def die():
        raise Died

    if line == "claimed":
        the_platform.read_learners = lambda ids: die()
    elif line == "sealed":
        visited.before = staticmethod(die)
    else:
        visited.after = staticmethod(die)
    with pytest.raises(Died):
        api.deliver_due(limit=10)
    the_platform.__dict__.pop("read_learners", None)
    visited.before = visited.after = staticmethod(lambda: None)
    assert api.deliver_due(limit=10).total == 0
    with clock.shifted(timedelta(minutes=10)):
        assert api.deliver_due(limit=10).acknowledged == 1
    assert len(received(central)) == 1
    assert len({digest for method, _, digest in central.requests if method == "POST"}) == 1
    assert told(award) == [(1, "deposit", "acknowledged")]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_bank_is_spoken_to(central, visited):
    from django.db import connection

    award = ready_award()
    seen = []
    visited.before = staticmethod(lambda: seen.append(connection.in_atomic_block))
    api.deliver_due(limit=10)
    assert seen == [False]
    factories.revoke(award)
    factories.relay_all()
    api.deliver_due(limit=10)
    assert seen == [False, False]
    assert Delivery.objects.filter(state="acknowledged").count() == 2
