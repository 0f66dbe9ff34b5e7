"""kill -9 at every line of an evaluation: nothing is lost, nothing is doubled."""

from datetime import timedelta

import pytest

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import CertificateAsk, EvaluationRequest, Feed
from mooc_microcred.core import clock, outbox, retirement
from mooc_microcred.core.models import AuditEntry, RetiredLearner, StaffRole
from mooc_microcred.core.roles import Actor
from mooc_microcred.exams import api as exams
from tests.faults import ledger
from tests.faults.processes import at_line, die, pause
from tests.faults.services import empty_database
from tests.support.definitions import RUN, level1, level2, programme

pytestmark = pytest.mark.services

OTHER = "course-v1:KMUTT+PY102+2026"
MOST_LINES = 200


def stack():
    """Put two courses and the programme that stacks them in force."""
    level1("py101-l1")
    level1("py102-l1", course={"organization": "KMUTT", "number": "PY102"})
    programme("python", {"all": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]})


def killed_at_every_line(start, prepare, work, check):
    """Kill ``work`` at its first line, then at its second, and so on, until it comes to its end alive."""
    for line in range(1, MOST_LINES):
        empty_database()
        prepare()
        survived = start(work, before=lambda line=line: at_line(line, die)).wait()
        try:
            check()
        except AssertionError as error:
            raise AssertionError(f"after a kill at line {line}: {error}") from error
        if survived:
            return line - 1
    raise AssertionError(f"more than {MOST_LINES} lines")


def test_a_worker_killed_at_any_line_of_an_evaluation_that_issues_loses_and_doubles_nothing(
    mariadb, start, lease
):
    def prepare():
        stack()
        for learner in (1, 2, 3):
            mariadb.certify(learner, RUN)
            mariadb.certify(learner, OTHER)
            for run in (RUN, OTHER, RUN):
                api.request_evaluation(learner_id=learner, course_key=run, reason="certificate")

    def check():
        ledger.drain_after(lease)
        with clock.shifted(lease):
            ledger.assert_sound()
        for learner in (1, 2, 3):
            assert ledger.live(learner) == {"py101-l1": "active", "py102-l1": "active", "python": "active"}
            assert len(ledger.histories(learner)) == 3

    assert killed_at_every_line(start, prepare, api.evaluate_due, check) >= 15


def test_a_worker_killed_at_any_line_of_an_evaluation_that_revokes_loses_and_doubles_nothing(
    mariadb, start, lease
):
    def prepare():
        stack()
        mariadb.certify(1, RUN)
        mariadb.certify(1, OTHER)
        api.request_evaluation(learner_id=1, reason="certificate")
        ledger.drain()
        mariadb.certify(1, OTHER, status="unavailable")
        api.request_evaluation(learner_id=1, course_key=OTHER, reason="certificate")

    def check():
        ledger.drain_after(lease)
        with clock.shifted(lease):
            ledger.assert_sound()
        assert ledger.live(1) == {"py101-l1": "active"}
        assert ledger.histories(1) == [
            ("py101-l1", ("issued",)),
            ("py102-l1", ("issued", "revoked")),
            ("python", ("issued", "revoked")),
        ]

    assert killed_at_every_line(start, prepare, api.evaluate_due, check) >= 15


def test_a_worker_killed_at_any_line_of_asking_for_a_certificate_asks_and_is_answered(mariadb, start, lease):
    def prepare():
        level1(mode="own_with_platform", rule={"course_grade": {"minimum": 60}})
        mariadb.grade(1, RUN, 80)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="grade")

    def check():
        ledger.drain_after(lease)
        asked = mariadb.all_asked()
        assert set(asked) == {(1, RUN)}
        # A request to the platform and our row cannot be one transaction; the platform takes a second
        # request for the same certificate as the same one.
        assert len(asked) <= 2
        assert CertificateAsk.objects.get().asked_at is not None
        mariadb.certify(1, RUN)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")
        ledger.drain_after(lease)
        assert ledger.histories(1) == [("py101-l1", ("issued",))]

    assert killed_at_every_line(start, prepare, api.evaluate_due, check) >= 12


def test_a_feeder_killed_at_any_line_feeds_every_learner(mariadb, start, lease):
    learners = range(1, 8)

    def prepare():
        level1()
        for learner in learners:
            mariadb.certify(learner, RUN)
        api.start_feed(reason="backfill", course_key=RUN)

    def feed():
        while api.advance_feeds(limit=3):
            pass

    def check():
        with clock.shifted(lease):
            feed()
            assert Feed.objects.get().finished_at is not None
            fed = list(EvaluationRequest.objects.order_by("learner_id").values_list("learner_id", flat=True))
            assert fed == list(learners), "each once: a chunk and its cursor are one transaction"
            ledger.drain()
            ledger.assert_sound()
        assert all(ledger.live(learner) == {"py101-l1": "active"} for learner in learners)

    assert killed_at_every_line(start, prepare, feed, check) >= 12


def test_a_level_2_and_its_due_time_survive_a_kill_at_any_line(mariadb, start, lease):
    """The next look that an evaluation asks for is written with what it decided."""
    shown_from = clock.now() + timedelta(days=30)

    def prepare():
        level1()
        level2()
        mariadb.certify(1, RUN, shown=False, shown_from=shown_from)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")

    def check():
        ledger.drain_after(lease)
        due = EvaluationRequest.objects.filter(learner_id=1, not_before=shown_from)
        assert due.count() == 1
        assert ledger.histories(1) == [("py101-l1", ("issued",))]
        with clock.shifted(lease):
            ledger.assert_sound()

    assert killed_at_every_line(start, prepare, api.evaluate_due, check) >= 12


