"""Tables of the competencies room."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


def new_uuid() -> str:
    """Return a random UUID as 36 characters."""
    return str(uuid.uuid4())


class Framework(models.Model):
    """A framework of competencies: a CFDocument of CASE 1.1.

    .. no_pii:
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        RETIRED = "retired", _("retired")

    identifier = models.CharField(max_length=36, unique=True)
    uri = models.CharField(max_length=500, blank=True, default="", help_text=_("empty: our address"))
    title_th = models.CharField(max_length=500, blank=True, default="")
    title_en = models.CharField(max_length=500, blank=True, default="")
    creator = models.CharField(max_length=500, blank=True, default="")
    organization = models.CharField(max_length=255, db_index=True, help_text=_("short name on the platform"))
    version = models.CharField(max_length=64, blank=True, default="")
    language = models.CharField(max_length=16, blank=True, default="th")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    revision = models.CharField(max_length=36, default=new_uuid, help_text=_("changes with every change"))
    # What CASE has and we do not model, kept so that an export gives back what an import brought.
    document = models.JSONField(default=dict)
    definitions = models.JSONField(default=dict)
    rubrics = models.JSONField(default=list)
    taxonomy = models.CharField(
        max_length=255, blank=True, default="", help_text=_("export id of the platform's taxonomy")
    )
    changed = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"
        indexes = [models.Index(fields=["taxonomy"], name="microcred_framework_taxonomy")]
        verbose_name = _("competency framework")
        verbose_name_plural = _("competency frameworks")

    def __str__(self):
        return self.title_th or self.title_en or self.identifier


class Competency(models.Model):
    """A competency: a CFItem of CASE 1.1. Never deleted, only retired.

    .. no_pii:
    """

    class Domain(models.TextChoices):
        KNOWLEDGE = "knowledge", _("knowledge")
        SKILLS = "skills", _("skills")
        ETHICS = "ethics", _("ethics")
        CHARACTER = "character", _("character")

    class Miller(models.TextChoices):
        KNOWS = "knows", _("knows")
        KNOWS_HOW = "knows_how", _("knows how")
        SHOWS_HOW = "shows_how", _("shows how")
        DOES = "does", _("does")

    framework = models.ForeignKey(Framework, on_delete=models.PROTECT, related_name="items")
    identifier = models.CharField(max_length=36)
    uri = models.CharField(max_length=500, blank=True, default="")
    code = models.CharField(max_length=128, blank=True, default="")
    statement_th = models.TextField(blank=True, default="")
    statement_en = models.TextField(blank=True, default="")
    domain = models.CharField(max_length=16, blank=True, default="", choices=Domain.choices)
    miller = models.CharField(max_length=16, blank=True, default="", choices=Miller.choices)
    nqf_level = models.PositiveSmallIntegerField(null=True, blank=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    # Place in the tree, read from the top down, and what the tree shows without asking again.
    ordinal = models.PositiveIntegerField(default=0)
    depth = models.PositiveSmallIntegerField(default=0)
    child_count = models.PositiveIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)
    # Identifiers and not a key: the successor may stand in another framework.
    successor_framework = models.CharField(max_length=36, blank=True, default="")
    successor_item = models.CharField(max_length=36, blank=True, default="")
    # Casefolded code and statements, for one search that needs no index on either.
    search = models.TextField(blank=True, default="")
    extras = models.JSONField(default=dict)
    changed = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["framework", "identifier"], name="microcred_competency_item")
        ]
        indexes = [
            models.Index(fields=["identifier"], name="microcred_competency_ident"),
            models.Index(fields=["framework", "ordinal"], name="microcred_competency_order"),
            models.Index(fields=["successor_item"], name="microcred_competency_succ"),
        ]
        verbose_name = _("competency")
        verbose_name_plural = _("competencies")

    def __str__(self):
        return self.code or self.identifier


