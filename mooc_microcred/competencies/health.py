"""What the doctor asks of the competencies room."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from mooc_microcred.competencies.models import CourseSync
from mooc_microcred.core.doctor import Finding, Level, queue_findings


def probe_courses() -> Iterable[Finding]:
    """Say which courses wait for their tags to be read, and which could not be read."""
    yield from queue_findings(
        "competencies.sync",
        name=_("Courses whose competency tags are to be read"),
        waiting=CourseSync.objects.filter(due__isnull=False),
    )
    failing = list(
        CourseSync.objects.exclude(last_error="")
        .order_by("course_key")
        .values_list("course_key", flat=True)[:5]
    )
    if failing:
        yield Finding(
            "competencies.unreadable",
            Level.WARNING,
            _("Courses that could not be read for their competency tags: %(courses)s")
            % {"courses": ", ".join(failing)},
            _("They are tried again by themselves. The log of the workers says what is wrong."),
            {"courses": failing},
        )
