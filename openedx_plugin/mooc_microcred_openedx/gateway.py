"""The platform port for edx-platform: the tables that the platform itself reads, in bulk.

What is cached per request is forgotten before each read of a worker or a command: they live for
hours, and the platform clears its request caches between tasks only. A web request begins with
empty ones, and the platform's own code in it goes on using what it has put there. Every read is a
constant number of queries, whatever the number of learners and runs; only the completion of a
learner who may have reached what is asked for is read one by one, since the platform has no other
way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import wraps
from hashlib import blake2b
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Max, Q
from django.db.models.functions import Lower
from django.utils import timezone
from edx_django_utils.cache import RequestCache
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from mooc_microcred.core.platform import (
    BlockScore,
    CertificateAnswer,
    CertificatePage,
    CertificateState,
    CompletionState,
    CourseState,
    CourseSummary,
    EnrolmentPage,
    EnrolmentState,
    GradeState,
    LearnerProfile,
    ListedCertificate,
    ListedEnrolment,
    PlatformUnavailable,
    ScoreQuery,
    StateQuery,
)
from mooc_microcred_openedx import compat, scores

log = logging.getLogger(__name__)

Pair = tuple[int, str]
Call = TypeVar("Call", bound=Callable[..., Any])

# Ids in one IN list.
CHUNK = 1000
# A learner's completion is read again after this, even if it cannot have reached what is asked for:
# the units open to a learner may become fewer, which no completed block tells.
COMPLETION_TRUST = timedelta(minutes=10)
# What the clocks of the platform's machines may differ by.
CLOCK_SKEW = timedelta(minutes=1)
# Enrolments of the platform's first years have no date.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _reads(call: Call) -> Call:
    """Read the present, and turn whatever fails into PlatformUnavailable: it must not look like "nothing"."""

    @wraps(call)
    def read(*args, **kwargs):
        if compat.current_request() is None:
            RequestCache.clear_all_namespaces()
        try:
            return call(*args, **kwargs)
        except PlatformUnavailable:
            raise
        except Exception as error:
            log.exception("gateway: %s failed", call.__name__)
            raise PlatformUnavailable(type(error).__name__) from error

    return read  # type: ignore[return-value]


def _key(course_key: str) -> CourseKey | None:
    try:
        return CourseKey.from_string(course_key)
    except InvalidKeyError:
        return None


def _keys(course_keys: Collection[str]) -> list[CourseKey]:
    return [key for key in map(_key, sorted(set(course_keys))) if key is not None]


def _chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


class EdxPlatform:
    """edx-platform as the domain reads it; works in the LMS and its workers only."""

    # --- states ---

    @_reads
    def read_states(self, queries: Collection[StateQuery]) -> dict[Pair, CourseState]:
        """Read the present truth of many learners in many runs."""
        if not queries:
            return {}
        overviews = _overviews({query.course_key for query in queries})
        certificates = _certificates(queries, overviews)
        graded = [query for query in queries if query.grade]
        grades = _grades(graded) if graded else {}
        measured = [query for query in queries if query.completion and query.course_key in overviews]
        completions = _Completions(measured, overviews).read() if measured else {}
        parts = [query for query in queries if query.subsections]
        subsections = _subsections(parts) if parts else {}
        answer = {}
        for query in queries:
            pair = query.learner_id, query.course_key
            answer[pair] = CourseState(
                certificate=certificates.get(pair),
                grade=grades.get(pair),
                completion=completions.get(pair),
                subsections=subsections.get(pair, {}),
            )
        return answer

    @_reads
    def read_block_scores(self, queries: Collection[ScoreQuery]) -> dict[Pair, dict[str, BlockScore]]:
        """Return the scores that learners have, by (learner, run) and usage key."""
        return scores.read_block_scores(queries)

    # --- enrolments and courses ---

    @_reads
    def read_enrolments(self, learner_ids: Collection[int]) -> dict[int, list[EnrolmentState]]:
        """Return all enrolments of each learner, also inactive ones."""
        found: dict[int, list[EnrolmentState]] = {learner: [] for learner in learner_ids}
        for ids in _chunks(learner_ids):
            rows = compat.course_enrollment().objects.filter(user_id__in=ids).order_by("user_id", "created")
            for user_id, key, created, mode, active in rows.values_list(
                "user_id", "course_id", "created", "mode", "is_active"
            ):
                found[user_id].append(EnrolmentState(str(key), created or _LONG_AGO, mode, active))
        return found

    @_reads
    def list_certificates(self, course_keys: Collection[str], *, after: int, limit: int) -> CertificatePage:
        """Look at the next ``limit`` certificates above key ``after``, and return those of the runs."""
        table = compat.generated_certificate().objects
        looked_at = list(table.filter(id__gt=after).order_by("id").values_list("id", flat=True)[:limit])
        highest = table.aggregate(highest=Max("id"))["highest"] or 0
        keys = _keys(course_keys)
        if not looked_at or not keys:
            return CertificatePage([], looked_at[-1] if looked_at else after, highest)
        rows = list(
            table.filter(id__gt=after, id__lte=looked_at[-1], course_id__in=keys)
            .order_by("id")
            .values_list("id", "user_id", "course_id", "status", "mode", "verify_uuid", "created_date")
        )
        overviews = _overviews({str(row[2]) for row in rows})
        states = _certificate_states(rows, overviews)
        return CertificatePage(
            [ListedCertificate(*pair, state) for pair, state in states.items()],
            after=looked_at[-1],
            highest=highest,
        )

    @_reads
    def list_enrolments(self, course_keys: Collection[str], *, after: int, limit: int) -> EnrolmentPage:
        """Look at the enrolments of the next learners above ``after``, and return those in the runs."""
        # The platform's unique index on (user, course) leads from learner to learner.
        table = compat.course_enrollment().objects.filter(user_id__gt=after)
        looked_at = list(table.order_by("user_id").values_list("user_id", flat=True)[:limit])
        keys = _keys(course_keys)
        if not looked_at or not keys:
            return EnrolmentPage([], looked_at[-1] if looked_at else after, len(looked_at))
        last = looked_at[-1]
        started = {
            (user_id, str(key)): at
            for user_id, key, at in compat.first_completions(keys, after=after, last=last)
        }
        rows = table.filter(user_id__lte=last, course_id__in=keys).order_by("user_id", "created")
        return EnrolmentPage(
            [
                ListedEnrolment(user_id, str(key), created or _LONG_AGO, started.get((user_id, str(key))))
                for user_id, key, created in rows.values_list("user_id", "course_id", "created")
            ],
            after=last,
            looked_at=len(looked_at),
        )

    @_reads
    def enrolled_learners(self, course_keys: Collection[str], *, after: int, limit: int) -> list[int]:
        """Return up to ``limit`` ids of learners ever enrolled in the runs, ascending, above ``after``."""
        keys = _keys(course_keys)
        if not keys:
            return []
        rows = compat.course_enrollment().objects.filter(course_id__in=keys, user_id__gt=after)
        return list(rows.order_by("user_id").values_list("user_id", flat=True).distinct()[:limit])

    @_reads
    def read_courses(self, course_keys: Collection[str]) -> dict[str, CourseSummary]:
        """Return the runs that exist."""
        return {
            course_key: CourseSummary(
                course_key,
                overview.id.org,
                overview.id.course,
                overview.id.run,
                overview.display_name or overview.id.course,
                overview.start,
                overview.end,
                url=compat.course_url(overview.id),
                about_url=compat.course_about_url(overview),
            )
            for course_key, overview in _overviews(course_keys).items()
        }

    @_reads
    def course_runs(self, courses: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
        """Return the runs of each (organisation, course number)."""
        found: dict[tuple[str, str], list[str]] = {course: [] for course in courses}
        if not courses:
            return found
        # The number is part of the key only; an organisation has tens of runs, not thousands.
        keys = (
            compat.course_overview()
            .objects.filter(org__in=sorted({organization for organization, _ in courses}))
            .values_list("id", flat=True)
        )
        for key in sorted(keys, key=str):
            if (key.org, key.course) in found:
                found[key.org, key.course].append(str(key))
        return found

    # --- learners ---

    @_reads
    def read_learners(self, learner_ids: Collection[int]) -> dict[int, LearnerProfile]:
        """Return the profiles of those learners who exist."""
        users = get_user_model().objects.select_related("profile")
        found: dict[int, LearnerProfile] = {}
        for ids in _chunks(learner_ids):
            found |= _profiles(list(users.filter(id__in=ids)))
        return found

    @_reads
    def find_learners(
        self, *, usernames: Collection[str] = (), emails: Collection[str] = ()
    ) -> list[LearnerProfile]:
        """Return the learners with one of the user names or e-mail addresses (case-insensitive)."""
        users: dict[int, Any] = {}
        for field, wanted in (("username", usernames), ("email", emails)):
            folded = {value.casefold() for value in wanted} - {""}
            for values in _chunks(folded):
                # One index each: MySQL uses none for a condition with OR.
                for user in _where_folded(field, values):
                    # The database's collation may also take an accented letter for the plain one.
                    if getattr(user, field).casefold() in folded:
                        users[user.pk] = user
        return list(_profiles([users[pk] for pk in sorted(users)]).values())

    # --- certificates on request ---

    @_reads
    def would_issue_certificate(self, learner_id: int, course_key: str) -> CertificateAnswer:
        """Say, without side effect, whether the platform would issue a certificate if asked."""
        reason = _refusal(learner_id, course_key)
        return CertificateAnswer(accepted=not reason, reason=reason)

    @_reads
    def request_certificate(self, learner_id: int, course_key: str) -> CertificateAnswer:
        """Ask the platform for a certificate, unless it would refuse; its event reports the outcome later."""
        reason = _refusal(learner_id, course_key)
        if not reason:
            user = get_user_model().objects.get(id=learner_id)
            reason = compat.generate_certificate_task(user, CourseKey.from_string(course_key))
        return CertificateAnswer(accepted=not reason, reason=reason)

    @_reads
    def allow_certificate(self, learner_id: int, course_key: str) -> bool:
        """Put a learner on the platform's allowlist for a run."""
        user = get_user_model().objects.get(id=learner_id)
        notes = "mooc-microcred: the criteria of the achievement are met (ALLOWLIST_COURSES)"
        compat.allow_certificate(user, CourseKey.from_string(course_key), notes)
        return True


