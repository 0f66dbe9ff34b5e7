import base64
import hashlib
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import connection, connections

from mooc_microcred.achievements.models import Award
from mooc_microcred.competencies.models import Association
from mooc_microcred.core import clock
from mooc_microcred.core.doctor import Level
from mooc_microcred.core.errors import InvalidInput, NotAllowed, NotFound, WrongState
from mooc_microcred.core.models import AuditEntry, OutboxMessage
from mooc_microcred.core.retirement import retire_learner
from mooc_microcred.core.roles import Actor
from mooc_microcred.credentials import api, issuing, places, proofs, storing
from mooc_microcred.credentials.health import probe_credentials
from mooc_microcred.credentials.models import (
    Credential,
    CredentialDue,
    IssueWalk,
    SignedDocument,
    StatusList,
)
from mooc_microcred.credentials.multikey import public_multikey
from mooc_microcred.credentials.verification.keys import key_of_multikey
from tests.competencies.frameworks import key, make_framework
from tests.credentials.issuing_world import (
    CENTRE,
    EXAM,
    award_level_2,
    award_programme,
    credential_of,
    issue_all,
    level_1,
    level_2,
    make_due,
    sitting,
)
from tests.support.factories import change_award, correct, make_award, make_version, revoke, suspend

pytestmark = pytest.mark.django_db(transaction=True)

BASE = "https://lms.example.org/microcred"


@pytest.fixture(autouse=True)
def _learners(platform):
    for learner in range(7, 12):
        platform.add_learner(learner, email=f"Learner{learner}@Example.com")


def document_of(award: Award, **more) -> dict:
    return api.signed_document(uuid=credential_of(award).uuid, **more)


# --- what a credential says ---


def test_every_award_gets_one_signed_credential():
    awards = [make_award(7, level_1()), award_level_2(7), make_award(8, level_1())]
    issue_all()
    for award in awards:
        row = credential_of(award)
        document = document_of(award)
        assert proofs.check_proof(document, row.key.public_key)
        assert document["id"] == f"{BASE}/credentials/{row.uuid}"
    assert Credential.objects.count() == 3
    assert not CredentialDue.objects.exists()


