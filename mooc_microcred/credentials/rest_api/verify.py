"""Checking a credential by program: for anybody, without signing in, and nothing of it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import permissions, serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.throttling import SimpleRateThrottle

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.rest_api.fields import Instant
from mooc_microcred.core.rest_api.views import ApiView, operation
from mooc_microcred.credentials.verification import limits
from mooc_microcred.credentials.verification.engine import verify
from mooc_microcred.credentials.verification.reading import Unreadable, parse
from mooc_microcred.credentials.verification.report import CheckName, Outcome, Verdict, VerificationReport

# The envelope around a credential: its own names, and backslashes where it is sent as text.
_ENVELOPE = 2


class CredentialBodyParser(BaseParser):
    """JSON as strict as for every endpoint, but as deep and long as a credential may be."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        """Return the value.

        Raises:
            ParseError: it is not such JSON.
        """
        try:
            return parse(stream.read().decode("utf-8"))
        except UnicodeDecodeError:
            raise ParseError(_("The body is not valid JSON in UTF-8.")) from None
        except Unreadable as error:
            raise ParseError(error.message) from None


@extend_schema_field(
    {
        "oneOf": [{"type": "object", "additionalProperties": True}, {"type": "string", "minLength": 1}],
        "description": "The credential: a JSON object, or JSON or a JWT as text.",
    }
)
class CredentialField(serializers.Field):
    """A credential as a JSON object or as text."""

    default_error_messages = {"invalid": "wrong"}

    def to_internal_value(self, data: Any) -> str:
        """Return it as text, as if it had been pasted."""
        if isinstance(data, str) and data.strip():
            return data
        if isinstance(data, dict):
            return json.dumps(data, ensure_ascii=False)
        raise serializers.ValidationError(_("Give the credential as a JSON object or as text."))

    def to_representation(self, value: Any) -> Any:
        """Never answered with."""
        raise NotImplementedError


class VerifyBody(serializers.Serializer):
    """What is to be checked: ``credential``, or a ``file`` (JSON, JWT, or a PNG or SVG badge)."""

    media_types = (CredentialBodyParser.media_type, MultiPartParser.media_type)

    credential = CredentialField(required=False, style={"personal": True})
    file = serializers.FileField(required=False, max_length=255, style={"personal": True})
    email = serializers.EmailField(
        required=False,
        max_length=254,
        style={"personal": True},
        help_text="an address to compare the holder with; it is neither kept nor logged",
    )

    def validate(self, attrs):
        """Refuse none and both."""
        if len({"credential", "file"} & set(attrs)) != 1:
            raise serializers.ValidationError(_("Give one of credential and file."))
        return attrs


class CheckSerializer(serializers.Serializer):
    """One check."""

    name = serializers.ChoiceField(choices=[one.value for one in CheckName])
    title = serializers.CharField(help_text="what is checked, in the reader's language")
    outcome = serializers.ChoiceField(
        choices=[one.value for one in Outcome],
        help_text="`unknown`: it could not be checked; `not_checked`: there was nothing to check",
    )
    message = serializers.CharField(help_text="one sentence in the reader's language")
    code = serializers.CharField(help_text="a stable word for the reason; empty where all is well")


class SummarySerializer(serializers.Serializer):
    """What the credential says of itself. Believe it only where the verdict says so."""

    id = serializers.CharField()
    types = serializers.ListField(child=serializers.CharField())
    name = serializers.CharField()
    issuer_id = serializers.CharField()
    issuer_name = serializers.CharField()
    achievement = serializers.CharField()
    subjects = serializers.ListField(child=serializers.CharField())
    valid_from = Instant(allow_null=True)
    valid_until = Instant(allow_null=True)


class InnerReportSerializer(serializers.Serializer):
    """The report of one credential."""

    verdict = serializers.ChoiceField(choices=[one.value for one in Verdict])
    message = serializers.CharField(help_text="the verdict and its reason, in the reader's language")
    format = serializers.CharField(help_text="`json-ld`, `jwt`, or empty where it could not be read")
    our_own = serializers.BooleanField(help_text="whether an issuer of this platform signed it")
    summary = SummarySerializer()
    checks = CheckSerializer(many=True)


class ReportSerializer(InnerReportSerializer):
    """The report of a credential and of those in it."""

    inner = InnerReportSerializer(
        many=True, help_text="credentials and endorsements in it, all levels, in the order of the document"
    )


class VerifyRate(SimpleRateThrottle):
    """Checks by one address, or by one person who is signed in: MOOC_MICROCRED["VERIFY_RATE"]."""

    scope = "mooc_microcred_verify"

    def get_rate(self) -> str | None:
        """Return the rate as ``30/min``."""
        return microcred_settings.VERIFY_RATE

    def get_cache_key(self, request, view) -> str:
        """Return the key under which the requests are counted.

        The address of the connection: what a client says of itself in headers would let it count
        as as many as it likes. The platform's middleware puts the right one there behind a proxy.
        """
        user = request.user
        who = f"user-{user.pk}" if user and user.is_authenticated else request.META.get("REMOTE_ADDR", "")
        return self.cache_format % {"scope": self.scope, "ident": who}


class VerifyView(ApiView):
    """Whether a credential is right."""

    permission_classes = (permissions.AllowAny,)
    throttle_classes = (VerifyRate,)
    parser_classes: tuple[type[BaseParser], ...] = (CredentialBodyParser, MultiPartParser)
    max_body = max(limits.MAX_UPLOAD_BYTES, _ENVELOPE * limits.MAX_BYTES) + 64 * 1024

    @operation(
        "verify_credential",
        "Check an Open Badges 3.0, CLR 2.0 or other verifiable credential",
        tag="public",
        body=VerifyBody,
        answer=ReportSerializer,
    )
    def post(self, body):
        """Whoever asks needs no account. Nothing is stored, and no address in it is opened."""
        uploaded = body.get("file")
        report = verify(
            credential=uploaded.read() if uploaded else body["credential"],
            content_type=uploaded.content_type or "" if uploaded else "",
            email=body.get("email", ""),
        )
        return {**_shown(report), "inner": [_shown(one) for one in _all_inner(report)]}


def _shown(report: VerificationReport) -> dict[str, Any]:
    return {
        "verdict": report.verdict.value,
        "message": report.message,
        "format": report.format,
        "our_own": report.our_own,
        "summary": report.summary,
        "checks": [
            {
                "name": check.name.value,
                "title": check.title,
                "outcome": check.outcome.value,
                "message": check.message,
                "code": check.code,
            }
            for check in report.checks
        ],
    }


def _all_inner(report: VerificationReport) -> Iterator[VerificationReport]:
    for one in report.inner:
        yield one
        yield from _all_inner(one)
