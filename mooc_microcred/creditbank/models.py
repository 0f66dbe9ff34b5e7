"""Tables of the creditbank room. Banks themselves are settings: MOOC_MICROCRED["BANKS"]."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from mooc_microcred.achievements.models import Award, new_uuid
from mooc_microcred.core.dbcompat import check_constraint


class Consent(models.Model):
    """A learner's consent to send their credit to one bank: given, perhaps withdrawn, never edited.

    The credit data belongs to the learner and any action follows the learner's wish (credit bank
    notice B.E. 2565, clause 5(4); PDPA s. 19).

    .. pii: the learner's user id and decision.
    .. pii_types: id, other
    .. pii_retirement: retained
    """

    learner_id = models.BigIntegerField()
    bank = models.SlugField(max_length=64)
    # True or NULL (withdrawn): one live consent per learner and bank.
    live = models.BooleanField(null=True, default=True)
    text_version = models.CharField(max_length=32)
    language = models.CharField(max_length=8)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["learner_id", "bank", "live"], name="microcred_consent_live")
        ]
        verbose_name = _("consent")
        verbose_name_plural = _("consents")

    def __str__(self):
        return f"{self.bank} learner {self.learner_id}"


class CreditRecord(models.Model):
    """The credit that an award is worth to one bank: one per award.

    It states the method of assessment and no letter grade and no grade point, as credit from
    non-formal learning must (credit bank notice B.E. 2565, clause 7(2)).

    .. pii: the learner's user id.
    .. pii_types: id
    .. pii_retirement: local_api
    """

    class State(models.TextChoices):
        WAITING_CONSENT = "waiting_consent", _("waits for the learner's consent")
        WAITING_IDENTITY = "waiting_identity", _("waits for a verified identity")
        HELD = "held", _("held back while the award is suspended")
        SENDING = "sending", _("being sent")
        DEPOSITED = "deposited", _("deposited")
        REVERSING = "reversing", _("being taken back")
        REVERSED = "reversed", _("taken back")
        CANCELLED = "cancelled", _("cancelled before it was sent")
        FAILED = "failed", _("refused by the bank")

    uuid = models.CharField(max_length=36, unique=True, default=new_uuid)
    award = models.OneToOneField(Award, on_delete=models.PROTECT, related_name="credit_record")
    learner_id = models.BigIntegerField(db_index=True)
    organization = models.CharField(max_length=255, db_index=True)
    bank = models.SlugField(max_length=64)
    state = models.CharField(max_length=20, choices=State.choices)
    method_code = models.CharField(max_length=2)
    credits = models.DecimalField(max_digits=6, decimal_places=2)
    hours = models.DecimalField(max_digits=7, decimal_places=2)
    created = models.DateTimeField()
    changed = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"
        indexes = [models.Index(fields=["state", "bank"], name="microcred_record_state")]
        constraints = [
            check_constraint(
                name="microcred_record_method",
                condition=models.Q(method_code__in=["CS", "CN", "CT", "CP", "CE"]),
            )
        ]
        verbose_name = _("credit record")
        verbose_name_plural = _("credit records")

    def __str__(self):
        return self.uuid


class Delivery(models.Model):
    """One thing told to a bank about a record, in order, until the bank's receipt is there.

    .. pii: the sealed body is the encrypted message; it is wiped when the receipt is there.
    .. pii_types: id, name, other
    .. pii_retirement: local_api
    """

    class Kind(models.TextChoices):
        DEPOSIT = "deposit", _("deposit")
        REPLACE = "replace", _("replacement")
        REVERSE = "reverse", _("reversal")

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        SENT = "sent", _("sent, waiting for the receipt")
        ACKNOWLEDGED = "acknowledged", _("receipt is there")
        CANCELLED = "cancelled", _("cancelled before it was sent")
        DEAD = "dead", _("dead letter")

    record = models.ForeignKey(CreditRecord, on_delete=models.PROTECT, related_name="deliveries")
    bank = models.SlugField(max_length=64)
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=14, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=64, blank=True, default="")
    # Fingerprint of what the award said when the body was sealed: another one needs a replacement.
    content_sha256 = models.CharField(max_length=64, blank=True, default="")
    key = models.CharField(max_length=36, unique=True, default=new_uuid, help_text=_("idempotency key"))
    sealed_body = models.BinaryField(null=True)
    body_sha256 = models.CharField(max_length=64, blank=True, default="")
    # Which drop of files it belongs to, persisted before the first byte is written.
    drop_file = models.CharField(max_length=255, blank=True, default="", db_index=True)
    # When a worker may next take it; NULL while it waits for something else than time (an earlier
    # delivery of the record, a reinstatement, a receipt that the bank leaves in its own time).
    due = models.DateTimeField(null=True)
    claim = models.CharField(max_length=32, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    receipt = models.CharField(max_length=255, blank=True, default="")
    created = models.DateTimeField()
    # Set before the first byte leaves, NULL again when the bank surely has nothing: where it is
    # set and there is no receipt, the bank may have the message.
    sent_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(
        null=True, help_text=_("when the bank took it over without giving a receipt yet")
    )
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["record", "bank", "sequence"], name="microcred_delivery_order")
        ]
        indexes = [models.Index(fields=["state", "due"], name="microcred_delivery_due")]
        verbose_name = _("delivery to a bank")
        verbose_name_plural = _("deliveries to a bank")

    def __str__(self):
        return f"{self.kind} {self.sequence} of {self.record_id} ({self.state})"