def test_a_level_2_says_everything_that_open_badges_the_eu_and_the_credit_bank_ask_for():
    award = award_level_2(7, expires_at=clock.now() + timedelta(days=365))
    issue_all()
    document = document_of(award)
    subject = document["credentialSubject"]
    achievement = subject["achievement"]
    assert document["@context"] == [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
        f"{BASE}/contexts/v1.jsonld",
    ]
    assert document["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert document["issuer"]["id"] == "did:web:lms.example.org:microcred:issuers:kmutt"
    assert document["issuer"]["address"]["addressCountryCode"] == "TH"
    assert document["validFrom"] == proofs.instant(award.issued_at)
    assert document["validUntil"] == proofs.instant(award.expires_at)
    assert achievement["achievementType"] == "MicroCredential"
    assert achievement["nameIn"]["th"].startswith("ไทย")
    assert achievement["nameIn"]["en"].startswith("English")
    assert achievement["criteria"]["narrative"] == "สอบผ่าน"
    assert (achievement["creditsAvailable"], subject["creditsEarned"]) == (3, 3)
    described = {one["id"].rpartition("#")[2]: one for one in achievement["resultDescription"]}
    assert described[f"result-exam-{EXAM}"]["requiredValue"] == "60"
    assert described["result-course-grade"]["requiredValue"] == "40"
    results = {one["resultDescription"].rpartition("#")[2]: one for one in subject["result"]}
    assert results["result-status"]["status"] == "Completed"
    assert results[f"result-exam-{EXAM}"]["value"] == "83.5"
    assert results["result-course-grade"]["value"] == "71.25"
    assert results["result-total"]["value"] == "80.44"
    assert set(results) <= set(described)
    assert subject["source"]["name"] == CENTRE
    assert subject["source"]["id"].startswith("urn:uuid:")
    course, exam = document["evidence"]
    assert course["courseRun"] == "course-v1:KMUTT+PY101+2026"
    assert (exam["examDate"], exam["examCentre"]) == ("2026-11-01", CENTRE)
    assert achievement["notionalHours"] == "45.00"
    assert achievement["thaiCredits"] == "3.00"
    assert achievement["nqfLevel"] == 4
    assert achievement["creditBankMethod"] == "CE"
    assert achievement["assessmentType"] == ["testing"]
    assert achievement["participation"] == "online"
    assert achievement["supervision"] == "unsupervised_without_id"
    assert achievement["qualityAssurance"] == "institution"
    assert achievement["teachingLanguage"] == ["en", "th"]
    assert achievement["stackable"] is True
    assert achievement["prerequisitesIn"] == {"th": "ระดับ 1", "en": "Level 1"}
    assert achievement["acceptedByIn"] == {"th": ["บริษัท ก"], "en": ["Company A"]}
    outcome = achievement["learningOutcome"][1]
    assert (outcome["outcomeDomain"], outcome["statementIn"]["en"]) == ("skills", "Write a program")
    assert [one["type"] for one in document["credentialStatus"]] == [
        "BitstringStatusListEntry",
        "BitstringStatusListEntry",
        "1EdTechRevocationList",
    ]
    assert all(one["id"] for one in document["credentialStatus"])
    # Three entries of status are more than the schema of 1EdTech allows: none is promised.
    assert "credentialSchema" not in document


@pytest.mark.parametrize(
    ("kind", "achievement_type"),
    [
        ("level1", "CertificateOfCompletion"),
        ("level2", "MicroCredential"),
        ("competency", "Competency"),
    ],
)
def test_each_kind_has_the_type_of_the_field(kind, achievement_type):
    award = make_award(7, make_version(kind=kind))
    issue_all()
    assert document_of(award)["credentialSubject"]["achievement"]["achievementType"] == achievement_type


def test_the_subject_is_the_salted_hash_of_the_address_and_nothing_else_of_the_person():
    first, second = make_award(7, level_1()), make_award(7, level_1())
    issue_all()
    identities = [document_of(one)["credentialSubject"]["identifier"][0] for one in (first, second)]
    for identity in identities:
        hashed = hashlib.sha256(("learner7@example.com" + identity["salt"]).encode()).hexdigest()
        assert identity["identityHash"] == f"sha256${hashed}"
        assert identity["identityType"] == "emailAddress"
    assert identities[0]["salt"] != identities[1]["salt"]
    text = json.dumps(document_of(first), ensure_ascii=False).lower()
    assert "learner7" not in text
    assert "learner 7" not in text
    assert "nationalidentitynumber" not in text


def test_a_programme_has_a_record_of_the_signed_credentials_it_stands_on():
    parts = [make_award(7, level_1()), award_level_2(7)]
    top = award_programme(7, parts)
    issue_all()
    record = document_of(top, record=True)
    own = document_of(top)
    assert proofs.check_proof(record, credential_of(top).key.public_key)
    assert record["type"] == ["VerifiableCredential", "ClrCredential"]
    assert own["credentialSubject"]["achievement"]["achievementType"] == "LearningProgram"
    subject = record["credentialSubject"]
    assert subject["verifiableCredential"] == [own, *map(document_of, parts)]
    assert subject["identifier"] == own["credentialSubject"]["identifier"]
    assert [one["targetId"] for one in subject["association"]] == [document_of(one)["id"] for one in parts]
    assert {one["associationType"] for one in subject["association"]} == {"isParentOf"}
    assert {one["sourceId"] for one in subject["association"]} == {own["id"]}
    # The signed parts still verify by themselves.
    for part in subject["verifiableCredential"]:
        assert proofs.check_proof(part, credential_of(top).key.public_key)


def test_what_was_signed_comes_back_byte_for_byte():
    award = award_level_2(7)
    issue_all()
    kept = SignedDocument.objects.get()
    body = api.signed_bytes(uuid=credential_of(award).uuid)
    assert storing.unpack(kept.body, kept.dictionary_id) == body
    assert len(bytes(kept.body)) * 5 < len(body)


def test_the_jwt_says_the_same_and_is_the_same_each_time():
    award = award_level_2(7, expires_at=clock.now() + timedelta(days=30))
    issue_all()
    row = credential_of(award)
    token = api.signed_jwt(uuid=row.uuid)
    assert api.signed_jwt(uuid=row.uuid) == token
    header, payload, signature = (
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")
    )
    key = key_of_multikey(row.key.public_key)
    assert isinstance(key, Ed25519PublicKey)
    key.verify(signature, token.rpartition(".")[0].encode())
    claims, document = json.loads(payload), document_of(award)
    assert set(json.loads(header)) == {"alg", "kid", "typ"}
    assert claims["iss"] == document["issuer"]["id"]
    assert claims["jti"] == document["id"]
    assert claims["sub"] == document["credentialSubject"]["id"]
    assert claims["nbf"] == int(award.issued_at.timestamp())
    assert claims["exp"] == int(award.expires_at.timestamp())
    assert {name: claims[name] for name in document if name != "proof"} == {
        name: value for name, value in document.items() if name != "proof"
    }


def test_open_badges_2_is_hosted_for_old_displayers(client, settings):
    settings.CONTACT_EMAIL = "info@lms.example.org"
    award = award_level_2(7)
    issue_all()
    uuid = credential_of(award).uuid
    assertion = api.hosted_assertion(uuid=uuid)
    document = document_of(award)
    assert assertion["verification"] == {"type": "HostedBadge"}
    identity = document["credentialSubject"]["identifier"][0]
    assert assertion["recipient"] == {
        "type": "email",
        "hashed": True,
        "identity": identity["identityHash"],
        "salt": identity["salt"],
    }
    badge = client.get(assertion["badge"].removeprefix("https://lms.example.org"))
    assert badge.json()["id"] == assertion["badge"]
    picture = client.get(badge.json()["image"].removeprefix("https://lms.example.org"))
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/png")
    assert (
        client.get(badge.json()["criteria"]["id"].removeprefix("https://lms.example.org")).status_code == 200
    )
    issuer = client.get(badge.json()["issuer"].removeprefix("https://lms.example.org"))
    assert (issuer.json()["type"], issuer.json()["id"]) == ("Issuer", badge.json()["issuer"])
    # What Open Badges 2.0 requires of an issuer.
    assert all(issuer.json().get(name) for name in ("name", "url", "email"))
    revoke(award)
    issue_all()
    assert api.hosted_assertion(uuid=uuid) == {
        "@context": "https://w3id.org/openbadges/v2",
        "id": f"{BASE}/credentials/{uuid}/assertion.json",
        "type": "Assertion",
        "revoked": True,
        "revocationReason": "staff_decision",
    }


def test_competencies_of_the_criteria_are_aligned_to_case_and_to_what_they_equal_in_esco(client):
    framework = make_framework()
    esco = "http://data.europa.eu/esco/skill/d41d8cd9"
    for position, (code, kind, address) in enumerate(
        [
            ("EN-1.1", "exactMatchOf", esco),
            ("EN-1.1", "exactMatchOf", "urn:not-an-address"),
            ("EN-1.1", "isRelatedTo", "https://example.org/related"),
            ("EN-2", "exactMatchOf", "https://example.org/not-named"),
        ]
    ):
        Association.objects.create(
            framework=framework,
            identifier=f"association-{position}",
            kind=kind,
            origin=key("EN-1.1" if code == "EN-1.1" else code)[1],
            destination=address,
            destination_uri=address,
            changed=clock.now(),
        )
    named = [
        {"competency": {"framework": key(code)[0], "item": key(code)[1]}} for code in ("EN-1.1", "EN-1.2")
    ]
    narrative = {"th": "แสดงสมรรถนะ", "en": "Show the competencies."}
    version = level_1(criteria={"narrative": narrative, "rule": {"all": [{"course_passed": {}}, *named]}})
    award = make_award(7, version)
    issue_all()
    document = document_of(award)
    alignment = document["credentialSubject"]["achievement"]["alignment"]
    assert [(one["targetName"], one["targetType"], one.get("targetFramework")) for one in alignment] == [
        ("จับใจความสำคัญ", "CFItem", "ภาษาอังกฤษ"),
        ("จับใจความสำคัญ", "ceasn:Competency", "ESCO"),
        ("ฟังคำสั่งได้", "CFItem", "ภาษาอังกฤษ"),
    ]
    assert alignment[1]["targetUrl"] == esco
    item = client.get(alignment[0]["targetUrl"].removeprefix("https://lms.example.org"))
    assert item.status_code == 200
    assert item.json()["humanCodingScheme"] == alignment[0]["targetCode"] == "EN-1.1"
    alignment[1]["targetUrl"] += "x"
    assert not proofs.check_proof(document, credential_of(award).key.public_key)


def test_programs_find_what_credentials_name(client):
    award = award_level_2(7)
    issue_all()
    did = client.get("/microcred/issuers/kmutt/did.json")
    assert did.json()["assertionMethod"] == [document_of(award)["proof"]["verificationMethod"]]
    assert did["Access-Control-Allow-Origin"] == "*"
    context = client.get("/microcred/contexts/v1.jsonld")
    assert context.json()["@context"]["notionalHours"]
    assert client.get("/microcred/issuers/nobody/did.json").status_code == 404
    achievement = api.achievement_document(version_id=award.version_id)
    assert achievement["id"] == document_of(award)["credentialSubject"]["achievement"]["id"]
    assert api.public_url(award_uuid=award.uuid) == document_of(award)["id"]
    assert api.public_url(award_uuid="none") == ""


# --- when it is made ---


def test_a_hidden_award_gets_its_credential_when_it_is_shown():
    award = make_award(7, level_1(), published_at=None)
    issuing.queue_awards([award.pk])
    issue_all()
    assert not Credential.objects.exists()
    change_award(award, "published", announce=False, published_at=clock.now())
    issuing.queue_awards([award.pk])
    issue_all()
    assert credential_of(award)


@pytest.mark.parametrize("reason", ["no_email", "platform_away"])
def test_an_unreadable_learner_waits_and_is_never_wrong(platform, reason):
    award = make_award(50, level_1())
    platform.away = reason == "platform_away"
    issue_all()
    assert not Credential.objects.exists()
    row = CredentialDue.objects.get()
    assert (row.reason, row.attempts) == (reason, 1)
    assert row.due > clock.now()
    assert f"credentials.waits.{reason}" in {one.code for one in probe_credentials()}
    platform.away = False
    platform.add_learner(50)
    make_due()
    issue_all()
    assert credential_of(award)
    assert not CredentialDue.objects.exists()


def test_awards_of_before_are_found_by_the_walk(monkeypatch):
    monkeypatch.setattr(issuing, "WALK", 3)
    version = level_1()
    awards = [make_award(7 + number % 5, version, announce=False, live=None) for number in range(8)]
    revoked = make_award(7, version, announce=False, state="revoked", live=None)
    while api.advance_walk():
        pass
    issue_all()
    assert all(credential_of(award) for award in awards)
    assert not Credential.objects.filter(award=revoked).exists()
    assert IssueWalk.objects.get().found == 8
    assert api.advance_walk() == 0
    api.restart_walk()
    while api.advance_walk():
        pass
    assert not CredentialDue.objects.exists()


def test_the_same_message_twice_makes_one_credential():
    award = make_award(7, level_1())
    issue_all()
    OutboxMessage.objects.filter(topic="award.issued").update(state="pending", done_by=[], due=clock.now())
    issue_all()
    assert Credential.objects.filter(award=award).count() == 1
    assert api.issue_credential(award_uuid=award.uuid) == credential_of(award).uuid


def test_one_credential_can_be_had_at_once():
    award = make_award(7, level_1())
    uuid = api.issue_credential(award_uuid=award.uuid)
    assert credential_of(award).uuid == uuid
    with pytest.raises(NotFound):
        api.issue_credential(award_uuid="none")


def test_another_worker_that_was_faster_is_believed(monkeypatch):
    """Both have signed; the second one's rows are refused, and it looks again."""
    awards = [make_award(7, level_1(), announce=False), make_award(8, level_1(), announce=False)]
    issuing.queue_awards([award.pk for award in awards])
    store = issuing._Batch._store
    faster = []

    def store_after_another(self, made):
        if not faster:
            faster.append(True)
            CredentialDue.objects.filter(award=awards[0]).update(due=clock.now(), claim="")
            issuing.issue_due(limit=1)
        store(self, made)

    monkeypatch.setattr(issuing._Batch, "_store", store_after_another)
    issuing.issue_due()
    assert [Credential.objects.filter(award=award).count() for award in awards] == [1, 1]
    issue_all()
    assert not CredentialDue.objects.exists()


@pytest.mark.parametrize("where", ["_subjects", "_sign", "_store"])
def test_a_worker_that_dies_loses_and_doubles_nothing(monkeypatch, where):
    award = award_level_2(7)
    issuing.queue_awards([award.pk])

    class Killed(BaseException):
        pass

    def die(*_args):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(issuing._Batch, where, die)
        with pytest.raises(Killed):
            issuing.issue_due()
    assert not Credential.objects.exists()
    # Its claim runs out by itself.
    CredentialDue.objects.update(due=clock.now())
    issue_all()
    assert Credential.objects.filter(award=award).count() == 1


def test_dying_between_the_rows_of_one_batch_leaves_none(monkeypatch):
    award = award_level_2(7, announce=False)
    issuing.queue_awards([award.pk])

    def die(*_args, **_more):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(issuing, "_documents", die)
        with pytest.raises(RuntimeError):
            issuing.issue_due()
    assert not Credential.objects.exists()
    make_due()
    issue_all()
    assert document_of(award)


def test_a_batch_costs_the_same_queries_however_many_there_are(django_assert_max_num_queries):
    version = level_2()
    few = [award_level_2(7 + number, version, announce=False) for number in range(2)]
    issuing.queue_awards([one.pk for one in few])
    issuing.issue_due()
    many = [award_level_2(100 + number, version, announce=False) for number in range(30)]
    from tests.support.memory_platform import the_platform

    for award in many:
        the_platform.add_learner(award.learner_id)
    issuing.queue_awards([one.pk for one in many])
    with django_assert_max_num_queries(45):
        report = issuing.issue_due()
    assert report.issued == 30


# --- corrections, suspension, revocation ---


def test_a_correction_makes_a_new_credential_and_revokes_the_old_one():
    version = level_2()
    award = award_level_2(7, version)
    issue_all()
    old = credential_of(award)
    Credential.objects.filter(pk=old.pk).update(visibility="public", shown_name="Somchai")
    evidence = {**award.evidence, "references": [sitting(7, version, percent="64")]}
    evidence["measures"] = [{**evidence["measures"][1], "have": "64"}]
    change_award(award, "corrected", reason="exam_corrected", evidence=evidence)
    issue_all()
    new = credential_of(award)
    old.refresh_from_db()
    assert (old.live, new.supersedes_id) == (None, old.pk)
    assert old.superseded_at is not None
    assert old.revoked_at is not None
    assert new.status_index != old.status_index
    assert (new.visibility, new.shown_name) == ("public", "Somchai")
    values = [one.get("value") for one in document_of(award)["credentialSubject"]["result"]]
    assert "64" in values
    assert api.get_credential(uuid=old.uuid).state == "superseded"
    assert api.get_credential(uuid=old.uuid).successor == new.uuid
    assert api.credential_of_awards(award_uuids=[award.uuid])[award.uuid].uuid == new.uuid


def test_a_correction_that_changes_nothing_that_is_said_keeps_the_credential():
    award = make_award(7, level_1())
    issue_all()
    before = credential_of(award)
    correct(award, ["course:course-v1:KMUTT+PY101+2026"])
    issue_all()
    assert credential_of(award).pk == before.pk
    assert Credential.objects.count() == 1


def test_a_corrected_part_gives_its_programme_a_new_record():
    version = level_2()
    part = award_level_2(7, version)
    top = award_programme(7, [part])
    issue_all()
    before = credential_of(top)
    evidence = {**part.evidence, "references": [sitting(7, version, percent="61")], "measures": []}
    change_award(part, "corrected", reason="exam_corrected", evidence=evidence)
    issue_all()
    after = credential_of(top)
    assert after.supersedes_id == before.pk
    record = document_of(top, record=True)
    assert record["credentialSubject"]["verifiableCredential"][1] == document_of(part)


def test_a_programme_waits_for_its_parts():
    part = make_award(7, level_1(), announce=False)
    top = award_programme(7, [part])
    issue_all()
    make_due()
    issue_all()
    assert credential_of(part)
    assert credential_of(top)


def test_an_award_that_is_suspended_before_its_credential_is_made_is_told_so():
    award = make_award(7, level_1(), announce=False)
    suspend(award)
    issuing.queue_awards([award.pk])
    issue_all()
    row = credential_of(award)
    assert row.suspended_at is not None
    assert row.status_list.changes > 0


# --- places in the lists ---


@pytest.mark.parametrize("size", [1, 2, 1000, 131_072])
def test_places_are_a_permutation(size):
    found = {places.permuted("key", position, size) for position in range(size)}
    assert found == set(range(size))


def test_places_say_nothing_about_the_order():
    found = [places.permuted("key", position, 131_072) for position in range(1000)]
    rising = sum(one < after for one, after in zip(found, found[1:], strict=False))
    assert 400 < rising < 600
    assert found != [places.permuted("other key", position, 131_072) for position in range(1000)]


def test_a_full_list_is_followed_by_another_one():
    version = level_1()
    issuing.queue_awards([make_award(7, version, announce=False).pk])
    issue_all()
    StatusList.objects.update(size=4)
    StatusList.objects.update(next_position=3)
    awards = [make_award(8 + number, version, announce=False) for number in range(3)]
    issuing.queue_awards([one.pk for one in awards])
    issue_all()
    assert [one.code for one in StatusList.objects.order_by("number")] == ["kmutt-1", "kmutt-2"]
    assert StatusList.objects.get(number=2).next_position == 2
    listed = [document_of(one)["credentialStatus"][0]["statusListCredential"] for one in awards]
    assert sorted(listed) == [f"{BASE}/status/kmutt-1/revocation", *[f"{BASE}/status/kmutt-2/revocation"] * 2]


# --- people ---


def test_retirement_deletes_the_document_with_its_salt_and_the_learner_s_choices():
    award = award_level_2(7)
    issue_all()
    row = credential_of(award)
    Credential.objects.update(visibility="public", name_choice="other", shown_name="Somchai")
    exported = api.export_learner(7)
    assert exported["credentials"][0]["document"] == document_of(award)
    retire_learner(learner_id=7)
    row.refresh_from_db()
    assert (row.visibility, row.name_choice, row.shown_name) == ("private", "", "")
    assert not SignedDocument.objects.exists()
    with pytest.raises(NotFound):
        api.signed_document(uuid=row.uuid)
    assert api.get_credential(uuid=row.uuid).erased
    assert api.export_learner(7)["credentials"][0]["document"] is None
    # A message that comes late makes nothing new.
    issuing.queue_awards([award.pk])
    issue_all()
    assert not SignedDocument.objects.exists()


def test_a_learner_who_retires_while_the_credential_is_signed_gets_none(monkeypatch):
    award = make_award(7, level_1(), announce=False)
    issuing.queue_awards([award.pk])
    sign = issuing._Batch._sign

    def retire_meanwhile(self, *args):
        made = sign(self, *args)
        retire_learner(learner_id=7)
        return made

    monkeypatch.setattr(issuing._Batch, "_sign", retire_meanwhile)
    issuing.issue_due()
    assert not SignedDocument.objects.exists()
    assert not Credential.objects.exists()


class Wallet:
    def __init__(self):
        self._private = Ed25519PrivateKey.generate()
        self.did = f"did:key:{public_multikey(self._private.public_key().public_bytes_raw())}"

    def proof(self, nonce: str, *, aud: str = "https://lms.example.org", did: str = "", **header) -> str:
        did = did or self.did
        parts = [
            {"alg": "EdDSA", "kid": f"{did}#{did.removeprefix('did:key:')}", **header},
            {"iss": did, "aud": aud, "nonce": nonce},
        ]
        signed = ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
        )
        signature = base64.urlsafe_b64encode(self._private.sign(signed.encode())).rstrip(b"=").decode()
        return f"{signed}.{signature}"


