"""Feeds: appending evaluation requests for everybody concerned, in chunks that never hold the table.

One INSERT ... SELECT of millions of rows blocks the receivers' INSERT on MariaDB for seconds,
so a feed walks the learners by key in chunks of at most 1,000, each its own transaction that
also moves the feed's cursor: it can be killed at any line and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from mooc_microcred.achievements.catalogue import course_of_run, get_definition, leaves_of
from mooc_microcred.achievements.criteria import needs_of
from mooc_microcred.achievements.data import Definition
from mooc_microcred.achievements.models import (
    Achievement,
    AchievementVersion,
    Award,
    CourseRequirement,
    EvaluationRequest,
    Feed,
    RunOffer,
)
from mooc_microcred.achievements.requests import append_requests
from mooc_microcred.competencies import api as competencies
from mooc_microcred.core import clock
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.platform import get_platform

CHUNK = 1000
# Requests that may wait before feeds hold back, so that a backfill never delays today's learners
# by more than a few minutes.
QUEUE_LIMIT = 50_000


def start_feed(
    *, reason: str, version_id: int | None = None, course_key: str = "", not_before: datetime | None = None
) -> int:
    """Begin to feed everybody whom a version judges, or everybody enrolled in a run; return its id."""
    now = clock.now()
    feed = Feed.objects.create(
        reason=reason,
        version_id=version_id,
        course_key=course_key,
        created=now,
        not_before=not_before or now,
    )
    return feed.pk


def start_feed_of_everything(*, reason: str, organization: str = "") -> list[int]:
    """Begin to feed every learner of every course that a version looks at, and of every active programme.

    Args:
        organization: only definitions of this organisation; empty means all.
    """
    runs, programmes = concerned_by_everything(organization=organization)
    feeds = [start_feed(reason=reason, course_key=run) for run in runs]
    return feeds + [start_feed(reason=reason, version_id=version_id) for version_id in programmes]


def concerned_by_everything(*, organization: str = "") -> tuple[list[str], list[int]]:
    """Return every run that a version looks at, and the version ids of every active programme.

    Retired versions count as long as they have awards, which go on following their certificates.

    Args:
        organization: only definitions of this organisation; empty means all.

    Raises:
        PlatformUnavailable: runs cannot be enumerated now.
    """
    rows = CourseRequirement.objects.all()
    programmes = AchievementVersion.objects.filter(
        state=AchievementVersion.State.ACTIVE, achievement__kind="programme"
    )
    if organization:
        rows = rows.filter(version__achievement__organization=organization)
        programmes = programmes.filter(achievement__organization=organization)
    requirements = list(rows)
    courses = {(one.organization, one.number) for one in requirements if not one.course_key}
    runs = {one.course_key for one in requirements if one.course_key}
    runs |= {
        run
        for run in competencies.assessed_courses()
        if not organization or course_of_run(run)[0] == organization
    }
    if courses:
        runs |= {run for found in get_platform().course_runs(courses).values() for run in found}
    return sorted(runs), list(programmes.order_by("id").values_list("id", flat=True))


def next_learners(
    *, course_key: str = "", version_id: int | None = None, after: int = 0, limit: int = CHUNK
) -> Sequence[int]:
    """Return the learners whom a feed would come to next, ascending, above ``after``.

    Raises:
        PlatformUnavailable: learners cannot be enumerated now.
    """
    definition = get_definition(version_id) if version_id else None
    return _next_learners(course_key, definition, after=after, limit=limit)


def advance_feeds(*, limit: int = CHUNK) -> int:
    """Feed one chunk of the oldest feed that is due; return how many requests were appended.

    Returns 0 when no feed is due, another worker walks them all, or the queue is long already.
    Must not run inside ``atomic``.

    Raises:
        PlatformUnavailable: learners cannot be enumerated now.
    """
    if EvaluationRequest.objects.order_by().values("id")[: QUEUE_LIMIT + 1].count() > QUEUE_LIMIT:
        return 0
    while (feed := _claim()) is not None:
        appended = _advance(feed, min(limit, CHUNK))
        if appended:
            return appended
    return 0


def count_open_feeds() -> int:
    """Return how many feeds are not finished."""
    return Feed.objects.filter(finished_at__isnull=True).count()


def _claim() -> Feed | None:
    """Take a due feed by compare-and-set, so that two workers do not walk the same one."""
    now = clock.now()
    due = Feed.objects.filter(finished_at__isnull=True, not_before__lte=now)
    for feed in due.exclude(claimed_until__gt=now).order_by("id")[:10]:
        token = uuid4().hex
        unclaimed = Feed.objects.filter(pk=feed.pk, finished_at__isnull=True, claim=feed.claim)
        until = now + timedelta(seconds=microcred_settings.LEASE_SECONDS)
        if unclaimed.update(claim=token, claimed_until=until):
            feed.claim = token
            return feed
    return None


def _advance(feed: Feed, limit: int) -> int:
    """Append one chunk and move the cursor in one transaction; an empty chunk finishes the feed."""
    definition = get_definition(feed.version_id) if feed.version_id else None
    if definition is not None and definition.tree is None and not feed.course_key:
        _split_by_run(feed, definition)
        return 0
    learners = _next_learners(feed.course_key, definition, after=feed.after_learner, limit=limit)
    with transaction.atomic():
        fields: dict[str, Any] = {"claim": "", "claimed_until": None}
        if learners:
            fields |= {"after_learner": learners[-1], "fed": feed.fed + len(learners)}
        else:
            fields |= {"finished_at": clock.now()}
        if not Feed.objects.filter(pk=feed.pk, claim=feed.claim).update(**fields):
            return 0  # the claim ran out and another worker walks it now
        if learners:
            append_requests(learners, course_key=feed.course_key, reason=feed.reason)
    return len(learners)


def _next_learners(
    course_key: str, definition: Definition | None, *, after: int, limit: int
) -> Sequence[int]:
    if course_key:
        return get_platform().enrolled_learners([course_key], after=after, limit=limit)
    codes = {leaf["achievement"] for leaf in leaves_of(definition.tree or {})} if definition else set()
    # Ids of their own query: joined, MariaDB walks all awards of an achievement for every chunk.
    ids = list(Achievement.objects.filter(code__in=codes).values_list("id", flat=True))
    holders = Award.objects.filter(achievement_id__in=ids, live=True, learner_id__gt=after)
    return list(holders.order_by("learner_id").values_list("learner_id", flat=True).distinct()[:limit])


def _split_by_run(feed: Feed, definition: Definition) -> None:
    """Replace a feed about a course requirement by one for each of its runs."""
    rule = definition.course
    runs: list[str] = []
    if rule is not None and rule.runs:
        adopted = RunOffer.objects.filter(
            achievement_id=definition.achievement_id, state=RunOffer.State.ADOPTED
        )
        runs = [*rule.runs, *adopted.values_list("course_key", flat=True)]
    elif definition.kind == Achievement.Kind.COMPETENCY:
        # Who has shown something of its competencies is enrolled where they are assessed.
        names = competencies.predecessors_of(keys=needs_of(definition.rule).competencies)
        runs = sorted(competencies.assessed_courses(keys={one for found in names.values() for one in found}))
    elif rule is not None:
        course = (rule.organization, rule.number)
        runs = list(get_platform().course_runs([course]).get(course, ()))
    with transaction.atomic():
        if not Feed.objects.filter(pk=feed.pk, claim=feed.claim).update(finished_at=clock.now()):
            return
        for run in sorted(set(runs)):
            start_feed(
                reason=feed.reason, version_id=feed.version_id, course_key=run, not_before=feed.not_before
            )
