"""Status lists: bits by state, signed once per change, served as stored."""

import json
from datetime import timedelta

import pytest
from django.utils.http import parse_http_date

from mooc_microcred.achievements.models import Award, Issuer
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.outbox import Message
from mooc_microcred.credentials import addresses, keys, proofs
from mooc_microcred.credentials.models import (
    Credential,
    Endorsement,
    IssuerKey,
    StatusList,
    StatusListDocument,
)
from mooc_microcred.credentials.status import lists
from mooc_microcred.credentials.status.bitstring import decode, is_set
from mooc_microcred.credentials.status.entries import PURPOSES, REVOCATION, SUSPENSION, status_entries
from mooc_microcred.credentials.status.health import probe_status_lists
from mooc_microcred.credentials.status.settling import mark_changed, settle_award, settle_awards, sign_again
from mooc_microcred.credentials.verification.engine import verify
from mooc_microcred.credentials.verification.report import Verdict
from tests.support.factories import change_award, make_award, make_version, reinstate, revoke, suspend

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued():
    """Return what makes an award with a credential at an index of one list."""
    version = make_version()
    issuer = version.issuer
    status_list = StatusList.objects.create(
        code="list-1", issuer=issuer, number=1, permutation_key="k", created=clock.now()
    )
    key = keys.current_key(issuer)

    def issue(learner: int, index: int) -> Credential:
        award = make_award(learner, version)
        return Credential.objects.create(
            award=award,
            learner_id=learner,
            issuer=issuer,
            key=key,
            valid_from=clock.now(),
            signed_at=clock.now(),
            content="c",
            status_list=status_list,
            status_index=index,
        )

    issue.list = status_list
    issue.issuer = issuer
    return issue


def message(credential: Credential, kind: str) -> Message:
    return Message(
        1, f"award.{kind}", 1, credential.learner_id, {"award": credential.award.uuid}, clock.now()
    )


def deliver(credential: Credential, kind: str) -> None:
    settle_award(message(credential, kind))
    credential.refresh_from_db()


def bits(code: str = "list-1") -> dict[str, set[int]]:
    """Return what is set in the lists as they are served now, whose signatures are right."""
    found = {}
    for purpose in PURPOSES:
        document = json.loads(lists.published_list(code=code, purpose=purpose).body)
        key = keys.list_keys(issuer_code=document["issuer"].rpartition(":")[2])[-1]
        assert proofs.check_proof(document, key.public_key)
        decoded = decode(document["credentialSubject"]["encodedList"])
        assert document["credentialSubject"]["statusPurpose"] == purpose
        found[purpose] = {index for index in range(2000) if is_set(decoded, index)}
    return found


def test_a_suspension_comes_and_goes_and_a_revocation_stays(issued):
    credential = issued(1, 7)
    other = issued(2, 8)
    assert lists.sign_due() == 1
    assert bits() == {REVOCATION: set(), SUSPENSION: set()}
    suspend(credential.award)
    deliver(credential, "suspended")
    assert lists.sign_due() == 1
    assert bits() == {REVOCATION: set(), SUSPENSION: {7}}
    reinstate(credential.award)
    deliver(credential, "reinstated")
    lists.sign_due()
    assert bits() == {REVOCATION: set(), SUSPENSION: set()}
    revoke(credential.award)
    deliver(credential, "revoked")
    lists.sign_due()
    assert bits() == {REVOCATION: {7}, SUSPENSION: set()}
    # Whatever comes after it, also a row that somebody has set back.
    change_award(credential.award, "corrected", state="active")
    deliver(credential, "corrected")
    lists.sign_due()
    assert bits() == {REVOCATION: {7}, SUSPENSION: set()}
    other.refresh_from_db()
    assert (other.revoked_at, other.suspended_at) == (None, None)


def test_a_suspended_award_that_is_revoked_is_revoked_only(issued):
    credential = issued(1, 7)
    suspend(credential.award)
    deliver(credential, "suspended")
    revoke(credential.award)
    deliver(credential, "revoked")
    lists.sign_due()
    assert bits() == {REVOCATION: {7}, SUSPENSION: set()}
    assert credential.status_reason == "staff_decision"


def test_messages_in_any_order_and_any_number_end_at_the_award_s_state(issued):
    credential = issued(1, 7)
    suspend(credential.award)
    reinstate(credential.award)
    for kind in ("reinstated", "suspended", "suspended", "issued", "reinstated", "suspended"):
        deliver(credential, kind)
        assert (credential.revoked_at, credential.suspended_at) == (None, None)
    revoke(credential.award)
    for kind in ("suspended", "revoked", "reinstated", "issued", "expired"):
        deliver(credential, kind)
        assert credential.revoked_at is not None


