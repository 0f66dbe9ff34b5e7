"""Which sitting counts: best, latest or first, attempts, and the gap between re-sits."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements.data import Exam, Text
from mooc_microcred.achievements.models import Achievement
from mooc_microcred.core import clock
from mooc_microcred.exams.evidence import ExamEvidence, _fact_of, counting_result, counting_sittings
from mooc_microcred.exams.models import ExamBatch, ExamResult


def sat(day, percent, status="sat"):
    return ExamResult(
        pk=day,
        sat_on=date(2026, 3, day),
        percent=None if percent is None else Decimal(percent),
        status=status,
    )


def policy_of(**fields):
    return Exam("x", Text(en="X"), Decimal(100), **fields)


SITTINGS = [sat(1, 50), sat(3, 80), sat(20, 70)]


@pytest.mark.parametrize(("policy", "day"), [("best", 3), ("latest", 20), ("first", 1)])
def test_the_policy_chooses_the_sitting(policy, day):
    assert counting_result(SITTINGS, policy_of(policy=policy)).pk == day


def test_a_re_sit_within_the_gap_does_not_count():
    assert [one.pk for one in counting_sittings(SITTINGS, policy_of(resit_gap_days=7))] == [1, 20]
    assert counting_result(SITTINGS, policy_of(resit_gap_days=7)).pk == 20


def test_only_so_many_attempts_count():
    assert counting_result(SITTINGS, policy_of(attempts=1)).pk == 1


def test_an_absence_is_no_attempt_and_a_void_sitting_is_one_without_a_score():
    sittings = [sat(1, None, "absent"), sat(2, None, "void"), sat(3, 90)]
    assert counting_result(sittings, policy_of(attempts=1)) is None
    assert counting_result(sittings, policy_of(attempts=2)).pk == 3


def test_of_equal_sittings_the_later_one_counts():
    assert counting_result([sat(1, 80), sat(9, 80)], policy_of()).pk == 9


def make_batch(exam_code, state, learners, **fields):
    batch = ExamBatch.objects.create(
        exam_code=exam_code,
        achievement=Achievement.objects.get(code="py101-l2"),
        organization="KMUTT",
        state=state,
        live=None,
        sha256="0" * 64,
        size=1,
        uploaded_by=1,
        uploaded_at=clock.now(),
        signed_by=2,
        problems=[[2, "score", "x", "score", {}]],
    )
    ExamResult.objects.bulk_create(
        ExamResult(
            batch=batch,
            exam_code=exam_code,
            learner_id=learner,
            row=2,
            sat_on=fields.get("sat_on", date(2026, 3, 1)),
            score=70,
            max_score=100,
            percent=fields.get("percent", 70),
        )
        for learner in learners
    )
    return batch


def test_only_released_results_are_evidence(exam):
    for state in ("imported", "signed", "cancelled"):
        make_batch(exam, state, [1])
    make_batch(exam, "superseded", [2])
    make_batch(exam, "released", [3])
    facts = ExamEvidence().read([1, 2, 3], [exam])
    assert set(facts) == {(2, exam), (3, exam)}
    assert facts[3, exam].percent == 70
    # Awards that rest on it are judged anew; it counts no more.
    assert (facts[2, exam].percent, len(facts[2, exam].details["superseded"])) == (None, 1)


def test_evidence_costs_the_same_for_any_number_of_learners_and_never_reads_the_wrong_rows(exam):
    for day in range(1, 6):
        make_batch(exam, "released", range(1, 60), sat_on=date(2026, 3, day))

    def cost(learners):
        with CaptureQueriesContext(connection) as queries:
            ExamEvidence().read(learners, [exam])
        assert not any('"problems"' in one["sql"] or "`problems`" in one["sql"] for one in queries)
        return len(queries)

    ExamEvidence().read([1], [exam])  # compiles the catalogue
    assert cost(range(1, 60)) == cost([1]) == 2


def test_a_re_sit_is_looked_at_again_only_if_one_is_allowed_and_to_come():
    batch = ExamBatch(state="released")
    today = clock.now().date()

    def fact(days_ago, **policy):
        one = sat(1, 50)
        one.batch, one.sat_on = batch, today - timedelta(days=days_ago)
        return _fact_of([one], policy_of(**policy))

    coming = fact(3, resit_gap_days=10)
    assert coming.due.date() == today + timedelta(days=7)
    assert coming.details["resit_from"] == coming.due.date().isoformat()
    assert fact(30, resit_gap_days=10).due is None
    spent = fact(3, resit_gap_days=10, attempts=1)
    assert (spent.due, "resit_from" in spent.details) == (None, False)
