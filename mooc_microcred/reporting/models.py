"""Tables of the reporting room: figures only, of nobody in particular."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class FunnelRefresh(models.Model):
    """A resumable walk over the platform's enrolments that counts who has come how far.

    .. no_pii:
    """

    as_of = models.DateTimeField(help_text=_("the moment for which its figures are right"))
    catalogue = models.CharField(max_length=36, help_text=_("token of the catalogue by which it counts"))
    after = models.BigIntegerField(default=0, help_text=_("highest learner id that was counted"))
    enrolments = models.PositiveBigIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True, default="")
    claimed_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        app_label = "mooc_microcred"
        verbose_name = _("refresh of the figures")
        verbose_name_plural = _("refreshes of the figures")

    def __str__(self):
        return f"figures of {self.as_of:%Y-%m-%d %H:%M} after {self.after}"


class FunnelFigure(models.Model):
    """How many learners of a cohort have reached a step, and since when others of them stand there.

    A walk writes its figures part by part; when it is finished there is one part. A reader adds them up.

    .. no_pii: counts only.
    """

    # The part that a finished walk is put together to.
    WHOLE = -1

    refresh = models.ForeignKey(FunnelRefresh, on_delete=models.CASCADE, related_name="figures")
    part = models.BigIntegerField(
        help_text=_("after which learner the part begins; -1 when it is the only one")
    )
    code = models.SlugField(
        max_length=64, db_index=False, help_text=_("of a course's Level 1, or of a programme")
    )
    kind = models.CharField(max_length=16)
    organization = models.CharField(max_length=255)
    month = models.DateField(help_text=_("first day of the month of enrolment"))
    step = models.CharField(max_length=16)
    last = models.BooleanField(help_text=_("whether no step follows"))
    reached = models.PositiveIntegerField()
    # Learners who stand here, by the days since when.
    days_0 = models.PositiveIntegerField(default=0)
    days_7 = models.PositiveIntegerField(default=0)
    days_14 = models.PositiveIntegerField(default=0)
    days_30 = models.PositiveIntegerField(default=0)
    days_60 = models.PositiveIntegerField(default=0)
    days_90 = models.PositiveIntegerField(default=0)
    days_180 = models.PositiveIntegerField(default=0)
    days_365 = models.PositiveIntegerField(default=0)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(
                fields=["refresh", "kind", "code", "month", "step", "part"], name="microcred_figure_once"
            )
        ]
        verbose_name = _("figure of the funnel")
        verbose_name_plural = _("figures of the funnel")

    def __str__(self):
        return f"{self.code} {self.month:%Y-%m} {self.step}: {self.reached}"
