"""The base of every view, and the decorator that makes an endpoint out of a method.

Nothing here follows the platform's REST_FRAMEWORK or SPECTACULAR settings: an operator's
choice for other APIs (authentication, renderers, throttles, exception handler, schema class)
does not change ours.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.db import transaction
from django.http import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema
from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
from edx_rest_framework_extensions.auth.session.authentication import SessionAuthenticationAllowInactiveUser
from edx_rest_framework_extensions.permissions import NotJwtRestrictedApplication
from rest_framework import permissions, serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from mooc_microcred.core.errors import NotAllowed, NotFound, Problem
from mooc_microcred.core.rest_api.errors import InvalidRequest, TooLarge, api_exception_handler, problems_of
from mooc_microcred.core.rest_api.paging import Page, page_serializer
from mooc_microcred.core.rest_api.parsing import JSONAnswers, StrictJSONParser
from mooc_microcred.core.rest_api.throttling import PersonRate
from mooc_microcred.core.roles import Actor

# Bytes of a JSON body; the longest that we take is a list of candidates.
MAX_BODY = 1024 * 1024


class ApiSchema(AutoSchema):
    """Describes operations; authentication is the same for all, so nothing is guessed from classes."""

    def get_auth(self) -> list[dict[str, list]]:
        """Return the security requirement: a JWT, or a session with a CSRF token."""
        return [{"jwt": []}, {"session": []}]


class ProblemSerializer(serializers.Serializer):
    """One thing that is wrong with a request."""

    where = serializers.CharField(help_text="parameter, field or row and column; may be empty")
    message = serializers.CharField(help_text="what is wrong and what is expected, in the reader's language")
    value = serializers.CharField(help_text="what was given, at most 100 characters; empty when personal")


class ErrorSerializer(serializers.Serializer):
    """Every answer of 400 and above."""

    code = serializers.CharField(help_text="a stable word for programs")
    message = serializers.CharField(help_text="one sentence in the reader's language")
    problems = ProblemSerializer(many=True)


class SignedIn(permissions.BasePermission):
    """Somebody who is signed in, and not by a token of a restricted application.

    The platform issues restricted tokens to third parties for endpoints that declare a scope;
    none of ours does.
    """

    def has_permission(self, request, view) -> bool:
        """Say whether the person may use the API at all."""
        return bool(
            request.user
            and request.user.is_authenticated
            and NotJwtRestrictedApplication().has_permission(request, view)
        )


class ApiView(APIView):
    """What a signed-in person sees of their own, and of the catalogue.

    Attributes:
        max_body: bytes of a body; a longer one is refused before it is read (HTTP 413).
        names: what a room's serializers show of rows that were read together (their context).
        own_transactions: the verbs behind this view take a learner's lease, which others must be
            able to see, so the platform's ATOMIC_REQUESTS must not wrap it.
    """

    authentication_classes: tuple[Any, ...] = (JwtAuthentication, SessionAuthenticationAllowInactiveUser)
    permission_classes: tuple[Any, ...] = (SignedIn,)
    throttle_classes: tuple[Any, ...] = (PersonRate,)
    parser_classes: tuple[type[BaseParser], ...] = (StrictJSONParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = JSONAnswers
    metadata_class = None
    versioning_class = None
    schema = ApiSchema()
    max_body = MAX_BODY
    own_transactions = False
    names: dict[Any, Any] | None = None

    def serializer_context(self) -> dict[str, Any]:
        """Return what a serializer may need besides its data."""
        return {"view": self, "names": self.names or {}}

    @classmethod
    def as_view(cls, **initkwargs):
        """Return the view function, outside of ATOMIC_REQUESTS where ``own_transactions`` says so."""
        view = super().as_view(**initkwargs)
        return transaction.non_atomic_requests(view) if cls.own_transactions else view

    def get_exception_handler(self):
        """Return our own handler; the platform's setting is for its own API."""
        return api_exception_handler

    def initialize_request(self, request, *args, **kwargs):
        """Read every request as UTF-8: a charset in the media type may name any Python codec."""
        # A middleware of the platform may have read a form already. Setting the encoding would throw
        # it away, and an upload cannot be read twice.
        if not hasattr(request, "_post"):
            request.encoding = "utf-8"
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request, *args, **kwargs):
        """Refuse a body that is too long before authentication looks for a CSRF token in it."""
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > self.max_body:
            raise TooLarge(self.max_body)
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request, response, *args, **kwargs):
        """Keep personal data out of every cache between us and the reader."""
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        patch_vary_headers(response, ["Accept-Language", "Authorization", "Cookie"])
        return response

    @cached_property
    def actor(self) -> Actor:
        """Return who is signed in, with their roles (read once, when first asked)."""
        return Actor.of(self.request.user)

    @property
    def learner_id(self) -> int:
        """Return the id of who is signed in."""
        return self.request.user.id

    def checked_query(self, serializer: type[serializers.Serializer] | None) -> dict[str, Any]:
        """Return the query's parameters.

        Raises:
            InvalidRequest: a wrong, repeated or unknown one.
        """
        given = self.request.query_params
        repeated = [name for name in given if len(given.getlist(name)) > 1]
        if repeated:
            raise InvalidRequest([Problem(name, _("This parameter may be given once.")) for name in repeated])
        return self._checked(serializer, given.dict())

    def checked_body(self, serializer: type[serializers.Serializer] | None) -> dict[str, Any]:
        """Return the body's fields.

        Raises:
            InvalidRequest: a wrong or unknown one. ParseError, UnsupportedMediaType: it cannot be read.
        """
        given = self.request.data
        if hasattr(given, "getlist"):
            repeated = [name for name in given if len(given.getlist(name)) > 1]
            if repeated:
                raise InvalidRequest([Problem(name, _("This field may be given once.")) for name in repeated])
            given = given.dict()
        return self._checked(serializer, given)

    def _checked(self, serializer: type[serializers.Serializer] | None, given: Any) -> dict[str, Any]:
        form = (serializer or _Nothing)(data=given)
        unknown = list(_unknown_names(form, given, ""))
        if not form.is_valid() or unknown:
            raise InvalidRequest(
                [
                    *problems_of(form, given),
                    *(Problem(name, _("There is no such field or parameter.")) for name in unknown),
                ]
            )
        return form.validated_data


