import time

import pytest

from mooc_microcred.competencies import api
from mooc_microcred.competencies.models import Competency, Framework
from mooc_microcred.core.errors import InvalidInput
from tests.competencies.frameworks import identifier, key, make_framework

pytestmark = pytest.mark.django_db


def codes(page):
    return [one.code for one in page.items]


def test_an_author_finds_by_code_by_thai_and_by_english(english):
    assert codes(api.search_items(text="en-1.")) == ["EN-1.1", "EN-1.2"]
    assert codes(api.search_items(text="ใจความ")) == ["EN-1.1"]
    assert codes(api.search_items(text="INSTRUCTIONS follows")) == ["EN-1.2"]


def test_both_ways_to_write_sara_am_find_the_same(english):
    assert codes(api.search_items(text="คำสั่ง")) == ["EN-1.2"]
    assert codes(api.search_items(text="คำสั่ง")) == ["EN-1.2"]


def test_a_percent_sign_is_not_a_wildcard(english):
    assert codes(api.search_items(text="%")) == []


def test_whose_code_begins_so_comes_before_whose_text_has_it(english):
    Competency.objects.filter(code="EN-1").update(search="en-1\nsee en-2")
    assert codes(api.search_items(text="en-2")) == ["EN-2", "EN-1"]


def test_the_tree_is_walked_level_by_level(english):
    top = api.search_items(framework=english.identifier, parent="")
    assert codes(top) == ["EN"]
    below = api.search_items(framework=english.identifier, parent=top.items[0].item)
    assert codes(below) == ["EN-1", "EN-2"]
    assert [one.children for one in below.items] == [2, 0]
    assert below.items[0].depth == 1
    assert below.items[0].parent == top.items[0].item


def test_retired_items_and_drafts_are_not_offered_but_known(english):
    make_framework("draft", items=[("DR-1", "ร่าง", "Draft", None)], state="draft")
    Competency.objects.filter(code="EN-2").update(retired_at="2026-01-01T00:00:00Z")
    assert "EN-2" not in codes(api.search_items())
    assert codes(api.search_items(text="dr-1")) == []
    assert codes(api.search_items(text="dr-1", drafts=True)) == ["DR-1"]
    found = api.get_competencies(keys=[key("EN-2"), key("DR-1", "draft"), ("x", "y")])
    assert {one.code: one.retired for one in found.values()} == {"EN-2": True, "DR-1": False}


def test_pages_follow_each_other_without_loss(english):
    found, after = [], ""
    while True:
        page = api.search_items(text="en", after=after, limit=2)
        found += codes(page)
        after = page.after
        if not after:
            break
    assert found == ["EN", "EN-1", "EN-1.1", "EN-1.2", "EN-2"]


@pytest.mark.parametrize("after", ["x", "MS4x", "!!", "LTEuMS4xLjE", "ก"])
def test_a_made_up_cursor_is_refused(english, after):
    with pytest.raises(InvalidInput):
        api.search_items(after=after)


def test_a_large_framework_answers_quickly_with_one_query(english, django_assert_num_queries):
    rows = [
        Competency(
            framework=english,
            identifier=identifier(f"many/{number}"),
            code=f"M-{number:04}",
            statement_th=f"สมรรถนะที่ {number}",
            search=f"m-{number:04}\nสมรรถนะที่ {number}\nability number {number}",
            ordinal=number + 10,
            changed=english.changed,
        )
        for number in range(2500)
    ]
    Competency.objects.bulk_create(rows, batch_size=500)
    with django_assert_num_queries(1):
        started = time.perf_counter()
        page = api.search_items(text="สมรรถนะ")
        took = time.perf_counter() - started
    assert len(page.items) == 50
    assert page.after
    assert took < 0.2


def test_what_an_item_replaces_is_found_through_generations(english):
    old, older = key("EN-1.1"), key("EN-1.2")
    Competency.objects.filter(identifier=old[1]).update(
        successor_framework=key("EN-1")[0], successor_item=key("EN-1")[1]
    )
    Competency.objects.filter(identifier=older[1]).update(successor_framework=old[0], successor_item=old[1])
    assert api.predecessors_of(keys=[key("EN-1"), key("EN-2")]) == {
        key("EN-1"): {key("EN-1"), old, older},
        key("EN-2"): {key("EN-2")},
    }
    # A circle in the data ends all the same.
    Competency.objects.filter(code="EN-1").update(successor_framework=older[0], successor_item=older[1])
    assert api.predecessors_of(keys=[key("EN-1")])[key("EN-1")] == {key("EN-1"), old, older}


def test_frameworks_are_listed_with_what_they_have(english):
    Competency.objects.filter(code="EN-2").update(retired_at="2026-01-01T00:00:00Z")
    make_framework("draft", organization="BUU", state="draft")
    assert [(one.title.en, one.items) for one in api.list_frameworks(published=True)] == [("English", 4)]
    assert {one.organization for one in api.list_frameworks()} == {"KMUTT", "BUU"}
    assert [one.organization for one in api.list_frameworks(organizations=["BUU"])] == ["BUU"]
    assert Framework.objects.count() == 2
