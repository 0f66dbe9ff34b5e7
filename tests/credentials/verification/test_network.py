"""What is fetched and what is not: a real TLS server on loopback that plays a foreign issuer."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mooc_microcred.credentials.status.bitstring import encode
from mooc_microcred.credentials.verification import limits
from mooc_microcred.credentials.verification.engine import verify
from mooc_microcred.credentials.verification.network import Network, NotFetched, is_public
from mooc_microcred.credentials.verification.report import CheckName, Outcome, Verdict
from tests.credentials.verification.foreign import V2, ForeignIssuer

HOST = "badges.example.ac.th"
NOW = datetime(2026, 11, 21, tzinfo=UTC)

pytestmark = pytest.mark.django_db


class Site:
    """What the server answers with, by path, and what it was asked for."""

    def __init__(self):
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.dripping = False

    def put(self, path: str, value, status: int = 200, **headers: str) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.answers[path] = (status, headers, body)


def _certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem


@pytest.fixture
def site(tmp_path):
    """Serve a Site with TLS on loopback; ``site.network()`` reaches it under the name of the host."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            site.asked.append(self.path)
            status, headers, body = site.answers.get(self.path, (404, {}, b"{}"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for place in range(0, len(body), 1 if site.dripping else len(body)):
                    self.wfile.write(body[place : place + (1 if site.dripping else len(body))])
                    if site.dripping:
                        self.wfile.flush()
                        time.sleep(0.2)
            except OSError:
                pass

        def log_message(self, *_args):
            pass

    pem = _certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def network(**options):
        client = ssl.create_default_context(cafile=str(pem))
        settings = {
            "allowed": [HOST],
            "resolve": lambda _host, _port: ["127.0.0.1"],
            "public": lambda address: address == "127.0.0.1",
            "tls": client,
            "port": server.server_port,
        }
        return Network(**{**settings, **options})

    site.network = network
    yield site
    server.shutdown()
    server.server_close()


def code_of(network: Network, url: str) -> str:
    with pytest.raises(NotFetched) as refused:
        network.fetch_json(url)
    return refused.value.code


def test_json_of_an_allowed_host_is_fetched_once(site):
    site.put("/did.json?x=1", {"id": "ไทย"})
    network = site.network()
    for _again in range(3):
        assert network.fetch_json(f"https://{HOST}/did.json?x=1") == {"id": "ไทย"}
    assert site.asked == ["/did.json?x=1"]


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/",
        f"https://{HOST}:8443/",
        f"https://user:word@{HOST}/",
        f"https://user@{HOST}/",
        f"https://other.{HOST}/",
        f"https://{HOST}.evil.example/",
        f"https://evil.example/{HOST}",
        f"https://evil.example#@{HOST}/",
        f"https://evil.example\\@{HOST}/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://169.254.169.254/latest/meta-data/",
        f"https://{HOST}/a b",
        f"https://{HOST}/a\r\nX: y",
        f"https://{HOST}/\u00e9",
        "https://[bad/",
        f"https://{HOST}:99999/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        f"//{HOST}/",
        "",
    ],
)
def test_nothing_else_is_opened(site, url):
    assert code_of(site.network(), url) == "not_allowed"
    assert site.asked == []


def test_nothing_is_allowed_unless_the_operator_says_so():
    assert not Network().allows(f"https://{HOST}/")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "nonsense",
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_refused(site, address):
    assert not is_public(address)
    network = site.network(resolve=lambda _host, _port: ["8.8.8.8", address], public=is_public)
    assert code_of(network, f"https://{HOST}/") == "not_public"
    assert site.asked == []


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "203.150.1.1"])
def test_a_public_address_is_public(address):
    assert is_public(address)


