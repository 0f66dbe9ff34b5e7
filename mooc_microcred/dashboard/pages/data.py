"""A learner's own data: everything to download, what is kept and how long, and what was done with it."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from mooc_microcred.core import clock
from mooc_microcred.core.data_export import export_learner
from mooc_microcred.core.dates import display_moment
from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.pages.people import person_page, told
from mooc_microcred.credentials import api as credentials
from mooc_microcred.dashboard.holdings import (
    Line,
    what_is_held,
    what_was_done,
    what_was_sent,
    who_sees_credentials,
)
from mooc_microcred.dashboard.pages.kept import CREDITS, EXAMS, HOLDINGS, kept
from mooc_microcred.dashboard.pages.numbered import numbered

PAGE_SIZE = 15


@person_page(post=True)
def data(request: Any) -> HttpResponseBase:
    """Show what is held of the person who asks; forget their DID if they want it."""
    learner = request.actor.id
    if request.method == "POST":
        if request.POST.get("action") != "forget_did":
            raise InvalidInput(_("This page does not know what to do. Go back and try again."))
        credentials.forget_did(learner_id=learner)
        return told(
            request, _("Forgotten. Later credentials name a hash of your e-mail address."), "page-data"
        )
    return kept(request, "dashboard/data.html", lambda: _all(request), also=(EXAMS, CREDITS, HOLDINGS))


def _all(request: Any) -> tuple[dict[str, Any], bool]:
    learner, language = request.actor.id, request.language
    sent = numbered(request, what_was_sent(learner_id=learner), PAGE_SIZE, name="sent")
    done = numbered(request, what_was_done(learner_id=learner), PAGE_SIZE, name="done")
    return {
        "place": "data",
        "held": what_is_held(learner_id=learner),
        "sees": who_sees_credentials(learner_id=learner),
        "sent": sent,
        "sent_lines": [_line(one, language) for one in sent["items"]],
        "done": done,
        "done_lines": [_line(one, language) for one in done["items"]],
        "did": credentials.did_of(learner_id=learner),
    }, True


def _line(one: Line, language: str) -> dict[str, str]:
    return {"at": display_moment(one.at, language), "what": one.what, "who": one.who, "why": one.why}


@person_page()
def everything(request: Any) -> HttpResponseBase:
    """Give everything that is held of the person who asks, as JSON (PDPA B.E. 2562, section 30)."""
    found = export_learner(learner_id=request.actor.id)
    content = json.dumps(found, ensure_ascii=False, indent=1).encode()
    return _file(content, f"my-micro-credential-data-{clock.now():%Y-%m-%d}.json", "application/json")


@person_page()
def bundle(request: Any) -> HttpResponseBase:
    """Give every signed credential of the person who asks, in one file."""
    content = credentials.bundle_of_learner(learner_id=request.actor.id)
    return _file(content, f"my-credentials-{clock.now():%Y-%m-%d}.zip", "application/zip")


def _file(content: bytes, name: str, media_type: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer
