"""``make demo``, run as a newcomer runs it: as a process of its own."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import openpyxl
import pytest
import requests

from mooc_microcred.credentials.proofs import check_proof

ROOT = Path(__file__).parents[2]
NATIONAL_ID = "1234567890121"


def demo(folder, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO")}
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox.demo"],
        cwd=ROOT,
        env={**kept, "MICROCRED_DEMO_DIR": str(folder), "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read(path):
    return json.loads(path.read_text("utf-8"))


@pytest.mark.slow
def test_the_walk_comes_out_and_leaves_its_documents(tmp_path):
    folder = tmp_path / "demo"
    process = demo(folder, SERVE="0")
    told, _ = process.communicate(timeout=240)
    assert process.returncode == 0, told
    steps = re.findall(r"^ (\S)  ", told, re.M)
    assert sorted(set(steps)) == ["1", "2", "3", "4", "5", "6", "·", "✓"]
    assert 10 <= len(steps) <= 18

    awards = {path.stem: read(path) for path in (folder / "awards").glob("*.json")}
    assert len(awards) == 7
    assert {award["state"] for award in awards.values()} == {"active"}
    assert {award["kind"] for award in awards.values()} == {"level1", "level2", "programme"}

    messages = [read(path) for path in sorted((folder / "bank/messages").glob("*.json"))]
    assert [message["body"]["kind"] for message in messages] == ["deposit"] * 3
    assert {message["body"]["learner"]["identity"]["number"] for message in messages} == {NATIONAL_ID}
    for message in messages:
        assert message["receipt"] in (folder / "bank/page-th.html").read_text("utf-8")
    deposits = read(folder / "deposits.json")["results"]
    assert {one["state"] for one in deposits} == {"deposited"}

    sheet = openpyxl.load_workbook(folder / "exams/py101-results.xlsx").active
    assert sheet.max_row == 2
    thai_digits = (folder / "exams/py102-results.csv").read_text("utf-8-sig")
    assert "๒๕๖" in list(csv.reader(thai_digits.splitlines()))[1][4]
    assert "เลขประจำตัวสอบ" in (folder / "exams/py103-results-windows874.csv").read_text("cp874")
    assert read(folder / "exams/py101-wrong.csv.batch.json")["rows_imported"] == 0

    credentials = folder / "credentials"
    level_2 = next(
        one
        for one in map(read, credentials.glob("*.json"))
        if one.get("credentialSubject", {}).get("achievement", {}).get("humanCode") == "kmutt-py101-l2"
    )
    (endorsement,) = level_2["credentialSubject"]["achievement"]["endorsement"]
    assert read(credentials / "endorsements" / f"{endorsement['id'].rsplit('/', 1)[-1]}.json") == endorsement
    published = {}
    for file in credentials.glob("issuers/*/did.json"):
        published |= {method["id"]: method for method in read(file)["verificationMethod"]}
    for signed in (level_2, endorsement):
        key = published[signed["proof"]["verificationMethod"]]["publicKeyMultibase"]
        assert signed["proof"]["verificationMethod"].startswith(signed["issuer"]["id"])
        assert check_proof(signed, key)

    # The number stands in the bank's messages, encrypted in the database, and nowhere else.
    elsewhere = [
        path
        for path in folder.rglob("*")
        if path.is_file() and "bank/messages" not in str(path) and NATIONAL_ID.encode() in path.read_bytes()
    ]
    assert elsewhere == []


@pytest.mark.slow
def test_it_serves_until_ctrl_c_and_leaves_no_process_behind(tmp_path):
    process = demo(tmp_path / "demo", SERVE="1")
    watchdog = threading.Timer(240, process.kill)
    watchdog.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("   verifier "):
                break
        told = "".join(lines)
        links = re.findall(r"http://127\.0\.0\.1:\d+/\S*", told)
        assert len(links) == 5, told
        for account in ("learner", "author", "officer", "signatory", "credit", "verifier"):
            assert f"   {account} " in told
        pages, bank = links[0], links[-1]
        assert "คลังหน่วยกิต" in requests.get(pages, headers={"Accept-Language": "th"}, timeout=10).text
        assert "SCB-" in requests.get(bank, timeout=10).text
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    finally:
        watchdog.cancel()
        process.kill()
    assert process.returncode == 0, told
    for link in (pages, bank):
        with pytest.raises(requests.ConnectionError):
            requests.get(link, timeout=5)


def test_it_does_not_empty_a_folder_of_somebody_else(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    process = demo(tmp_path, SERVE="0")
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "not from an earlier demo" in told
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.slow
def test_a_step_that_does_not_come_out_ends_it_with_a_reason(tmp_path):
    """The worker is killed as soon as it runs: the Level 1 cannot come."""
    folder = tmp_path / "demo"
    process = demo(folder, SERVE="0")
    worker = None
    while worker is None and process.poll() is None:
        time.sleep(0.05)
        worker = worker_of(folder)
    os.kill(worker, signal.SIGKILL)
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the worker ended by itself" in told


def worker_of(folder):
    """Return the id of the demo's worker process, or None."""
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            ours = f"MICROCRED_SANDBOX_DIR={folder}/run\0".encode() in environ.read_bytes()
            if ours and b"microcred_sweep" in (environ.parent / "cmdline").read_bytes():
                return int(environ.parent.name)
        except OSError:
            continue
    return None