# --- certificates and grades ---


def _overviews(course_keys: Collection[str]) -> dict[str, Any]:
    """Return the runs that exist, by key as text."""
    keys = _keys(course_keys)
    rows = compat.course_overview().objects.filter(id__in=keys) if keys else ()
    return {str(overview.id): overview for overview in rows}


def _pairs_filter(queries: Collection[StateQuery]) -> dict[str, list[Any]]:
    """Return the filter that finds at least the rows of the queries' learners and runs."""
    return {
        "user_id__in": sorted({query.learner_id for query in queries}),
        "course_id__in": _keys({query.course_key for query in queries}),
    }


def _certificates(
    queries: Collection[StateQuery], overviews: Mapping[str, Any]
) -> dict[Pair, CertificateState]:
    rows = list(
        compat.generated_certificate()
        .objects.filter(**_pairs_filter(queries))
        .values_list("id", "user_id", "course_id", "status", "mode", "verify_uuid", "created_date")
    )
    return _certificate_states(rows, overviews)


def _certificate_states(
    rows: Sequence[tuple[Any, ...]], overviews: Mapping[str, Any]
) -> dict[Pair, CertificateState]:
    """Return the certificates of rows (id, user, run, status, mode, verification id, created)."""
    if not rows:
        return {}
    invalidated = set(
        compat.certificate_invalidation()
        .objects.filter(active=True, generated_certificate_id__in=[row[0] for row in rows])
        .values_list("generated_certificate_id", flat=True)
    )
    shown = {key: _shown(overview) for key, overview in overviews.items()}
    answer = {}
    for pk, user_id, key, status, mode, uuid, created in rows:
        is_shown, shown_from = shown.get(str(key), (False, None))
        answer[user_id, str(key)] = CertificateState(
            status=status,
            mode=mode,
            uuid=uuid,
            issued_at=created,
            shown=is_shown,
            shown_from=shown_from,
            invalidated=pk in invalidated,
        )
    return answer


