"""An upgrade as it happens: the database is migrated first, then workers are replaced one by one, or back."""

import pytest

from tests.upgrade.conftest import answer_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("upgrade")]


@pytest.fixture(scope="module")
def begun(new_place, old):
    """Return a function that makes a database in which the old release is in the middle of a term."""

    def begin():
        place = new_place()
        old.do(place, "migrate")
        old.do(place, "begin")
        return place

    return begin


@pytest.fixture(scope="module")
def expected(begun, new):
    """What comes of the term where the new release alone does the rest."""
    place = begun()
    new.do(place, "migrate")
    new.do(place, "happen")
    new.do(place, "work")
    return new.do(place, "summary")


def assert_sound(summary):
    """Assert that the term came out as a term should, so that comparing summaries means something."""
    assert summary["requests due"] == 0
    assert summary["messages that are not done"] == []
    states = {}
    for award in summary["awards"]:
        states.setdefault((award["achievement"], award["state"]), set()).add(award["learner"])
    live = [(award["learner"], award["achievement"]) for award in summary["awards"] if award["live"]]
    assert len(live) == len(set(live)), "doubled"
    assert states["py101-l1", "revoked"] == {2, 14}
    assert states["py101-l1", "active"] == set(range(1, 37)) - {2, 14}
    # 48 points and 2 for each number, 60 are needed: from learner 6 on; one of them has lost the Level 1.
    assert states["py101-l2", "active"] == set(range(6, 25)) - {14}
    records = [award for award in summary["awards"] if award["record"]]
    assert {award["achievement"] for award in records} == {"py101-l2", "python"}
    assert {award["record"][0] for award in records} <= {"sending", "reversing", "cancelled"}
    assert all(award["deliveries"] for award in records if award["state"] == "active")


def test_the_old_release_leaves_work_of_every_kind_under_way(begun, old):
    """What the other tests start from: else they would prove nothing."""
    place = begun()
    summary = old.do(place, "summary")
    assert summary["requests due"]
    assert summary["messages that are not done"]
    assert any(award["deliveries"] for award in summary["awards"])
    held = {award["learner"] for award in summary["awards"] if award["achievement"] == "py101-l1"}
    assert 20 <= len(held) < 30


def test_old_workers_do_their_work_on_the_new_schema(begun, old, new, expected):
    assert_sound(expected)
    place = begun()
    new.do(place, "migrate")
    old.do(place, "happen")
    old.do(place, "work")
    assert old.do(place, "summary") == expected
    assert new.do(place, "summary") == expected
    new.do(place, "work")
    assert_every_award_has_its_credential(new.do(place, "credentials"), at_least=60)


def assert_every_award_has_its_credential(found, *, at_least):
    """Also those whose messages old workers have called done, who know nothing of credentials."""
    assert (found["lack"], found["wrong"]) == ([], [])
    assert found["right"] >= at_least


def test_old_and_new_workers_work_side_by_side(begun, old, new, expected):
    place = begun()
    new.do(place, "migrate")
    old.do(place, "happen")
    if place.takes_two_writers:
        both = [release.start(place, "work_for", "6") for release in (old, new, old, new)]
        for process in both:
            answer_of(process, "work_for")
    else:
        old.do(place, "work_for", "1")
    new.do(place, "work")
    assert new.do(place, "summary") == expected
    assert set(new.do(place, "told")) == {1}, "a message was doubled"
    assert_every_award_has_its_credential(new.do(place, "credentials"), at_least=60)


def test_old_workers_can_take_over_from_new_ones_again(begun, old, new):
    """The web servers and workers are rolled back, the schema stays."""
    outcomes = []
    for last in (new, old):
        place = begun()
        new.do(place, "migrate")
        new.do(place, "happen")
        new.do(place, "work_for", "1")
        last.do(place, "happen_later")
        last.do(place, "work")
        outcomes.append(last.do(place, "summary"))
        assert outcomes[-1]["messages that are not done"] == []
    assert outcomes[0] == outcomes[1]
    active = {
        one["learner"] for one in outcomes[0]["awards"] if (one["achievement"], one["state"]) == L1_ACTIVE
    }
    assert active == set(range(1, 41)) - {2, 5, 14}
    # Then the upgrade goes on. What the old workers have done meanwhile, the new ones make good.
    new.do(place, "work")
    assert_every_award_has_its_credential(new.do(place, "credentials"), at_least=60)


L1_ACTIVE = ("py101-l1", "active")


def test_old_workers_pass_a_kind_of_achievement_by_that_they_do_not_know(begun, old, new, expected):
    place = begun()
    new.do(place, "migrate")
    new.do(place, "introduce")
    old.do(place, "happen")
    old.do(place, "work")
    new.do(place, "work")
    assert new.do(place, "summary") == expected


def test_the_migrations_can_be_taken_back_and_the_old_release_goes_on(begun, new_place, old, new):
    place = begun()
    new.do(place, "migrate")
    new.do(place, "happen")
    new.do(place, "work")
    before = new.do(place, "summary")
    new.do(place, "migrate", old.do(place, "last_migration"))
    fresh = new_place()
    old.do(fresh, "migrate")
    assert old.do(place, "schema") == old.do(fresh, "schema")
    assert old.do(place, "summary") == before
    old.do(place, "happen_later")
    old.do(place, "work")
    after = old.do(place, "summary")
    assert after["messages that are not done"] == []
    assert len(after["awards"]) > len(before["awards"])


def test_every_task_of_the_old_release_is_still_known_with_its_arguments(new_place, old, new):
    """A message that an old process has sent may be taken by a new worker, and the other way round."""
    place = new_place()
    old.do(place, "migrate")
    before, now = old.do(place, "tasks"), new.do(place, "tasks")
    assert before
    for name, arguments in before.items():
        assert now[name][: len(arguments)] == arguments
    for name in now:
        assert now[name] == ["version"], f"{name}: work lies in tables, not in arguments"


def test_messages_that_the_old_release_has_no_subscriber_for_are_kept_from_it(new_place, old, new):
    """It would call them done. When this fails after a landing, shorten the list in registration.py."""
    place = new_place()
    before, now = old.do(place, "topics"), new.do(place, "topics")
    assert set(now["withheld"]) == set(now["subscribers"]) - set(before["subscribers"])


def test_messages_that_the_old_release_has_fewer_subscribers_for_are_taken_back_from_it(new_place, old, new):
    """When this fails after a landing, shorten the list; where a subscriber is added, raise GENERATION."""
    place = new_place()
    before, now = old.do(place, "topics"), new.do(place, "topics")
    more = {
        topic
        for topic, names in before["subscribers"].items()
        if set(now["subscribers"].get(topic, ())) - set(names)
    }
    assert set(now["renewed"]) == more
    if more:
        assert now["generation"] > before["generation"]
