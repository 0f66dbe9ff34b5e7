"""What staff look up and decide."""

from mooc_microcred.achievements.models import EvaluationRequest, RunOffer
from mooc_microcred.achievements.requests import request_evaluation
from mooc_microcred.core import clock
from mooc_microcred.core.identity import find_learner_by_identity
from mooc_microcred.core.models import AuditEntry, OutboxMessage, RetiredLearner, StaffRole
from tests.rest_api.world import BASE, NATIONAL_ID, RERUN


def post(client, address, body):
    return client.post(BASE + address, body, content_type="application/json")


def test_a_learner_is_found_by_user_name_or_email_only_by_staff_of_their_organisations(
    world, as_person, platform
):
    ann = world.person("ann")
    profile = platform.learners[ann.pk]
    for body in ({"username": profile.username.upper()}, {"email": profile.email}, {"learner_id": ann.pk}):
        found = post(as_person("credit_officer@KMUTT"), "staff/learners/find/", body)
        assert found.status_code == 200, found.content
        assert found.json() == {
            "learner_id": ann.pk,
            "username": profile.username,
            "name": profile.name,
        }
        hidden = post(as_person("credit_officer@BUU"), "staff/learners/find/", body)
        nobody = post(as_person("credit_officer@BUU"), "staff/learners/find/", {"username": "nobody"})
        # Who is hidden and who does not exist are not told apart.
        assert (hidden.status_code, hidden.content) == (404, nobody.content)


def test_a_verifier_records_an_identity_with_an_audit_line(world, as_person):
    ann = world.person("ann")
    body = {"learner_id": ann.pk, "kind": "national_id", "number": " 1-1017-00230-70-8 "}
    answer = post(as_person("verifier@KMUTT"), "staff/identities/", body)
    assert answer.status_code == 201
    assert NATIONAL_ID not in answer.content.decode()
    assert find_learner_by_identity(kind="national_id", number=NATIONAL_ID) == ann.pk
    line = AuditEntry.objects.get(action="identity.recorded", actor_id=world.person("verifier@KMUTT").pk)
    assert NATIONAL_ID not in str(line.details)


def test_nothing_is_recorded_of_a_learner_who_has_left(world, as_person):
    ann = world.person("ann")
    RetiredLearner.objects.create(learner_id=ann.pk, at=clock.now())
    body = {"learner_id": ann.pk, "kind": "national_id", "number": NATIONAL_ID}
    assert post(as_person("verifier@KMUTT"), "staff/identities/", body).status_code == 404
    assert post(as_person("verifier@all"), "staff/learners/find/", {"learner_id": ann.pk}).status_code == 404
    assert find_learner_by_identity(kind="national_id", number=NATIONAL_ID) is None


def test_a_document_of_another_learner_is_refused(world, as_person):
    bob = world.person("bob")
    body = {"learner_id": world.things["ann"], "kind": "national_id", "number": NATIONAL_ID}
    assert post(as_person("verifier@KMUTT"), "staff/identities/", body).status_code == 201
    again = post(as_person("verifier@KMUTT"), "staff/identities/", {**body, "learner_id": bob.pk})
    assert again.status_code == 400
    assert find_learner_by_identity(kind="national_id", number=NATIONAL_ID) == world.things["ann"]


def test_nobody_verifies_themselves(world, as_person):
    ann = world.person("ann")
    StaffRole.objects.create(user_id=ann.pk, role="verifier", organization="KMUTT")
    body = {"learner_id": ann.pk, "kind": "national_id", "number": NATIONAL_ID}
    answer = post(as_person("ann"), "staff/identities/", body)
    assert answer.status_code == 403
    assert find_learner_by_identity(kind="national_id", number=NATIONAL_ID) is None


