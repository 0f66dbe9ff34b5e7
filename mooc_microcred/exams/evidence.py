"""Released exam results as evidence: which of a learner's sittings counts, by the exam's policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

from mooc_microcred.achievements.api import current_catalogue
from mooc_microcred.achievements.data import Exam
from mooc_microcred.core import clock
from mooc_microcred.core.evidence import Fact
from mooc_microcred.exams.data import SittingData
from mooc_microcred.exams.models import ExamBatch, ExamResult

_NEEDED = ("learner_id", "exam_code", "status", "sat_on", "percent", "batch__state")


class ExamEvidence:
    """Facts about learners in exams, from released batches only."""

    name = "exam"

    def read(self, learner_ids: Collection[int], contexts: Collection[str]) -> Mapping[tuple[int, str], Fact]:
        """Return a fact for each learner and exam code with a released or superseded result; one query.

        A fact's ``percent`` is that of the sitting that counts, None where none does; its ``due`` is
        the first day of a re-sit, where one is allowed and still to come. Its details list the
        sittings with a score (``sittings``), count the attempts that were used (``attempts``), and
        name the results that a correction has superseded (``superseded``).
        """
        states = (ExamBatch.State.RELEASED, ExamBatch.State.SUPERSEDED)
        rows = ExamResult.objects.filter(
            learner_id__in=learner_ids, exam_code__in=contexts, batch__state__in=states
        ).select_related("batch")
        # Not the batch's list of wrong rows, which may have megabytes.
        rows = rows.only(*_NEEDED)
        found: dict[tuple[int, str], list[ExamResult]] = defaultdict(list)
        for row in rows.order_by("sat_on", "id"):
            found[row.learner_id, row.exam_code].append(row)
        exams = current_catalogue().exams
        return {
            (learner, code): _fact_of(results, exams[code][1] if code in exams else None)
            for (learner, code), results in found.items()
        }


def reference_of(result: ExamResult) -> str:
    """Return how evidence refers to a result."""
    return f"exam_result:{result.pk}"


def read_sittings(*, references: Collection[str]) -> dict[str, SittingData]:
    """Return the sittings to which references of awards lead; one query.

    Args:
        references: as evidence holds them; those that are no exam results are left out.
    """
    keys = {
        int(number): f"{kind}:{number}"
        for kind, _colon, number in (one.partition(":") for one in references)
        if kind == "exam_result" and number.isdigit()
    }
    rows = ExamResult.objects.filter(pk__in=keys) if keys else ExamResult.objects.none()
    found = rows.values_list("pk", "exam_code", "batch__organization", "sat_on", "percent", "centre")
    return {
        keys[pk]: SittingData(code, organization, sat_on, percent, centre)
        for pk, code, organization, sat_on, percent, centre in found
    }


def _fact_of(results: Sequence[ExamResult], exam: Exam | None) -> Fact:
    standing = [one for one in results if one.batch.state == ExamBatch.State.RELEASED]
    superseded = [reference_of(one) for one in results if one.batch.state == ExamBatch.State.SUPERSEDED]
    counted = counting_sittings(standing, exam)
    scored = [one for one in counted if one.percent is not None]
    chosen = counting_result(standing, exam)
    details = {
        "superseded": superseded,
        "attempts": len(counted),
        "sittings": [
            {"reference": reference_of(one), "percent": str(one.percent), "sat_on": one.sat_on.isoformat()}
            for one in scored
        ],
    }
    due = None
    attempts_left = exam is None or exam.attempts is None or len(counted) < exam.attempts
    if counted and attempts_left and exam is not None and exam.resit_gap_days:
        again = counted[-1].sat_on + timedelta(days=exam.resit_gap_days)
        details["resit_from"] = again.isoformat()
        opens = datetime.combine(again, time(), UTC)
        due = opens if opens > clock.now() else None
    if chosen is None:
        return Fact(reference="", details=details, due=due)
    details["sat_on"] = chosen.sat_on.isoformat()
    return Fact(reference_of(chosen), percent=chosen.percent, details=details, due=due)


def counting_sittings(standing: Sequence[ExamResult], exam: Exam | None) -> list[ExamResult]:
    """Return the sittings that count, oldest first.

    A sitting within the re-sit gap after the one before it does not count, nor one after the last
    allowed attempt. A void sitting uses up an attempt; an absence does not.
    """
    counted: list[ExamResult] = []
    for one in standing:
        if one.status == ExamResult.Status.ABSENT:
            continue
        if exam is not None:
            if exam.attempts is not None and len(counted) >= exam.attempts:
                break
            gap = timedelta(days=exam.resit_gap_days)
            if counted and one.sat_on < counted[-1].sat_on + gap:
                continue
        counted.append(one)
    return counted


def counting_result(standing: Sequence[ExamResult], exam: Exam | None) -> ExamResult | None:
    """Return the sitting that counts by the exam's policy (best, latest or first), None if none does."""
    scored = [one for one in counting_sittings(standing, exam) if one.percent is not None]
    policy = exam.policy if exam else "best"
    if not scored:
        return None
    if policy == "best":
        return max(scored, key=lambda one: (one.percent, one.sat_on))
    return scored[0] if policy == "first" else scored[-1]
