"""Events are hints: however often and in whatever order they come, the truth alone decides.

On the suite's own database with the platform in memory, so that many examples can be tried. Learner 1
lives through a history of changes with events that are late, doubled and shuffled. Learner 2 has the same
truth in the end, one event, and one evaluation.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import Award, EvaluationRequest
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import WrongState
from mooc_microcred.core.roles import Actor
from mooc_microcred.exams import api as exams
from tests.faults import ledger
from tests.support import events
from tests.support.definitions import RUN, level1, level2, programme
from tests.support.memory_platform import the_platform

pytestmark = pytest.mark.django_db

SHUFFLED, DIRECT = 1, 2
RERUN = "course-v1:KMUTT+PY101+2027"
OTHER = "course-v1:KMUTT+PY102+2026"
OWN = "course-v1:KMUTT+PY103+2026"
MIRRORED_RUNS = (RUN, RERUN, OTHER)
EVERY_RUN = (*MIRRORED_RUNS, OWN)
CODES = ("py101-l1", "py101-l2", "py102-l1", "py102-l2", "py103-l1", "basics", "python")

in_any_order = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def catalogue():
    """Put three courses (one with two runs), a Level 2 and a nested programme in force."""
    level1("py101-l1")
    level1("py102-l1", course={"organization": "KMUTT", "number": "PY102"})
    level1(
        "py103-l1",
        mode="own",
        rule={"completion": {"minimum": 80}},
        course={"organization": "KMUTT", "number": "PY103"},
    )
    level2("py101-l2", rule={"course_grade": {"minimum": 60}})
    level2(
        "py102-l2",
        needs="py102-l1",
        exam="py102-exam",
        course={"organization": "KMUTT", "number": "PY102"},
    )
    programme("basics", {"all": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]})
    programme(
        "python",
        {
            "all": [
                {"achievement": "basics"},
                {
                    "at_least": {
                        "count": 1,
                        "of": [
                            {"achievement": "py101-l2"},
                            {"achievement": "py102-l2"},
                            {"achievement": "py103-l1"},
                        ],
                    }
                },
            ]
        },
    )


@contextmanager
def example_of_its_own():
    """Undo everything that one example did."""
    the_platform.reset()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def counting(learner: int) -> set[str]:
    """Return what the learner holds that opens something new."""
    now = clock.now()
    return {one.code for one in api.list_awards(learner_id=learner) if one.counts(now)}


def copy_truth(source: int, target: int) -> None:
    """Give one learner the other one's present truth."""
    for run, enrolment in the_platform.enrolments[source].items():
        the_platform.enrol(target, run, since=enrolment.since)
    for (learner, run), state in list(the_platform.states.items()):
        if learner == source:
            the_platform.states[target, run] = state


sent_again = st.lists(
    st.tuples(
        st.sampled_from(events.LEARNER_EVENTS), st.sampled_from(EVERY_RUN), st.sampled_from([1, 1, 2, 5])
    ),
    max_size=12,
)


@in_any_order
@given(
    hints=sent_again,
    evaluate_after=st.sets(st.integers(0, 12)),
    hidden=st.booleans(),
    grade=st.sampled_from([None, 50, 60, 90]),
    completed=st.sampled_from([None, 5, 8, 10]),
    certificates=st.dictionaries(
        st.sampled_from(MIRRORED_RUNS),
        st.sampled_from(["downloadable", "downloadable", "notpassing", "unavailable", "generating"]),
    ),
)
def test_of_the_same_truth_any_number_of_events_in_any_order_makes_the_same_awards(
    hints, evaluate_after, hidden, grade, completed, certificates
):
    with example_of_its_own():
        catalogue()
        for run in EVERY_RUN:
            the_platform.enrol(SHUFFLED, run)
        for run, status in certificates.items():
            the_platform.certify(SHUFFLED, run, status=status, shown=not (hidden and run == OTHER))
        if grade is not None:
            the_platform.grade(SHUFFLED, RUN, grade)
        if completed is not None:
            the_platform.complete(SHUFFLED, OWN, completed, 10)
        copy_truth(SHUFFLED, DIRECT)

        for place, (send, run, times) in enumerate(hints):
            for _ in range(times):
                send(SHUFFLED, run)
            if place in evaluate_after:
                api.evaluate_due()
        for run in EVERY_RUN:
            events.send_certificate_changed(SHUFFLED, run)
        ledger.drain()
        api.request_evaluation(learner_id=DIRECT, reason="all at once")
        ledger.drain()

        ledger.assert_sound()
        assert ledger.histories(SHUFFLED) == ledger.histories(DIRECT)
        assert ledger.live(SHUFFLED) == ledger.live(DIRECT)


