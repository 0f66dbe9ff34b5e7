"""One batch: what is in it, what was done to it, and what to do next; and correcting a released one."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from mooc_microcred.core.dates import display_date, display_moment
from mooc_microcred.core.errors import InvalidInput, MicrocredError, NotAllowed, NotFound, WrongState
from mooc_microcred.core.pages.names import staff_names
from mooc_microcred.core.pages.people import person_page, shown, told
from mooc_microcred.core.rest_api.files import CSV, download
from mooc_microcred.core.roles import Role
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.data import BatchData, Comparison
from mooc_microcred.exams.models import ExamBatch, ExamResult
from mooc_microcred.exams.pages.desk import to_batch
from mooc_microcred.exams.pages.showing import (
    MOODS,
    READERS,
    column_name,
    exact,
    exam_names,
    most_bytes,
    take_file,
    whole_number,
)

State = ExamBatch.State
PROBLEMS = 50
RESULTS = 50
DIFFERENCES = 20
MAX_REASON = 1000
_STATUS = {InvalidInput: 400, NotAllowed: 403, NotFound: 404, WrongState: 409}


@person_page(post=True, roles=READERS, most_bytes=most_bytes)
def batch(request: Any, batch: object) -> HttpResponseBase:
    """Show a batch; sign, release or cancel it, import its right rows, or mend it by another file."""
    uuid = str(batch)
    if request.method != "POST":
        return _page(request, uuid)
    action = request.POST.get("action", "")
    act = _ACTIONS.get(action)
    if act is None:
        raise Http404
    try:
        return act(request, uuid)
    except (InvalidInput, NotAllowed, WrongState) as error:
        return _page(request, uuid, action=action, problem=error)


def _sign(request: Any, uuid: str) -> HttpResponseBase:
    exams.sign_batch(actor=request.actor, batch_uuid=uuid)
    return told(request, _("The batch is signed. It can be released now."), "page-exam-batch", batch=uuid)


def _release(request: Any, uuid: str) -> HttpResponseBase:
    exams.release_batch(actor=request.actor, batch_uuid=uuid)
    message = _("The results are released. Learners see them now, and Level 2 is being judged.")
    return told(request, message, "page-exam-batch", batch=uuid)


def _cancel(request: Any, uuid: str) -> HttpResponseBase:
    reason = request.POST.get("reason", "")[:MAX_REASON]
    exams.cancel_batch(actor=request.actor, batch_uuid=uuid, reason=reason)
    message = _("The batch is cancelled. The same file may be uploaded again.")
    return told(request, message, "page-exam-batch", batch=uuid)


def _import(request: Any, uuid: str) -> HttpResponseBase:
    found = exams.import_right_rows(actor=request.actor, batch_uuid=uuid)
    return to_batch(request, found)


def _mend(request: Any, uuid: str) -> HttpResponseBase:
    """Bring in a mended file; the batch with the wrong rows gives way to it."""
    wrong = exams.get_batch(actor=request.actor, batch_uuid=uuid)
    if wrong.state != State.INVALID:
        raise WrongState(_("This batch has been dealt with meanwhile."))
    mended = take_file(request, exam_code=wrong.exam_code, supersedes=wrong.supersedes, reason=wrong.reason)
    if exams.get_batch(actor=request.actor, batch_uuid=uuid).state == State.INVALID:
        reason = _("A mended file took its place: %(name)s") % {"name": mended.file_name}
        exams.cancel_batch(actor=request.actor, batch_uuid=uuid, reason=reason)
    return to_batch(request, mended)


_ACTIONS = {"sign": _sign, "release": _release, "cancel": _cancel, "import": _import, "mend": _mend}


# --- showing ---


def _page(
    request: Any, uuid: str, *, action: str = "", problem: MicrocredError | None = None
) -> HttpResponse:
    actor, language = request.actor, request.language
    found = exams.get_batch(actor=actor, batch_uuid=uuid)
    history = exams.history_of_batch(actor=actor, batch_uuid=uuid)
    staff = staff_names({one.actor_id for one in history} | {found.uploaded_by})
    correction = (
        exams.correction_of_batch(actor=actor, batch_uuid=uuid)
        if found.state in (State.RELEASED, State.SUPERSEDED)
        else None
    )
    officer = actor.has((Role.EXAM_OFFICER,), found.organization)
    signatory = actor.has((Role.EXAM_SIGNATORY,), found.organization)
    wait_for_release = found.supersedes and found.state in (State.IMPORTED, State.SIGNED)
    context = {
        "place": "exams",
        "batch": found,
        "state": State(found.state).label,
        "mood": MOODS[found.state],
        "exam": exam_names(language).get(found.exam_code, found.exam_code),
        "uploaded": display_moment(found.uploaded_at),
        "uploaded_by": staff[found.uploaded_by],
        "kilobytes": max(1, found.size // 1024),
        "next": _next_step(found, officer=officer, signatory=signatory, mine=found.uploaded_by == actor.id),
        "may_cancel": (officer or signatory) and found.state in (State.INVALID, State.IMPORTED, State.SIGNED),
        "may_correct": officer and found.state == State.RELEASED and correction is None,
        "correction": correction,
        "comparison": _compared(request, uuid) if wait_for_release else None,
        **_problems(request, found),
        **_results(request, found),
        "history": [
            {
                "when": display_moment(one.at),
                "who": staff.get(one.actor_id, "") if one.actor_id is not None else _("the system"),
                "what": _said(one.action, one.details),
            }
            for one in history
        ],
        "action": action,
        "problem": problem.message if problem else "",
        "reason": request.POST.get("reason", "")[:MAX_REASON],
    }
    status = _STATUS[type(problem)] if problem else 200
    return shown(request, "exams/batch.html", context, status=status)


def _next_step(found: BatchData, *, officer: bool, signatory: bool, mine: bool) -> str:
    """Return which of the template's next steps this person sees."""
    if found.state == State.INVALID:
        return "mend" if officer else "wait_mend"
    if found.state == State.IMPORTED:
        if mine:
            return "own"
        return "sign" if signatory else "wait_sign"
    if found.state == State.SIGNED:
        return "release" if officer or signatory else "wait_release"
    return str(found.state)


