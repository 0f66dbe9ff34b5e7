"""Forms of what the exams room asks for and answers."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mooc_microcred.core.rest_api.fields import (
    Code,
    Day,
    Exact,
    Id,
    Instant,
    Organization,
    TextSerializer,
    Words,
)
from mooc_microcred.core.rest_api.paging import PageQuery
from mooc_microcred.exams.models import ExamBatch, ExamResult


class ExamsQuery(PageQuery):
    """Which exams."""

    organization = Organization(required=False)


class StaffExamSerializer(serializers.Serializer):
    """An exam in force, with the achievement that it is for."""

    code = serializers.CharField()
    name = TextSerializer()
    achievement = serializers.CharField()
    organization = serializers.CharField()
    max_score = Exact()
    attempts = serializers.IntegerField(allow_null=True, help_text="sittings that count; null: any number")
    resit_gap_days = serializers.IntegerField()
    policy = serializers.CharField(help_text="which sitting counts: best, latest or first")


class MyExamResultSerializer(serializers.Serializer):
    """One sitting, as released."""

    exam_code = serializers.CharField()
    exam_name = TextSerializer()
    achievement = serializers.CharField()
    sat_on = Day()
    status = serializers.ChoiceField(choices=ExamResult.Status.choices)
    score = Exact(allow_null=True)
    max_score = Exact()
    percent = Exact(allow_null=True, help_text="0-100; null for an absence or a void sitting")
    centre = serializers.CharField(allow_blank=True)
    released_at = Instant(allow_null=True)
    counts = serializers.BooleanField(help_text="whether it is the sitting that counts by the exam's policy")


class MyAdmissionSerializer(serializers.Serializer):
    """An exam that the learner may sit, under the number that the exam centre knows."""

    exam_code = serializers.CharField()
    organization = serializers.CharField()
    number = serializers.CharField()


class AdmissionsQuery(PageQuery):
    """Which admissions."""

    exam = Code(required=False)
    organization = Organization(required=False)


class AdmissionSerializer(MyAdmissionSerializer):
    """A learner who may sit an exam."""

    learner_id = serializers.IntegerField()


class CandidateBody(serializers.Serializer):
    """One candidate, in one of three ways."""

    number = serializers.CharField(
        max_length=64, required=False, help_text=gettext_lazy("admission number; made where it is not given")
    )
    learner_id = Id(required=False)
    username = serializers.CharField(max_length=150, required=False, style={"personal": True})
    email = serializers.EmailField(max_length=254, required=False, style={"personal": True})

    def validate(self, attrs):
        """Refuse none and several ways."""
        if len({"learner_id", "username", "email"} & set(attrs)) != 1:
            raise serializers.ValidationError(_("Give one of learner_id, username and email."))
        return attrs


class AdmissionBody(serializers.Serializer):
    """Candidates of one exam."""

    exam = Code()
    candidates = CandidateBody(many=True, allow_empty=False, max_length=1000)


class AdmissionsSerializer(serializers.Serializer):
    """Who is admitted now, in the order of the request."""

    admissions = AdmissionSerializer(many=True)


class UploadBody(serializers.Serializer):
    """A file of results from an exam centre."""

    exam = Code()
    file = serializers.FileField(max_length=255, help_text=gettext_lazy("CSV or XLSX"))
    only_right_rows = serializers.BooleanField(
        default=False, help_text=gettext_lazy("import the right rows although others are wrong")
    )
    supersedes = serializers.UUIDField(
        required=False, help_text=gettext_lazy("the released batch that this one corrects")
    )
    reason = Words(required=False, help_text=gettext_lazy("why it is corrected"))


class ReasonBody(serializers.Serializer):
    """Why."""

    reason = Words()


class BatchesQuery(PageQuery):
    """Which batches."""

    exam = Code(required=False)
    organization = Organization(required=False)
    state = serializers.ChoiceField(choices=ExamBatch.State.choices, required=False)


class BatchSerializer(serializers.Serializer):
    """A file of results, from upload to release."""

    uuid = serializers.UUIDField()
    exam_code = serializers.CharField()
    achievement = serializers.CharField()
    organization = serializers.CharField()
    state = serializers.ChoiceField(choices=ExamBatch.State.choices)
    file_name = serializers.CharField(help_text="as uploaded")
    sha256 = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")
    rows_total = serializers.IntegerField()
    rows_wrong = serializers.IntegerField()
    only_right_rows = serializers.BooleanField()
    uploaded_by = serializers.IntegerField(help_text="user id")
    uploaded_at = Instant()
    signed_by = serializers.IntegerField(allow_null=True)
    signed_at = Instant(allow_null=True)
    released_by = serializers.IntegerField(allow_null=True)
    released_at = Instant(allow_null=True)
    supersedes = serializers.CharField(allow_blank=True, help_text="uuid of the batch that it corrects")
    reason = serializers.CharField(allow_blank=True)
    file_deleted_at = Instant(allow_null=True)


class CandidateResultSerializer(serializers.Serializer):
    """One imported row of a file."""

    row = serializers.IntegerField(help_text="counted from 1 with the header")
    learner_id = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True, help_text="on the platform now; empty where they left it")
    admission_number = serializers.CharField(allow_blank=True)
    sat_on = Day()
    status = serializers.ChoiceField(choices=ExamResult.Status.choices)
    score = Exact(allow_null=True)
    max_score = Exact()
    percent = Exact(allow_null=True, help_text="0-100; null for an absence or a void sitting")
    centre = serializers.CharField(allow_blank=True)


class RowProblemSerializer(serializers.Serializer):
    """What is wrong in one cell."""

    row = serializers.IntegerField(help_text="counted from 1 with the header")
    column = serializers.CharField(allow_blank=True, help_text="empty when it is about the whole row")
    value = serializers.CharField(allow_blank=True, help_text="identity numbers by their last four only")
    code = serializers.CharField(help_text="what is wrong, for programs")
    message = serializers.CharField(help_text="what is wrong and what is expected, in the reader's language")


class BatchDetailSerializer(BatchSerializer):
    """A batch with the first of its problems; all are at ``problems/`` and ``problems.csv``."""

    rows_imported = serializers.IntegerField()
    ignored_columns = serializers.ListField(
        child=serializers.CharField(), help_text="headings of columns that were not read"
    )
    problems = serializers.SerializerMethodField(help_text="the first twenty")

    @extend_schema_field(RowProblemSerializer(many=True))
    def get_problems(self, batch):
        """Return the first problems: a file may have tens of thousands."""
        return RowProblemSerializer(batch.problems[:20], many=True).data


class TemplateQuery(serializers.Serializer):
    """In which form."""

    form = serializers.ChoiceField(choices=("csv", "xlsx"), default="csv")
