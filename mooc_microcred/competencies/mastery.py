"""How far learners are with competencies: from scored content that assesses them to a status that only rises.

It is computed in one place, by the worker that evaluates a learner and holds their lease:

    the runs that the requests are about -> what assesses competencies there -> the scores of those
    blocks, in bulk -> evidence -> judged by the criteria in force -> written, and a rise to
    "Demonstrated" told by the outbox

Where the platform holds statuses of its own, they are read in the same pass, in bulk, and raise a
status as evidence does; the rule by which they were given is the platform's.

Evidence follows the truth: a score that was changed is changed, one that was taken away goes, and
what lies in a course that is gone stays. The status stays whatever becomes of the evidence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from mooc_microcred.competencies.borrowed import PlatformStatus, statuses_elsewhere
from mooc_microcred.competencies.criteria import Judgement, judge
from mooc_microcred.competencies.data import (
    DEMONSTRATED,
    STATUSES,
    CriteriaData,
    EvidenceData,
    Key,
    MasteryData,
)
from mooc_microcred.competencies.frameworks import get_competencies
from mooc_microcred.competencies.models import ContentTag, LearnerEvidence, Mastery
from mooc_microcred.competencies.outlines import digest_of
from mooc_microcred.competencies.rules import criteria_in_force
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.lease import confirm_leases
from mooc_microcred.core.platform import BlockScore, ScoreQuery, get_platform

#: A learner has demonstrated a competency.
DEMONSTRATED_TOPIC = "competency.demonstrated"

LEARNERS_PER_TRANSACTION = 50
ROWS_PER_STATEMENT = 500
# Pieces of evidence that a snapshot keeps; the rows keep all.
MAX_SNAPSHOT = 200


@dataclass(frozen=True, slots=True)
class Assessment:
    """A piece of content of a course that assesses a competency."""

    course_key: str
    usage_key: str
    key: Key
    weight: Decimal
    miller: str


@dataclass(slots=True)
class Work:
    """What is to be written of one learner."""

    learner_id: int
    new: list[LearnerEvidence] = field(default_factory=list)
    changed: list[LearnerEvidence] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    made: list[Mastery] = field(default_factory=list)
    risen: list[Mastery] = field(default_factory=list)
    demonstrated: list[Key] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone or self.made or self.risen)


def update_mastery(*, token: str, runs: Mapping[int, Collection[str]]) -> int:
    """Judge learners anew and write what changed, under the leases that ``token`` holds.

    A learner whose lease is lost is left alone: their requests stay for whoever has it.

    Args:
        token: of the learners' leases.
        runs: by learner, the runs that the requests are about; "" means every run of the learner.

    Returns:
        how many learners were written.

    Raises:
        PlatformUnavailable: nothing can be decided now.
    """
    work = [one for one in _decide(runs, clock.now()) if one]
    for start in range(0, len(work), LEARNERS_PER_TRANSACTION):
        _write(token, work[start : start + LEARNERS_PER_TRANSACTION])
    return len(work)


def _decide(runs: Mapping[int, Collection[str]], now: datetime) -> list[Work]:
    wanted = _runs_of_learners(runs)
    assessments = _assessments({run for found in wanted.values() for run in found})
    elsewhere = statuses_elsewhere(learner_ids=wanted)
    if not assessments and not elsewhere:
        return []
    queries = [
        ScoreQuery(learner, run, tuple(sorted({one.usage_key for one in assessments[run]})))
        for learner, found in wanted.items()
        for run in sorted(found)
        if run in assessments
    ]
    learners = sorted({query.learner_id for query in queries} | set(elsewhere))
    if not learners:
        return []
    scores = get_platform().read_block_scores(queries) if queries else {}
    stored: dict[int, list[LearnerEvidence]] = defaultdict(list)
    for row in LearnerEvidence.objects.filter(learner_id__in=learners).order_by("id"):
        stored[row.learner_id].append(row)
    held: dict[int, dict[Key, Mastery]] = defaultdict(dict)
    for mastery in Mastery.objects.filter(learner_id__in=learners):
        held[mastery.learner_id][mastery.framework, mastery.item] = mastery
    keys = {one.key for found in assessments.values() for one in found}
    criteria = criteria_in_force(keys=keys)
    by_learner: dict[int, list[ScoreQuery]] = defaultdict(list)
    for query in queries:
        by_learner[query.learner_id].append(query)
    decided = []
    for learner in learners:
        work = _decide_learner(
            learner, by_learner[learner], assessments, scores, stored[learner], held[learner], criteria, now
        )
        _take_statuses(work, held[learner], elsewhere.get(learner, {}), now)
        decided.append(work)
    return decided


def _runs_of_learners(runs: Mapping[int, Collection[str]]) -> dict[int, set[str]]:
    """Return the runs of each learner; "" becomes every run that they are enrolled in."""
    everything = [learner for learner, found in runs.items() if "" in found]
    wanted = {learner: set(found) - {""} for learner, found in runs.items()}
    if everything and ContentTag.objects.filter(relation=ContentTag.Relation.ASSESSES).exists():
        for learner, enrolments in get_platform().read_enrolments(everything).items():
            wanted[learner] |= {one.course_key for one in enrolments}
    return wanted


def _assessments(runs: Collection[str]) -> dict[str, list[Assessment]]:
    """Return what assesses known competencies in the runs; two queries, one where nothing does."""
    found: dict[str, dict[tuple[str, Key], Assessment]] = defaultdict(dict)
    ordered = sorted(runs)
    rows: list[ContentTag] = []
    for start in range(0, len(ordered), ROWS_PER_STATEMENT):
        rows += ContentTag.objects.filter(
            course_key__in=ordered[start : start + ROWS_PER_STATEMENT], relation=ContentTag.Relation.ASSESSES
        ).order_by("id")
    if not rows:
        return {}
    known = get_competencies(keys={(row.framework, row.item) for row in rows})
    stages = microcred_settings.MILLER_STAGES
    for row in rows:
        key = row.framework, row.item
        if key not in known:
            continue
        for usage_key, kind in row.pieces:
            # Said twice (by a block and in the drawer, say): the greater weight holds.
            before = found[row.course_key].get((usage_key, key))
            if before is None or before.weight < row.weight:
                found[row.course_key][usage_key, key] = Assessment(
                    row.course_key, usage_key, key, row.weight, stages.get(kind, stages["*"])
                )
    return {run: list(one.values()) for run, one in found.items() if one}


def _decide_learner(
    learner: int,
    queries: Iterable[ScoreQuery],
    assessments: Mapping[str, list[Assessment]],
    scores: Mapping[tuple[int, str], Mapping[str, BlockScore]],
    stored: list[LearnerEvidence],
    held: Mapping[Key, Mastery],
    criteria: Mapping[Key, CriteriaData],
    now: datetime,
) -> Work:
    work = Work(learner)
    evidence: dict[tuple[Key, str], LearnerEvidence] = {
        ((row.framework, row.item), row.digest): row for row in stored
    }
    available: dict[Key, int] = defaultdict(int)
    for query in queries:
        read = scores.get((learner, query.course_key), {})
        for one in assessments[query.course_key]:
            available[one.key] += 1
            _take_score(work, evidence, one, read.get(one.usage_key))
    by_key: dict[Key, list[LearnerEvidence]] = defaultdict(list)
    for (key, _digest), row in evidence.items():
        by_key[key].append(row)
    for key in available:
        pieces = [_evidence(row) for row in by_key[key]]
        _judge_one(work, key, pieces, available[key], criteria[key], held.get(key), now)
    return work


def _take_score(
    work: Work,
    evidence: dict[tuple[Key, str], LearnerEvidence],
    one: Assessment,
    score: BlockScore | None,
) -> None:
    place = one.key, digest_of(one.usage_key)
    row = evidence.get(place)
    percent = score.percent if score is not None else None
    if score is None or percent is None:
        if row is not None:
            work.gone.append(row.pk)
            del evidence[place]
        return
    values = {"percent": percent, "weight": one.weight, "miller": one.miller, "at": score.at}
    if row is None:
        row = LearnerEvidence(
            learner_id=work.learner_id,
            framework=one.key[0],
            item=one.key[1],
            course_key=one.course_key,
            usage_key=one.usage_key,
            digest=place[1],
            **values,
        )
        evidence[place] = row
        work.new.append(row)
    elif any(getattr(row, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(row, name, value)
        work.changed.append(row)


def _judge_one(
    work: Work,
    key: Key,
    pieces: list[EvidenceData],
    available: int,
    criteria: CriteriaData,
    held: Mastery | None,
    now: datetime,
) -> None:
    verdict = judge(criteria.rule, pieces)
    figures = _figures(verdict, available, criteria)
    if held is None:
        if verdict.status is None:
            return
        held = Mastery(learner_id=work.learner_id, framework=key[0], item=key[1], status="", since=now)
        work.made.append(held)
        rises = True
    else:
        rises = verdict.status is not None and STATUSES.index(verdict.status) > STATUSES.index(held.status)
        if not rises and (held.status == DEMONSTRATED or held.figures == figures):
            # What was demonstrated keeps the figures by which it was.
            return
        work.risen.append(held)
    held.figures = figures
    if rises:
        held.status = verdict.status or held.status
        held.since = now
        held.criteria_id = criteria.version_id
        held.evidence = [evidence_to_json(piece) for piece in pieces[:MAX_SNAPSHOT]]
        if held.status == DEMONSTRATED:
            held.demonstrated_at = now
            work.demonstrated.append(key)


def _take_statuses(
    work: Work, held: Mapping[Key, Mastery], elsewhere: Mapping[Key, PlatformStatus], now: datetime
) -> None:
    """Raise what the platform's own statuses raise; what stands as high already is left as it is."""
    rows = {**held, **{(row.framework, row.item): row for row in work.made}}
    for key, given in elsewhere.items():
        row = rows.get(key)
        if row is None:
            row = Mastery(learner_id=work.learner_id, framework=key[0], item=key[1], status="", since=now)
            work.made.append(row)
        elif STATUSES.index(given.status) <= STATUSES.index(row.status):
            continue
        elif row not in work.made and row not in work.risen:
            work.risen.append(row)
        row.status = given.status
        row.since = now
        # No criteria of ours judged it.
        row.criteria_id = None
        if row.status == DEMONSTRATED:
            row.demonstrated_at = now
            work.demonstrated.append(key)