def test_a_learner_with_a_proved_did_is_named_by_it(platform):
    wallet = Wallet()
    assert api.use_did(learner_id=7, proof=wallet.proof(api.did_challenge(learner_id=7))) == wallet.did
    # No e-mail address is needed then.
    platform.away = True
    award = make_award(7, level_1())
    issue_all()
    subject = document_of(award)["credentialSubject"]
    assert subject["id"] == wallet.did
    assert "identifier" not in subject
    api.forget_did(learner_id=7)
    assert AuditEntry.objects.filter(action="did.forgotten").exists()


def test_a_learner_proves_a_did_by_the_api(client, django_user_model):
    client.force_login(django_user_model.objects.create(pk=7, username="ann"))
    address = "/api/mooc_microcred/v1/my/did/"
    shown = client.get(address).json()
    assert shown["did"] == ""
    wallet = Wallet()
    answer = client.post(
        address, {"proof": wallet.proof(shown["challenge"])}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["did"]) == (200, wallet.did)
    assert client.post(address, {"proof": "x"}, content_type="application/json").status_code == 400
    assert client.post(f"{address}forget/", content_type="application/json").json()["did"] == ""


def test_nobody_proves_control_for_somebody_else():
    wallet, other = Wallet(), Wallet()
    nonce = api.did_challenge(learner_id=7)
    wrong = [
        wallet.proof(api.did_challenge(learner_id=8)),
        wallet.proof("no challenge"),
        wallet.proof(nonce, aud="https://elsewhere.example"),
        wallet.proof(nonce, did=other.did),
        wallet.proof(nonce, alg="none"),
        wallet.proof(nonce)[:-4] + "AAAA",
        "a.b.c",
        "",
    ]
    for proof in wrong:
        with pytest.raises(InvalidInput):
            api.use_did(learner_id=7, proof=proof)


