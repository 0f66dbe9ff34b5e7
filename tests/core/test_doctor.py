import json
import time
from datetime import timedelta

import pytest
from celery import Celery, current_app, signals
from celery.contrib.testing.worker import start_worker
from cryptography.fernet import Fernet
from django.core.management import call_command

from mooc_microcred.core import clock, doctor
from mooc_microcred.core.doctor import Level
from mooc_microcred.core.identity import record_identity
from mooc_microcred.core.models import Heartbeat, OutboxMessage
from mooc_microcred.core.outbox import Note, append
from mooc_microcred.core.sweeper import sweep


@pytest.fixture
def configure(settings):
    def change(**changes):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, **changes}

    return change


def findings(probe) -> dict[str, doctor.Finding]:
    return {finding.code: finding for finding in probe()}


def examine_as_json(capsys, *arguments) -> tuple[dict, int]:
    code = 0
    try:
        call_command("microcred_doctor", "--json", *arguments)
    except SystemExit as end:
        code = end.code
    return json.loads(capsys.readouterr().out), code


@pytest.mark.django_db
def test_a_house_in_order_is_told_so_with_exit_code_0(capsys):
    sweep()
    document, code = examine_as_json(capsys)
    assert (document["wrong"], code) == (False, 0)
    names = [section["name"] for section in document["sections"]]
    assert names == [
        "settings",
        "private",
        "workers",
        "sweeper",
        "evaluation",
        "outbox",
        "competencies",
        "exams",
        "credentials",
        "status_lists",
        "banks",
        "figures",
    ]


@pytest.mark.django_db
def test_a_dead_letter_is_wrong_and_exit_code_1(capsys):
    append([Note("a.topic")])
    OutboxMessage.objects.update(state="dead")
    document, code = examine_as_json(capsys)
    assert (document["wrong"], code) == (True, 1)
    dead = [f for s in document["sections"] for f in s["findings"] if f["code"] == "outbox.dead"]
    assert dead[0]["figures"] == {"dead": 1}
    assert dead[0]["hint"]


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "level"), [(1, Level.FINE), (30, Level.WARNING), (180, Level.WRONG)])
def test_what_waits_too_long_is_told_with_its_age(minutes, level):
    append([Note("a.topic"), Note("a.topic")])
    with clock.shifted(timedelta(minutes=minutes)):
        queue = findings(doctor.probe_outbox)["outbox.queue"]
    assert queue.level == level
    assert queue.figures["depth"] == queue.figures["due"] == 2
    assert minutes * 60 <= queue.figures["oldest_due_seconds"] < minutes * 60 + 30


@pytest.mark.django_db
def test_what_is_not_due_yet_is_no_alarm():
    append([Note("a.topic")])
    OutboxMessage.objects.update(due=clock.now() + timedelta(days=1))
    queue = findings(doctor.probe_outbox)["outbox.queue"]
    assert (queue.level, queue.figures) == (Level.FINE, {"depth": 1, "due": 0, "oldest_due_seconds": 0})


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "level"), [(1, Level.FINE), (30, Level.WARNING), (180, Level.WRONG)])
def test_a_sweeper_that_fell_silent_is_noticed(minutes, level):
    assert findings(doctor.probe_sweeper)["sweeper.last"].level == Level.WARNING
    sweep()
    with clock.shifted(timedelta(minutes=minutes)):
        assert findings(doctor.probe_sweeper)["sweeper.last"].level == level


@pytest.mark.django_db
def test_a_failing_step_of_the_sweeper_is_named():
    Heartbeat.objects.create(
        name="sweeper",
        at=clock.now(),
        details={"steps": {"relay": {"error": "KeyError"}, "x": {"error": ""}}},
    )
    failed = findings(doctor.probe_sweeper)["sweeper.step_failed"]
    assert failed.level == Level.WRONG
    assert "relay" in failed.message
    assert "KeyError" in failed.message


@pytest.mark.django_db
def test_a_failed_system_check_is_a_finding(configure):
    configure(CASHE_TTL=5)
    wrong = findings(doctor.probe_settings)["settings.mooc_microcred.E001"]
    assert wrong.level == Level.WRONG
    assert "CACHE_TTL" in wrong.hint


@pytest.mark.django_db
def test_a_key_that_was_dropped_too_early_is_noticed(configure):
    record_identity(
        learner_id=1, kind="national_id", number="1101700230708", verified_by="thaid", actor_id=None
    )
    assert findings(doctor.probe_private_data)["private.identities"].level == Level.FINE
    configure(ENCRYPTION_KEYS=[Fernet.generate_key().decode()])
    seen = findings(doctor.probe_private_data)
    assert seen["private.encryption"].level == Level.FINE
    assert seen["private.identities"].level == Level.WRONG


