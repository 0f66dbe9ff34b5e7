"""How far a learner is: the same reading and judging as evaluation, without writing."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements.awards import award_data
from mooc_microcred.achievements.catalogue import Catalogue, current_catalogue
from mooc_microcred.achievements.criteria import Facts, judge
from mooc_microcred.achievements.data import AchievementProgress, Holding, Measure, counts
from mooc_microcred.achievements.decisions import (
    LearnerTruth,
    candidate_runs,
    decide,
    holding_of,
    judge_in_run,
)
from mooc_microcred.achievements.evaluation import read_truths
from mooc_microcred.achievements.models import Achievement, Award
from mooc_microcred.core import clock


def read_progress(
    *, learner_id: int, course_key: str = "", codes: Collection[str] | None = None
) -> dict[str, AchievementProgress]:
    """Return the learner's progress by achievement code, in the catalogue's order.

    Args:
        course_key: only what this run leads to; empty means every run the learner is enrolled in.
        codes: only these.

    Raises:
        PlatformUnavailable: the platform cannot be read now.
    """
    catalogue = current_catalogue()
    truth = read_truths(catalogue, {learner_id: {course_key}}, clock.now())[learner_id]
    wanted = truth.scope if codes is None else truth.scope & set(codes)
    found = {}
    for code in sorted(wanted & catalogue.rank.keys(), key=catalogue.rank.__getitem__):
        progress = _progress_of(catalogue, truth, code)
        if progress is not None:
            found[code] = progress
    return found


def read_holdings(*, learner_id: int) -> dict[str, Holding]:
    """Return what the learner holds that counts for programmes, by achievement code; one query."""
    now = clock.now()
    rows = Award.objects.filter(learner_id=learner_id, live=True).select_related("achievement", "version")
    return {
        row.achievement.code: holding_of(row) for row in rows.defer("version__definition") if counts(row, now)
    }


def _progress_of(catalogue: Catalogue, truth: LearnerTruth, code: str) -> AchievementProgress | None:
    newest = catalogue.newest(code)
    if newest is None:
        return None
    award = truth.live().get(code)
    if award is not None and award.published_at is not None:
        return AchievementProgress(
            code=code,
            kind=newest.kind,
            organization=newest.organization,
            name=newest.name,
            version_id=award.version_id,
            course_key=award.course_key,
            met=True,
            measures=tuple(measure_from_json(one) for one in award.evidence.get("measures", ())),
            award=award_data(award),
        )
    if newest.tree is not None:
        return AchievementProgress(
            code, newest.kind, newest.organization, newest.name, newest.version_id, "", False, ()
        )
    if newest.kind == Achievement.Kind.COMPETENCY and newest.rule is not None:
        verdict = judge(newest.rule, Facts("", mastery=truth.mastery))
        return AchievementProgress(
            code=code,
            kind=newest.kind,
            organization=newest.organization,
            name=newest.name,
            version_id=newest.version_id,
            course_key="",
            met=verdict.met,
            measures=verdict.measures,
        )
    best = None
    for run, definition in candidate_runs(catalogue, truth, code):
        state = truth.states.get(run)
        if state is None:
            continue
        level1 = truth.live().get(definition.level1)
        counting = level1 if level1 is not None and counts(level1, truth.now) else None
        verdict = judge_in_run(definition, run, state, truth.exams, counting, truth.mastery)
        progress = AchievementProgress(
            code=code,
            kind=definition.kind,
            organization=definition.organization,
            name=definition.name,
            version_id=definition.version_id,
            course_key=run,
            met=verdict.met,
            measures=verdict.measures,
        )
        if best is None or _fraction(progress) > _fraction(best):
            best = progress
    return best


def _fraction(progress: AchievementProgress) -> float:
    """Return 0-1: how much of the conditions is done, for choosing the run that is farthest."""
    parts = []
    for one in progress.measures:
        if one.met:
            parts.append(1.0)
        elif one.have is not None and one.need:
            parts.append(min(1.0, float(one.have / one.need)))
        else:
            parts.append(0.0)
    return sum(parts) / len(parts) if parts else 0.0


def measure_from_json(stored: dict[str, Any]) -> Measure:
    """Return a measure as evidence stores it."""
    return Measure(
        kind=stored["kind"],
        key=stored["key"],
        met=stored["met"],
        have=None if stored["have"] is None else Decimal(stored["have"]),
        need=None if stored["need"] is None else Decimal(stored["need"]),
        unit=stored["unit"],
        details=stored.get("details", {}),
    )


def preview_changes(*, learner_ids: Collection[int], course_key: str = "") -> dict[int, tuple[int, int]]:
    """Say for each learner how many awards an evaluation would issue and change; writes nothing.

    Raises:
        PlatformUnavailable: the platform cannot be read now.
    """
    catalogue = current_catalogue()
    runs = {learner: {course_key} for learner in learner_ids}
    truths = read_truths(catalogue, runs, clock.now())
    found = {}
    for learner, truth in truths.items():
        decision = decide(catalogue, truth)
        found[learner] = (len(decision.issued), len(decision.changes))
    return found
