"""The sandbox's bank keeps to docs/reference/bank-protocol.md by itself."""

import hashlib
import json
import subprocess
import sys
import time
from uuid import uuid4

import pytest
import requests

from mooc_microcred.creditbank.backends.https_json import sign
from sandbox.bank import Bank, Store, render_page, set_fault
from tests.creditbank.conftest import SECRET

DEPOSIT = {
    "protocol": 1,
    "sequence": 1,
    "kind": "deposit",
    "reason": "",
    "supersedes": None,
    "learner": {"identity": {"kind": "national_id", "number": "1101700203450"}, "name": "<b>สมหญิง</b>"},
    "award": {
        "uuid": str(uuid4()),
        "achievement": "py101-l2",
        "version": 1,
        "kind": "level2",
        "name": {"th": "ไพทอน", "en": "Python"},
        "issuer": {"code": "kmutt", "name": {"th": "มจธ.", "en": "KMUTT"}, "country": "TH"},
        "organization": "KMUTT",
        "course": "course-v1:KMUTT+PY101+2026",
        "issued_at": "2026-06-01T00:00:00Z",
        "expires_at": None,
        "includes": [],
    },
    "credit": {"method": "CE", "credits": "3.00", "hours": "45.00", "nqf_level": None},
    "outcomes": {"knowledge": [], "skills": [{"en": "write"}], "ethics": [], "character": []},
    "assessment": {
        "types": ["testing"],
        "participation": "onsite",
        "supervision": "supervised_onsite_with_id",
        "quality_assurance": "institution",
    },
    "evidence": {"award": str(uuid4()), "references": ["exam_result:1"]},
}


def message(**changes):
    base = {**DEPOSIT, "key": str(uuid4()), "record": str(uuid4()), **changes}
    if base["kind"] == "reverse":
        for name in ("learner", "award", "credit", "outcomes", "assessment", "evidence"):
            del base[name]
    return base


def post(bank_url, document, *, secret=SECRET, timestamp=None, key=None, signature=None, session=requests):
    body = json.dumps(document).encode() if isinstance(document, dict) else document
    key = key or (document["key"] if isinstance(document, dict) else str(uuid4()))
    timestamp = str(int(time.time())) if timestamp is None else timestamp
    made = sign(
        secret=secret,
        method="POST",
        target="/deliveries",
        timestamp=timestamp,
        key=key,
        body_sha256=hashlib.sha256(body).hexdigest(),
    )
    headers = {
        "Idempotency-Key": key,
        "X-Microcred-Key-Id": "test",
        "X-Microcred-Timestamp": timestamp,
        "X-Microcred-Signature": signature or f"v1={made}",
    }
    return session.post(bank_url, data=body, headers=headers, timeout=10)


@pytest.fixture
def bank(tmp_path):
    with Bank(tmp_path, keys={"test": SECRET}) as one:
        yield one


def test_a_message_is_stored_once_and_the_same_receipt_given_again(bank):
    document = message()
    first, second = post(bank.url, document), post(bank.url, document)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert len(bank.store.all()) == 1


def test_the_same_key_with_another_body_is_a_conflict(bank):
    document = message()
    post(bank.url, document)
    answer = post(bank.url, {**document, "record": str(uuid4())})
    assert (answer.status_code, answer.json()["error"]) == (409, "key_reused")


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "x" * 32},
        {"signature": "v1=00"},
        {"timestamp": "1"},
        {"timestamp": ""},
        {"timestamp": str(int(time.time()) + 4000)},
    ],
)
def test_a_wrong_signature_or_an_old_message_is_refused(bank, wrong):
    assert post(bank.url, message(), **wrong).status_code == 401
    assert bank.store.all() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"grade": "A"},
        {"credit": {**DEPOSIT["credit"], "grade_point": "4.00"}},
        {"credit": {**DEPOSIT["credit"], "method": "XX"}},
        {"kind": "replace"},
        {"learner": {"identity": {"kind": "national_id", "number": "12"}, "name": "x"}},
        {"supersedes": str(uuid4())},
    ],
)
def test_what_does_not_fit_the_schema_is_refused(bank, changes):
    assert post(bank.url, message(**changes)).status_code == 422
    assert bank.store.all() == []


def test_what_is_no_json_is_refused(bank):
    assert post(bank.url, b"\xff").status_code == 400


def test_messages_of_a_record_come_in_order(bank):
    deposit = message()
    reverse = message(
        kind="reverse", record=deposit["record"], sequence=2, supersedes=deposit["key"], reason="revoked"
    )
    assert post(bank.url, reverse).json()["error"] == "out_of_order"
    assert post(bank.url, deposit).status_code == 201
    again = message(record=deposit["record"], sequence=3)
    assert post(bank.url, again).json()["error"] == "already_deposited"
    wrong = {**reverse, "key": str(uuid4()), "supersedes": str(uuid4())}
    assert post(bank.url, wrong).json()["error"] == "out_of_order"
    assert post(bank.url, reverse).status_code == 201
    assert post(bank.url, {**again, "sequence": 2}).json()["error"] == "sequence_used"
    assert post(bank.url, again).status_code == 201


def test_what_was_stored_is_there_after_a_restart(bank, tmp_path):
    document = message()
    receipt = post(bank.url, document).json()["receipt"]
    (tmp_path / "messages" / "half.draft").write_text("{")
    assert Store(tmp_path).answer_of(document["key"])["receipt"] == receipt


@pytest.mark.parametrize(("language", "state"), [("th", "ถอนคืนแล้ว"), ("en", "Taken back")])
def test_the_page_shows_what_was_received_in_both_languages(bank, language, state):
    deposit = message()
    post(bank.url, deposit)
    page = requests.get(bank.address, params={"lang": language}, timeout=10)
    assert "&lt;b&gt;สมหญิง&lt;/b&gt;" in page.text
    assert "<b>" not in page.text
    assert "1101700203450" not in page.text
    assert "3450" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    reverse = message(
        kind="reverse", record=deposit["record"], sequence=2, supersedes=deposit["key"], reason="revoked"
    )
    post(bank.url, reverse)
    assert state in render_page(bank.store.all(), language)


def test_only_this_machine_by_name_may_ask(bank):
    answer = requests.get(bank.address, headers={"Host": "evil.example.com"}, timeout=10)
    assert answer.status_code == 403


def test_another_web_page_cannot_make_it_misbehave(bank):
    answer = requests.post(bank.address + "/control/fault", json={"mode": "error"}, timeout=10)
    assert answer.status_code == 404
    assert bank.fault is None


def test_it_runs_as_a_process_of_its_own(tmp_path):
    command = [
        sys.executable,
        "-m",
        "sandbox.bank",
        "--port",
        "0",
        "--data",
        str(tmp_path),
        "--key-id",
        "test",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={"SANDBOX_BANK_SECRET": SECRET, "PATH": ""}
    )
    try:
        address = process.stdout.readline().split()[-1]
        set_fault(address, "error")
        document = message()
        assert post(address + "/deliveries", document).status_code == 500
        assert post(address + "/deliveries", document).status_code == 201
        assert requests.get(address + "/messages.json", timeout=10).json()["messages"][0]["body"] == document
    finally:
        process.kill()
        process.wait()
