"""Tables of the achievements room."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


def new_uuid() -> str:
    """Return a random UUID as 36 characters."""
    return str(uuid.uuid4())


class Issuer(models.Model):
    """Who awards: a university or the platform itself, with its language-tagged profile.

    .. no_pii:
    """

    code = models.SlugField(max_length=64, unique=True)
    organization = models.CharField(max_length=255, db_index=True, help_text=_("short name on the platform"))
    definition = models.JSONField(help_text=_("as in the catalogue's YAML"))

    class Meta:
        app_label = "mooc_microcred"
        verbose_name = _("issuer")
        verbose_name_plural = _("issuers")

    def __str__(self):
        return self.code


class Achievement(models.Model):
    """Something that can be earned, across all versions of its definition.

    .. no_pii:
    """

    class Kind(models.TextChoices):
        LEVEL_1 = "level1", _("Level 1: completion")
        LEVEL_2 = "level2", _("Level 2: achievement")
        COMPETENCY = "competency", _("demonstrated competency")
        PROGRAMME = "programme", _("programme")

    code = models.SlugField(max_length=64, unique=True)
    organization = models.CharField(max_length=255, db_index=True, help_text=_("short name on the platform"))
    kind = models.CharField(max_length=16, choices=Kind.choices)
    created = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"
        verbose_name = _("achievement")
        verbose_name_plural = _("achievements")

    def __str__(self):
        return self.code


class AchievementVersion(models.Model):
    """One version of a definition. It is never changed once it has been activated.

    .. no_pii:
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        ACTIVE = "active", _("active")
        RETIRED = "retired", _("retired")

    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="+")
    definition = models.JSONField(help_text=_("as in the catalogue's YAML"))
    activated_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["achievement", "number"], name="microcred_version_number")
        ]
        indexes = [models.Index(fields=["state"], name="microcred_version_state")]
        verbose_name = _("version of an achievement")
        verbose_name_plural = _("versions of achievements")

    def __str__(self):
        return f"{self.achievement} v{self.number}"


