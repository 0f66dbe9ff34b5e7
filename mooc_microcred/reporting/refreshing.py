"""Counting who has come how far: one walk over the platform's enrolments, resumable, by any sweeper.

Learners are read in ranges, theirs and ours side by side, with as many queries for ten learners as for
ten thousand. What a turn has counted is written together with the place where it stopped, so that a walk
that is killed goes on there and counts nobody twice; nothing of a walk is seen before it is finished.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import uuid4

from django.db import transaction
from django.db.models import Max, Sum
from django.utils import timezone

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Award
from mooc_microcred.core import clock
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.platform import ListedEnrolment, get_platform
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult
from mooc_microcred.reporting.data import WAITED_DAYS, Step
from mooc_microcred.reporting.models import FunnelFigure, FunnelRefresh
from mooc_microcred.reporting.tracks import Track, tracks_in

# Enrolments that are looked at in one go, and seconds after which a turn writes what it has counted.
PAGE = 5_000
TURN_SECONDS = 10.0
WAITED = tuple(f"days_{days}" for days in WAITED_DAYS)
# A record of these holds, or held, nothing at the bank.
_NOT_ACCEPTED = (
    CreditRecord.State.REVERSING,
    CreditRecord.State.REVERSED,
    CreditRecord.State.CANCELLED,
)


def refresh_due() -> bool:
    """Say whether the figures are older than FUNNEL_REFRESH_HOURS, or there are none."""
    hours = microcred_settings.FUNNEL_REFRESH_HOURS
    if hours is None:
        return False
    newest = latest_refresh()
    return newest is None or newest.as_of <= clock.now() - timedelta(hours=hours)


def latest_refresh() -> FunnelRefresh | None:
    """Return the walk whose figures are shown; None where none has been finished."""
    return FunnelRefresh.objects.filter(finished_at__isnull=False).order_by("-pk").first()


def refresh_figures(*, seconds: float = TURN_SECONDS, page: int = PAGE, again: bool = False) -> int:
    """Do one turn of the walk; return how many enrolments were looked at.

    Returns 0 where no walk is open and none is due, another worker has it, or it was finished by looking at
    nothing more. Must not run inside ``atomic``.

    Args:
        seconds: after which the turn ends with the page that it is at.
        page: about how many enrolments are looked at in one go.
        again: begin a walk even where the figures are not old yet.

    Raises:
        PlatformUnavailable: enrolments cannot be read now; the walk goes on where it was.
    """
    refresh = _claim(again=again)
    if refresh is None:
        return 0
    try:
        return _turn(refresh, seconds, page)
    except BaseException:
        _release(refresh)
        raise


def _claim(*, again: bool) -> FunnelRefresh | None:
    """Take the open walk by compare-and-set, or begin one where one is due."""
    now = clock.now()
    until = now + timedelta(seconds=microcred_settings.LEASE_SECONDS)
    token = uuid4().hex
    refresh = FunnelRefresh.objects.filter(finished_at__isnull=True).order_by("pk").first()
    if refresh is None:
        if not again and not refresh_due():
            return None
        return FunnelRefresh.objects.create(
            as_of=now,
            catalogue=achievements.current_catalogue().token,
            claim=token,
            claimed_until=until,
        )
    if refresh.claimed_until is not None and refresh.claimed_until > now:
        return None
    unclaimed = FunnelRefresh.objects.filter(pk=refresh.pk, finished_at__isnull=True, claim=refresh.claim)
    if not unclaimed.update(claim=token, claimed_until=until):
        return None
    refresh.claim = token
    return refresh


def _release(refresh: FunnelRefresh) -> None:
    FunnelRefresh.objects.filter(pk=refresh.pk, claim=refresh.claim).update(claim="", claimed_until=None)


def _turn(refresh: FunnelRefresh, seconds: float, page: int) -> int:
    """Count until the time is over or nobody is left, and write what was counted."""
    began = time.monotonic()
    catalogue = achievements.current_catalogue()
    if catalogue.token != refresh.catalogue:
        # Half of the learners counted by other steps than the rest would make no figure at all.
        _begin_again(refresh, catalogue.token)
    runs, _programmes = achievements.concerned_by_everything()
    counting = Counting(tracks_in(catalogue, runs), refresh.as_of)
    after, looked_at, ended = refresh.after, 0, not counting.runs
    while not ended:
        found = get_platform().list_enrolments(counting.runs, after=after, limit=page)
        ended = not found.looked_at
        counting.count(found.enrolments, after=after, last=found.after)
        after, looked_at = found.after, looked_at + found.looked_at
        if time.monotonic() - began > seconds:
            break
    with transaction.atomic():
        mine = FunnelRefresh.objects.filter(pk=refresh.pk, claim=refresh.claim)
        if not mine.update(
            after=after, enrolments=refresh.enrolments + looked_at, claim="", claimed_until=None
        ):
            return 0  # the claim ran out and another worker has counted them
        FunnelFigure.objects.bulk_create(counting.figures(refresh, part=refresh.after), batch_size=500)
        if ended:
            _put_together(refresh)
    if ended:
        FunnelRefresh.objects.filter(finished_at__isnull=False, pk__lt=refresh.pk).delete()
    return looked_at


def _begin_again(refresh: FunnelRefresh, token: str) -> None:
    with transaction.atomic():
        refresh.figures.all().delete()
        refresh.catalogue, refresh.as_of, refresh.after, refresh.enrolments = token, clock.now(), 0, 0
        refresh.save(update_fields=["catalogue", "as_of", "after", "enrolments"])


def _put_together(refresh: FunnelRefresh) -> None:
    """Replace the parts by their sums, and show them."""
    parts = refresh.figures.exclude(part=FunnelFigure.WHOLE)
    sums: Iterable[Any] = list(
        parts.order_by()
        .values("code", "kind", "month", "step")
        .annotate(
            part_organization=Max("organization"),
            part_last=Max("last"),
            sum_reached=Sum("reached"),
            **{f"sum_{name}": Sum(name) for name in WAITED},
        )
    )
    parts.delete()
    FunnelFigure.objects.bulk_create(
        [
            FunnelFigure(
                refresh=refresh,
                part=FunnelFigure.WHOLE,
                code=row["code"],
                kind=row["kind"],
                month=row["month"],
                step=row["step"],
                organization=row["part_organization"],
                last=bool(row["part_last"]),
                reached=row["sum_reached"],
                **{name: row[f"sum_{name}"] for name in WAITED},
            )
            for row in sums
        ],
        batch_size=500,
    )
    FunnelRefresh.objects.filter(pk=refresh.pk).update(finished_at=clock.now())


# --- counting ---


class _Sitting(NamedTuple):
    """A released result, as the exams room weighs several of them."""

    status: str
    sat_on: date
    percent: Any
    released_at: datetime | None


@dataclass(slots=True)
class _Facts:
    """What is known of one learner, by the ids and codes of tracks; instants are UTC."""

    awards: dict[int, datetime] = field(default_factory=dict)
    admissions: dict[str, datetime] = field(default_factory=dict)
    sat: dict[str, datetime] = field(default_factory=dict)
    sittings: dict[str, list[_Sitting]] = field(default_factory=lambda: defaultdict(list))
    consented: dict[int, datetime] = field(default_factory=dict)
    credited: dict[int, datetime] = field(default_factory=dict)


_NOTHING = _Facts()


class Counting:
    """Adds up learners, range after range.

    Attributes:
        runs: keys of the runs whose enrolments are wanted.
    """

    def __init__(self, tracks: Sequence[Track], as_of: datetime):
        self._tracks = tracks
        self._as_of = as_of
        self._by_run: dict[str, list[int]] = defaultdict(list)
        for place, track in enumerate(tracks):
            for run in track.runs:
                self._by_run[run].append(place)
        self.runs = sorted(self._by_run)
        self._achievements = frozenset(
            one for track in tracks for one in (*track.level1, *track.level2, *track.programmes)
        )
        self._exams = frozenset(code for track in tracks for code in track.exams)
        # By track, month and step: learners who reached it, then those who stand there by days.
        self._counts: dict[tuple[int, date, Step], list[int]] = {}
        self._months: dict[tuple[int, int], date] = {}
        self._zone = timezone.get_current_timezone()

    def count(self, enrolments: Sequence[ListedEnrolment], *, after: int, last: int) -> None:
        """Count the learners of a range who are enrolled; ``last`` is included."""
        if not enrolments:
            return
        facts = _read_facts(self._achievements, self._exams, after, last)
        ways: dict[tuple[int, int], tuple[datetime, datetime | None]] = {}
        for one in enrolments:
            for place in self._by_run.get(one.course_key, ()):
                key = one.learner_id, place
                since, started = ways.get(key, (one.since, one.started_at))
                starts = [at for at in (started, one.started_at) if at is not None]
                ways[key] = min(since, one.since), min(starts, default=None)
        for (learner, place), (since, started) in ways.items():
            known = facts.get(learner, _NOTHING)
            self._add(place, since, reached_steps(self._tracks[place], known, since, started))

    def _add(self, place: int, since: datetime, reached: Mapping[Step, datetime]) -> None:
        month = self._month(since)
        latest: Step | None = None
        for step in self._tracks[place].steps:
            row = self._counts.get((place, month, step))
            if row is None:
                row = self._counts[place, month, step] = [0] * (1 + len(WAITED))
            if step in reached:
                row[0] += 1
                latest = step
        if latest is not None:
            days = (self._as_of - reached[latest]).days
            group = sum(1 for edge in WAITED_DAYS[1:] if days >= edge)
            self._counts[place, month, latest][1 + group] += 1

    def _month(self, since: datetime) -> date:
        local = since.astimezone(self._zone)
        key = local.year, local.month
        found = self._months.get(key)
        if found is None:
            found = self._months[key] = date(local.year, local.month, 1)
        return found

    def figures(self, refresh: FunnelRefresh, *, part: int) -> list[FunnelFigure]:
        """Return the rows of what was counted."""
        return [
            FunnelFigure(
                refresh=refresh,
                part=part,
                code=self._tracks[place].code,
                kind=str(self._tracks[place].kind),
                organization=self._tracks[place].organization,
                month=month,
                step=str(step),
                last=step == self._tracks[place].steps[-1],
                reached=row[0],
                **dict(zip(WAITED, row[1:], strict=True)),
            )
            for (place, month, step), row in self._counts.items()
        ]


def reached_steps(
    track: Track, facts: _Facts, since: datetime, started: datetime | None
) -> dict[Step, datetime]:
    """Return the steps that a learner has reached, and when; a later one proves those that lead to it."""
    found: dict[Step, datetime | None] = {
        Step.ENROLLED: since,
        Step.STARTED: started,
        Step.LEVEL_1: _first(facts.awards, track.level1),
        Step.ADMITTED: _first(facts.admissions, track.exams),
        Step.SAT: _first(facts.sat, track.exams),
        Step.PASSED: _passed(track, facts) if facts.sittings else None,
        Step.LEVEL_2: _first(facts.awards, track.level2),
        Step.PROGRAMME: _first(facts.awards, track.programmes),
        Step.CONSENTED: _first(facts.consented, track.credited),
        Step.CREDITED: _first(facts.credited, track.credited),
    }
    for step, proof in _PROOFS:
        if found[step] is None:
            found[step] = found[proof]
    return {step: at for step in track.steps if (at := found[step]) is not None}


# Whoever has the second has done the first. (A Level 2 without its Level 1, or credit without the
# programme, there can be.)
_PROOFS = (
    (Step.PASSED, Step.LEVEL_2),
    (Step.SAT, Step.PASSED),
    (Step.ADMITTED, Step.SAT),
    (Step.STARTED, Step.LEVEL_1),
    (Step.CONSENTED, Step.CREDITED),
)


def _first(known: Mapping[Any, datetime], wanted: Iterable[Any]) -> datetime | None:
    if not known:
        return None
    return min((known[one] for one in wanted if one in known), default=None)


def _passed(track: Track, facts: _Facts) -> datetime | None:
    """Return when the result was released by which an exam is passed, by its policy for several sittings."""
    found = []
    for code, exam in track.exams.items():
        sittings = facts.sittings.get(code)
        if not sittings or exam.minimum is None:
            continue
        chosen: Any = exams.counting_result(cast("Any", sittings), exam.exam)
        if chosen is not None and chosen.percent >= exam.minimum and chosen.released_at is not None:
            found.append(chosen.released_at)
    return min(found, default=None)


def _read_facts(
    achievement_ids: frozenset[int], exam_codes: frozenset[str], after: int, last: int
) -> dict[int, _Facts]:
    """Read what our own tables know of a range of learners: six queries, whatever its length."""
    facts: dict[int, _Facts] = defaultdict(_Facts)
    of_range = {"learner_id__gt": after, "learner_id__lte": last}
    awards = Award.objects.filter(**of_range, published_at__isnull=False).exclude(state=Award.State.REVOKED)
    for learner, achievement, at in awards.values_list("learner_id", "achievement_id", "issued_at"):
        if achievement in achievement_ids:
            _keep_first(facts[learner].awards, achievement, at)
    admissions = ExamAdmission.objects.filter(**of_range).values_list("learner_id", "exam_code", "created")
    for learner, code, at in admissions:
        if code in exam_codes:
            _keep_first(facts[learner].admissions, code, at)
    results = ExamResult.objects.filter(**of_range, batch__state__in=ExamBatch.STANDING)
    for learner, code, status, sat_on, percent, state, released_at in results.order_by(
        "sat_on", "id"
    ).values_list(
        "learner_id", "exam_code", "status", "sat_on", "percent", "batch__state", "batch__released_at"
    ):
        if code not in exam_codes:
            continue
        if status == ExamResult.Status.SAT:
            _keep_first(facts[learner].sat, code, _midnight(sat_on))
        if state == ExamBatch.State.RELEASED:
            facts[learner].sittings[code].append(_Sitting(status, sat_on, percent, released_at))
    _read_credit(facts, of_range)
    return facts


def _read_credit(facts: dict[int, _Facts], of_range: Mapping[str, int]) -> None:
    """Add to which award's credit a learner has consented, and which the bank has accepted."""
    consents = {
        (learner, bank): at
        for learner, bank, at in Consent.objects.filter(**of_range, live=True).values_list(
            "learner_id", "bank", "given_at"
        )
    }
    accepted: dict[int, datetime] = {}
    deliveries = Delivery.objects.filter(
        record__learner_id__gt=of_range["learner_id__gt"],
        record__learner_id__lte=of_range["learner_id__lte"],
        kind=Delivery.Kind.DEPOSIT,
        state=Delivery.State.ACKNOWLEDGED,
    )
    for record, at in deliveries.values_list("record_id", "acknowledged_at"):
        if at is not None:
            _keep_first(accepted, record, at)
    records = CreditRecord.objects.filter(**of_range).values_list(
        "pk", "learner_id", "award__achievement_id", "bank", "state", "created"
    )
    for pk, learner, achievement, bank, state, created in records:
        given = consents.get((learner, bank))
        if given is not None and state != CreditRecord.State.CANCELLED:
            # Who had consented before there was anything to send has reached the step with the record.
            _keep_first(facts[learner].consented, achievement, max(given, created))
        if pk in accepted and state not in _NOT_ACCEPTED:
            _keep_first(facts[learner].credited, achievement, accepted[pk])


def _keep_first(found: dict[Any, datetime], key: Any, at: datetime) -> None:
    if key not in found or at < found[key]:
        found[key] = at


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))
