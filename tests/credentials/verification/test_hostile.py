"""Hostile documents: always a verdict, never valid, no network, and neither time nor memory without bound."""

from __future__ import annotations

import base64
import copy
import json
import random
import resource
import socket
import struct
import time
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mooc_microcred.credentials.baking import bake_svg
from mooc_microcred.credentials.verification import limits
from mooc_microcred.credentials.verification.engine import verify
from mooc_microcred.credentials.verification.network import Network
from mooc_microcred.credentials.verification.report import CheckName, Verdict, VerificationReport
from tests.credentials.verification.foreign import V2, ForeignIssuer, base64url
from tests.credentials.verification.tampering import paths

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
# Beyond the budget of the limits: what the JSON parser and the last step before a stop may take.
SECONDS = limits.MAX_SECONDS + 4
MEGABYTES = 300
# Of the random mutator, in each form.
MUTATING_SECONDS = 3

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """Fail the test at any look-up of a name and any connection."""

    def refuse(*args, **_kwargs):
        pytest.fail(f"the network was used: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "gethostbyname", refuse)


def bounded(given, **options) -> VerificationReport:
    """Verify, and fail where it takes too long or too much memory."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.thread_time()
    report = verify(credential=given, now=NOW, network=Network(allowed=[]), **options)
    assert time.thread_time() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MEGABYTES * 1024
    assert len(report.checks) == len(CheckName)
    assert report.message
    return report


def dumped(document) -> str:
    return json.dumps(document, ensure_ascii=False)


@pytest.fixture(scope="module")
def issuer():
    return ForeignIssuer()


@pytest.fixture(scope="module")
def signed(issuer):
    return issuer.sign(issuer.credential())


# --- what costs much ---


def clique(size):
    """Every node is related to every other one, and all look alike."""
    names = [f"_:n{number}" for number in range(size)]
    return [
        {"id": name, "type": "Profile", "parentOrg": [other for other in names if other != name]}
        for name in names
    ]


def torus(size):
    """Each node has two neighbours to the right and below: as symmetric, with few edges."""
    return [
        {
            "id": f"_:n{row}x{column}",
            "type": "Profile",
            "parentOrg": [f"_:n{row}x{(column + 1) % size}", f"_:n{(row + 1) % size}x{column}"],
        }
        for row in range(size)
        for column in range(size)
    ]


def chain(size):
    return [
        {"id": f"_:n{number}", "type": "Profile", "parentOrg": f"_:n{number + 1}"} for number in range(size)
    ]


def cycle(size):
    return [
        {"id": f"_:n{number}", "type": "Profile", "parentOrg": f"_:n{(number + 1) % size}"}
        for number in range(size)
    ]


def nested(levels, name="parentOrg"):
    value = {"type": "Profile"}
    for _level in range(levels):
        value = {"type": "Profile", name: value}
    return value


COSTLY = {
    "clique of 5": lambda one: one.update(issuer=clique(5)),
    "clique of 9": lambda one: one.update(issuer=clique(9)),
    "clique of 60": lambda one: one.update(issuer=clique(60)),
    "torus of 5": lambda one: one.update(issuer=torus(5)),
    "torus of 30": lambda one: one.update(issuer=torus(30)),
    "cycle of 300": lambda one: one.update(issuer=cycle(300)),
    "cycle of 3000": lambda one: one.update(issuer=cycle(3000)),
    "chain of 3000": lambda one: one.update(issuer=chain(3000)),
    "identical nodes below a blank one": lambda one: one["credentialSubject"].update(
        identifier=[{"type": "IdentityObject"}] * 12
    ),
    "blank nodes": lambda one: one["credentialSubject"].update(
        identifier=[{"type": "IdentityObject", "salt": str(number)} for number in range(3900)]
    ),
    "many types": lambda one: one.update(type=["VerifiableCredential"] * 20_000),
    "many names": lambda one: one.update(name=[str(number) for number in range(20_000)]),
    "one name many times": lambda one: one.update(name=["x"] * 20_000),
    "long name": lambda one: one.update(name="ก" * 150_000),
    "long id": lambda one: one.update(id="urn:" + "x" * 400_000),
    "deep": lambda one: one.update(issuer=nested(36)),
    "wide and deep": lambda one: one.update(issuer=[nested(30) for _number in range(100)]),
    "credentials in each other": lambda one: one["credentialSubject"].update(
        endorsement=[copy.deepcopy(one)] * 70
    ),
    "contexts": lambda one: one.update({"@context": [V2] * 100_000}),
    "context in every node": lambda one: one.update(
        issuer=[{"@context": one["@context"], "type": "Profile", "name": "x"} for _number in range(900)]
    ),
    "a value for each kind": lambda one: one.update(evidence=[[], {}, None, 5, True, "x", [[[]]], {"a": {}}]),
    "language maps": lambda one: one.update(
        name=[{"@value": str(number), "@language": "th"} for number in range(3000)]
    ),
    "proofs": lambda one: one.update(proof=[one["proof"], *[{**one["proof"], "id": "urn:x"}] * 3]),
    "many proofs": lambda one: one.update(proof=[one["proof"]] * 3000),
    "long proof value": lambda one: one["proof"].update(proofValue="z" + "1" * 400_000),
    "proof full of statements": lambda one: one["proof"].update(verificationMethod=clique(9)),
    "long method": lambda one: one["proof"].update(verificationMethod="did:key:z" + "6" * 400_000),
    "many status entries": lambda one: one.update(
        credentialStatus=[{"id": "urn:x", "type": "1EdTechRevocationList"}] * 3000
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_what_costs_much_is_given_up_in_time(signed, name):
    document = copy.deepcopy(signed)
    COSTLY[name](document)
    report = bounded(dumped(document))
    assert report.verdict is not Verdict.VALID


@pytest.mark.parametrize(
    "given",
    [
        b"x" * (50 * 1024 * 1024),
        b"[" * (50 * 1024 * 1024),
        b'{"a":' * (10 * 1024 * 1024),
        b'"' + b"\\" * (50 * 1024 * 1024),
        b"\x89PNG\r\n\x1a\n" + b"\0" * (50 * 1024 * 1024),
        b"<svg>" * (10 * 1024 * 1024),
        b'{"a": "' + b'\\"' * 250_000,
        b'"' * 500_000,
        b"[" * 500_000,
        b'[{"a":' * 80_000,
        b"[" + b"1," * 250_000 + b"1]",
        b"{" + b",".join(b'"%d":1' % number for number in range(50_000)) + b"}",
        b"1" * 500_000,
        b"-" * 500_000,
        b"1e" + b"9" * 100,
        b"eyJhbGciOiJSUzI1NiJ9." + b"A" * 500_000 + b".AA",
        b"a." * 250_000,
        b"." * 500_000,
    ],
    ids=lambda one: one[:8].decode("latin-1") + str(len(one)),
)
def test_what_is_long_or_deep_is_refused_at_once(given):
    began = time.thread_time()
    report = bounded(given)
    assert report.verdict is not Verdict.VALID
    assert time.thread_time() - began < 2


# --- what tries to change the meaning ---

CONTEXTS = [
    {"@vocab": "https://evil.example/"},
    {"@base": "https://evil.example/"},
    {"@language": "th"},
    {"@protected": False, "name": "https://evil.example/name"},
    {"name": None},
    {"credentialSubject": None},
    {"evil": "@index"},
    {"evil": "@nest"},
    {"evil": {"@id": "@type", "@container": "@set"}},
    {"evil": {"@id": "urn:x", "@type": "@json"}},
    {"evil": {"@id": "urn:x", "@type": "@none"}},
    {"evil": {"@reverse": "urn:x"}},
    {"evil": {"@id": "urn:x", "@context": {"@import": V2}}},
    {"evil": {"@id": "urn:x", "@context": ["https://evil.example/", None]}},
    {"@import": V2},
    {"@import": "https://evil.example/"},
    {"@propagate": False, "evil": "urn:x"},
    {"@version": 1.0},
    {"": "urn:x"},
    {"@context": {"@context": {}}},
    None,
    False,
    "https://evil.example/context",
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "//evil.example/",
    "credentials/v2",
    "",
    [],
    [[V2]],
    5,
]


@pytest.mark.parametrize("context", CONTEXTS, ids=str)
@pytest.mark.parametrize("place", ["last", "first", "alone", "subject", "proof", "issuer"])
def test_no_context_of_the_document_s_own_is_used(signed, context, place):
    document = copy.deepcopy(signed)
    if place == "last":
        document["@context"] = [*document["@context"], context]
    elif place == "first":
        document["@context"] = [context, *document["@context"]]
    elif place == "alone":
        document["@context"] = context
    elif place == "subject":
        document["credentialSubject"]["@context"] = context
    elif place == "issuer":
        document["issuer"]["@context"] = context
    else:
        document["proof"]["@context"] = context
    document["credentialSubject"]["evil"] = "เกียรตินิยมอันดับหนึ่ง"
    report = bounded(dumped(document))
    assert report.verdict in (Verdict.UNKNOWN, Verdict.INVALID)


VALUES = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e20,
    "",
    " ",
    "x",
    "_:b0",
    "@id",
    "@type",
    "@json",
    "@none",
    "https://evil.example/",
    "did:web:localhost",
    "did:web:127.0.0.1%3A80",
    "did:web:lms.example.org:microcred:issuers:nobody",
    "did:web:",
    "did:jwk:e30",
    "did:key:z",
    "\u0000",
    "ก" * 300,
    "2026-13-45T99:99:99Z",
    [],
    [[]],
    [None],
    {},
    {"@value": "x"},
    {"@value": {"a": 1}, "@type": "@json"},
    {"@list": ["x"]},
    {"@set": ["x"]},
    {"@id": "urn:x"},
    {"id": "urn:x"},
    {"id": ["urn:x"]},
    {"type": 5},
    {"type": ["VerifiableCredential", None]},
]


def test_any_value_at_any_place_is_answered(signed):
    for path, _value in paths(signed):
        for value in VALUES:
            document = copy.deepcopy(signed)
            place = document
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
            report = bounded(dumped(document))
            assert report.verdict is not Verdict.VALID or _equal(document, signed), (path, value)


def _equal(one, other) -> bool:
    """Say whether two documents say the same: JSON-LD leaves out null, and a set needs no brackets."""
    return _plain(one) == _plain(other)


def _plain(value):
    if isinstance(value, dict):
        found = {name: _plain(below) for name, below in value.items()}
        return {name: below for name, below in found.items() if below is not None and below != []}
    if isinstance(value, list):
        found = [one for one in map(_plain, value) if one is not None]
        return found[0] if len(found) == 1 else found
    return value


# --- JWT ---


def token(header, payload, signature=b"x" * 64) -> str:
    parts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in (header, payload)]
    return ".".join(map(base64url, [*parts, signature]))


def numbered(bits: int) -> str:
    return base64url(((1 << bits) - 1).to_bytes(bits // 8, "big"))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256", "jwk": {"kty": "RSA", "n": numbered(200_000), "e": "AQAB"}},
        {"alg": "RS256", "jwk": {"kty": "RSA", "n": numbered(2048), "e": numbered(80_000)}},
        {"alg": "RS256", "jwk": {"kty": "RSA", "n": numbered(512), "e": "AQAB"}},
        {"alg": "RS256", "jwk": {"kty": "RSA", "n": "", "e": ""}},
        {"alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}},
        {"alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256", "x": numbered(200_000), "y": "AQ"}},
        {"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AQ"}},
        {"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": 5}},
        {"alg": "EdDSA", "jwk": "x"},
        {"alg": "EdDSA", "jwk": None},
        {"alg": "EdDSA", "jku": "https://evil.example/keys", "kid": "x"},
        {"alg": "EdDSA", "x5u": "https://evil.example/keys"},
        {"alg": "EdDSA", "kid": "https://evil.example/key"},
        {"alg": "EdDSA", "kid": "did:web:localhost#1"},
        {"alg": "EdDSA", "kid": "did:web:[::1]#1"},
        {"alg": "EdDSA", "kid": "x" * 300_000},
        {"alg": "HS256", "kid": "x"},
        {"alg": {}},
        {},
        b"[]",
        b"{",
        b"\xff",
        b"",
    ],
    ids=lambda one: str(one)[:40],
)
def test_no_header_of_a_jwt_is_believed(issuer, header):
    payload = {**issuer.credential(), "iss": issuer.did}
    for body in (payload, {"vc": payload}, {"vc": 5}, {}, b"[]", b"\xff", {"iss": {}, "nbf": [], "exp": {}}):
        assert bounded(token(header, body)).verdict is not Verdict.VALID


# --- pictures ---


def chunk(kind: bytes, data: bytes, length: int | None = None) -> bytes:
    return (
        struct.pack(">I", len(data) if length is None else length)
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
    )


PNG = b"\x89PNG\r\n\x1a\n"
HEAD = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0))


@pytest.mark.parametrize(
    "picture",
    [
        PNG,
        PNG + HEAD,
        PNG + HEAD + chunk(b"IEND", b""),
        PNG + HEAD + chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0" + b"x" * 3_000_000),
        PNG + HEAD + chunk(b"iTXt", b"openbadgecredential\0\1\0\0\0" + zlib.compress(bytes(100_000_000), 9)),
        PNG + HEAD + chunk(b"zTXt", b"openbadgecredential\0\0" + zlib.compress(bytes(100_000_000), 9)),
        PNG + HEAD + chunk(b"tEXt", b"x") * 300_000,
        PNG + HEAD + chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0{}") * 3,
        PNG + HEAD + chunk(b"iTXt", b"openbadgecredential", length=2**32 - 1),
        PNG + HEAD + chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0\xff\xfe") + chunk(b"IEND", b""),
        b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(
            b'<!ENTITY a%d "%s">' % (n + 1, b"&a%s;" % (b"" if not n else b"%d" % n) * 10) for n in range(9)
        )
        + b"]><svg>&a9;</svg>",
        b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
        b'<!DOCTYPE svg SYSTEM "https://evil.example/x.dtd"><svg/>',
        b"<svg>" * 200_000,
        b"<svg " + b" ".join(b'a%d="x"' % number for number in range(50_000)) + b"/>",
        b'<svg xmlns:ob="https://purl.imsglobal.org/ob/v3p0"><ob:credential verify=""/></svg>',
        b'<?xml version="1.0" encoding="utf-7"?><svg/>',
        b"<" * 1_000_000,
        b"<html><body>no picture</body></html>",
    ],
    ids=range(19),
)
def test_no_picture_does_harm(picture):
    for content_type in ("", "image/png", "image/svg+xml"):
        assert bounded(picture, content_type=content_type).verdict is not Verdict.VALID


# --- whatever else there is ---

NAMES = st.sampled_from(
    """
    @context @id @type @value @language @graph @included @reverse @index @nest @list @set @json @none
    @direction id type name issuer validFrom validUntil credentialSubject credentialStatus
    credentialSchema evidence proof achievement identifier identityHash hashed salt result
    resultDescription endorsement endorsementJwt verifiableCredential alignment criteria narrative
    statusPurpose statusListIndex statusListCredential encodedList cryptosuite proofPurpose proofValue
    verificationMethod created expires parentOrg image related holder
    """.split()
)
WORDS = st.one_of(
    NAMES,
    st.text(max_size=8),
    st.sampled_from(
        [
            V2,
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            "VerifiableCredential",
            "OpenBadgeCredential",
            "ClrCredential",
            "EndorsementCredential",
            "Achievement",
            "AchievementSubject",
            "Profile",
            "IdentityObject",
            "DataIntegrityProof",
            "eddsa-rdfc-2022",
            "assertionMethod",
            "BitstringStatusListEntry",
            "1EdTechRevocationList",
            "BitstringStatusListCredential",
            "revocation",
            "_:b0",
            "_:b1",
            "urn:x",
            "2026-01-01T00:00:00Z",
        ]
    ),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS)
VALUE = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(NAMES, below, max_size=6),
    max_leaves=40,
)
FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@FUZZ
@given(changes=st.dictionaries(NAMES, VALUE, max_size=5), inner=st.dictionaries(NAMES, VALUE, max_size=5))
def test_documents_made_of_the_words_of_credentials_are_answered(signed, changes, inner):
    document = copy.deepcopy(signed)
    document["credentialSubject"].update(inner)
    document.update(changes)
    report = bounded(dumped(document))
    assert report.verdict is not Verdict.VALID or _equal(document, signed)


@FUZZ
@given(header=st.dictionaries(st.sampled_from(["alg", "kid", "jwk", "typ", "crit"]), VALUE), payload=VALUE)
def test_tokens_made_of_anything_are_answered(header, payload):
    text = ".".join(base64url(json.dumps(one).encode()) for one in (header, payload))
    assert bounded(f"{text}.{base64url(b'x' * 64)}").verdict is not Verdict.VALID


@FUZZ
@given(st.binary(max_size=400) | st.text(max_size=400))
def test_bytes_of_any_kind_are_answered(given_bytes):
    assert bounded(given_bytes).verdict is not Verdict.VALID


@pytest.mark.parametrize("form", ["json", "jwt", "svg"])
def test_random_damage_is_answered(signed, issuer, form):
    seed = time.time_ns()
    dice = random.Random(seed)
    text = dumped(signed)
    whole = {
        "json": text.encode(),
        "jwt": issuer.token(issuer.credential()).encode(),
        "svg": bake_svg(SVG, text),
    }[form]
    ends = time.monotonic() + MUTATING_SECONDS
    while time.monotonic() < ends:
        data = bytearray(whole)
        for _change in range(dice.randint(1, 4)):
            place = dice.randrange(len(data))
            kind = dice.randrange(4)
            if kind == 0:
                data[place] = dice.randrange(256)
            elif kind == 1:
                del data[place : place + dice.randint(1, 20)]
            elif kind == 2:
                data[place:place] = data[dice.randrange(len(data)) :][: dice.randint(1, 60)]
            else:
                data[place:place] = dice.choice(
                    [b"{", b"[", b'"', b"null", b"\xff", b"\\u0000", b"1e9", b","]
                )
        try:
            report = bounded(bytes(data))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {base64.b64encode(bytes(data))!r}") from error
        if report.verdict is Verdict.VALID:
            assert form == "svg" or _says_the_same(report, signed), f"seed {seed}: {bytes(data)!r}"


def _says_the_same(report, signed) -> bool:
    """Say whether what is called valid is what was signed: damage may fall on white space only."""
    unsigned = {name: value for name, value in signed.items() if name != "proof"}
    found = {name: value for name, value in report.document.items() if name != "proof"}
    return _equal(found, unsigned)
