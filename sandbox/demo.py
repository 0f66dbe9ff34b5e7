"""``make demo``: a learner walks from a course to the credit bank, as people would do it.

Three real processes are started on loopback: the sandbox's web server, a worker and a small credit bank.
The walk calls no function of the suite: it opens pages, fills in forms and calls the REST API, and the
platform's signals do the rest. It checks every step and ends with 1 where one did not come out. With
SERVE=0 it stops after the walk, else it serves the sandbox until Ctrl-C.

What was received and issued is left as files below ``build/demo/``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import requests
import yaml

from sandbox.people import ACCOUNTS, CROWD_PASSPORT, ORGANIZATION, PASSWORD
from sandbox.result_files import CENTRE, as_csv, as_file, buddhist
from sandbox.stage import ROOT, DemoFailed, Stage, wait_for
from sandbox.visitor import API, Visitor

PROGRAMME = "kmutt-python"
# Who endorses what; see sandbox/content/partner.yaml.
PARTNER, ENDORSED = "example-software-makers", "kmutt-py101-l2"
WIDTH = 108
# The pages of the suite on which staff work.
EXAM_DESK, IDENTITIES = "/microcred/staff/exams/", "/microcred/staff/identities/"
# Made up: 13 digits with a right check digit, as a pattern that is given to nobody.
NATIONAL_ID = "1234567890121"
# When the exams took place: some days before the demo, written as Thai offices write dates.
SAT_ON = date.today() - timedelta(days=3)
NAME = "สมหญิง ใจดี"
# As the exam centre writes her: with a title.
LEARNER = f"นางสาว{NAME}"


@dataclass(frozen=True)
class Course:
    """A course of the series with its exam, how the centre sends the results, and what is expected.

    Attributes:
        certificate: what the course's page says of the platform's certificate in the end.
        evidence: a condition of the Level 2 and what the learner has of it.
    """

    number: str
    file_name: str
    score: int
    maximum: int
    certificate: str
    why_level1: str
    evidence: tuple[str, str]
    why_level2: str

    @property
    def key(self) -> str:
        return f"course-v1:{ORGANIZATION}+{self.number}+2026"

    def code(self, what: str) -> str:
        return f"{ORGANIZATION}-{self.number}-{what}".lower()

    @property
    def admission(self) -> str:
        return f"{self.number}-2026-0001"


SERIES = (
    Course(
        "PY101",
        "py101-results.xlsx",
        78,
        100,
        "issued",
        "it mirrors the certificate that the platform issued on passing",
        ("exam", "78"),
        "78 of 100 in the exam, 60 percent are needed, and the Level 1 is held",
    ),
    Course(
        "PY102",
        "py102-results.csv",
        60,
        80,
        "issued",
        "our own criteria were met, and only then the platform was asked for its certificate",
        ("weighted", "81.25"),
        "exam 75 and course work 100, weighted 3 to 1, make 81.25; 50 are needed, and 40 in each",
    ),
    Course(
        "PY103",
        "py103-results-windows874.csv",
        85,
        100,
        "none yet",
        "80 percent of the units and a grade of 60; no certificate of the platform is needed",
        ("exam", "85"),
        "85 percent in the exam, with enough units and grade",
    ),
)


class Walk:
    """The learner's way through the five steps, told as it happens."""

    def __init__(self, stage: Stage):
        self.stage = stage
        self.learner = Visitor(stage.web, "learner")
        self.officer = Visitor(stage.web, "officer")
        self.signatory = Visitor(stage.web, "signatory")
        self.verifier = Visitor(stage.web, "verifier")
        self.credit_officer = Visitor(stage.web, "credit")
        content = yaml.safe_load((ROOT / "sandbox/content/python_series.yaml").read_text("utf-8"))
        self.content = {course["key"]: course for course in content["courses"]}

    def run(self) -> None:
        """Walk all five steps.

        Raises:
            DemoFailed: one did not come out.
        """
        self.endorse()
        for course in SERIES:
            self.learn(course)
        tell(
            1,
            "เรียน · Learn",
            f"{NAME} enrols in the {len(SERIES)} courses of the Python series, reads every unit and passes "
            "each self-test. The platform sends its signals; for what follows nobody presses a button.",
        )
        for course in SERIES:
            self.earn_level_1(course)
        self.refuse_wrong_results(SERIES[0])
        for course in SERIES:
            self.sit_exam(course)
        tell(
            3,
            "สอบมาตรฐาน · Exam",
            f"{', '.join(course.file_name for course in SERIES)}: all rows are right. Who uploaded may not "
            "sign; a second person signs; the release makes the results count.",
        )
        for course in SERIES:
            self.earn_level_2(course)
        self.earn_programme()
        self.wait_without_consent()
        self.consent_and_identify()
        self.deposit()

    def endorse(self) -> None:
        """Let a partner of industry speak for a Level 2, signed by the partner's own key."""
        self.stage.manage("microcred_catalogue", "load", str(ROOT / "sandbox/content/partner.yaml"))
        said = {
            "--th": "สมาชิกของเราถือว่าผู้มีใบรับรองนี้เขียนโปรแกรมไพทอนได้จริง",
            "--en": "Our members take whoever holds this to be able to program in Python.",
        }
        words = [one for pair in said.items() for one in pair]
        self.stage.manage("microcred_endorse", "make", PARTNER, ENDORSED, *words)

    # --- 1 and 2: learn, Level 1 ---

    def learn(self, course: Course) -> None:
        """Enrol, read every unit, pass the self-test: pages only."""
        page = f"/courses/{course.key}/"
        self.learner.submit(page, f"{page}enrol/")
        content = self.content[course.key]
        units = len(content["units"])
        for position in range(1, units + 1):
            self.learner.submit(f"{page}units/{position}/")
        answers = {
            f"question{position}": _right_choice(question)
            for position, question in enumerate(content["questions"], start=1)
        }
        result = self.learner.submit(f"{page}self-test/", **answers)
        _expect("passed" in result, f"the self-test of {course.number} was not passed")
        # The self-test is a unit too.
        done = f"{units + 1} of {units + 1} units done"
        _expect(done in self.learner.page(page), f"not all units of {course.number} count as done")

    def earn_level_1(self, course: Course) -> None:
        """Wait for the Level 1 that the platform's signals have set in motion."""
        award = self.award(course.code("l1"))
        certificate = _text_of(self.learner.page(f"/courses/{course.key}/"))
        _expect(
            f"Course certificate {course.certificate}" in certificate,
            f"the platform's certificate of {course.number} should be: {course.certificate}",
        )
        tell(2, "ระดับ 1 · Level 1", f"{course.number} “{award['name']['th']}”: {course.why_level1}.")

    def award(self, code: str) -> dict[str, Any]:
        """Wait until the learner sees a valid award of an achievement, and return it."""

        def look() -> dict[str, Any] | None:
            self.stage.check()
            awards = self.learner.get("my/awards/")["results"]
            return next(
                (one for one in awards if one["achievement"] == code and one["state"] == "active"), None
            )

        return wait_for(f"an award of {code}", look)

    # --- 3 and 4: exam, Level 2 ---

    def refuse_wrong_results(self, course: Course) -> None:
        """Upload a file with mistakes: every wrong row is told, nothing is imported."""
        self.admit(course)
        day = buddhist(SAT_ON)
        rows = [
            (course.admission, LEARNER, 178, course.maximum, day, CENTRE),
            (f"{course.number}-2026-9999", "นายไม่มี ตัวตน", 65, course.maximum, day, CENTRE),
            (course.admission, LEARNER, course.score, course.maximum, "31/02/2569", CENTRE),
        ]
        batch = self.upload(course, "py101-wrong.csv", as_csv(rows, encoding="utf-8-sig"), state="invalid")
        problems = self.officer.get(f"staff/exam-batches/{batch['uuid']}/problems/")["results"]
        _expect({one["row"] for one in problems} == {2, 3, 4}, f"the wrong rows are told as {problems}")
        page = _text_of(self.officer.page(f"{EXAM_DESK}batches/{batch['uuid']}/"))
        _expect(all(one["message"] in page for one in problems), "the page does not tell every wrong row")
        _expect(batch["rows_imported"] == 0 and not self.result(course), "a wrong file was imported")
        self.officer.post(f"staff/exam-batches/{batch['uuid']}/release/", expect=409)
        told = " ".join(f"Row {one['row']}, {one['column']}: {one['message']}" for one in problems)
        tell(
            3,
            "ตรวจไฟล์ · Dry run",
            f"A first file of exam results is wrong; nothing of it is imported. {told}",
        )

    def admit(self, course: Course) -> None:
        """Admit the learner to the exam; again, the number stays."""
        page = f"{EXAM_DESK}admissions/"
        fields = {"exam": course.code("exam"), "people": f"learner, {course.admission}", "action": "admit"}
        answer = self.officer.submit(page, **fields)
        _expect(course.admission in answer, f"{course.admission} is not in the list of candidates")

    def upload(self, course: Course, name: str, content: bytes, *, state: str) -> dict[str, Any]:
        """Upload a result file as the exam officer, and keep it with what came of it."""
        folder = self.stage.folder / "exams"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        self.officer.submit(EXAM_DESK, file=(name, content), exam=course.code("exam"))
        uuid = self.officer.at.rstrip("/").rpartition("/")[2]
        batch = self.officer.get(f"staff/exam-batches/{uuid}/")
        _expect(batch["state"] == state, f"{name} is {batch['state']}, not {state}: {batch['problems']}")
        _expect(batch["sha256"] == hashlib.sha256(content).hexdigest(), f"{name} has another SHA-256")
        _write_json(folder / f"{name}.batch.json", batch)
        return batch

    def sit_exam(self, course: Course) -> None:
        """Bring the results in: one officer uploads and releases, another person signs."""
        self.admit(course)
        day = buddhist(SAT_ON, thai_digits=course.number == "PY102")
        row = (course.admission, LEARNER, course.score, course.maximum, day, CENTRE)
        batch = self.upload(course, course.file_name, as_file(course.file_name, row), state="imported")
        where = f"staff/exam-batches/{batch['uuid']}/"
        self.officer.post(f"{where}release/", expect=409)
        refusal = self.officer.post(f"{where}sign/", expect=403)
        _expect("second person" in refusal["message"], f"the uploader was refused for: {refusal['message']}")
        page = f"{EXAM_DESK}batches/{batch['uuid']}/"
        _expect('value="sign"' not in self.officer.page(page), "who uploaded is offered to sign")
        self.signatory.submit(page, action="sign")
        _expect(not self.result(course), "a result was shown before its release")
        self.officer.submit(page, action="release")
        released = self.officer.get(where)
        _expect(released["state"] == "released", f"the batch is {released['state']} after its release")
        _expect(bool(self.result(course)), "a released result is not shown to its learner")

    def result(self, course: Course) -> dict[str, Any] | None:
        """Return the learner's own view of the result, or None."""
        results = self.learner.get("my/exam-results/")["results"]
        return next((one for one in results if one["exam_code"] == course.code("exam")), None)

    def earn_level_2(self, course: Course) -> None:
        """Wait for the Level 2 that the release has set in motion."""
        award = self.award(course.code("l2"))
        measures = self.learner.get(f"my/awards/{award['uuid']}/")["measures"]
        found = {(one["kind"], one["have"]) for one in measures}
        _expect(course.evidence in found, f"the Level 2 of {course.number} rests on {found}")
        tell(4, "ระดับ 2 · Level 2", f"{course.number} “{award['name']['th']}”: {course.why_level2}.")

    # --- 5: programme and credit bank ---

    def earn_programme(self) -> None:
        """Wait for the programme's award, which needs nobody."""
        award = self.award(PROGRAMME)
        (programme,) = self.learner.get("my/programmes/")["results"]
        _expect(programme["next_step"]["action"] == "done", "the programme says that something is left to do")
        tell(5, "ชุดวิชา · Programme", f"“{award['name']['th']}” is earned: all three Level 2 are held.")

    def wait_without_consent(self) -> None:
        """See that nothing leaves without the learner's consent."""
        deposits = wait_for("three credit records", self.three_deposits)
        states = {one["state"] for one in deposits}
        _expect(states == {"waiting_consent"}, f"without consent the records should wait, but are {states}")
        _expect(not self.in_bank(), "the bank received something without the learner's consent")
        status = deposits[0]["status"]
        tell(5, "ความยินยอม · Consent", f"{len(deposits)} credits wait: “{status}” Nothing has left.")

    def three_deposits(self) -> list[dict[str, Any]] | None:
        """Return the learner's credit records once there is one for each Level 2."""
        self.stage.check()
        deposits = self.learner.get("my/deposits/")["results"]
        return deposits if len(deposits) == len(SERIES) else None

    def consent_and_identify(self) -> None:
        """The learner consents on a page; the verifier records a document, at first mistyped."""
        self.learner.submit("/microcred/credits/", bank="sandbox-bank", agree="yes")
        waits = wait_for("the records to wait for an identity", lambda: self.deposits_in("waiting_identity"))
        _expect(not self.in_bank(), "the bank received a record of a learner who is not identified")
        found = self.verifier.submit(IDENTITIES, who="learner", action="find")
        seen = {"kind": "national_id", "action": "record"}
        mistyped = {**seen, "number": NATIONAL_ID[:-1] + "9"}
        again = self.verifier.submit(IDENTITIES, on=found, expect=400, **mistyped)
        done = self.verifier.submit(IDENTITIES, on=again, number=NATIONAL_ID, **seen)
        _expect(NATIONAL_ID not in done and NATIONAL_ID[-4:] in done, "more than the last four are shown")
        tell(
            5,
            "ยืนยันตัวตน · Identity",
            f"Consent is given. “{waits[0]['status']}” A mistyped ID is refused by its check digit; "
            "the right one is recorded, encrypted.",
        )

    def deposits_in(self, state: str) -> list[dict[str, Any]] | None:
        """Return the credit records once all of them are in a state."""
        deposits = self.three_deposits()
        return deposits if deposits and {one["state"] for one in deposits} == {state} else None

    def in_bank(self) -> list[dict[str, Any]]:
        """Return the messages that the bank has, but for those about the crowd."""
        found = self.bank_page("messages.json").json()["messages"]
        return [
            one
            for one in found
            if not one["body"]["learner"]["identity"]["number"].startswith(CROWD_PASSPORT)
        ]

    def bank_page(self, path: str) -> requests.Response:
        """Read something from the bank, as anybody on this machine can."""
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{self.stage.bank}/{path}", timeout=10)

    def deposit(self) -> None:
        """Wait for the receipts, and compare what the bank has with what the learner holds."""
        deposits = wait_for("the bank's receipts", lambda: self.deposits_in("deposited"))
        messages = self.in_bank()
        _expect(len(messages) == len(SERIES), f"the bank has {len(messages)} messages, not {len(SERIES)}")
        receipts = {one["deliveries"][-1]["receipt"] for one in deposits}
        _expect(receipts == {one["receipt"] for one in messages}, "the receipts are not the bank's")
        for message in messages:
            _check_message(message["body"])
        page = self.bank_page("?lang=th").text
        _expect(all(receipt in page for receipt in receipts), "the bank's page does not show the receipts")
        newest = {one["uuid"] for one in deposits}
        records = self.credit_officer.get("staff/credit-records/")["results"]
        states = [one["state"] for one in records if one["uuid"] in newest]
        _expect(states == ["deposited"] * len(SERIES), f"the credit officer sees {states}")
        tell(
            5,
            "คลังหน่วยกิต · Credit bank",
            f"{len(messages)} credits are deposited by signed HTTP: method of assessment CE (examination), "
            f"no grade. Receipts {', '.join(sorted(receipts))}.",
        )

    # --- what is left behind ---

    def leave_documents(self) -> None:
        """Write what was issued and what the bank has as files, for anybody's tools."""
        folder = self.stage.folder
        awards = self.learner.get("my/awards/")["results"]
        _expect(len(awards) == 2 * len(SERIES) + 1, f"{len(awards)} awards are there")
        for award in awards:
            document = self.learner.get(f"my/awards/{award['uuid']}/")
            _write_json(folder / "awards" / f"{award['achievement']}.json", document)
        _write_json(folder / "programmes.json", self.learner.get("my/programmes/"))
        _write_json(folder / "credit-account.json", self.learner.get("my/credit-account/"))
        _write_json(folder / "deposits.json", self.learner.get("my/deposits/"))
        (folder / "bank" / "style.css").write_text(self.bank_page("style.css").text, "utf-8")
        for language in ("th", "en"):
            page = self.bank_page(f"?lang={language}").text.replace('href="/style.css"', 'href="style.css"')
            page = re.sub(r'href="/\?lang=(\w+)"', r'href="page-\1.html"', page)
            (folder / "bank" / f"page-{language}.html").write_text(page, "utf-8")

    def leave_credentials(self) -> None:
        """Write every signed credential, the issuers' DID documents and the status lists as files."""
        folder = self.stage.folder / "credentials"
        # The worker issues within its interval; this makes sure that nothing is left for it.
        self.stage.manage("microcred_sweep")
        self.stage.manage("microcred_export_credentials", "--to", str(folder))
        signed = sorted(folder.glob("*.json"))
        records = [file for file in signed if file.name.endswith(".record.json")]
        _expect(len(signed) - len(records) == 2 * len(SERIES) + 1, f"{len(signed)} credentials are there")
        _expect(len(records) == 1, "the programme has no record of what it stands on")
        _expect(len(list(folder.glob("*.jwt"))) == len(signed), "not every one is there as JWT")
        _expect(len(list(folder.glob("issuers/*/did.json"))) == 2, "a DID document is missing")
        achievements = [
            json.loads(file.read_text("utf-8"))["credentialSubject"]["achievement"]
            for file in signed
            if file not in records
        ]
        endorsed = {one["humanCode"] for one in achievements if one.get("endorsement")}
        _expect(endorsed == {ENDORSED}, f"endorsed are {endorsed or 'none'}")
        _expect(len(list(folder.glob("status/*/*.json"))) == 2, "a status list is missing")
        tell(
            6,
            "เอกสารรับรองดิจิทัล · Credentials",
            f"{len(signed)} signed Open Badges 3.0 and CLR 2.0 documents are in {folder}, with the issuer's "
            "DID document and status lists: anybody's verifier can check them. The Level 2 of PY101 carries "
            "the signed endorsement of a partner of industry.",
        )


