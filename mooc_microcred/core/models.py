"""Tables of the core room."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One thing that a person or the system did.

    .. pii: the user id of who acted and, in details, ids of whom it concerned; no names.
    .. pii_types: id
    .. pii_retirement: retained
    """

    at = models.DateTimeField(db_index=True)
    actor_id = models.BigIntegerField(null=True, help_text=_("user id; empty when the system acted"))
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    organization = models.CharField(max_length=255, blank=True, default="")
    details = models.JSONField(default=dict)

    class Meta:
        app_label = "mooc_microcred"
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="microcred_audit_object"),
            models.Index(fields=["organization"], name="microcred_audit_org"),
        ]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.object_type} {self.object_id}"


class OutboxMessage(models.Model):
    """Something that was set in motion by a change, written in the transaction of that change.

    .. pii: the learner's user id.
    .. pii_types: id
    .. pii_retirement: local_api
    """

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        # As pending, but of a topic that the release before does not know: its relay passes it by.
        NEW = "new", _("pending, for workers of this release")
        DONE = "done", _("done")
        DEAD = "dead", _("dead letter")

    topic = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField(default=1)
    learner_id = models.BigIntegerField(null=True)
    payload = models.JSONField(default=dict)
    created = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    # When it may next be taken; pushed ahead by a claim, so that a dead worker's message comes back.
    due = models.DateTimeField()
    claim = models.CharField(max_length=32, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    done_by = models.JSONField(default=list, help_text=_("subscribers that have it"))
    last_error = models.TextField(blank=True, default="")

    class Meta:
        app_label = "mooc_microcred"
        indexes = [
            models.Index(fields=["state", "due"], name="microcred_outbox_due"),
            models.Index(fields=["learner_id"], name="microcred_outbox_learner"),
        ]
        verbose_name = _("outbox message")
        verbose_name_plural = _("outbox messages")

    def __str__(self):
        return f"{self.topic} #{self.pk} ({self.state})"


class LearnerLease(models.Model):
    """Who may write a learner's awards now.

    .. pii: the learner's user id.
    .. pii_types: id
    .. pii_retirement: local_api
    """

    learner_id = models.BigIntegerField(primary_key=True)
    token = models.CharField(max_length=32, blank=True, default="")
    expires = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"
        indexes = [models.Index(fields=["token"], name="microcred_lease_token")]

    def __str__(self):
        return f"lease of learner {self.learner_id}"


class RetiredLearner(models.Model):
    """A learner who left: late events for the id do nothing.

    .. pii: the learner's user id, kept so that nothing is made for it again.
    .. pii_types: id
    .. pii_retirement: retained
    """

    learner_id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"

    def __str__(self):
        return f"retired learner {self.learner_id}"


class LearnerIdentity(models.Model):
    """A verified identity document: encrypted, found by keyed hash, shown by its last four.

    .. pii: national ID or passport number, encrypted with MOOC_MICROCRED["ENCRYPTION_KEYS"].
    .. pii_types: id, other
    .. pii_retirement: local_api
    """

    class Kind(models.TextChoices):
        NATIONAL_ID = "national_id", _("Thai national ID")
        PASSPORT = "passport", _("passport")

    learner_id = models.BigIntegerField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    number_encrypted = models.BinaryField()
    number_hash = models.CharField(max_length=64)
    last_four = models.CharField(max_length=4)
    verified_at = models.DateTimeField()
    verified_by = models.CharField(max_length=64, help_text=_("how: thaid, officer:<user id>, platform"))
    last_needed_at = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["learner_id", "kind"], name="microcred_identity_learner"),
            models.UniqueConstraint(fields=["kind", "number_hash"], name="microcred_identity_number"),
        ]
        verbose_name = _("learner identity")
        verbose_name_plural = _("learner identities")

    def __str__(self):
        return f"{self.kind} …{self.last_four}"


class StaffRole(models.Model):
    """A role that a person holds for one organisation, or for all.

    .. pii: the user id of a member of staff.
    .. pii_types: id
    .. pii_retirement: local_api
    """

    class Role(models.TextChoices):
        PROGRAMME_OFFICER = "programme_officer", _("programme officer")
        EXAM_OFFICER = "exam_officer", _("exam officer")
        EXAM_SIGNATORY = "exam_signatory", _("second signatory of exam results")
        CREDIT_OFFICER = "credit_officer", _("credit officer")
        VERIFIER = "verifier", _("identity verifier")
        AUDITOR = "auditor", _("auditor")

    ALL = ""

    user_id = models.BigIntegerField()
    role = models.CharField(max_length=32, choices=Role.choices)
    organization = models.CharField(
        max_length=255, blank=True, default=ALL, help_text=_("short name; empty means all organisations")
    )

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["user_id", "role", "organization"], name="microcred_staff_role")
        ]
        verbose_name = _("staff role")
        verbose_name_plural = _("staff roles")

    def __str__(self):
        return f"{self.user_id} {self.role} {self.organization or '*'}"


class Heartbeat(models.Model):
    """When a recurring job last ran, for the doctor.

    .. no_pii:
    """

    name = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField()
    details = models.JSONField(default=dict)

    class Meta:
        app_label = "mooc_microcred"

    def __str__(self):
        return f"{self.name} {self.at}"
