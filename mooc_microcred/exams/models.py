"""Tables of the exams room. An exam itself is part of its Level 2 achievement's definition."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from mooc_microcred.achievements.models import Achievement, new_uuid
from mooc_microcred.core.dbcompat import check_constraint


class ExamAdmission(models.Model):
    """A learner admitted to an exam, under the number that the exam centre knows.

    .. pii: the learner's user id and admission number.
    .. pii_types: id
    .. pii_retirement: local_api
    """

    exam_code = models.SlugField(max_length=64)
    organization = models.CharField(max_length=255)
    number = models.CharField(max_length=64)
    learner_id = models.BigIntegerField(db_index=True)
    created = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["exam_code", "number"], name="microcred_admission_number"),
            models.UniqueConstraint(fields=["exam_code", "learner_id"], name="microcred_admission_learner"),
        ]
        verbose_name = _("exam admission")
        verbose_name_plural = _("exam admissions")

    def __str__(self):
        return f"{self.exam_code} {self.number}"


class ExamBatch(models.Model):
    """A file of results from an exam centre, from upload to release.

    .. pii: ids of the officers; the file in the private storage names candidates.
    .. pii_types: id, other
    .. pii_retirement: local_api
    """

    class State(models.TextChoices):
        INVALID = "invalid", _("has wrong rows, nothing imported")
        IMPORTED = "imported", _("imported, waiting for the second signature")
        SIGNED = "signed", _("signed by a second person")
        RELEASED = "released", _("released")
        SUPERSEDED = "superseded", _("superseded by a correction")
        CANCELLED = "cancelled", _("cancelled")

    # What is imported and neither superseded nor given up.
    STANDING = (State.IMPORTED, State.SIGNED, State.RELEASED)

    uuid = models.CharField(max_length=36, unique=True, default=new_uuid)
    exam_code = models.SlugField(max_length=64, db_index=True)
    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="+")
    organization = models.CharField(max_length=255, db_index=True)
    state = models.CharField(max_length=12, choices=State.choices)
    # True or NULL (cancelled): the same file is taken once per exam.
    live = models.BooleanField(null=True, default=True)
    file_name = models.CharField(max_length=255, help_text=_("as uploaded"))
    stored_as = models.CharField(max_length=255, blank=True, default="")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(help_text=_("bytes"))
    rows_total = models.PositiveIntegerField(default=0)
    rows_wrong = models.PositiveIntegerField(default=0)
    only_right_rows = models.BooleanField(default=False)
    problems = models.JSONField(default=list, help_text=_("wrong rows: row, column, value, code, parameters"))
    ignored_columns = models.JSONField(default=list, help_text=_("headings of columns that were not read"))
    uploaded_by = models.BigIntegerField()
    uploaded_at = models.DateTimeField()
    signed_by = models.BigIntegerField(null=True)
    signed_at = models.DateTimeField(null=True)
    released_by = models.BigIntegerField(null=True)
    released_at = models.DateTimeField(null=True)
    supersedes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="superseded_by")
    reason = models.TextField(blank=True, default="", help_text=_("why it corrects or was cancelled"))
    file_deleted_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["exam_code", "sha256", "live"], name="microcred_batch_file"),
            check_constraint(
                name="microcred_batch_second_person",
                condition=models.Q(signed_by__isnull=True) | ~models.Q(signed_by=models.F("uploaded_by")),
            ),
            check_constraint(
                name="microcred_batch_released_signed",
                condition=~models.Q(state__in=["signed", "released", "superseded"])
                | models.Q(signed_by__isnull=False),
            ),
        ]
        verbose_name = _("batch of exam results")
        verbose_name_plural = _("batches of exam results")

    def __str__(self):
        return f"{self.exam_code} {self.file_name} ({self.state})"


class ExamResult(models.Model):
    """One candidate's result in a batch. Never changed; a correction is a row of a later batch.

    .. pii: the learner's user id and result.
    .. pii_types: id, other
    .. pii_retirement: local_api
    """

    class Status(models.TextChoices):
        SAT = "sat", _("sat the exam")
        ABSENT = "absent", _("absent")
        VOID = "void", _("void for irregularity")

    batch = models.ForeignKey(ExamBatch, on_delete=models.PROTECT, related_name="results")
    exam_code = models.SlugField(max_length=64)
    learner_id = models.BigIntegerField()
    row = models.PositiveIntegerField(help_text=_("row of the file, counted from 1 with the header"))
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.SAT)
    sat_on = models.DateField()
    # Six digits before the point, as in the catalogue.
    score = models.DecimalField(max_digits=9, decimal_places=3, null=True)
    max_score = models.DecimalField(max_digits=9, decimal_places=3)
    percent = models.DecimalField(max_digits=7, decimal_places=4, null=True, help_text=_("0-100"))
    centre = models.CharField(max_length=128, blank=True, default="")

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["batch", "learner_id", "sat_on"], name="microcred_result_once")
        ]
        indexes = [models.Index(fields=["learner_id", "exam_code"], name="microcred_result_learner")]
        verbose_name = _("exam result")
        verbose_name_plural = _("exam results")

    def __str__(self):
        return f"{self.exam_code} row {self.row} of batch {self.batch_id}"
