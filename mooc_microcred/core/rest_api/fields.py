"""Fields whose form does not follow the platform's REST framework settings."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from rest_framework import serializers

# Ids are BIGINT in every database.
MAX_ID = 2**63 - 1


class Instant(serializers.DateTimeField):
    """An instant, ISO 8601 in UTC, such as ``2026-11-21T04:00:00Z``."""

    def __init__(self, **options):
        super().__init__(format="iso-8601", default_timezone=UTC, **options)


class Day(serializers.DateField):
    """A day, ISO 8601, Common Era."""

    def __init__(self, **options):
        super().__init__(format="iso-8601", input_formats=["iso-8601"], **options)


@extend_schema_field({"type": "string", "format": "decimal", "pattern": r"^-?\d+(\.\d+)?$"})
class Exact(serializers.Field):
    """A decimal number as text, so that no reader turns it into a float."""

    def __init__(self, **options):
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Any) -> str:
        """Return the number without exponent and without trailing zeros."""
        number = value if isinstance(value, Decimal) else Decimal(str(value))
        text = format(number, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text


class Id(serializers.IntegerField):
    """An id of a row or of a person on the platform."""

    def __init__(self, **options):
        super().__init__(min_value=1, max_value=MAX_ID, **options)


class Code(serializers.RegexField):
    """A code as the catalogue uses it: small letters, digits and hyphens."""

    default_error_messages = {
        "invalid": _("This is not a code: 2 to 64 small letters, digits and hyphens."),
    }

    def __init__(self, **options):
        super().__init__(regex=r"\A[a-z0-9][a-z0-9-]{1,63}\Z", **options)


class Organization(serializers.RegexField):
    """The short name of an organisation on the platform."""

    default_error_messages = {
        "invalid": _("This is not the short name of an organisation: letters, digits, and _ . -"),
    }

    def __init__(self, **options):
        super().__init__(regex=r"\A[A-Za-z0-9_.-]{1,255}\Z", **options)


class CourseRun(serializers.CharField):
    """The key of a course run, such as ``course-v1:KMUTT+PY101+2026_T1``."""

    default_error_messages = {
        "not_a_key": _("This is not a course key, such as course-v1:KMUTT+PY101+2026_T1."),
    }

    def __init__(self, **options):
        super().__init__(max_length=255, **options)

    def to_internal_value(self, data: Any) -> str:
        """Return the key as text.

        Raises:
            ValidationError: the platform has no such form of key.
        """
        text = super().to_internal_value(data)
        try:
            return str(CourseKey.from_string(text))
        except InvalidKeyError:
            raise serializers.ValidationError(self.error_messages["not_a_key"], code="not_a_key") from None


class Words(serializers.CharField):
    """A sentence or more that a person wrote."""

    def __init__(self, *, max_length: int = 2000, **options):
        super().__init__(max_length=max_length, trim_whitespace=True, **options)


class TextSerializer(serializers.Serializer):
    """A text in Thai and English; one of them may be empty."""

    th = serializers.CharField(allow_blank=True)
    en = serializers.CharField(allow_blank=True)
