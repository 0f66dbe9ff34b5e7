"""The pages of the credit officer, over a bank that is really there."""

import csv
import io
import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.core import clock
from mooc_microcred.core.models import AuditEntry, StaffRole
from mooc_microcred.creditbank import api
from mooc_microcred.creditbank.models import CreditRecord, Delivery
from tests.creditbank.conftest import LEARNER, NAME, NATIONAL_ID, consent, identify, ready_award, record_of
from tests.support import factories

pytestmark = pytest.mark.django_db
DESK = "/microcred/staff/credits/"


@pytest.fixture
def signed_in(client):
    """Return a function that signs somebody in who holds a role."""

    def sign_in(role="credit_officer", organization="KMUTT"):
        user = get_user_model().objects.create_user(f"{role}-{organization or 'all'}", password=None)
        if role:
            StaffRole.objects.create(user_id=user.pk, role=role, organization=organization)
        client.force_login(user)
        client.cookies["microcred_language"] = "en"
        return client

    return sign_in


@pytest.fixture
def officer(signed_in):
    return signed_in()


def dead(bank, number=1):
    """Return awards whose deposits the bank refused."""
    awards = [ready_award(), *(factories.make_award(LEARNER) for _ in range(number - 1))]
    factories.relay_all()
    bank.misbehave("refuse", times=100)
    api.deliver_due(limit=50)
    bank.behave()
    return awards


def counts(page):
    """Return the figures on top by the list that they lead to."""
    found = re.findall(r'href="\?show=(\w+)[^"]*#mc-list"[^>]*><strong>(\d+)</strong>', page.content.decode())
    return {name: int(number) for name, number in found}


def test_what_needs_a_hand_comes_first(central, officer):
    refused = dead(central)
    factories.make_award(8)
    factories.relay_all()
    page = officer.get(DESK)
    assert counts(page) | {"dead": 1, "failing": 0, "waiting_consent": 1} == counts(page)
    text = page.content.decode()
    assert "The bank refused the message" in text
    assert str(record_of(refused[0]).uuid) in text
    waiting = officer.get(DESK, {"show": "waiting_consent"}).content.decode()
    assert "learner" in waiting.lower()
    assert str(record_of(refused[0]).uuid) not in waiting
    assert NAME not in text + waiting
    assert NATIONAL_ID not in text + waiting


def test_a_failing_delivery_says_when_it_is_tried_again(central, officer):
    ready_award()
    central.misbehave("error")
    api.deliver_due(limit=10)
    page = officer.get(DESK)
    assert counts(page)["failing"] == 1
    assert "next try" in page.content.decode()
    assert "The bank has a fault of its own" in page.content.decode()
    assert b'type="checkbox"' not in page.content


def test_a_kept_desk_is_made_anew_as_soon_as_something_on_it_changes(central, officer):
    ready_award()
    before = officer.get(DESK)
    with CaptureQueriesContext(connection) as again:
        same = officer.get(DESK)
    assert counts(same) == counts(before)
    assert not any("mooc_microcred_award" in one["sql"] for one in again.captured_queries), "not made anew"
    central.misbehave("error", times=2)
    api.deliver_due(limit=10)
    failing = officer.get(DESK)
    assert counts(failing)["failing"] == 1
    assert "The bank has a fault of its own" in failing.content.decode()
    central.behave()
    # The figures stay what they are; what a line of the list says does not.
    Delivery.objects.update(attempts=7)
    assert officer.get(DESK).content != failing.content
    Delivery.objects.update(due=clock.now())
    api.deliver_due(limit=10)
    done = officer.get(DESK)
    assert counts(done) | {"failing": 0, "deposited": 1} == counts(done)


def test_one_is_replayed_after_a_question_and_leaves_an_audit_line(central, officer):
    award = dead(central)[0]
    delivery = record_of(award).deliveries.get()
    asked = officer.post(DESK, {"action": "ask", "id": delivery.pk})
    assert asked.status_code == 200
    assert b"Send 1 delivery again?" in asked.content
    assert not AuditEntry.objects.filter(action="delivery.replayed").exists()
    done = officer.post(DESK, {"action": "replay", "id": delivery.pk}, follow=True)
    assert b"1 delivery is being sent again." in done.content
    line = AuditEntry.objects.get(action="delivery.replayed")
    assert (line.object_id, line.organization) == (str(delivery.pk), "KMUTT")
    assert line.actor_id == get_user_model().objects.get(username="credit_officer-KMUTT").pk
    api.deliver_due(limit=10)
    page = officer.get(f"{DESK}records/{record_of(award).uuid}/").content.decode()
    assert "deposited" in page
    assert "delivery to a bank: replayed" in page


