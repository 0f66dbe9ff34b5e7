"""Admin pages of the competencies room: to look at. What changes goes through the import and its preview."""

from __future__ import annotations

from django.contrib import admin

from mooc_microcred.competencies.models import (
    Association,
    Competency,
    ContentTag,
    CourseSync,
    Framework,
    Mastery,
    MasteryCriteria,
)
from mooc_microcred.core.admin import OrganizationFilter, ReadOnlyAdmin
from mooc_microcred.core.roles import Role

SEEN_BY = (Role.PROGRAMME_OFFICER, Role.AUDITOR)


@admin.register(Framework)
class FrameworkAdmin(ReadOnlyAdmin):
    """Frameworks of competencies."""

    organization_path = "organization"
    seen_by = SEEN_BY
    found_by = ("identifier", "taxonomy")
    list_display = ("title_th", "title_en", "organization", "state", "version", "taxonomy", "changed")
    list_filter = (OrganizationFilter, "state")
    ordering = ("organization", "title_en")
    exclude = ("document", "definitions", "rubrics", "revision")


@admin.register(Competency)
class CompetencyAdmin(ReadOnlyAdmin):
    """Competencies, in the order of their trees."""

    organization_path = "framework__organization"
    seen_by = SEEN_BY
    found_by = ("identifier", "code")
    list_display = ("code", "statement_th", "statement_en", "domain", "miller", "nqf_level", "retired_at")
    list_filter = (OrganizationFilter, "domain", "miller", ("retired_at", admin.EmptyFieldListFilter))
    list_select_related = ("framework",)
    ordering = ("framework", "ordinal")
    exclude = ("search", "ordinal", "depth", "child_count")


@admin.register(Association)
class AssociationAdmin(ReadOnlyAdmin):
    """What competencies are to each other and to those of other frameworks."""

    organization_path = "framework__organization"
    seen_by = SEEN_BY
    found_by = ("origin", "destination")
    list_display = ("origin", "kind", "destination", "destination_uri", "framework")
    list_filter = (OrganizationFilter, "kind")
    list_select_related = ("framework",)
    ordering = ("-pk",)


@admin.register(MasteryCriteria)
class MasteryCriteriaAdmin(ReadOnlyAdmin):
    """By which criteria competencies are judged, and were before."""

    organization_path = "framework__organization"
    seen_by = SEEN_BY
    found_by = ("item",)
    list_display = ("framework", "item", "number", "live", "activated_at", "retired_at")
    list_filter = (OrganizationFilter, "live")
    list_select_related = ("framework",)
    ordering = ("-pk",)


@admin.register(ContentTag)
class ContentTagAdmin(ReadOnlyAdmin):
    """What content says about competencies, and who says it."""

    course_path = "course_key"
    seen_by = SEEN_BY
    found_by = ("course_key", "item", "usage_key")
    list_display = ("course_key", "usage_key", "relation", "item", "weight", "source")
    list_filter = ("relation", "source")
    ordering = ("-pk",)


@admin.register(CourseSync)
class CourseSyncAdmin(ReadOnlyAdmin):
    """Which courses wait to be read, and which could not be."""

    course_path = "course_key"
    seen_by = SEEN_BY
    found_by = ("course_key",)
    list_display = ("course_key", "reason", "due", "synced_at", "attempts", "last_error")
    list_filter = (("due", admin.EmptyFieldListFilter), "synced_at")
    ordering = ("-pk",)
    exclude = ("units", "mark", "claim")


@admin.register(Mastery)
class MasteryAdmin(ReadOnlyAdmin):
    """How far learners are: for who holds a role for all organisations, as courses of several may count."""

    seen_by = SEEN_BY
    found_by = ("learner_id", "item")
    list_display = ("learner_id", "item", "status", "since", "demonstrated_at")
    list_filter = ("status", "since")
    ordering = ("-pk",)