def _figures(verdict: Judgement, available: int, criteria: CriteriaData) -> dict[str, Any]:
    return {
        "pieces": verdict.pieces,
        "available": max(available, verdict.pieces),
        "percent": None if verdict.percent is None else str(verdict.percent),
        "need": None if verdict.need is None else str(verdict.need),
        "criteria": criteria.number,
    }


def _write(token: str, group: list[Work]) -> None:
    with transaction.atomic():
        ours = confirm_leases(token, [one.learner_id for one in group])
        group = [one for one in group if one.learner_id in ours]
        gone = [pk for one in group for pk in one.gone]
        for start in range(0, len(gone), ROWS_PER_STATEMENT):
            LearnerEvidence.objects.filter(pk__in=gone[start : start + ROWS_PER_STATEMENT]).delete()
        LearnerEvidence.objects.bulk_create(
            [row for one in group for row in one.new], batch_size=ROWS_PER_STATEMENT
        )
        changed = [row for one in group for row in one.changed]
        if changed:
            LearnerEvidence.objects.bulk_update(
                changed, ["percent", "weight", "miller", "at"], batch_size=ROWS_PER_STATEMENT
            )
        Mastery.objects.bulk_create([row for one in group for row in one.made], batch_size=ROWS_PER_STATEMENT)
        risen = [row for one in group for row in one.risen]
        if risen:
            Mastery.objects.bulk_update(
                risen,
                ["status", "since", "demonstrated_at", "criteria", "figures", "evidence"],
                batch_size=ROWS_PER_STATEMENT,
            )
        outbox.append(
            outbox.Note(DEMONSTRATED_TOPIC, one.learner_id, {"framework": framework, "item": item})
            for one in group
            for framework, item in one.demonstrated
        )


