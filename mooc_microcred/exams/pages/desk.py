"""The exam desk: what waits for me, all batches, and bringing in a file."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mooc_microcred.achievements import api as achievements
from mooc_microcred.core.errors import InvalidInput, MicrocredError, NotFound, WrongState
from mooc_microcred.core.pages.names import staff_names
from mooc_microcred.core.pages.people import person_page, shown, shown_while, told
from mooc_microcred.core.rest_api.files import CSV, XLSX, download
from mooc_microcred.core.roles import Role
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.data import BatchData
from mooc_microcred.exams.models import ExamBatch
from mooc_microcred.exams.pages.showing import (
    READERS,
    lines_of,
    most_bytes,
    state_choices,
    take_file,
    whole_number,
)

PAGE = 25
# Of each kind that waits, on the desk itself.
WAITING = 6


@person_page(post=True, roles=READERS, most_bytes=most_bytes)
def desk(request: Any) -> HttpResponseBase:
    """Show the desk, or bring in a file of results."""
    if request.method != "POST":
        return _kept(request)
    try:
        batch = take_file(
            request,
            exam_code=request.POST.get("exam", ""),
            only_right_rows="only_right_rows" in request.POST,
        )
    except (InvalidInput, WrongState, NotFound) as error:
        return _page(request, problem=error)
    return to_batch(request, batch)


def to_batch(request: Any, batch: BatchData) -> HttpResponseBase:
    """Go to the page of a batch and say there what came of its file: a warning where rows are wrong."""
    if batch.state != ExamBatch.State.INVALID:
        return told(request, outcome_of(batch), "page-exam-batch", batch=batch.uuid)
    messages.warning(request, outcome_of(batch))
    return HttpResponseRedirect(reverse("mooc_microcred:page-exam-batch", args=[batch.uuid]) + "#mc-main")


def outcome_of(batch: BatchData) -> str:
    """Return what came of an upload."""
    said = {"rows": batch.rows_total, "wrong": batch.rows_wrong, "imported": batch.rows_imported}
    if batch.state == ExamBatch.State.INVALID:
        return (
            _("The file was checked: %(wrong)s of %(rows)s rows are wrong, and nothing was imported.") % said
        )
    if batch.rows_wrong:
        return (
            _(
                "Right rows, imported: %(imported)s. Wrong rows, left out: %(wrong)s. Next, a second "
                "person signs."
            )
            % said
        )
    all_right = ngettext(
        "%(rows)s row is right and was imported. Next, a second person signs.",
        "All %(rows)s rows are right and were imported. Next, a second person signs.",
        batch.rows_total,
    )
    return all_right % said


def _asked(request: Any) -> dict[str, Any]:
    asked = request.GET
    state = asked.get("state", "")
    return {
        "exam_code": asked.get("exam", "")[:64],
        "organization": asked.get("organization", "")[:255],
        "state": state if state in ExamBatch.State.values else "",
        "below": whole_number(asked.get("before", "")),
        "limit": PAGE + 1,
    }


def _kept(request: Any) -> HttpResponse:
    """Show the desk, as it was kept while no batch on it has changed."""
    batches = exams.desk_state(actor=request.actor, waiting=WAITING + 1, **_asked(request))
    state = sorted(request.actor.roles), achievements.catalogue_token(), batches
    return shown_while(request, "exams/desk.html", state, lambda: (_context(request), True))


def _page(request: Any, *, problem: MicrocredError) -> HttpResponse:
    context = _context(request, problem=problem)
    return shown(request, "exams/desk.html", context, status=_STATUS[type(problem)])


def _context(request: Any, *, problem: MicrocredError | None = None) -> dict[str, Any]:
    actor, filters = request.actor, _asked(request)
    in_force = exams.exams_in_force(organizations=None)
    names = {one.code: one.name.in_language(request.language) for one in in_force}
    found = exams.list_batches(actor=actor, **filters)
    more, found = len(found) > PAGE, found[:PAGE]
    waiting = exams.batches_waiting_for(actor=actor, limit=WAITING + 1)
    groups = [
        (_("To sign"), _("Others uploaded these. Compare, then sign."), "imported", waiting.to_sign),
        (_("To release"), _("These are signed. Learners do not see them yet."), "signed", waiting.to_release),
        (_("To mend"), _("These have wrong rows, and nothing of them counts."), "invalid", waiting.to_mend),
    ]
    staff = staff_names({one.uploaded_by for one in [*found, *waiting.to_sign, *waiting.to_release]})
    seen = [one for one in in_force if actor.has(READERS, one.organization)]
    mine = [one for one in in_force if actor.has(Role.EXAM_OFFICER, one.organization)]
    chosen = request.POST.get("exam", "")
    kept = {"exam": filters["exam_code"], "organization": filters["organization"], "state": filters["state"]}
    return {
        "place": "exams",
        "waiting": [
            {
                "heading": heading,
                "note": note,
                "state": state,
                "batches": lines_of(some[:WAITING], names, staff),
                "more": len(some) > WAITING,
            }
            for heading, note, state, some in groups
            if some
        ],
        "batches": lines_of(found, names, staff),
        "filtered": any(kept.values()),
        "exam_filter": [
            {"value": one.code, "label": names[one.code], "chosen": one.code == filters["exam_code"]}
            for one in seen
        ],
        "organization_filter": [
            {"value": one, "label": one, "chosen": one == filters["organization"]}
            for one in sorted({one.organization for one in seen})
        ],
        "state_filter": state_choices(filters["state"]),
        "next": urlencode({**kept, "before": found[-1].id}) if more else "",
        "first": urlencode(kept) if filters["below"] is not None else "",
        "exams": [
            {"value": one.code, "label": names[one.code], "chosen": one.code == chosen} for one in mine
        ],
        "only_right_rows": "only_right_rows" in request.POST,
        "problem": problem.message if problem else "",
    }


_STATUS: dict[type[MicrocredError], int] = {InvalidInput: 400, NotFound: 404, WrongState: 409}


@person_page(roles=READERS)
def template(request: Any, form: str) -> HttpResponseBase:
    """Return an empty file of results with headings in the reader's language."""
    if form not in ("csv", "xlsx"):
        raise Http404
    content = exams.result_template(language=request.language, as_xlsx=form == "xlsx")
    return download(content, name=f"results.{form}", media_type=XLSX if form == "xlsx" else CSV)
