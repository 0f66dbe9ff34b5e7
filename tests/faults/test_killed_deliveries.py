"""From the event to the bank: killed at any line, and a bank that fails, loses and doubles no credit."""

from datetime import timedelta

import pytest

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import Award
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.identity import record_identity
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank.models import CreditRecord, Delivery
from sandbox.bank import Bank
from tests.creditbank.conftest import NAME, NATIONAL_ID, SECRET, https_settings
from tests.faults import ledger
from tests.faults.services import wait_for
from tests.faults.test_killed_workers import killed_at_every_line
from tests.support import events
from tests.support.definitions import RUN, level1

pytestmark = [
    pytest.mark.services,
    # The bank's thread waits for a connection while the test forks.
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

LEARNER = 7


@pytest.fixture
def bank(mariadb, settings, tmp_path):
    """Return a bank in a thread of this process, set up as the one that takes everything."""
    with Bank(tmp_path, keys={"test": SECRET}, clock=lambda: clock.now().timestamp()) as one:
        configured = https_settings(one, kinds=["level1"])
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "BANKS": {"central": configured}}
        yield one


def wait_at_most(seconds, settings):
    """Set how long a worker listens to the bank."""
    central = settings.MOOC_MICROCRED["BANKS"]["central"]
    patient = {**central, "options": {**central["options"], "timeout": seconds}}
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "BANKS": {"central": patient}}


def certified_learner(platform):
    """Make a learner who has agreed, is identified and has a certificate; its event has come."""
    level1()
    platform.add_learner(LEARNER, name=NAME)
    platform.certify(LEARNER, RUN)
    creditbank.give_consent(learner_id=LEARNER, bank="central", text_version="2569-1", language="th")
    record_identity(
        learner_id=LEARNER, kind="national_id", number=NATIONAL_ID, verified_by="thaid", actor_id=None
    )
    while outbox.relay().done:
        pass
    events.send_certificate_created(LEARNER, RUN)


def everything_once():
    """Do what the tasks do, one after the other."""
    api.evaluate_due()
    outbox.relay()
    creditbank.deliver_due()


def finish():
    """Let a healthy worker work until nothing waits any more, for hours if need be."""
    for minutes in range(5, 305, 10):
        with clock.shifted(timedelta(minutes=minutes)):
            everything_once()
            everything_once()
            waiting = (
                OutboxMessage.objects.exclude(state="done").exists()
                or Delivery.objects.filter(state__in=["pending", "sent"]).exists()
            )
            if not waiting:
                ledger.drain()
                ledger.assert_sound()
                return
    raise AssertionError("something still waits after five hours")


def assert_told(bank, *kinds):
    """Assert that the bank was told these things in this order, each once, and that we know it."""
    assert not Delivery.objects.filter(state="dead").exists()
    record = CreditRecord.objects.get()
    messages = bank.store.of_record(record.uuid)
    assert [message["body"]["kind"] for message in messages] == list(kinds)
    told = list(record.deliveries.order_by("sequence").values_list("sequence", "kind", "state"))
    assert told == [(place, kind, "acknowledged") for place, kind in enumerate(kinds, 1)]
    receipts = list(record.deliveries.order_by("sequence").values_list("receipt", flat=True))
    assert receipts == [message["receipt"] for message in messages]


def test_killed_at_any_line_from_the_event_to_the_banks_receipt_deposits_once(mariadb, start, bank):
    def prepare():
        certified_learner(mariadb)

    def check():
        finish()
        assert_told(bank, "deposit")
        assert CreditRecord.objects.get().state == "deposited"
        assert ledger.histories(LEARNER) == [("py101-l1", ("issued",))]

    assert killed_at_every_line(start, prepare, everything_once, check) >= 40


def test_killed_at_any_line_from_the_revocation_to_the_banks_receipt_reverses_once(mariadb, start, bank):
    def prepare():
        certified_learner(mariadb)
        everything_once()
        assert_told(bank, "deposit")
        mariadb.certify(LEARNER, RUN, status="unavailable")
        events.send_certificate_revoked(LEARNER, RUN)

    def check():
        finish()
        assert_told(bank, "deposit", "reverse")
        assert CreditRecord.objects.get().state == "reversed"
        assert ledger.histories(LEARNER) == [("py101-l1", ("issued", "revoked"))]

    assert killed_at_every_line(start, prepare, everything_once, check) >= 40


@pytest.mark.parametrize(
    "mode",
    [
        "error",
        "error_after_storing",
        "break",
        "break_after_storing",
        "timeout",
        "timeout_after_storing",
        "twice",
        "garbage",
    ],
)
def test_a_vendor_that_fails_loses_and_doubles_no_award(mariadb, bank, settings, mode):
    """Credentials badges: the vendor answers 500 and the award is lost for good."""
    wait_at_most(0.5, settings)
    certified_learner(mariadb)
    bank.misbehave(mode, seconds=2)
    everything_once()
    assert ledger.live(LEARNER) == {"py101-l1": "active"}, "the award does not depend on the vendor"
    finish()
    assert_told(bank, "deposit")


def test_a_connection_error_to_the_vendor_leaves_nothing_half_made(mariadb, bank, settings):
    """Credentials badges: lost, with the state left at "created"."""
    certified_learner(mariadb)
    there = settings.MOOC_MICROCRED["BANKS"]
    nobody = https_settings(bank, kinds=["level1"])
    nobody["options"]["url"] = "http://127.0.0.1:9/"
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "BANKS": {"central": nobody}}
    everything_once()
    assert Delivery.objects.get().state == "pending", "nothing can have arrived, and it will be tried again"
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "BANKS": there}
    finish()
    assert_told(bank, "deposit")


@pytest.mark.parametrize("mode", ["timeout", "timeout_after_storing"])
def test_a_process_killed_in_the_vendor_call_loses_and_doubles_no_award(mariadb, start, bank, settings, mode):
    """Credentials badges: lost, and sending the event again does not repair it."""
    wait_at_most(20, settings)
    certified_learner(mariadb)
    bank.misbehave(mode, seconds=20)
    worker = start(everything_once)
    wait_for(lambda: bank.requests, what="the worker speaks to the bank")
    worker.kill_now()
    assert Award.objects.filter(live=True).count() == 1
    events.send_certificate_created(LEARNER, RUN)
    finish()
    assert_told(bank, "deposit")
    assert ledger.histories(LEARNER) == [("py101-l1", ("issued",))]


def test_two_relays_and_two_deliverers_at_once_deposit_each_award_once(mariadb, start, bank):
    level1()
    learners = range(1, 21)
    for learner in learners:
        mariadb.add_learner(learner, name=NAME)
        mariadb.certify(learner, RUN)
        creditbank.give_consent(learner_id=learner, bank="central", text_version="2569-1", language="th")
        record_identity(
            learner_id=learner,
            kind="passport",
            number=f"AA{learner:07d}",
            verified_by="officer:1",
            actor_id=None,
        )
        for _ in range(2):
            events.send_certificate_created(learner, RUN)

    def work():
        for _ in range(4):
            everything_once()

    for worker in [start(work) for _ in range(3)]:
        assert worker.wait()
    finish()
    messages = bank.store.all()
    assert len(messages) == len(learners)
    assert len({message["body"]["record"] for message in messages}) == len(learners)
    assert set(CreditRecord.objects.values_list("state", flat=True)) == {"deposited"}
