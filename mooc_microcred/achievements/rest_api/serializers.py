"""Forms of what the achievements room asks for and answers."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Achievement, Award, AwardEvent, RunOffer
from mooc_microcred.core.rest_api.fields import (
    Code,
    CourseRun,
    Exact,
    Id,
    Instant,
    Organization,
    TextSerializer,
    Words,
)
from mooc_microcred.core.rest_api.paging import PageQuery


class CatalogueQuery(PageQuery):
    """Which part of the catalogue."""

    organization = Organization(required=False, help_text=_("short name of the organisation that defines it"))
    course = CourseRun(required=False, help_text=_("a run: only what it leads to directly"))
    kind = serializers.ChoiceField(choices=Achievement.Kind.choices, required=False)


class CourseRuleSerializer(serializers.Serializer):
    """Which runs fulfil a course requirement: any of one course, or one of a list."""

    organization = serializers.CharField(allow_blank=True)
    number = serializers.CharField(allow_blank=True)
    runs = serializers.ListField(child=serializers.CharField())


class ExamSerializer(serializers.Serializer):
    """A standard exam of an achievement."""

    code = serializers.CharField()
    name = TextSerializer()
    max_score = Exact()
    attempts = serializers.IntegerField(allow_null=True, help_text="sittings that count; null: any number")
    resit_gap_days = serializers.IntegerField()
    policy = serializers.CharField(help_text="which sitting counts: best, latest or first")


class AchievementSerializer(serializers.Serializer):
    """What can be earned: the version in force."""

    code = serializers.CharField()
    organization = serializers.CharField()
    kind = serializers.ChoiceField(choices=Achievement.Kind.choices)
    version = serializers.IntegerField(source="number")
    issuer = serializers.CharField(help_text="code of the issuer")
    name = TextSerializer()
    hours = Exact(help_text="notional workload")
    credits = Exact()
    course = CourseRuleSerializer(allow_null=True)
    level1 = serializers.CharField(allow_blank=True, help_text="the Level 1 that it needs; empty if none")
    exams = ExamSerializer(many=True)
    validity_months = serializers.IntegerField(allow_null=True)


class AchievementDetailSerializer(AchievementSerializer):
    """What can be earned, with everything that people read."""

    definition = serializers.DictField(
        source="raw", help_text="as in the catalogue's YAML (catalogue.schema.json, $defs/achievement)"
    )


class MeasureSerializer(serializers.Serializer):
    """One condition, and what the learner has of it."""

    kind = serializers.CharField(
        help_text="completion, course_grade, subsection_grade, exam, weighted, certificate, achievement"
    )
    key = serializers.CharField(allow_blank=True, help_text="course key, exam code or achievement code")
    met = serializers.BooleanField()
    have = Exact(allow_null=True, help_text="null where nothing is known")
    need = Exact(allow_null=True)
    unit = serializers.CharField()
    details = serializers.DictField()


class AwardSerializer(serializers.Serializer):
    """An award."""

    uuid = serializers.UUIDField()
    achievement = serializers.CharField(source="code", help_text="code of the achievement")
    name = serializers.SerializerMethodField()
    organization = serializers.CharField()
    kind = serializers.ChoiceField(choices=Achievement.Kind.choices)
    version = serializers.IntegerField(source="version_number")
    state = serializers.ChoiceField(choices=Award.State.choices)
    course_key = serializers.CharField(allow_blank=True, help_text="the run that fulfilled it")
    issued_at = Instant()
    published_at = Instant(allow_null=True, help_text="since when the learner sees it")
    expires_at = Instant(allow_null=True)
    suspended_at = Instant(allow_null=True)
    revoked_at = Instant(allow_null=True)
    reason = serializers.CharField(allow_blank=True, help_text="code of the last change")
    reason_text = serializers.SerializerMethodField(help_text="the same in the reader's language")

    def get_name(self, award) -> TextSerializer:
        """Return the name in the version by which the award was judged."""
        return TextSerializer(self.context["names"][award.version_id]).data

    def get_reason_text(self, award) -> str:
        """Return why it last changed."""
        return str(achievements.describe_reason(award.reason)) if award.reason else ""


class StaffAwardSerializer(AwardSerializer):
    """An award, as staff see it."""

    learner_id = serializers.IntegerField()


class AwardEventSerializer(serializers.Serializer):
    """One line of an award's history."""

    kind = serializers.ChoiceField(choices=AwardEvent.Kind.choices)
    at = Instant()
    reason = serializers.CharField(allow_blank=True)
    reason_text = serializers.SerializerMethodField()
    note = serializers.CharField(allow_blank=True, help_text="the words of the person who decided")

    def get_reason_text(self, event) -> str:
        """Return the reason in the reader's language."""
        return str(achievements.describe_reason(event.reason)) if event.reason else ""


