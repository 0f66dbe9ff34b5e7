"""Thai dates and digits at the edge: storage is ISO 8601, Common Era, UTC."""

from __future__ import annotations

import re
from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

# B.E. = C.E. + 543; no exam of ours took place before 1900 or will after 2399 C.E.
BUDDHIST_OFFSET = 543
FIRST_BUDDHIST_YEAR = 2400

_THAI_DIGITS = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_MONTHS_TH = (
    "มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม"
).split()
_MONTHS_EN = ("January February March April May June July August September October November December").split()
_MONTHS_TH_SHORT = "ม.ค. ก.พ. มี.ค. เม.ย. พ.ค. มิ.ย. ก.ค. ส.ค. ก.ย. ต.ค. พ.ย. ธ.ค.".split()


def western_digits(text: str) -> str:
    """Return ``text`` with Thai digits replaced by 0-9."""
    return text.translate(_THAI_DIGITS)


def parse_date(text: str) -> date:
    """Read a date as Thai offices write it.

    Accepts 2026-11-21, 21/11/2026, 21-11-2569, 21/11/2569, ๒๑/๑๑/๒๕๖๙, 21 พ.ย. 2569 and
    21 พฤศจิกายน 2569. A year of 2400 or more is Buddhist Era. Two-digit years are refused,
    since 69 may be either era.

    Raises:
        ValueError: with a translated sentence that says what is expected.
    """
    cleaned = western_digits(str(text)).strip()
    match = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{2}:\d{2}(?::\d{2})?)?", cleaned)
    if match:
        year, month, day = map(int, match.groups())
    else:
        match = re.fullmatch(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})", cleaned)
        if match:
            day, month, year = map(int, match.groups())
        else:
            day, month, year = _parse_with_month_name(cleaned)
    if year >= FIRST_BUDDHIST_YEAR:
        year -= BUDDHIST_OFFSET
    if not 1900 <= year < FIRST_BUDDHIST_YEAR:
        raise ValueError(_not_a_date())
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(_not_a_date()) from None


def _parse_with_month_name(cleaned: str) -> tuple[int, int, int]:
    match = re.fullmatch(r"(\d{1,2})\s+(\S+)\s+(?:พ\.ศ\.\s*|ค\.ศ\.\s*)?(\d{4})", cleaned)
    if match:
        for months in (_MONTHS_TH, _MONTHS_TH_SHORT, _MONTHS_EN):
            if match[2] in months:
                return int(match[1]), months.index(match[2]) + 1, int(match[3])
    raise ValueError(_not_a_date())


def _not_a_date() -> str:
    return _("This is not a date. Write day/month/year with four digits of the year, such as 21/11/2569.")


def display_date(value: date | datetime, language: str | None = None) -> str:
    """Return a date for people: Thai readers see the Buddhist year, others the Common Era."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    if (language or get_language() or "").startswith("th"):
        return f"{value.day} {_MONTHS_TH[value.month - 1]} {value.year + BUDDHIST_OFFSET}"
    return f"{value.day} {_MONTHS_EN[value.month - 1]} {value.year}"


def display_month(value: date, language: str | None = None) -> str:
    """Return a month for people: Thai readers see the Buddhist year."""
    if (language or get_language() or "").startswith("th"):
        return f"{_MONTHS_TH[value.month - 1]} {value.year + BUDDHIST_OFFSET}"
    return f"{_MONTHS_EN[value.month - 1]} {value.year}"


def display_moment(value: datetime, language: str | None = None) -> str:
    """Return a day and time for people, in the platform's time zone."""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    day = display_date(local, language)
    if (language or get_language() or "").startswith("th"):
        return f"{day} {local:%H:%M} น."
    return f"{day}, {local:%H:%M}"