class Association(models.Model):
    """What an item is to another one, here or elsewhere: a CFAssociation of CASE 1.1.

    .. no_pii:
    """

    framework = models.ForeignKey(Framework, on_delete=models.PROTECT, related_name="associations")
    identifier = models.CharField(max_length=36)
    uri = models.CharField(max_length=500, blank=True, default="")
    kind = models.CharField(max_length=64)
    origin = models.CharField(max_length=255, help_text=_("identifier"))
    origin_uri = models.CharField(max_length=500, blank=True, default="")
    destination = models.CharField(max_length=255, help_text=_("identifier"))
    destination_uri = models.CharField(max_length=500, blank=True, default="")
    sequence = models.IntegerField(null=True, blank=True)
    extras = models.JSONField(default=dict)
    changed = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["framework", "identifier"], name="microcred_association_ident")
        ]
        indexes = [
            models.Index(fields=["origin"], name="microcred_association_from"),
            models.Index(fields=["destination"], name="microcred_association_to"),
        ]
        verbose_name = _("association of competencies")
        verbose_name_plural = _("associations of competencies")

    def __str__(self):
        return f"{self.origin} {self.kind} {self.destination}"


class FrameworkImport(models.Model):
    """A framework that was read from a file and compared; committing does exactly what was shown.

    .. pii: the user id of the member of staff who read it.
    .. pii_types: id
    .. pii_retirement: retained
    """

    token = models.CharField(max_length=36, primary_key=True, default=new_uuid)
    framework = models.CharField(max_length=36)
    organization = models.CharField(max_length=255)
    revision = models.CharField(max_length=36, blank=True, default="", help_text=_("compared with"))
    # What was read, as compressed JSON.
    content = models.BinaryField()
    created = models.DateTimeField(db_index=True)
    created_by = models.BigIntegerField(null=True)
    committed_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"

    def __str__(self):
        return f"{self.framework} {self.created:%Y-%m-%d %H:%M}"


class MasteryCriteria(models.Model):
    """A version of the criteria by which a competency is judged. Never changed, only followed by another.

    ``live`` is True or NULL, so that one version is in force on MySQL too.

    .. no_pii:
    """

    framework = models.ForeignKey(Framework, on_delete=models.PROTECT, related_name="criteria")
    item = models.CharField(
        max_length=36, blank=True, default="", help_text=_("identifier; empty: every item without its own")
    )
    number = models.PositiveIntegerField()
    live = models.BooleanField(null=True, default=True)
    rule = models.JSONField()
    activated_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["framework", "item", "number"], name="microcred_mastery_number"),
            models.UniqueConstraint(fields=["framework", "item", "live"], name="microcred_mastery_live"),
        ]
        verbose_name = _("mastery criteria")
        verbose_name_plural = _("mastery criteria")

    def __str__(self):
        return f"{self.framework} {self.item} v{self.number}"


class ContentTag(models.Model):
    """That content of a course teaches, practises or assesses a competency, and who says so.

    Identifiers and no keys: a course may bring competencies that are not known here (yet).

    .. no_pii:
    """

    class Source(models.TextChoices):
        OLX = "olx", _("block")
        TAXONOMY = "taxonomy", _("tag drawer")

    class Relation(models.TextChoices):
        TEACHES = "teaches", _("teaches")
        PRACTISES = "practises", _("practises")
        ASSESSES = "assesses", _("assesses")

    # Of course, source, said_by, usage_key, relation, framework and item: an index on those is too long.
    digest = models.CharField(max_length=32, unique=True)
    course_key = models.CharField(max_length=255)
    source = models.CharField(max_length=10, choices=Source.choices)
    said_by = models.CharField(max_length=255)
    usage_key = models.CharField(max_length=255, help_text=_("what it covers"))
    unit = models.CharField(max_length=255, blank=True, default="", help_text=_("that it lies in"))
    relation = models.CharField(max_length=10, choices=Relation.choices)
    framework = models.CharField(max_length=36)
    item = models.CharField(max_length=36)
    weight = models.DecimalField(max_digits=9, decimal_places=3, default=1)
    # Scored content behind it, as [usage key, block type]: what evidence is read of.
    pieces = models.JSONField(default=list)

    class Meta:
        app_label = "mooc_microcred"
        indexes = [
            models.Index(fields=["course_key", "relation"], name="microcred_tag_course"),
            models.Index(fields=["framework", "item"], name="microcred_tag_competency"),
        ]
        verbose_name = _("competency tag")
        verbose_name_plural = _("competency tags")

    def __str__(self):
        return f"{self.usage_key} {self.relation} {self.item}"


