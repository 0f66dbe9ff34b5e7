"""What every room's admin pages share, and the admin of the core room's tables.

Two things decide what a member of staff sees: Django's model permission opens the page, and the
roles (:class:`~mooc_microcred.core.models.StaffRole`) decide whose rows are on it. Rows that
belong to no organisation are seen only by those who hold a role for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mooc_microcred.core import outbox
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.errors import MicrocredError
from mooc_microcred.core.models import (
    AuditEntry,
    Heartbeat,
    LearnerIdentity,
    OutboxMessage,
    RetiredLearner,
    StaffRole,
)
from mooc_microcred.core.roles import Actor, Role


def actor_of(request: HttpRequest) -> Actor:
    """Return the signed-in person with their roles, read once per request."""
    actor = getattr(request, "_microcred_actor", None)
    if actor is None:
        actor = request._microcred_actor = Actor.of(request.user)  # noqa: SLF001
    return actor


def json_block(value: Any) -> SafeString:
    """Return a JSON value laid out for people."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return format_html('<pre style="white-space: pre-wrap; margin: 0">{}</pre>', text)


def tell_error(request: HttpRequest, error: MicrocredError) -> None:
    """Show an error, and each of its problems on a line of its own."""
    messages.error(request, str(error.message))
    for problem in error.problems[:50]:
        messages.error(request, str(problem))


class OrganizationFilter(admin.SimpleListFilter):
    """Filters by organisation; offers only those whose rows the person may see."""

    title = gettext_lazy("organisation")
    parameter_name = "organization"

    def lookups(self, request, model_admin):
        """Return the organisations of the person's roles, or all that the table names."""
        scope = actor_of(request).organizations(model_admin.seen_by)
        if scope is None:
            *path, name = model_admin.organization_path.split("__")
            model = model_admin.model
            for part in path:
                model = model._meta.get_field(part).remote_field.model
            scope = set(model._default_manager.order_by().values_list(name, flat=True).distinct()[:500])
        return [(one, one) for one in sorted(scope) if one]

    def queryset(self, request, queryset):
        """Keep the rows of the chosen organisation."""
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset

    def __init__(self, request, params, model, model_admin):
        self.path = model_admin.organization_path
        super().__init__(request, params, model, model_admin)


class ScopedAdmin(admin.ModelAdmin):
    """A page whose rows are those of the organisations for which the person holds a role.

    Attributes:
        organization_path: the lookup of a row's organisation; empty where rows belong to none.
        course_path: the lookup of a course key, where only that says the organisation.
        seen_by: the roles that may see rows.
        found_by: lookups by which the search box finds rows, exactly (indexes answer them).
    """

    organization_path = ""
    course_path = ""
    seen_by: tuple[str, ...] = (Role.AUDITOR,)
    found_by: tuple[str, ...] = ()
    show_full_result_count = False
    list_per_page = 50
    # The mere presence of a name shows the search box; get_search_results does the work.
    search_fields: tuple[str, ...] = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Return the rows that the person may see."""
        return self.in_scope(super().get_queryset(request), actor_of(request).organizations(self.seen_by))

    def in_scope(self, queryset: QuerySet, organizations: set[str] | None) -> QuerySet:
        """Return the rows of the organisations; None means all."""
        if organizations is None:
            return queryset
        if self.organization_path:
            return queryset.filter(**{f"{self.organization_path}__in": organizations})
        if self.course_path and organizations:
            ours = Q()
            for one in organizations:
                ours |= Q(**{f"{self.course_path}__startswith": f"course-v1:{one}+"})
                ours |= Q(**{f"{self.course_path}__startswith": f"ccx-v1:{one}+"})
            return queryset.filter(ours)
        return queryset.none()

    def _sees(self, request: HttpRequest, obj: models.Model | None) -> bool:
        return obj is None or obj.pk is None or self.get_queryset(request).filter(pk=obj.pk).exists()

    def has_view_permission(self, request, obj=None):
        """Ask for Django's permission and for a role for the row's organisation."""
        return super().has_view_permission(request, obj) and self._sees(request, obj)

    def get_search_fields(self, request):
        """Show the search box where there is something to search by."""
        return self.found_by

    @property
    def search_help_text(self) -> str:
        """Say what the search box takes."""
        names = []
        for path in self.found_by:
            *parts, name = path.split("__")
            model = self.model
            for part in parts:
                model = model._meta.get_field(part).remote_field.model
            label = model._meta.verbose_name if parts else model._meta.get_field(name).verbose_name
            names.append(str(label))
        return _("Exactly: %(names)s") % {"names": ", ".join(names)} if names else ""

    def get_search_results(self, request, queryset, search_term):
        """Find exact matches: a search inside texts would read whole tables."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(pk__in=())
        for path in self.found_by:
            *parts, name = path.split("__")
            model = self.model
            for part in parts:
                model = model._meta.get_field(part).remote_field.model
            if isinstance(model._meta.get_field(name), models.IntegerField):
                if term.isascii() and term.isdigit() and len(term) < 19:
                    found |= Q(**{path: int(term)})
            else:
                found |= Q(**{path: term})
        return queryset.filter(found), False


