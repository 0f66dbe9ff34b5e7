"""Making the stored tags of a course equal to what its published content says.

    something was published, imported, re-run, deleted or tagged -> the course's row is dirty
    -> a worker claims it -> the published course is read again -> its tags and its map are written

The row is the whole memory: a storm of events costs one reading, a worker that dies gives the row
back by doing nothing, and what comes while a course is being read makes it dirty again. Where what
was read is older than what was published (an event may be sent before the platform has committed),
it is read again. What learners have shown is never touched.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When

from mooc_microcred.competencies.borrowed import borrowed_taxonomies
from mooc_microcred.competencies.data import SyncReport
from mooc_microcred.competencies.models import ContentTag, CourseSync, Framework, new_uuid
from mooc_microcred.competencies.outlines import WantedTag, tags_of_outline, units_of_outline
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.claims import claim_due
from mooc_microcred.core.content import CourseOutline, get_content
from mooc_microcred.core.kick import kick_after_commit
from mooc_microcred.core.models import Heartbeat
from mooc_microcred.core.platform import PlatformUnavailable

log = logging.getLogger(__name__)

#: The task that synchronises due courses.
SYNC = "mooc_microcred.tasks.sync_courses"
#: What assesses competencies in a course has changed: its learners are to be judged anew.
TAGS_CHANGED = "competency.tags_changed"

# Seconds into which the events of one publishing are gathered.
DEBOUNCE = 3
# What the platform's clocks may differ by, and how long a publishing may take.
SLACK = timedelta(minutes=1)
# Waits before a course is read again that was older than what was published; then it is taken as it is.
STALE_WAITS = (5, 20, 60)
# Seconds after which a course is read again that could not be read: first and longest.
FAILED_FIRST, FAILED_LONGEST = 10, 3600
# Every course is read again after so long, whatever was heard of it.
RECHECK = "competencies.recheck"
RECHECK_EVERY = timedelta(days=1)
ROWS_PER_STATEMENT = 500
COURSES_PER_RUN = 20


def mark_course_dirty(
    *, course_key: str, reason: str, published_at: datetime | None = None, delay: float = DEBOUNCE
) -> None:
    """Have a course's tags read again; one UPDATE where the course is known, and one kick after commit.

    Args:
        course_key: key of the run as text.
        reason: a short code for people who look, such as ``published``.
        published_at: when it was published, UTC: what is read must not be older. None: nothing was.
        delay: seconds into which further events are gathered.
    """
    soon = clock.now() + timedelta(seconds=delay)
    if not _dirty(course_key, reason, published_at, soon):
        try:
            with transaction.atomic():
                CourseSync.objects.create(
                    course_key=course_key, reason=reason, due=soon, published_at=published_at
                )
        except IntegrityError:
            _dirty(course_key, reason, published_at, soon)
    kick_after_commit(SYNC, delay=delay)


def _dirty(course_key: str, reason: str, published_at: datetime | None, soon: datetime) -> int:
    """Mark a known course; one that is being read keeps its due time, and its reader sees the new mark."""
    sooner = Q(due__isnull=True) | Q(claim="", due__gt=soon)
    changes = {
        "mark": new_uuid(),
        "reason": reason,
        "attempts": 0,
        "due": Case(When(sooner, then=Value(soon)), default=F("due")),
    }
    if published_at is not None:
        changes["published_at"] = published_at
    return CourseSync.objects.filter(course_key=course_key).update(**changes)


def mark_known_courses_dirty(*, reason: str) -> int:
    """Have every course read again that was read once, such as after a taxonomy was published.

    Returns:
        how many were marked.
    """
    soon = clock.now() + timedelta(seconds=DEBOUNCE)
    marked = CourseSync.objects.filter(due__isnull=True).update(due=soon, mark=new_uuid(), reason=reason)
    kick_after_commit(SYNC, delay=DEBOUNCE)
    return marked


def recheck_courses() -> int:
    """Have every course read that was not for a day, and every course that was never: once a day.

    That is what finds the courses that were there before us, and what an event was lost about.

    Returns:
        how many were marked; 0 where it was done today.

    Raises:
        PlatformUnavailable: the courses cannot be listed now.
    """
    now = clock.now()
    if Heartbeat.objects.filter(name=RECHECK, at__gt=now - RECHECK_EVERY).exists():
        return 0
    listed = get_content().list_courses()
    known = set(CourseSync.objects.values_list("course_key", flat=True))
    unknown = sorted(set(listed) - known)
    CourseSync.objects.bulk_create(
        [CourseSync(course_key=key, reason="recheck", due=now) for key in unknown],
        batch_size=ROWS_PER_STATEMENT,
        ignore_conflicts=True,
    )
    old = CourseSync.objects.filter(due__isnull=True, synced_at__lt=now - RECHECK_EVERY)
    marked = old.update(due=now, mark=new_uuid(), reason="recheck", attempts=0)
    Heartbeat.objects.update_or_create(
        name=RECHECK, defaults={"at": now, "details": {"new": len(unknown), "old": marked}}
    )
    return len(unknown) + marked


def sync_due(*, limit: int = COURSES_PER_RUN) -> SyncReport:
    """Synchronise up to ``limit`` due courses. Must not run inside ``atomic``.

    For each course one reading of the module store and a number of queries that does not depend on
    the number of its blocks, but for one statement per 500 tags that are new or changed.
    """
    report = SyncReport()
    now = clock.now()
    rows = list(
        claim_due(
            CourseSync.objects.filter(due__lte=now), now=now, limit=limit, order=("due", "id")
        ).order_by("id")
    )
    if not rows:
        return report
    frameworks = dict(Framework.objects.exclude(taxonomy="").values_list("taxonomy", "identifier"))
    frameworks |= borrowed_taxonomies()
    for row in rows:
        try:
            _sync(row, frameworks, report)
        except Exception as error:  # one course that cannot be read must not hold up the others
            report.failed += 1
            if isinstance(error, PlatformUnavailable):
                log.warning("sync: %s could not be read", row.course_key)
            else:
                log.exception("sync: %s failed", row.course_key)
            _put_back(row, error)
    return report


def _put_back(row: CourseSync, error: Exception) -> None:
    wait = outbox.backoff(row.attempts + 1, first=FAILED_FIRST, longest=FAILED_LONGEST)
    CourseSync.objects.filter(pk=row.pk, claim=row.claim).update(
        claim="",
        due=clock.now() + wait,
        attempts=row.attempts + 1,
        last_error=f"{type(error).__name__}: {error}"[:255],
    )


def _sync(row: CourseSync, frameworks: Mapping[str, str], report: SyncReport) -> None:
    read_at = clock.now()
    outline = get_content().read_course_structure(row.course_key, taxonomies=sorted(frameworks))
    wanted = tags_of_outline(outline, frameworks) if outline else []
    stale = outline is not None and _is_stale(row, outline) and row.attempts < len(STALE_WAITS)
    with transaction.atomic():
        if not CourseSync.objects.filter(pk=row.pk, claim=row.claim).update(claim=row.claim):
            # It took longer than the lease, and somebody else reads the course now.
            return
        changed = _write_tags(row.course_key, wanted, report)
        _finish(row, outline, read_at, stale)
        if changed:
            outbox.append([outbox.Note(TAGS_CHANGED, payload={"course_key": row.course_key})])
    if stale:
        report.stale += 1
    elif outline is None:
        report.deleted += 1
    else:
        report.courses += 1


def _is_stale(row: CourseSync, outline: CourseOutline) -> bool:
    """Say whether what was read is older than what was published.

    Two signs: nothing changed since the last reading although something was published, and the newest
    part of the course is older than the publishing. Either may be wrong (a publishing may take long),
    which costs some readings and no more.
    """
    if row.published_at is None:
        return False
    if row.version and outline.version == row.version:
        return True
    return outline.published_at is not None and outline.published_at < row.published_at - SLACK


def _finish(row: CourseSync, outline: CourseOutline | None, read_at: datetime, stale: bool) -> None:
    now = clock.now()
    unless_marked = None
    if stale:
        unless_marked = now + timedelta(seconds=STALE_WAITS[row.attempts])
        kick_after_commit(SYNC, delay=STALE_WAITS[row.attempts])
    changes = {
        "claim": "",
        "attempts": row.attempts + 1 if stale else 0,
        "last_error": "",
        "synced_at": read_at,
        # What came since it was claimed was perhaps not read: it is due again.
        "due": Case(When(mark=row.mark, then=Value(unless_marked)), default=Value(now)),
        "version": outline.version if outline else "",
        "units": units_of_outline(outline) if outline else [],
    }
    CourseSync.objects.filter(pk=row.pk).update(**changes)
    if not stale:
        CourseSync.objects.filter(pk=row.pk, mark=row.mark).update(published_at=None)


def _write_tags(course_key: str, wanted: Iterable[WantedTag], report: SyncReport) -> bool:
    """Make the stored tags equal to the wanted ones; return whether what assesses has changed."""
    stored = {row.digest: row for row in ContentTag.objects.filter(course_key=course_key)}
    new: list[ContentTag] = []
    changed: list[ContentTag] = []
    for tag in wanted:
        digest = tag.digest(course_key)
        row = stored.pop(digest, None)
        pieces = [list(piece) for piece in tag.pieces]
        if row is None:
            new.append(
                ContentTag(
                    digest=digest,
                    course_key=course_key,
                    source=tag.source,
                    said_by=tag.said_by,
                    usage_key=tag.usage_key,
                    unit=tag.unit,
                    relation=tag.relation,
                    framework=tag.framework,
                    item=tag.item,
                    weight=tag.weight,
                    pieces=pieces,
                )
            )
        elif (row.weight, row.pieces, row.unit) != (tag.weight, pieces, tag.unit):
            row.weight, row.pieces, row.unit = tag.weight, pieces, tag.unit
            changed.append(row)
    gone = [row.pk for row in stored.values()]
    for start in range(0, len(gone), ROWS_PER_STATEMENT):
        ContentTag.objects.filter(pk__in=gone[start : start + ROWS_PER_STATEMENT]).delete()
    ContentTag.objects.bulk_create(new, batch_size=ROWS_PER_STATEMENT)
    if changed:
        ContentTag.objects.bulk_update(changed, ["weight", "pieces", "unit"], batch_size=ROWS_PER_STATEMENT)
    report.added += len(new)
    report.changed += len(changed)
    report.removed += len(gone)
    touched = [*new, *changed, *stored.values()]
    return any(row.relation == ContentTag.Relation.ASSESSES for row in touched)


def count_dirty() -> tuple[int, int]:
    """Return how many courses are due now, and how many could not be read the last time they were."""
    rows = CourseSync.objects.filter(due__isnull=False)
    return rows.filter(due__lte=clock.now()).count(), rows.exclude(last_error="").count()
