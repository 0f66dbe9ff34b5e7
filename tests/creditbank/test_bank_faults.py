"""A bank that answers 500, not at all, twice, somebody else's receipt, or hangs up after it has stored."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mooc_microcred.core import clock
from mooc_microcred.creditbank import api
from mooc_microcred.creditbank.models import Delivery
from tests.creditbank.conftest import LEARNER, consent, https_settings, ready_award, received, record_of, told
from tests.support import factories

pytestmark = pytest.mark.django_db

LATER = timedelta(hours=7)


def bodies_sent(bank):
    return {digest for method, _, digest in bank.requests if method == "POST"}


@pytest.mark.parametrize(
    "mode",
    [
        "error",
        "error_after_storing",
        "timeout",
        "timeout_after_storing",
        "break",
        "break_after_storing",
        "garbage",
        "flood",
        "busy",
        "unauthorised",
        "redirect",
    ],
)
def test_after_a_fault_the_same_bytes_are_sent_again_and_stored_once(central, mode):
    award = ready_award()
    central.misbehave(mode, times=2, seconds=3)
    for attempt in range(2):
        with clock.shifted(attempt * LATER):
            assert api.deliver_due(limit=10).failed == 1
    assert record_of(award).state == "sending"
    with clock.shifted(2 * LATER):
        assert api.deliver_due(limit=10).acknowledged == 1
    assert len(received(central)) == 1
    assert len({key for _, key, _ in central.requests}) == 1
    assert len(bodies_sent(central)) == 1
    assert record_of(award).state == "deposited"


def test_the_bytes_stay_the_same_when_the_learner_changes_name_between_two_attempts(central, platform):
    ready_award()
    central.misbehave("break_after_storing")
    api.deliver_due(limit=10)
    platform.add_learner(LEARNER, name="สมหญิง เปลี่ยนชื่อ")
    with clock.shifted(LATER):
        assert api.deliver_due(limit=10).acknowledged == 1
    assert len(bodies_sent(central)) == 1


def test_a_bank_that_answers_twice_confuses_no_later_delivery(central):
    first, second = ready_award(), factories.make_award(LEARNER)
    factories.relay_all()
    central.misbehave("twice", times=2)
    assert api.deliver_due(limit=10).acknowledged == 2
    receipts = {one.record.award_id: one.receipt for one in Delivery.objects.all()}
    by_award = {one["body"]["award"]["uuid"]: one["receipt"] for one in central.store.all()}
    assert receipts == {first.pk: by_award[first.uuid], second.pk: by_award[second.uuid]}


def test_a_slow_bank_is_waited_for(central):
    award = ready_award()
    central.misbehave("slow", seconds=0.4)
    assert api.deliver_due(limit=10).acknowledged == 1
    assert record_of(award).state == "deposited"


def test_a_bank_that_is_not_there_is_tried_again(central):
    award = ready_award()
    central.stop()
    assert api.deliver_due(limit=10).failed == 1
    [delivery] = record_of(award).deliveries.all()
    assert delivery.last_error == "unreachable"
    # It surely has nothing, so the message may still be stopped.
    assert delivery.state == "pending"
    assert "could not be reached" in api.my_account(learner_id=LEARNER).records[0].status


def test_a_bank_that_is_away_is_not_asked_for_every_delivery(central):
    ready_award()
    for _ in range(9):
        factories.make_award(LEARNER)
    factories.relay_all()
    central.stop()
    report = api.deliver_due(limit=10)
    assert (report.failed, report.postponed) == (3, 7)
    assert Delivery.objects.filter(attempts__gt=0).count() == 3


def test_the_wait_grows_and_ends_in_a_dead_letter(central, configure):
    configure(BANK_MAX_ATTEMPTS=4, BANK_BACKOFF_FIRST=100, BANK_BACKOFF_MAX=1000)
    award = ready_award()
    central.misbehave("error", times=99)
    waits = []
    moment = timedelta()
    for _ in range(4):
        with clock.shifted(moment):
            api.deliver_due(limit=10)
            assert api.deliver_due(limit=10).total == 0
            delivery = record_of(award).deliveries.get()
            if delivery.due:
                waits.append(delivery.due - clock.now())
                moment += waits[-1] + timedelta(seconds=1)
    assert [50 <= waits[0].seconds <= 100, 100 <= waits[1].seconds <= 200, 200 <= waits[2].seconds <= 400]
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("dead", 4, "http_500_fault")
    assert record_of(award).state == "failed"
    assert delivery.sent_at is not None


def test_the_bank_says_when_to_come_again(central):
    award = ready_award()
    central.misbehave("busy", seconds=1800)
    api.deliver_due(limit=10)
    wait = record_of(award).deliveries.get().due - clock.now()
    assert timedelta(seconds=1790) < wait <= timedelta(seconds=1800)


def test_a_refusal_is_a_dead_letter_at_once_and_keeps_the_code_only(central):
    award = ready_award()
    central.misbehave("refuse")
    assert api.deliver_due(limit=10).dead == 1
    delivery = record_of(award).deliveries.get()
    assert (delivery.state, delivery.last_error) == ("dead", "http_422_unknown_learner")
    assert delivery.sent_at is None
    assert "credit officer" in api.my_account(learner_id=LEARNER).records[0].status


def test_a_refused_deposit_of_an_award_that_is_revoked_ends_without_a_reversal(central):
    award = ready_award()
    central.misbehave("refuse")
    api.deliver_due(limit=10)
    factories.revoke(award)
    factories.relay_all()
    assert told(award) == [(1, "deposit", "cancelled")]
    assert record_of(award).state == "cancelled"


def test_revoked_while_the_deposit_is_in_flight_is_reversed_after_the_banks_receipt(central):
    award = ready_award()
    central.misbehave("break_after_storing")
    api.deliver_due(limit=10)
    factories.revoke(award)
    factories.relay_all()
    assert told(award) == [(1, "deposit", "sent"), (2, "reverse", "pending")]
    with clock.shifted(LATER):
        # Nothing more is told about the award: the bank is asked, then the reversal follows.
        report = api.deliver_due(limit=10)
        assert report.acknowledged == 1
        assert told(award) == [(1, "deposit", "acknowledged"), (2, "reverse", "pending")]
        api.deliver_due(limit=10)
    assert [body["kind"] for body in received(central)] == ["deposit", "reverse"]
    assert [method for method, *_ in central.requests] == ["POST", "GET", "POST"]
    assert record_of(award).state == "reversed"


def test_revoked_while_in_flight_and_the_bank_has_nothing_tells_it_nothing(central):
    award = ready_award()
    central.misbehave("timeout", seconds=3)
    api.deliver_due(limit=10)
    factories.revoke(award)
    factories.relay_all()
    with clock.shifted(LATER):
        api.deliver_due(limit=10)
    assert told(award) == [(1, "deposit", "cancelled"), (2, "reverse", "cancelled")]
    assert record_of(award).state == "cancelled"
    assert received(central) == []


def test_consent_withdrawn_while_in_flight_asks_the_bank_and_sends_nothing_again(central):
    award = ready_award()
    central.misbehave("timeout", seconds=3)
    api.deliver_due(limit=10)
    api.withdraw_consent(learner_id=LEARNER, bank="central")
    factories.relay_all()
    with clock.shifted(LATER):
        api.deliver_due(limit=10)
    assert [method for method, *_ in central.requests] == ["POST", "GET"]
    assert record_of(award).state == "waiting_consent"
    assert received(central) == []


def test_consent_withdrawn_while_in_flight_and_the_bank_has_it_keeps_its_receipt(central):
    award = ready_award()
    central.misbehave("error_after_storing")
    api.deliver_due(limit=10)
    api.withdraw_consent(learner_id=LEARNER, bank="central")
    factories.relay_all()
    with clock.shifted(LATER):
        api.deliver_due(limit=10)
    assert record_of(award).state == "deposited"
    assert len(received(central)) == 1


def test_a_bank_that_does_not_know_a_message_yet_is_believed_only_when_the_message_is_too_old(
    central, configure
):
    configure(BANK_BACKOFF_FIRST=10, BANK_CLOCK_SKEW=300)
    award = ready_award()
    central.misbehave("timeout", seconds=3)
    api.deliver_due(limit=10)
    api.withdraw_consent(learner_id=LEARNER, bank="central")
    with clock.shifted(timedelta(seconds=60)):
        assert api.deliver_due(limit=10).postponed == 1
        assert told(award) == [(1, "deposit", "sent")]
    with clock.shifted(timedelta(seconds=301)):
        api.deliver_due(limit=10)
    assert told(award) == [(1, "deposit", "cancelled")]


def test_suspended_while_in_flight_sends_nothing_and_goes_on_when_reinstated(central):
    award = ready_award()
    central.misbehave("timeout", seconds=3)
    api.deliver_due(limit=10)
    factories.suspend(award)
    factories.relay_all()
    with clock.shifted(LATER):
        api.deliver_due(limit=10)
        assert record_of(award).state == "held"
        assert api.deliver_due(limit=10).total == 0
        factories.reinstate(award)
        factories.relay_all()
        api.deliver_due(limit=10)
    assert [method for method, *_ in central.requests] == ["POST", "GET", "POST"]
    assert len(bodies_sent(central)) == 1
    assert told(award) == [(1, "deposit", "acknowledged")]


def test_corrected_while_in_flight_is_replaced_after_the_receipt(central):
    award = ready_award()
    central.misbehave("break_after_storing")
    api.deliver_due(limit=10)
    factories.correct(award, ["exam_result:2"])
    factories.relay_all()
    assert told(award) == [(1, "deposit", "sent"), (2, "replace", "pending")]
    with clock.shifted(LATER):
        api.deliver_due(limit=10)
        api.deliver_due(limit=10)
    assert [body["evidence"]["references"] for body in received(central)] == [
        ["exam_result:1"],
        ["exam_result:2"],
    ]


def test_corrected_after_an_attempt_that_surely_failed_is_deposited_anew_under_a_new_key(central):
    award = ready_award()
    central.misbehave("busy", seconds=1)
    api.deliver_due(limit=10)
    factories.correct(award, ["exam_result:2"])
    factories.relay_all()
    with clock.shifted(LATER):
        api.deliver_due(limit=10)
    assert told(award) == [(1, "deposit", "cancelled"), (2, "deposit", "acknowledged")]
    assert received(central)[0]["evidence"]["references"] == ["exam_result:2"]


def test_a_reversal_waits_for_the_receipt_of_a_deposit_that_is_a_dead_letter(central, configure):
    configure(BANK_MAX_ATTEMPTS=1)
    award = ready_award()
    central.misbehave("error_after_storing")
    api.deliver_due(limit=10)
    factories.revoke(award)
    factories.relay_all()
    with clock.shifted(LATER):
        assert api.deliver_due(limit=10).total == 0
    assert told(award) == [(1, "deposit", "dead"), (2, "reverse", "pending")]
    assert record_of(award).state == "failed"


def test_a_bank_that_takes_its_time_is_asked_for_the_receipt(central):
    award = ready_award()
    central.misbehave("later", seconds=3600)
    assert api.deliver_due(limit=10).handed_over == 1
    assert record_of(award).state == "sending"
    assert "Handed over" in api.my_account(learner_id=LEARNER).records[0].status
    with clock.shifted(timedelta(minutes=30)):
        assert api.deliver_due(limit=10).total == 0
    with clock.shifted(timedelta(minutes=61)):
        assert api.deliver_due(limit=10).acknowledged == 1
    assert [method for method, *_ in central.requests] == ["POST", "GET"]


def test_the_platform_being_away_postpones_without_counting_an_attempt(central, platform):
    award = ready_award()
    platform.away = True
    assert api.deliver_due(limit=10).postponed == 1
    assert record_of(award).deliveries.get().attempts == 0
    platform.away = False
    with clock.shifted(LATER):
        assert api.deliver_due(limit=10).acknowledged == 1


def test_a_learner_whom_the_platform_does_not_know_is_a_dead_letter(central, platform):
    award = ready_award()
    platform.learners.clear()
    assert api.deliver_due(limit=10).dead == 1
    assert record_of(award).deliveries.get().last_error == "learner_unknown"
    assert received(central) == []


def test_a_message_that_is_not_complete_is_never_sent(central, platform):
    award = ready_award()
    platform.learners[LEARNER] = replace(platform.learners[LEARNER], name="")
    assert api.deliver_due(limit=10).dead == 1
    assert record_of(award).deliveries.get().last_error == "invalid_message:learner.name"
    assert central.requests == []


def test_a_wrong_secret_is_retried_and_said_to_the_officer(central, configure):
    settings = https_settings(central)
    settings["options"] = {**settings["options"], "secret": "another secret, as long as it must be"}
    configure(BANKS={"central": settings})
    award = ready_award()
    assert api.deliver_due(limit=10).failed == 1
    delivery = record_of(award).deliveries.get()
    assert (delivery.state, delivery.last_error) == ("pending", "http_401_signature")
    assert "key or signature" in api.describe_error(delivery.last_error)


def test_a_bank_taken_out_of_the_settings_leaves_its_deliveries_for_later(central, configure):
    ready_award()
    configure(BANKS={})
    assert api.deliver_due(limit=10).total == 0
    configure(BANKS={"central": https_settings(central)})
    assert api.deliver_due(limit=10).acknowledged == 1


def test_a_bank_that_is_set_up_wrongly_does_not_stop_the_others(central, configure):
    broken = https_settings(central, organizations=["CMU"])
    broken["options"] = {"url": "http://bank.example.com/"}
    configure(BANKS={"broken": broken, "central": https_settings(central)})
    award = ready_award()
    factories.make_award(LEARNER, factories.make_version(organization="CMU", issuer="cmu"))
    consent(bank="broken")
    factories.relay_all()
    report = api.deliver_due(limit=10)
    assert (report.acknowledged, report.postponed) == (1, 1)
    assert record_of(award).state == "deposited"
