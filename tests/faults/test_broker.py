"""The broker: a worker killed while it consumes, a broker that is away, and one that says nothing."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import transaction

from mooc_microcred.achievements.models import Award, EvaluationRequest
from mooc_microcred.core import clock, kick
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.core.sweeper import sweep
from tests.faults import ledger
from tests.faults.services import ROOT, broker_url, environment, sending_to, wait_for
from tests.support import events
from tests.support.definitions import RUN, level1

pytestmark = pytest.mark.services

# The workers' own LEASE_SECONDS is 5: see settings.py.
AFTER_THE_LEASE = timedelta(seconds=6)


@pytest.fixture
def celery_worker(redis, mariadb, tmp_path):
    """Return a function that starts a Celery worker; none of them outlives the test."""
    started = []

    def start():
        with open(tmp_path / f"worker{len(started)}.log", "wb") as log:
            worker = subprocess.Popen(
                [
                    sys.executable,
                    *("-m", "celery", "-A", "tests.celery_app", "worker"),
                    *("-Q", "edx.lms.core.default", "--concurrency=2", "--loglevel=WARNING"),
                    *("--without-gossip", "--without-mingle", "-n", f"faults{len(started)}@%h"),
                ],
                cwd=ROOT,
                env=environment(MICROCRED_TEST_BROKER=broker_url()),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        kill_all_of(worker)


def kill_all_of(worker):
    """Kill a worker with its children at once; nothing of it can clean up."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(10)


def issue_certificates(platform, learners):
    """Do what the platform does: write the certificate and send the event in one transaction."""
    for learner in learners:
        with transaction.atomic():
            platform.certify(learner, RUN)
            for _, answer in events.send_certificate_created(learner, RUN):
                assert not isinstance(answer, Exception)


def kicking(condition):
    """Return the condition, with a kick each five seconds: one may have gone to the dead worker's socket."""
    due = [0.0]

    def ask():
        if time.monotonic() >= due[0]:
            due[0] = time.monotonic() + 5
            kick.forget()
            kick.kick("mooc_microcred.tasks.evaluate_due_requests")
        return condition()

    return ask


def test_a_celery_worker_killed_in_the_middle_of_its_work_loses_and_doubles_nothing(mariadb, celery_worker):
    """Twice; what it had claimed is taken up when its leases have run out, by whoever sweeps."""
    learners = range(1, 801)
    level1()
    with sending_to(broker_url()):
        issue_certificates(mariadb, learners)
        killed_at = []
        for _ in range(2):
            before = Award.objects.count()
            worker = celery_worker()
            wait_for(
                kicking(lambda before=before: Award.objects.count() > before), what="the worker evaluates"
            )
            kill_all_of(worker)
            killed_at.append(Award.objects.count())
        assert killed_at[0] < len(learners), "it was killed in the middle, not after its work"
        celery_worker()
        kick.forget()

        def everything_is_there():
            sweep()
            return Award.objects.count() == len(learners) and not EvaluationRequest.objects.exists()

        wait_for(everything_is_there, seconds=60, what="the sweeper and the healthy worker finish")
    with clock.shifted(AFTER_THE_LEASE):
        ledger.drain()
        ledger.assert_sound()
    assert OutboxMessage.objects.filter(topic="award.issued").count() == len(learners)


def test_an_event_reaches_a_worker_through_the_broker_without_any_sweeper(mariadb, celery_worker):
    level1()
    celery_worker()
    with sending_to(broker_url()):
        issue_certificates(mariadb, [1])
        wait_for(
            lambda: OutboxMessage.objects.filter(topic="award.issued", state="done").exists(),
            what="the worker evaluates and relays",
        )
    ledger.assert_sound()
    assert ledger.live(1) == {"py101-l1": "active"}


@contextlib.contextmanager
def nobody_listens():
    """Yield a port at which a connection is refused."""
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        port = placeholder.getsockname()[1]
    yield port


@contextlib.contextmanager
def somebody_listens_and_says_nothing():
    """Yield a port at which a connection is accepted and never answered."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(128)
        yield silent.getsockname()[1]


@pytest.mark.parametrize("broker", [nobody_listens, somebody_listens_and_says_nothing])
def test_certificates_issued_while_the_broker_is_away_are_picked_up_by_the_sweeper(mariadb, broker):
    level1()
    learners = range(1, 21)
    later_callbacks = []
    began = time.monotonic()
    with broker() as port, sending_to(broker_url(port)):
        for learner in learners:
            with transaction.atomic():
                issue_certificates(mariadb, [learner])
                # The platform's own, registered after ours, not robust.
                transaction.on_commit(lambda learner=learner: later_callbacks.append(learner))
    took = time.monotonic() - began
    assert kick.counts["failed"] == 1
    assert kick.counts["paused"] == len(learners) - 1, "one failure is enough"
    assert later_callbacks == list(learners), "the platform's own later callbacks ran"
    assert took < 20, "nobody waits for a broker"
    assert EvaluationRequest.objects.count() == len(learners)

    assert not sweep().failed
    ledger.assert_sound()
    assert Award.objects.count() == len(learners)