# --- endorsements ---


def partner() -> None:
    make_version(kind="level1", issuer="siam-software", organization="SIAM")


def officer(organization: str) -> Actor:
    from mooc_microcred.core.models import StaffRole

    StaffRole.objects.get_or_create(user_id=90, role="programme_officer", organization=organization)
    return Actor(user_id=90)


COMMENT = {"th": "เรารับผู้ถือใบรับรองนี้เข้าสัมภาษณ์", "en": "We interview everybody who holds it."}


def test_a_partner_endorses_by_its_own_key_and_later_credentials_carry_it(client):
    partner()
    version = level_2()
    before = award_level_2(7, version)
    issue_all()
    made = api.endorse(
        actor=officer("SIAM"),
        endorser_code="siam-software",
        achievement_code=version.achievement.code,
        comment=COMMENT,
    )
    after = award_level_2(8, version)
    issue_all()
    assert "endorsement" not in document_of(before)["credentialSubject"]["achievement"]
    (carried,) = document_of(after)["credentialSubject"]["achievement"]["endorsement"]
    assert carried["issuer"]["id"].endswith(":siam-software")
    assert carried["credentialSubject"]["commentIn"] == COMMENT
    assert client.get(f"/microcred/endorsements/{made.uuid}").json() == carried
    (key,) = api.list_keys(issuer_code="siam-software")
    assert proofs.check_proof(carried, key.public_key)
    assert proofs.check_proof(document_of(after), credential_of(after).key.public_key)
    with pytest.raises(WrongState):
        api.endorse(
            actor=officer("SIAM"),
            endorser_code="siam-software",
            achievement_code=version.achievement.code,
            comment=COMMENT,
        )
    api.withdraw_endorsement(actor=officer("SIAM"), uuid=made.uuid)
    later = award_level_2(9, version)
    issue_all()
    assert "endorsement" not in document_of(later)["credentialSubject"]["achievement"]
    assert api.list_endorsements(achievement_code=version.achievement.code) == []


