"""The admin of the creditbank room: to look at, and to replay what a bank refused."""

from __future__ import annotations

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy, ngettext

from mooc_microcred.core.admin import (
    OrganizationFilter,
    ReadOnlyAdmin,
    ReadOnlyInline,
    actor_of,
    tell_error,
)
from mooc_microcred.core.errors import MicrocredError
from mooc_microcred.core.roles import Role
from mooc_microcred.creditbank.delivery import replay_deliveries
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery

SEEN_BY = (Role.CREDIT_OFFICER, Role.AUDITOR)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """The learners' consents. They belong to no organisation, so a role for all of them is needed."""

    seen_by = SEEN_BY
    found_by = ("learner_id",)
    list_display = ("learner_id", "bank", "text_version", "language", "given_at", "withdrawn_at")
    list_filter = ("bank", "given_at", ("withdrawn_at", admin.EmptyFieldListFilter))
    ordering = ("-pk",)
    exclude = ("live",)


class DeliveryInline(ReadOnlyInline):
    """What the bank was told about a record, in order."""

    model = Delivery
    fields = ("sequence", "kind", "state", "reason", "attempts", "sent_at", "acknowledged_at", "receipt")
    ordering = ("sequence",)
    show_change_link = True


@admin.register(CreditRecord)
class CreditRecordAdmin(ReadOnlyAdmin):
    """What each award is worth to its bank, and how far that has come."""

    organization_path = "organization"
    seen_by = SEEN_BY
    found_by = ("learner_id", "uuid")
    list_display = (
        "uuid",
        "learner_id",
        "bank",
        "state",
        "method_code",
        "credits",
        "hours",
        "organization",
        "changed",
    )
    list_filter = (OrganizationFilter, "state", "bank", "method_code", "created")
    list_select_related = ("award",)
    ordering = ("-pk",)
    inlines = (DeliveryInline,)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Every message to a bank; its sealed body is never shown."""

    organization_path = "record__organization"
    seen_by = SEEN_BY
    found_by = ("key", "record__uuid", "record__learner_id")
    list_display = ("id", "record", "bank", "sequence", "kind", "state", "attempts", "due", "receipt")
    list_filter = (OrganizationFilter, "state", "kind", "bank", "created")
    list_select_related = ("record",)
    ordering = ("-pk",)
    exclude = ("sealed_body", "claim")
    actions = ("replay_dead_letters",)

    def has_replay_permission(self, request) -> bool:
        """Ask for the change permission and a credit officer's role; the verb checks it for every row."""
        return request.user.has_perm("mooc_microcred.change_delivery") and (
            actor_of(request).organizations(Role.CREDIT_OFFICER) != set()
        )

    @admin.action(description=gettext_lazy("Replay dead letters"), permissions=["replay"])
    def replay_dead_letters(self, request, queryset):
        """Send the chosen dead letters again."""
        try:
            count = replay_deliveries(
                actor=actor_of(request), delivery_ids=list(queryset.values_list("pk", flat=True))
            )
        except MicrocredError as error:
            tell_error(request, error)
            return
        text = ngettext(
            "%(count)s delivery will be sent again.", "%(count)s deliveries will be sent again.", count
        )
        messages.success(request, text % {"count": count})
