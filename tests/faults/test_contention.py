"""Receivers, workers and feeders on MariaDB at once: no transaction of the platform is ever lost."""

import time

import pytest
from django.db import connection, transaction

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import Award, EvaluationRequest, Feed
from mooc_microcred.core import outbox
from tests.faults import ledger
from tests.support import events
from tests.support.definitions import RUN, level1

pytestmark = [pytest.mark.services, pytest.mark.slow]

SECONDS = 10
PER_CHUNK = 1000
OTHER = "course-v1:KMUTT+PY102+2026"


def receive(platform, first_learner, ends):
    """Be the platform: certificates inside transactions that go on for a while after the event.

    Returns:
        the learners whose transaction was committed, the errors that came out of one, and the longest
        time in seconds that one INSERT of a request took.
    """
    committed, errors, longest = [], [], 0.0
    learner = first_learner
    while time.monotonic() < ends:
        learner += 1
        try:
            with transaction.atomic():
                platform.certify(learner, RUN)
                began = time.monotonic()
                answers = events.send_certificate_created(learner, RUN)
                longest = max(longest, time.monotonic() - began)
                assert not [answer for _, answer in answers if isinstance(answer, Exception)]
                time.sleep(0.005 * (learner % 4))
                # A second event of the same transaction: locks are held while more are wanted.
                events.send_certificate_changed(learner, RUN)
        except Exception as error:  # noqa: BLE001 counted
            errors.append(f"{type(error).__name__}: {error}")
        else:
            committed.append(learner)
    return committed, errors, longest


def work(ends):
    """Be a worker; return the errors that its runs ended in."""
    errors = []
    while time.monotonic() < ends:
        try:
            report = api.evaluate_due()
            outbox.relay()
        except Exception as error:  # noqa: BLE001 counted
            errors.append(f"{type(error).__name__}: {error}")
        else:
            if report.failed:
                errors.append("an evaluation raised")
            if not report.requests:
                time.sleep(0.01)
    return errors


def feed(ends):
    """Be a backfill: walk a big course again and again; return how many requests were appended."""
    appended = 0
    while time.monotonic() < ends:
        if not api.advance_feeds(limit=PER_CHUNK):
            api.start_feed(reason="backfill", course_key=OTHER)
        else:
            appended += PER_CHUNK
    return appended


def count_deadlocks():
    """Return how many deadlocks the server has ever resolved, whoever's they were."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
        return int(cursor.fetchone()[1])


def test_no_transaction_of_the_platform_is_lost_while_workers_claim_and_a_feeder_appends(
    mariadb, start, lease, record_property, capsys
):
    level1()
    level1("py102-l1", course={"organization": "KMUTT", "number": "PY102"})
    with connection.cursor() as cursor, transaction.atomic():
        mariadb.enrol(1_000_000, OTHER)
        cursor.execute(
            "INSERT INTO lms_state SELECT 1000000 + seq, course_key, state"
            " FROM lms_state, seq_1_to_4000 WHERE learner_id = 1000000"
        )
    deadlocks_before = count_deadlocks()
    ends = time.monotonic() + SECONDS
    receivers = [start(lambda first=first: receive(mariadb, first, ends)) for first in (0, 100_000)]
    workers = [start(lambda: work(ends)) for _ in range(2)]
    feeder = start(lambda: feed(ends))

    results = [one.result(timeout=SECONDS + 60) for one in receivers]
    worker_errors = [error for one in workers for error in one.result()]
    appended = feeder.result()
    committed = [learner for learners, _, _ in results for learner in learners]
    longest = max(slowest for _, _, slowest in results)
    deadlocks = count_deadlocks() - deadlocks_before
    said = (
        f"{len(committed)} transactions of the platform beside {appended} fed requests;"
        f" the longest event took {longest * 1000:.1f} ms;"
        f" {deadlocks} deadlocks on the whole server,"
        f" {len(worker_errors)} errors of workers {sorted(set(worker_errors))}"
    )
    record_property("contention", said)
    with capsys.disabled():
        print(f"\n{said}")

    assert [error for _, errors, _ in results for error in errors] == [], "nothing reached the platform"
    assert len(committed) > 50
    assert appended >= PER_CHUNK
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM lms_state WHERE learner_id < 1000000")
        assert cursor.fetchone()[0] == len(committed), "each certificate is there"
    # What nobody has evaluated yet is evaluated now; the backfill's rest does not matter.
    EvaluationRequest.objects.filter(reason="backfill").delete()
    Feed.objects.all().delete()
    ledger.drain_after(lease)
    awarded = set(Award.objects.filter(live=True).values_list("learner_id", flat=True))
    assert awarded == set(committed), "and each has led to its award"
    ledger.assert_sound()