def test_all_of_a_bank_are_replayed_in_portions(central, officer, monkeypatch):
    monkeypatch.setattr("mooc_microcred.creditbank.pages.desk.REPLAYED_AT_ONCE", 2)
    dead(central, 3)
    asked = officer.post(DESK, {"action": "ask", "bank": "central", "show": "dead"}).content.decode()
    assert "Send 2 deliveries to Central credit bank again?" in asked
    assert "1 more are left" in asked
    done = officer.post(DESK, {"action": "replay", "bank": "central"}, follow=True)
    assert b"2 deliveries are being sent again." in done.content
    assert Delivery.objects.filter(state="dead").count() == 1
    assert AuditEntry.objects.filter(action="delivery.replayed").count() == 2


def test_nothing_chosen_and_what_is_no_dead_letter_is_said(central, officer):
    delivery = record_of(dead(central)[0]).deliveries.get()
    assert officer.post(DESK, {"action": "ask"}).status_code == 400
    officer.post(DESK, {"action": "replay", "id": delivery.pk})
    again = officer.post(DESK, {"action": "replay", "id": delivery.pk}, follow=True)
    assert b"is not a dead letter" in again.content
    assert AuditEntry.objects.filter(action="delivery.replayed").count() == 1


def test_an_auditor_sees_and_changes_nothing(central, signed_in):
    award = dead(central)[0]
    delivery = record_of(award).deliveries.get()
    auditor = signed_in("auditor")
    page = auditor.get(DESK).content.decode()
    assert counts(auditor.get(DESK))["dead"] == 1
    assert "Replay" not in page
    assert auditor.post(DESK, {"action": "replay", "id": delivery.pk}).status_code == 403
    assert (
        auditor.post(f"{DESK}records/{record_of(award).uuid}/", {"delivery": delivery.pk}).status_code == 403
    )
    assert Delivery.objects.get().state == "dead"


def test_nobody_else_sees_anything(central, signed_in, client):
    award = dead(central)[0]
    address = f"{DESK}records/{record_of(award).uuid}/"
    assert client.get(DESK).status_code == 302
    other = signed_in("credit_officer", "CMU")
    assert counts(other.get(DESK))["dead"] == 0
    assert other.get(address).status_code == 404
    assert other.get(DESK, {"organization": "KMUTT"}).status_code == 403
    assert len(rows_of(other.get(f"{DESK}records.csv"))) == 1
    assert other.post(DESK, {"action": "ask", "bank": "central"}).status_code == 400
    delivery = record_of(award).deliveries.get()
    assert other.post(DESK, {"action": "replay", "id": delivery.pk}).status_code == 404
    exam = signed_in("exam_officer")
    assert exam.get(DESK).status_code == 403
    assert exam.get(f"{DESK}records.csv").status_code == 403


def test_the_list_is_filtered(central, officer):
    one, two = dead(central, 2)
    code = one.achievement.code

    def seen(**wanted):
        text = officer.get(DESK, {"show": "all", **wanted}).content.decode()
        return {award.pk for award in (one, two) if str(record_of(award).uuid) in text}

    assert seen() == {one.pk, two.pk}
    assert seen(about=code) == {one.pk}
    assert seen(about=one.course_key) == {one.pk, two.pk}
    assert seen(bank="central", organization="KMUTT") == {one.pk, two.pk}
    assert seen(bank="another") == set()
    assert seen(since="1/1/2560") == {one.pk, two.pk}
    assert seen(until="1/1/2560") == set()
    assert seen(show="deposited") == set()
    wrong = officer.get(DESK, {"since": "yesterday"})
    assert wrong.status_code == 400
    assert b"This is not a date" in wrong.content


