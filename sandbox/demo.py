"""``make demo``: a learner walks from a course to the credit bank, as people would do it.

Three real processes are started on loopback: the sandbox's web server, a worker and a small credit bank.
The walk calls no function of the suite: it opens pages, fills in forms and calls the REST API, and the
platform's signals do the rest. It checks every step and ends with 1 where one did not come out. With
SERVE=0 it stops after the walk, else it serves the sandbox until Ctrl-C.

What was received and issued is left as files below ``build/demo/``.
"""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import requests
import yaml

from sandbox.people import ACCOUNTS, ORGANIZATION, PASSWORD
from sandbox.stage import ROOT, DemoFailed, Stage, wait_for
from sandbox.visitor import API, Visitor

PROGRAMME = "kmutt-python"
# Made up: 13 digits with a right check digit, as a pattern that is given to nobody.
NATIONAL_ID = "1234567890121"
# When the exams took place: some days before the demo, written as Thai offices write dates.
SAT_ON = date.today() - timedelta(days=3)
THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")


@dataclass(frozen=True)
class Course:
    """A course of the series with its exam, and how the centre sends the results."""

    number: str
    file_name: str
    score: int
    maximum: int
    why_level1: str
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
        "the award mirrors the certificate that the platform issued on passing",
        "78 of 100 points, 60 percent are needed",
    ),
    Course(
        "PY102",
        "py102-results.csv",
        60,
        80,
        "80 percent of the units and a pass; only then was the platform asked for its certificate",
        "exam 75 percent and course work 100 make 81.25 of the 50 that are needed, each above its minimum of 40",
    ),
    Course(
        "PY103",
        "py103-results-windows874.csv",
        85,
        100,
        "80 percent of the units and a grade of 60; this one needs no certificate of the platform",
        "85 percent in the exam, with completion and grade above their minimums",
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
        for course in SERIES:
            self.learn(course)
            self.earn_level_1(course)
        self.refuse_wrong_results(SERIES[0])
        for course in SERIES:
            self.sit_exam(course)
            self.earn_level_2(course)
        self.earn_programme()
        self.wait_without_consent()
        self.consent_and_identify()
        self.deposit()

    # --- 1 and 2: learn, Level 1 ---

    def learn(self, course: Course) -> None:
        """Enrol, read every unit, pass the self-test: pages only."""
        page = f"/courses/{course.key}/"
        self.learner.submit(page, f"{page}enrol/")
        content = self.content[course.key]
        for position in range(1, len(content["units"]) + 1):
            self.learner.submit(f"{page}units/{position}/")
        answers = {
            f"question{position}": _right_choice(question)
            for position, question in enumerate(content["questions"], start=1)
        }
        result = self.learner.submit(f"{page}self-test/", **answers)
        _expect("passed" in result, f"the self-test of {course.number} was not passed")
        if course is SERIES[0]:
            tell(
                1,
                "Learn · เรียน",
                f"สมหญิง ใจดี enrols in {course.number} “{content['title']['th']}”, reads {len(content['units'])} units "
                f"and passes the self-test; the platform sends its signals, and nobody presses a button.",
            )

    def earn_level_1(self, course: Course) -> None:
        """Wait for the Level 1 that the platform's signals have set in motion."""
        began = time.monotonic()
        award = self.award(course.code("l1"))
        took = time.monotonic() - began
        tell(2, "Level 1 · ระดับ 1", f"“{award['name']['th']}” {took:.1f} s later: {course.why_level1}.")

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

    def sit_exam(self, course: Course) -> None:
        """Bring the results in: one officer uploads and releases, another person signs."""

    def earn_level_2(self, course: Course) -> None:
        """Wait for the Level 2 that the release has set in motion."""
        award = self.award(course.code("l2"))
        tell(4, "Level 2 · ระดับ 2", f"“{award['name']['th']}”: {course.why_level2}.")

    # --- 5: programme and credit bank ---

    def earn_programme(self) -> None:
        """Wait for the programme's award, which needs nobody."""
        award = self.award(PROGRAMME)
        (programme,) = self.learner.get("my/programmes/")["results"]
        _expect(programme["next_step"]["action"] == "done", "the programme says that something is left to do")
        tell(5, "Programme · ชุดวิชา", f"“{award['name']['th']}”: all three Level 2 are held.")

    def wait_without_consent(self) -> None:
        """See that nothing leaves without the learner's consent."""
        deposits = wait_for("three credit records", self.three_deposits)
        states = {one["state"] for one in deposits}
        _expect(states == {"waiting_consent"}, f"without consent the records should wait, but are {states}")
        _expect(not self.in_bank(), "the bank received something without the learner's consent")
        tell(5, "Consent · ความยินยอม", f"{len(deposits)} credit records wait: “{deposits[0]['status']}”")

    def three_deposits(self) -> list[dict[str, Any]] | None:
        self.stage.check()
        deposits = self.learner.get("my/deposits/")["results"]
        return deposits if len(deposits) == len(SERIES) else None

    def consent_and_identify(self) -> None:
        """The learner consents on a page; the verifier records a document, at first mistyped."""
        self.learner.submit("/my/credits/", bank="sandbox-bank", action="give")
        waits = wait_for("the records to wait for an identity", lambda: self.deposits_in("waiting_identity"))
        _expect(not self.in_bank(), "the bank received a record of a learner who is not identified")
        seen = {"username": "learner", "kind": "national_id"}
        self.verifier.post("staff/identities/", {**seen, "number": NATIONAL_ID[:-1] + "9"}, expect=400)
        self.verifier.post("staff/identities/", {**seen, "number": NATIONAL_ID}, expect=201)
        tell(
            5,
            "Identity · ยืนยันตัวตน",
            f"consent given; “{waits[0]['status']}” A mistyped ID is refused by its check digit, the right one recorded.",
        )

    def deposits_in(self, state: str) -> list[dict[str, Any]] | None:
        deposits = self.three_deposits()
        return deposits if deposits and {one["state"] for one in deposits} == {state} else None

    def in_bank(self) -> list[dict[str, Any]]:
        """Return the messages that the bank has."""
        answer = requests.get(f"{self.stage.bank}/messages.json", timeout=10, proxies={"http": ""})
        return answer.json()["messages"]

    def deposit(self) -> None:
        """Wait for the receipts, and compare what the bank has with what the learner holds."""
        deposits = wait_for("the bank's receipts", lambda: self.deposits_in("deposited"))
        messages = self.in_bank()
        _expect(len(messages) == len(SERIES), f"the bank has {len(messages)} messages, not {len(SERIES)}")
        receipts = {one["deliveries"][-1]["receipt"] for one in deposits}
        _expect(receipts == {one["receipt"] for one in messages}, "the receipts are not the bank's")
        for message in messages:
            _check_message(message["body"])
        page = requests.get(f"{self.stage.bank}/?lang=th", timeout=10, proxies={"http": ""}).text
        _expect(all(receipt in page for receipt in receipts), "the bank's page does not show the receipts")
        records = self.credit_officer.get("staff/credit-records/")["results"]
        _expect({one["state"] for one in records} == {"deposited"}, "the credit officer sees something else")
        tell(
            5,
            "Credit bank · คลังหน่วยกิต",
            f"{len(messages)} credits deposited by signed HTTP, method of assessment CE, no grade; "
            f"receipts {', '.join(sorted(receipts))}.",
        )

    # --- what is left behind ---

    def leave_documents(self) -> None:
        """Write what was issued and what the bank has as files, for anybody's tools."""
        folder = self.stage.folder
        for award in self.learner.get("my/awards/")["results"]:
            document = self.learner.get(f"my/awards/{award['uuid']}/")
            _write_json(folder / "awards" / f"{award['achievement']}.json", document)
        _write_json(folder / "programmes.json", self.learner.get("my/programmes/"))
        _write_json(folder / "credit-account.json", self.learner.get("my/credit-account/"))
        _write_json(folder / "deposits.json", self.learner.get("my/deposits/"))
        for language in ("th", "en"):
            page = requests.get(f"{self.stage.bank}/?lang={language}", timeout=10, proxies={"http": ""})
            (folder / "bank" / f"page-{language}.html").write_text(page.text, "utf-8")


def _right_choice(question: Mapping[str, Any]) -> str:
    """Return the index of the right choice, as the radio buttons number them."""
    return str(next(index for index, choice in enumerate(question["choices"]) if choice.get("right")))


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
    print(f" {step}  {title:<24} {text}", flush=True)


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
    try:
        with stage:
            tell("·", "mooc-microcred", f"web {stage.web} · bank {stage.bank} · one worker, on SQLite")
            walk = Walk(stage)
            walk.run()
            walk.leave_documents()
            tell("✓", "Done · เสร็จสิ้น", f"{time.monotonic() - began:.0f} s; documents in {folder}")
            if os.environ.get("SERVE", "1") != "0":
                serve(stage)
    except DemoFailed as failure:
        print(f"\n ✗ The demo failed: {failure}", file=sys.stderr)
        for name in ("web", "worker", "bank"):
            print(f"   {name}, {stage.log(name)}:{stage.log_tail(name)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n The sandbox is closed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
