"""Real processes, a real server and a real kill -9, on MariaDB."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, connections

from mooc_microcred.core import clock
from mooc_microcred.core.errors import MicrocredError
from mooc_microcred.creditbank import api
from mooc_microcred.creditbank.models import CreditRecord, Delivery
from sandbox.bank import Store, pick_up
from tests.creditbank.conftest import (
    CONSENT,
    LEARNER,
    consent,
    https_settings,
    ready_award,
    received,
    record_of,
    told,
)
from tests.support import factories

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        os.environ.get("MICROCRED_TEST_DB") != "mariadb", reason="several processes need MariaDB"
    ),
]

WORKER = """
import json, os, signal, sys
import django
from django.conf import settings
django.setup()
asked = json.loads(sys.argv[1])
from tests.support.memory_platform import the_platform
for learner in asked["learners"]:
    the_platform.add_learner(learner, name="Somchai")
settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, **asked["settings"]}
from mooc_microcred.core.conf import microcred_settings
microcred_settings.reload()
if asked["die_on"]:
    from django.core.files.storage import FileSystemStorage
    save = FileSystemStorage._save
    def die(self, name, content):
        if name.endswith(asked["die_on"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return save(self, name, content)
    FileSystemStorage._save = die
from mooc_microcred.creditbank.api import deliver_due
print("ready", flush=True)
for _ in range(asked["rounds"]):
    deliver_due(limit=5)
"""


def worker(settings, *, learners=(LEARNER,), rounds=1, die_on=""):
    """Start a delivery worker in a process of its own, on the test's database."""
    asked = {"settings": settings, "learners": list(learners), "rounds": rounds, "die_on": die_on}
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "MICROCRED_TEST_DB_NAME": connection.settings_dict["NAME"],
    }
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, json.dumps(asked)], env=env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().strip() == "ready"
    return process


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def patient(bank):
    """Return the settings of a bank to which a worker listens for a long time."""
    settings = https_settings(bank)
    settings["options"] = {**settings["options"], "timeout": 30}
    return {"BANKS": {"central": settings}}


@pytest.mark.parametrize("mode", ["timeout", "timeout_after_storing"])
def test_a_worker_killed_while_it_waits_for_the_answer_loses_and_doubles_nothing(central, mode):
    award = ready_award()
    central.misbehave(mode, seconds=30)
    process = worker(patient(central))
    wait_for(lambda: central.requests)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert told(award) == [(1, "deposit", "sent")]
    assert api.deliver_due(limit=10).total == 0
    with clock.shifted(timedelta(minutes=10)):
        assert api.deliver_due(limit=10).acknowledged == 1
    assert len(received(central)) == 1
    assert len({digest for _, _, digest in central.requests}) == 1
    assert record_of(award).state == "deposited"


def test_a_worker_killed_between_csv_and_manifest_writes_the_same_file_again(configure, platform, tmp_path):
    settings = {
        "PRIVATE_STORAGE_ROOT": str(tmp_path / "private"),
        "BANKS": {
            "central": {
                "backend": "mooc_microcred.creditbank.backends.file_drop.FileDropBackend",
                "name": {"en": "Central bank"},
                "consent_text": CONSENT,
            }
        },
    }
    configure(**settings)
    platform.add_learner(LEARNER, name="Somchai")
    awards = [ready_award(), factories.make_award(LEARNER)]
    factories.relay_all()
    process = worker(settings, die_on=".manifest.json")
    assert process.wait() == -signal.SIGKILL
    folder = tmp_path / "private" / "central"
    [before] = folder.glob("*.csv")
    content = before.read_bytes()
    assert not list(folder.glob("*.manifest.json"))
    store = Store(tmp_path / "bank")
    assert pick_up(store, folder) == 0
    with clock.shifted(timedelta(minutes=10)):
        assert api.deliver_due(limit=10).handed_over == 2
    [after] = folder.glob("*.csv")
    assert (after.name, after.read_bytes()) == (before.name, content)
    assert pick_up(store, folder) == 2
    assert api.collect_receipts() == 2
    assert {record_of(award).state for award in awards} == {"deposited"}


def test_two_workers_side_by_side_send_everything_once(central, platform):
    learners = range(100, 140)
    for learner in learners:
        consent(learner)
        _identify_by_passport(learner)
        factories.make_award(learner)
    factories.relay_all()
    workers = [worker(patient(central), learners=learners, rounds=12) for _ in range(2)]
    assert [one.wait(120) for one in workers] == [0, 0]
    assert Delivery.objects.filter(state="acknowledged").count() == len(learners)
    assert len(central.requests) == len(learners)
    assert len(received(central)) == len(learners)


def _identify_by_passport(learner):
    from mooc_microcred.core.identity import record_identity

    record_identity(
        learner_id=learner, kind="passport", number=f"AB{learner:07d}", verified_by="x", actor_id=None
    )


def test_withdrawing_while_workers_deliver_leaves_bank_and_records_of_one_mind(central, platform):
    """Each learner withdraws at a random moment: either the bank has it and gave a receipt, or never will."""
    version = factories.make_version()
    learners = range(200, 230)
    for learner in learners:
        platform.add_learner(learner, name="Somchai")
        consent(learner)
        _identify_by_passport(learner)
        factories.make_award(learner, version)
    factories.relay_all()
    failures = []

    def in_thread(work):
        def run():
            try:
                work()
            except Exception as error:  # noqa: BLE001 told below
                failures.append(error)
            finally:
                connections.close_all()

        return threading.Thread(target=run)

    def deliver():
        while Delivery.objects.filter(state="pending", due__lte=clock.now()).exists():
            api.deliver_due(limit=3)

    def withdraw():
        for learner in learners:
            try:
                api.withdraw_consent(learner_id=learner, bank="central")
            except MicrocredError as error:
                failures.append(error)
            factories.relay_all()

    threads = [in_thread(deliver), in_thread(deliver), in_thread(withdraw)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    factories.relay_all()
    assert failures == []
    at_bank = {body["record"] for body in received(central)}
    states = dict(CreditRecord.objects.values_list("uuid", "state"))
    assert {uuid for uuid, state in states.items() if state == "deposited"} == at_bank
    assert set(states.values()) <= {"deposited", "waiting_consent"}
    assert not Delivery.objects.filter(state__in=["pending", "sent", "dead"]).exists()