def test_killed_at_any_line_from_the_release_of_a_batch_to_level_2_loses_and_doubles_nothing(
    mariadb, start, lease
):
    officer, signatory = (Actor(user_id=number, superuser=True) for number in (1, 2))
    learners = (7, 8)
    rows = "".join(f"learner{learner},80,01/06/2025\n" for learner in learners)

    def prepare():
        level1()
        level2()
        for learner in learners:
            mariadb.certify(learner, RUN)
            api.request_evaluation(learner_id=learner, course_key=RUN, reason="certificate")
        ledger.drain()
        batch = exams.upload_batch(
            actor=officer,
            exam_code="py101-exam",
            file_name="results.csv",
            content=f"username,score,exam date\n{rows}".encode(),
        )
        exams.sign_batch(actor=signatory, batch_uuid=batch.uuid)
        exams.release_batch(actor=officer, batch_uuid=batch.uuid)

    def relay_and_evaluate():
        outbox.relay()
        api.evaluate_due()

    def check():
        with clock.shifted(lease):
            while outbox.relay().done:
                pass
            ledger.drain()
            ledger.assert_sound()
        for learner in learners:
            assert ledger.histories(learner) == [("py101-l1", ("issued",)), ("py101-l2", ("issued",))]

    assert killed_at_every_line(start, prepare, relay_and_evaluate, check) >= 25


def test_a_backfill_killed_at_any_line_loses_and_doubles_nothing(mariadb, start, lease):
    learners = range(1, 6)

    def prepare():
        stack()
        for learner in learners:
            mariadb.certify(learner, RUN)
        mariadb.certify(5, OTHER)

    def work():
        progress = api.start_backfill(course_keys=[RUN], announce=True)
        while not progress.finished:
            progress = api.advance_backfill(backfill_id=progress.id, limit=3)
        return progress

    def check():
        with clock.shifted(lease):
            work()
            while outbox.relay().done:
                pass
            ledger.drain()
            ledger.assert_sound()
        assert all(ledger.histories(learner) == [("py101-l1", ("issued",))] for learner in learners)

    assert killed_at_every_line(start, prepare, work, check) >= 30


def test_two_backfills_and_an_evaluation_at_once_issue_each_award_once(mariadb, start, lease):
    learners = range(1, 61)
    stack()
    for learner in learners:
        mariadb.certify(learner, RUN)
        api.request_evaluation(learner_id=learner, course_key=RUN, reason="certificate")

    def work():
        progress = api.start_backfill(course_keys=[RUN], announce=True)
        while not progress.finished:
            progress = api.advance_backfill(backfill_id=progress.id, limit=5)

    running = [start(work), start(work), start(api.evaluate_due), start(api.evaluate_due)]
    for one in running:
        assert one.wait(60)
    with clock.shifted(lease):
        ledger.drain()
        ledger.assert_sound()
    assert all(ledger.histories(learner) == [("py101-l1", ("issued",))] for learner in learners)


def test_a_retirement_killed_at_any_line_is_done_whole_by_the_next_one(mariadb, start, lease):
    def prepare():
        stack()
        mariadb.certify(1, RUN)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")
        ledger.drain()
        api.request_evaluation(learner_id=1, course_key=RUN, reason="late")
        CertificateAsk.objects.create(learner_id=1, course_key=RUN, checked_at=clock.now())
        StaffRole.objects.create(user_id=1, role="verifier")

    def work():
        return retirement.retire_or_queue(learner_id=1, patience=0)

    def left() -> int:
        rows = (
            EvaluationRequest.objects.filter(learner_id=1),
            CertificateAsk.objects.filter(learner_id=1),
            StaffRole.objects.filter(user_id=1),
        )
        return sum(one.count() for one in rows)

    def check():
        assert left() in (0, 3), "all or nothing"
        assert bool(left()) != RetiredLearner.objects.exists()
        with clock.shifted(lease):
            assert work()
        assert left() == 0
        assert AuditEntry.objects.filter(action="learner.retired").count() == 1
        assert ledger.histories(1) == [("py101-l1", ("issued",))]

    assert killed_at_every_line(start, prepare, work, check) >= 10


def test_a_retirement_at_any_line_of_an_evaluation_leaves_nothing_that_waits_or_comes_later(
    mariadb, start, lease
):
    """The evaluation is stopped at each of its lines, the platform retires the learner, and it goes on."""
    for line in range(1, MOST_LINES):
        empty_database()
        level1(validity_months=12)
        mariadb.certify(1, RUN)
        api.request_evaluation(learner_id=1, course_key=RUN, reason="certificate")
        worker = start(api.evaluate_due, before=lambda line=line: at_line(line, pause))
        paused = worker.wait_until_paused()
        if not paused:
            break
        retiring = start(lambda: retirement.retire_or_queue(learner_id=1, patience=0.3))
        # Where the worker holds the lease's row, the retirement waits for its transaction.
        retiring.has_ended(1.0)
        worker.resume()
        assert worker.wait()
        assert retiring.wait()
        awards = ledger.histories(1)
        with clock.shifted(lease):
            api.request_evaluation(learner_id=1, course_key=RUN, reason="late")
            while outbox.relay().done:
                pass
            ledger.drain()
        assert RetiredLearner.objects.exists(), f"line {line}"
        assert not EvaluationRequest.objects.filter(learner_id=1).exists(), f"line {line}"
        assert ledger.histories(1) == awards, f"line {line}: an award came after the retirement"
    assert line > 12
