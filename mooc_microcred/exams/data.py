"""What crosses the border of the exams room: frozen, no model instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements.data import Text
from mooc_microcred.exams.problems import describe


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing that is wrong in a row of a result file.

    Attributes:
        row: row of the file, counted from 1 with the header.
        column: the column's standard name, such as ``score``; empty when it is about the row.
        value: what stands there; identity numbers only by their last four.
        code: what is wrong, see ``problems.py``; params: what its message names.
    """

    row: int
    column: str
    value: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """Return what is wrong and what is expected, in the reader's language."""
        return describe(self.code, dict(self.params))


@dataclass(frozen=True, slots=True)
class BatchData:
    """A batch of exam results as officers see it.

    Attributes:
        problems: every wrong row; empty in lists, and after the retention of the file.
        ignored_columns: headings of the file that are none of ours; these columns were not read.
    """

    uuid: str
    exam_code: str
    achievement: str
    organization: str
    state: str
    file_name: str
    sha256: str
    size: int
    rows_total: int
    rows_wrong: int
    rows_imported: int
    only_right_rows: bool
    problems: tuple[RowProblem, ...]
    uploaded_by: int
    uploaded_at: datetime
    signed_by: int | None
    signed_at: datetime | None
    released_by: int | None
    released_at: datetime | None
    supersedes: str
    reason: str
    file_deleted_at: datetime | None
    ignored_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CandidateResult:
    """One imported row of a batch, as officers check it before they sign.

    Attributes:
        row: row of the file, counted from 1 with the header.
        name: the learner's name on the platform now; empty where they have left it.
        percent: 0-100, None for an absence or a void sitting.
    """

    row: int
    learner_id: int
    name: str
    admission_number: str
    sat_on: date
    status: str
    score: Decimal | None
    max_score: Decimal
    percent: Decimal | None
    centre: str


@dataclass(frozen=True, slots=True)
class ExamSummary:
    """An exam in force, with the achievement that it is for."""

    code: str
    name: Text
    achievement: str
    organization: str
    max_score: Decimal
    attempts: int | None
    resit_gap_days: int
    policy: str


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """A batch as a line of a list.

    Attributes:
        id: grows with time; the place to go on from in a list.
        mine: whether who asks has uploaded it, and so cannot sign it.
    """

    id: int
    uuid: str
    exam_code: str
    organization: str
    state: str
    file_name: str
    rows_total: int
    rows_wrong: int
    uploaded_by: int
    uploaded_at: datetime
    supersedes: str
    mine: bool


@dataclass(frozen=True, slots=True)
class WaitingBatches:
    """What waits for somebody at the exam desk; each list is cut, newest first.

    Attributes:
        to_sign: uploaded by others. to_release: signed. to_mend: with wrong rows, nothing imported.
    """

    to_sign: Sequence[BatchSummary] = ()
    to_release: Sequence[BatchSummary] = ()
    to_mend: Sequence[BatchSummary] = ()


@dataclass(frozen=True, slots=True)
class BatchAction:
    """One line of the audit log about a batch. ``actor_id`` is a user id."""

    at: datetime
    actor_id: int | None
    action: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One sitting that a correction changes.

    Attributes:
        kind: ``changed``, ``added`` or ``missing`` (released before, not in the correction).
        row: of the correction's file; 0 for a missing one.
        name: the learner's name on the platform now.
        before, after: score as the files have it; None for an absence, a void sitting, or no row.
        status_before, status_after: empty where there is no row.
    """

    kind: str
    row: int
    learner_id: int
    name: str
    admission_number: str
    sat_on: date
    status_before: str
    before: Decimal | None
    status_after: str
    after: Decimal | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a correction changes of the batch that it takes the place of.

    Attributes:
        changed: sittings with another score or status; lower: those of them with less than before.
        added: sittings that were not there. missing: sittings that will be gone.
        unchanged: sittings as before.
        differences: the first of each kind, missing ones first.
    """

    changed: int
    lower: int
    added: int
    missing: int
    unchanged: int
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class ListedAdmission:
    """A candidate of an exam as officers see them.

    Attributes:
        id: grows with time; the place to go on from in a list.
        name, username: on the platform now; empty where the learner has left it.
    """

    id: int
    exam_code: str
    organization: str
    number: str
    learner_id: int
    name: str
    username: str
    created: datetime


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """Whom to admit to an exam: by exactly one of user id, user name and e-mail address.

    Attributes:
        number: the admission number that the centre uses; empty to have one made.
    """

    learner_id: int | None = None
    username: str = ""
    email: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class AdmissionData:
    """A learner admitted to an exam."""

    exam_code: str
    organization: str
    number: str
    learner_id: int


@dataclass(frozen=True, slots=True)
class ResultData:
    """A learner's released result in one sitting of an exam.

    Attributes:
        percent: 0-100, None for an absence or a void sitting.
        counts: whether it is the sitting that counts by the exam's policy.
    """

    exam_code: str
    exam_name: Text
    achievement: str
    sat_on: date
    status: str
    score: Decimal | None
    max_score: Decimal
    percent: Decimal | None
    centre: str
    released_at: datetime | None
    counts: bool


@dataclass(frozen=True, slots=True)
class SittingData:
    """The sitting to which a reference in an award's evidence leads.

    Attributes:
        organization: whose exam it is. percent: 0-100. centre: as the result file names it, may be empty.
    """

    exam_code: str
    organization: str
    sat_on: date
    percent: Decimal | None
    centre: str
