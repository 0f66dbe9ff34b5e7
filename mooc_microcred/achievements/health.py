"""What the doctor asks of the achievements room."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from mooc_microcred.achievements.models import AchievementVersion, EvaluationRequest, Feed
from mooc_microcred.core.doctor import Finding, Level, queue_findings


def probe_evaluation() -> Iterable[Finding]:
    """Say what can be earned, and what waits to be evaluated."""
    active = AchievementVersion.objects.filter(state=AchievementVersion.State.ACTIVE).count()
    yield Finding(
        "evaluation.catalogue",
        Level.FINE if active else Level.WARNING,
        _("Active achievements: %(count)d.") % {"count": active},
        "" if active else _("Load a catalogue: manage.py lms microcred_catalogue load FILE"),
        {"active": active},
    )
    yield from queue_findings(
        "evaluation.queue", name=_("Evaluation requests"), waiting=EvaluationRequest.objects.all()
    )
    yield from queue_findings(
        "evaluation.feeds",
        name=_("Feeds"),
        waiting=Feed.objects.filter(finished_at__isnull=True),
        due="not_before",
    )
