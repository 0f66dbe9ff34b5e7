"""The verdicts about credentials of strangers, check by check."""

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mooc_microcred.credentials.verification.engine import verify
from mooc_microcred.credentials.verification.report import CheckName, Outcome, Verdict
from mooc_microcred.credentials.verification.statuses import read_statuses
from tests.credentials.verification.foreign import (
    ForeignIssuer,
    base64url,
    canonical,
    p256_jwk,
    p256_token,
    rsa_jwk,
    rsa_token,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
VECTOR_KEY = "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"

pytestmark = pytest.mark.django_db


def check(document, **options):
    options.setdefault("now", NOW)
    given = document if isinstance(document, str | bytes) else json.dumps(document, ensure_ascii=False)
    return verify(credential=given, **options)


def outcomes(report) -> dict[str, str]:
    return {one.name.value: one.outcome.value for one in report.checks}


@pytest.fixture
def issuer():
    return ForeignIssuer()


def test_a_credential_of_a_stranger_is_valid_with_every_check_by_name(issuer):
    report = check(issuer.sign(issuer.credential()), email="nok@example.ac.th")
    assert report.verdict is Verdict.VALID, report.message
    assert outcomes(report) == {
        "format": "passed",
        "context": "passed",
        "terms": "passed",
        "required": "passed",
        "signature": "passed",
        "issuer_key": "passed",
        "key_status": "passed",
        "validity": "passed",
        "revocation": "not_checked",
        "suspension": "not_checked",
        "subject": "passed",
        "inner": "not_checked",
    }
    assert report.summary.issuer_name == "มหาวิทยาลัยตัวอย่าง"
    assert report.summary.achievement == "ภาษาอังกฤษสำหรับชาวเรือ"
    assert not report.our_own
    assert all(one.message and one.title for one in report.checks)


@pytest.mark.parametrize("content_type", ["", "application/json", "application/vc", "text/plain; charset=x"])
def test_the_media_type_decides_nothing(issuer, content_type):
    assert check(issuer.sign(issuer.credential()), content_type=content_type).verdict is Verdict.VALID


def test_bytes_with_a_byte_order_mark_are_read(issuer):
    text = json.dumps(issuer.sign(issuer.credential()))
    assert check(b"\xef\xbb\xbf" + text.encode()).verdict is Verdict.VALID


def test_a_changed_value_is_found(issuer):
    signed = issuer.sign(issuer.credential())
    signed["credentialSubject"]["result"][0]["value"] = "99"
    report = check(signed)
    assert report.verdict is Verdict.INVALID
    assert report.reason.code == "signature_wrong"


def test_another_issuer_s_name_under_a_stranger_s_key_is_found(issuer):
    other = ForeignIssuer(seed=9)
    document = issuer.credential()
    report = check(other.sign(document))
    assert report.verdict is Verdict.INVALID
    assert report.check(CheckName.SIGNATURE).outcome is Outcome.PASSED
    assert report.reason.code == "key_foreign"


def test_an_unsigned_term_is_refused_although_the_signature_is_right(issuer):
    signed = issuer.sign(issuer.credential())
    signed["credentialSubject"]["thaiLevel"] = "สูงสุด"
    report = check(signed)
    assert report.verdict is Verdict.INVALID
    assert report.reason.name is CheckName.TERMS
    assert "thaiLevel" in report.reason.message


@pytest.mark.parametrize(
    "smuggled",
    [
        {"@index": "x"},
        {"@id": "urn:x"},
        {"@graph": [{"id": "urn:x", "name": "x"}]},
        {"@included": [{"id": "urn:x", "name": "x"}]},
        {"@reverse": {"name": "x"}},
        {"@nest": {"name": "x"}},
        {"@type": "Achievement"},
        {"name": {"@value": "x", "@direction": "ltr"}},
        {"name": {"@value": "x", "@language": "not a tag"}},
        {"name": {"@value": "x", "@index": "y"}},
    ],
    ids=lambda one: next(iter(one)) + str(len(str(one))),
)
def test_keywords_that_hide_something_are_refused(issuer, smuggled):
    signed = issuer.sign(issuer.credential())
    signed["credentialSubject"]["achievement"].update(smuggled)
    assert check(signed).verdict is Verdict.INVALID


@pytest.mark.parametrize(
    ("context", "code"),
    [
        ("https://evil.example/context", "context_unknown"),
        ({"name": "https://evil.example/name"}, "context_inline"),
        ({"@vocab": "https://evil.example/"}, "context_inline"),
        ({"@base": "https://evil.example/"}, "context_inline"),
        ({"@import": "https://www.w3.org/ns/credentials/v2"}, "context_inline"),
        ({"thaiLevel": None}, "context_inline"),
        (None, "context_missing"),
        (5, "context_missing"),
        (["https://www.w3.org/ns/credentials/v2"], "context_missing"),
    ],
)
def test_a_context_that_is_not_known_is_not_believed(issuer, context, code):
    signed = issuer.sign(issuer.credential())
    signed["@context"] = [*signed["@context"], context]
    report = check(signed)
    assert report.verdict in (Verdict.UNKNOWN, Verdict.INVALID)
    assert report.reason.name is CheckName.CONTEXT
    assert report.reason.code == code


def test_a_context_inside_the_document_is_looked_at_too(issuer):
    signed = issuer.sign(issuer.credential())
    signed["credentialSubject"]["achievement"]["@context"] = {"name": None}
    assert check(signed).reason.code == "context_inline"


def test_all_of_a_proof_set_must_be_right(issuer):
    other = ForeignIssuer(seed=9)
    document = issuer.credential()
    first, second = issuer.sign(document)["proof"], other.sign(document)["proof"]
    both = check({**document, "proof": [second, first]})
    assert both.verdict is Verdict.VALID
    second = {**second, "created": "2026-01-03T00:00:00Z"}
    assert check({**document, "proof": [first, second]}).verdict is Verdict.INVALID
    assert check({**document, "proof": [first] * 5}).verdict is Verdict.UNKNOWN


def test_a_credential_without_proof_is_invalid(issuer):
    report = check(issuer.credential())
    assert (report.verdict, report.reason.code) == (Verdict.INVALID, "unsigned")


@pytest.mark.parametrize(
    ("changes", "verdict", "code"),
    [
        ({"proofPurpose": "authentication"}, Verdict.INVALID, "purpose_wrong"),
        ({"cryptosuite": "ecdsa-rdfc-2019"}, Verdict.UNKNOWN, "suite_unsupported"),
        ({"type": "Ed25519Signature2020"}, Verdict.UNKNOWN, "suite_unsupported"),
        ({"previousProof": "urn:x"}, Verdict.UNKNOWN, "suite_unsupported"),
        ({"created": "yesterday"}, Verdict.INVALID, "proof_malformed"),
        ({"expires": "2026-06-01T00:00:00Z"}, Verdict.INVALID, "proof_expired"),
        ({"proofValue": "z11"}, Verdict.INVALID, "signature_wrong"),
        ({"proofValue": "x"}, Verdict.INVALID, "proof_malformed"),
        ({"proofValue": 5}, Verdict.INVALID, "proof_malformed"),
        ({"verificationMethod": None}, Verdict.INVALID, "key_unnamed"),
        ({"verificationMethod": "did:example:1#k"}, Verdict.UNKNOWN, "method_unsupported"),
        ({"verificationMethod": "did:key:zXYZ#zXYZ"}, Verdict.UNKNOWN, "key_unsupported"),
    ],
)
def test_a_proof_of_another_kind_is_told_by_its_reason(issuer, changes, verdict, code):
    signed = issuer.sign(issuer.credential())
    signed["proof"] = {name: one for name, one in {**signed["proof"], **changes}.items() if one is not None}
    report = check(signed)
    assert report.verdict is verdict
    assert code in {one.code for one in report.checks}


def test_the_period_of_validity_is_told(issuer):
    signed = issuer.sign(issuer.credential(validUntil="2027-01-01T00:00:00+07:00"))
    early = check(signed, now=datetime(2025, 12, 31, 23, 0, tzinfo=UTC))
    assert (early.verdict, early.reason.code) == (Verdict.NOT_YET_VALID, "not_yet_valid")
    assert check(signed, now=datetime(2026, 12, 31, 16, 59, tzinfo=UTC)).verdict is Verdict.VALID
    late = check(signed, now=datetime(2026, 12, 31, 17, 0, tzinfo=UTC))
    assert (late.verdict, late.reason.code) == (Verdict.EXPIRED, "expired")


def test_a_clock_that_is_a_little_ahead_is_forgiven(issuer):
    signed = issuer.sign(issuer.credential())
    assert check(signed, now=datetime(2025, 12, 31, 23, 56, tzinfo=UTC)).verdict is Verdict.VALID


@pytest.mark.parametrize("path", ["issuer", "credentialSubject", "type"])
def test_what_every_credential_must_have_is_missed(issuer, path):
    document = issuer.credential(**{path: ["Nothing"] if path == "type" else None})
    if path == "type":
        document["type"] = ["OpenBadgeCredential"]
    report = check(issuer.sign(document))
    assert report.verdict is Verdict.INVALID
    assert report.check(CheckName.REQUIRED).code == "missing"


def test_what_only_open_badges_require_is_a_warning(issuer):
    document = issuer.credential()
    del document["credentialSubject"]["achievement"]["description"]
    report = check(issuer.sign(document))
    assert report.verdict is Verdict.VALID
    found = report.check(CheckName.REQUIRED)
    assert found.outcome is Outcome.WARNING
    assert "achievement.description" in found.message


def test_somebody_else_s_credential_is_invalid_for_whoever_asks(issuer):
    signed = issuer.sign(issuer.credential())
    report = check(signed, email="noi@example.ac.th")
    assert (report.verdict, report.reason.code) == (Verdict.INVALID, "somebody_else")
    assert check(signed, email="NOK@example.ac.th ").verdict is Verdict.VALID


def test_a_status_that_cannot_be_read_leaves_the_verdict_open(issuer):
    status = {
        "id": "https://badges.example.ac.th/status/1#5",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "5",
        "statusListCredential": "https://badges.example.ac.th/status/1",
    }
    report = check(issuer.sign(issuer.credential(credentialStatus=status)))
    assert (report.verdict, report.reason.code) == (Verdict.UNKNOWN, "status_not_allowed")
    assert report.check(CheckName.SIGNATURE).outcome is Outcome.PASSED


def test_the_official_vector_of_open_badges_has_a_right_form_and_an_issuer_who_is_not_known():
    from pathlib import Path

    signed = Path(__file__).parents[4] / "shared/data/vectors/open-badges-3/signed.json"
    if not signed.exists():
        pytest.skip("the official vectors are not here")
    report = check(signed.read_bytes())
    assert report.verdict is Verdict.UNKNOWN
    assert report.reason.code == "no_key" or report.check(CheckName.ISSUER_KEY).code == "issuer_not_allowed"


@pytest.mark.parametrize("name", ["statusPurpose", "statusListIndex", "statusListCredential"])
def test_an_entry_whose_purpose_or_place_is_missing_is_no_good_news(issuer, name):
    status = {
        "id": "https://badges.example.ac.th/status/1#5",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "5",
        "statusListCredential": "https://badges.example.ac.th/status/1",
    }
    del status[name]
    report = check(issuer.sign(issuer.credential(credentialStatus=status)))
    assert (report.verdict, report.check(CheckName.REVOCATION).code) == (Verdict.UNKNOWN, "status_malformed")


@pytest.mark.parametrize("name", ["type", "statusPurpose"])
def test_an_entry_that_has_lost_what_it_is_hides_no_suspension(issuer, name):
    """Another entry's good news must not cover for it: in a record the loss may leave the signature right."""
    entries = [
        {
            "id": f"https://badges.example.ac.th/status/{purpose}#5",
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": "5",
            "statusListCredential": f"https://badges.example.ac.th/status/{purpose}",
        }
        for purpose in ("revocation", "suspension")
    ]
    del entries[1][name]
    found = read_statuses({"issuer": "did:key:z6Mk", "credentialStatus": entries}, lambda _address: None)
    assert {one.code for one in found} == {"status_malformed"}


@pytest.mark.parametrize("part", ["validUntil", "credentialStatus"])
def test_what_is_moved_from_the_top_to_where_nobody_looks_is_found(issuer, part):
    """The statements are the same, so the signature stays right, and other verifiers are taken in."""
    friend = ForeignIssuer(seed=9)
    document = issuer.credential(
        validUntil="2026-02-01T00:00:00Z",
        credentialStatus={"id": "urn:uuid:1", "type": "1EdTechRevocationList"},
    )
    document["@context"].append("https://purl.imsglobal.org/spec/ob/v3p0/extensions.json")
    endorsement = friend.credential(
        id="urn:uuid:2",
        type=["VerifiableCredential", "EndorsementCredential"],
        credentialSubject={
            "id": document["id"],
            "type": ["EndorsementSubject"],
            "endorsementComment": "ดี",
        },
    )
    document["endorsement"] = [friend.sign(endorsement)]
    signed = issuer.sign(document)
    assert check(signed, now=datetime(2026, 1, 3, tzinfo=UTC)).verdict is Verdict.UNKNOWN
    moved = json.loads(json.dumps(signed))
    place = moved["endorsement"][0]["credentialSubject"]
    # That the credential is one is signed too; as such, the place may hold what credentials hold.
    place["type"].append("VerifiableCredential")
    place[part] = moved.pop(part)
    same = [{k: v for k, v in one.items() if k != "proof"} for one in (signed, moved)]
    assert canonical(same[0]) == canonical(same[1])
    report = check(moved)
    assert (report.verdict, report.reason.code) == (Verdict.INVALID, "hidden")


# --- JWT ---


def test_a_jwt_of_a_did_key_is_valid(issuer):
    report = check(issuer.token(issuer.credential()))
    assert report.verdict is Verdict.VALID, report.message
    assert report.format == "jwt"
    assert report.summary.name == "ภาษาอังกฤษสำหรับชาวเรือ"


def test_a_jwt_with_the_claim_vc_is_valid(issuer):
    document = issuer.credential()
    text = issuer.token({"id": document["id"], "vc": document})
    assert check(text).verdict is Verdict.VALID


def test_a_jwt_in_an_envelope_is_valid(issuer):
    envelope = {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "EnvelopedVerifiableCredential",
        "id": "data:application/vc+jwt," + issuer.token(issuer.credential()),
    }
    assert check(envelope).verdict is Verdict.VALID


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_jwt_changed_in_any_part_is_refused(issuer, place):
    parts = issuer.token(issuer.credential()).split(".")
    middle = len(parts[place]) // 2
    swapped = "A" if parts[place][middle] != "A" else "B"
    parts[place] = parts[place][:middle] + swapped + parts[place][middle + 1 :]
    assert check(".".join(parts)).verdict in (Verdict.INVALID, Verdict.UNKNOWN)


def test_es256_and_rs256_of_a_did_jwk_are_valid():
    for private, jwk_of, token_of in (
        (ec.generate_private_key(ec.SECP256R1()), p256_jwk, p256_token),
        (rsa.generate_private_key(65537, 2048), rsa_jwk, rsa_token),
    ):
        jwk = jwk_of(private.public_key())
        did = f"did:jwk:{base64url(json.dumps(jwk).encode())}"
        foreign = ForeignIssuer(did=did)
        body = {**foreign.credential(), "iss": did}
        assert check(token_of(private, {"kid": f"{did}#0"}, body)).verdict is Verdict.VALID
        # The same key brought along in the header, and published by the issuer.
        assert check(token_of(private, {"jwk": jwk}, body)).verdict is Verdict.VALID


def test_a_key_in_the_header_proves_nothing_about_the_issuer(issuer):
    private = ec.generate_private_key(ec.SECP256R1())
    jwk = p256_jwk(private.public_key())
    body = {**issuer.credential(), "iss": issuer.did}
    forged = check(p256_token(private, {"jwk": jwk}, body))
    assert (forged.verdict, forged.check(CheckName.ISSUER_KEY).code) == (Verdict.INVALID, "key_foreign")
    far = ForeignIssuer(did="did:web:badges.example.ac.th")
    body = {**far.credential(), "iss": far.did}
    unknown = check(p256_token(private, {"jwk": jwk}, body))
    assert unknown.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("header", "verdict"),
    [
        ({"alg": "none"}, Verdict.INVALID),
        ({"alg": "None"}, Verdict.INVALID),
        ({"alg": "HS256"}, Verdict.UNKNOWN),
        ({"alg": "RS256"}, Verdict.INVALID),
        ({"alg": "ES256"}, Verdict.INVALID),
        ({"alg": None}, Verdict.INVALID),
        ({"alg": ["EdDSA"]}, Verdict.UNKNOWN),
        ({"crit": ["exp"]}, Verdict.UNKNOWN),
        ({"kid": None}, Verdict.UNKNOWN),
        ({"kid": 5}, Verdict.UNKNOWN),
        ({"kid": None, "jwk": {"kty": "oct", "k": "AA"}}, Verdict.UNKNOWN),
    ],
    ids=str,
)
def test_a_jwt_with_another_algorithm_than_its_key_s_is_refused(issuer, header, verdict):
    assert check(issuer.token(issuer.credential(), header=header)).verdict is verdict


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "did:key:z6MkOther"},
        {"jti": "urn:uuid:other"},
        {"nbf": 1},
        {"nbf": "2026"},
        {"exp": 1e300},
    ],
    ids=str,
)
def test_claims_that_say_something_else_than_the_credential_are_refused(issuer, claims):
    report = check(issuer.token(issuer.credential(), **claims))
    assert report.verdict is Verdict.INVALID
    assert report.check(CheckName.REQUIRED).code == "claims_differ"


