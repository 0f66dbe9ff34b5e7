"""Our verdicts beside those of Digital Bazaar's libraries and jose: the two must agree.

One process of Node reads many documents; see tests/node_verifier.
"""

from __future__ import annotations

import base64
import copy
import json
from datetime import UTC, datetime

import pytest

from mooc_microcred.achievements.models import Issuer
from mooc_microcred.core import clock
from mooc_microcred.core.roles import Actor
from mooc_microcred.credentials import addresses, api, keys, proofs
from mooc_microcred.credentials.endorsing import signed_endorsement
from mooc_microcred.credentials.status import lists
from mooc_microcred.credentials.status.entries import PURPOSES
from mooc_microcred.credentials.status.settling import settle_awards
from mooc_microcred.credentials.verification.engine import verify
from mooc_microcred.credentials.verification.report import Verdict
from tests.credentials.issuing_world import (
    award_level_2,
    award_programme,
    credential_of,
    issue_all,
    level_1,
    level_2,
)
from tests.credentials.verification.foreign import ForeignIssuer, base64url, canonical
from tests.credentials.verification.node import installed, verify_elsewhere
from tests.credentials.verification.ours import OurIssuer
from tests.credentials.verification.tampering import tamperings
from tests.support.factories import make_award, revoke, suspend

NOW = datetime(2026, 11, 21, tzinfo=UTC)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.independent]


@pytest.fixture(autouse=True)
def _node():
    installed()


@pytest.fixture
def ours():
    return OurIssuer()


def ask(items, documents, now=NOW) -> dict[str, tuple[Verdict, str]]:
    """Return our verdict and theirs of each item by name; theirs in our words."""
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    answers = verify_elsewhere([{**item, "now": at} for item in items], documents=documents)
    found = {}
    for item in items:
        given = item.get("jwt") or json.dumps(item["credential"], ensure_ascii=False)
        found[item["name"]] = (verify(credential=given, now=now).verdict, _theirs(answers[item["name"]]))
    return found


def _theirs(answer) -> str:
    if "expired" in answer["error"].lower() or "after" in answer["error"] or '"exp" claim' in answer["error"]:
        return "expired"
    if "is before" in answer["error"] or '"nbf" claim' in answer["error"]:
        return "not_yet_valid"
    if not answer["verified"]:
        return "refused: " + answer["error"]
    if answer["revoked"]:
        return "revoked"
    return "suspended" if answer["suspended"] else "valid"


def agree(found) -> list[str]:
    """Return the lines in which the two differ."""
    wrong = []
    for name, (our, their) in found.items():
        same = (
            their.startswith("refused") if our in (Verdict.INVALID, Verdict.UNKNOWN) else their == our.value
        )
        if not same:
            wrong.append(f"{name}: we say {our.value}, they say {their}")
    return wrong


def test_what_we_sign_is_valid_for_them_and_what_they_would_refuse_we_refuse_too(ours):
    _row, document = ours.issue(validUntil="2030-01-01T00:00:00Z")
    items = [{"name": "as signed", "credential": document}]
    items += [{"name": name, "credential": other} for name, other in tamperings(document)]
    found = ask(items, ours.published())
    assert found["as signed"] == (Verdict.VALID, "valid")
    assert not agree(found), "\n".join(agree(found))
    accepted = {name for name, (our, _their) in found.items() if our is Verdict.VALID} - {"as signed"}
    # What changes no signed statement is no forgery; there is nothing of the kind in this document.
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    neutral = {
        name
        for name, other in tamperings(document)
        if name.startswith("removed @context") and _same_statements(other, unsigned)
    }
    assert accepted <= neutral, accepted - neutral
    assert len(found) > 120


def _same_statements(other, unsigned) -> bool:
    try:
        return canonical({name: value for name, value in other.items() if name != "proof"}) == canonical(
            unsigned
        )
    except Exception:  # noqa: BLE001 not JSON-LD any more
        return False


