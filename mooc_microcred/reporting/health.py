"""What the doctor asks of the reporting room."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils.translation import gettext as _

from mooc_microcred.core import clock
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.doctor import Finding, Level, age_in_words
from mooc_microcred.reporting.refreshing import latest_refresh


def probe_figures() -> Iterable[Finding]:
    """Say how old the programme office's figures are."""
    hours = microcred_settings.FUNNEL_REFRESH_HOURS
    newest = latest_refresh()
    if newest is None:
        message = _("The figures of the programme office have not been counted yet.")
        hint = "" if hours is None else _("The sweeper counts them: run microcred_sweep --loop.")
        yield Finding("figures.age", Level.NOTE, message, hint, {"age_seconds": None})
        return
    age = clock.now() - newest.as_of
    # A walk over millions of enrolments takes its time; two missed ones in a row are worth a look.
    late = hours is not None and age > timedelta(hours=2 * hours)
    yield Finding(
        "figures.age",
        Level.WARNING if late else Level.FINE,
        _("The figures of the programme office: %(age)s old, of %(count)d enrolments.")
        % {"age": age_in_words(age), "count": newest.enrolments},
        _("The sweeper counts them: run microcred_sweep --loop.") if late else "",
        {"age_seconds": int(age.total_seconds()), "enrolments": newest.enrolments},
    )
