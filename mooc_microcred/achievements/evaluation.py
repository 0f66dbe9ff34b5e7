"""The one path by which awards come to be and end: from a due request to written awards.

    claim due requests -> take the learners' leases -> fold all their due requests
    -> judge and write what they have shown of competencies
    -> read the truth in bulk -> decide (pure, see decisions.py) -> write -> delete what was folded

A storm of events costs one evaluation, their order does not matter, and a lost message, a
backfill, an activation and the nightly reconcile all go this way.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mooc_microcred.achievements.catalogue import Catalogue, current_catalogue
from mooc_microcred.achievements.data import EvaluationReport
from mooc_microcred.achievements.decisions import Decision, LearnerTruth, decide, queries_for, scope_of
from mooc_microcred.achievements.models import (
    Achievement,
    AchievementVersion,
    Award,
    CertificateAsk,
    EvaluationRequest,
)
from mooc_microcred.achievements.writing import LearnerWork, ask_for_certificates, write_decisions
from mooc_microcred.competencies import api as competencies
from mooc_microcred.core import clock
from mooc_microcred.core.claims import claim_due
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.evidence import Fact, get_evidence_source
from mooc_microcred.core.lease import release_leases, take_leases
from mooc_microcred.core.models import RetiredLearner
from mooc_microcred.core.platform import PlatformUnavailable, StateQuery, get_platform

log = logging.getLogger(__name__)

# Seconds after which requests are looked at again: when another worker owns the learner, when
# the platform was away, and when the evaluation of one learner raised.
RETRY_BUSY = 5
RETRY_AWAY = 30
RETRY_FAILED = 300
# Learners in a row that could not be read after which the platform counts as away.
AWAY_AFTER = 3


@dataclass(frozen=True, slots=True)
class Hint:
    """A folded request: which row, about which run (empty: about everything)."""

    request_id: int
    course_key: str


def evaluate_due(*, limit: int | None = None) -> EvaluationReport:
    """Evaluate the learners of up to ``limit`` due requests. Must not run inside ``atomic``.

    Returns:
        what was done; ``requests`` is 0 when nothing was due.
    """
    report = EvaluationReport()
    claimed = _claim(limit or microcred_settings.EVALUATION_BATCH)
    if not claimed:
        return report
    learners = set(claimed.values())
    retired = set(RetiredLearner.objects.filter(learner_id__in=learners).values_list("learner_id", flat=True))
    if retired:
        report.requests += EvaluationRequest.objects.filter(learner_id__in=retired).delete()[0]
        learners -= retired
    token, ours = take_leases(learners)
    report.busy = len(learners - ours)
    if learners - ours:
        busy = [request for request, learner in claimed.items() if learner in learners - ours]
        _put_back(busy, RETRY_BUSY)
    try:
        if ours:
            _evaluate_learners(token, ours, report)
    finally:
        release_leases(token, ours)
    return report


def _claim(limit: int) -> dict[int, int]:
    """Take due requests and return their learners by request id."""
    now = clock.now()
    due = EvaluationRequest.objects.filter(due__lte=now)
    return dict(claim_due(due, now=now, limit=limit, order=("due",)).values_list("id", "learner_id"))


def _put_back(request_ids: Collection[int], seconds: int) -> None:
    """Make claimed requests due again after ``seconds``."""
    EvaluationRequest.objects.filter(id__in=request_ids).update(
        claim="", due=clock.now() + timedelta(seconds=seconds)
    )


def _evaluate_learners(token: str, learners: Collection[int], report: EvaluationReport) -> None:
    hints = _fold(learners)
    try:
        _evaluate(token, hints, report)
    except PlatformUnavailable:
        if len(hints) == 1:
            report.platform_away = True
            _put_back_hints(hints.values(), RETRY_AWAY)
            return
        log.warning("the platform could not be read for %s learners; reading one by one", len(hints))
        _evaluate_singly(token, hints, report)
    except Exception:  # one learner's data must not hold up the others
        if len(hints) == 1:
            _give_up(hints, report)
            return
        log.exception("evaluation of %s learners failed; evaluating them one by one", len(hints))
        _evaluate_singly(token, hints, report)


def _evaluate_singly(token: str, hints: Mapping[int, Sequence[Hint]], report: EvaluationReport) -> None:
    """Evaluate learners one by one, so that one whose data or course is broken holds up nobody.

    The platform counts as away after so many learners in a row that could not be read.
    """
    unread: list[Sequence[Hint]] = []
    in_a_row = 0
    for learner, found in hints.items():
        if report.platform_away:
            unread.append(found)
            continue
        single = {learner: found}
        try:
            _evaluate(token, single, report)
            in_a_row = 0
        except PlatformUnavailable:
            unread.append(found)
            in_a_row += 1
            report.platform_away = in_a_row >= min(AWAY_AFTER, len(hints))
        except Exception:
            in_a_row = 0
            _give_up(single, report)
    _put_back_hints(unread, RETRY_AWAY)
    if not report.platform_away:
        report.failed += len(unread)


def _put_back_hints(hints: Iterable[Sequence[Hint]], seconds: int) -> None:
    _put_back([hint.request_id for found in hints for hint in found], seconds)


def _give_up(hints: Mapping[int, Sequence[Hint]], report: EvaluationReport) -> None:
    ((learner, found),) = hints.items()
    log.exception("evaluation of learner %s failed; its requests wait", learner)
    report.failed += 1
    _put_back([hint.request_id for hint in found], RETRY_FAILED)


def _fold(learners: Collection[int]) -> dict[int, list[Hint]]:
    """Return every request of the learners that is due by its own ``not_before``, claimed or not.

    Whoever holds the lease may fold them all: the truth is read after this.
    """
    hints: dict[int, list[Hint]] = {learner: [] for learner in learners}
    rows = EvaluationRequest.objects.filter(learner_id__in=learners, not_before__lte=clock.now())
    for request_id, learner, course_key in rows.values_list("id", "learner_id", "course_key"):
        hints[learner].append(Hint(request_id, course_key))
    return hints


def _evaluate(token: str, hints: Mapping[int, Sequence[Hint]], report: EvaluationReport) -> None:
    catalogue = current_catalogue()
    runs = {learner: {hint.course_key for hint in found} for learner, found in hints.items()}
    # Written first, and by the same leases: a worker that dies after it leaves the requests, and what
    # was demonstrated is demonstrated.
    competencies.update_mastery(token=token, runs=runs)
    decisions = decide_learners(catalogue, runs)
    work = [
        LearnerWork(learner, decisions[learner], [hint.request_id for hint in found])
        for learner, found in hints.items()
    ]
    # Before anything is deleted, so that a worker that dies here leaves the requests to ask again.
    ask_for_certificates(decisions)
    written = write_decisions(token, work)
    report.learners += len(hints)
    report.requests += sum(len(one.request_ids) for one in work)
    report.issued += written.issued
    report.changed += written.changed


def decide_learners(catalogue: Catalogue, runs: Mapping[int, set[str]]) -> dict[int, Decision]:
    """Read the truth about learners in bulk and decide; writes nothing.

    Args:
        runs: by learner, the runs that hints are about; an empty key means everything.

    Raises:
        PlatformUnavailable: nothing can be decided now.
    """
    now = clock.now()
    truths = read_truths(catalogue, runs, now)
    return {learner: decide(catalogue, truth) for learner, truth in truths.items()}


def read_truths(catalogue: Catalogue, runs: Mapping[int, set[str]], now: datetime) -> dict[int, LearnerTruth]:
    """Read everything that deciding about the learners needs, with a constant number of queries."""
    learners = list(runs)
    platform = get_platform()
    awards = read_awards(learners)
    enrolments = platform.read_enrolments(learners)
    truths: dict[int, LearnerTruth] = {}
    queries: list[StateQuery] = []
    exam_codes: set[str] = set()
    mastery, assessed = _read_mastery(catalogue, runs)
    for learner in learners:
        truth = LearnerTruth(
            learner_id=learner,
            now=now,
            awards=awards.get(learner, []),
            enrolments={one.course_key: one for one in enrolments.get(learner, ())},
            runs=runs[learner],
        )
        truth.mastery = mastery.get(learner, {})
        truth.touched = _touched(truth, assessed)
        truth.scope = scope_of(catalogue, truth)
        wanted, exams = queries_for(catalogue, truth)
        queries += wanted
        exam_codes |= exams
        truths[learner] = truth
    states = platform.read_states(queries) if queries else {}
    for (learner, course_key), state in states.items():
        truths[learner].states[course_key] = state
    for (learner, code), fact in read_exams(learners, exam_codes).items():
        truths[learner].exams[code] = fact
    if any(truth.may_ask for truth in truths.values()):
        for ask in CertificateAsk.objects.filter(learner_id__in=learners):
            truths[ask.learner_id].asks[ask.course_key] = ask
    return truths


def read_awards(learners: Collection[int]) -> Mapping[int, list[Award]]:
    """Return all awards of the learners, oldest first.

    Achievements and versions come by queries of their own: joined to them, MariaDB was seen to walk
    every award of an achievement instead of those of the learners; and as prefetched by Django 5.2,
    SQLite takes no more than a thousand.
    """
    awards = list(Award.objects.filter(learner_id__in=learners).order_by("issued_at", "id"))
    if not awards:
        return {}
    versions = AchievementVersion.objects.defer("definition")
    version_of = _by_id(versions, {one.version_id for one in awards})
    achievement_of = _by_id(Achievement.objects.all(), {one.achievement_id for one in awards})
    found: dict[int, list[Award]] = defaultdict(list)
    for award in awards:
        award.version = version_of[award.version_id]
        award.achievement = achievement_of[award.achievement_id]
        found[award.learner_id].append(award)
    return found


def _by_id(rows: Any, ids: Collection[int]) -> dict[int, Any]:
    return {one.pk: one for one in rows.filter(pk__in=ids)}


def _read_mastery(
    catalogue: Catalogue, runs: Mapping[int, set[str]]
) -> tuple[dict[int, dict[competencies.Key, competencies.MasteryData]], dict[str, set[competencies.Key]]]:
    """Return what learners have shown of the competencies that rules ask for, and what the runs assess.

    What was shown of a retired competency counts for its successor. No query where no rule asks.
    """
    if not catalogue.competencies:
        return {}, {}
    names = competencies.predecessors_of(keys=catalogue.competencies)
    shown = competencies.mastery_of_learners(
        learner_ids=list(runs), keys={one for found in names.values() for one in found}
    )
    mastery: dict[int, dict[competencies.Key, competencies.MasteryData]] = {}
    for learner, found in shown.items():
        mastery[learner] = {}
        for key, olds in names.items():
            best = max((found[one] for one in olds if one in found), key=_rank, default=None)
            if best is not None:
                mastery[learner][key] = best
    single = {run for found in runs.values() for run in found if run}
    by_run = competencies.assessed_keys(course_keys=single)
    assessed = {run: {key for key, olds in names.items() if olds & found} for run, found in by_run.items()}
    return mastery, assessed


def _rank(mastery: competencies.MasteryData) -> int:
    return competencies.STATUSES.index(mastery.status)


def _touched(truth: LearnerTruth, assessed: Mapping[str, set[competencies.Key]]) -> set[competencies.Key]:
    """Return the competencies that the requests may concern: those of their runs, or all that were tried."""
    touched = {key for run in truth.runs for key in assessed.get(run, ())}
    return touched | set(truth.mastery) if "" in truth.runs else touched


def read_exams(learners: Collection[int], codes: Collection[str]) -> Mapping[tuple[int, str], Fact]:
    """Return what the exams room knows, by learner and exam code; no query where no exam matters."""
    source = get_evidence_source("exam")
    if source is None or not codes:
        return {}
    return source.read(learners, sorted(codes))