def test_the_same_event_a_thousand_times_makes_one_award_and_one_evaluation(platform):
    level1()
    platform.certify(SHUFFLED, RUN)
    for _ in range(1000):
        events.send_certificate_created(SHUFFLED, RUN)
    assert EvaluationRequest.objects.count() == 1000
    reports = [api.evaluate_due(), api.evaluate_due()]
    assert [(one.requests, one.learners, one.issued) for one in reports] == [(1000, 1, 1), (0, 0, 0)]
    assert platform.reads == 1
    ledger.assert_sound()
    assert ledger.histories(SHUFFLED) == [("py101-l1", ("issued",))]


# --- the truth moves, and its events come late, doubled and shuffled ---


class Life:
    """What happens to learner 1: each change owes an event, which comes at some later time."""

    def __init__(self):
        self.owed: list[tuple] = []
        self.clock = ExitStack()
        self.officer = Actor(user_id=9, superuser=True)
        self.signatory = Actor(user_id=10, superuser=True)
        self.batches: list[str] = []
        self.days = count()
        for learner in (SHUFFLED, DIRECT):
            the_platform.add_learner(learner)
        for run in EVERY_RUN:
            the_platform.enrol(SHUFFLED, run)

    def certificate(self, run, status, hidden):
        before = the_platform.states.get((SHUFFLED, run))
        first = before is None or before.certificate is None
        fields = {"shown": not hidden} if first else {}
        if status == "invalidated":
            the_platform.certify(SHUFFLED, run, invalidated=True, **fields)
        else:
            the_platform.certify(SHUFFLED, run, status=status, invalidated=False, **fields)
        withdrawn = status in ("notpassing", "unavailable", "invalidated")
        self.owed.append(
            (events.send_certificate_revoked if withdrawn else events.send_certificate_created, run)
        )

    def show(self, run):
        state = the_platform.states.get((SHUFFLED, run))
        if state is not None and state.certificate is not None:
            certificate = replace(state.certificate, shown=True)
            the_platform.states[SHUFFLED, run] = replace(state, certificate=certificate)
            self.owed.append((events.send_certificate_changed, run))

    def grade(self, percent):
        state = the_platform.states.get((SHUFFLED, RUN))
        # What was once met stays met by design, so the grade only rises here.
        if state is None or state.grade is None or state.grade.percent < percent:
            the_platform.grade(SHUFFLED, RUN, percent)
        self.owed.append((events.send_grade_summary, RUN))

    def complete(self, units):
        state = the_platform.states.get((SHUFFLED, OWN))
        if state is None or state.completion is None or state.completion.completed < units:
            the_platform.complete(SHUFFLED, OWN, units, 10)
        self.owed.append((events.send_passing_status, OWN))

    def release(self, percent, corrects):
        """Release a result of both learners, as a new sitting or as a correction of the last one."""
        day = date(2025, 1, 1) + timedelta(days=next(self.days))
        rows = "".join(f"learner{learner},{percent},{day:%d/%m/%Y}\n" for learner in (SHUFFLED, DIRECT))
        corrected = self.batches.pop() if corrects and self.batches else ""
        batch = exams.upload_batch(
            actor=self.officer,
            exam_code="py102-exam",
            file_name="results.csv",
            content=f"username,score,exam date\n{rows}".encode(),
            supersedes=corrected,
            reason="misread" if corrected else "",
        )
        exams.sign_batch(actor=self.signatory, batch_uuid=batch.uuid)
        exams.release_batch(actor=self.officer, batch_uuid=batch.uuid)
        self.batches.append(batch.uuid)

    def relay(self):
        report = outbox.relay()
        assert report.failed == report.dead == 0
        return report.done

    def staff(self, code, verb):
        for award in api.list_awards(learner_id=SHUFFLED):
            if award.code == code and award.state in ("active", "suspended"):
                with suppress(WrongState):
                    verb(actor=self.officer, award_uuid=award.uuid, note="because")

    def days_pass(self, days):
        self.clock.enter_context(clock.shifted(timedelta(days=days)))

    def events_come(self, which, keep):
        """Send one of the owed events; it may come again."""
        if self.owed:
            send, run = self.owed[which % len(self.owed)]
            send(SHUFFLED, run)
            if not keep:
                del self.owed[which % len(self.owed)]

    def settle(self):
        """Let everything that is owed come, and every grace end."""
        for run in MIRRORED_RUNS:
            state = the_platform.states.get((SHUFFLED, run))
            if state and state.certificate and state.certificate.status == "generating":
                self.certificate(run, "downloadable", hidden=False)
            self.show(run)
        while self.owed:
            self.events_come(-1, keep=False)
        while self.relay():
            pass
        ledger.drain()
        for code in CODES:
            self.staff(code, api.reinstate_award)
        ledger.drain()
        self.days_pass(microcred_settings.REVOCATION_GRACE_DAYS + 1)
        ledger.drain()


