"""Two workers at once: on one learner, on two courses of one stack, on one event."""

import os
import select

import pytest

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import Award, EvaluationRequest
from mooc_microcred.core import clock
from mooc_microcred.core.models import OutboxMessage
from tests.faults import ledger
from tests.faults.processes import PATIENCE, Gate
from tests.support import events
from tests.support.definitions import RUN, level1, programme

pytestmark = pytest.mark.services

OTHER = "course-v1:KMUTT+PY102+2026"


class Crew:
    """Two workers who are released together, round after round, each for one piece of work."""

    def __init__(self, start, *works):
        self._pipes = [(os.pipe(), os.pipe()) for _ in works]
        for (begin, done), work in zip(self._pipes, works, strict=True):
            start(lambda begin=begin, done=done, work=work: self._serve(begin[0], done[1], work))

    @staticmethod
    def _serve(begin, done, work):
        while os.read(begin, 1) == b"g":
            try:
                work()
            except BaseException:
                os.write(done, b"x")
                raise
            os.write(done, b".")

    def work_together(self):
        """Release the workers and wait until both have finished."""
        for begin, _ in self._pipes:
            os.write(begin[1], b"g")
        for _, done in self._pipes:
            assert select.select([done[0]], [], [], PATIENCE)[0], "a worker did not finish"
            assert os.read(done[0], 1) == b".", "a worker raised"

    def close(self):
        for begin, done in self._pipes:
            os.write(begin[1], b"s")
            for end in (*begin, *done):
                os.close(end)


@pytest.fixture
def crew(start):
    crews = []

    def engage(*works):
        crews.append(Crew(start, *works))
        return crews[-1]

    yield engage
    for one in crews:
        one.close()


def one_piece():
    """Take one due request, so that there is another one for the other worker."""
    api.evaluate_due(limit=1)


def later():
    """Return a clock in which whatever was put back for a busy learner is due."""
    return clock.shifted(ledger.BUSY)


def test_two_workers_on_one_learner_issue_one_award_each_of_100_times(mariadb, crew):
    """learning-credentials issued two of 100 of 100 times."""
    level1()
    workers = crew(one_piece, one_piece)
    for learner in range(1, 101):
        mariadb.certify(learner, RUN)
        for _ in range(2):
            api.request_evaluation(learner_id=learner, course_key=RUN, reason="certificate")
        workers.work_together()
        assert ledger.live(learner) == {"py101-l1": "active"}
    with later():
        ledger.drain()
        ledger.assert_sound()
    assert Award.objects.count() == OutboxMessage.objects.count() == 100
    assert len(api.list_awards(learner_id=1)) == 1, "and they can be read again"


def test_two_workers_who_both_hold_every_request_issue_one_award(mariadb, crew):
    """Both come in whole batches, so that each finds the other one in its way."""
    level1()
    workers = crew(api.evaluate_due, api.evaluate_due)
    for start in range(1, 401, 20):
        for learner in range(start, start + 20):
            mariadb.certify(learner, RUN)
            for _ in range(3):
                api.request_evaluation(learner_id=learner, course_key=RUN, reason="certificate")
        workers.work_together()
    with later():
        ledger.drain()
        ledger.assert_sound()
    assert Award.objects.count() == OutboxMessage.objects.count() == 400


def test_two_courses_of_one_stack_completed_at_once_by_two_workers_give_one_programme(mariadb, crew):
    """Not two, and not none because each worker saw only its own course."""
    level1("py101-l1")
    level1("py102-l1", course={"organization": "KMUTT", "number": "PY102"})
    programme("python", {"all": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]})
    workers = crew(one_piece, one_piece)
    for learner in range(1, 51):
        for run in (RUN, OTHER):
            mariadb.certify(learner, run)
            api.request_evaluation(learner_id=learner, course_key=run, reason="certificate")
        workers.work_together()
    with later():
        ledger.drain()
        ledger.assert_sound()
    for learner in range(1, 51):
        assert ledger.histories(learner) == [
            ("py101-l1", ("issued",)),
            ("py102-l1", ("issued",)),
            ("python", ("issued",)),
        ]


def test_the_second_course_completed_while_the_first_is_evaluated_gives_one_programme(mariadb, crew):
    """The certificate of the second course comes at any moment of the evaluation of the first."""
    level1("py101-l1")
    level1("py102-l1", course={"organization": "KMUTT", "number": "PY102"})
    programme("python", {"all": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]})
    learners = iter(range(1, 51))

    def complete_second_and_evaluate():
        learner = next(learners)
        mariadb.certify(learner, OTHER)
        api.request_evaluation(learner_id=learner, course_key=OTHER, reason="certificate")
        api.evaluate_due()

    workers = crew(api.evaluate_due, complete_second_and_evaluate)
    for learner in range(1, 51):
        mariadb.certify(learner, RUN)
        api.request_evaluation(learner_id=learner, course_key=RUN, reason="certificate")
        workers.work_together()
    with later():
        ledger.drain()
        ledger.assert_sound()
    for learner in range(1, 51):
        assert ledger.live(learner) == {"py101-l1": "active", "py102-l1": "active", "python": "active"}
        assert len(ledger.histories(learner)) == 3


def test_two_consumers_on_one_event_issue_one_award(mariadb, start):
    """Credentials badges: users never sent, sent twice, duplicate progress rows."""
    level1()
    for learner in range(1, 21):
        mariadb.certify(learner, RUN)
    gate = Gate()

    def consume():
        gate.pass_through()
        for learner in range(1, 21):
            results = events.send_certificate_created(learner, RUN)
            assert not [result for _, result in results if isinstance(result, Exception)]
            api.evaluate_due()

    consumers = [start(consume) for _ in range(2)]
    gate.open(2)
    for one in consumers:
        one.wait()
    gate.close()
    with later():
        ledger.drain()
        ledger.assert_sound()
    assert not EvaluationRequest.objects.exists()
    assert Award.objects.count() == OutboxMessage.objects.count() == 20


def test_two_workers_never_find_the_queue_empty_while_it_is_not(mariadb, crew):
    """A worker that lost a claim to the other one goes on to what is left, instead of going home."""
    level1()
    for learner in range(1, 201):
        mariadb.certify(learner, RUN)
        api.request_evaluation(learner_id=learner, course_key=RUN, reason="certificate")

    def until_nothing_is_due():
        while api.evaluate_due(limit=5).requests:
            pass
        assert not EvaluationRequest.objects.filter(claim="", due__lte=clock.now()).exists(), (
            "went home early"
        )

    crew(until_nothing_is_due, until_nothing_is_due).work_together()
    assert Award.objects.count() == 200