def _shown(overview: Any) -> tuple[bool, datetime | None]:
    """Say whether the certificates of a run are shown now, and from when."""
    if compat.certificates_viewable_for_course(overview):
        return True, None
    behaviours = compat.display_behaviours()
    dates = {
        behaviours.END_WITH_DATE: overview.certificate_available_date,
        behaviours.END: overview.end,
    }
    return False, dates.get(overview.certificates_display_behavior)


def _grades(queries: Collection[StateQuery]) -> dict[Pair, GradeState]:
    """Read the stored grades; ``PersistentCourseGrade.read`` would trust its prefetch."""
    rows = compat.persistent_course_grade().objects.filter(**_pairs_filter(queries))
    asked = {(query.learner_id, query.course_key) for query in queries}
    return {
        (user_id, str(key)): GradeState(_percent(percent, 1), letter != "")
        for user_id, key, percent, letter in rows.values_list(
            "user_id", "course_id", "percent_grade", "letter_grade"
        )
        if (user_id, str(key)) in asked
    }


def _percent(earned: float, possible: float) -> Decimal:
    return (Decimal(str(earned)) * 100 / Decimal(str(possible))).quantize(Decimal("0.01"))


def _subsections(queries: Collection[StateQuery]) -> dict[Pair, dict[str, Decimal]]:
    """Read the stored grades of subsections, as overridden by staff."""
    usage_keys: dict[Any, str] = {}
    for query in queries:
        key = _key(query.course_key)
        if key is not None:
            usage_keys |= {key.make_usage_key("sequential", block): block for block in query.subsections}
    rows = (
        compat.persistent_subsection_grade()
        .objects.filter(**_pairs_filter(queries), usage_key__in=list(usage_keys))
        .select_related("override")
    )
    asked = {(query.learner_id, query.course_key): query.subsections for query in queries}
    answer: dict[Pair, dict[str, Decimal]] = {}
    for row in rows:
        pair = row.user_id, str(row.course_id)
        block = row.full_usage_key.block_id
        earned, possible = _points(row)
        if possible and block in asked.get(pair, ()):
            answer.setdefault(pair, {})[block] = _percent(earned, possible)
    return answer