def _unknown_names(form: Any, given: Any, where: str) -> Iterator[str]:
    """Return where a body or query has what the form does not know, at any depth."""
    if isinstance(form, serializers.ListSerializer):
        for number, one in enumerate(given if isinstance(given, list) else ()):
            yield from _unknown_names(form.child, one, f"{where}[{number}]")
    elif isinstance(form, serializers.Serializer) and isinstance(given, dict):
        for name, value in given.items():
            place = f"{where}.{name}" if where else name
            if name in form.fields:
                yield from _unknown_names(form.fields[name], value, place)
            else:
                yield place


class _Nothing(serializers.Serializer):
    """No field at all."""


class StaffView(ApiView):
    """What staff see of the organisations for which they hold one of ``roles``.

    Who holds none of the roles anywhere is told so (403); an object of another organisation does
    not exist for them (404), and lists do not show it.
    """

    roles: Collection[str] = ()

    def initial(self, request, *args, **kwargs):
        """Refuse whoever holds none of the roles, before anything is looked up."""
        super().initial(request, *args, **kwargs)
        scopes = self.actor.organizations(self.roles)
        if scopes is not None and not scopes:
            raise NotAllowed(_("You do not hold a role that this needs."))

    def organizations(self, wanted: str | None = None) -> set[str] | None:
        """Return the organisations whose rows are shown; None means all of them."""
        scopes = self.actor.organizations(self.roles)
        if not wanted:
            return scopes
        return {wanted} if scopes is None else scopes & {wanted}

    def must_see(self, organization: str) -> None:
        """Pretend that the object does not exist, unless one of the roles is held for its organisation.

        Raises:
            NotFound: the actor may not know of it.
        """
        if not self.actor.has(self.roles, organization):
            raise NotFound(_("There is no such thing."))

    def must_hold_everywhere(self) -> None:
        """Refuse whoever holds the role for single organisations only: what follows belongs to none.

        Raises:
            NotAllowed: the role is not held for all organisations.
        """
        if self.actor.organizations(self.roles) is not None:
            raise NotAllowed(_("This needs the role for all organisations."))