# --- reading ---


def mastery_of_learners(
    *, learner_ids: Collection[int], keys: Collection[Key] | None = None
) -> dict[int, dict[Key, MasteryData]]:
    """Return what each learner has shown of each competency; one query.

    Args:
        keys: only these competencies; None means all. A competency that is absent was not attempted.
    """
    rows = Mastery.objects.filter(learner_id__in=sorted(set(learner_ids)))
    wanted = None if keys is None else set(keys)
    if wanted is not None and len(wanted) <= ROWS_PER_STATEMENT:
        rows = rows.filter(item__in=sorted({item for _framework, item in wanted}))
    found: dict[int, dict[Key, MasteryData]] = defaultdict(dict)
    for row in rows.order_by("id"):
        key = row.framework, row.item
        if wanted is None or key in wanted:
            found[row.learner_id][key] = mastery_data(row)
    return dict(found)


def mastery_of_learner(*, learner_id: int, keys: Collection[Key] | None = None) -> dict[Key, MasteryData]:
    """Return what a learner has shown of each competency; one query. Absent: not attempted."""
    return mastery_of_learners(learner_ids=[learner_id], keys=keys).get(learner_id, {})


def assessed_courses(*, keys: Collection[Key] | None = None) -> set[str]:
    """Return the runs whose content assesses competencies (these, or any); one query."""
    rows = ContentTag.objects.filter(relation=ContentTag.Relation.ASSESSES)
    if keys is None:
        return set(rows.values_list("course_key", flat=True).distinct())
    rows = rows.filter(item__in=sorted({item for _framework, item in keys}))
    wanted = set(keys)
    return {
        course_key
        for course_key, framework, item in rows.values_list("course_key", "framework", "item").distinct()
        if (framework, item) in wanted
    }