def _problems(request: Any, found: BatchData) -> dict[str, Any]:
    start = whole_number(request.GET.get("problem", "")) or 0
    some = found.problems[start : start + PROBLEMS]
    return {
        "problems": [
            {
                "row": one.row,
                "column": column_name(one.column, request.language),
                "value": one.value,
                "message": one.message,
            }
            for one in some
        ],
        "problems_from": start + 1,
        "problems_to": start + len(some),
        "problems_count": len(found.problems),
        "problems_before": str(max(0, start - PROBLEMS)) if start else "",
        "problems_next": start + PROBLEMS if start + PROBLEMS < len(found.problems) else "",
    }


def _results(request: Any, found: BatchData) -> dict[str, Any]:
    if not found.rows_imported:
        return {"results": []}
    first = whole_number(request.GET.get("row", "")) or 0
    rows = exams.results_of_batch(
        actor=request.actor, batch_uuid=found.uuid, after_row=max(0, first - 1), limit=RESULTS + 1
    )
    return {
        "results": [
            {
                "row": one.row,
                "name": one.name,
                "number": one.admission_number,
                "sat_on": display_date(one.sat_on),
                "status": ExamResult.Status(one.status).label,
                "sat": one.status == ExamResult.Status.SAT,
                "score": exact(one.score),
                "max_score": exact(one.max_score),
                "percent": exact(one.percent),
                "centre": one.centre,
            }
            for one in rows[:RESULTS]
        ],
        "row": first or "",
        "next_row": rows[RESULTS].row if len(rows) > RESULTS else "",
        "jump": found.rows_imported > RESULTS,
    }


def _compared(request: Any, uuid: str) -> dict[str, Any]:
    found: Comparison = exams.compare_with_corrected(actor=request.actor, batch_uuid=uuid, limit=DIFFERENCES)
    kinds = {"missing": _("would be gone"), "changed": _("changed"), "added": _("new")}
    return {
        "counts": found,
        "rest": found.changed + found.added + found.missing - len(found.differences),
        "differences": [
            {
                "kind": kinds[one.kind],
                "name": one.name,
                "number": one.admission_number,
                "sat_on": display_date(one.sat_on),
                "before": _outcome(one.status_before, one.before),
                "after": _outcome(one.status_after, one.after),
            }
            for one in found.differences
        ],
    }


def _outcome(status: str, score: Any) -> str:
    if not status:
        return "–"
    return exact(score) if status == ExamResult.Status.SAT else str(ExamResult.Status(status).label)


def _said(action: str, details: Any) -> str:
    """Return a line of the history."""
    sentences = {
        "exam_batch.uploaded": _("uploaded the file (rows: %(rows)s, wrong: %(wrong)s)"),
        "exam_batch.imported": _("imported the right rows (%(rows)s)"),
        "exam_batch.signed": _("signed as the second person"),
        "exam_batch.released": _("released the results"),
        "exam_batch.superseded": _("released a correction in its place"),
        "exam_batch.cancelled": _("cancelled the batch"),
    }
    counts = {"rows": "?", "wrong": "?", **details}
    return sentences.get(action, action) % counts


# --- files ---


@person_page(roles=READERS)
def problems_file(request: Any, batch: object) -> HttpResponseBase:
    """Return all wrong rows as a file for the exam centre."""
    content = exams.export_problems_csv(actor=request.actor, batch_uuid=str(batch))
    return download(content, name="problems.csv", media_type=CSV)


@person_page(post=True, roles=(Role.EXAM_OFFICER,), most_bytes=most_bytes)
def correct(request: Any, batch: object) -> HttpResponseBase:
    """Correct a released batch by a new file, which is signed and released as every other."""
    uuid = str(batch)
    found = exams.get_batch(actor=request.actor, batch_uuid=uuid)
    request.actor.require((Role.EXAM_OFFICER,), found.organization)
    problem: MicrocredError | None = None
    if request.method == "POST":
        try:
            made = take_file(
                request,
                exam_code=found.exam_code,
                supersedes=uuid,
                reason=request.POST.get("reason", "")[:MAX_REASON],
            )
        except (InvalidInput, WrongState) as error:
            problem = error
        else:
            return to_batch(request, made)
    elif found.state != State.RELEASED:
        raise WrongState(_("Only a released batch can be corrected; cancel this one instead."))
    context = {
        "place": "exams",
        "batch": found,
        "exam": exam_names(request.language).get(found.exam_code, found.exam_code),
        "released": display_date(found.released_at) if found.released_at else "",
        "reason": request.POST.get("reason", "")[:MAX_REASON],
        "problem": problem.message if problem else "",
    }
    status = _STATUS[type(problem)] if problem else 200
    return shown(request, "exams/correct.html", context, status=status)