def test_a_jwt_of_ours_is_valid_for_jose_and_every_change_of_its_content_is_refused_by_both(ours):
    _row, document = ours.issue()
    token = ours.token(document)
    items = [{"name": "as signed", "jwt": token}]
    head, body, signature = token.split(".")
    payload = json.loads(base64.urlsafe_b64decode(body + "=="))
    for name, other in tamperings(payload):
        text = base64url(json.dumps(other, ensure_ascii=False).encode())
        items.append({"name": name, "jwt": f"{head}.{text}.{signature}"})
    for name, changes in {
        "other alg": {"alg": "RS256"},
        "no alg": {"alg": "none"},
        "other kid": {"kid": "x#y"},
    }.items():
        header = {**json.loads(base64.urlsafe_b64decode(head + "==")), **changes}
        text = base64url(json.dumps(header).encode())
        items.append({"name": name, "jwt": f"{text}.{body}.{signature}"})
    found = ask(items, ours.published())
    assert found.pop("as signed") == (Verdict.VALID, "valid")
    assert not agree(found), "\n".join(agree(found))
    assert all(our is not Verdict.VALID for our, _their in found.values())


@pytest.mark.parametrize("form", ["credential", "jwt"])
def test_revoked_suspended_expired_and_not_yet_valid_are_told_alike(ours, form):
    rows = {name: ours.issue() for name in ("fine", "revoked", "suspended", "both")}
    suspend(rows["suspended"][0].award)
    suspend(rows["both"][0].award)
    settle_awards(award_uuids=[rows["both"][0].award.uuid])
    revoke(rows["revoked"][0].award)
    revoke(rows["both"][0].award)
    settle_awards(award_uuids=[row.award.uuid for row, _document in rows.values()])
    items = [
        {"name": name, form: document if form == "credential" else ours.token(document)}
        for name, (_row, document) in rows.items()
    ]
    found = ask(items, ours.published())
    assert not agree(found), "\n".join(agree(found))
    assert {name: our.value for name, (our, _their) in found.items()} == {
        "fine": "valid",
        "revoked": "revoked",
        "suspended": "suspended",
        "both": "revoked",
    }


def test_time_is_told_alike(ours):
    _row, document = ours.issue(validUntil="2027-01-01T00:00:00Z")
    items = [{"name": "one", "credential": document}]
    for now, verdict in (
        (datetime(2025, 12, 1, tzinfo=UTC), Verdict.NOT_YET_VALID),
        (clock.now(), Verdict.VALID),
        (datetime(2027, 1, 2, tzinfo=UTC), Verdict.EXPIRED),
    ):
        found = ask(items, ours.published(), now=now)
        assert found == {"one": (verdict, verdict.value)}


def test_keys_are_told_alike(ours):
    _row, before = ours.issue()
    keys.rotate_key(issuer_code="thai-u")
    _row, after = ours.issue()
    other = OurIssuer("other-u")
    forged = other.sign({name: value for name, value in before.items() if name != "proof"})
    passed_off = copy.deepcopy(forged)
    passed_off["proof"]["verificationMethod"] = before["proof"]["verificationMethod"]
    items = [
        {"name": "retired key", "credential": before},
        {"name": "current key", "credential": after},
        {"name": "key of another issuer", "credential": forged},
        {"name": "key of another issuer under our name", "credential": passed_off},
        {"name": "retired key, jwt", "jwt": ours.token(after)},
    ]
    documents = {**ours.published(), **other.published()}
    found = ask(items, documents)
    assert not agree(found), "\n".join(agree(found))
    assert [our.value for our, _their in found.values()] == ["valid", "valid", "invalid", "invalid", "valid"]
    keys.revoke_key(issuer_code="thai-u", number=1)
    found = ask(items[:2], ours.published(), now=clock.now())
    assert not agree(found), "\n".join(agree(found))
    assert [our.value for our, _their in found.values()] == ["invalid", "valid"]


def test_credentials_of_strangers_are_told_alike():
    stranger = ForeignIssuer()
    document = stranger.sign(stranger.credential())
    items = [{"name": "as signed", "credential": document}]
    items += [{"name": name, "credential": other} for name, other in tamperings(document)]
    items.append({"name": "jwt", "jwt": stranger.token(stranger.credential())})
    found = ask(items, {})
    assert found["as signed"] == found["jwt"] == (Verdict.VALID, "valid")
    assert not agree(found), "\n".join(agree(found))


