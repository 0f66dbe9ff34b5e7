from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooc_microcred.core.dates import (
    _MONTHS_TH,
    _MONTHS_TH_SHORT,
    display_date,
    parse_date,
    western_digits,
)

any_day = st.dates(min_value=date(1900, 1, 1), max_value=date(2399, 12, 31))
THAI = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21",
        "2026-11-21 00:00:00",
        "2569-11-21",
        "21/11/2026",
        "21-11-2569",
        "21.11.2569",
        "21/11/2569",
        "๒๑/๑๑/๒๕๖๙",
        "21 พ.ย. 2569",
        "21 พฤศจิกายน 2569",
        "21 พฤศจิกายน พ.ศ. 2569",
        "21 November 2026",
        "  21/11/2569  ",
    ],
)
def test_every_way_in_which_a_thai_office_writes_a_day_is_read(text):
    assert parse_date(text) == date(2026, 11, 21)


@pytest.mark.parametrize(
    "text",
    ["", "21/11/69", "31/11/2569", "29/2/2568", "11/21/2026", "2026", "46000", "tomorrow", "21/11/0543"],
)
def test_what_is_not_a_day_or_may_be_two_is_refused_with_what_is_expected(text):
    with pytest.raises(ValueError, match="21/11/2569"):
        parse_date(text)


def test_29_february_is_judged_by_the_common_era_year():
    assert parse_date("29/2/2567") == date(2024, 2, 29)


@given(any_day)
def test_a_day_survives_being_written_in_buddhist_era_with_thai_digits(day):
    written = f"{day.day}/{day.month}/{day.year + 543}".translate(THAI)
    assert parse_date(written) == day


@given(any_day, st.sampled_from(["th", "en"]))
def test_what_is_shown_can_be_read_back(day, language):
    assert parse_date(display_date(day, language)) == day


@given(any_day)
def test_full_and_short_thai_months_mean_the_same(day):
    year = day.year + 543
    full = f"{day.day} {_MONTHS_TH[day.month - 1]} {year}"
    short = f"{day.day} {_MONTHS_TH_SHORT[day.month - 1]} {year}"
    assert parse_date(full) == parse_date(short) == day


@given(st.text())
def test_any_text_is_either_a_day_or_a_value_error(text):
    with suppress(ValueError):
        assert isinstance(parse_date(text), date)


@given(st.text())
def test_western_digits_leaves_everything_else_as_it_is(text):
    changed = western_digits(text)
    assert len(changed) == len(text)
    assert all(a == b or ("๐" <= a <= "๙" and b in "0123456789") for a, b in zip(text, changed, strict=True))


def test_an_instant_is_shown_as_the_day_in_the_site_s_time_zone(settings):
    settings.TIME_ZONE = "Asia/Bangkok"
    late_in_utc = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
    assert display_date(late_in_utc, "th") == "22 พฤศจิกายน 2569"