def test_nobody_endorses_for_a_partner_or_for_themselves():
    partner()
    version = level_2()
    code = version.achievement.code
    with pytest.raises(NotAllowed):
        api.endorse(
            actor=officer("KMUTT"), endorser_code="siam-software", achievement_code=code, comment=COMMENT
        )
    with pytest.raises(InvalidInput):
        api.endorse(actor=officer("KMUTT"), endorser_code="kmutt", achievement_code=code, comment=COMMENT)
    with pytest.raises(InvalidInput):
        api.endorse(
            actor=officer("SIAM"), endorser_code="siam-software", achievement_code=code, comment={"th": " "}
        )


def test_an_operator_records_an_endorsement_by_command():
    import io

    from django.core.management import call_command
    from django.core.management.base import CommandError

    partner()
    code = level_2().achievement.code
    out = io.StringIO()
    call_command("microcred_endorse", "make", "siam-software", code, "--th", COMMENT["th"], stdout=out)
    (made,) = api.list_endorsements(achievement_code=code)
    assert made.uuid in out.getvalue()
    call_command("microcred_endorse", "list", code, stdout=out)
    call_command("microcred_endorse", "withdraw", made.uuid, stdout=out)
    assert api.list_endorsements(achievement_code=code) == []
    with pytest.raises(CommandError):
        call_command("microcred_endorse", "make", "siam-software", code)


