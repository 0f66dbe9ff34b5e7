"""A learner's own page is kept for a minute, and shown until something of theirs changes.

What stands on a page comes from a dozen tables and from the platform; whether it still holds is asked of
the database with one query. Every evaluation of a learner gives their lease back at a new instant, so that
whatever the platform has told since is seen at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.db.models import Count, Max, Subquery
from django.http import HttpResponse

import mooc_microcred
from mooc_microcred.achievements.models import Award, CatalogueRevision
from mooc_microcred.core.models import LearnerLease
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
    # Something is to be told once.
    if len(messages.get_messages(request)):
        return shown(request, template, read()[0])
    key = f"mooc_microcred.own.{_stamp(request, template)}"
    content = cache.get(key)
    if content is not None:
        return page(content, request.language, shared=False)
    context, lasting = read()
    answer = shown(request, template, context)
    if lasting:
        cache.set(key, answer.content.decode(), KEEP)
    return answer


def _stamp(request: Any, template: str) -> str:
    """Return a text that changes with everything that the learner's awards and the catalogue change."""
    learner = request.actor.id
    seen = (
        mooc_microcred.__version__,
        style_sheet_url(),
        template,
        learner,
        request.get_full_path(),
        request.language,
        request.actor.superuser or bool(request.actor.roles),
        _state(learner),
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:40]


def _state(learner_id: int) -> tuple[Any, ...] | None:
    """Return what changes with the learner's awards and credentials, by indexes alone; one query."""
    lease = LearnerLease.objects.filter(learner_id=learner_id)
    awards = Award.objects.filter(learner_id=learner_id).order_by().values("learner_id")
    signed = Credential.objects.filter(learner_id=learner_id).order_by().values("learner_id")
    found = (
        lease.values("expires"),
        awards.annotate(found=Count("live")).values("found"),
        awards.annotate(found=Max("pk")).values("found"),
        signed.annotate(found=Max("pk")).values("found"),
    )
    revision = CatalogueRevision.objects.filter(pk=1)
    return revision.values_list("token", *(Subquery(one[:1]) for one in found)).first()