class CatalogueRevision(models.Model):
    """One row whose token changes with every change of what is active, so that processes notice.

    .. no_pii:
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    token = models.CharField(max_length=36, default=new_uuid)

    class Meta:
        app_label = "mooc_microcred"

    def __str__(self):
        return self.token


class CourseRequirement(models.Model):
    """Which courses the active versions look at, derived from their definitions: the receivers' set.

    Either ``organization`` and ``number`` (any run) or ``course_key`` (that run).

    .. no_pii:
    """

    version = models.ForeignKey(AchievementVersion, on_delete=models.CASCADE, related_name="courses")
    organization = models.CharField(max_length=255, blank=True, default="")
    number = models.CharField(max_length=255, blank=True, default="")
    course_key = models.CharField(max_length=255, blank=True, default="")
    needs_completion = models.BooleanField(default=False)

    class Meta:
        app_label = "mooc_microcred"
        indexes = [models.Index(fields=["course_key"], name="microcred_course_key")]

    def __str__(self):
        return self.course_key or f"{self.organization}+{self.number}"


class RunOffer(models.Model):
    """A re-run of a course that an achievement names by a list of runs: offered for adoption.

    .. no_pii:
    """

    class State(models.TextChoices):
        OFFERED = "offered", _("offered")
        ADOPTED = "adopted", _("adopted")
        DECLINED = "declined", _("declined")

    achievement = models.ForeignKey(Achievement, on_delete=models.CASCADE, related_name="run_offers")
    course_key = models.CharField(max_length=255)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OFFERED)
    offered_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.BigIntegerField(null=True, blank=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["achievement", "course_key"], name="microcred_run_offer")
        ]
        verbose_name = _("offered re-run")
        verbose_name_plural = _("offered re-runs")

    def __str__(self):
        return f"{self.achievement} {self.course_key} {self.state}"


class EvaluationRequest(models.Model):
    """A hint that a learner's state may have changed. Append-only for receivers.

    No unique secondary index and no foreign key, so that the INSERT inside the platform's own
    transaction can neither deadlock nor fail on somebody else's row.

    .. pii: the learner's user id.
    .. pii_types: id
    .. pii_retirement: local_api
    """

    learner_id = models.BigIntegerField()
    course_key = models.CharField(
        max_length=255, blank=True, default="", help_text=_("empty: whatever the learner is enrolled in")
    )
    reason = models.CharField(max_length=64)
    not_before = models.DateTimeField()
    # When a worker may next take the row: not_before, pushed ahead by each claim.
    due = models.DateTimeField()
    claim = models.CharField(max_length=32, blank=True, default="")

    class Meta:
        app_label = "mooc_microcred"
        indexes = [
            models.Index(fields=["due"], name="microcred_request_due"),
            models.Index(fields=["learner_id"], name="microcred_request_learner"),
        ]

    def __str__(self):
        return f"{self.reason} learner {self.learner_id} {self.course_key}"


class Feed(models.Model):
    """A resumable walk that appends evaluation requests for everybody concerned, chunk by chunk.

    .. no_pii:
    """

    reason = models.CharField(max_length=64)
    version = models.ForeignKey(AchievementVersion, null=True, on_delete=models.CASCADE, related_name="+")
    course_key = models.CharField(max_length=255, blank=True, default="")
    created = models.DateTimeField()
    not_before = models.DateTimeField(db_index=True)
    after_learner = models.BigIntegerField(default=0, help_text=_("highest learner id that was fed"))
    fed = models.PositiveBigIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True, default="")
    claimed_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        app_label = "mooc_microcred"

    def __str__(self):
        return f"{self.reason} {self.course_key or self.version} after {self.after_learner}"


class Backfill(models.Model):
    """A resumable walk over the platform's certificates that makes their Level 1 awards, page by page.

    .. no_pii:
    """

    course_keys = models.JSONField(help_text=_("runs whose certificates are concerned"))
    announce = models.BooleanField(help_text=_("whether each learner is told"))
    created = models.DateTimeField()
    after = models.BigIntegerField(default=0, help_text=_("the platform's key of the last certificate done"))
    examined = models.PositiveBigIntegerField(default=0)
    issued = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"
        verbose_name = _("backfill")
        verbose_name_plural = _("backfills")

    def __str__(self):
        return f"backfill {self.pk} after {self.after}"


class Award(models.Model):
    """An achievement earned by a learner, with the version and the evidence it was judged by.

    ``live`` is True or NULL: with NULLs being distinct, the constraint allows one live award per
    learner and achievement on MySQL too, which has no partial unique index.

    .. pii: the learner's user id; the evidence snapshot holds results, no names.
    .. pii_types: id, other
    .. pii_retirement: local_api
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("valid")
        SUSPENDED = "suspended", _("suspended")
        REVOKED = "revoked", _("revoked")
        EXPIRED = "expired", _("expired")

    uuid = models.CharField(max_length=36, unique=True, default=new_uuid)
    learner_id = models.BigIntegerField()
    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="awards")
    version = models.ForeignKey(AchievementVersion, on_delete=models.PROTECT, related_name="awards")
    live = models.BooleanField(null=True, default=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    course_key = models.CharField(max_length=255, blank=True, default="")
    evidence = models.JSONField(default=dict)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    # When it became visible; NULL while the platform does not yet show the mirrored certificate.
    published_at = models.DateTimeField(null=True)
    suspended_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=64, blank=True, default="", help_text=_("code of the last change"))

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["learner_id", "achievement", "live"], name="microcred_award_live")
        ]
        indexes = [
            models.Index(fields=["achievement", "state"], name="microcred_award_state"),
            # The numbers of a course run, counted without reading a row.
            models.Index(fields=["course_key", "achievement", "state"], name="microcred_award_run"),
        ]
        verbose_name = _("award")
        verbose_name_plural = _("awards")

    def __str__(self):
        return self.uuid


class AwardEvent(models.Model):
    """The history of an award: rows are added, never changed.

    .. pii: user ids of staff who decided.
    .. pii_types: id
    .. pii_retirement: retained
    """

    class Kind(models.TextChoices):
        ISSUED = "issued", _("issued")
        PUBLISHED = "published", _("published")
        SUSPENDED = "suspended", _("suspended")
        REINSTATED = "reinstated", _("reinstated")
        CORRECTED = "corrected", _("corrected")
        EXPIRED = "expired", _("expired")
        REVOKED = "revoked", _("revoked")

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField()
    reason = models.CharField(max_length=64, blank=True, default="")
    note = models.TextField(blank=True, default="", help_text=_("the words of the person who decided"))
    actor_id = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)

    class Meta:
        app_label = "mooc_microcred"
        verbose_name = _("event of an award")
        verbose_name_plural = _("events of awards")

    def __str__(self):
        return f"{self.award_id} {self.kind} {self.reason}"


class CertificateAsk(models.Model):
    """That the platform was asked for a certificate, or why it was not; one row, rewritten.

    .. pii: the learner's user id.
    .. pii_types: id
    .. pii_retirement: local_api
    """

    learner_id = models.BigIntegerField()
    course_key = models.CharField(max_length=255)
    asked_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=64, blank=True, default="")
    checked_at = models.DateTimeField()
    # Attempts in a row with the same outcome, and when time alone leads to the next; NULL in rows
    # that an earlier release wrote.
    attempts = models.PositiveSmallIntegerField(null=True)
    ask_again_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["learner_id", "course_key"], name="microcred_certificate_ask")
        ]
        indexes = [models.Index(fields=["course_key", "refusal"], name="microcred_ask_course")]
        verbose_name = _("request for a certificate")
        verbose_name_plural = _("requests for certificates")

    def __str__(self):
        return f"{self.learner_id} {self.course_key} {self.refusal or 'asked'}"