def _points(row: Any) -> tuple[float, float]:
    """Return points earned and possible of a subsection, the override's where there is one."""
    override = getattr(row, "override", None)
    earned, possible = row.earned_graded, row.possible_graded
    if override is not None:
        if override.earned_graded_override is not None:
            earned = override.earned_graded_override
        if override.possible_graded_override is not None:
            possible = override.possible_graded_override
    return earned, possible


# --- completion ---


@dataclass(frozen=True, slots=True)
class _Counted:
    """Blocks that a learner has completed in a run: all of them, and those of the last minutes."""

    blocks: int = 0
    recent: int = 0


class _Completions:
    """The completion of learners in runs: counted where that decides, read from the block tree where not.

    A learner without a completed block has no complete unit. A learner whose tree was walked a
    few minutes ago has completed at most one more unit for each block completed since.
    """

    def __init__(self, queries: Sequence[StateQuery], overviews: Mapping[str, Any]):
        self.queries = queries
        self.cache_keys = {
            (query.learner_id, query.course_key): self._cache_key(query, overviews[query.course_key])
            for query in queries
        }

    @staticmethod
    def _cache_key(query: StateQuery, overview: Any) -> str:
        # A published change of the course changes the overview, and what was counted before is void.
        parts = f"{query.learner_id} {query.course_key} {overview.modified.isoformat()}"
        return f"mooc_microcred.units.{blake2b(parts.encode(), digest_size=16).hexdigest()}"

    def read(self) -> dict[Pair, CompletionState]:
        counted = self._count()
        walked = self._walked()
        answer: dict[Pair, CompletionState] = {}
        to_walk = []
        for query in self.queries:
            pair = query.learner_id, query.course_key
            state = self._bound(query, counted.get(pair, _Counted()), walked.get(pair))
            if state is None:
                to_walk.append(query)
            else:
                answer[pair] = state
        return answer | self._walk(to_walk)

    def _count(self) -> dict[Pair, _Counted]:
        since = timezone.now() - COMPLETION_TRUST - CLOCK_SKEW
        rows = (
            compat.block_completion()
            .objects.filter(
                user_id__in=sorted({query.learner_id for query in self.queries}),
                context_key__in=_keys({query.course_key for query in self.queries}),
                completion=1.0,
            )
            .values_list("user_id", "context_key")
            .annotate(blocks=Count("id"), recent=Count("id", filter=Q(modified__gte=since)))
            .order_by()
        )
        return {(user_id, str(key)): _Counted(blocks, recent) for user_id, key, blocks, recent in rows}

    def _walked(self) -> dict[Pair, CompletionState]:
        """Return what the last walks found, where they are young enough."""
        found = cache.get_many(list(self.cache_keys.values()))
        return {
            pair: CompletionState(*found[cache_key])
            for pair, cache_key in self.cache_keys.items()
            if cache_key in found
        }

    @staticmethod
    def _bound(
        query: StateQuery, counted: _Counted, walked: CompletionState | None
    ) -> CompletionState | None:
        """Return the most that a learner may have completed if it is less than is asked for, else None."""
        if counted.blocks == 0 and (walked or query.completion_floor >= 0):
            return CompletionState(0, walked.total if walked else 0)
        if walked is None or not walked.total:
            return None
        most = CompletionState(min(walked.completed + counted.recent, walked.total), walked.total)
        return most if most.percent < query.completion_floor else None

    def _walk(self, queries: Sequence[StateQuery]) -> dict[Pair, CompletionState]:
        if not queries:
            return {}
        users = get_user_model().objects.in_bulk({query.learner_id for query in queries})
        found: dict[Pair, CompletionState] = {}
        for query in queries:
            user = users.get(query.learner_id)
            if user is None:
                continue
            summary = compat.completion_summary(CourseKey.from_string(query.course_key), user)
            if summary is None:
                continue
            completed = summary["complete_count"]
            found[query.learner_id, query.course_key] = CompletionState(
                completed, completed + summary["incomplete_count"]
            )
        cache.set_many(
            {self.cache_keys[pair]: (one.completed, one.total) for pair, one in found.items()},
            timeout=COMPLETION_TRUST.total_seconds(),
        )
        return found


