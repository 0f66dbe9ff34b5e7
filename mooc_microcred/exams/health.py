"""What the doctor asks of the exams room."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils.translation import gettext as _

from mooc_microcred.core import clock
from mooc_microcred.core.doctor import Finding, Level
from mooc_microcred.exams.models import ExamBatch

# Candidates wait for a person here, not for a machine.
WAITS_FOR_A_PERSON = timedelta(days=7)


def probe_batches() -> Iterable[Finding]:
    """Say how many batches wait for a signature or for release, and for how long."""
    waiting = ExamBatch.objects.filter(state__in=[ExamBatch.State.IMPORTED, ExamBatch.State.SIGNED])
    count = waiting.count()
    old = waiting.filter(uploaded_at__lt=clock.now() - WAITS_FOR_A_PERSON).count()
    yield Finding(
        "exams.waiting",
        Level.WARNING if old else Level.FINE,
        _("Batches of exam results that wait for a signature or for release: %(count)d.") % {"count": count},
        _("%(old)d of them for more than a week.") % {"old": old} if old else "",
        {"waiting": count, "older_than_a_week": old},
    )
