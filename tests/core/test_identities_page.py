"""The page of the identity verifier."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from mooc_microcred.core.models import AuditEntry, LearnerIdentity, StaffRole
from tests.support.definitions import RUN

PAGE = "/microcred/staff/identities/"
NUMBER = "1234567890121"


@pytest.fixture
def verifier(db, platform):
    """Return a browser of a verifier of KMUTT, with learners of KMUTT (1) and of another place (2)."""
    user = get_user_model().objects.create_user("suda", pk=100, password=None)
    StaffRole.objects.create(user_id=100, role="verifier", organization="KMUTT")
    platform.add_learner(100, "สุดา ยืนยันตัวตน", "suda", "suda@example.com")
    platform.add_learner(1, "สมชาย ใจดี", "somchai", "somchai@example.com")
    platform.add_learner(2, "Elsewhere", "elsewhere", "elsewhere@example.com")
    platform.enrol(1, RUN)
    platform.enrol(100, RUN)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def text(response):
    return response.content.decode()


def find(client, who):
    return client.post(PAGE, {"action": "find", "who": who})


def record(client, learner="1", kind="national_id", number=NUMBER, **options):
    given = {"action": "record", "learner": learner, "kind": kind, "number": number}
    return client.post(PAGE, given, **options)


def test_a_document_is_recorded_and_only_its_end_is_shown(verifier):
    page = text(find(verifier, "somchai@example.com"))
    assert "สมชาย ใจดี" in page
    assert "No document is recorded." in page
    page = text(record(verifier, number="1-2345-67890-12-1", follow=True))
    assert "Recorded: Thai national ID, ending in 0121." in page
    assert NUMBER not in page
    assert "สมชาย" not in page
    page = text(find(verifier, "SOMCHAI"))
    assert "…0121" in page
    assert "by สุดา ยืนยันตัวตน" in page
    assert NUMBER not in page
    entry = AuditEntry.objects.get()
    assert (entry.actor_id, entry.action, entry.object_id) == (100, "identity.recorded", "1")


@pytest.mark.parametrize("who", ["nobody", "elsewhere", "elsewhere@example.com", "\x00"])
def test_who_never_studied_here_is_not_told_from_nobody(verifier, who):
    answer = find(verifier, who)
    assert answer.status_code == 404
    assert "There is no such learner, or they never studied with your organisation." in text(answer)


def test_nobody_is_named(verifier):
    answer = find(verifier, " ")
    assert answer.status_code == 400
    assert "Write a user name or an e-mail address." in text(answer)


@pytest.mark.parametrize(
    ("kind", "number", "says"),
    [
        ("national_id", "1234567890120", "not a Thai national ID"),
        ("national_id", "", "not a Thai national ID"),
        ("passport", "A1", "not a passport number"),
        ("licence", NUMBER, "Choose what kind of document it is."),
    ],
)
def test_a_wrong_number_is_refused_beside_the_form_and_kept_there(verifier, kind, number, says):
    answer = record(verifier, kind=kind, number=number)
    assert answer.status_code == 400
    assert says in text(answer)
    assert f'name="number" value="{number}"' in text(answer)
    assert not LearnerIdentity.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_document_belongs_to_one_learner(verifier, platform):
    record(verifier)
    platform.add_learner(3, "John", "john", "john@example.com")
    platform.enrol(3, RUN)
    answer = record(verifier, learner="3")
    assert answer.status_code == 400
    assert "already recorded for another learner" in text(answer)


def test_a_document_of_the_same_kind_is_replaced(verifier):
    record(verifier, kind="passport", number="AA1234567")
    record(verifier, kind="passport", number="AB7654321")
    assert [one.last_four for one in LearnerIdentity.objects.all()] == ["4321"]


@pytest.mark.parametrize("learner", ["2", "999", "", "x", "9" * 30, "-1", "๑"])
def test_no_other_learner_is_reached_by_the_form(verifier, learner):
    assert record(verifier, learner=learner).status_code == 404
    assert not LearnerIdentity.objects.exists()


def test_nobody_verifies_themselves(verifier):
    assert "must be verified by somebody else" in text(find(verifier, "suda"))
    assert record(verifier, learner="100").status_code == 403
    assert not LearnerIdentity.objects.exists()


def test_it_needs_the_role(verifier, client):
    assert client.get(PAGE).status_code == 302
    StaffRole.objects.all().delete()
    for answer in (verifier.get(PAGE), find(verifier, "somchai"), record(verifier)):
        assert answer.status_code == 403