def test_what_is_issued_has_everything_that_the_standards_require():
    from mooc_microcred.credentials.verification.required import missing_of_credential, missing_of_profile

    top = award_programme(7, [make_award(7, level_1()), award_level_2(7)])
    issue_all()
    record = document_of(top, record=True)
    for document in [record, *record["credentialSubject"]["verifiableCredential"]]:
        assert missing_of_credential(document) == []
        assert missing_of_profile(document) == []


# --- the doctor and the files ---


def test_the_doctor_finds_a_key_that_cannot_sign(settings):
    from cryptography.fernet import Fernet

    from mooc_microcred.credentials import signers

    make_award(7, level_1())
    issue_all()
    assert not [one for one in probe_credentials() if one.level == Level.WRONG]
    signers.forget_opened_keys()
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "ISSUER_KEY_ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }
    assert "credentials.keys" in {one.code for one in probe_credentials() if one.level == Level.WRONG}
    signers.forget_opened_keys()


def test_without_an_address_nothing_is_issued_and_the_doctor_says_so(settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "PUBLIC_URL": None}
    assert "credentials.url" in {one.code for one in probe_credentials() if one.level == Level.WRONG}


def test_everything_that_was_signed_is_left_as_files(tmp_path):
    from django.core.management import call_command

    parts = [make_award(7, level_1()), award_level_2(7)]
    top = award_programme(7, parts)
    issue_all()
    call_command("microcred_export_credentials", "--to", str(tmp_path))
    uuid = credential_of(top).uuid
    assert json.loads((tmp_path / f"{uuid}.json").read_text("utf-8")) == document_of(top)
    assert json.loads((tmp_path / f"{uuid}.record.json").read_text("utf-8")) == document_of(top, record=True)
    assert (tmp_path / f"{uuid}.jwt").read_text("utf-8") == api.signed_jwt(uuid=uuid)
    record = (tmp_path / f"{uuid}.record.jwt").read_text("utf-8")
    assert record == api.signed_jwt(uuid=uuid, record=True)
    assert len(list(tmp_path.glob("*.jwt"))) == 3 + 1
    assert (tmp_path / "issuers/kmutt/did.json").exists()
    assert sorted(file.name for file in tmp_path.glob("status/*/*")) == ["revocation.json", "suspension.json"]


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="one connection at a time writes to SQLite")
def test_two_workers_at_once_make_one_credential_for_each_award():
    import threading

    version = level_1()
    from tests.support.memory_platform import the_platform

    awards = [make_award(the_platform.add_learner(200 + n), version, announce=False) for n in range(60)]
    issuing.queue_awards([one.pk for one in awards])

    def work():
        try:
            while issuing.issue_due(limit=7).looked_at:
                pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Credential.objects.count() == 60
    assert Credential.objects.values("award").distinct().count() == 60
    assert connection.vendor
