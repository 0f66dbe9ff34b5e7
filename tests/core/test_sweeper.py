import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mooc_microcred.core import sweeper
from mooc_microcred.core.models import Heartbeat, OutboxMessage
from mooc_microcred.core.outbox import Note, append
from mooc_microcred.core.sweeper import Step, register_step, sweep

ROOT = Path(__file__).parents[2]


@pytest.fixture
def steps(monkeypatch):
    """Forget the real steps for the length of the test."""
    monkeypatch.setattr(sweeper, "_steps", {})


def queue_of(*items):
    """Return a step's run function that takes one of ``items`` per call, and the list of what it took."""
    waiting, taken = list(items), []

    def run():
        if not waiting:
            return 0
        taken.append(waiting.pop(0))
        return 1

    return run, taken


@pytest.mark.django_db
def test_every_step_runs_until_nothing_is_due(steps):
    first, taken_first = queue_of(*range(5))
    second, taken_second = queue_of("a", "b")
    register_step(Step("second", run=second, order=20))
    register_step(Step("first", run=first, order=10))
    report = sweep()
    assert taken_first == [0, 1, 2, 3, 4]
    assert taken_second == ["a", "b"]
    assert list(report.steps) == ["first", "second"]
    assert (report.steps["first"].taken, report.failed, report.stopped) == (5, False, False)


@pytest.mark.django_db
def test_what_a_later_step_sets_in_motion_an_earlier_one_finishes_in_the_same_sweep(steps):
    waiting = {"early": 0, "late": 1}

    def early():
        taken, waiting["early"] = waiting["early"], 0
        return taken

    def late():
        taken, waiting["late"] = waiting["late"], 0
        waiting["early"] += taken
        return taken

    register_step(Step("early", run=early, order=1))
    register_step(Step("late", run=late, order=2))
    assert sweep().steps["early"].taken == 1
    assert waiting == {"early": 0, "late": 0}


@pytest.mark.django_db
def test_a_step_that_fails_stops_no_other_and_is_told(steps, caplog):
    def broken():
        raise ConnectionError("of learner 7")

    fine, taken = queue_of(1, 2)
    register_step(Step("broken", run=broken, order=1))
    register_step(Step("fine", run=fine, order=2))
    report = sweep()
    assert report.failed
    assert report.steps["broken"].error == "ConnectionError"
    assert taken == [1, 2]
    assert Heartbeat.objects.get(name="sweeper").details["steps"]["broken"]["error"] == "ConnectionError"
    with pytest.raises(CommandError, match="step failed"):
        call_command("microcred_sweep")


@pytest.mark.django_db
def test_a_step_with_a_long_queue_lets_the_others_have_their_turn(steps):
    order = []

    def long():
        order.append("long")
        return int(order.count("long") < 4)

    def short():
        order.append("short")
        return 0

    register_step(Step("long", run=long, order=1))
    register_step(Step("short", run=short, order=2))
    sweep(turn_seconds=0)
    assert order[:4] == ["long", "short", "long", "short"]
    assert order.count("long") == 4


@pytest.mark.django_db
def test_a_step_that_need_run_only_once_runs_once(steps):
    calls = []
    register_step(Step("tidy", run=lambda: calls.append(1) or 9, order=1, once=True))
    assert sweep().steps["tidy"].taken == 9
    assert len(calls) == 1


@pytest.mark.django_db
def test_it_stops_between_two_chunks_and_says_that_it_did(steps):
    run, taken = queue_of(*range(10))
    never, taken_never = queue_of(1)
    register_step(Step("first", run=run, order=1))
    register_step(Step("second", run=never, order=2))
    report = sweep(should_stop=lambda: len(taken) >= 3)
    assert taken == [0, 1, 2]
    assert taken_never == []
    assert report.stopped
    assert Heartbeat.objects.get(name="sweeper").details["finished"] is False
    assert sweep().steps["first"].taken == 7, "the next sweep goes on"


@pytest.mark.django_db
def test_only_the_named_steps_run(steps, capsys):
    run, taken = queue_of(1)
    other, taken_other = queue_of(1)
    register_step(Step("wanted", run=run, order=1))
    register_step(Step("other", run=other, order=2))
    call_command("microcred_sweep", "--only", "wanted")
    assert (taken, taken_other) == ([1], [])
    assert "wanted: 1" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no step typo.*other|no step typo.*wanted"):
        call_command("microcred_sweep", "--only", "typo")


@pytest.mark.django_db
def test_a_person_sees_a_bar_per_step(steps, capsys, monkeypatch):
    run, _ = queue_of(*range(4))
    register_step(Step("counted", run=run, order=1, waiting=lambda: 3))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    call_command("microcred_sweep")
    shown = capsys.readouterr().err
    assert "counted" in shown
    assert "4/4" in shown, "what came in meanwhile makes the bar longer"


@pytest.mark.django_db
def test_the_real_steps_are_registered_and_find_nothing_in_an_empty_database(platform):
    report = sweep()
    assert {"relay", "forget-identities", "purge-outbox"} <= set(report.steps)
    assert not report.failed
    assert all(step.taken == 0 for step in report.steps.values())


@pytest.mark.django_db
def test_the_sweeper_relays_what_the_broker_lost():
    append([Note("nobody.listens"), Note("nobody.listens")])
    assert sweep(only={"relay"}).steps["relay"].taken == 2
    assert not OutboxMessage.objects.exclude(state="done").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_looping_sweeper_ends_cleanly_on_a_signal(tmp_path, number):
    script = tmp_path / "loop.py"
    script.write_text(
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from django.db import connection\n"
        "from mooc_microcred.core import sweeper\n"
        "from mooc_microcred.core.models import Heartbeat\n"
        "with connection.schema_editor() as editor:\n"
        "    editor.create_model(Heartbeat)\n"
        "sweeper._steps.clear()\n"
        "sweeper.register_step(sweeper.Step('beat', order=1, run=lambda: print('beat', flush=True) or 0))\n"
        "call_command('microcred_sweep', '--loop', '--interval', '0.1')\n"
        "print('ended', Heartbeat.objects.get().details['finished'], flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, script],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "MICROCRED_TEST_DB": "sqlite",
            "MICROCRED_TEST_SQLITE": str(tmp_path / "loop.sqlite3"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline().strip() == "beat"
    assert process.stdout.readline().strip() == "beat"
    time.sleep(0.05)
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert out.strip().splitlines()[-1].startswith("ended"), "it went on after the command"
