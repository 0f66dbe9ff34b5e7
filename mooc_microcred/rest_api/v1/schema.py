"""The OpenAPI document of version 1, made of our own endpoints only."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from django.http import JsonResponse
from django.utils.translation import override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings
from drf_spectacular.utils import OpenApiResponse

from mooc_microcred import __version__
from mooc_microcred.core.rest_api.views import ApiView, operation

DESCRIPTION = """\
Micro-credentials on Open edX: what a learner has earned and can earn, exam results, credit in a
credit bank, and what staff of each organisation do about them.

Sign in as on the platform: `Authorization: JWT <token>`, or the session cookie, with the
`X-CSRFToken` header for everything but GET. Errors come in the reader's language
(`Accept-Language`). Lists come in pages: follow `next`.
"""

# Every setting of drf-spectacular has its default or our value: an operator's settings are for
# the platform's document. (The library refuses to have those of its own views patched.)
_SETTINGS = {
    **{
        name: value
        for name, value in SPECTACULAR_DEFAULTS.items()
        if not name.startswith("SERVE_") and name != "DEFAULT_GENERATOR_CLASS"
    },
    "TITLE": "mooc-microcred",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": f"1 ({__version__})",
    "LICENSE": {"name": "AGPL-3.0-only", "url": "https://www.gnu.org/licenses/agpl-3.0.html"},
    "COMPONENT_SPLIT_REQUEST": True,
    # Choices stay where they are used: shared names for them would change with every new endpoint.
    "POSTPROCESSING_HOOKS": [],
    "COMPONENT_NO_READ_ONLY_REQUIRED": True,
    "PATH_CONVERTER_OVERRIDES": {
        "microcred_id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 10**18 - 1},
        "microcred_code": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,63}$"},
    },
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "jwt": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`JWT <token>`, as the platform's /oauth2/access_token issues it",
            },
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "sessionid",
                "description": "the platform's session; `X-CSRFToken` for everything but GET",
            },
        }
    },
    "TAGS": [
        {"name": "my", "description": "What belongs to the person who is signed in"},
        {"name": "catalogue", "description": "What can be earned"},
        {"name": "staff", "description": "For staff, by role and organisation"},
        {"name": "public", "description": "For anybody, without signing in"},
        {"name": "document", "description": "This document"},
    ],
}

# The library keeps the settings of the document being made in a global object.
_lock = threading.Lock()


@cache
def openapi_document() -> dict[str, Any]:
    """Return the document, made once per process, in English; its addresses are relative to ``servers``."""
    from mooc_microcred.rest_api.v1.urls import urlpatterns

    with _lock, override("en"), patched_settings(_SETTINGS):
        document = SchemaGenerator(patterns=urlpatterns).get_schema(request=None, public=True)
    for name, component in document["components"]["schemas"].items():
        # What is sent is checked strictly; what is answered may grow within a version.
        if name.endswith("Request") and component.get("type") == "object":
            component["additionalProperties"] = False
    return document


class SchemaView(ApiView):
    """The OpenAPI document."""

    @operation(
        "read_schema",
        "This document",
        tag="document",
        answer=OpenApiResponse(response={"type": "object"}, description="OpenAPI 3.0, as JSON."),
    )
    def get(self):
        """Addresses in it are relative to where the platform has mounted the API."""
        base = self.request.path.removesuffix("schema/")
        return JsonResponse({**openapi_document(), "servers": [{"url": base.rstrip("/")}]})