def test_awards_are_found_by_learner_course_achievement_state_and_organisation(world, as_person):
    client = as_person("auditor@all")

    def count(query):
        return len(client.get(f"{BASE}staff/awards/?{query}").json()["results"])

    assert count("") == 3
    assert count(f"learner_id={world.things['ann']}") == 1
    assert count("learner_id=999999") == 0
    assert count("course=course-v1:KMUTT%2BPY101%2B2026") == 1
    assert count("achievement=py102-l1") == 2
    assert count("achievement=py102-l1&state=revoked") == 1
    assert count("organization=KMUTT") == 3
    assert count("organization=BUU") == 0
    # Asking for an organisation that is not one's own shows nothing and says nothing.
    assert as_person("auditor@BUU").get(f"{BASE}staff/awards/?organization=KMUTT").json()["results"] == []
    for address in ("credit-records", "deliveries"):
        answer = as_person("credit_officer@BUU").get(f"{BASE}staff/{address}/?organization=KMUTT")
        assert answer.json()["results"] == []


def test_a_suspended_award_is_reinstated_and_each_decision_needs_words(world, as_person):
    client = as_person("programme_officer@KMUTT")
    address = f"staff/awards/{world.things['award']}"
    for words in ("", "   "):
        assert post(client, f"{address}/suspend/", {"note": words}).status_code == 400
    assert post(client, f"{address}/suspend/", {"note": "Being looked into."}).json()["state"] == "suspended"
    again = post(client, f"{address}/suspend/", {"note": "Being looked into."})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    restored = post(client, f"{address}/reinstate/", {"note": "It was hers."}).json()
    assert restored["state"] == "active"
    assert [one["kind"] for one in restored["history"]] == ["issued", "suspended", "reinstated"]


def test_a_re_run_is_adopted_once(world, as_person):
    client = as_person("programme_officer@KMUTT")
    offers = client.get(f"{BASE}staff/run-offers/?state=offered").json()["results"]
    assert [one["course_key"] for one in offers] == [RERUN]
    adopted = post(client, f"staff/run-offers/{offers[0]['id']}/adopt/", {})
    assert adopted.status_code == 200
    assert adopted.json()["state"] == "adopted"
    assert RunOffer.objects.get().decided_by == world.person("programme_officer@KMUTT").pk


def test_dead_letters_go_back_into_the_queue(world, as_person):
    client = as_person("programme_officer@all")
    (letter,) = client.get(f"{BASE}staff/outbox/dead-letters/").json()["results"]
    assert letter["attempts"] == 12
    answer = post(client, "staff/outbox/dead-letters/replay/", {"ids": [letter["id"], 999_999]})
    assert answer.json() == {"replayed": 1}
    assert OutboxMessage.objects.get(pk=letter["id"]).state == OutboxMessage.State.PENDING
    assert client.get(f"{BASE}staff/outbox/dead-letters/").json()["results"] == []


def test_deliveries_that_were_given_up_are_listed_and_replayed(world, as_person):
    client = as_person("credit_officer@KMUTT")
    (dead,) = client.get(f"{BASE}staff/deliveries/?state=dead").json()["results"]
    assert dead["error"] == "http_422"
    assert dead["error_text"]
    assert post(client, "staff/deliveries/replay/", {"ids": [dead["id"]]}).json() == {"replayed": 1}
    assert client.get(f"{BASE}staff/deliveries/?state=dead").json()["results"] == []
    again = post(client, "staff/deliveries/replay/", {"ids": [dead["id"]]})
    assert again.status_code == 409


def test_the_queue_says_how_much_waits_and_since_when(world, as_person):
    EvaluationRequest.objects.all().delete()
    client = as_person("auditor@all")
    empty = client.get(f"{BASE}staff/evaluation-queue/").json()
    assert (empty["waiting"], empty["oldest_due"]) == (0, None)
    request_evaluation(learner_id=1, reason="test")
    full = client.get(f"{BASE}staff/evaluation-queue/").json()
    assert full["waiting"] == 1
    assert full["oldest_due"]


def test_staff_read_why_a_learner_has_not_earned_something(world, as_person):
    bob = world.person("bob")
    address = f"{BASE}staff/learners/{bob.pk}/progress/py101-l1/"
    answer = as_person("programme_officer@KMUTT").get(address).json()
    assert [(one["kind"], one["met"], one["have"]) for one in answer["measures"]] == [
        ("course_grade", False, "30")
    ]
