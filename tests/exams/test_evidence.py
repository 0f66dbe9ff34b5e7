"""Which sitting counts: best, latest or first, attempts, and the gap between re-sits."""

from datetime import date
from decimal import Decimal

import pytest

from mooc_microcred.achievements.data import Exam, Text
from mooc_microcred.exams.evidence import counting_result, counting_sittings
from mooc_microcred.exams.models import ExamResult


def sat(day, percent, status="sat"):
    return ExamResult(
        pk=day,
        sat_on=date(2026, 3, day),
        percent=None if percent is None else Decimal(percent),
        status=status,
    )


def exam(**fields):
    return Exam("x", Text(en="X"), Decimal(100), **fields)


SITTINGS = [sat(1, 50), sat(3, 80), sat(20, 70)]


@pytest.mark.parametrize(("policy", "day"), [("best", 3), ("latest", 20), ("first", 1)])
def test_the_policy_chooses_the_sitting(policy, day):
    assert counting_result(SITTINGS, exam(policy=policy)).pk == day


def test_a_re_sit_within_the_gap_does_not_count():
    assert [one.pk for one in counting_sittings(SITTINGS, exam(resit_gap_days=7))] == [1, 20]
    assert counting_result(SITTINGS, exam(resit_gap_days=7)).pk == 20


def test_only_so_many_attempts_count():
    assert counting_result(SITTINGS, exam(attempts=1)).pk == 1


def test_an_absence_is_no_attempt_and_a_void_sitting_is_one_without_a_score():
    sittings = [sat(1, None, "absent"), sat(2, None, "void"), sat(3, 90)]
    assert counting_result(sittings, exam(attempts=1)) is None
    assert counting_result(sittings, exam(attempts=2)).pk == 3


def test_of_equal_sittings_the_later_one_counts():
    assert counting_result([sat(1, 80), sat(9, 80)], exam()).pk == 9