def test_a_message_that_changes_nothing_signs_nothing(issued):
    credential = issued(1, 7)
    lists.sign_due()
    suspend(credential.award)
    deliver(credential, "suspended")
    lists.sign_due()
    before = list(StatusListDocument.objects.order_by("pk").values())
    for _again in range(3):
        deliver(credential, "suspended")
    assert lists.sign_due() == 0
    assert list(StatusListDocument.objects.order_by("pk").values()) == before


def test_a_credential_made_after_its_award_was_suspended_gets_its_bit_by_the_message_of_its_issue(issued):
    award = make_award(9, make_version())
    suspend(award)
    settle_award(Message(1, "award.suspended", 1, 9, {"award": award.uuid}, clock.now()))
    credential = issued(1, 11)
    Credential.objects.filter(pk=credential.pk).update(award=award)
    credential.refresh_from_db()
    deliver(credential, "issued")
    assert credential.suspended_at is not None


def test_a_corrected_credential_is_revoked_and_says_why(issued):
    credential = issued(1, 7)
    Credential.objects.filter(pk=credential.pk).update(superseded_at=clock.now(), live=None)
    deliver(credential, "corrected")
    assert credential.revoked_at is not None
    assert credential.status_reason == "superseded"


def test_the_outbox_carries_a_suspension_to_the_lists(issued):
    credential = issued(1, 7)
    suspend(credential.award)
    while outbox.relay().done:
        pass
    credential.refresh_from_db()
    assert credential.suspended_at is not None
    assert lists.lists_due().exists()


def test_a_list_of_a_purpose_whose_bits_are_the_same_is_not_signed_again(issued):
    credential = issued(1, 7)
    lists.sign_due()
    before = dict(StatusListDocument.objects.values_list("purpose", "body"))
    suspend(credential.award)
    deliver(credential, "suspended")
    lists.sign_due()
    after = dict(StatusListDocument.objects.values_list("purpose", "body"))
    assert after[REVOCATION] == before[REVOCATION]
    assert after[SUSPENSION] != before[SUSPENSION]
    assert not lists.lists_due().exists()


def test_an_older_list_never_replaces_a_newer_one(issued, monkeypatch):
    """A worker reads the rows, is paused, and signs after another one has signed what came since."""
    credential = issued(1, 7)
    lists.sign_due()
    mark_changed([issued.list.pk])
    encode = lists.encode

    def paused(indexes, **options):
        encoded = encode(list(indexes), **options)
        monkeypatch.setattr(lists, "encode", encode)
        revoke(credential.award)
        deliver(credential, "revoked")
        lists.sign_due()
        return encoded

    monkeypatch.setattr(lists, "encode", paused)
    lists.sign(issued.list, REVOCATION)
    assert bits()[REVOCATION] == {7}
    assert not lists.lists_due().exists()


def test_a_change_while_a_list_is_being_signed_is_signed_by_the_next_sweep(issued, monkeypatch):
    credential = issued(1, 7)
    lists.sign_due()
    mark_changed([issued.list.pk])
    add_proof = proofs.add_proof
    encode = lists.encode

    def meanwhile(indexes, **options):
        encoded = encode(list(indexes), **options)
        monkeypatch.setattr(lists, "encode", encode)
        revoke(credential.award)
        deliver(credential, "revoked")
        return encoded

    monkeypatch.setattr(lists, "encode", meanwhile)
    lists.sign(issued.list, REVOCATION)
    assert proofs.add_proof is add_proof
    assert lists.lists_due().exists()
    lists.sign_due()
    assert bits()[REVOCATION] == {7}


def test_a_rotated_key_signs_the_lists_anew_and_a_revoked_one_signs_none(issued):
    issued(1, 7)
    lists.sign_due()
    keys.rotate_key(issuer_code=issued.issuer.code)
    sign_again(issuer_code=issued.issuer.code)
    assert lists.sign_due() == 1
    for purpose in PURPOSES:
        document = json.loads(lists.published_list(code="list-1", purpose=purpose).body)
        assert document["proof"]["verificationMethod"].endswith("#key-2")
    assert verify(credential=json.dumps(document)).verdict is Verdict.VALID