# --- learners ---


def _where_folded(field: str, values: Collection[str]) -> Any:
    users = get_user_model().objects.select_related("profile")
    if connection.vendor == "mysql":
        # The platform's collation compares without case; a function would forgo the index.
        return users.filter(**{f"{field}__in": values})
    return users.annotate(folded=Lower(field)).filter(folded__in=values)


def _profiles(users: Sequence[Any]) -> dict[int, LearnerProfile]:
    ids = [user.pk for user in users]
    if not ids:
        return {}
    names = _verified_names(ids)
    languages = compat.languages(ids)
    return {
        user.pk: LearnerProfile(
            user.pk,
            user.username,
            user.email,
            names.get(user.pk) or _profile_name(user) or user.username,
            languages.get(user.pk, ""),
            user.is_active,
            _profile_name(user),
        )
        for user in users
    }


def _profile_name(user: Any) -> str:
    # Not every account has a profile: those made by a command do not.
    profile = getattr(user, "profile", None)
    return (profile.name if profile else "") or user.get_full_name()


def _verified_names(user_ids: Collection[int]) -> dict[int, str]:
    """Return the newest approved name of each learner, where name affirmation is installed."""
    model = compat.verified_name()
    if model is None:
        return {}
    rows = model.objects.filter(user_id__in=user_ids, status="approved").order_by("created", "id")
    return dict(rows.values_list("user_id", "verified_name"))


# --- whether a certificate would be issued ---


def _refusal(learner_id: int, course_key: str) -> str:
    """Return a code of why the platform would refuse a certificate; empty if it would not.

    The codes come from the conditions of ``certificates/generation_handler.py``; its own checks
    have the last word, so that a condition that a release adds is not overlooked.
    """
    user = get_user_model().objects.filter(id=learner_id).first()
    if user is None:
        return "no_such_learner"
    overview = _overviews([course_key]).get(course_key)
    key = _key(course_key)
    if overview is None or key is None:
        return "no_such_course"
    if not compat.has_html_certificates_enabled(overview):
        return "certificates_disabled"
    mode, _ = compat.course_enrollment().enrollment_mode_for_user(user, key)
    if mode is None:
        return "not_enrolled"
    if not compat.is_eligible_for_certificate(mode):
        return "mode"
    if _is_invalidated(learner_id, key):
        return "invalidated"
    if compat.needs_verified_identity(user, mode):
        return "identity"
    allowlisted = compat.is_on_allowlist(user, key)
    if not allowlisted:
        if hasattr(key, "ccx"):
            return "ccx"
        if compat.is_beta_tester(user, key):
            return "beta_tester"
        grade = _grades([StateQuery(learner_id, course_key, grade=True)]).get((learner_id, course_key))
        if grade is None or not grade.passed:
            return "not_passing"
    return "" if compat.can_generate_certificate(user, key, mode, allowlisted=allowlisted) else "refused"


def _is_invalidated(learner_id: int, key: CourseKey) -> bool:
    return (
        compat.certificate_invalidation()
        .objects.filter(
            active=True,
            generated_certificate__user_id=learner_id,
            generated_certificate__course_id=key,
        )
        .exists()
    )
