"""The admin of the exams room: to look at. Batches change through the officers' verbs only."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from mooc_microcred.core.admin import OrganizationFilter, ReadOnlyAdmin, json_block
from mooc_microcred.core.roles import Role
from mooc_microcred.exams.batches import problems_of
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult

SEEN_BY = (Role.EXAM_OFFICER, Role.EXAM_SIGNATORY, Role.AUDITOR)


@admin.register(ExamAdmission)
class ExamAdmissionAdmin(ReadOnlyAdmin):
    """Who is admitted to which exam under which number."""

    organization_path = "organization"
    seen_by = SEEN_BY
    found_by = ("exam_code", "number", "learner_id")
    list_display = ("exam_code", "number", "learner_id", "organization", "created")
    list_filter = (OrganizationFilter, "created")
    ordering = ("-pk",)


@admin.register(ExamBatch)
class ExamBatchAdmin(ReadOnlyAdmin):
    """Files of results, who uploaded, signed and released them, and what was wrong in them."""

    organization_path = "organization"
    seen_by = SEEN_BY
    found_by = ("exam_code", "uuid", "sha256")
    list_display = (
        "exam_code",
        "file_name",
        "state",
        "rows_total",
        "rows_wrong",
        "organization",
        "uploaded_at",
        "uploaded_by",
        "signed_by",
        "released_at",
    )
    list_filter = (OrganizationFilter, "state", "uploaded_at")
    ordering = ("-pk",)
    exclude = ("problems", "live", "achievement")
    readonly_fields = ("wrong_rows",)

    @admin.display(description=gettext_lazy("wrong rows"))
    def wrong_rows(self, batch):
        """Return the problems of the file, laid out."""
        return json_block(
            [f"{one.row} {one.column} {one.value}: {one.message}" for one in problems_of(batch)]
        )


@admin.register(ExamResult)
class ExamResultAdmin(ReadOnlyAdmin):
    """Single results, as the batches hold them."""

    organization_path = "batch__organization"
    seen_by = SEEN_BY
    found_by = ("exam_code", "learner_id")
    list_display = (
        "exam_code",
        "learner_id",
        "status",
        "percent",
        "score",
        "max_score",
        "sat_on",
        "row",
        "batch_state",
    )
    list_filter = (OrganizationFilter, "status", "batch__state", "sat_on")
    list_select_related = ("batch",)
    ordering = ("-pk",)

    @admin.display(description=gettext_lazy("batch"))
    def batch_state(self, result):
        """Return the state of the result's batch: only a released one counts."""
        return result.batch.get_state_display()