class CourseSync(models.Model):
    """Whether a course's tags must be read again, and what the course looked like when they were read.

    ``due`` is NULL for a course that is up to date. ``mark`` changes with every reason to read it
    again, so that one that comes while it is being read is not forgotten.

    .. no_pii:
    """

    course_key = models.CharField(max_length=255, unique=True)
    reason = models.CharField(max_length=64, blank=True, default="")
    mark = models.CharField(max_length=36, default=new_uuid)
    due = models.DateTimeField(null=True, db_index=True)
    claim = models.CharField(max_length=32, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=255, blank=True, default="")
    # When the course was last said to be published; NULL once that has been read.
    published_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    version = models.CharField(max_length=64, blank=True, default="")
    units = models.JSONField(default=list)

    class Meta:
        app_label = "mooc_microcred"
        verbose_name = _("synchronisation of a course")
        verbose_name_plural = _("synchronisation of courses")

    def __str__(self):
        return self.course_key


class LearnerEvidence(models.Model):
    """A scored piece of content by which a learner shows a competency, as it was last read.

    .. pii: the learner's user id and a score.
    .. pii_types: id, other
    .. pii_retirement: local_api
    """

    learner_id = models.BigIntegerField()
    framework = models.CharField(max_length=36)
    item = models.CharField(max_length=36)
    course_key = models.CharField(max_length=255)
    usage_key = models.CharField(max_length=255)
    digest = models.CharField(max_length=32, help_text=_("of the usage key, whose letter case counts"))
    percent = models.DecimalField(max_digits=5, decimal_places=2)
    weight = models.DecimalField(max_digits=9, decimal_places=3, default=1)
    miller = models.CharField(max_length=16, blank=True, default="")
    at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(
                fields=["learner_id", "framework", "item", "digest"], name="microcred_evidence_piece"
            )
        ]
        verbose_name = _("evidence of a competency")
        verbose_name_plural = _("evidence of competencies")

    def __str__(self):
        return f"{self.learner_id} {self.item} {self.percent}"


class Mastery(models.Model):
    """How far a learner is with a competency. The status only rises.

    .. pii: the learner's user id; the snapshot holds scores.
    .. pii_types: id, other
    .. pii_retirement: local_api
    """

    class Status(models.TextChoices):
        PARTIAL = "PartiallyAttempted", _("partially attempted")
        ATTEMPTED = "AttemptedNotDemonstrated", _("attempted, not demonstrated")
        DEMONSTRATED = "Demonstrated", _("demonstrated")

    learner_id = models.BigIntegerField()
    framework = models.CharField(max_length=36)
    item = models.CharField(max_length=36)
    status = models.CharField(max_length=24, choices=Status.choices)
    since = models.DateTimeField()
    demonstrated_at = models.DateTimeField(null=True)
    criteria = models.ForeignKey(
        MasteryCriteria, null=True, on_delete=models.PROTECT, related_name="+", help_text=_("that judged it")
    )
    # Figures of the last judgement, and of the one by which the status rose.
    figures = models.JSONField(default=dict)
    evidence = models.JSONField(default=list)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(
                fields=["learner_id", "framework", "item"], name="microcred_mastery_learner"
            )
        ]
        indexes = [models.Index(fields=["framework", "item", "status"], name="microcred_mastery_item")]
        verbose_name = _("mastery of a competency")
        verbose_name_plural = _("mastery of competencies")

    def __str__(self):
        return f"{self.learner_id} {self.item} {self.status}"
