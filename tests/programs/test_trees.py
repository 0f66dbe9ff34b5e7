"""Requirement trees judged against what a learner holds."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mooc_microcred.achievements.data import Holding
from mooc_microcred.programs.trees import judge_tree

CODES = list("abcdef")


def held(*codes, version=1, credits="3"):
    return {code: Holding(f"uuid-{code}", version, Decimal(credits)) for code in codes}


def leaf(code, **fields):
    return {"achievement": code, **fields}


def test_all_of_needs_every_part():
    tree = {"all": [leaf("a"), leaf("b")]}
    assert not judge_tree(tree, held("a")).met
    state = judge_tree(tree, held("a", "b"))
    assert state.met
    assert state.stands_on == ("uuid-a", "uuid-b")


def test_k_of_n_counts_met_children_only():
    tree = {"at_least": {"count": 2, "of": [leaf("a"), leaf("b"), leaf("c")]}}
    one = judge_tree(tree, held("b"))
    assert (one.met, one.have, one.need, one.fraction) == (False, 1, 2, 0.5)
    assert judge_tree(tree, held("b", "c")).met


def test_minimum_credits_add_up_the_awards_once():
    tree = {
        "credits": {
            "minimum": "6",
            "of": [leaf("a"), {"all": [leaf("a"), leaf("b")]}],
        }
    }
    assert judge_tree(tree, held("a", credits="3")).have == 3
    state = judge_tree(tree, held("a", "b", credits="3"))
    assert (state.have, state.met) == (6, True)


def test_an_excluded_version_does_not_count():
    tree = leaf("a", excluding_versions=[1, 2])
    assert not judge_tree(tree, held("a", version=2)).met
    assert judge_tree(tree, held("a", version=3)).met


@st.composite
def trees(draw, depth=3):
    if depth == 0 or draw(st.booleans()):
        return leaf(draw(st.sampled_from(CODES)))
    children = draw(st.lists(trees(depth=depth - 1), min_size=1, max_size=4))
    kind = draw(st.sampled_from(["all", "at_least", "credits"]))
    if kind == "all":
        return {"all": children}
    if kind == "at_least":
        return {"at_least": {"count": draw(st.integers(1, len(children))), "of": children}}
    return {"credits": {"minimum": draw(st.integers(0, 12)), "of": children}}


@given(tree=trees(), first=st.sets(st.sampled_from(CODES)), more=st.sets(st.sampled_from(CODES)))
def test_holding_more_never_loses_a_tree(tree, first, more):
    before = judge_tree(tree, held(*first))
    after = judge_tree(tree, held(*(first | more)))
    assert after.met or not before.met
    assert 0 <= before.fraction <= 1
    assert (before.fraction == 1) >= before.met


@given(tree=trees(), codes=st.sets(st.sampled_from(CODES)))
def test_a_met_tree_is_met_by_what_it_stands_on_alone(tree, codes):
    state = judge_tree(tree, held(*codes))
    if state.met:
        basis = {uuid.removeprefix("uuid-") for uuid in state.stands_on}
        assert basis <= codes
        assert judge_tree(tree, held(*basis)).met