def test_the_claim_exp_ends_a_jwt(issuer):
    assert check(issuer.token(issuer.credential(), exp=1767312000)).verdict is Verdict.EXPIRED


# --- credentials in credentials ---


def clr(issuer, inner, **changes):
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": "urn:uuid:6c3a8f0e-5e59-4d5c-b4b5-9a86f8a2c0ff",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "หลักสูตรเดินเรือ",
        "issuer": {"id": issuer.did, "type": ["Profile"]},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "type": ["ClrSubject"],
            "id": "did:example:learner",
            "verifiableCredential": inner,
        },
        **changes,
    }


def test_every_credential_in_a_learner_record_is_checked(issuer):
    other = ForeignIssuer(seed=9)
    good = other.sign(other.credential())
    report = check(issuer.sign(clr(issuer, [good])))
    assert report.verdict is Verdict.VALID, report.message
    assert [one.verdict for one in report.inner] == [Verdict.VALID]


def test_a_forged_credential_in_a_learner_record_makes_it_invalid(issuer):
    other = ForeignIssuer(seed=9)
    forged = other.sign(other.credential())
    forged["name"] = "อย่างอื่น"
    report = check(issuer.sign(clr(issuer, [forged])))
    assert (report.verdict, report.check(CheckName.INNER).code) == (Verdict.INVALID, "inner_invalid")
    assert report.check(CheckName.SIGNATURE).outcome is Outcome.PASSED