def _right_choice(question: Mapping[str, Any]) -> str:
    """Return the index of the right choice, as the radio buttons number them."""
    return str(next(index for index, choice in enumerate(question["choices"]) if choice.get("right")))


def _text_of(page: str) -> str:
    """Return what a person reads on a page, in one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def _check_message(body: Mapping[str, Any]) -> None:
    """See that a deposit says what the law wants and nothing that it forbids (notice B.E. 2565, 7(2))."""
    _expect(body["kind"] == "deposit", f"the bank was told {body['kind']}")
    _expect(body["credit"]["method"] == "CE", "the method of assessment is not CE")
    _expect(body["learner"]["identity"]["number"] == NATIONAL_ID, "the bank does not know whose credit it is")
    _expect(bool(body["outcomes"]), "the learning outcomes are missing")
    _expect("grade" not in json.dumps(sorted(_keys(body))), "a credit record must state no grade")


def _keys(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return set(value) | {key for one in value.values() for key in _keys(one)}
    return {key for one in value for key in _keys(one)} if isinstance(value, list) else set()


def _expect(right: bool, what: str) -> None:
    if not right:
        raise DemoFailed(what)


def _write_json(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")


def tell(step: int | str, title: str, text: str) -> None:
    """Say one thing that happened, and why."""
    lines = textwrap.wrap(f"{title}: {text}", width=WIDTH, break_on_hyphens=False)
    print(f" {step}  " + "\n    ".join(lines), flush=True)


def tell_places(stage: Stage) -> None:
    """Print the links and the accounts."""
    print(f"""
 The sandbox is open; Ctrl-C closes it.
   Pages            {stage.web}/            (one click signs in; ไทย / English)
   REST API         {stage.web}{API}my/awards/
   OpenAPI          {stage.web}{API}schema/
   Administration   {stage.web}/admin/
   Credit bank      {stage.bank}/
 Accounts, all with the password “{PASSWORD}”:""")
    for account in ACCOUNTS:
        print(f"   {account.username:<10} {account.does}")
    print(flush=True)


def serve(stage: Stage) -> None:
    """Keep the processes running until Ctrl-C.

    Raises:
        DemoFailed: one of them ended by itself.
    """
    tell_places(stage)
    while True:
        stage.check()
        time.sleep(1)


def main() -> int:
    """Return 0 if every step came out."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(os.environ.get("MICROCRED_DEMO_DIR", ROOT / "build" / "demo")).resolve()
    began = time.monotonic()
    stage = Stage(folder)
    walked = False
    try:
        with stage:
            tell("·", "Started", f"web {stage.web}, credit bank {stage.bank}, one worker; all on SQLite.")
            walk = Walk(stage)
            walk.run()
            walk.leave_documents()
            walk.leave_credentials()
            took = time.monotonic() - began
            tell(
                "✓", "เสร็จสิ้น · Done", f"Every step came out, in {took:.0f} s. The documents are in {folder}."
            )
            walked = True
            if os.environ.get("SERVE", "1") != "0":
                serve(stage)
    except DemoFailed as failure:
        print(f"\n ✗ The demo failed: {failure}", file=sys.stderr)
        for name in ("web", "worker", "bank"):
            print(f"   {name}, {stage.log(name)}:{stage.log_tail(name)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n The sandbox is closed." if walked else "\n The walk was stopped.")
    return 0 if walked else 130


if __name__ == "__main__":
    sys.exit(main())
