"""What the rows of a result file mean: scores, dates, and which learner each row is about.

Every wrong row is found in one pass; the learners are looked up in blocks of rows, each with a
constant number of queries.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.db.models import Q

from mooc_microcred.achievements.data import Exam
from mooc_microcred.core import clock
from mooc_microcred.core.dates import BUDDHIST_OFFSET, FIRST_BUDDHIST_YEAR, parse_date, western_digits
from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.identity import find_learners_by_identity, normalise_number
from mooc_microcred.core.platform import LearnerProfile, get_platform
from mooc_microcred.core.retirement import retired_among
from mooc_microcred.exams.data import RowProblem
from mooc_microcred.exams.files import IDENTIFIERS, MAX_CELL, RawRow
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult

Status = ExamResult.Status
# What centres write in the place of no score.
_NO_SCORE = ("-", "–", "—")

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
# Abbreviations of two and more parts are ranks and titles: น.ส., ด.ช., พ.ต.อ., พล.ต., ร.ต.
_TITLES = re.compile(
    r"^(?:นางสาว|นาง|นาย|เด็กชาย|เด็กหญิง|ว่าที่|ศาสตราจารย์|รองศาสตราจารย์|ผู้ช่วยศาสตราจารย์|"
    r"(?:[ก-ฮ]{1,2}\.\s?){2,4}|(?:ศ|รศ|ผศ|ดร|อ)\.|ดร(?=\s)|"
    r"(?:mr|mrs|ms|miss|dr|prof|asst|assoc)\b\.?)\s*"
)
# Nikhahit is typed before or after the tone mark and looks the same.
_NIKHAHIT_FIRST = re.compile("(\u0e4d)([\u0e48-\u0e4b])")
# A document number is personal: officers see its end, as on their own lists.
_PERSONAL = ("national_id", "passport")
# What stands in a wrong column may be a document number as well.
_LIKE_A_NUMBER = re.compile(r"(?:\d[\s-]?){9,}")
# Rows whose learners are looked up at a time.
BLOCK = 1000


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

    def add(self, raw: RawRow, column: str, code: str, **params: Any) -> None:
        self.found.append(RowProblem(raw.number, column, _shown(raw, column), code, params))
        self.rows.add(raw.number)


def _shown(raw: RawRow, column: str) -> str:
    """Return a cell as officers see it; a document number, wherever it stands, by its last four."""
    value = raw.cells.get(column, "")
    text = value.isoformat() if isinstance(value, date) else value
    if text and (column in _PERSONAL or _LIKE_A_NUMBER.search(western_digits(text))):
        return "…" + text[-4:]
    return text[:40]


def check_rows(
    raw_rows: Sequence[RawRow], *, exam_code: str, exam: Exam, corrects: int | None = None
) -> tuple[list[GoodRow], list[RowProblem]]:
    """Return the rows that are right, and every problem of the others.

    Args:
        corrects: id of the batch that these rows will supersede; its results are no contradiction.

    Raises:
        PlatformUnavailable: learners cannot be looked up now.
    """
    problems = _Problems()
    readings = [_Reading(raw) for raw in raw_rows]
    for reading in readings:
        _read_values(reading, exam, problems)
    by_number = _admissions(readings, exam_code)
    for block in _blocks(readings):
        _find_learners(block, by_number, problems)
        _check_learners(block, exam_code, corrects, problems)
    _check_doubles(readings, problems)
    good = [
        _good_row(one, exam)
        for one in readings
        if one.raw.number not in problems.rows and one.learner_id is not None
    ]
    problems.found.sort(key=lambda one: one.row)
    return good, problems.found


def _blocks(readings: Sequence[_Reading]) -> Iterator[Sequence[_Reading]]:
    for start in range(0, len(readings), BLOCK):
        yield readings[start : start + BLOCK]


def _good_row(reading: _Reading, exam: Exam) -> GoodRow:
    assert reading.learner_id is not None
    assert reading.sat_on is not None
    percent = None
    if reading.score is not None:
        # Down: a rounded figure must never reach a minimum that the exact one does not.
        percent = (reading.score * 100 / exam.max_score).quantize(Decimal("0.0001"), ROUND_DOWN)
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
        problems.add(raw, column, "formula")
    for column, value in raw.cells.items():
        if isinstance(value, str) and (len(value) > MAX_CELL or _has_control_characters(value)):
            problems.add(raw, column, "unreadable")
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
        problems.add(reading.raw, "status", "status")
        return
    reading.status = status


def _read_date(reading: _Reading, problems: _Problems) -> None:
    value = reading.raw.cells.get("sat_on")
    if value is None:
        problems.add(reading.raw, "sat_on", "no_date")
        return
    if isinstance(value, date):
        found = value
        if found.year >= FIRST_BUDDHIST_YEAR:
            try:
                found = found.replace(year=found.year - BUDDHIST_OFFSET)
            except ValueError:
                problems.add(reading.raw, "sat_on", "date")
                return
    else:
        try:
            found = parse_date(value)
        except ValueError:
            problems.add(reading.raw, "sat_on", "date")
            return
    if found > clock.now().date() + timedelta(days=1):
        problems.add(reading.raw, "sat_on", "future")
        return
    reading.sat_on = found


def _number(text: str) -> Decimal | None:
    """Return a plain decimal number, None for anything else; a comma is not taken for a point."""
    cleaned = western_digits(text).strip()
    return Decimal(cleaned) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", cleaned) else None


def _read_score(reading: _Reading, exam: Exam, problems: _Problems) -> None:
    raw = reading.raw
    full = raw.cells.get("max_score")
    if full is not None and _number(str(full)) != exam.max_score:
        problems.add(raw, "max_score", "max_score", score=str(exam.max_score))
    value = raw.cells.get("score")
    if value in _NO_SCORE:
        value = None
    if reading.status != Status.SAT:
        if value is not None and reading.status == Status.ABSENT and _number(str(value)) != 0:
            problems.add(raw, "score", "absent_score")
        return
    if value is None:
        problems.add(raw, "score", "no_score")
        return
    score = None if isinstance(value, date) else _number(value)
    if score is None and re.fullmatch(r"\d+,\d+", str(value)):
        problems.add(raw, "score", "comma")
        return
    if score is None or score > exam.max_score or score != round(score, 3):
        problems.add(raw, "score", "score", score=str(exam.max_score))
        return
    reading.score = score


# --- learners ---


def _find_learners(readings: Sequence[_Reading], by_number: Mapping[str, int], problems: _Problems) -> None:
    """Set the learner of each row: by admission number, else user name or e-mail, else document."""
    by_username, by_email = _accounts(readings)
    documents = {one.raw.number: _documents(one.raw, problems) for one in readings}
    by_document = find_learners_by_identity(numbers={pair for found in documents.values() for pair in found})
    for reading in readings:
        raw = reading.raw
        given: dict[str, set[int]] = {}
        if "admission_number" in raw.cells:
            learner = by_number.get(admission_key(_text(raw, "admission_number")))
            given["admission_number"] = set() if learner is None else {learner}
        if "username" in raw.cells:
            given["username"] = by_username[_text(raw, "username").casefold()]
        if "email" in raw.cells:
            given["email"] = by_email[_text(raw, "email").casefold()]
        for kind, number in documents[raw.number]:
            learner = by_document.get((kind, number))
            # A learner without a verified document is no contradiction to another identifier.
            if learner is not None or not given:
                given[kind] = {learner} if learner is not None else set()
        _agree(reading, given, problems)


def admission_key(number: str) -> str:
    """Return an admission number as it is compared: without spaces, letter case and Thai digits."""
    return re.sub(r"\s+", "", western_digits(number)).upper()


def _text(raw: RawRow, column: str) -> str:
    value = raw.cells[column]
    return value.isoformat() if isinstance(value, date) else value


def _agree(reading: _Reading, given: Mapping[str, set[int]], problems: _Problems) -> None:
    """Take the learner on whom all identifiers of the row agree; else say which one does not fit."""
    raw = reading.raw
    if not any(column in raw.cells for column in IDENTIFIERS):
        problems.add(raw, "", "nobody_named")
        return
    if raw.number in problems.rows and not given:
        return
    for column, learners in given.items():
        if not learners:
            problems.add(raw, column, _unknown(column))
            return
        if len(learners) > 1:
            problems.add(raw, column, "several_accounts")
            return
    found = {next(iter(learners)) for learners in given.values()}
    if len(found) > 1:
        problems.add(raw, "", "different_people", columns=", ".join(sorted(given)))
    elif found:
        reading.learner_id = found.pop()


def _unknown(column: str) -> str:
    if column == "admission_number":
        return "not_admitted"
    if column in _PERSONAL:
        return "not_verified"
    return "no_account"


def _admissions(readings: Sequence[_Reading], exam_code: str) -> dict[str, int]:
    numbers = {
        admission_key(_text(one.raw, "admission_number"))
        for one in readings
        if "admission_number" in one.raw.cells
    }
    if not numbers:
        return {}
    # All of the exam's, not an IN list of every number of the file.
    rows = ExamAdmission.objects.filter(exam_code=exam_code).values_list("number", "learner_id")
    keyed = ((admission_key(number), learner) for number, learner in rows.iterator())
    return {number: learner for number, learner in keyed if number in numbers}


def _accounts(readings: Sequence[_Reading]) -> tuple[dict[str, set[int]], dict[str, set[int]]]:
    usernames = {_text(one.raw, "username") for one in readings if "username" in one.raw.cells}
    emails = {_text(one.raw, "email") for one in readings if "email" in one.raw.cells}
    by_username: dict[str, set[int]] = defaultdict(set)
    by_email: dict[str, set[int]] = defaultdict(set)
    if usernames or emails:
        for profile in get_platform().find_learners(usernames=usernames, emails=emails):
            by_username[profile.username.casefold()].add(profile.learner_id)
            by_email[profile.email.casefold()].add(profile.learner_id)
    return by_username, by_email


def _documents(raw: RawRow, problems: _Problems) -> list[tuple[str, str]]:
    found = []
    for kind in _PERSONAL:
        if kind in raw.cells:
            try:
                found.append((kind, normalise_number(kind, _text(raw, kind))))
            except InvalidInput:
                problems.add(raw, kind, kind)
    return found


def _check_learners(
    readings: Sequence[_Reading], exam_code: str, corrects: int | None, problems: _Problems
) -> None:
    """Find learners who left, names that do not fit, and sittings that another batch has already."""
    found = [one for one in readings if one.learner_id is not None]
    learners = {one.learner_id for one in found if one.learner_id is not None}
    if not learners:
        return
    profiles = get_platform().read_learners(learners)
    retired = retired_among(learners)
    others = ExamResult.objects.filter(
        learner_id__in=learners, exam_code=exam_code, batch__state__in=ExamBatch.STANDING
    )
    if corrects is not None:
        # Of several corrections of one batch only one can be released.
        others = others.exclude(Q(batch_id=corrects) | Q(batch__supersedes_id=corrects))
    elsewhere = set(others.values_list("learner_id", "sat_on"))
    for reading in found:
        raw, learner = reading.raw, reading.learner_id
        if learner is None or learner in retired or learner not in profiles:
            problems.add(raw, "", "left")
            reading.learner_id = None
            continue
        _check_name(raw, profiles[learner], problems)
        if (learner, reading.sat_on) in elsewhere:
            problems.add(raw, "", "other_batch")


def _check_doubles(readings: Sequence[_Reading], problems: _Problems) -> None:
    seen: dict[tuple[int, date], int] = {}
    for reading in readings:
        if reading.learner_id is not None and reading.sat_on is not None:
            first = seen.setdefault((reading.learner_id, reading.sat_on), reading.raw.number)
            if first != reading.raw.number:
                problems.add(reading.raw, "", "same_row", row=first)


def _check_name(raw: RawRow, profile: LearnerProfile, problems: _Problems) -> None:
    if "name" in raw.cells and not same_name(_text(raw, "name"), profile.name):
        problems.add(raw, "name", "name")


def same_name(first: str, second: str) -> bool:
    """Say whether two names are one person's: titles, spaces and letter case make no difference."""
    return _bare_name(first) == _bare_name(second)


def _bare_name(name: str) -> str:
    # Compatibility forms, since sara am is typed as one character or as two that look the same.
    text = _NIKHAHIT_FIRST.sub(r"\2\1", unicodedata.normalize("NFKC", name))
    text = re.sub(r"\s+", " ", text).strip().casefold()
    while (shorter := _TITLES.sub("", text, count=1)) != text and shorter:
        # นายิกา is a name and not a title before one: what remains would begin with a vowel sign.
        if unicodedata.category(shorter[0]) == "Mn":
            break
        text = shorter
    return text.replace(" ", "")
