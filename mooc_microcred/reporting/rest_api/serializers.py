"""Forms of what the reporting room is asked and answers."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mooc_microcred.core.rest_api.fields import Code, Day, Instant, Organization, TextSerializer
from mooc_microcred.core.rest_api.paging import PageQuery
from mooc_microcred.reporting.data import WAITED_DAYS, By, Kind, Step

_MONTH = r"(?:19|[2-9][0-9])[0-9]{2}-(?:0[1-9]|1[0-2])"


@extend_schema_field({"type": "string", "pattern": f"^{_MONTH}$"})
class Month(serializers.Field):
    """A month, such as ``2026-11``; Common Era."""

    default_error_messages = {"not_a_month": _("This is not a month, such as 2026-11.")}

    def to_internal_value(self, data: Any) -> date:
        """Return the first day of the month.

        Raises:
            ValidationError: it is none.
        """
        if not isinstance(data, str) or not re.fullmatch(_MONTH, data):
            self.fail("not_a_month")
        return date.fromisoformat(f"{data}-01")

    def to_representation(self, value: date) -> str:
        """Return the month."""
        return f"{value:%Y-%m}"


class FunnelQuery(PageQuery):
    """Which figures."""

    kind = serializers.ChoiceField(choices=[str(one) for one in Kind], default=str(Kind.COURSE))
    organization = Organization(required=False)
    code = Code(required=False, help_text=_("of a course's Level 1, or of a programme"))
    by = serializers.ChoiceField(
        choices=[str(one) for one in By],
        required=False,
        help_text=_("a line for each period of enrolment; needs code"),
    )
    since = Month(required=False, help_text=_("first month of enrolment"))
    until = Month(required=False, help_text=_("last month of enrolment"))
    rounded = serializers.BooleanField(
        default=False, help_text=_("rounded figures also where exact ones are allowed, to pass on")
    )


class WaitedSerializer(serializers.Serializer):
    """How many have stood there for so long."""

    from_days = serializers.ChoiceField(choices=WAITED_DAYS, help_text="and less than the next group")
    learners = serializers.IntegerField(allow_null=True)


class FunnelStepSerializer(serializers.Serializer):
    """How many learners have reached a step, and how many stand there. Null: fewer than may be told."""

    step = serializers.ChoiceField(choices=[str(one) for one in Step])
    reached = serializers.IntegerField(allow_null=True)
    waits = serializers.IntegerField(
        allow_null=True, help_text="learners whose latest step it is, where another one follows"
    )
    half_since_days = serializers.IntegerField(
        source="half_since", allow_null=True, help_text="at least half of them since so many days"
    )
    waited = serializers.SerializerMethodField()

    @extend_schema_field(WaitedSerializer(many=True))
    def get_waited(self, figure: Any) -> list[dict[str, Any]]:
        """Return the groups of those who wait."""
        return [
            {"from_days": days, "learners": learners}
            for days, learners in zip(WAITED_DAYS, figure.waited, strict=True)
        ]


class FunnelSerializer(serializers.Serializer):
    """The steps of a course or programme, from enrolment to credit."""

    code = serializers.CharField(source="funnel.code")
    kind = serializers.ChoiceField(source="funnel.kind", choices=[str(one) for one in Kind])
    organization = serializers.CharField(source="funnel.organization")
    name = TextSerializer(source="funnel.name")
    period = Day(
        source="funnel.month",
        allow_null=True,
        help_text="first day of the period of enrolment; null: all of them",
    )
    rounded = serializers.BooleanField(source="funnel.rounded")
    as_of = Instant(help_text="the moment for which the figures are right")
    steps = FunnelStepSerializer(source="funnel.steps", many=True)