def assessed_keys(*, course_keys: Collection[str]) -> dict[str, set[Key]]:
    """Return the competencies that the content of each run assesses; no query where no run is named."""
    found: dict[str, set[Key]] = defaultdict(set)
    ordered = sorted(set(course_keys))
    for start in range(0, len(ordered), ROWS_PER_STATEMENT):
        rows = ContentTag.objects.filter(
            course_key__in=ordered[start : start + ROWS_PER_STATEMENT], relation=ContentTag.Relation.ASSESSES
        )
        for course_key, framework, item in rows.values_list("course_key", "framework", "item").distinct():
            found[course_key].add((framework, item))
    return dict(found)


def courses_of_framework(*, framework: str, item: str = "") -> set[str]:
    """Return the runs whose content assesses an item of a framework (or any of them); one query."""
    rows = ContentTag.objects.filter(relation=ContentTag.Relation.ASSESSES, framework=framework)
    if item:
        rows = rows.filter(item=item)
    return set(rows.values_list("course_key", flat=True).distinct())


def mastery_data(row: Mastery) -> MasteryData:
    """Return a row as data."""
    figures = row.figures
    return MasteryData(
        framework=row.framework,
        item=row.item,
        status=row.status,
        since=row.since,
        demonstrated_at=row.demonstrated_at,
        criteria=figures.get("criteria", 0),
        pieces=figures.get("pieces", 0),
        available=figures.get("available", 0),
        percent=_decimal(figures.get("percent")),
        need=_decimal(figures.get("need")),
        evidence=tuple(_evidence_from_json(one) for one in row.evidence),
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _evidence(row: LearnerEvidence) -> EvidenceData:
    return EvidenceData(row.course_key, row.usage_key, row.percent, row.weight, row.miller, row.at)


def evidence_to_json(piece: EvidenceData) -> dict[str, Any]:
    """Return a piece of evidence as a snapshot keeps it."""
    return {
        "course": piece.course_key,
        "block": piece.usage_key,
        "percent": str(piece.percent),
        "weight": str(piece.weight),
        "miller": piece.miller,
        "at": piece.at.isoformat() if piece.at else None,
    }


def _evidence_from_json(stored: Mapping[str, Any]) -> EvidenceData:
    return EvidenceData(
        stored["course"],
        stored["block"],
        Decimal(stored["percent"]),
        Decimal(stored["weight"]),
        stored["miller"],
        datetime.fromisoformat(stored["at"]) if stored["at"] else None,
    )
