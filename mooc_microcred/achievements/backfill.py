"""Backfill: the platform's existing certificates become Level 1 awards, page by page, as evaluation decides.

    look at a page of certificates -> take their learners' leases -> read the truth in bulk
    -> decide (decisions.py) -> write awards, history, one message and the cursor in one transaction

Only reading and writing are of another kind than in ``evaluation.py``. Most learners of a page are alike
to the criteria: the same run, the same version, a certificate in the same state, and nothing else that
counts. For them ``decide`` is asked once, and its answer is written for each with ids of their own.
Whoever is not alike is read and decided singly, by the very functions of the evaluation.

A page and the cursor behind it are one transaction: killed at any line, a backfill goes on where it was.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from mooc_microcred.achievements.catalogue import Catalogue, current_catalogue, needed_codes
from mooc_microcred.achievements.decisions import (
    MIRRORED,
    Decision,
    LearnerTruth,
    decide,
    queries_for,
    scope_of,
)
from mooc_microcred.achievements.evaluation import read_awards, read_exams, read_truths
from mooc_microcred.achievements.models import Award, AwardEvent, Backfill, RunOffer, new_uuid
from mooc_microcred.achievements.requests import append_requests
from mooc_microcred.achievements.writing import (
    LearnerWork,
    append_dues,
    future_requests,
    note_of,
    notes_of,
    write_changes,
)
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.lease import (
    LeaseLost,
    confirm_all_leases,
    release_leases,
    release_leases_of,
    take_leases,
)
from mooc_microcred.core.platform import (
    CertificateState,
    CourseState,
    EnrolmentState,
    ListedCertificate,
    StateQuery,
    get_platform,
)
from mooc_microcred.core.retirement import retired_among

REASON = "backfill"
#: Awards of a backfill that tells nobody: ``{"awards": [uuid, ...], "at": ...}``. What must come of every
#: award (credit record, credential) comes of these too; what informs or publishes does not listen to it.
TOPIC = "awards.backfilled"
# Certificates that are looked at, and at most written, in one transaction.
PAGE = 500
# Awards in one message: its subscribers work in one transaction.
AWARDS_PER_MESSAGE = 200
# How often, and with which gap in seconds, a learner is waited for whom another worker owns.
BUSY_TRIES = 20
BUSY_GAP = 0.1


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """How far a backfill is.

    Attributes:
        after, highest: the platform's key of the last certificate done, and of the last there is.
        examined: certificates of the runs that were looked at. issued, changed: awards.
    """

    id: int
    announce: bool
    after: int
    highest: int
    examined: int
    issued: int
    changed: int
    finished: bool


class _Overtaken(Exception):
    """Another process has written this page."""


# --- what is concerned ---


def runs_to_backfill(*, organization: str = "") -> list[str]:
    """Return the runs whose certificates lead to a Level 1 award.

    Args:
        organization: only achievements of this organisation; empty means all.

    Raises:
        PlatformUnavailable: runs cannot be enumerated now.
    """
    catalogue = current_catalogue()
    runs: set[str] = set()
    courses: set[tuple[str, str]] = set()
    achievements: set[int] = set()
    for definition in (one for versions in catalogue.versions.values() for one in versions):
        rule = definition.course
        if definition.mode not in MIRRORED or rule is None:
            continue
        if organization and definition.organization != organization:
            continue
        if rule.runs:
            runs.update(rule.runs)
            achievements.add(definition.achievement_id)
        else:
            courses.add((rule.organization, rule.number))
    adopted = RunOffer.objects.filter(achievement_id__in=achievements, state=RunOffer.State.ADOPTED)
    runs.update(adopted.values_list("course_key", flat=True))
    if courses:
        runs.update(run for found in get_platform().course_runs(courses).values() for run in found)
    return sorted(runs)


def is_backfilled(course_key: str) -> bool:
    """Say whether a certificate of the run may lead to a Level 1 award."""
    catalogue = current_catalogue()
    return any(
        definition.mode in MIRRORED
        for code in catalogue.codes_for_run(course_key)
        for definition in catalogue.versions.get(code, ())
    )


# --- doing it ---


def start_backfill(*, course_keys: Collection[str], announce: bool) -> BackfillProgress:
    """Begin a backfill of runs, or go on with one of the same runs that did not come to its end.

    What a killed one held is taken over: the evaluation, to which busy learners are left, would tell them.
    """
    runs = sorted(set(course_keys))
    for row in Backfill.objects.filter(finished_at__isnull=True, announce=announce).order_by("id"):
        if row.course_keys == runs:
            release_leases_of(owner_of(row.pk))
            return _progress(row, row.after)
    row = Backfill.objects.create(course_keys=runs, announce=announce, created=clock.now())
    return _progress(row, row.after)


def advance_backfill(*, backfill_id: int, limit: int = PAGE) -> BackfillProgress:
    """Do the next page of a backfill. Must not run inside ``atomic``.

    Two processes may do the same backfill: each page is written once.

    Args:
        limit: certificates of the page, at most 500.

    Raises:
        PlatformUnavailable: nothing can be decided now; the page is done by the next call.
    """
    row = Backfill.objects.get(pk=backfill_id)
    if row.finished_at is not None:
        return _progress(row, row.after)
    limit = min(limit, PAGE)
    runs = frozenset(row.course_keys)
    page = get_platform().list_certificates(runs, after=row.after, limit=limit)
    learners = {one.learner_id for one in page.certificates}
    token, ours = _take(learners, owner_of(row.pk))
    try:
        # Read again: what was read before the lease may have been decided about meanwhile.
        page = get_platform().list_certificates(runs, after=row.after, limit=limit)
        retired = retired_among(learners)
        listed = [one for one in page.certificates if one.learner_id in ours - retired]
        busy = {one.learner_id for one in page.certificates} - ours - retired
        plan = _plan(current_catalogue(), listed, clock.now())
        try:
            with transaction.atomic():
                if ours and confirm_all_leases(token) != len(ours):
                    raise LeaseLost
                issued, changed = _write(plan, announce=row.announce)
                _hand_over(busy, page.certificates)
                _move(row, page.after, page.highest, len(page.certificates), issued, changed)
        except (_Overtaken, LeaseLost):
            pass
    finally:
        release_leases(token)
    row.refresh_from_db()
    return _progress(row, page.highest)


def owner_of(backfill_id: int) -> str:
    """Return as whom a backfill takes leases."""
    return f"backfill-{backfill_id}-"


def _take(learners: set[int], owner: str) -> tuple[str, set[int]]:
    """Take the leases of the learners, waiting a little for those whom another worker owns."""
    token, ours = take_leases(learners, owner=owner)
    for _ in range(BUSY_TRIES):
        if ours == learners:
            break
        release_leases(token)
        time.sleep(BUSY_GAP)
        token, ours = take_leases(learners, owner=owner)
    return token, ours


def _hand_over(busy: set[int], listed: Sequence[ListedCertificate]) -> None:
    """Leave those to the evaluation whom somebody owns all the time."""
    for run in sorted({one.course_key for one in listed if one.learner_id in busy}):
        learners = sorted(
            {one.learner_id for one in listed if one.learner_id in busy and one.course_key == run}
        )
        append_requests(learners, course_key=run, reason=REASON)


def _move(row: Backfill, after: int, highest: int, examined: int, issued: int, changed: int) -> None:
    """Move the cursor by compare-and-set, in the transaction of the page."""
    moved = Backfill.objects.filter(pk=row.pk, after=row.after, finished_at__isnull=True).update(
        after=after,
        examined=row.examined + examined,
        issued=row.issued + issued,
        changed=row.changed + changed,
        finished_at=clock.now() if after >= highest else None,
    )
    if not moved:
        raise _Overtaken


def _progress(row: Backfill, highest: int) -> BackfillProgress:
    return BackfillProgress(
        row.pk,
        row.announce,
        row.after,
        max(highest, row.after),
        row.examined,
        row.issued,
        row.changed,
        row.finished_at is not None,
    )


def preview_backfill(*, course_keys: Collection[str], after: int, limit: int = PAGE) -> BackfillProgress:
    """Say what the page above ``after`` would come to; writes nothing, and takes no lease.

    Raises:
        PlatformUnavailable: nothing can be said now.
    """
    page = get_platform().list_certificates(frozenset(course_keys), after=after, limit=limit)
    retired = retired_among({one.learner_id for one in page.certificates})
    listed = [one for one in page.certificates if one.learner_id not in retired]
    plan = _plan(current_catalogue(), listed, clock.now())
    issued = sum(len(one.decision.issued) * len(one.members) for one in plan.alike)
    issued += sum(len(one.decision.issued) for one in plan.singly)
    changed = sum(len(one.decision.changes) for one in plan.singly)
    return BackfillProgress(
        0,
        False,
        page.after,
        page.highest,
        len(page.certificates),
        issued,
        changed,
        finished=page.after >= page.highest,
    )


def count_waiting_messages() -> int:
    """Return how many messages about backfilled awards were not handed over yet."""
    return outbox.count_pending(TOPIC)


# --- deciding ---


@dataclass(slots=True)
class _Alike:
    """A decision that holds for several learners, each with the verification id of their certificate.

    Attributes:
        certificate: the id that stands in the decision for that of each member.
    """

    decision: Decision
    run: str
    certificate: str
    members: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Plan:
    alike: list[_Alike] = field(default_factory=list)
    singly: list[LearnerWork] = field(default_factory=list)
    # Learners for whom the platform is to be asked for a certificate, by run: the evaluation does that.
    to_ask: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


@dataclass(frozen=True, slots=True)
class _Case:
    """One learner with one certificate, and what else was read of them."""

    learner_id: int
    certificate: CertificateState
    enrolments: Sequence[EnrolmentState]


class _Run:
    """What deciding about learners of one run depends on."""

    def __init__(self, catalogue: Catalogue, run: str, now: datetime):
        self.catalogue = catalogue
        self.run = run
        self.now = now
        self.scope = catalogue.with_dependents(catalogue.codes_for_run(run))
        definitions = [one for code in self.scope for one in catalogue.versions.get(code, ())]
        self.related = self.scope.union(*(needed_codes(one) for one in definitions))
        self.has_windows = any(one.judges.enrolled_from or one.judges.enrolled_until for one in definitions)
        self.codes = sorted(self.scope)
        self._concerning: dict[str, bool] = {}

    def likeness(self, case: _Case, awards: Sequence[Award]) -> tuple[Any, ...] | None:
        """Return what the decision depends on, but for ids; None where more than that counts."""
        if self.catalogue.competencies or not case.certificate.uuid.isalnum():
            return None
        own = None
        for enrolment in case.enrolments:
            if enrolment.course_key == self.run:
                own = enrolment
            elif self._concerns(enrolment.course_key):
                return None
        if any(self._counts(award) for award in awards):
            return None
        since = own.since if own is not None else None
        judging: tuple[Any, ...] = (since is None,)
        if self.has_windows:
            found = [self.catalogue.judging(code, since) for code in self.codes]
            judging = tuple(one and one.version_id for one in found)
        certificate = case.certificate
        return (
            self.run,
            judging,
            certificate.status,
            certificate.shown,
            certificate.shown_from,
            certificate.invalidated,
        )

    def _concerns(self, other: str) -> bool:
        """Say whether what is judged here may also be fulfilled by, or begin with, another run."""
        if other not in self._concerning:
            codes = self.catalogue.with_dependents(self.catalogue.codes_for_run(other))
            self._concerning[other] = not codes.isdisjoint(self.scope)
        return self._concerning[other]

    def _counts(self, award: Award) -> bool:
        """Say whether an earlier award may have a part in the decision."""
        return (
            award.achievement.code in self.related
            or award.course_key == self.run
            or award.state == Award.State.REVOKED
            or bool(award.live and award.expires_at and award.expires_at <= self.now)
        )


def _plan(catalogue: Catalogue, listed: Sequence[ListedCertificate], now: datetime) -> _Plan:
    """Decide about the learners of a page, with a constant number of queries."""
    certificates: dict[int, dict[str, CertificateState]] = defaultdict(dict)
    for one in listed:
        certificates[one.learner_id][one.course_key] = one.certificate
    plan = _Plan()
    if not certificates:
        return plan
    awards = read_awards(list(certificates))
    enrolments = get_platform().read_enrolments(list(certificates))
    runs = {run: _Run(catalogue, run, now) for run in {one.course_key for one in listed}}
    groups: dict[tuple[Any, ...], list[_Case]] = defaultdict(list)
    singly: dict[int, set[str]] = {}
    for learner, found in certificates.items():
        likeness = None
        if len(found) == 1:
            ((run, certificate),) = found.items()
            case = _Case(learner, certificate, enrolments.get(learner, ()))
            likeness = runs[run].likeness(case, awards.get(learner, ()))
        if likeness is None:
            singly[learner] = set(found)
        else:
            groups[likeness].append(case)
    for likeness, cases in groups.items():
        singly |= _decide_alike(plan, catalogue, likeness[0], cases, now)
    _decide_singly(plan, catalogue, singly, now)
    return plan


def _decide_alike(
    plan: _Plan, catalogue: Catalogue, run: str, cases: Sequence[_Case], now: datetime
) -> dict[int, set[str]]:
    """Decide once for learners who are alike; return those who turn out not to be."""
    truth = _truth_of(catalogue, run, cases[0], now)
    queries, exams = queries_for(catalogue, truth)
    singly: dict[int, set[str]] = {}
    if exams:
        have_sat = {learner for learner, _ in read_exams([one.learner_id for one in cases], exams)}
        singly = {learner: {run} for learner in have_sat}
        cases = [one for one in cases if one.learner_id not in have_sat]
    states = _course_states(queries, cases)
    found: dict[Any, _Alike] = {}
    for case in cases:
        state = states.get(case.learner_id, CourseState())
        kind = (state.grade, state.completion, frozenset(state.subsections.items()))
        alike = found.get(kind)
        if alike is None:
            stand_in = replace(case.certificate, uuid=uuid4().hex)
            truth = _truth_of(catalogue, run, case, now)
            truth.states[run] = replace(state, certificate=stand_in)
            alike = found[kind] = _Alike(decide(catalogue, truth), run, stand_in.uuid)
        alike.members.append((case.learner_id, case.certificate.uuid))
    for alike in found.values():
        for asked in alike.decision.asks:
            plan.to_ask[asked].update(learner for learner, _ in alike.members)
        if alike.decision.issued or alike.decision.dues:
            plan.alike.append(alike)
    return singly


def _truth_of(catalogue: Catalogue, run: str, case: _Case, now: datetime) -> LearnerTruth:
    truth = LearnerTruth(
        learner_id=case.learner_id,
        now=now,
        awards=[],
        enrolments={one.course_key: one for one in case.enrolments},
        runs={run},
    )
    truth.scope = scope_of(catalogue, truth)
    return truth


def _course_states(queries: Sequence[StateQuery], cases: Sequence[_Case]) -> Mapping[int, CourseState]:
    """Read what the criteria need besides the certificate, which is known."""
    for query in queries:
        if query.grade or query.completion or query.subsections:
            wanted = [replace(query, learner_id=case.learner_id) for case in cases]
            states = get_platform().read_states(wanted)
            return {learner: state for (learner, _), state in states.items()}
    return {}


def _decide_singly(plan: _Plan, catalogue: Catalogue, runs: Mapping[int, set[str]], now: datetime) -> None:
    for learner, truth in read_truths(catalogue, runs, now).items() if runs else ():
        decision = decide(catalogue, truth)
        for asked in decision.asks:
            plan.to_ask[asked].add(learner)
        plan.singly.append(LearnerWork(learner, decision, []))


# --- writing ---


def _write(plan: _Plan, *, announce: bool) -> tuple[int, int]:
    """Write what was decided, and return how many awards were issued and changed."""
    issued = write_changes(plan.singly)
    shown = [(one.learner_id, one.uuid, one.reason) for one in issued if one.published_at is not None]
    count = len(issued)
    for alike in plan.alike:
        for prototype, rows in _stamp(alike):
            _insert(prototype, rows)
            count += len(rows)
            if prototype.published_at is not None:
                shown += [(learner, uuid, prototype.reason) for learner, uuid, _ in rows]
    outbox.append([*notes_of(plan.singly), *(_notes(shown) if announce else _quiet_notes(shown))])
    work = [
        *plan.singly,
        *(
            LearnerWork(learner, Decision(dues=one.decision.dues), [])
            for one in plan.alike
            if one.decision.dues
            for learner, _ in one.members
        ),
    ]
    append_dues(work, future_requests(work))
    for run, learners in sorted(plan.to_ask.items()):
        append_requests(sorted(learners), course_key=run, reason=REASON)
    return count, sum(len(one.decision.changes) for one in plan.singly)


# Learner, uuid and reason of an award.
Shown = tuple[int, str, str]


def _notes(shown: Sequence[Shown]) -> list[outbox.Note]:
    awards = [Award(learner_id=learner, uuid=uuid, reason=reason) for learner, uuid, reason in shown]
    return [note_of(award, AwardEvent.Kind.ISSUED, award.reason) for award in awards]


def _quiet_notes(shown: Sequence[Shown]) -> list[outbox.Note]:
    at = clock.now().isoformat()
    uuids = [uuid for _, uuid, _ in shown]
    return [
        outbox.Note(TOPIC, payload={"awards": uuids[start : start + AWARDS_PER_MESSAGE], "at": at})
        for start in range(0, len(uuids), AWARDS_PER_MESSAGE)
    ]


Row = tuple[int, str, str]


def _stamp(alike: _Alike) -> Iterable[tuple[Award, list[Row]]]:
    """Yield each award of a decision with (learner, uuid, prepared evidence) of its copies."""
    evidence = Award._meta.get_field("evidence")
    texts = [
        (award, str(evidence.get_db_prep_save(award.evidence, connection))) for award in alike.decision.issued
    ]
    rows: list[list[Row]] = [[] for _ in texts]
    for learner, certificate in alike.members:
        fresh = [(award.uuid, new_uuid()) for award, _ in texts]
        for place, (_, text) in enumerate(texts):
            text = text.replace(alike.certificate, certificate)
            for old, new in fresh[:place]:
                # What it stands on is one of the awards before it.
                text = text.replace(old, new)
            rows[place].append((learner, fresh[place][1], text))
    for (award, _), found in zip(texts, rows, strict=True):
        yield award, found


def _insert(prototype: Award, rows: Sequence[Row]) -> None:
    """Insert copies of an award and the first event of each, with two statements.

    The values of the columns that all have in common are prepared once, by the model's own fields.
    """
    common = _prepared(prototype)
    names = list(common)
    places = [names.index(one) for one in ("learner_id", "uuid", "evidence")]
    template = list(common.values())
    values = []
    for row in rows:
        one = template.copy()
        for place, value in zip(places, row, strict=True):
            one[place] = value
        values.append(one)
    event = AwardEvent(kind=AwardEvent.Kind.ISSUED, at=prototype.issued_at, reason=prototype.reason)
    of_event = {name: value for name, value in _prepared(event).items() if name != "award_id"}
    quote = connection.ops.quote_name
    awards, events = quote(Award._meta.db_table), quote(AwardEvent._meta.db_table)
    columns = ", ".join(map(quote, names))
    marks = ", ".join(["%s"] * len(names))
    uuids = [row[1] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {awards} ({columns}) VALUES ({marks})", values)  # noqa: S608
        event_columns = ", ".join(map(quote, ["award_id", *of_event]))
        constants = ", ".join(["%s"] * len(of_event))
        wanted = ", ".join(["%s"] * len(uuids))
        cursor.execute(
            f"INSERT INTO {events} ({event_columns}) "  # noqa: S608
            f"SELECT {quote('id')}, {constants} FROM {awards} WHERE {quote('uuid')} IN ({wanted})",
            [*of_event.values(), *uuids],
        )


def _prepared(instance: Any) -> dict[str, Any]:
    """Return the columns of a row and their values as the database takes them, without the key."""
    return {
        one.column: one.get_db_prep_save(getattr(instance, one.attname), connection)
        for one in instance._meta.concrete_fields
        if not one.primary_key
    }
