"""A small credit bank: the other end of docs/reference/bank-protocol.md, on loopback.

It is written against the protocol's text, not against the suite's code (it shares only the JSON
Schema that every bank is given), so what it accepts is a test of both. Run it with

    python -m sandbox.bank --port 8001 --data build/demo/bank --key-id demo --secret <32 characters>

It keeps every message as one file below --data, shows what it holds on its page in Thai and
English, and misbehaves on demand (POST /control/fault), as real banks do.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import hmac
import html
import io
import json
import os
import re
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft202012Validator

DELIVERIES = "/deliveries"
MAX_BODY = 1024 * 1024
BANGKOK = timezone(timedelta(hours=7))
_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}

#: What the bank can be made to do wrong, once or several times.
FAULTS = {
    "error": "answers 500 and stores nothing",
    "error_after_storing": "stores, then answers 500",
    "timeout": "never answers and stores nothing",
    "timeout_after_storing": "stores, then never answers",
    "break": "closes the connection without an answer and stores nothing",
    "break_after_storing": "stores, then closes the connection without an answer",
    "twice": "stores and answers twice on the same connection",
    "slow": "waits, then does everything right",
    "busy": "answers 429 with Retry-After",
    "refuse": "answers 422: it will never take this message",
    "unauthorised": "answers 401, as if the key were unknown",
    "garbage": "stores, then answers 200 with somebody else's receipt",
    "later": "stores, answers 202: the receipt is to be asked for",
    "redirect": "answers 307 to another address",
    "flood": "stores, then answers with a body without end",
}


@cache
def _validator() -> Draft202012Validator:
    schema = resources.files("mooc_microcred.creditbank").joinpath("deposit.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(schema))


@dataclass
class Fault:
    """What goes wrong with the next ``times`` messages."""

    mode: str
    times: int
    seconds: float


class Store:
    """The messages of the bank: one file each, written whole or not at all."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time):
        self.folder = folder / "messages"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = clock
        self._lock = threading.Lock()
        self._messages: dict[str, dict[str, Any]] = {}
        for path in sorted(self.folder.glob("*.json")):
            message = json.loads(path.read_text("utf-8"))
            self._messages[message["key"]] = message

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return sorted(self._messages.values(), key=lambda one: one["number"])

    def get(self, key: str) -> dict[str, Any] | None:
        with self._lock:
            return self._messages.get(key)

    def of_record(self, record: str) -> list[dict[str, Any]]:
        return [one for one in self.all() if one["body"]["record"] == record]

    def take(self, body: dict[str, Any], digest: str, channel: str) -> tuple[int, dict[str, Any]]:
        """Store a message unless a rule forbids it; return HTTP status and answer."""
        with self._lock:
            known = self._messages.get(body["key"])
            if known is not None:
                if known["body_sha256"] != digest:
                    return 409, {"error": "key_reused"}
                return 200, self._answer(known)
            about = [
                one["body"] for one in self._messages.values() if one["body"]["record"] == body["record"]
            ]
            error = _out_of_order(body, sorted(about, key=lambda one: one["sequence"]))
            if error:
                return 409, {"error": error}
            number = len(self._messages) + 1
            when = datetime.fromtimestamp(self.clock(), UTC)
            message = {
                "number": number,
                "key": body["key"],
                "receipt": f"SCB-{when.year + 543}-{number:06d}",
                "received_at": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "channel": channel,
                "body_sha256": digest,
                "body": body,
            }
            self._write(message)
            self._messages[body["key"]] = message
            return 201, self._answer(message)

    @staticmethod
    def _answer(message: dict[str, Any]) -> dict[str, Any]:
        return {
            "receipt": message["receipt"],
            "key": message["key"],
            "body_sha256": message["body_sha256"],
            "received_at": message["received_at"],
        }

    def answer_of(self, key: str) -> dict[str, Any] | None:
        message = self.get(key)
        return self._answer(message) if message else None

    def _write(self, message: dict[str, Any]) -> None:
        path = self.folder / f"{message['number']:06d}-{message['body']['kind']}-{message['key']}.json"
        draft = path.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as stream:
            json.dump(message, stream, ensure_ascii=False, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)