def rows_of(answer):
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_the_list_is_saved_as_a_file_without_formulas(central, officer):
    award = dead(central)[0]
    Delivery.objects.update(state="acknowledged", receipt="=cmd()", last_error="")
    CreditRecord.objects.update(state="deposited")
    answer = officer.get(f"{DESK}records.csv", {"show": "deposited"})
    assert answer["Content-Disposition"] == 'attachment; filename="credit-records.csv"'
    header, row = rows_of(answer)
    assert len(header) == len(row)
    assert row[0] == record_of(award).uuid
    assert "'=cmd()" in row
    assert rows_of(officer.get(f"{DESK}records.csv", {"show": "dead"}))[1:] == []


def test_a_file_is_bounded(central, officer, monkeypatch):
    dead(central, 5)
    monkeypatch.setattr("mooc_microcred.creditbank.pages.desk.FILE_ROWS", 4)
    monkeypatch.setattr("mooc_microcred.creditbank.pages.desk.MAX_PAGE", 3)
    for show in ("all", "dead"):
        rows = rows_of(officer.get(f"{DESK}records.csv", {"show": show}))[1:]
        assert len({row[0] for row in rows}) == len(rows) == 4


def many_records(number):
    """Write records with a dead delivery each, as they are after a bank refused them."""
    version = factories.make_version()
    awards = [factories.make_award(LEARNER + one, version, announce=False) for one in range(number)]
    now = awards[0].issued_at
    CreditRecord.objects.bulk_create(
        CreditRecord(
            award=one,
            learner_id=one.learner_id,
            organization="KMUTT",
            bank="central",
            state="failed",
            method_code="CS",
            credits=3,
            hours=45,
            created=now,
            changed=now,
        )
        for one in awards
    )
    Delivery.objects.bulk_create(
        Delivery(
            record=one,
            bank="central",
            sequence=1,
            kind="deposit",
            state="dead",
            last_error="http_422",
            created=now,
        )
        for one in CreditRecord.objects.all()
    )


@pytest.mark.parametrize("show", ["dead", "all", "failed"])
def test_the_desk_costs_the_same_with_one_record_and_with_a_thousand(central, officer, show):
    def cost():
        with CaptureQueriesContext(connection) as taken:
            assert officer.get(DESK, {"show": show}).status_code == 200
        return len(taken)

    many_records(1)
    # Each new definition is read once by each process.
    officer.get(DESK)
    first = cost()
    Delivery.objects.all().delete()
    CreditRecord.objects.all().delete()
    many_records(1000)
    officer.get(DESK)
    assert cost() == first
    page = officer.get(DESK, {"show": show}).content.decode()
    following = re.search(r'href="\?([^"]*before=\d+)"', page)[1].replace("&amp;", "&")
    assert officer.get(f"{DESK}?{following}").status_code == 200


def test_a_record_tells_its_whole_story(central, officer):
    award = ready_award()
    api.deliver_due(limit=10)
    factories.revoke(award)
    factories.relay_all()
    api.deliver_due(limit=10)
    record = record_of(award)
    page = officer.get(f"{DESK}records/{record.uuid}/").content.decode()
    first, second = record.deliveries.order_by("sequence")
    assert page.index("1. deposit") < page.index(first.receipt) < page.index("2. reversal")
    assert second.receipt in page
    assert "standardised test" in page or record.method_code in page
    assert NAME not in page
    assert NATIONAL_ID not in page
    assert officer.get(f"{DESK}records/{award.uuid}/").status_code == 404


def test_a_dead_letter_is_replayed_from_its_record_after_a_question(central, officer):
    award = dead(central)[0]
    delivery = record_of(award).deliveries.get()
    address = f"{DESK}records/{record_of(award).uuid}/"
    assert b"Yes, send again" not in officer.get(address).content
    assert b"Yes, send again" in officer.get(address, {"replay": delivery.pk}).content
    assert b"It is being sent again." in officer.post(address, {"delivery": delivery.pk}, follow=True).content
    assert b"Choose at least one" in officer.post(address, {"delivery": "999"}, follow=True).content
    assert AuditEntry.objects.filter(action="delivery.replayed").count() == 1


def test_waiting_for_an_identity_is_counted(central, officer):
    consent(11)
    factories.make_award(11)
    factories.relay_all()
    assert counts(officer.get(DESK))["waiting_identity"] == 1
    identify(11, "1101700207366")
    factories.relay_all()
    assert counts(officer.get(DESK))["waiting_identity"] == 0
