"""Cohorts: months of enrolment, put together to quarters, terms and years, with names for people."""

from __future__ import annotations

from datetime import date

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.dates import BUDDHIST_OFFSET, display_month
from mooc_microcred.reporting.data import By

# Enrolments without a date have that of the platform's port.
NO_DATE = date(1970, 1, 1)


def period_of(month: date, by: By) -> date:
    """Return the first month of the period in which a month lies."""
    if by == By.YEAR:
        return month.replace(month=1)
    if by == By.QUARTER:
        return month.replace(month=3 * ((month.month - 1) // 3) + 1)
    if by == By.TERM:
        begins = microcred_settings.FUNNEL_TERMS
        before = [one for one in begins if one <= month.month]
        return (
            month.replace(month=max(before))
            if before
            else month.replace(year=month.year - 1, month=max(begins))
        )
    return month


def name_of_period(first: date, by: By) -> str:
    """Return a period for people: Thai readers see the Buddhist year."""
    if first <= NO_DATE:
        return _("without a date")
    if by == By.MONTH:
        return display_month(first)
    if by == By.QUARTER:
        return _("quarter %(number)d of %(year)d") % {
            "number": (first.month + 2) // 3,
            "year": _shown(first.year),
        }
    if by == By.TERM:
        begins = microcred_settings.FUNNEL_TERMS
        number = begins.index(first.month) + 1 if first.month in begins else 0
        # A term before the first one of the calendar year belongs to the academic year before.
        year = first.year if first.month >= begins[0] else first.year - 1
        return _("term %(number)d/%(year)d") % {"number": number, "year": _shown(year)}
    return str(_shown(first.year))


def _shown(year: int) -> int:
    return year + BUDDHIST_OFFSET if (get_language() or "").startswith("th") else year


def months_between(first: date, last: date) -> list[date]:
    """Return the first day of each month from one to another, both included; not those without a date."""
    first = first if first > NO_DATE else last
    start, end = (one.year * 12 + one.month - 1 for one in (first, last))
    return [date(place // 12, place % 12 + 1, 1) for place in range(start, end + 1)]