# --- what is issued, from award to document ---


@pytest.fixture
def issued(platform):
    """Return the signed documents of a learner's awards by kind, as the room issues them."""
    platform.add_learner(7)
    version = level_2()
    Issuer.objects.create(
        code="chip-makers",
        organization="INDUSTRY",
        definition={
            "name": {"th": "สมาคมผู้ผลิตชิป", "en": "Chip makers"},
            "url": "https://chips.example.org",
            "country": "TH",
        },
    )
    endorsement = api.endorse(
        actor=Actor(user_id=99, superuser=True),
        endorser_code="chip-makers",
        achievement_code=version.achievement.code,
        comment={"th": "เรารับผู้ที่ได้ใบรับรองนี้เข้าทำงาน", "en": "We hire who has this."},
    )
    parts = [make_award(7, level_1()), award_level_2(7, version)]
    top = award_programme(7, parts)
    issue_all()
    rows = {
        "level 1": credential_of(parts[0]),
        "level 2": credential_of(parts[1]),
        "programme": credential_of(top),
    }
    found = {name: (row, api.signed_document(uuid=row.uuid)) for name, row in rows.items()}
    found["record"] = (rows["programme"], api.signed_document(uuid=rows["programme"].uuid, record=True))
    found["endorsement"] = (None, json.loads(signed_endorsement(uuid=endorsement.uuid)))
    return found


def published_by(issued) -> dict[str, dict]:
    """Return what stands at the addresses that the documents name."""
    lists.sign_due()
    found = {addresses.did_web("chip-makers"): dict(keys.did_document(issuer_code="chip-makers"))}
    for row in {row.pk: row for row, _document in issued.values() if row}.values():
        found[addresses.did_web(row.issuer.code)] = dict(keys.did_document(issuer_code=row.issuer.code))
        for purpose in PURPOSES:
            document = json.loads(lists.published_list(code=row.status_list.code, purpose=purpose).body)
            found[document["id"]] = document
    return found


def test_every_kind_that_is_issued_is_valid_for_both_as_json_ld_and_as_jwt(issued):
    items = []
    for name, (row, document) in issued.items():
        items.append({"name": name, "credential": document})
        if row:
            jwt = api.signed_jwt(uuid=row.uuid, record=name == "record")
            items.append({"name": f"{name} as jwt", "jwt": jwt})
    documents = published_by(issued)
    lists_ = [one for one in documents.values() if "proof" in one]
    assert lists_
    items += [{"name": one["id"], "credential": one} for one in lists_]
    found = ask(items, documents, now=clock.now())
    assert not agree(found), "\n".join(agree(found))
    assert {our for our, _their in found.values()} == {Verdict.VALID}
    report = verify(credential=json.dumps(issued["record"][1]))
    assert report.our_own
    assert len(report.inner) >= 2
    assert {one.verdict for one in report.inner} == {Verdict.VALID}
    assert {one.outcome.value for one in report.checks} <= {"passed", "not_checked"}
    endorsed = verify(credential=json.dumps(issued["level 2"][1]))
    assert [one.summary.types for one in endorsed.inner] == [
        ("VerifiableCredential", "EndorsementCredential")
    ]


@pytest.mark.parametrize(
    ("kind", "step"), [("level 1", 1), ("level 2", 1), ("programme", 1), ("record", 1), ("endorsement", 1)]
)
def test_every_change_of_what_is_issued_is_told_alike(issued, kind, step):
    _row, document = issued[kind]
    items = [
        {"name": name, "credential": other}
        for number, (name, other) in enumerate(tamperings(document))
        if number % step == 0
    ]
    found = ask(items, published_by(issued), now=clock.now())
    assert not agree(found), "\n".join(agree(found))
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    accepted = {name for name, (our, _their) in found.items() if our is Verdict.VALID}
    neutral = {item["name"] for item in items if _same_statements(item["credential"], unsigned)}
    assert accepted <= neutral, accepted - neutral
    assert len(accepted) < 16, accepted
    assert len(items) > 80


