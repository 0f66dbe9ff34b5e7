"""The Open Badges 3.0 API, by which a learner's backpack or wallet pulls the credentials (read only).

Specification: Open Badges 3.0, section 6 (`GET /credentials`, `GET /profile`, `GET /discovery`). A
backpack signs in with the platform's OAuth 2.0 (a JWT access token as ``Bearer`` or ``JWT``).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.urls import reverse
from django.utils.http import urlencode
from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
from edx_rest_framework_extensions.auth.session.authentication import SessionAuthenticationAllowInactiveUser
from rest_framework import permissions, serializers
from rest_framework.response import Response

import mooc_microcred
from mooc_microcred.core.rest_api.fields import Instant
from mooc_microcred.core.rest_api.views import ApiView, operation
from mooc_microcred.credentials import wallet
from mooc_microcred.credentials.pages import reading

MAX_LIMIT = 100
SCOPES = {
    "https://purl.imsglobal.org/spec/ob/v3p0/scope/credential.readonly": "read my credentials",
    "https://purl.imsglobal.org/spec/ob/v3p0/scope/profile.readonly": "read my profile",
}


class BearerJwt(JwtAuthentication):
    """The platform's JWT under the word that OAuth 2.0 has for it; the platform's own word is ``JWT``."""

    @classmethod
    def prefixes_match(cls, prefix):
        """Say whether the word before the token is ours."""
        return prefix.lower() == "bearer" or super().prefixes_match(prefix)


class WalletView(ApiView):
    """The base of what a backpack calls."""

    authentication_classes: tuple[Any, ...] = (BearerJwt, SessionAuthenticationAllowInactiveUser)


class CredentialsQuery(serializers.Serializer):
    """Which part; as the specification has it."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, required=False, default=50)
    offset = serializers.IntegerField(min_value=0, max_value=100_000, required=False, default=0)
    since = Instant(required=False)


class CredentialsSerializer(serializers.Serializer):
    """GetOpenBadgeCredentialsResponse."""

    credential = serializers.ListField(child=serializers.DictField())
    compactJwsString = serializers.ListField(child=serializers.CharField())


class WalletCredentialsView(WalletView):
    """The learner's credentials, for a backpack."""

    @operation(
        "get_credentials",
        "My credentials, for a backpack (Open Badges 3.0)",
        tag="wallet",
        query=CredentialsQuery,
        answer=CredentialsSerializer,
    )
    def get(self, query):
        """The signed documents, the newest first; `Link` and `X-Total-Count` as in the specification."""
        total, documents = wallet.signed_documents(
            learner_id=self.learner_id,
            since=query.get("since"),
            offset=query["offset"],
            limit=query["limit"],
        )
        answer = Response({"credential": documents, "compactJwsString": []})
        answer["X-Total-Count"] = str(total)
        links = _links(self.request, query, total)
        if links:
            answer["Link"] = ", ".join(links)
        return answer


def _links(request: Any, query: dict[str, Any], total: int) -> list[str]:
    limit, offset = query["limit"], query["offset"]
    last = max(0, (total - 1) // limit * limit)
    places = {"first": 0, "last": last}
    if offset + limit < total:
        places["next"] = offset + limit
    if offset:
        places["prev"] = max(0, offset - limit)
    kept = {"since": request.query_params["since"]} if "since" in query else {}
    found = []
    for relation, place in places.items():
        parameters = urlencode({"limit": limit, "offset": place, **kept})
        address = reading.absolute(f"{request.path}?{parameters}")
        found.append(f'<{address}>; rel="{relation}"')
    return found


class ProfileSerializer(serializers.Serializer):
    """The learner's profile: no personal data."""

    id = serializers.CharField()
    type = serializers.ListField(child=serializers.CharField())


class WalletProfileView(WalletView):
    """The learner's profile, for a backpack."""

    @operation(
        "get_profile",
        "My profile, for a backpack (Open Badges 3.0)",
        tag="wallet",
        answer=ProfileSerializer,
    )
    def get(self):
        """Who is asked is who signed in; nothing else is told of them."""
        return {"id": f"urn:uuid:{wallet.profile_id(learner_id=self.learner_id)}", "type": ["Profile"]}


class DiscoveryView(WalletView):
    """The service description, for anybody."""

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    throttle_classes = ()

    @operation(
        "get_service_description",
        "What this service can do (Open Badges 3.0)",
        tag="wallet",
        answer=serializers.DictField,
    )
    def get(self):
        """An OpenAPI 3.0 description with the marks of the specification."""
        return Response(service_description())


def service_description() -> dict[str, Any]:
    """Return the Service Description Document of the specification's section on discovery."""
    base = reading.absolute(reverse("mooc_microcred:wallet-discovery").removesuffix("/discovery"))
    host = reading.absolute("")
    name = getattr(django_settings, "PLATFORM_NAME", "") or "Open edX"
    scheme = "OAuth2ACG"

    def reads(summary: str, scope: str, operation_id: str) -> dict[str, Any]:
        return {
            "get": {
                "operationId": operation_id,
                "summary": summary,
                "security": [{scheme: [f"https://purl.imsglobal.org/spec/ob/v3p0/scope/{scope}"]}],
                "responses": {"200": {"description": "OK"}, "401": {"description": "not signed in"}},
            }
        }

    return {
        "openapi": "3.0.1",
        "info": {
            "title": name,
            "version": mooc_microcred.__version__,
            "termsOfService": f"{host}/tos",
            "x-imssf-privacyPolicyUrl": f"{host}/privacy",
        },
        "servers": [{"url": base}],
        "tags": [{"name": "OpenBadgeCredentials"}],
        "paths": {
            "/credentials": reads("The learner's credentials", "credential.readonly", "getCredentials"),
            "/profile": reads("The learner's profile", "profile.readonly", "getProfile"),
        },
        "components": {
            "securitySchemes": {
                scheme: {
                    "type": "oauth2",
                    "x-imssf-registrationUrl": f"{host}/admin/oauth2_provider/application/",
                    "flows": {
                        "authorizationCode": {
                            "authorizationUrl": f"{host}/oauth2/authorize",
                            "tokenUrl": f"{host}/oauth2/access_token",
                            "scopes": SCOPES,
                        }
                    },
                }
            }
        },
    }
