"""Pages for people who are signed in: their language, their roles, and what a refusal looks like.

They work without JavaScript. A form is posted, and what came of it is told on the page that follows
(``django.contrib.messages``), so that a reload does nothing twice.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from mooc_microcred import __version__
from mooc_microcred.core.errors import InvalidInput, MicrocredError, NotAllowed, NotFound, WrongState
from mooc_microcred.core.lease import LeaseBusy, LeaseLost
from mooc_microcred.core.pages.keeping import KEEP, for_anybody, for_reader, rendered_once
from mooc_microcred.core.pages.language import remember_language, wanted_language
from mooc_microcred.core.pages.places import places_of
from mooc_microcred.core.pages.site import page, rendered
from mooc_microcred.core.pages.style import style_sheet_url
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred.core.roles import Actor

# Of a list of problems, on one page.
SHOWN_PROBLEMS = 50


class PersonRequest(HttpRequest):
    """A request as views of ours get it (for type checkers): with ``actor`` and ``language``."""

    actor: Actor
    language: str


def login_url() -> str:
    """Return where a person signs in: the LMS's own page, or what Django's setting names."""
    try:
        return reverse("signin_user")
    except NoReverseMatch:
        return str(settings.LOGIN_URL)


def person_page(
    *,
    post: bool = False,
    roles: Collection[str] = (),
    own_transactions: bool = False,
    most_bytes: Callable[[], int] | None = None,
) -> Callable[..., Any]:
    """Make a page for people out of a view ``(request, ...) -> response``.

    The view runs in the reader's language and finds ``request.actor`` and ``request.language``. What it
    raises of ``core.errors``, of leases and of the platform becomes a page that says so, and nothing that
    the request has written stays.

    Args:
        post: whether it takes forms.
        roles: who may see it, for any organisation; empty means everybody who is signed in.
        own_transactions: its verbs take a learner's lease, which others must be able to see at once,
            so the platform's ATOMIC_REQUESTS must not wrap it.
        most_bytes: of a page that takes files, how many bytes a request may have; a longer one is
            refused before anything of it is kept.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def answer(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), login_url=login_url())
            request.actor = Actor.of(request.user)
            request.language = wanted_language(request)
            with translation.override(request.language):
                try:
                    if roles and not holds_any(request.actor, roles):
                        raise NotAllowed(_("You do not hold the role that this page is for."))
                    found = view(request, *args, **kwargs)
                except _REFUSALS as error:
                    # Before the rollback is asked for: after that nothing more can be read.
                    found = refusal(request, error)
                    if transaction.get_connection().in_atomic_block and not own_transactions:
                        transaction.set_rollback(True)
            remember_language(request, found)
            return found

        methods = ["GET", "HEAD", "POST"] if post else ["GET", "HEAD"]
        made: Callable[..., HttpResponseBase] = never_cache(
            csrf_protect(require_http_methods(methods)(answer))
        )
        if most_bytes is not None:
            made = _bounded(made, most_bytes)
        return transaction.non_atomic_requests(made) if own_transactions else made

    return decorate


# Of a body that is too long, what is read and thrown away, so that the browser gets to read the answer.
_PASSED_OVER = 64 * 2**20


