"""Catalogues as YAML: what is read, what is refused and on which line, and what is written."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mooc_microcred.achievements.catalogue_file import (
    MAX_NODES,
    SAMPLES,
    JoinedCatalogue,
    dump_yaml,
    parse_yaml,
    read_catalogue_file,
    read_sample,
    read_yaml,
)
from mooc_microcred.core.errors import InvalidInput


def refusal(text, **limits):
    with pytest.raises(InvalidInput) as caught:
        parse_yaml(text, **limits)
    (problem,) = caught.value.problems
    return str(problem)


def test_plain_values_are_read_as_they_are_written():
    text = """
    country: NO
    day: 2026-01-01
    time: 12:30
    code: 007
    hours: 1.5
    count: 3
    yes: on
    flag: true
    nothing: ~
    empty:
    thai: ภาษาไทย
    """

    assert parse_yaml(text) == {
        "country": "NO",
        "day": "2026-01-01",
        "time": "12:30",
        "code": "007",
        "hours": 1.5,
        "count": 3,
        "yes": "on",
        "flag": True,
        "nothing": None,
        "empty": None,
        "thai": "ภาษาไทย",
    }


def test_a_byte_order_mark_does_no_harm():
    assert parse_yaml("catalogue: 1".encode("utf-8-sig")) == {"catalogue": 1}


def test_an_empty_file_is_nothing():
    assert parse_yaml(b"") is None


def test_a_name_that_is_given_twice_is_refused_with_both_lines():
    said = refusal("a: 1\nb:\n  hours: 3\n  name: x\n  hours: 4\n")

    assert "b.hours" in said
    assert "line 5" in said
    assert "first on line 3" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1, 2", "line "),
        ("a: b: c", "line 1, column 5"),
        ("a: 1\n--- \nb: 2\n", "line 2"),
        ("a: !!python/object/apply:os.system ['true']", "os.system"),
        ("a: !!binary aGVsbG8=", "binary"),
        ("a: !!int twelve", "int"),
        ("a: !!timestamp 2026-01-01", "timestamp"),
        ("? [1, 2]\n: 3", "must be text"),
        ("a: *nobody", "undefined alias"),
        ("a: \x07", "line 1"),
        (b"name: caf\xe9\n", "UTF-8"),
        ("a: &x [*x]", "deep"),
        ("%YAML 3.0\n---\na: 1", "incompatible"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(text, said):
    assert said in refusal(text)


def test_what_is_too_deep_too_large_or_too_much_is_refused():
    assert "deep" in refusal("a: " + "[" * 100_000)
    assert "deep" in refusal("a: " + "[" * 60 + "]" * 60)
    assert "larger than 1 kB" in refusal("a" * 2000, max_bytes=1024)
    assert "values" in refusal("a: [" + "1," * (2 * MAX_NODES) + "]")


def test_aliases_count_as_often_as_they_repeat():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )

    assert "values" in refusal(bomb)


def test_a_few_aliases_are_the_values_they_stand_for():
    assert parse_yaml("a: &a {x: 1}\nb: [*a, *a]") == {"a": {"x": 1}, "b": [{"x": 1}, {"x": 1}]}


def test_a_merge_key_is_a_field_like_any_other():
    assert parse_yaml("a: {<<: {x: 1}}") == {"a": {"<<": {"x": 1}}}


def test_every_place_has_its_line():
    lines = read_yaml("catalogue: 1\nachievements:\n  - code: a\n    hours: 3\n  - code: b\n").lines

    assert lines["achievements[0].hours"] == 4
    assert lines["achievements[1]"] == 5


_text = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=60)
_value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**14), 10**14)
    | st.decimals(0, 9999, places=2).map(float)
    | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text.filter(bool), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=300, deadline=None)
@given(_value)
def test_what_is_written_is_read_again_as_it_was(value):
    assert parse_yaml(dump_yaml(value)) == value


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(InvalidInput):
        parse_yaml(text)


# --- several files ---

HEAD = b"catalogue: 1\nachievements:\n"


@pytest.mark.django_db
def test_problems_of_several_files_name_file_and_line():
    first = read_catalogue_file("one.yaml", HEAD + b"  - code: a1\n")
    second = read_catalogue_file("two.yaml", HEAD + b"  - code: b1\n    hours: none\n    organization: X\n")

    found = [str(problem) for problem in JoinedCatalogue([first, second]).check()]

    assert any(one.startswith("one.yaml:3: achievements[0].kind: This is missing") for one in found)
    assert any(one.startswith("two.yaml:4: achievements[0].hours:") and "(none)" in one for one in found)


@pytest.mark.django_db
def test_what_is_wrong_outside_the_entries_is_told_per_file():
    first = read_catalogue_file("one.yaml", b"catalogue: 1\nbadges: []\n")
    second = read_catalogue_file("two.yaml", b"- 1\n")
    third = read_catalogue_file("three.yaml", b"catalogue: 1\nachievements: many\n")

    found = [str(problem) for problem in JoinedCatalogue([first, second, third]).check()]

    assert [one.split(":")[0] for one in found] == ["one.yaml", "two.yaml", "three.yaml"]
    assert "no field badges" in found[0]


@pytest.mark.django_db
def test_files_refer_to_each_other_and_may_repeat_an_issuer_in_the_same_words():
    catalogue = JoinedCatalogue([read_sample(name) for name in SAMPLES])

    assert catalogue.check() == []
    assert [one["code"] for one in catalogue.document["issuers"]] == ["kmutt"]


@pytest.mark.django_db
def test_files_that_contradict_each_other_are_refused():
    sample = read_sample("python-series")
    other = read_catalogue_file(
        "other.yaml",
        b"catalogue: 1\nissuers:\n  - {code: kmutt, organization: KMUTT, country: JP, name: {en: KMUTT}}\n",
    )

    found = [str(problem) for problem in JoinedCatalogue([sample, other]).check()]

    assert found == [
        "other.yaml:3: issuers[0].code: python-series.yaml: issuers[0] has the same code. (kmutt)"
    ]


def test_a_file_that_cannot_be_read_is_named():
    with pytest.raises(InvalidInput) as caught:
        read_catalogue_file("one.yaml", b"a: [")

    assert str(caught.value.problems[0]).startswith("one.yaml: ")


def test_an_unknown_sample_is_told_with_those_there_are():
    with pytest.raises(InvalidInput, match="python-series"):
        read_sample("no-such")
