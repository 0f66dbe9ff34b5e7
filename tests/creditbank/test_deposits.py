"""Each credit that a bank has acknowledged is told once, and whoever is told can read it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from mooc_microcred.core import clock
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.creditbank import api
from mooc_microcred.creditbank.models import Delivery
from tests.creditbank.conftest import LEARNER, ready_award, record_of
from tests.support import factories

pytestmark = pytest.mark.django_db


def messages():
    return [one.payload for one in OutboxMessage.objects.filter(topic=api.DEPOSITED)]


def test_a_deposit_is_told_when_its_receipt_is_there_and_not_before(central):
    award = ready_award()
    assert messages() == []
    api.deliver_due(limit=10)
    api.deliver_due(limit=10)
    delivery = Delivery.objects.get()
    assert messages() == [{"delivery": delivery.key}]
    deposit = api.get_deposit(key=delivery.key)
    assert (deposit.award, deposit.record) == (award.uuid, record_of(award).uuid)
    assert (deposit.learner_id, deposit.bank, deposit.credits) == (LEARNER, "central", Decimal("3.00"))
    assert (deposit.receipt, deposit.replaces) == (delivery.receipt, False)


def test_what_no_bank_has_acknowledged_is_no_deposit(central):
    award = ready_award()
    assert api.get_deposit(key=record_of(award).deliveries.get().key) is None
    assert api.get_deposit(key="unknown") is None


def test_a_reversal_is_no_deposit(central):
    award = ready_award()
    api.deliver_due(limit=10)
    factories.revoke(award)
    factories.relay_all()
    with clock.shifted(timedelta(minutes=1)):
        api.deliver_due(limit=10)
    reversal = record_of(award).deliveries.get(kind="reverse")
    assert reversal.state == "acknowledged"
    assert len(messages()) == 1
    assert api.get_deposit(key=reversal.key) is None
