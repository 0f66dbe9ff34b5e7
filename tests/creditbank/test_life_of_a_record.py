"""From the award to the bank's receipt, and what revocation, correction and suspension do on the way."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command

from mooc_microcred.core import clock, outbox
from mooc_microcred.core.errors import InvalidInput, NotFound, WrongState
from mooc_microcred.core.models import AuditEntry, RetiredLearner
from mooc_microcred.creditbank import api
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from tests.creditbank.conftest import (
    LEARNER,
    NAME,
    NATIONAL_ID,
    consent,
    identify,
    ready_award,
    received,
    record_of,
    told,
)
from tests.support import factories

pytestmark = pytest.mark.django_db


def test_an_award_with_consent_and_identity_is_deposited_and_the_receipt_kept(central):
    award = ready_award()
    assert record_of(award).state == "sending"
    report = api.deliver_due(limit=10)
    assert (report.acknowledged, report.total) == (1, 1)
    record = record_of(award)
    assert record.state == "deposited"
    [delivery] = record.deliveries.all()
    assert delivery.receipt == central.store.all()[0]["receipt"]
    assert delivery.acknowledged_at is not None


def test_what_the_bank_gets_states_the_method_of_assessment_and_no_grade(central):
    award = ready_award(
        evidence={
            "references": ["exam_result:812"],
            "grade": {"percent": "91.5", "passed": True},
            "measures": [{"kind": "exam", "have": "91.5"}],
        }
    )
    api.deliver_due(limit=10)
    [body] = received(central)
    assert body["learner"] == {"identity": {"kind": "national_id", "number": NATIONAL_ID}, "name": NAME}
    assert body["credit"] == {"method": "CE", "credits": "3.00", "hours": "45.00", "nqf_level": None}
    assert body["outcomes"]["skills"] == [{"th": "เขียนโปรแกรมได้", "en": "Write a program"}]
    assert body["outcomes"]["ethics"] == []
    assert body["evidence"] == {"award": award.uuid, "references": ["exam_result:812"]}
    assert body["award"]["issuer"]["country"] == "TH"
    text = json.dumps(body)
    assert "91.5" not in text
    assert "grade" not in text


def test_a_programme_names_the_awards_whose_credit_it_includes(central):
    part = "11111111-2222-4333-8444-555555555555"
    version = factories.make_version(kind="programme")
    ready_award(version=version, course_key="", evidence={"references": [], "stands_on": [part]})
    api.deliver_due(limit=10)
    assert received(central)[0]["award"]["includes"] == [part]


def test_without_consent_nothing_leaves_and_the_record_waits(central):
    identify()
    award = factories.make_award(LEARNER)
    factories.relay_all()
    assert record_of(award).state == "waiting_consent"
    assert api.deliver_due(limit=10).total == 0
    consent()
    factories.relay_all()
    assert record_of(award).state == "sending"
    api.deliver_due(limit=10)
    assert record_of(award).state == "deposited"


def test_without_a_verified_identity_the_record_waits_with_that_reason(central):
    consent()
    award = factories.make_award(LEARNER)
    factories.relay_all()
    assert record_of(award).state == "waiting_identity"
    assert "identity" in api.my_account(learner_id=LEARNER).records[0].status
    assert api.deliver_due(limit=10).total == 0
    identify()
    factories.relay_all()
    api.deliver_due(limit=10)
    assert record_of(award).state == "deposited"


def test_a_bank_that_needs_no_identity_is_not_sent_it(central, bank, configure):
    from tests.creditbank.conftest import https_settings

    configure(BANKS={"central": https_settings(bank, requires_identity=False)})
    ready_award()
    api.deliver_due(limit=10)
    assert received(central)[0]["learner"]["identity"] == {"kind": "account", "number": str(LEARNER)}


def test_consent_withdrawn_before_sending_stops_it_and_given_again_starts_a_new_one(central):
    award = ready_award()
    api.withdraw_consent(learner_id=LEARNER, bank="central")
    # Even before the withdrawal's own message is handed over:
    report = api.deliver_due(limit=10)
    assert report.stopped == 1
    assert record_of(award).state == "waiting_consent"
    assert told(award) == [(1, "deposit", "cancelled")]
    factories.relay_all()
    consent()
    factories.relay_all()
    api.deliver_due(limit=10)
    assert told(award) == [(1, "deposit", "cancelled"), (2, "deposit", "acknowledged")]
    assert [body["sequence"] for body in received(central)] == [2]


def test_consent_withdrawn_after_the_deposit_leaves_it_there(central):
    award = ready_award()
    api.deliver_due(limit=10)
    api.withdraw_consent(learner_id=LEARNER, bank="central")
    factories.relay_all()
    assert record_of(award).state == "deposited"
    factories.revoke(award)
    factories.relay_all()
    api.deliver_due(limit=10)
    # A reversal tells nothing about the learner and needs no consent.
    assert record_of(award).state == "reversed"


def test_a_withdrawn_consent_is_kept_and_a_new_one_is_a_new_row(central):
    consent()
    assert consent().id == Consent.objects.get().pk
    api.withdraw_consent(learner_id=LEARNER, bank="central")
    with pytest.raises(WrongState):
        api.withdraw_consent(learner_id=LEARNER, bank="central")
    consent()
    rows = api.my_account(learner_id=LEARNER).consents
    assert [row.withdrawn_at is None for row in rows] == [True, False]
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["consent.given", "consent.withdrawn", "consent.given"]


def test_consent_is_to_the_text_in_force(central):
    with pytest.raises(InvalidInput, match="changed"):
        api.give_consent(learner_id=LEARNER, bank="central", text_version="2568-1", language="th")
    with pytest.raises(InvalidInput):
        api.give_consent(learner_id=LEARNER, bank="central", text_version="2569-1", language="xx")
    with pytest.raises(NotFound):
        api.give_consent(learner_id=LEARNER, bank="other", text_version="2569-1", language="th")
    assert not Consent.objects.exists()


def test_revoked_before_it_was_sent_is_cancelled_and_the_bank_is_told_nothing(central):
    award = ready_award()
    factories.revoke(award)
    factories.relay_all()
    assert record_of(award).state == "cancelled"
    assert api.deliver_due(limit=10).total == 0
    assert received(central) == []


def test_revoked_but_its_message_not_yet_handed_over_is_not_sent_either(central):
    award = ready_award()
    factories.revoke(award)
    assert api.deliver_due(limit=10).stopped == 1
    assert received(central) == []


def test_revoked_after_the_deposit_is_reversed_with_its_reason_and_waits_for_the_receipt(central):
    award = ready_award()
    api.deliver_due(limit=10)
    factories.revoke(award, reason="exam_superseded")
    factories.relay_all()
    assert record_of(award).state == "reversing"
    api.deliver_due(limit=10)
    assert record_of(award).state == "reversed"
    deposit, reversal = received(central)
    assert (reversal["kind"], reversal["reason"]) == ("reverse", "exam_superseded")
    assert reversal["supersedes"] == deposit["key"]
    assert "learner" not in reversal


def test_corrected_after_the_deposit_is_replaced_with_its_reason(central):
    award = ready_award()
    api.deliver_due(limit=10)
    factories.correct(award, ["exam_result:2"])
    factories.relay_all()
    assert told(award) == [(1, "deposit", "acknowledged"), (2, "replace", "pending")]
    api.deliver_due(limit=10)
    deposit, replacement = received(central)
    assert (replacement["kind"], replacement["reason"]) == ("replace", "exam_corrected")
    assert replacement["supersedes"] == deposit["key"]
    assert replacement["evidence"]["references"] == ["exam_result:2"]
    assert record_of(award).state == "deposited"


def test_corrected_before_it_was_sent_is_deposited_as_corrected(central):
    award = ready_award()
    factories.correct(award, ["exam_result:2"])
    factories.relay_all()
    api.deliver_due(limit=10)
    assert told(award) == [(1, "deposit", "acknowledged")]
    assert received(central)[0]["evidence"]["references"] == ["exam_result:2"]


def test_a_correction_that_changes_nothing_the_bank_knows_makes_no_replacement(central):
    award = ready_award()
    api.deliver_due(limit=10)
    factories.correct(award, ["exam_result:1"])
    factories.relay_all()
    assert told(award) == [(1, "deposit", "acknowledged")]


def test_corrected_then_revoked_sends_only_the_reversal(central):
    award = ready_award()
    api.deliver_due(limit=10)
    factories.correct(award, ["exam_result:2"])
    factories.relay_all()
    factories.revoke(award)
    factories.relay_all()
    api.deliver_due(limit=10)
    assert told(award) == [
        (1, "deposit", "acknowledged"),
        (2, "replace", "cancelled"),
        (3, "reverse", "acknowledged"),
    ]


def test_a_suspended_award_holds_its_deposit_back_until_it_is_reinstated(central):
    award = ready_award()
    factories.suspend(award)
    # Before and after the message is handed over.
    assert api.deliver_due(limit=10).stopped == 1
    factories.relay_all()
    assert record_of(award).state == "held"
    assert api.deliver_due(limit=10).total == 0
    assert received(central) == []
    factories.reinstate(award)
    factories.relay_all()
    api.deliver_due(limit=10)
    assert told(award) == [(1, "deposit", "acknowledged")]


def test_a_deposited_award_that_is_suspended_stays_and_the_bank_is_told_nothing(central):
    award = ready_award()
    api.deliver_due(limit=10)
    factories.suspend(award)
    factories.relay_all()
    assert record_of(award).state == "deposited"
    assert api.deliver_due(limit=10).total == 0
    factories.revoke(award)
    factories.relay_all()
    api.deliver_due(limit=10)
    assert record_of(award).state == "reversed"


def test_an_award_that_expires_after_the_deposit_stays_and_before_it_is_not_sent(central):
    deposited = ready_award()
    api.deliver_due(limit=10)
    waiting = factories.make_award(LEARNER)
    factories.relay_all()
    factories.expire(deposited)
    factories.expire(waiting)
    factories.relay_all()
    assert api.deliver_due(limit=10).total == 0
    assert record_of(deposited).state == "deposited"
    assert record_of(waiting).state == "cancelled"
    assert "expired" in api.my_account(learner_id=LEARNER).records[0].status


def test_messages_that_come_twice_and_in_the_wrong_order_change_nothing(central):
    award = ready_award()
    api.deliver_due(limit=10)
    for topic in ("award.issued", "award.corrected", "award.reinstated", "award.issued"):
        outbox.append([outbox.Note(topic, LEARNER, {"award": award.uuid, "reason": ""})])
    factories.relay_all()
    assert told(award) == [(1, "deposit", "acknowledged")]
    assert CreditRecord.objects.count() == 1


def test_an_award_that_was_revoked_before_its_first_message_came_makes_no_record(central):
    consent()
    award = factories.make_award(LEARNER)
    factories.revoke(award)
    factories.relay_all()
    assert not CreditRecord.objects.exists()


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [("level1", {}, False), ("level2", {"credits": "0"}, False), ("level2", {"credits": "0.5"}, True)],
)
def test_a_record_is_made_for_what_the_bank_takes_and_is_worth_credits(central, kind, fields, expected):
    factories.make_award(LEARNER, factories.make_version(kind=kind, **fields))
    factories.relay_all()
    assert CreditRecord.objects.exists() is expected


def test_the_first_bank_that_takes_the_organisation_gets_the_award(central, bank, configure):
    from tests.creditbank.conftest import https_settings

    configure(
        BANKS={
            "own": https_settings(bank, organizations=["CMU"]),
            "central": https_settings(bank),
        }
    )
    kmutt = factories.make_award(LEARNER)
    cmu = factories.make_award(LEARNER, factories.make_version(organization="CMU", issuer="cmu"))
    factories.relay_all()
    assert record_of(kmutt).bank == "central"
    assert record_of(cmu).bank == "own"


def test_a_bank_that_is_added_later_gets_earlier_awards_by_reconciling(central, configure):
    banks = api.banks
    configure(BANKS={})
    award = factories.make_award(LEARNER)
    hidden = factories.make_award(8, published_at=None)
    factories.relay_all()
    assert not CreditRecord.objects.exists()
    assert banks() == {}
    from tests.creditbank.conftest import https_settings

    configure(BANKS={"central": https_settings(central)})
    assert api.reconcile_records(limit=10) == (0, 1)
    assert record_of(award).state == "waiting_consent"
    assert not CreditRecord.objects.filter(award=hidden).exists()
    assert api.reconcile_records(limit=10) == (0, 0)


def test_an_operator_sees_first_which_credit_records_a_new_bank_makes(central, configure, capsys):
    from tests.creditbank.conftest import https_settings

    configure(BANKS={})
    award = factories.make_award(LEARNER)
    configure(BANKS={"central": https_settings(central)})
    call_command("microcred_reconcile", "--credit-records")
    assert "made or changed: 1" in capsys.readouterr().out
    assert not CreditRecord.objects.exists()
    call_command("microcred_reconcile", "--credit-records", "--commit")
    assert record_of(award).state == "waiting_consent"
    capsys.readouterr()
    call_command("microcred_reconcile", "--credit-records", "--commit")
    assert "made or changed: 0" in capsys.readouterr().out


def test_the_sealed_body_is_wiped_when_the_receipt_is_there_or_it_is_cancelled(central):
    sent = ready_award()
    central.misbehave("error", times=1)
    api.deliver_due(limit=10)
    [delivery] = record_of(sent).deliveries.all()
    assert NATIONAL_ID.encode() not in bytes(delivery.sealed_body)
    assert NAME.encode() not in bytes(delivery.sealed_body)
    with clock.shifted(timedelta(hours=1)):
        api.deliver_due(limit=10)
    delivery.refresh_from_db()
    assert delivery.sealed_body is None
    assert not Delivery.objects.exclude(sealed_body=None).exists()


def test_the_account_says_in_plain_words_where_everything_stands(central):
    award = ready_award()
    api.deliver_due(limit=10)
    account = api.my_account(learner_id=LEARNER)
    [one] = account.banks
    assert one.credits_in_bank == Decimal(3)
    assert one.consent is not None
    [record] = account.records
    assert record.award == award.uuid
    assert record.in_bank
    assert record.status.startswith("Deposited with Central credit bank on ")
    assert central.store.all()[0]["receipt"] in record.status
    assert api.my_account(learner_id=99).records == ()


def test_the_account_costs_the_same_number_of_queries_for_any_number_of_records(
    central, django_assert_num_queries
):
    ready_award()
    with django_assert_num_queries(4):
        api.my_account(learner_id=LEARNER)
    for _ in range(10):
        factories.make_award(LEARNER)
    factories.relay_all()
    with django_assert_num_queries(4):
        assert len(api.my_account(learner_id=LEARNER).records) == 11


def test_a_delivery_costs_a_constant_number_of_queries(central, django_assert_max_num_queries):
    ready_award()
    with django_assert_max_num_queries(32) as first:
        api.deliver_due(limit=10)
    for _ in range(10):
        factories.make_award(LEARNER)
    factories.relay_all()
    with django_assert_max_num_queries(10 * len(first)):
        assert api.deliver_due(limit=10).acknowledged == 10


def test_no_personal_data_is_logged(central, caplog):
    caplog.set_level("DEBUG")
    award = ready_award()
    for mode in ("error", "timeout_after_storing", "break", "garbage", "refuse", "unauthorised"):
        central.misbehave(mode, seconds=2)
        with clock.shifted(timedelta(days=1)):
            api.deliver_due(limit=10)
        Delivery.objects.filter(state="dead").update(state="pending", sent_at=None, attempts=0)
        Delivery.objects.filter(state__in=["pending", "sent"]).update(due=clock.now())
    factories.revoke(award)
    factories.relay_all()
    for secret in (NATIONAL_ID, NAME, "a secret that only"):
        assert secret not in caplog.text


def test_a_retired_learners_unsent_deposit_is_stopped_and_no_record_is_made_later(central):
    award = ready_award()
    RetiredLearner.objects.create(learner_id=LEARNER, at=clock.now())
    api.forget_learner(LEARNER)
    api.forget_learner(LEARNER)
    assert api.deliver_due(limit=10).total == 0
    assert record_of(award).state == "waiting_consent"
    assert not Consent.objects.filter(live=True).exists()
    later = factories.make_award(LEARNER)
    factories.relay_all()
    assert not CreditRecord.objects.filter(award=later).exists()
