"""Who may sit which exam: the list, a search in it, and admitting candidates.

Names and addresses that are looked for are sent in a form, never in an address: addresses are logged.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters

from mooc_microcred.core.cells import neutralised
from mooc_microcred.core.dates import display_date
from mooc_microcred.core.errors import InvalidInput, MicrocredError, NotFound, Problem, WrongState
from mooc_microcred.core.pages.people import person_page, shown, told
from mooc_microcred.core.rest_api.files import CSV, download
from mooc_microcred.core.roles import Role
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.candidates import MAX_BYTES, CandidateLine
from mooc_microcred.exams.data import ListedAdmission
from mooc_microcred.exams.pages.showing import READERS, exam_names, whole_number

PAGE = 50
# Wrong rows on one page; a list has at most a thousand.
SHOWN_PROBLEMS = 200
_STATUS = {InvalidInput: 400, NotFound: 404, WrongState: 409}


def _most_bytes() -> int:
    # A file or a pasted text (percent-encoded in the worst case), and the form around it.
    return 4 * MAX_BYTES


@sensitive_post_parameters("people", "words")
@person_page(post=True, roles=READERS, most_bytes=_most_bytes)
def admissions(request: Any) -> HttpResponseBase:
    """Show candidates, find some, or admit some."""
    if request.method != "POST":
        return _page(request)
    if request.POST.get("action") == "find":
        words = request.POST.get("words", "").strip()[:254]
        exam = request.POST.get("exam", "")[:64]
        return _page(
            request,
            words=words,
            found=exams.find_admissions(actor=request.actor, words=words, exam_code=exam, limit=PAGE),
            exam=exam,
        )
    lines: list[CandidateLine] = []
    try:
        lines = exams.read_candidates(_list_of(request))
        admitted = exams.admit_learners(
            actor=request.actor,
            exam_code=request.POST.get("exam", ""),
            candidates=[one.candidate for one in lines],
        )
    except (InvalidInput, NotFound, WrongState) as error:
        return _page(request, problem=error, lines=lines)
    message = ngettext(
        "%(count)s candidate is admitted.", "%(count)s candidates are admitted.", len(admitted)
    )
    return told(request, message % {"count": len(admitted)}, "page-admissions")


def _list_of(request: Any) -> bytes:
    """Return what was pasted or uploaded.

    Raises:
        InvalidInput: neither or both.
    """
    pasted, file = request.POST.get("people", ""), request.FILES.get("file")
    if bool(pasted.strip()) == (file is not None):
        raise InvalidInput(_("Write or paste candidates, or choose a file: one of the two."))
    if file is not None:
        # One byte more shows that it is too long.
        return bytes(file.read(MAX_BYTES + 1))
    return bytes(pasted.encode())


def _page(
    request: Any,
    *,
    problem: MicrocredError | None = None,
    lines: Sequence[CandidateLine] = (),
    words: str = "",
    found: list[ListedAdmission] | None = None,
    exam: str = "",
) -> HttpResponse:
    actor = request.actor
    names = exam_names(request.language)
    exam = exam or request.GET.get("exam", "")[:64]
    before = whole_number(request.GET.get("before", ""))
    searched = found is not None
    rows = found or []
    more = False
    if not searched:
        rows = exams.list_admissions(actor=actor, exam_code=exam, below=before, limit=PAGE + 1)
        more, rows = len(rows) > PAGE, rows[:PAGE]
    seen = exams.exams_in_force(organizations=actor.organizations(READERS))
    mine = exams.exams_in_force(organizations=actor.organizations((Role.EXAM_OFFICER,)))
    chosen = request.POST.get("exam", "") or exam
    context = {
        "place": "admissions",
        "searched": searched,
        "words": words,
        "exam": exam,
        "exam_name": names.get(exam, exam),
        "exam_filter": [
            {"value": one.code, "label": names[one.code], "chosen": one.code == exam} for one in seen
        ],
        "admissions": [
            {
                "number": one.number,
                "exam": names.get(one.exam_code, one.exam_code),
                "name": one.name,
                "username": one.username,
                "since": display_date(one.created),
            }
            for one in rows
        ],
        "next": urlencode({"exam": exam, "before": rows[-1].id}) if more else "",
        "first": urlencode({"exam": exam}) if before is not None else "",
        "exams": [
            {"value": one.code, "label": names[one.code], "chosen": one.code == chosen} for one in mine
        ],
        "people": request.POST.get("people", ""),
        "problem": problem.message if problem else "",
        "wrong_rows": _wrong_rows(problem.problems, lines) if problem else [],
    }
    return shown(request, "exams/admissions.html", context, status=_STATUS[type(problem)] if problem else 200)


_PLACE = re.compile(r"candidates\[(\d+)\]")


def _wrong_rows(problems: Sequence[Problem], lines: Sequence[CandidateLine]) -> list[dict[str, Any]]:
    """Return the problems by row of the list: the verb counts candidates, people count rows."""
    found = []
    for one in problems[:SHOWN_PROBLEMS]:
        place = _PLACE.match(one.where)
        if place:
            line = lines[int(place[1])]
            who = line.candidate.username or line.candidate.email
            found.append({"row": line.row, "value": one.value or who, "message": one.message})
        else:
            found.append({"row": one.where, "value": one.value, "message": one.message})
    return found


@person_page(roles=(Role.EXAM_OFFICER,))
def candidates_file(request: Any, exam: str) -> HttpResponseBase:
    """Return the candidates of an exam as a file for its centre: number and name; it is written down."""
    rows = exams.admissions_for_centre(actor=request.actor, exam_code=exam)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([_("admission number"), _("name")])
    writer.writerows([neutralised(one.number), neutralised(one.name)] for one in rows)
    return download(("\ufeff" + buffer.getvalue()).encode(), name="candidates.csv", media_type=CSV)
