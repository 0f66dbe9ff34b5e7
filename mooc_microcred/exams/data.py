"""What crosses the border of the exams room: frozen, no model instances."""

from __future__ import annotations

from collections.abc import Mapping
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