def test_a_list_is_served_as_stored_with_one_query(issued, client, django_assert_num_queries):
    issued(1, 7)
    address = "/microcred/status/list-1/revocation"
    first = client.get(address)
    assert first.status_code == 200, "a list that was never signed is signed when somebody asks"
    with django_assert_num_queries(1):
        again = client.get(address)
    assert again.content == first.content
    assert again["Content-Type"] == "application/vc"
    assert again["Cache-Control"] == "public, max-age=300"
    assert again["Access-Control-Allow-Origin"] == "*"
    assert parse_http_date(again["Last-Modified"])
    document = json.loads(again.content)
    assert document["id"] == addresses.public_base() + address
    assert document["credentialSubject"]["ttl"] == 300_000
    assert verify(credential=again.content).verdict is Verdict.VALID
    unchanged = client.get(address, headers={"If-None-Match": again["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    StatusListDocument.objects.update(signed_at=clock.now() + timedelta(seconds=1))
    assert client.get(address, headers={"If-None-Match": again["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    "address", ["status/no-list/revocation", "status/list-1/refresh", "issuers/nobody/revocations.json"]
)
def test_what_there_is_not_is_not_found(issued, client, address):
    assert client.get(f"/microcred/{address}").status_code == 404


def test_lists_are_read_and_nothing_else(issued, client):
    assert client.post("/microcred/status/list-1/revocation").status_code == 405
    assert client.post(f"/microcred/issuers/{issued.issuer.code}/revocations.json").status_code == 405
    assert client.head("/microcred/status/list-1/revocation").status_code == 200


def test_the_revocation_list_of_1edtech_names_what_is_revoked_and_no_more(issued, client):
    revoked, suspended, fine = issued(1, 7), issued(2, 8), issued(3, 9)
    revoke(revoked.award)
    suspend(suspended.award)
    for one in (revoked, suspended, fine):
        deliver(one, "revoked")
    Endorsement.objects.create(
        endorser=issued.issuer,
        achievement=revoked.award.achievement,
        live=None,
        comment={},
        key=revoked.key,
        body="{}",
        made_at=clock.now(),
        withdrawn_at=clock.now(),
        uuid="withdrawn",
    )
    answer = client.get(f"/microcred/issuers/{issued.issuer.code}/revocations.json")
    assert answer.json() == {
        "id": f"https://lms.example.org/microcred/issuers/{issued.issuer.code}/revocations.json",
        "type": "1EdTechRevocationList",
        "issuer": f"did:web:lms.example.org:microcred:issuers:{issued.issuer.code}",
        "revokedCredentials": [
            {"id": addresses.credential_url(revoked.uuid), "revoked": True},
            {"id": addresses.endorsement_url("withdrawn"), "revoked": True},
        ],
    }
    assert (
        client.get(
            f"/microcred/issuers/{issued.issuer.code}/revocations.json",
            headers={"If-None-Match": answer["ETag"]},
        ).status_code
        == 304
    )


def test_every_entry_of_a_credential_has_an_id_of_its_own_that_is_not_the_list_s():
    entries = status_entries(lists_url="https://h/l", revocations_url="https://h/r", index=5)
    assert [one["type"] for one in entries] == [
        "BitstringStatusListEntry",
        "BitstringStatusListEntry",
        "1EdTechRevocationList",
    ]
    assert len({one["id"] for one in entries}) == 3
    assert all(one["id"] != one.get("statusListCredential") for one in entries)
    assert {one["statusListIndex"] for one in entries[:2]} == {"5"}


def test_settling_many_awards_at_once_takes_a_handful_of_queries(issued, django_assert_max_num_queries):
    credentials = [issued(learner, learner) for learner in range(1, 30)]
    Award.objects.update(state="revoked")
    with django_assert_max_num_queries(8):
        changed = settle_awards(award_uuids=[one.award.uuid for one in credentials])
    assert changed == 29
    lists.sign_due()
    assert bits()[REVOCATION] == set(range(1, 30))


def test_one_issuer_whose_key_cannot_be_used_keeps_nobody_else_waiting(issued):
    issued(1, 7)
    broken = Issuer.objects.create(code="a-broken", organization="X", definition={})
    key = keys.current_key(broken)
    IssuerKey.objects.filter(pk=key.pk).update(private_key_encrypted=b"nothing of use")
    StatusList.objects.filter(code="list-1").update(number=2)
    StatusList.objects.create(
        code="broken", issuer=broken, number=1, permutation_key="k", created=clock.now(), pk=1_000_000
    )
    assert lists.sign_due() == 1
    assert [one.code for one in lists.lists_due()] == ["broken"]
    assert [one.code for one in probe_status_lists()] == ["status_lists.waiting"]
