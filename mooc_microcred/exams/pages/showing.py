"""How exams, batches and figures are said to people; and how a page takes a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.dates import display_moment
from mooc_microcred.core.errors import InvalidInput, WrongState
from mooc_microcred.core.rest_api.throttling import UploadRate
from mooc_microcred.core.roles import Role
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.data import BatchData, BatchSummary
from mooc_microcred.exams.files import COLUMNS
from mooc_microcred.exams.models import ExamBatch

READERS = (Role.EXAM_OFFICER, Role.EXAM_SIGNATORY, Role.AUDITOR)
MOODS = {
    "invalid": "bad",
    "imported": "warn",
    "signed": "warn",
    "released": "good",
    "superseded": "quiet",
    "cancelled": "quiet",
}
# Bytes that a form has besides its file.
_ENVELOPE = 64 * 1024


def most_bytes() -> int:
    """Return how many bytes a form with a file may have.

    A file that is somewhat too large is refused beside the form, so that is more than a file may have.
    """
    return 2 * microcred_settings.UPLOAD_MAX_BYTES + _ENVELOPE


def take_file(request: Any, **where: Any) -> BatchData:
    """Bring in the file of a form.

    Raises:
        InvalidInput: there is none, it is too large, or no file of results.
        WrongState: too many in a short time; else as ``exams.api.upload_batch``.
    """
    file = request.FILES.get("file")
    if file is None:
        raise InvalidInput(_("Choose a file."))
    if file.size > microcred_settings.UPLOAD_MAX_BYTES:
        raise InvalidInput(
            _("The file is larger than %(megabytes)s MB. Split it into several batches.")
            % {"megabytes": microcred_settings.UPLOAD_MAX_BYTES // 2**20}
        )
    if not UploadRate().allow_request(request, None):
        raise WrongState(_("You have sent many files in a short time. Try again in a minute."))
    return exams.upload_batch(actor=request.actor, file_name=file.name or "", content=file.read(), **where)


def exam_names(language: str) -> dict[str, str]:
    """Return the names of all exams in force, by code."""
    return {one.code: one.name.in_language(language) for one in exams.exams_in_force(organizations=None)}


def state_choices(chosen: str) -> list[dict[str, Any]]:
    """Return the states of batches for a list to choose from."""
    return [
        {"value": value, "label": label, "chosen": value == chosen}
        for value, label in ExamBatch.State.choices
    ]


def lines_of(
    batches: Iterable[BatchSummary], names: Mapping[str, str], staff: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Return what a list says of each batch.

    Args:
        names: of exams by code. staff: names by user id.
    """
    return [
        {
            "uuid": one.uuid,
            "file_name": one.file_name,
            "exam": names.get(one.exam_code, one.exam_code),
            "organization": one.organization,
            "uploaded": display_moment(one.uploaded_at),
            "by": staff.get(one.uploaded_by, ""),
            "mine": one.mine,
            "rows": one.rows_total,
            "wrong": one.rows_wrong,
            "state": ExamBatch.State(one.state).label,
            "mood": MOODS[one.state],
            "corrects": bool(one.supersedes),
        }
        for one in batches
    ]


def exact(number: Decimal | None) -> str:
    """Return a number without zeros that say nothing; a dash for none."""
    if number is None:
        return "–"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def column_name(column: str, language: str) -> str:
    """Return the heading of a column as the template in this language has it."""
    headings = COLUMNS.get(column)
    return headings[0 if language == "th" else 1] if headings else column


def whole_number(text: str) -> int | None:
    """Return a number that an address names, or None; only what a database takes."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
