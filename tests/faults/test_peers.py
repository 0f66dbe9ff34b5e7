"""What broke the peers, provoked in us: see "Peers, measured and provoked" in the reference.

The provocations that need a bank are in ``test_killed_deliveries.py``; two workers on one learner and two
consumers on one event are in ``test_two_workers.py``.
"""

import logging

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import Award, AwardEvent, EvaluationRequest
from mooc_microcred.core import outbox
from mooc_microcred.core.models import OutboxMessage
from tests.faults import ledger
from tests.faults.processes import die
from tests.faults.test_killed_workers import OTHER, stack
from tests.support import events
from tests.support.definitions import RUN, level1, programme

pytestmark = pytest.mark.services

ACHIEVEMENTS = 100


def test_a_programme_that_is_half_met_awards_nothing(mariadb):
    """Credentials badges awarded a template with two requirements in different groups at progress 0.5."""
    stack()
    mariadb.certify(1, RUN)
    events.send_certificate_created(1, RUN)
    ledger.drain()
    assert ledger.live(1) == {"py101-l1": "active"}
    mariadb.certify(1, OTHER)
    events.send_certificate_created(1, OTHER)
    ledger.drain()
    assert ledger.live(1) == {"py101-l1": "active", "py102-l1": "active", "python": "active"}


@pytest.mark.parametrize(
    "tree",
    [
        {"all": [{"all": [{"achievement": "py101-l1"}]}, {"all": [{"achievement": "py102-l1"}]}]},
        {"at_least": {"count": 2, "of": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]}},
        {"credits": {"minimum": 6, "of": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]}},
    ],
    ids=["groups", "at least", "credits"],
)
def test_requirement_groups_that_are_half_met_award_nothing(mariadb, tree):
    level1("py101-l1")
    level1("py102-l1", course={"organization": "KMUTT", "number": "PY102"})
    programme("python", tree)
    mariadb.certify(1, RUN)
    events.send_certificate_created(1, RUN)
    ledger.drain()
    assert "python" not in ledger.live(1)
    mariadb.certify(1, OTHER)
    events.send_certificate_created(1, OTHER)
    ledger.drain()
    assert "python" in ledger.live(1)


def test_definitions_that_do_not_match_cost_no_queries(mariadb, settings):
    """Credentials badges: 503 queries for four events where 100 templates do not match."""
    level1()
    mariadb.certify(1, RUN)
    mariadb.certify(2, RUN)

    def queries_of_four_events_and_their_evaluation(learner):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            for _ in range(4):
                events.send_certificate_created(learner, RUN)
            ledger.drain()
        return len(captured)

    # With a cache as in production: the receivers' set is read by a thread of its own.
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "CACHE_TTL": 600}
    events.send_certificate_created(3, RUN)
    ledger.drain()
    few = queries_of_four_events_and_their_evaluation(1)
    for number in range(ACHIEVEMENTS):
        level1(f"other{number}", course={"organization": "KMUTT", "number": f"XX{number}"})
    api.evaluate_due()
    api.current_catalogue()
    many = queries_of_four_events_and_their_evaluation(2)
    assert many == few
    assert many < 50


def test_a_process_killed_after_the_award_is_committed_still_tells_whoever_must_know(
    mariadb, start, lease, heard
):
    """Credentials badges: killed after the fulfilment commit, the award was lost for good."""
    level1()
    mariadb.certify(1, RUN)
    api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")

    def evaluate_and_die():
        api.evaluate_due()
        die()

    assert not start(evaluate_and_die).wait(), "it was killed"
    assert ledger.live(1) == {"py101-l1": "active"}
    assert OutboxMessage.objects.get().state == "pending"
    outbox.relay()
    assert heard() == [Award.objects.get().uuid]
    ledger.drain_after(lease)
    assert AwardEvent.objects.count() == 1


@pytest.fixture
def heard(monkeypatch):
    """Subscribe to issued awards; return a function that tells which were heard of."""
    seen = []
    monkeypatch.setitem(
        outbox._subscribers["award.issued"], "test", lambda message: seen.append(message.payload["award"])
    )
    return lambda: seen


@pytest.fixture
def broken_requests(mariadb):
    """Make every INSERT of a request fail, as a table does that is being altered."""
    table = EvaluationRequest._meta.db_table

    def rename(source, target):
        with connection.cursor() as cursor:
            cursor.execute(f"RENAME TABLE `{source}` TO `{target}`")

    rename(table, "away")
    repaired = []

    def repair():
        rename("away", table)
        repaired.append(True)

    yield repair
    if not repaired:
        repair()


def test_an_event_whose_receiver_failed_costs_the_platform_nothing_and_a_walk_repairs_it(
    mariadb, broken_requests, caplog
):
    """The event bus acknowledges what receivers failed on, and the platform's INSERT was lost with ours."""
    level1()
    with caplog.at_level(logging.ERROR), transaction.atomic():
        mariadb.certify(1, RUN)
        for _, answer in events.send_certificate_created(1, RUN):
            assert not isinstance(answer, Exception), "a receiver never raises"
    assert caplog.records, "it was logged"
    assert mariadb.read_enrolments([1])[1], "the platform's own row was committed"
    with pytest.raises(DatabaseError):
        api.evaluate_due()

    broken_requests()
    ledger.drain()
    assert ledger.live(1) == {}, "the event is lost"
    assert api.start_feed_of_everything(reason="reconcile")
    while api.advance_feeds():
        pass
    ledger.drain()
    ledger.assert_sound()
    assert ledger.live(1) == {"py101-l1": "active"}


def test_the_event_sent_again_repairs_what_was_lost(mariadb, broken_requests):
    """Credentials badges: sending the event again did not repair a lost award."""
    level1()
    mariadb.certify(1, RUN)
    events.send_certificate_created(1, RUN)
    broken_requests()
    events.send_certificate_created(1, RUN)
    ledger.drain()
    ledger.assert_sound()
    assert ledger.histories(1) == [("py101-l1", ("issued",))]
    events.send_certificate_created(1, RUN)
    ledger.drain()
    assert ledger.histories(1) == [("py101-l1", ("issued",))], "and once more changes nothing"