@pytest.mark.django_db
def test_what_is_absent_is_wrong_and_told_once(configure):
    configure(ENCRYPTION_KEYS=[], IDENTITY_HASH_KEY="", PRIVATE_STORAGE_ROOT=None)
    told = [one for one in doctor.probe_settings() if one.code.startswith("settings.mooc_microcred")]
    assert {(one.code, one.level) for one in told} >= {
        (f"settings.mooc_microcred.E{number}", Level.WRONG) for number in ("004", "005", "006")
    }
    assert not [one for one in told if one.code.endswith(("W024", "W025", "W026"))]


@pytest.mark.django_db
def test_a_private_storage_that_cannot_be_written_is_wrong(configure, tmp_path):
    configure(PRIVATE_STORAGE_ROOT=str(tmp_path / "private"))
    assert findings(doctor.probe_private_data)["private.storage"].level == Level.FINE
    assert not list((tmp_path / "private").rglob("*.txt")), "the probe leaves nothing behind"
    (tmp_path / "file").write_text("")
    configure(PRIVATE_STORAGE_ROOT=str(tmp_path / "file"))
    assert findings(doctor.probe_private_data)["private.storage"].level == Level.WRONG


@pytest.mark.django_db
def test_studio_is_not_asked_for_what_only_the_lms_needs(configure):
    configure(PLATFORM=None, ENCRYPTION_KEYS=[], IDENTITY_HASH_KEY="", PRIVATE_STORAGE_ROOT=None)
    assert findings(doctor.probe_private_data) == {}
    assert findings(doctor.probe_settings)["settings.platform"].level == Level.NOTE


def test_a_broker_that_is_down_is_said_plainly_and_soon(settings):
    app = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    began = time.monotonic()
    seen = findings(lambda: doctor.probe_workers(app=app, seconds=1))
    assert time.monotonic() - began < 5
    assert seen["workers.broker"].level == Level.WRONG
    assert "Nothing is lost" in seen["workers.broker"].hint


def test_a_broker_that_never_answers_does_not_hold_the_doctor_up():
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        app = Celery(broker=f"redis://127.0.0.1:{silent.getsockname()[1]}/0", set_as_current=False)
        began = time.monotonic()
        seen = findings(lambda: doctor.probe_workers(app=app, seconds=0.5))
    assert time.monotonic() - began < 5
    assert seen["workers.broker"].level == Level.WRONG


@pytest.fixture
def _the_process_keeps_its_celery():
    """A worker in this process makes its app the current one and takes the log over; undo that."""
    before = current_app._get_current_object()

    def leave_the_log_alone(**_kwargs):
        """Being connected is enough: Celery sets no log up then."""

    signals.setup_logging.connect(leave_the_log_alone)
    yield
    signals.setup_logging.disconnect(leave_the_log_alone)
    before.set_current()
    before.set_default()


@pytest.mark.usefixtures("_the_process_keeps_its_celery")
@pytest.mark.parametrize(("queue", "level"), [("lms", Level.FINE), ("elsewhere", Level.WRONG)])
def test_a_worker_counts_only_where_it_consumes_the_lms_queue(configure, queue, level):
    configure(LMS_QUEUE=queue)
    app = Celery(broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.task_default_queue = "lms"
    with start_worker(app, pool="solo", perform_ping_check=False, queues="lms"):
        seen = findings(lambda: doctor.probe_workers(app=app, seconds=3))
    assert seen["workers.broker"].level == Level.FINE
    assert seen["workers.queue"].level == level
    assert seen["workers.queue"].figures["workers"] == 1


@pytest.mark.django_db
def test_a_probe_that_fails_is_a_finding_and_the_others_are_asked(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_probes", dict(doctor._probes))

    def broken():
        raise RuntimeError("of learner 7")

    doctor.register_probe("broken", title=lambda: "Broken", order=1, probe=broken)
    document, code = examine_as_json(capsys)
    assert code == 1
    first = document["sections"][0]["findings"][0]
    assert first["code"] == "broken.probe_failed"
    assert "learner 7" not in json.dumps(document)
    assert len(document["sections"]) > 5


@pytest.mark.django_db
def test_people_read_it_in_the_language_of_their_shell(monkeypatch, capsys):
    sweep()
    monkeypatch.setenv("LC_ALL", "")
    monkeypatch.setenv("LC_MESSAGES", "")
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    call_command("microcred_doctor")
    english = capsys.readouterr().out
    assert "Nothing is wrong." in english
    monkeypatch.setenv("LANG", "th_TH.UTF-8")
    call_command("microcred_doctor")
    thai = capsys.readouterr().out
    assert "✓" in thai
    call_command("microcred_doctor", "--language", "en")
    assert capsys.readouterr().out.splitlines()[0] == english.splitlines()[0]
    assert any("฀" <= letter <= "๿" for letter in thai)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=119), "119 seconds"),
        (timedelta(minutes=3), "3 minutes"),
        (timedelta(hours=5), "5 hours"),
        (timedelta(days=3), "3 days"),
        (timedelta(seconds=-5), "0 seconds"),
    ],
)
def test_ages_are_told_in_their_largest_unit(age, words):
    assert doctor.age_in_words(age) == words
