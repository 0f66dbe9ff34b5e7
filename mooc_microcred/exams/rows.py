"""What the rows of a result file mean: scores, dates, and which learner each row is about.

Every wrong row is found in one pass; the learners of all rows are looked up with a constant
number of queries, whatever the number of rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django.utils.translation import gettext as _

from mooc_microcred.achievements.data import Exam
from mooc_microcred.core import clock
from mooc_microcred.core.dates import BUDDHIST_OFFSET, FIRST_BUDDHIST_YEAR, parse_date, western_digits
from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.identity import find_learners_by_identity, normalise_number
from mooc_microcred.core.platform import LearnerProfile, get_platform
from mooc_microcred.core.retirement import retired_among
from mooc_microcred.exams.data import RowProblem
from mooc_microcred.exams.files import IDENTIFIERS, MAX_CELL, RawRow
from mooc_microcred.exams.models import ExamAdmission, ExamResult

Status = ExamResult.Status

_STATUSES = {
    "sat": Status.SAT,
    "present": Status.SAT,
    "เข้าสอบ": Status.SAT,
    "มาสอบ": Status.SAT,
    "absent": Status.ABSENT,
    "ขาดสอบ": Status.ABSENT,
    "ไม่มาสอบ": Status.ABSENT,
    "void": Status.VOID,
    "โมฆะ": Status.VOID,
    "ทุจริต": Status.VOID,
}
_TITLES = re.compile(
    r"^(?:นางสาว|น\.ส\.|นาง|นาย|ด\.ช\.|ด\.ญ\.|เด็กชาย|เด็กหญิง|ว่าที่\s*ร\.ต\.|ศาสตราจารย์|"
    r"รองศาสตราจารย์|ผู้ช่วยศาสตราจารย์|ศ\.|รศ\.|ผศ\.|ดร\.|อ\.|"
    r"(?:mr|mrs|ms|miss|dr|prof|asst|assoc)\b\.?)\s*"
)
# A document number is personal: officers see its end, as on their own lists.
_PERSONAL = ("national_id", "passport")


@dataclass(frozen=True, slots=True)
class GoodRow:
    """A row that can be imported."""

    row: int
    learner_id: int
    status: str
    sat_on: date
    score: Decimal | None
    max_score: Decimal
    percent: Decimal | None
    centre: str


@dataclass(slots=True)
class _Reading:
    """A row while it is being read."""

    raw: RawRow
    status: str = Status.SAT
    sat_on: date | None = None
    score: Decimal | None = None
    learner_id: int | None = None


class _Problems:
    """The problems found so far, by row."""

    def __init__(self):
        self.found: list[RowProblem] = []
        self.rows: set[int] = set()

    def add(self, raw: RawRow, column: str, message: str) -> None:
        value = raw.cells.get(column, "")
        shown = value.isoformat() if isinstance(value, date) else value[:100]
        if column in _PERSONAL and shown:
            shown = "…" + shown[-4:]
        self.found.append(RowProblem(raw.number, column, shown, message))
        self.rows.add(raw.number)


def check_rows(
    raw_rows: Sequence[RawRow], *, exam_code: str, exam: Exam
) -> tuple[list[GoodRow], list[RowProblem]]:
    """Return the rows that are right, and every problem of the others.

    Raises:
        PlatformUnavailable: learners cannot be looked up now.
    """
    problems = _Problems()
    readings = [_Reading(raw) for raw in raw_rows]
    for reading in readings:
        _read_values(reading, exam, problems)
    _find_learners(readings, exam_code, problems)
    _check_learners([one for one in readings if one.learner_id is not None], problems)
    good = [
        _good_row(one, exam)
        for one in readings
        if one.raw.number not in problems.rows and one.learner_id is not None
    ]
    problems.found.sort(key=lambda one: one.row)
    return good, problems.found


def _good_row(reading: _Reading, exam: Exam) -> GoodRow:
    assert reading.learner_id is not None
    assert reading.sat_on is not None
    percent = None
    if reading.score is not None:
        percent = (reading.score * 100 / exam.max_score).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return GoodRow(
        row=reading.raw.number,
        learner_id=reading.learner_id,
        status=reading.status,
        sat_on=reading.sat_on,
        score=reading.score,
        max_score=exam.max_score,
        percent=percent,
        centre=str(reading.raw.cells.get("centre", ""))[:128],
    )


# --- values ---


def _read_values(reading: _Reading, exam: Exam, problems: _Problems) -> None:
    raw = reading.raw
    for column in sorted(raw.formulas):
        problems.add(raw, column, _("This is a formula. Write the value itself."))
    for column, value in raw.cells.items():
        if isinstance(value, str) and (len(value) > MAX_CELL or _has_control_characters(value)):
            problems.add(raw, column, _("This is too long or has characters that cannot be shown."))
    if raw.number in problems.rows:
        return
    _read_status(reading, problems)
    _read_date(reading, problems)
    _read_score(reading, exam, problems)


def _has_control_characters(text: str) -> bool:
    return any(unicodedata.category(one) in ("Cc", "Cs") and one not in "\t\n\r" for one in text)


def _read_status(reading: _Reading, problems: _Problems) -> None:
    value = reading.raw.cells.get("status")
    if value is None:
        return
    status = _STATUSES.get(str(value).casefold())
    if status is None:
        problems.add(
            reading.raw, "status", _("Write sat, absent or void (เข้าสอบ, ขาดสอบ or โมฆะ), or leave it empty.")
        )
        return
    reading.status = status


def _read_date(reading: _Reading, problems: _Problems) -> None:
    value = reading.raw.cells.get("sat_on")
    if value is None:
        problems.add(reading.raw, "sat_on", _("The date of the exam is missing."))
        return
    if isinstance(value, date):
        found = value
        if found.year >= FIRST_BUDDHIST_YEAR:
            try:
                found = found.replace(year=found.year - BUDDHIST_OFFSET)
            except ValueError:
                problems.add(reading.raw, "sat_on", _("There is no such day."))
                return
    else:
        try:
            found = parse_date(value)
        except ValueError as error:
            problems.add(reading.raw, "sat_on", str(error))
            return
    if found > clock.now().date() + timedelta(days=1):
        problems.add(reading.raw, "sat_on", _("This day has not come yet."))
        return
    reading.sat_on = found


def _number(text: str) -> Decimal | None:
    """Return a plain decimal number, None for anything else; a comma is not taken for a point."""
    cleaned = western_digits(text).strip()
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", cleaned):
        return None
    try:
        return Decimal(cleaned)
    except InvalidOperation:
        return None


def _read_score(reading: _Reading, exam: Exam, problems: _Problems) -> None:
    raw = reading.raw
    full = raw.cells.get("max_score")
    if full is not None and _number(str(full)) != exam.max_score:
        problems.add(
            raw, "max_score", _("The full score of this exam is %(score)s.") % {"score": exam.max_score}
        )
    value = raw.cells.get("score")
    if reading.status != Status.SAT:
        if value is not None and reading.status == Status.ABSENT and _number(str(value)) != 0:
            problems.add(raw, "score", _("Somebody who was absent has no score. Leave it empty."))
        return
    if value is None:
        problems.add(
            raw,
            "score",
            _("The score is missing. If the candidate was absent, write so in the status column."),
        )
        return
    score = None if isinstance(value, date) else _number(value)
    if score is None or score > exam.max_score or score != round(score, 3):
        problems.add(
            raw,
            "score",
            _("Write a number from 0 to %(score)s with a point and at most three decimals.")
            % {"score": exam.max_score},
        )
        return
    reading.score = score


# --- learners ---


def _find_learners(readings: Sequence[_Reading], exam_code: str, problems: _Problems) -> None:
    """Set the learner of each row: by admission number, else user name or e-mail, else document."""
    by_number = _admissions(readings, exam_code)
    by_username, by_email = _accounts(readings)
    documents = {one.raw.number: _documents(one.raw, problems) for one in readings}
    by_document = find_learners_by_identity(numbers={pair for found in documents.values() for pair in found})
    for reading in readings:
        raw = reading.raw
        given: dict[str, set[int]] = {}
        if "admission_number" in raw.cells:
            number = _text(raw, "admission_number")
            given["admission_number"] = {by_number[number]} if number in by_number else set()
        if "username" in raw.cells:
            given["username"] = by_username[_text(raw, "username").lower()]
        if "email" in raw.cells:
            given["email"] = by_email[_text(raw, "email").lower()]
        for kind, number in documents[raw.number]:
            learner = by_document.get((kind, number))
            # A learner without a verified document is no contradiction to another identifier.
            if learner is not None or not given:
                given[kind] = {learner} if learner is not None else set()
        _agree(reading, given, problems)


def _text(raw: RawRow, column: str) -> str:
    value = raw.cells[column]
    return western_digits(value.isoformat() if isinstance(value, date) else value)


def _agree(reading: _Reading, given: Mapping[str, set[int]], problems: _Problems) -> None:
    """Take the learner on whom all identifiers of the row agree; else say which one does not fit."""
    raw = reading.raw
    if not any(column in raw.cells for column in IDENTIFIERS):
        problems.add(raw, "", _("Nothing in this row names the candidate."))
        return
    if raw.number in problems.rows and not given:
        return
    for column, learners in given.items():
        if not learners:
            problems.add(raw, column, _unknown(column))
            return
        if len(learners) > 1:
            problems.add(raw, column, _("Several accounts have this. Use the admission number instead."))
            return
    found = {next(iter(learners)) for learners in given.values()}
    if len(found) > 1:
        problems.add(
            raw,
            "",
            _("These belong to different people: %(columns)s.") % {"columns": ", ".join(sorted(given))},
        )
    elif found:
        reading.learner_id = found.pop()


def _unknown(column: str) -> str:
    if column == "admission_number":
        return _("Nobody was admitted to this exam under this number.")
    if column in _PERSONAL:
        return _("No learner has this document verified. The identity verifier can record it.")
    return _("There is no such account on the platform.")


def _admissions(readings: Sequence[_Reading], exam_code: str) -> dict[str, int]:
    numbers = {_text(one.raw, "admission_number") for one in readings if "admission_number" in one.raw.cells}
    if not numbers:
        return {}
    # All of the exam's, not an IN list of every number of the file.
    rows = ExamAdmission.objects.filter(exam_code=exam_code).values_list("number", "learner_id")
    return {number: learner for number, learner in rows.iterator() if number in numbers}


def _accounts(readings: Sequence[_Reading]) -> tuple[dict[str, set[int]], dict[str, set[int]]]:
    usernames = {_text(one.raw, "username") for one in readings if "username" in one.raw.cells}
    emails = {_text(one.raw, "email") for one in readings if "email" in one.raw.cells}
    by_username: dict[str, set[int]] = defaultdict(set)
    by_email: dict[str, set[int]] = defaultdict(set)
    if usernames or emails:
        for profile in get_platform().find_learners(usernames=usernames, emails=emails):
            by_username[profile.username.lower()].add(profile.learner_id)
            by_email[profile.email.lower()].add(profile.learner_id)
    return by_username, by_email


def _documents(raw: RawRow, problems: _Problems) -> list[tuple[str, str]]:
    found = []
    for kind in _PERSONAL:
        if kind in raw.cells:
            try:
                found.append((kind, normalise_number(kind, _text(raw, kind))))
            except InvalidInput as error:
                problems.add(raw, kind, str(error.message))
    return found


def _check_learners(readings: Sequence[_Reading], problems: _Problems) -> None:
    learners = {one.learner_id for one in readings if one.learner_id is not None}
    profiles = get_platform().read_learners(learners) if learners else {}
    retired = retired_among(learners)
    seen: dict[tuple[int, date | None], int] = {}
    for reading in readings:
        raw, learner = reading.raw, reading.learner_id
        assert learner is not None
        if learner in retired or learner not in profiles:
            problems.add(raw, "", _("This learner has left the platform."))
            continue
        _check_name(raw, profiles[learner], problems)
        first = seen.setdefault((learner, reading.sat_on), raw.number)
        if first != raw.number:
            problems.add(
                raw, "", _("Row %(row)s is about the same candidate on the same day.") % {"row": first}
            )


def _check_name(raw: RawRow, profile: LearnerProfile, problems: _Problems) -> None:
    if "name" in raw.cells and same_name(_text(raw, "name"), profile.name) is False:
        problems.add(
            raw,
            "name",
            _("This is not the name of the account. Check that the row is about the right person."),
        )


def same_name(first: str, second: str) -> bool:
    """Say whether two names are one person's: titles, spaces and letter case make no difference."""
    return _bare_name(first) == _bare_name(second)


def _bare_name(name: str) -> str:
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", name)).strip().casefold()
    while (shorter := _TITLES.sub("", text, count=1)) != text and shorter:
        text = shorter
    return text.replace(" ", "")
