"""Forms of what the programs room answers."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mooc_microcred.achievements.models import Achievement
from mooc_microcred.achievements.rest_api.serializers import (
    AchievementSerializer,
    AwardSerializer,
    MeasureSerializer,
)
from mooc_microcred.core.rest_api.fields import Exact, Organization, TextSerializer
from mooc_microcred.core.rest_api.paging import PageQuery


class ProgrammesQuery(PageQuery):
    """Which programmes."""

    organization = Organization(required=False)


class ProgrammeSerializer(AchievementSerializer):
    """A programme: what must be earned for it."""

    tree = serializers.DictField(help_text="all of, at_least k of n, credits; leaves are achievements")


class NextStepSerializer(serializers.Serializer):
    """The one thing to do next."""

    action = serializers.CharField(
        help_text="study, raise_grade, pass_subsection, take_exam, resit_exam, "
        "show_competency, wait_for_certificate, enrol, done"
    )
    text = serializers.CharField(help_text="the sentence for the learner, in the reader's language")
    achievement = serializers.CharField(allow_blank=True)
    course_key = serializers.CharField(allow_blank=True)
    exam = serializers.CharField(allow_blank=True)
    details = serializers.DictField()


class AchievementProgressSerializer(serializers.Serializer):
    """How far a learner is in one achievement."""

    code = serializers.CharField()
    kind = serializers.ChoiceField(choices=Achievement.Kind.choices)
    organization = serializers.CharField()
    name = TextSerializer()
    course_key = serializers.CharField(allow_blank=True, help_text="the run in which the learner is farthest")
    met = serializers.BooleanField()
    measures = MeasureSerializer(many=True)
    award = AwardSerializer(allow_null=True)


class ProgressSerializer(AchievementProgressSerializer):
    """How far a learner is in one achievement, what is missing and what to do next."""

    next_step = NextStepSerializer()


class TreeSerializer(serializers.Serializer):
    """A node of a programme's tree, with how far the learner is in it."""

    kind = serializers.CharField(help_text="all, at_least, credits or achievement")
    code = serializers.CharField(allow_blank=True, help_text="of the achievement, in a leaf")
    label = TextSerializer(allow_null=True)
    met = serializers.BooleanField()
    have = Exact(help_text="children met, or credits")
    need = Exact()
    fraction = serializers.FloatField(help_text="0-1")
    children = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/Tree"}})
    def get_children(self, node):
        """Return the nodes below."""
        return TreeSerializer(node.children, many=True).data


class ProgrammeProgressSerializer(serializers.Serializer):
    """A programme with how far the learner is in it."""

    code = serializers.CharField()
    organization = serializers.CharField()
    name = TextSerializer()
    tree = TreeSerializer()
    components = serializers.SerializerMethodField(help_text="progress in each achievement that was begun")
    next_step = NextStepSerializer()
    award = AwardSerializer(allow_null=True)

    @extend_schema_field(AchievementProgressSerializer(many=True))
    def get_components(self, programme):
        """Return the components in the catalogue's order."""
        components = list(programme.components.values())
        return AchievementProgressSerializer(components, many=True, context=self.context).data