def _out_of_order(body: dict[str, Any], earlier: list[dict[str, Any]]) -> str:
    """Return why a message does not follow on what is stored about its record; empty if it does."""
    last = earlier[-1] if earlier else None
    if last is not None and body["sequence"] <= last["sequence"]:
        return "sequence_used"
    holds = last is not None and last["kind"] != "reverse"
    if body["kind"] == "deposit":
        return "already_deposited" if holds else ""
    if not holds or body["supersedes"] != last["key"]:
        return "out_of_order"
    return ""


class Bank:
    """The bank as a whole: keys of its depositors, store, fault to act out, and the HTTP server."""

    def __init__(
        self,
        folder: Path | str,
        *,
        keys: dict[str, str],
        port: int = 0,
        skew: float = 300,
        clock: Callable[[], float] = time.time,
    ):
        self.store = Store(Path(folder), clock)
        self.keys = keys
        self.skew = skew
        self.clock = clock
        self.fault: Fault | None = None
        self.requests: list[tuple[str, str, str]] = []
        self._fault_lock = threading.Lock()
        self.closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), _handler_of(self))
        self.server.daemon_threads = True
        # A handler that acts out a time-out must not hold up the end of a test.
        self.server.block_on_close = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def url(self) -> str:
        """What the depositor's setting ``url`` must be."""
        return self.address + DELIVERIES

    def misbehave(self, mode: str, *, times: int = 1, seconds: float = 60) -> None:
        if mode not in FAULTS:
            raise ValueError(mode)
        with self._fault_lock:
            self.fault = Fault(mode, times, seconds)

    def behave(self) -> None:
        with self._fault_lock:
            self.fault = None

    def take_fault(self) -> Fault | None:
        with self._fault_lock:
            if self.fault is None or self.fault.times <= 0:
                return None
            self.fault.times -= 1
            return self.fault

    def start(self) -> Bank:
        """Serve in a thread of this process."""
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self) -> Bank:
        return self.start()

    def __exit__(self, *_error) -> None:
        self.stop()

    def check_signature(self, method: str, target: str, headers: Any, body: bytes) -> str:
        """Return why a request is not authentic; empty if it is."""
        secret = self.keys.get(headers.get("X-Microcred-Key-Id", ""))
        timestamp = headers.get("X-Microcred-Timestamp", "")
        key = headers.get("Idempotency-Key", "")
        if secret is None:
            return "unknown_key_id"
        if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(self.clock() - int(timestamp)) > self.skew:
            return "timestamp"
        lines = ["microcred-v1", method, target, timestamp, key, hashlib.sha256(body).hexdigest()]
        expected = hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"v1={expected}", headers.get("X-Microcred-Signature", "")):
            return "signature"
        return ""

    def receive(self, key: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Judge and store a message whose signature is right."""
        if not _UUID.match(key):
            return 400, {"error": "key_missing"}
        try:
            document = json.loads(body)
        except ValueError:
            return 400, {"error": "not_json"}
        problem = next(_validator().iter_errors(document), None)
        if problem is not None:
            return 422, {"error": "schema", "where": [str(one) for one in problem.absolute_path]}
        if document["key"] != key:
            return 422, {"error": "key_differs"}
        return self.store.take(document, hashlib.sha256(body).hexdigest(), "https")


def _handler_of(bank: Bank) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version = "SandboxCreditBank/1"
        sys_version = ""
        protocol_version = "HTTP/1.1"
        timeout = 30

        def log_message(self, *_arguments):
            """Say nothing: the page shows what came."""

        def do_GET(self):  # noqa: N802
            parts = urlsplit(self.path)
            if not self._is_ours():
                return
            if parts.path.startswith(DELIVERIES + "/"):
                self._inquire(parts.path.removeprefix(DELIVERIES + "/"))
            elif parts.path == "/style.css":
                self._send(200, STYLE.encode(), "text/css; charset=utf-8")
            elif parts.path == "/messages.json":
                self._json(200, {"messages": bank.store.all()})
            elif parts.path == "/requests.json":
                self._json(200, {"requests": [list(one) for one in bank.requests]})
            elif parts.path == "/":
                language = _language(parse_qs(parts.query), self.headers.get("Accept-Language", ""))
                page = render_page(bank.store.all(), language)
                self._send(200, page.encode(), "text/html; charset=utf-8")
            else:
                self._json(404, {"error": "not_found"})

        def do_POST(self):  # noqa: N802
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > MAX_BODY:
                self.close_connection = True
                self._json(413, {"error": "too_long"})
                return
            body = self.rfile.read(int(length))
            if not self._is_ours():
                return
            if self.path == DELIVERIES:
                self._receive(body)
            elif self.path == "/control/fault" and self.headers.get("X-Control") == "yes":
                # The header keeps other people's web pages from doing this through a browser.
                self._set_fault(body)
            else:
                self._json(404, {"error": "not_found"})

        def _is_ours(self) -> bool:
            """Refuse names that were bent to point here (DNS rebinding)."""
            if self.headers.get("Host", "").rsplit(":", 1)[0] in _LOOPBACK:
                return True
            self._json(403, {"error": "host"})
            return False

        def _set_fault(self, body: bytes) -> None:
            try:
                wanted = json.loads(body)
                if wanted["mode"] is None:
                    bank.behave()
                else:
                    bank.misbehave(
                        wanted["mode"],
                        times=int(wanted.get("times", 1)),
                        seconds=float(wanted.get("seconds", 60)),
                    )
            except (ValueError, KeyError, TypeError):
                self._json(400, {"error": "fault", "faults": FAULTS})
                return
            self._json(200, {"fault": wanted["mode"]})

        def _receive(self, body: bytes) -> None:
            key = self.headers.get("Idempotency-Key", "")
            bank.requests.append(("POST", key, hashlib.sha256(body).hexdigest()))
            error = bank.check_signature("POST", self.path, self.headers, body)
            if error:
                self._json(401, {"error": error})
                return
            fault = bank.take_fault()
            if fault is None:
                self._json(*bank.receive(key, body))
            else:
                self._misbehave(fault, key, body)

        def _inquire(self, key: str) -> None:
            bank.requests.append(("GET", key, ""))
            error = bank.check_signature("GET", self.path, self.headers, b"")
            if error:
                self._json(401, {"error": error})
                return
            answer = bank.store.answer_of(key)
            if answer is None:
                self._json(404, {"error": "unknown_key"})
            else:
                self._json(200, answer)

        def _misbehave(self, fault: Fault, key: str, body: bytes) -> None:
            mode = fault.mode
            if mode == "slow":
                bank.closing.wait(fault.seconds)
            stores = mode in ("slow", "twice", "garbage", "later", "flood") or mode.endswith("_after_storing")
            status, answer = bank.receive(key, body) if stores else (500, {"error": "fault"})
            if mode in ("slow", "twice"):
                self._json(status, answer)
                if mode == "twice":
                    self._json(status, answer)
            elif mode.startswith("error"):
                self._json(500, {"error": "fault"})
            elif mode.startswith("timeout"):
                bank.closing.wait(fault.seconds)
                self._hang_up()
            elif mode.startswith("break"):
                self._hang_up()
            elif mode == "busy":
                self._json(429, {"error": "busy"}, {"Retry-After": str(int(fault.seconds))})
            elif mode == "refuse":
                self._json(422, {"error": "unknown_learner"})
            elif mode == "unauthorised":
                self._json(401, {"error": "unknown_key_id"})
            elif mode == "garbage":
                self._json(200, {"receipt": "SCB-0", "key": "0" * 36, "body_sha256": "0" * 64})
            elif mode == "later":
                self._json(202, {"status": "taken_over"}, {"Retry-After": str(int(fault.seconds))})
            elif mode == "redirect":
                self._json(307, {}, {"Location": bank.address + "/elsewhere"})
            elif mode == "flood":
                self._flood()

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.close()

        def _flood(self) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            try:
                for __ in range(1024):
                    self.wfile.write(b" " * 1024)
            except OSError:
                pass

        def _json(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            self._send(status, json.dumps(answer, ensure_ascii=False).encode(), "application/json", headers)

        def _send(
            self, status: int, content: bytes, kind: str, headers: dict[str, str] | None = None
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'self'")
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    return Handler


# --- file drop ---


def pick_up(store: Store, folder: Path) -> int:
    """Read the committed drops in a folder and leave receipts; return how many messages were answered.

    A drop whose receipts were written already is left alone; a file that does not have the hash and
    the rows that its manifest states is not read at all.
    """
    count = 0
    receipts = folder / "receipts"
    for path in sorted(folder.glob("*.manifest.json")):
        name = path.name.replace(".manifest.json", ".json")
        if (receipts / name).exists() or (receipts / "done" / name).exists():
            continue
        try:
            manifest = json.loads(path.read_text("utf-8"))
        except ValueError:
            # Half a manifest commits nothing.
            continue
        lines = [line for file in manifest["files"] for line in _pick_up_file(store, folder, file)]
        receipts.mkdir(exist_ok=True)
        draft = receipts / (name + ".draft")
        draft.write_text(json.dumps({"drop": manifest["drop"], "receipts": lines}, indent=1), "utf-8")
        draft.replace(receipts / name)
        count += len(lines)
    return count


def _pick_up_file(store: Store, folder: Path, file: dict[str, Any]) -> list[dict[str, str]]:
    path = folder / file["name"]
    content = path.read_bytes() if path.name == file["name"] and path.is_file() else b""
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    if hashlib.sha256(content).hexdigest() != file["sha256"] or len(rows) != file["rows"]:
        return [{"key": key, "status": "refused", "error": "hash"} for key in file["keys"]]
    return [_pick_up_row(store, row) for row in rows]


def _pick_up_row(store: Store, row: dict[str, str]) -> dict[str, str]:
    message = message_of_row(row)
    if next(_validator().iter_errors(message), None) is not None:
        return {"key": row["key"], "status": "refused", "error": "schema"}
    status, answer = store.take(message, row["body_sha256"], "file")
    if status in (200, 201):
        return {"key": row["key"], "status": "received", "receipt": answer["receipt"]}
    return {"key": row["key"], "status": "refused", "error": answer["error"]}


def message_of_row(row: dict[str, str]) -> dict[str, Any]:
    """Return the message that a row of a drop stands for."""
    cells = {name: re.sub(r"^'(?=[=+\-@\t\r\n])", "", value) for name, value in row.items()}
    message: dict[str, Any] = {
        "protocol": 1,
        "key": cells["key"],
        "record": cells["record"],
        "sequence": int(cells["sequence"]),
        "kind": cells["kind"],
        "reason": cells["reason"],
        "supersedes": cells["supersedes"] or None,
    }
    if cells["kind"] == "reverse":
        return message

    def text(name: str) -> dict[str, str]:
        return {lang: cells[f"{name}_{lang}"] for lang in ("th", "en") if cells[f"{name}_{lang}"]}

    return message | {
        "learner": {
            "identity": {"kind": cells["identity_kind"], "number": cells["identity_number"]},
            "name": cells["learner_name"],
        },
        "award": {
            "uuid": cells["award"],
            "achievement": cells["achievement"],
            "version": int(cells["achievement_version"]),
            "kind": cells["achievement_kind"],
            "name": text("name"),
            "issuer": {
                "code": cells["issuer"],
                "name": text("issuer_name"),
                "country": cells["issuer_country"],
            },
            "organization": cells["organization"],
            "course": cells["course"],
            "issued_at": cells["issued_at"],
            "expires_at": cells["expires_at"] or None,
            "includes": cells["includes"].split(),
        },
        "credit": {
            "method": cells["method"],
            "credits": cells["credits"],
            "hours": cells["hours"],
            "nqf_level": int(cells["nqf_level"]) if cells["nqf_level"] else None,
        },
        "outcomes": {
            domain: json.loads(cells[f"outcomes_{domain}"] or "[]")
            for domain in ("knowledge", "skills", "ethics", "character")
        },
        "assessment": {
            "types": cells["assessment_types"].split(),
            "participation": cells["participation"],
            "supervision": cells["supervision"],
            "quality_assurance": cells["quality_assurance"],
        },
        "evidence": {"award": cells["award"], "references": cells["evidence"].split()},
    }


# --- the page ---

WORDS = {
    "en": {
        "title": "Sandbox credit bank",
        "lead": "What this bank has received. It keeps the method of assessment, no grade.",
        "other": "ไทย",
        "none": "Nothing has been received yet.",
        "total": "Credits held",
        "deposit": "Deposited",
        "replace": "Replaced",
        "reverse": "Taken back",
        "learner": "Learner",
        "identity": "Identity",
        "national_id": "national ID ending in",
        "passport": "passport ending in",
        "account": "account",
        "issuer": "Issuer",
        "course": "Course",
        "method": "Method of assessment",
        "credits": "Credits",
        "hours": "Hours",
        "level": "NQF level",
        "issued": "Earned",
        "outcomes": "Learning outcomes",
        "history": "History",
        "receipt": "Receipt",
        "reason": "reason",
        "evidence": "Evidence",
        "includes": "Credit of the parts is included",
        "CS": "standardised test",
        "CN": "non-degree learning",
        "CT": "training",
        "CP": "portfolio",
        "CE": "examination",
    },
    "th": {
        "title": "คลังหน่วยกิตจำลอง",
        "lead": "รายการที่คลังหน่วยกิตนี้ได้รับ บันทึกตามวิธีการประเมิน ไม่มีเกรด",
        "other": "English",
        "none": "ยังไม่ได้รับรายการใด",
        "total": "หน่วยกิตที่รับฝากไว้",
        "deposit": "ฝากแล้ว",
        "replace": "แทนที่แล้ว",
        "reverse": "ถอนคืนแล้ว",
        "learner": "ผู้เรียน",
        "identity": "หลักฐานยืนยันตัวตน",
        "national_id": "เลขประจำตัวประชาชน ลงท้ายด้วย",
        "passport": "หนังสือเดินทาง ลงท้ายด้วย",
        "account": "บัญชี",
        "issuer": "ผู้ออก",
        "course": "รายวิชา",
        "method": "วิธีการประเมิน",
        "credits": "หน่วยกิต",
        "hours": "ชั่วโมง",
        "level": "ระดับคุณวุฒิ (NQF)",
        "issued": "ได้รับเมื่อ",
        "outcomes": "ผลลัพธ์การเรียนรู้",
        "history": "ประวัติ",
        "receipt": "ใบรับ",
        "reason": "เหตุผล",
        "evidence": "หลักฐาน",
        "includes": "รวมหน่วยกิตของส่วนย่อยแล้ว",
        "CS": "การทดสอบมาตรฐาน",
        "CN": "การศึกษาที่ไม่รับปริญญา",
        "CT": "การฝึกอบรม",
        "CP": "แฟ้มสะสมผลงาน",
        "CE": "การสอบ",
    },
}

STYLE = """
:root { color-scheme: light; --ink: #1f2933; --soft: #52606d; --line: #d9e2ec; --paper: #f5f7fa; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 60rem; background: var(--paper);
  color: var(--ink); font: 16px/1.6 "Sarabun", "Noto Sans Thai", system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline; }
h1 { font-size: 1.6rem; margin: 0; flex: 1 1 auto; }
h2 { font-size: 1.15rem; margin: 0; }
.lead { color: var(--soft); }
article { background: #fff; border: 1px solid var(--line); border-left: 6px solid #2f855a;
  border-radius: 8px; padding: 1rem 1.25rem; margin: 1rem 0; }
article.reverse { border-left-color: #9b2c2c; }
article.replace { border-left-color: #2b6cb0; }
.state { font-weight: 700; color: #22543d; }
.reverse .state { color: #822727; } .replace .state { color: #2a4365; }
dl { display: grid; grid-template-columns: minmax(8rem, auto) 1fr; gap: .15rem 1rem; margin: .75rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
ol, ul { margin: .25rem 0; padding-left: 1.25rem; }
a { color: #1a56a0; } a:focus-visible { outline: 3px solid #f6ad55; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; } }
"""


def _language(query: dict[str, list[str]], accepted: str) -> str:
    wanted = query.get("lang", [""])[0]
    if wanted in WORDS:
        return wanted
    return "th" if accepted.strip().lower().startswith("th") else "en"


def _day(text: str, language: str) -> str:
    when = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).astimezone(BANGKOK)
    year = when.year + 543 if language == "th" else when.year
    return f"{when.day}/{when.month}/{year} {when:%H:%M}"


def _in(language: str, text: dict[str, str]) -> str:
    return html.escape(text.get(language) or next(iter(text.values())))


def render_page(messages: list[dict[str, Any]], language: str) -> str:
    """Return the page of everything that was received, by record, the newest first."""
    words = WORDS[language]
    records: dict[str, list[dict[str, Any]]] = {}
    for message in messages:
        records.setdefault(message["body"]["record"], []).append(message)
    held = sum(
        float(_holding(history)["body"]["credit"]["credits"])
        for history in records.values()
        if history[-1]["body"]["kind"] != "reverse"
    )
    articles = [
        _render_record(history, language)
        for history in sorted(records.values(), key=lambda one: -one[-1]["number"])
    ]
    other = "en" if language == "th" else "th"
    return f"""<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><title>{words["title"]}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/style.css"></head>
<body><header><h1>{words["title"]}</h1>
<a href="/?lang={other}" hreflang="{other}" lang="{other}">{words["other"]}</a></header>
<p class="lead">{words["lead"]}</p><p>{words["total"]}: <strong>{held:.2f}</strong></p>
<main>{"".join(articles) or f"<p>{words['none']}</p>"}</main></body></html>
"""


def _holding(history: list[dict[str, Any]]) -> dict[str, Any]:
    return [one for one in history if one["body"]["kind"] != "reverse"][-1]


def _render_record(history: list[dict[str, Any]], language: str) -> str:
    words = WORDS[language]
    body = _holding(history)["body"]
    learner, award, credit = body["learner"], body["award"], body["credit"]
    identity = learner["identity"]
    state = history[-1]["body"]["kind"]
    outcomes = "".join(
        f"<li>{_in(language, text)}</li>" for texts in body["outcomes"].values() for text in texts
    )
    facts = [
        (words["learner"], html.escape(learner["name"])),
        (words["identity"], f"{words[identity['kind']]} {html.escape(identity['number'][-4:])}"),
        (words["issuer"], f"{_in(language, award['issuer']['name'])} ({html.escape(award['organization'])})"),
        (words["course"], html.escape(award["course"])),
        (words["issued"], _day(award["issued_at"], language)),
        (words["method"], f"{credit['method']} · {words[credit['method']]}"),
        (words["credits"], credit["credits"]),
        (words["hours"], credit["hours"]),
        (words["level"], str(credit["nqf_level"] or "")),
        (words["outcomes"], f"<ul>{outcomes}</ul>"),
        (words["evidence"], html.escape(", ".join(body["evidence"]["references"]))),
    ]
    if award["includes"]:
        facts.append((words["includes"], "<br>".join(map(html.escape, award["includes"]))))
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts if value)
    steps = "".join(
        f"<li>{words[one['body']['kind']]} · {_day(one['received_at'], language)} · {words['receipt']} "
        f"{html.escape(one['receipt'])}{_reason(one['body'], words)}</li>"
        for one in history
    )
    return (
        f'<article class="{state}"><h2>{_in(language, award["name"])}</h2>'
        f'<p class="state">{words[state]}</p><dl>{listed}</dl>'
        f"<details open><summary>{words['history']}</summary><ol>{steps}</ol></details></article>"
    )


def _reason(body: dict[str, Any], words: dict[str, str]) -> str:
    return f" · {words['reason']}: {html.escape(body['reason'])}" if body["reason"] else ""


# --- from another process ---


def set_fault(address: str, mode: str | None, *, times: int = 1, seconds: float = 60) -> None:
    """Make a bank in another process misbehave; mode None: behave again."""
    request = urllib.request.Request(  # noqa: S310
        address + "/control/fault",
        data=json.dumps({"mode": mode, "times": times, "seconds": seconds}).encode(),
        headers={"X-Control": "yes", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        answer.read()


def _watch_drop(bank: Bank, folder: Path) -> None:
    while not bank.closing.wait(2):
        if folder.is_dir():
            pick_up(bank.store, folder)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.bank", description="A small credit bank.")
    parser.add_argument("--port", type=int, default=8001, help="on loopback; 0 chooses a free one")
    parser.add_argument("--data", type=Path, required=True, help="folder of what it received")
    parser.add_argument("--key-id", required=True)
    parser.add_argument(
        "--secret",
        default=os.environ.get("SANDBOX_BANK_SECRET"),
        help="better in the environment variable SANDBOX_BANK_SECRET",
    )
    parser.add_argument("--skew", type=float, default=300, help="seconds by which clocks may differ")
    parser.add_argument("--drop", type=Path, help="folder of a file drop that it also reads")
    given = parser.parse_args(arguments)
    if not given.secret:
        parser.error("--secret or SANDBOX_BANK_SECRET is needed")
    bank = Bank(given.data, keys={given.key_id: given.secret}, port=given.port, skew=given.skew)
    if given.drop:
        threading.Thread(target=_watch_drop, args=(bank, given.drop), daemon=True).start()
    print(f"credit bank ready at {bank.address}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        bank.server.serve_forever()


if __name__ == "__main__":
    main()
