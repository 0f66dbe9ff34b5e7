"""Forms of what the dashboard room answers."""

from __future__ import annotations

from rest_framework import serializers

from mooc_microcred.achievements.models import Achievement, Award
from mooc_microcred.core.pages.language import LANGUAGES
from mooc_microcred.core.rest_api.fields import Exact, Instant, TextSerializer


class DashboardQuery(serializers.Serializer):
    """How the dashboard is wanted."""

    lang = serializers.ChoiceField(
        choices=LANGUAGES,
        required=False,
        help_text="language of the sentences; else that of the platform for this person",
    )


class WorthSerializer(serializers.Serializer):
    """What a credential is worth."""

    hours = Exact(help_text="notional workload")
    credits = Exact()
    nqf_level = serializers.IntegerField(
        allow_null=True, help_text="level of the national qualifications framework"
    )
    accepted_by = TextSerializer(many=True)
    further_information = serializers.CharField(allow_blank=True, help_text="address of a page about it")


class BadgeSerializer(serializers.Serializer):
    """Something that the learner has earned."""

    award = serializers.UUIDField(source="award.uuid")
    achievement = serializers.CharField(source="award.code")
    kind = serializers.ChoiceField(source="award.kind", choices=Achievement.Kind.choices)
    state = serializers.ChoiceField(source="award.state", choices=Award.State.choices)
    name = TextSerializer()
    issuer = TextSerializer()
    issued_at = Instant(source="award.issued_at")
    expires_at = Instant(source="award.expires_at", allow_null=True)
    course_key = serializers.CharField(source="award.course_key", allow_blank=True)
    worth = WorthSerializer()
    url = serializers.CharField(
        allow_blank=True, help_text="public page by which others verify it; empty if none"
    )
    picture = serializers.CharField(help_text="path of its picture on the LMS")


class StepSerializer(serializers.Serializer):
    """The one thing to do next."""

    action = serializers.CharField(
        help_text="study, raise_grade, pass_subsection, take_exam, resit_exam, wait_for_certificate, "
        "certificate_refused, enrol"
    )
    text = serializers.CharField(help_text="the sentence for the learner, in the reader's language")
    url = serializers.CharField(allow_blank=True, help_text="where to go for it")
    achievement = serializers.CharField(help_text="code of what it leads to")
    name = TextSerializer()
    kind = serializers.ChoiceField(choices=Achievement.Kind.choices)
    worth = WorthSerializer()
    course_key = serializers.CharField(allow_blank=True)
    course_title = serializers.CharField(allow_blank=True)
    exam = serializers.CharField(allow_blank=True)
    admission = serializers.CharField(
        allow_blank=True, help_text="number under which the learner is admitted to the exam"
    )
    details = serializers.DictField()


class RungSerializer(serializers.Serializer):
    """A part of a programme."""

    code = serializers.CharField()
    name = TextSerializer()
    kind = serializers.ChoiceField(choices=Achievement.Kind.choices)
    state = serializers.CharField(help_text="earned, begun or open")
    within = serializers.IntegerField(help_text="depth in the programme's tree")


class StageSerializer(serializers.Serializer):
    """A stage of a programme: all its Level 1, all its exams, and so on."""

    kind = serializers.CharField(help_text="level1, exam, level2, programme or credit")
    state = serializers.CharField(help_text="done, now (where the learner stands) or open")
    have = Exact()
    need = Exact(allow_null=True, help_text="null where the learner may choose among parts")


class LadderSerializer(serializers.Serializer):
    """A programme with how far the learner is in it."""

    code = serializers.CharField()
    name = TextSerializer()
    worth = WorthSerializer()
    have = Exact()
    need = Exact()
    unit = serializers.CharField(help_text="components or credits")
    percent = serializers.IntegerField(help_text="0-100, for pictures")
    earned = serializers.BooleanField()
    rungs = RungSerializer(many=True)
    stages = StageSerializer(many=True)
    step = StepSerializer(allow_null=True)


class CardItemSerializer(serializers.Serializer):
    """What a course leads to."""

    code = serializers.CharField(help_text="of the achievement")
    kind = serializers.ChoiceField(choices=Achievement.Kind.choices)
    name = TextSerializer()
    state = serializers.CharField(help_text="earned, suspended or open")
    worth = WorthSerializer()
    award = serializers.CharField(allow_blank=True, help_text="empty if it is not earned")
    url = serializers.CharField(
        allow_blank=True, help_text="public page by which others verify it; empty if none"
    )


class DashboardSerializer(serializers.Serializer):
    """Everything that a learner sees at a glance, beside the courses and on their cards."""

    complete = serializers.BooleanField(help_text="false where the platform cannot be read now: badges only")
    badges = BadgeSerializer(many=True, help_text="the newest ones")
    badge_count = serializers.IntegerField(help_text="of all that the learner has, without the revoked ones")
    ladders = LadderSerializer(many=True)
    steps = StepSerializer(many=True)
    courses = serializers.DictField(
        child=CardItemSerializer(many=True),
        help_text="by key of the learner's courses, what each leads to; without those that lead to nothing",
    )