def _bounded(
    view: Callable[..., HttpResponseBase], most_bytes: Callable[[], int]
) -> Callable[..., HttpResponseBase]:
    """Refuse a body that is too long before anybody looks for a CSRF token in it.

    The view itself is protected; being exempt only keeps the middleware from reading the body first.
    """

    @functools.wraps(view)
    def answer(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length <= most_bytes():
            return view(request, *args, **kwargs)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), login_url=login_url())
        left = min(length, _PASSED_OVER)
        while left > 0 and (passed := len(request.read(min(left, 2**16)))):
            left -= passed
        request.actor = Actor.of(request.user)
        request.language = wanted_language(request)
        with translation.override(request.language):
            size = _("What you sent is larger than %(megabytes)s MB. Nothing of it was kept.")
            return refusal(request, InvalidInput(size % {"megabytes": most_bytes() // 2**20}))

    return csrf_exempt(answer)


def holds_any(actor: Actor, roles: Collection[str]) -> bool:
    """Say whether a person holds one of the roles for any organisation."""
    held = actor.organizations(roles)
    return held is None or bool(held)


def shown(
    request: Any,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    once: bool = False,
) -> HttpResponse:
    """Return a page for the person who asks, by a template below ``mooc_microcred/pages/``.

    It is nobody else's: no cache keeps it, and no search engine lists it.

    Args:
        once: whether the same content is put into HTML once a minute and not each time (not for pages
            with the names of others).
    """
    beside = around(request)
    said = messages.get_messages(request)
    context = context or {}
    if once and status == 200 and not len(said):
        known_by = beside["staff_somewhere"], [place.key for place in beside["staff_places"]]
        content = rendered_once(
            request, template, context, request.language, around=beside, known_by=known_by
        )
    else:
        full = {"messages": said, **beside, **context}
        content = rendered(template, full, request.language, request)
    return page(content, request.language, status=status, shared=False)


def shown_while(
    request: Any, template: str, state: Any, read: Callable[[], tuple[Mapping[str, Any], bool]]
) -> HttpResponse:
    """Return a page as it was kept for this person while what it shows was in the same state, or made anew.

    Args:
        state: changes with all that the page shows, but for what may be a minute old; None: make it anew.
        read: returns the page's context, and whether it may be kept.
    """
    # A message is told once.
    if state is None or len(messages.get_messages(request)):
        return shown(request, template, read()[0])
    seen = (
        __version__,
        style_sheet_url(),
        style_sheet_url("staff"),
        template,
        request.actor.id,
        request.actor.superuser,
        request.get_full_path(),
        request.language,
        state,
    )
    key = f"mooc_microcred.own.{hashlib.sha256(repr(seen).encode()).hexdigest()[:40]}"
    content = cache.get(key)
    if content is None:
        context, lasting = read()
        content = for_anybody(template, {**around(request), **context}, request.language, request)
        if lasting:
            cache.set(key, content, KEEP)
    return page(for_reader(request, content), request.language, shared=False)


def around(request: Any) -> dict[str, Any]:
    """Return what every page for a person shows beside its own."""
    return {
        "staff_somewhere": request.actor.superuser or bool(request.actor.roles),
        "staff_places": places_of(request.actor),
    }


def told(request: Any, message: str, to: str, **where: Any) -> HttpResponseRedirect:
    """Go to a page of ours, by its name, and say there that something was done."""
    messages.success(request, message)
    # The form's own address may end in a place on its page, and browsers keep that on a redirect.
    return HttpResponseRedirect(reverse(f"mooc_microcred:{to}", kwargs=where) + "#mc-main")


def refused(request: Any, error: MicrocredError, to: str, **where: Any) -> HttpResponseRedirect:
    """Go to a page of ours, by its name, and say there why something was not done."""
    messages.error(request, error.message)
    for problem in error.problems[:SHOWN_PROBLEMS]:
        messages.error(request, str(problem))
    return HttpResponseRedirect(reverse(f"mooc_microcred:{to}", kwargs=where))


_STATUS = ((InvalidInput, 400), (NotAllowed, 403), (NotFound, 404), (WrongState, 409))
_REFUSALS = (MicrocredError, LeaseBusy, LeaseLost, PlatformUnavailable, Http404, PermissionDenied)


def refusal(request: Any, error: Exception) -> HttpResponse:
    """Return the page that says why something cannot be shown or done."""
    heading, sentences, status = _("This is not possible"), [], 400
    if isinstance(error, MicrocredError):
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
        sentences = [error.message, *map(str, error.problems[:SHOWN_PROBLEMS])]
    elif isinstance(error, LeaseBusy | LeaseLost):
        heading, status = _("Please try again"), 409
        sentences = [_("This learner's awards are being worked on. Try again in a moment.")]
    elif isinstance(error, PlatformUnavailable):
        heading, status = _("Please try again"), 503
        sentences = [_("The platform cannot be read now. Try again later; nothing was changed.")]
    elif isinstance(error, PermissionDenied):
        status, sentences = 403, [_("You may not do this.")]
    else:
        status, sentences = 404, [_("There is nothing at this address.")]
    context = {"mood": "warn", "heading": heading, "sentences": sentences}
    return shown(request, "refusal.html", context, status=status)
