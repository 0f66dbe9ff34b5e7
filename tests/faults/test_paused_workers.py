"""A worker that is stopped at any line and wakes when its lease has run out writes nothing stale."""

import pytest

from mooc_microcred.achievements import api
from mooc_microcred.core import clock
from tests.faults import ledger
from tests.faults.processes import at_line, pause
from tests.faults.services import empty_database
from tests.faults.test_killed_workers import MOST_LINES, OTHER, stack
from tests.support.definitions import RUN, level1

pytestmark = pytest.mark.services


def paused_at_every_line(start, lease, prepare, meanwhile, check):
    """Pause an evaluation at each of its lines; meanwhile the truth moves and another worker evaluates."""

    def other_worker():
        with clock.shifted(lease):
            api.evaluate_due()

    for line in range(1, MOST_LINES):
        empty_database()
        prepare()
        sleeper = start(api.evaluate_due, before=lambda line=line: at_line(line, pause))
        if not sleeper.wait_until_paused():
            return line - 1
        meanwhile()
        other = start(other_worker)
        # It waits where the sleeper holds its rows: then the sleeper was in time.
        other.has_ended(within=0.3)
        sleeper.resume()
        assert sleeper.wait(), "the sleeper came to its end"
        assert other.wait()
        ledger.drain_after(3 * lease)
        try:
            with clock.shifted(3 * lease):
                ledger.assert_sound()
            check()
        except AssertionError as error:
            raise AssertionError(f"after a pause at line {line}: {error}") from error
    raise AssertionError(f"more than {MOST_LINES} lines")


def test_a_worker_that_wakes_after_its_lease_ran_out_issues_nothing_that_was_revoked_meanwhile(
    mariadb, start, lease
):
    def prepare():
        stack()
        for run in (RUN, OTHER):
            mariadb.certify(1, run)
            api.request_evaluation(learner_id=1, course_key=run, reason="certificate")

    def revoke():
        mariadb.certify(1, OTHER, status="unavailable")
        api.request_evaluation(learner_id=1, course_key=OTHER, reason="certificate")

    def check():
        assert ledger.live(1) == {"py101-l1": "active"}

    assert paused_at_every_line(start, lease, prepare, revoke, check) >= 15


def test_a_worker_that_wakes_after_its_lease_ran_out_loses_no_programme(mariadb, start, lease):
    """The second course is completed while the evaluation of the first sleeps."""

    def prepare():
        stack()
        mariadb.certify(1, RUN)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")

    def complete_second():
        mariadb.certify(1, OTHER)
        api.request_evaluation(learner_id=1, course_key=OTHER, reason="certificate")

    def check():
        assert ledger.live(1) == {"py101-l1": "active", "py102-l1": "active", "python": "active"}
        assert len(ledger.histories(1)) == 3

    assert paused_at_every_line(start, lease, prepare, complete_second, check) >= 15


def test_a_worker_that_wakes_after_its_lease_ran_out_revokes_nothing_that_came_back_meanwhile(
    mariadb, start, lease
):
    """A certificate that flaps while the worker sleeps leaves the same award valid."""

    def prepare():
        level1()
        mariadb.certify(1, RUN)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")
        ledger.drain()
        mariadb.certify(1, RUN, status="notpassing")
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")

    def come_back():
        mariadb.certify(1, RUN, status="downloadable")
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")

    def check():
        assert ledger.live(1) == {"py101-l1": "active"}
        assert len(ledger.histories(1)) == 1

    assert paused_at_every_line(start, lease, prepare, come_back, check) >= 12


def test_a_quiet_decision_of_a_worker_that_slept_takes_no_request_of_others_away(mariadb, start, lease):
    """It read that there is no certificate; one came while it slept."""

    def prepare():
        level1()
        mariadb.enrol(1, RUN)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="enrolment")

    def certify():
        mariadb.certify(1, RUN)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")

    def check():
        assert ledger.histories(1) == [("py101-l1", ("issued",))]

    assert paused_at_every_line(start, lease, prepare, certify, check) >= 8


def test_the_platform_revoking_between_read_and_write_ends_with_the_award_revoked(mariadb, start, lease):
    """At every line of the evaluation; here no lease runs out, and nobody else evaluates meanwhile."""
    for line in range(1, MOST_LINES):
        empty_database()
        level1()
        mariadb.certify(1, RUN)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")
        worker = start(api.evaluate_due, before=lambda line=line: at_line(line, pause))
        if not worker.wait_until_paused():
            break
        mariadb.certify(1, RUN, invalidated=True)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")
        worker.resume()
        assert worker.wait()
        ledger.drain()
        ledger.assert_sound()
        assert ledger.live(1) == {}, f"at line {line}"
        assert ledger.histories(1) in ([], [("py101-l1", ("issued", "revoked"))])
    assert line > 12