TWO_RUNS = [
    ("certificate", RUN, "downloadable", False),
    ("certificate", RERUN, "downloadable", False),
    ("certificate", OTHER, "downloadable", False),
    ("events_come", 0, False),
    ("evaluate",),
    ("events_come", 0, False),
    ("events_come", 0, False),
    ("evaluate",),
]
happenings = st.lists(
    st.one_of(
        st.tuples(
            st.just("certificate"),
            st.sampled_from(MIRRORED_RUNS),
            st.sampled_from(
                [
                    "downloadable",
                    "downloadable",
                    "notpassing",
                    "unverified",
                    "unavailable",
                    "invalidated",
                    "generating",
                ]
            ),
            st.booleans(),
        ),
        st.tuples(st.just("show"), st.sampled_from(MIRRORED_RUNS)),
        st.tuples(st.just("grade"), st.sampled_from([50, 60, 90])),
        st.tuples(st.just("complete"), st.sampled_from([5, 8, 10])),
        st.tuples(st.just("release"), st.sampled_from([40, 60, 90]), st.booleans()),
        st.tuples(st.just("relay")),
        st.tuples(st.just("events_come"), st.integers(0, 9), st.booleans()),
        st.tuples(st.just("events_come"), st.integers(0, 9), st.booleans()),
        st.tuples(st.just("evaluate")),
        st.tuples(st.just("evaluate")),
        st.tuples(st.just("days_pass"), st.sampled_from([1, 8])),
        st.tuples(
            st.just("staff"),
            st.sampled_from(CODES),
            st.sampled_from([api.suspend_award, api.reinstate_award]),
        ),
    ),
    max_size=30,
)


@in_any_order
@given(happenings=happenings)
# A course certified in two runs loses the one on which everything stands.
@example(happenings=[*TWO_RUNS, ("certificate", RUN, "invalidated", False)])
@example(
    happenings=[
        *TWO_RUNS,
        ("grade", 90),
        ("events_come", 0, False),
        ("evaluate",),
        ("certificate", RUN, "invalidated", False),
    ]
)
@example(
    happenings=[
        *TWO_RUNS,
        ("grade", 90),
        ("events_come", 0, False),
        ("evaluate",),
        ("certificate", RUN, "notpassing", False),
        ("events_come", 0, False),
        ("evaluate",),
        ("days_pass", 8),
        ("evaluate",),
    ]
)
@example(
    happenings=[
        *TWO_RUNS,
        ("grade", 90),
        ("release", 90, False),
        ("relay",),
        ("events_come", 0, False),
        ("evaluate",),
        ("release", 40, True),
        ("relay",),
        ("evaluate",),
        ("release", 60, False),
    ]
)
def test_late_doubled_and_shuffled_events_end_where_the_truth_alone_ends(happenings):
    with example_of_its_own():
        catalogue()
        life = Life()
        with life.clock:
            for name, *arguments in happenings:
                if name == "evaluate":
                    ledger.drain()
                    ledger.assert_sound()
                else:
                    getattr(life, name)(*arguments)
            life.settle()
            copy_truth(SHUFFLED, DIRECT)
            api.request_evaluation(learner_id=DIRECT, reason="all at once")
            ledger.drain()
            ledger.assert_sound()
            assert counting(SHUFFLED) == counting(DIRECT)
            assert not Award.objects.filter(learner_id=SHUFFLED, live=True, state="suspended").exists()


def test_a_suspension_by_staff_outlives_what_else_happens_to_the_award(platform):
    """Showing the certificate does not turn it into one that the certificate's return would lift."""
    officer = Actor(user_id=9, superuser=True)
    level1()
    platform.certify(SHUFFLED, RUN, shown=False)
    events.send_certificate_created(SHUFFLED, RUN)
    ledger.drain()
    award = Award.objects.get()
    api.suspend_award(actor=officer, award_uuid=award.uuid, note="because")
    platform.certify(SHUFFLED, RUN, shown=True)
    events.send_certificate_changed(SHUFFLED, RUN)
    ledger.drain()
    with clock.shifted(timedelta(days=30)):
        for status in ("notpassing", "downloadable"):
            platform.certify(SHUFFLED, RUN, status=status)
            events.send_certificate_changed(SHUFFLED, RUN)
            ledger.drain()
            assert ledger.live(SHUFFLED) == {"py101-l1": "suspended"}
        api.reinstate_award(actor=officer, award_uuid=award.uuid, note="settled")
        ledger.drain()
        assert ledger.live(SHUFFLED) == {"py101-l1": "active"}
        assert ledger.histories(SHUFFLED) == [
            ("py101-l1", ("issued", "suspended", "published", "reinstated"))
        ]