class ReadOnlyAdmin(ScopedAdmin):
    """A page to look at: rows change only through the verbs that check and record who did it."""

    def has_add_permission(self, request, obj=None):
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request, obj=None):
        """Nobody changes rows by hand."""
        return False

    def has_delete_permission(self, request, obj=None):
        """Nobody deletes rows by hand."""
        return False


class ReadOnlyInline(admin.TabularInline):
    """Rows below another row, to look at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None):
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request, obj=None):
        """Nobody changes rows by hand."""
        return False

    def has_delete_permission(self, request, obj=None):
        """Nobody deletes rows by hand."""
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what."""

    organization_path = "organization"
    found_by = ("object_id", "actor_id", "action")
    list_display = ("at", "action", "object_type", "object_id", "organization", "actor_id")
    list_filter = (OrganizationFilter, "action", "at")
    ordering = ("-at", "-pk")
    fields = ("at", "actor_id", "action", "object_type", "object_id", "organization", "what")

    @admin.display(description=gettext_lazy("details"))
    def what(self, entry):
        """Return the details, laid out."""
        return json_block(entry.details)


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """What is to be handed over, and what could not be."""

    seen_by = (Role.AUDITOR, Role.PROGRAMME_OFFICER, Role.CREDIT_OFFICER)
    found_by = ("learner_id", "topic")
    list_display = ("id", "topic", "state", "learner_id", "created", "due", "attempts", "last_error_line")
    list_filter = ("state", "topic", "created")
    ordering = ("-id",)
    actions = ("replay_dead_letters",)
    fields = (
        "topic",
        "version",
        "learner_id",
        "what",
        "state",
        "created",
        "due",
        "attempts",
        "done_by",
        "last_error",
    )

    @admin.display(description=gettext_lazy("last error"))
    def last_error_line(self, message):
        """Return the beginning of the last error."""
        return message.last_error[:80]

    @admin.display(description=gettext_lazy("payload"))
    def what(self, message):
        """Return the payload, laid out."""
        return json_block(message.payload)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Ask for the change permission and an officer's role for all organisations."""
        return (
            request.user.has_perm("mooc_microcred.change_outboxmessage")
            and actor_of(request).organizations((Role.PROGRAMME_OFFICER, Role.CREDIT_OFFICER)) is None
        )

    @admin.action(description=gettext_lazy("Replay dead letters"), permissions=["replay"])
    def replay_dead_letters(self, request, queryset):
        """Put the chosen dead letters back into the queue."""
        chosen = list(queryset.values_list("pk", flat=True))
        count = outbox.replay(message_ids=chosen, actor_id=request.user.pk)
        text = ngettext(
            "%(count)s dead letter is in the queue again.",
            "%(count)s dead letters are in the queue again.",
            count,
        ) % {"count": count}
        messages.success(request, text) if count else messages.warning(request, text)


@admin.register(LearnerIdentity)
class LearnerIdentityAdmin(ReadOnlyAdmin):
    """Verified identities by their last four characters; the number itself is never shown."""

    seen_by = (Role.VERIFIER, Role.AUDITOR)
    found_by = ("learner_id",)
    list_display = ("learner_id", "kind", "last_four", "verified_at", "verified_by")
    list_filter = ("kind", "verified_at")
    ordering = ("-verified_at", "-pk")
    fields = ("learner_id", "kind", "last_four", "verified_at", "verified_by", "last_needed_at")


@admin.register(RetiredLearner)
class RetiredLearnerAdmin(ReadOnlyAdmin):
    """Learners who left."""

    found_by = ("learner_id",)
    list_display = ("learner_id", "at")
    ordering = ("-at",)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """When the recurring jobs last ran."""

    found_by = ("name",)
    list_display = ("name", "at", "details")
    ordering = ("name",)