@pytest.mark.parametrize("change", ["suspend", "revoke"])
def test_a_decision_about_an_award_reaches_both(issued, change):
    row, _document = issued["level 2"]
    (suspend if change == "suspend" else revoke)(row.award)
    issue_all()
    documents = published_by(issued)
    items = [{"name": name, "credential": document} for name, (_row, document) in issued.items()]
    found = ask(items, documents, now=clock.now())
    assert not agree(found), "\n".join(agree(found))
    expected = "suspended" if change == "suspend" else "revoked"
    assert {name: our.value for name, (our, _their) in found.items()} == {
        "level 1": "valid",
        "level 2": expected,
        "programme": "valid",
        "record": "valid",
        "endorsement": "valid",
    }
    record = verify(credential=json.dumps(issued["record"][1]))
    assert record.check("inner").outcome.value == "warning"
    assert expected in {one.verdict.value for one in record.inner}


def test_what_was_signed_before_a_key_came_into_other_hands_is_told_from_what_is_dated_back(issued):
    """Elsewhere nothing of a revoked key is trusted; we have kept what it signed."""
    row, document = issued["level 2"]
    other = copy.deepcopy(document)
    other["name"] = "อย่างอื่น"
    forged = proofs.add_proof(
        {name: value for name, value in other.items() if name != "proof"},
        keys.handle_of(keys.current_key(row.issuer)),
        row.signed_at,
    )
    keys.revoke_key(issuer_code=row.issuer.code, number=1, since=clock.now())
    kept = verify(credential=json.dumps(document))
    assert (kept.verdict, kept.check("key_status").outcome.value) == (Verdict.VALID, "warning")
    dated_back = verify(credential=json.dumps(forged))
    assert (dated_back.verdict, dated_back.reason.code) == (Verdict.INVALID, "key_revoked")
    assert verify(credential=json.dumps(issued["record"][1])).verdict is Verdict.VALID
    items = [{"name": "kept", "credential": document}, {"name": "dated back", "credential": forged}]
    answers = verify_elsewhere(items, documents=published_by(issued))
    assert not any(one["verified"] for one in answers.values())


def test_an_endorsement_that_is_withdrawn_is_told_and_leaves_what_it_endorsed_valid(issued):
    uuid = issued["endorsement"][1]["id"].rpartition("/")[2]
    api.withdraw_endorsement(actor=Actor(user_id=99, superuser=True), uuid=uuid)
    assert verify(credential=json.dumps(issued["endorsement"][1])).verdict is Verdict.REVOKED
    endorsed = verify(credential=json.dumps(issued["level 2"][1]))
    assert endorsed.verdict is Verdict.VALID
    assert [one.verdict for one in endorsed.inner] == [Verdict.REVOKED]
    assert endorsed.check("inner").code == "inner_doubtful"


def test_an_issuer_that_is_named_by_its_key_is_told_alike(platform, settings):
    version = level_1()
    code = version.issuer.code
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "DID_KEY_ISSUERS": [code]}
    platform.add_learner(7)
    platform.add_learner(8)
    fine, gone = make_award(7, version), make_award(8, version)
    issue_all()
    rows = {"valid": credential_of(fine), "revoked": credential_of(gone)}
    revoke(gone)
    issue_all()
    lists.sign_due()
    found = [
        json.loads(lists.published_list(code=rows["valid"].status_list.code, purpose=one).body)
        for one in PURPOSES
    ]
    items = [{"name": name, "credential": api.signed_document(uuid=row.uuid)} for name, row in rows.items()]
    assert items[0]["credential"]["issuer"]["id"].startswith("did:key:")
    answers = ask(items, {one["id"]: one for one in found}, now=clock.now())
    assert answers == {"valid": (Verdict.VALID, "valid"), "revoked": (Verdict.REVOKED, "revoked")}
    assert verify(credential=json.dumps(items[0]["credential"])).our_own
    keys.revoke_key(issuer_code=code, number=1, since=datetime(2026, 1, 1, tzinfo=UTC))
    assert verify(credential=json.dumps(items[0]["credential"])).verdict is Verdict.INVALID