def test_an_expired_credential_in_a_learner_record_is_told_and_leaves_it_valid(issuer):
    other = ForeignIssuer(seed=9)
    expired = other.sign(other.credential(validUntil="2026-02-01T00:00:00Z"))
    report = check(issuer.sign(clr(issuer, [expired])))
    assert report.verdict is Verdict.VALID
    assert report.check(CheckName.INNER).outcome is Outcome.WARNING
    assert [one.verdict for one in report.inner] == [Verdict.EXPIRED]


def test_more_credentials_than_are_looked_at_leave_the_verdict_open(issuer, monkeypatch):
    document = clr(issuer, [{"type": ["VerifiableCredential"]} for _number in range(61)])
    report = check(issuer.sign(document))
    assert report.check(CheckName.INNER).code in ("too_many", "inner_invalid")


# --- what is no credential ---


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("hello", "not_json"),
        ("{", "not_json"),
        ("[]", "not_an_object"),
        ("5", "not_an_object"),
        ('"text"', "not_an_object"),
        ("null", "not_an_object"),
        ("{}", "not_a_credential"),
        ('{"a": 1, "a": 2}', "repeated_name"),
        ('{"a": NaN}', "not_json"),
        ('{"a": -Infinity}', "not_json"),
        ('{"a": 9007199254740993}', "number"),
        ('{"a": 1e999}', "number"),
        ('{"a": 1' + "0" * 5000 + "}", "number"),
        ('{"a": "\\ud800"}', "encoding"),
        (b"\xff\xfe\x00", "encoding"),
        (b"\x00" * 100, "not_json"),
        ("[" * 100000, "too_deep"),
        ('{"a":' * 41 + "1" + "}" * 41, "too_deep"),
        ('{"a": "' + "x" * (512 * 1024) + '"}', "too_long"),
        ("https://badges.example.org/1", "address"),
        ("eyJh.eyJh.AAAA", "token"),
        ("{" + ",".join(f'"{number}": 1' for number in range(26000)) + "}", "too_large"),
        ('{"' + "x" * 300 + '": 1}', "too_large"),
        ("[" + "{}," * 4001 + "1]", "too_large"),
        ('{"@context": "https://w3id.org/openbadges/v2", "type": "Assertion"}', "open_badges_2"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "not_baked"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
    ],
    ids=lambda one: str(one)[:24],
)
def test_what_is_no_credential_is_told_in_one_line(given, code):
    report = check(given)
    assert report.verdict in (Verdict.INVALID, Verdict.UNKNOWN)
    assert report.check(CheckName.FORMAT).code == code
    assert report.check(CheckName.FORMAT).message
    assert report.check(CheckName.SIGNATURE).outcome is Outcome.NOT_CHECKED
