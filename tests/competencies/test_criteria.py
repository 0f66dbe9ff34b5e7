from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooc_microcred.competencies.criteria import check_rule, judge
from mooc_microcred.competencies.data import STATUSES, EvidenceData


def piece(percent, weight=1, miller="knows_how"):
    return EvidenceData("course", f"block{percent}", Decimal(str(percent)), Decimal(str(weight)), miller)


MEAN = {"mean": {"threshold": 70, "pieces": 2}}
PIECES = {"pieces": {"threshold": 60, "count": 2}}
SHOWN = {"pieces": {"threshold": 50, "count": 1, "miller": "shows_how"}}


@pytest.mark.parametrize(
    ("rule", "evidence", "status"),
    [
        (MEAN, [], None),
        (MEAN, [piece(100)], "PartiallyAttempted"),
        (MEAN, [piece(60), piece(60)], "AttemptedNotDemonstrated"),
        (MEAN, [piece(60), piece(80)], "Demonstrated"),
        # The exact mean counts: 69.999 is not 70.
        (MEAN, [piece("69.99"), piece("70.00")], "AttemptedNotDemonstrated"),
        (MEAN, [piece(0, weight=1), piece(100, weight=3)], "Demonstrated"),
        (PIECES, [piece(100), piece(59)], "AttemptedNotDemonstrated"),
        (PIECES, [piece(100), piece(59), piece(60)], "Demonstrated"),
        (SHOWN, [piece(100)], "PartiallyAttempted"),
        (SHOWN, [piece(100), piece(49, miller="shows_how")], "AttemptedNotDemonstrated"),
        (SHOWN, [piece(10), piece(50, miller="does")], "Demonstrated"),
        ({"all": [MEAN, SHOWN]}, [piece(100), piece(100)], "PartiallyAttempted"),
        ({"all": [MEAN, SHOWN]}, [piece(100), piece(80, miller="shows_how")], "Demonstrated"),
        ({"any": [MEAN, SHOWN]}, [piece(60, miller="does")], "Demonstrated"),
        ({"any": [MEAN, SHOWN]}, [piece(10), piece(10)], "PartiallyAttempted"),
    ],
)
def test_evidence_is_judged(rule, evidence, status):
    assert check_rule(rule) == []
    assert judge(rule, evidence).status == status


def test_the_figures_say_how_far():
    found = judge(MEAN, [piece(60), piece(70)])
    assert (found.pieces, found.percent, found.need) == (2, Decimal("65.00"), Decimal(70))


percents = st.decimals(0, 100, places=2)
evidences = st.lists(
    st.builds(
        piece, percents, st.integers(1, 5), st.sampled_from(["knows", "knows_how", "shows_how", "does"])
    ),
    max_size=6,
)
leaves = st.one_of(
    st.builds(lambda t, n: {"mean": {"threshold": t, "pieces": n}}, percents, st.integers(1, 3)),
    st.builds(
        lambda t, n, m: {"pieces": {"threshold": t, "count": n, "miller": m}},
        percents,
        st.integers(1, 3),
        st.sampled_from(["knows", "does"]),
    ),
)
rules = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda k, c: {k: c}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)


@given(rules, evidences)
def test_whatever_the_rule_there_is_a_status_as_soon_as_there_is_evidence(rule, evidence):
    status = judge(rule, evidence).status
    assert (status is None) == (not evidence)
    assert status is None or status in STATUSES


@given(leaves.filter(lambda one: "pieces" in one), evidences, evidences)
def test_more_evidence_of_single_pieces_never_takes_a_competency_away(rule, first, second):
    if judge(rule, first).status == "Demonstrated":
        assert judge(rule, first + second).status == "Demonstrated"


@pytest.mark.parametrize(
    "rule",
    [
        None,
        [],
        {},
        {"all": []},
        {"mean": {}},
        {"mean": {"threshold": 101}},
        {"mean": {"threshold": True}},
        {"mean": {"threshold": "NaN"}},
        {"mean": {"threshold": 5, "count": 2}},
        {"mean": {"threshold": 5, "pieces": 0}},
        {"mean": {"threshold": 5, "pieces": 1.5}},
        {"pieces": {"threshold": 5, "miller": "guesses"}},
        {"grade": {"threshold": 5}},
        {"mean": MEAN["mean"], "pieces": PIECES["pieces"]},
        {"all": [MEAN, {"any": []}]},
    ],
)
def test_a_rule_that_cannot_be_judged_by_is_told(rule):
    assert check_rule(rule)


def test_a_rule_without_end_is_refused():
    deep = MEAN
    for _ in range(50):
        deep = {"all": [deep]}
    assert check_rule(deep)
    assert check_rule({"any": [MEAN] * 500})


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda c: (
            st.lists(c)
            | st.dictionaries(st.sampled_from(["all", "any", "mean", "pieces", "threshold", "x"]), c)
        ),
    )
)
def test_checking_never_fails_and_what_it_accepts_can_be_judged(rule):
    if not check_rule(rule):
        judge(rule, [piece(50)])