class StaffRoleForm(forms.ModelForm):
    """A role, with its holder by user name."""

    username = forms.CharField(label=gettext_lazy("user name"), max_length=255)

    class Meta:
        model = StaffRole
        fields = ("role", "organization")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # The page of someone who may only look has no fields.
        if self.instance.pk and "username" in self.fields:
            holder = get_user_model()._default_manager.filter(pk=self.instance.user_id).first()
            self.fields["username"].initial = holder.get_username() if holder else self.instance.user_id
            self.fields["username"].disabled = True

    def clean_username(self):
        """Return the user's id; a role stays with its holder."""
        if self.instance.pk:
            return self.instance.user_id
        user_model = get_user_model()
        holder = user_model._default_manager.filter(
            **{user_model.USERNAME_FIELD: self.cleaned_data["username"].strip()}
        ).first()
        if holder is None:
            raise forms.ValidationError(_("There is no user of this name."))
        return holder.pk

    def clean_organization(self):
        """Return the short name without spaces around it, which would fit no organisation."""
        return self.cleaned_data["organization"].strip()

    def clean(self):
        """Refuse a role that the person holds already."""
        super().clean()
        cleaned = self.cleaned_data
        if {"username", "role", "organization"} <= cleaned.keys():
            same = StaffRole.objects.filter(
                user_id=cleaned["username"], role=cleaned["role"], organization=cleaned["organization"]
            )
            if same.exclude(pk=self.instance.pk).exists():
                raise forms.ValidationError(_("This person already holds this role there."))
            self.instance.user_id = cleaned["username"]
        return cleaned


@admin.register(StaffRole)
class StaffRoleAdmin(admin.ModelAdmin):
    """Who holds which role where: superusers only, and every change is a line of the audit log."""

    form = StaffRoleForm
    fields = ("username", "role", "organization")
    list_display = ("person", "role", "organization_or_all")
    list_filter = ("role", "organization")
    search_fields = ("=organization",)
    ordering = ("organization", "role", "user_id")

    def get_queryset(self, request):
        """Add the holders' user names."""
        user_model = get_user_model()
        names = user_model._default_manager.filter(pk=OuterRef("user_id"))
        return (
            super()
            .get_queryset(request)
            .annotate(holder=Subquery(names.values(user_model.USERNAME_FIELD)[:1]))
        )

    @admin.display(description=gettext_lazy("user name"), ordering="user_id")
    def person(self, role):
        """Return the holder's user name, or their id where the user is gone."""
        return role.holder or role.user_id

    @admin.display(description=gettext_lazy("organisation"), ordering="organization")
    def organization_or_all(self, role):
        """Return the organisation, or that it is all of them."""
        return role.organization or _("all organisations")

    def _is_superuser(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_module_permission(self, request):
        """Show the page to superusers only."""
        return self._is_superuser(request)

    def has_view_permission(self, request, obj=None):
        """Let superusers only look."""
        return self._is_superuser(request)

    def has_add_permission(self, request):
        """Let superusers only grant."""
        return self._is_superuser(request)

    def has_change_permission(self, request, obj=None):
        """Let superusers only change."""
        return self._is_superuser(request)

    def has_delete_permission(self, request, obj=None):
        """Let superusers only withdraw."""
        return self._is_superuser(request)

    def save_model(self, request, obj, form, change):
        """Write the role and its line in the audit log, in the admin's transaction."""
        before = StaffRole.objects.filter(pk=obj.pk).values("role", "organization").first()
        super().save_model(request, obj, form, change)
        _log_roles(request, [obj], "role.changed" if change else "role.granted", before=before)

    def delete_model(self, request, obj):
        """Withdraw the role, with its line in the audit log."""
        _log_roles(request, [obj], "role.withdrawn")
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        """Withdraw the roles, with a line in the audit log for each."""
        _log_roles(request, queryset, "role.withdrawn")
        super().delete_queryset(request, queryset)


def _log_roles(request: HttpRequest, roles: Iterable[StaffRole], action: str, **details: Any) -> None:
    for role in roles:
        log_action(
            actor_id=request.user.pk,
            action=action,
            object_type="staff_role",
            object_id=role.pk,
            organization=role.organization,
            user=role.user_id,
            role=role.role,
            **details,
        )