def test_the_connection_goes_to_the_address_that_was_checked(site):
    """A name that resolves to another address at every question changes nothing."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    asked = []

    def rebinding(host, _port):
        asked.append(host)
        return next(answers)

    site.put("/", {})
    assert site.network(resolve=rebinding).fetch_json(f"https://{HOST}/") == {}
    assert asked == [HOST]


def test_a_certificate_of_somebody_else_is_refused(site):
    assert code_of(site.network(allowed=["other.example"]), "https://other.example/") == "unreachable"
    assert code_of(site.network(tls=ssl.create_default_context()), f"https://{HOST}/") == "unreachable"
    assert site.asked == []


@pytest.mark.parametrize("status", [301, 302, 307, 401, 404, 500, 204])
def test_a_redirect_is_not_followed_and_an_error_is_no_answer(site, status):
    site.put("/", {}, status, Location="https://127.0.0.1/secret")
    assert code_of(site.network(), f"https://{HOST}/") == "status"
    assert site.asked == ["/"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", "not_json"),
        (b"\xff", "not_json"),
        (b"[" * 5000, "not_json"),
        (b'{"a": 1, "a": 2}', "not_json"),
        (b'"' + b"x" * limits.MAX_FETCH_BYTES + b'"', "too_long"),
    ],
    ids=["text", "bytes", "deep", "twice", "long"],
)
def test_a_body_that_is_too_much_or_no_json_is_refused(site, body, code):
    site.put("/", body)
    assert code_of(site.network(), f"https://{HOST}/") == code


def test_a_server_that_drips_is_left(site, monkeypatch):
    monkeypatch.setattr(limits, "MAX_FETCH_SECONDS", 1.0)
    site.dripping = True
    site.put("/", {"a": "x" * 200})
    began = time.monotonic()
    assert code_of(site.network(), f"https://{HOST}/") == "too_slow"
    assert time.monotonic() - began < 5


def test_a_name_that_cannot_be_resolved_and_a_port_that_is_closed_are_told(site):
    def nowhere(_host, _port):
        raise socket.gaierror

    assert code_of(site.network(resolve=nowhere), f"https://{HOST}/") == "unreachable"
    assert code_of(site.network(resolve=lambda _host, _port: []), f"https://{HOST}/") == "not_public"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert code_of(site.network(port=port), f"https://{HOST}/") == "unreachable"


def test_one_verification_fetches_a_handful_at_most(site):
    network = site.network()
    for number in range(limits.MAX_FETCHES):
        site.put(f"/{number}", {})
        network.fetch_json(f"https://{HOST}/{number}")
    assert code_of(network, f"https://{HOST}/more") == "too_many"


# --- a foreign issuer with did:web, status lists and a vocabulary of its own ---


@pytest.fixture
def far(site):
    issuer = ForeignIssuer(did=f"did:web:{HOST}:issuers:1")
    site.put("/issuers/1/did.json", did_document(issuer))
    site.issuer = issuer
    return site


def did_document(issuer, **changes):
    method = {
        "id": issuer.method,
        "type": "Multikey",
        "controller": issuer.did,
        "publicKeyMultibase": issuer.multikey,
        **changes.pop("method", {}),
    }
    return {
        "id": issuer.did,
        "verificationMethod": [method],
        "assertionMethod": [issuer.method],
        **changes,
    }


def check(site, document):
    return verify(credential=json.dumps(document), now=NOW, network=site.network())


def listed(far, indexes, *, issuer=None, purpose="revocation", **changes):
    issuer = issuer or far.issuer
    address = f"https://{HOST}/lists/1"
    far.put(
        "/lists/1",
        issuer.sign(
            {
                "@context": [V2],
                "id": address,
                "type": ["VerifiableCredential", "BitstringStatusListCredential"],
                "issuer": issuer.did,
                "validFrom": "2026-01-01T00:00:00Z",
                "credentialSubject": {
                    "id": f"{address}#list",
                    "type": "BitstringStatusList",
                    "statusPurpose": purpose,
                    "encodedList": encode(indexes),
                    **changes,
                },
            }
        ),
    )
    return {
        "id": f"{address}#5",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": "5",
        "statusListCredential": address,
    }


def test_a_did_web_of_an_allowed_host_is_resolved(far):
    report = check(far, far.issuer.sign(far.issuer.credential()))
    assert report.verdict is Verdict.VALID, report.message
    assert far.asked == ["/issuers/1/did.json"]


@pytest.mark.parametrize(
    ("changes", "verdict", "code"),
    [
        ({"assertionMethod": []}, Verdict.INVALID, "key_foreign"),
        ({"verificationMethod": [], "assertionMethod": []}, Verdict.INVALID, "key_unknown"),
        ({"id": "did:web:somebody.example"}, Verdict.INVALID, "issuer_document"),
        ({"method": {"controller": "did:web:somebody.example"}}, Verdict.INVALID, "key_foreign"),
        ({"method": {"revoked": "2026-06-01T00:00:00Z"}}, Verdict.INVALID, "key_revoked"),
        ({"method": {"revoked": "2027-06-01T00:00:00Z"}}, Verdict.VALID, ""),
        ({"method": {"expires": "2026-06-01T00:00:00Z"}}, Verdict.VALID, ""),
        ({"method": {"expires": "2026-01-01T00:00:00Z"}}, Verdict.INVALID, "key_retired"),
        ({"method": {"publicKeyMultibase": "zNonsense"}}, Verdict.INVALID, "key_unknown"),
        ({"verificationMethod": "nonsense"}, Verdict.INVALID, "key_unknown"),
        ({"verificationMethod": [None, 5, {"id": 5}]}, Verdict.INVALID, "key_unknown"),
    ],
)
def test_what_the_did_document_says_of_a_key_counts(far, changes, verdict, code):
    far.put("/issuers/1/did.json", did_document(far.issuer, **changes))
    report = check(far, far.issuer.sign(far.issuer.credential()))
    assert report.verdict is verdict, report.message
    assert not code or code in {one.code for one in report.checks}


@pytest.mark.parametrize(
    ("indexes", "purpose", "verdict"),
    [
        ([], "revocation", Verdict.VALID),
        ([4, 6], "revocation", Verdict.VALID),
        ([5], "revocation", Verdict.REVOKED),
        ([5], "suspension", Verdict.SUSPENDED),
    ],
)
def test_a_foreign_status_list_is_read(far, indexes, purpose, verdict):
    entry = listed(far, indexes, purpose=purpose)
    document = far.issuer.sign(far.issuer.credential(credentialStatus=entry))
    assert check(far, document).verdict is verdict


@pytest.mark.parametrize(
    "changes",
    [
        {"statusPurpose": "suspension"},
        {"encodedList": "uH4sI"},
        {"encodedList": 5},
        {"statusSize": 2},
    ],
    ids=str,
)
def test_a_foreign_list_that_is_not_right_leaves_the_verdict_open(far, changes):
    entry = listed(far, [], **changes)
    document = far.issuer.sign(far.issuer.credential(credentialStatus=entry))
    report = check(far, document)
    assert (report.verdict, report.check(CheckName.REVOCATION).code) == (
        Verdict.UNKNOWN,
        "status_unreachable",
    )


def test_a_list_of_another_issuer_or_a_changed_one_is_not_believed(far):
    entry = listed(far, [], issuer=ForeignIssuer(seed=9))
    document = far.issuer.sign(far.issuer.credential(credentialStatus=entry))
    assert check(far, document).verdict is Verdict.UNKNOWN
    listed(far, [5])
    status, headers, body = far.answers["/lists/1"]
    changed = json.loads(body)
    changed["credentialSubject"]["encodedList"] = encode([])
    far.put("/lists/1", changed)
    assert check(far, document).verdict is Verdict.UNKNOWN


def test_an_index_beyond_the_list_leaves_the_verdict_open(far):
    entry = {**listed(far, []), "statusListIndex": "131072"}
    document = far.issuer.sign(far.issuer.credential(credentialStatus=entry))
    assert check(far, document).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("revoked", "verdict"), [(True, Verdict.REVOKED), (False, Verdict.VALID)])
def test_a_foreign_1edtech_list_is_read(far, revoked, verdict):
    document = far.issuer.credential(
        credentialStatus={"id": f"https://{HOST}/revoked", "type": "1EdTechRevocationList"}
    )
    document["@context"].append("https://purl.imsglobal.org/spec/ob/v3p0/extensions.json")
    other = {"id": "urn:uuid:other", "revoked": True}
    far.put(
        "/revoked",
        {"revokedCredentials": [other, {"id": document["id"], "revoked": revoked}, "nonsense"]},
    )
    assert check(far, far.issuer.sign(document)).verdict is verdict


def test_a_status_that_needs_a_forged_credential_s_word_is_not_looked_at(far):
    entry = listed(far, [5])
    document = far.issuer.sign(far.issuer.credential(credentialStatus=entry))
    document["name"] = "อย่างอื่น"
    far.asked.clear()
    report = check(far, document)
    assert report.verdict is Verdict.INVALID
    assert "/lists/1" not in far.asked
    assert report.check(CheckName.REVOCATION).outcome is Outcome.NOT_CHECKED


def test_a_vocabulary_of_an_allowed_host_is_used_and_does_not_outlive_the_verification(far):
    address = f"https://{HOST}/context"
    context = {"@context": {"thaiLevel": "https://badges.example.ac.th/terms#level"}}
    far.put("/context", context)
    import tests.credentials.verification.foreign as foreign

    load = foreign._load
    foreign._load = lambda url, options: (
        {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": context}
        if url == address
        else load(url, options)
    )
    try:
        document = far.issuer.credential(thaiLevel="สูงสุด")
        document["@context"].append(address)
        signed = far.issuer.sign(document)
    finally:
        foreign._load = load
    assert check(far, signed).verdict is Verdict.VALID
    far.put("/context", {"@context": {"thaiLevel": "https://badges.example.ac.th/terms#other"}})
    assert check(far, signed).verdict is Verdict.INVALID
    far.put(
        "/context", {"@context": {"@import": V2, "thaiLevel": "https://badges.example.ac.th/terms#level"}}
    )
    assert check(far, signed).reason.code == "context_unknown"
    far.put("/context", {"@context": [f"https://{HOST}/context"]})
    assert check(far, signed).verdict in (Verdict.INVALID, Verdict.UNKNOWN)
    # What it defined is known to no other verification.
    assert verify(credential=json.dumps(signed), now=NOW).reason.code == "context_unknown"
