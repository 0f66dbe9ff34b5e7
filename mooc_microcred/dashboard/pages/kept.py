"""A learner's own page is kept for a minute, and shown until something of theirs changes.

What stands on a page comes from a dozen tables and from the platform; whether it still holds is asked of
the database with one query. Whoever writes a learner's awards takes their lease and gives it back at a new
instant, and so does every evaluation that the platform's signals lead to: all of that is seen at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.db.models import Exists, Max, Subquery
from django.http import HttpResponse

import mooc_microcred
from mooc_microcred.achievements.models import CatalogueRevision
from mooc_microcred.core.models import LearnerLease, StaffRole
from mooc_microcred.core.pages.people import shown
from mooc_microcred.core.pages.site import page
from mooc_microcred.core.pages.style import style_sheet_url
from mooc_microcred.credentials.models import Credential

# Seconds; pictures and settings that somebody changes show after that.
KEEP = 60


def kept(request: Any, template: str, read: Callable[[], tuple[Mapping[str, Any], bool]]) -> HttpResponse:
    """Return a page that asks for nothing but the reader's own state, as it was kept or made anew.

    Args:
        read: returns the page's context, and whether it may be kept.
    """
    state = _state(request.actor.id)
    # Without a catalogue there is no row that says so; and a message is told once.
    if state is None or len(messages.get_messages(request)):
        return shown(request, template, read()[0])
    key = f"mooc_microcred.own.{_stamp(request, template, state)}"
    content = cache.get(key)
    if content is not None:
        return page(content, request.language, shared=False)
    context, lasting = read()
    answer = shown(request, template, context)
    if lasting:
        cache.set(key, answer.content.decode(), KEEP)
    return answer


def _stamp(request: Any, template: str, state: tuple[Any, ...]) -> str:
    """Return a text that changes with all that the page depends on."""
    seen = (
        mooc_microcred.__version__,
        style_sheet_url(),
        template,
        request.actor.id,
        request.actor.superuser,
        request.get_full_path(),
        request.language,
        state,
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:40]


def _state(learner_id: int) -> tuple[Any, ...] | None:
    """Return what changes with the learner's awards, credentials and roles, by indexes alone; one query.

    None where no catalogue was ever in force.
    """
    signed = Credential.objects.filter(learner_id=learner_id).order_by().values("learner_id")
    found = (
        Subquery(LearnerLease.objects.filter(learner_id=learner_id).values("expires")[:1]),
        Subquery(signed.annotate(found=Max("pk")).values("found")[:1]),
        Exists(StaffRole.objects.filter(user_id=learner_id)),
    )
    return CatalogueRevision.objects.filter(pk=1).values_list("token", *found).first()