_WRONG = {
    400: "The request has mistakes; `problems` lists them.",
    401: "Nobody is signed in.",
    403: "The role is missing, or two persons are needed.",
    404: "There is no such thing, or it belongs to another organisation.",
    409: "It is not in a state in which this can be done.",
    413: "The body is too long.",
    415: "The media type is not one that this takes.",
    429: "Too many requests; `Retry-After` says how many seconds to wait.",
    503: "The platform cannot be read now.",
}


def operation(
    name: str,
    summary: str,
    *,
    tag: str,
    query: type[serializers.Serializer] | None = None,
    body: type[serializers.Serializer] | None = None,
    answer: Any = None,
    listed: bool = False,
    status: int = 200,
    refusals: Collection[int] = (),
) -> Callable:
    """Make an endpoint of a method: what the document says is what is checked.

    The method gets the path's parameters and, where they are declared, ``query`` and ``body`` as
    checked dicts; it returns the data that ``answer`` serialises (a Page where ``listed``), or a
    ready response.

    Args:
        name: the operation's id in the OpenAPI document.
        summary: one line, in English.
        tag: ``my``, ``catalogue``, ``staff``, ``public`` or ``document``.
        query: form of the parameters; None means that there are none.
        body: form of the body; None means that there is none. Where its class has ``media_types``, it
            may be sent in any of these.
        answer: serializer class of the data; or an OpenApiResponse, or a dict of them by (status, media
            type), where the method returns a ready response.
        listed: whether the answer is a page of such data.
        status: of success.
        refusals: statuses besides 400, 401, 403 and 429 that can come.
    """
    shown = page_serializer(answer) if listed else answer
    expected = {400, 401, 403, 429, *refusals} | ({413, 415} if body else set())

    def decorate(method: Callable) -> Callable:
        @functools.wraps(method)
        def respond(view: ApiView, request, **where):
            found = view.checked_query(query)
            if query:
                where["query"] = found
            if request.method not in ("GET", "HEAD"):
                given = view.checked_body(body)
                if body:
                    where["body"] = given
            result = method(view, **where)
            if isinstance(result, HttpResponseBase):
                return result
            if result is None:
                return Response(status=status)
            if isinstance(result, Page):
                return Response(_rendered_page(view, answer, result), status=status)
            return Response(answer(result, context=view.serializer_context()).data, status=status)

        # Otherwise the library would extend the class that the platform has made the default.
        respond.kwargs = {"schema": ApiSchema}
        describe = extend_schema(
            operation_id=name,
            summary=summary,
            description=(method.__doc__ or "").strip(),
            tags=[tag],
            parameters=[query] if query else [],
            request=_request_form(body),
            responses={
                **(
                    shown
                    if isinstance(shown, dict)
                    else {status: shown or OpenApiResponse(description="Done.")}
                ),
                **{
                    one: OpenApiResponse(response=ErrorSerializer, description=_WRONG[one])
                    for one in sorted(expected)
                },
            },
        )
        return describe(respond)

    return decorate


def _request_form(body: type[serializers.Serializer] | None) -> Any:
    if body is None:
        return None
    if hasattr(body, "media_types"):
        return dict.fromkeys(body.media_types, body)
    if any(isinstance(field, serializers.FileField) for field in body().fields.values()):
        return {MultiPartParser.media_type: body}
    return {StrictJSONParser.media_type: body}


def _rendered_page(view: ApiView, item: type[serializers.Serializer], page: Page) -> dict[str, Any]:
    following = None
    if page.cursor is not None:
        parameters = view.request.query_params.copy()
        parameters["cursor"] = str(page.cursor)
        following = view.request.build_absolute_uri(f"{view.request.path}?{parameters.urlencode()}")
    return {"next": following, "results": item(page.rows, many=True, context=view.serializer_context()).data}
