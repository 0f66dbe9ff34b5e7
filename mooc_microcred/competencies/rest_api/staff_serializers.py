"""Forms of what staff ask and are answered about frameworks."""

from __future__ import annotations

from django.utils.translation import gettext_lazy
from rest_framework import serializers

from mooc_microcred.competencies.imports import FORMATS
from mooc_microcred.competencies.models import Framework
from mooc_microcred.core.rest_api.fields import Instant, Organization, TextSerializer
from mooc_microcred.core.rest_api.paging import PageQuery


class FrameworksQuery(PageQuery):
    """Which frameworks."""

    organization = Organization(required=False)


class FrameworkSerializer(serializers.Serializer):
    """A framework of competencies."""

    framework = serializers.CharField(help_text="identifier")
    title = TextSerializer()
    organization = serializers.CharField()
    creator = serializers.CharField()
    version = serializers.CharField(allow_blank=True)
    language = serializers.CharField()
    state = serializers.ChoiceField(choices=Framework.State.choices)
    items = serializers.IntegerField(help_text="competencies that are not retired")
    taxonomy = serializers.CharField(
        allow_blank=True, help_text="export id of the taxonomy that it is published as"
    )
    changed = Instant()


class ImportBody(serializers.Serializer):
    """A file: a CFPackage, our CSV, or a taxonomy of the platform; only its content decides which."""

    file = serializers.FileField(allow_empty_file=True)
    organization = Organization(required=False, help_text=gettext_lazy("of a framework that is new here"))
    framework = serializers.UUIDField(
        required=False, help_text=gettext_lazy("identifier, where the file does not say it")
    )
    title_th = serializers.CharField(required=False, max_length=500)
    title_en = serializers.CharField(required=False, max_length=500)
    creator = serializers.CharField(required=False, max_length=500)


class ImportChangeSerializer(serializers.Serializer):
    """One item that would change."""

    what = serializers.ChoiceField(choices=["new", "changed", "moved", "retired", "returned"])
    item = serializers.CharField()
    code = serializers.CharField(allow_blank=True)
    statement = TextSerializer()
    fields_changed = serializers.ListField(source="fields", child=serializers.CharField())
    used = serializers.IntegerField(help_text="tags, masteries and definitions that use it")
    successor = serializers.SerializerMethodField()

    def get_successor(self, change) -> str | None:
        """Return the identifier of what replaces it."""
        return change.successor[1] if change.successor else None


class ImportPreviewSerializer(serializers.Serializer):
    """What an import would do; ``token`` commits exactly this."""

    token = serializers.CharField()
    framework = serializers.CharField()
    title = TextSerializer()
    organization = serializers.CharField()
    is_new = serializers.BooleanField()
    changes = ImportChangeSerializer(many=True)
    unchanged = serializers.IntegerField()
    associations = serializers.DictField(child=serializers.IntegerField())
    document_fields = serializers.ListField(child=serializers.CharField())
    blocked = serializers.CharField(allow_blank=True, help_text="why it cannot be committed as it is")
    ignored = serializers.ListField(child=serializers.CharField(), help_text="columns that were not read")


class CommitBody(serializers.Serializer):
    """How a preview is committed."""

    without_successor = serializers.BooleanField(default=False)
    publish = serializers.BooleanField(default=False)


class StateBody(serializers.Serializer):
    """The state that a framework is brought into."""

    state = serializers.ChoiceField(choices=Framework.State.choices)


class ExportQuery(serializers.Serializer):
    """In which form."""

    form = serializers.ChoiceField(choices=FORMATS, default="case")


class CriteriaBody(serializers.Serializer):
    """A rule for a competency, or for all of a framework that have none of their own."""

    item = serializers.UUIDField(required=False)
    rule = serializers.JSONField()


class CriteriaSerializer(serializers.Serializer):
    """Criteria in force."""

    item = serializers.CharField(allow_blank=True, help_text="empty: every item without its own")
    number = serializers.IntegerField()
    rule = serializers.JSONField()
    activated_at = Instant(allow_null=True)


class TaxonomySerializer(serializers.Serializer):
    """What was published."""

    tags = serializers.IntegerField()
