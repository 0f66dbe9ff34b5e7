"""Criterion trees judged against facts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooc_microcred.achievements.criteria import (
    Facts,
    UnknownCriterion,
    implies_passing_grade,
    judge,
    needs_of,
)
from mooc_microcred.core.evidence import Fact
from mooc_microcred.core.platform import CertificateState, CompletionState, CourseState, GradeState
from tests.support.definitions import RUN


def facts(*, grade=None, passed=False, completion=None, exam=None, subsections=None):
    return Facts(
        RUN,
        CourseState(
            grade=None if grade is None else GradeState(Decimal(str(grade)), passed),
            completion=None if completion is None else CompletionState(*completion),
            subsections=subsections or {},
        ),
        {} if exam is None else {"x": Fact("exam_result:1", percent=Decimal(str(exam)))},
    )


NPTEL = {
    "weighted": {
        "minimum": "40",
        "parts": [
            {"weight": 25, "of": {"course_grade": {}}},
            {"weight": 75, "of": {"exam": {"code": "x"}}},
        ],
    }
}


def test_a_weighted_total_is_compared_unrounded():
    assert not judge(NPTEL, facts(grade=40, exam="39.99")).met
    assert judge(NPTEL, facts(grade=40, exam=40)).met
    assert judge(NPTEL, facts(grade=40, exam="39.99")).measures[0].have == Decimal("39.99")


def test_a_missing_part_of_a_weighted_total_is_not_zero_but_unknown():
    verdict = judge(NPTEL, facts(grade=100))
    assert (verdict.met, verdict.measures[0].have) == (False, None)


def test_an_absent_fact_is_a_condition_not_met():
    for rule in (
        {"completion": {"minimum": 0}},
        {"course_grade": {"minimum": 0}},
        {"exam": {"code": "x", "minimum": 0}},
        {"subsection_grade": {"block": "final", "minimum": 0}},
        {"certificate": {}},
    ):
        assert not judge(rule, facts()).met


@pytest.mark.parametrize("inside", ["all", "any"])
def test_a_criterion_of_a_newer_release_is_neither_met_nor_missed(inside):
    """Also where the learner has a certificate, for which an earlier release took every unknown word."""
    certified = CourseState(certificate=CertificateState(status="downloadable", uuid="a" * 32))
    rule = {inside: [{"certificate": {}}, {"portfolio": {"rubric": "x"}}]}
    with pytest.raises(UnknownCriterion):
        judge(rule, Facts(RUN, course=certified))


def test_an_alternative_rests_only_on_what_was_met():
    rule = {"any": [{"exam": {"code": "x", "minimum": 50}}, {"course_grade": {"minimum": 90}}]}
    assert judge(rule, facts(grade=95, exam=10)).references == (f"course:{RUN}",)
    assert judge(rule, facts(grade=10, exam=60)).references == ("exam_result:1",)


def test_a_course_without_units_is_not_complete():
    assert not judge({"completion": {"minimum": 1}}, facts(completion=(0, 0))).met


def test_needs_are_collected_from_every_corner():
    rule = {
        "all": [
            {"completion": {"minimum": 80}},
            {"any": [{"completion": {"minimum": 50}}, {"subsection_grade": {"block": "b", "minimum": 1}}]},
            NPTEL,
        ]
    }
    needs = needs_of(rule)
    assert needs.grade
    assert needs.completion
    assert needs.completion_floor == 50
    assert needs.subsections == {"b"}
    assert needs.exams == {"x"}


def test_what_implies_a_passing_grade():
    passed = {"course_grade": {"passed": True}}
    assert implies_passing_grade({"all": [passed, {"completion": {"minimum": 80}}]})
    assert not implies_passing_grade({"any": [passed, {"completion": {"minimum": 80}}]})
    assert not implies_passing_grade({"course_grade": {"minimum": 60}})


percents = st.integers(0, 100)


@given(
    minimum_grade=percents,
    minimum_exam=percents,
    grade=st.none() | percents,
    exam=st.none() | percents,
    better=st.integers(0, 20),
)
def test_doing_better_never_loses_a_verdict(minimum_grade, minimum_exam, grade, exam, better):
    rule = {
        "all": [
            {"course_grade": {"minimum": minimum_grade}},
            {"any": [{"exam": {"code": "x", "minimum": minimum_exam}}, NPTEL]},
        ]
    }
    before = judge(rule, facts(grade=grade, exam=exam))
    raised = (None if one is None else min(100, one + better) for one in (grade, exam))
    after = judge(rule, facts(**dict(zip(("grade", "exam"), raised, strict=True))))
    assert after.met or not before.met