class StaffAwardEventSerializer(AwardEventSerializer):
    """One line of an award's history, as staff see it."""

    actor_id = serializers.IntegerField(allow_null=True, help_text="user id; null when nobody decided")


class AwardDetailSerializer(AwardSerializer):
    """An award with its history and the conditions by which it was judged."""

    measures = MeasureSerializer(many=True)
    history = AwardEventSerializer(many=True)


class StaffAwardDetailSerializer(StaffAwardSerializer):
    """An award with its history and evidence, as staff see it."""

    measures = MeasureSerializer(many=True)
    history = StaffAwardEventSerializer(many=True)
    references = serializers.ListField(
        child=serializers.CharField(), help_text="where the evidence is stored, such as exam_result:812"
    )


class StaffAwardsQuery(PageQuery):
    """Which awards."""

    organization = Organization(required=False)
    learner_id = Id(required=False)
    course = CourseRun(required=False, help_text=_("the run that fulfilled it"))
    achievement = Code(required=False)
    state = serializers.ChoiceField(choices=Award.State.choices, required=False)


class NoteBody(serializers.Serializer):
    """Why: the learner and later officers will read it."""

    note = Words()


class RunOffersQuery(PageQuery):
    """Which offered re-runs."""

    organization = Organization(required=False)
    state = serializers.ChoiceField(choices=RunOffer.State.choices, required=False)


class RunOfferSerializer(serializers.Serializer):
    """A re-run that an achievement may adopt."""

    id = serializers.IntegerField()
    achievement = serializers.CharField(source="achievement.code")
    organization = serializers.CharField(source="achievement.organization")
    course_key = serializers.CharField()
    state = serializers.ChoiceField(choices=RunOffer.State.choices)
    offered_at = Instant()
    decided_at = Instant(allow_null=True)
    decided_by = serializers.IntegerField(allow_null=True, help_text="user id")


class CertificateRequestsQuery(PageQuery):
    """Which requests."""

    organization = Organization(required=False)
    course = CourseRun(required=False)
    refused = serializers.BooleanField(required=False, allow_null=True, default=None)


class CertificateRequestSerializer(serializers.Serializer):
    """What came of asking the platform for a learner's certificate."""

    learner_id = serializers.IntegerField()
    course_key = serializers.CharField()
    asked_at = Instant(allow_null=True, help_text="when the platform took the request; null where it did not")
    refusal = serializers.CharField(allow_blank=True, help_text="code of why it is not issued")
    refusal_text = serializers.SerializerMethodField(help_text="the same in the reader's language")
    checked_at = Instant()
    ask_again_at = Instant(allow_null=True, help_text="when it is asked again if nothing happens before")

    def get_refusal_text(self, row) -> str:
        """Return why the certificate is not issued."""
        return str(achievements.describe_refusal(row.refusal)) if row.refusal else ""


class EvaluationQueueSerializer(serializers.Serializer):
    """How far behind the evaluation is."""

    waiting = serializers.IntegerField(help_text="requests; counting ends at `counted_to`")
    counted_to = serializers.IntegerField()
    oldest_due = Instant(allow_null=True, help_text="since when the oldest request that is due has waited")
    open_feeds = serializers.IntegerField(help_text="unfinished walks over all learners of a course")
