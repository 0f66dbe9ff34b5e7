import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from mooc_microcred.core import clock
from mooc_microcred.core.lease import (
    LeaseBusy,
    LeaseLost,
    confirm_leases,
    release_leases,
    take_leases,
    writing,
)
from mooc_microcred.core.models import Heartbeat, LearnerLease
from tests.core import contention

ROOT = Path(__file__).parents[2]
AFTER_THE_LEASE = timedelta(seconds=121)


@pytest.mark.django_db
def test_of_two_workers_only_the_first_has_the_learner():
    first, ours = take_leases([1, 2])
    assert ours == {1, 2}
    second, theirs = take_leases([2, 3])
    assert theirs == {3}
    assert first != second


@pytest.mark.django_db
def test_a_released_learner_can_be_taken_and_a_late_release_takes_nothing_away():
    first, _ = take_leases([1])
    release_leases(first, [1])
    second, ours = take_leases([1])
    assert ours == {1}
    release_leases(first, [1])
    assert confirm_leases(second, [1]) == {1}


@pytest.mark.django_db
def test_a_worker_that_wakes_after_its_lease_ran_out_may_not_write():
    sleeper, _ = take_leases([1, 2])
    with clock.shifted(AFTER_THE_LEASE):
        _, theirs = take_leases([2])
        assert theirs == {2}
        with transaction.atomic():
            assert confirm_leases(sleeper, [1, 2]) == {1}


@pytest.mark.django_db
def test_a_lease_that_ran_out_but_that_nobody_took_still_holds():
    token, _ = take_leases([1])
    with clock.shifted(AFTER_THE_LEASE):
        assert confirm_leases(token, [1]) == {1}
        assert take_leases([1])[1] == set(), "confirming made it longer"


@pytest.mark.django_db
def test_writing_gives_the_lease_back_also_after_an_error():
    with pytest.raises(RuntimeError), writing(1):
        raise RuntimeError
    with writing(1):
        pass


@pytest.mark.django_db
def test_writing_refuses_while_somebody_else_works_on_the_learner():
    take_leases([1])
    with pytest.raises(LeaseBusy), writing(1):
        pytest.fail("two writers")


@pytest.mark.django_db
def test_writing_refuses_when_the_lease_is_lost_before_the_transaction_began(monkeypatch):
    from mooc_microcred.core import lease

    def paused(token, learner_ids):
        with clock.shifted(AFTER_THE_LEASE):
            take_leases(learner_ids)
        return confirm_leases(token, learner_ids)

    monkeypatch.setattr(lease, "confirm_leases", paused)
    with pytest.raises(LeaseLost), writing(1):
        pytest.fail("a stale decision was written")


@pytest.mark.django_db
@pytest.mark.parametrize("learners", [1, 200])
def test_taking_and_confirming_cost_the_same_for_one_learner_and_for_many(
    learners, django_assert_num_queries
):
    ids = range(learners)
    with django_assert_num_queries(3):
        token, _ = take_leases(ids)
    with django_assert_num_queries(1):
        confirm_leases(token, ids)
    release_leases(token, ids)
    with django_assert_num_queries(3):
        take_leases(ids)


@pytest.mark.django_db
def test_a_thousand_learners_are_taken_at_once():
    token, ours = take_leases(range(1000))
    assert len(ours) == LearnerLease.objects.filter(token=token).count() == 1000


@pytest.mark.django_db(transaction=True)
def test_threads_that_contend_for_a_learner_lose_no_write():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's threads share the memory database's locks; processes contend below")
    contention.prepare()
    outcomes = []

    def run():
        try:
            outcomes.append(contention.contend(15))
        except Exception as error:  # noqa: BLE001 told by the assertion
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert all(isinstance(one, int) for one in outcomes), outcomes
    assert Heartbeat.objects.get(name=contention.COUNTER).details == {"n": 60}
    assert LearnerLease.objects.filter(learner_id=contention.LEARNER).count() == 1


def test_processes_that_contend_for_a_learner_on_sqlite_lose_no_write(tmp_path):
    """The two processes of a sandbox (server and sweeper) share one file."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "MICROCRED_TEST_DB": "sqlite",
        "MICROCRED_TEST_SQLITE": str(tmp_path / "contended.sqlite3"),
    }

    def python(*arguments):
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    tables = (
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "from mooc_microcred.core.models import Heartbeat, LearnerLease\n"
        "from tests.core import contention\n"
        "with connection.schema_editor() as editor:\n"
        "    [editor.create_model(model) for model in (Heartbeat, LearnerLease)]\n"
        "contention.prepare()\n"
    )
    setup = python("-c", tables)
    assert setup.wait(60) == 0, setup.stderr.read()
    work = "import django; django.setup()\nfrom tests.core import contention\ncontention.contend(20)\n"
    workers = [python("-c", work) for _ in range(2)]
    for worker in workers:
        _, errors = worker.communicate(timeout=90)
        assert worker.returncode == 0, errors
    reader = python(
        "-c",
        "import django; django.setup()\n"
        "from mooc_microcred.core.models import Heartbeat\n"
        "print(Heartbeat.objects.get().details['n'])\n",
    )
    out, errors = reader.communicate(timeout=60)
    assert out.strip() == "40", errors
