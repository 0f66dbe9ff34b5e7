"""The platform port on the sandbox's own tables.

Every call reads the database anew, with a number of queries that does not grow with what is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from completion.models import BlockCompletion
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
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
from sandbox import lms, models
from sandbox.models import (
    Certificate,
    CertificateInvalidation,
    Course,
    Enrollment,
    Grade,
    Unit,
)

Call = TypeVar("Call", bound=Callable[..., Any])
Pair = tuple[int, str]

# The only graded subsection of a sandbox course.
SELF_TEST = "selftest"


def _reads(call: Call) -> Call:
    """Turn a failed read into PlatformUnavailable: it must never look like "there is nothing"."""

    @wraps(call)
    def read(*args, **kwargs):
        try:
            return call(*args, **kwargs)
        except DatabaseError as error:
            raise PlatformUnavailable(type(error).__name__) from error

    return read  # type: ignore[return-value]


class SandboxPlatform:
    """The sandbox LMS as the domain reads it."""

    @_reads
    def read_states(self, queries: Collection[StateQuery]) -> dict[Pair, CourseState]:
        learners = {query.learner_id for query in queries}
        courses = {query.course_key for query in queries}
        certificates = self._certificates(learners, courses) if queries else {}
        graded = [query for query in queries if query.grade or SELF_TEST in query.subsections]
        grades = self._grades(graded) if graded else {}
        completed = [query for query in queries if query.completion]
        completions = self._completions(completed) if completed else {}
        answer = {}
        for query in queries:
            pair = query.learner_id, query.course_key
            grade = grades.get(pair)
            answer[pair] = CourseState(
                certificate=certificates.get(pair),
                grade=grade if query.grade else None,
                completion=completions.get(pair) if query.completion else None,
                subsections={SELF_TEST: grade.percent} if grade and SELF_TEST in query.subsections else {},
            )
        return answer

    @staticmethod
    def _certificates(learners: set[int], courses: set[str]) -> dict[Pair, CertificateState]:
        rows = _certificates().filter(user_id__in=learners, course__course_key__in=courses)
        now = timezone.now()
        return {(row.user_id, row.course.course_key): _certificate_state(row, now) for row in rows}

    @staticmethod
    def _grades(queries: Collection[StateQuery]) -> dict[Pair, GradeState]:
        rows = Grade.objects.filter(
            user_id__in={query.learner_id for query in queries},
            course__course_key__in={query.course_key for query in queries},
        ).values_list("user_id", "course__course_key", "percent", "passed")
        return {(user_id, key): GradeState(percent, passed) for user_id, key, percent, passed in rows}

    @staticmethod
    def _completions(queries: Collection[StateQuery]) -> dict[Pair, CompletionState]:
        keys = {query.course_key for query in queries}
        blocks: dict[str, set[str]] = defaultdict(set)
        for key, block in Unit.objects.filter(course__course_key__in=keys).values_list(
            "course__course_key", "block_key"
        ):
            blocks[key].add(block)
        counts = (
            BlockCompletion.objects.filter(
                user_id__in={query.learner_id for query in queries},
                block_key__in=[block for found in blocks.values() for block in found],
                completion=1.0,
            )
            .values_list("user_id", "context_key")
            .annotate(completed=Count("id"))
            .order_by()
        )
        completed = {(user_id, str(key)): count for user_id, key, count in counts}
        return {
            (query.learner_id, query.course_key): CompletionState(
                completed.get((query.learner_id, query.course_key), 0), len(blocks[query.course_key])
            )
            for query in queries
            if query.course_key in blocks
        }

    @_reads
    def read_block_scores(self, queries: Collection[ScoreQuery]) -> dict[Pair, dict[str, BlockScore]]:
        asked = {(query.learner_id, query.course_key): set(query.blocks) for query in queries}
        found: dict[Pair, dict[str, BlockScore]] = defaultdict(dict)
        if not queries:
            return found
        rows = models.BlockScore.objects.filter(
            user_id__in={query.learner_id for query in queries},
            course__course_key__in={query.course_key for query in queries},
            usage_key__in={block for query in queries for block in query.blocks},
        ).values_list("user_id", "course__course_key", "usage_key", "earned", "possible", "modified")
        for user_id, course_key, usage_key, earned, possible, modified in rows:
            if usage_key in asked.get((user_id, course_key), ()):
                found[user_id, course_key][usage_key] = BlockScore(earned, possible, modified)
        return found

    @_reads
    def read_enrolments(self, learner_ids: Collection[int]) -> dict[int, list[EnrolmentState]]:
        found: dict[int, list[EnrolmentState]] = {learner: [] for learner in learner_ids}
        for row in Enrollment.objects.filter(user_id__in=learner_ids).select_related("course"):
            found[row.user_id].append(
                EnrolmentState(row.course.course_key, row.created, row.mode, row.is_active)
            )
        return found

    @_reads
    def list_certificates(self, course_keys: Collection[str], *, after: int, limit: int) -> CertificatePage:
        keys = Certificate.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
        looked_at = list(keys[:limit])
        highest = Certificate.objects.aggregate(highest=Max("pk"))["highest"] or 0
        if not looked_at:
            return CertificatePage([], after, highest)
        rows = _certificates().filter(
            pk__gt=after, pk__lte=looked_at[-1], course__course_key__in=sorted(course_keys)
        )
        now = timezone.now()
        return CertificatePage(
            [
                ListedCertificate(row.user_id, row.course.course_key, _certificate_state(row, now))
                for row in rows.order_by("pk")
            ],
            after=looked_at[-1],
            highest=highest,
        )

    @_reads
    def list_enrolments(self, course_keys: Collection[str], *, after: int, limit: int) -> EnrolmentPage:
        rows = Enrollment.objects.filter(user_id__gt=after).order_by("user_id", "created")
        looked_at = list(rows.values_list("user_id", flat=True)[:limit])
        if not looked_at:
            return EnrolmentPage([], after, 0)
        last = looked_at[-1]
        learnt = BlockCompletion.objects.filter(user_id__gt=after, user_id__lte=last)
        started = {
            (user_id, str(key)): at
            for user_id, key, at in learnt.values("user_id", "context_key")
            .annotate(earliest=Min("modified"))
            .order_by()
            .values_list("user_id", "context_key", "earliest")
        }
        wanted = rows.filter(user_id__lte=last, course__course_key__in=sorted(course_keys))
        return EnrolmentPage(
            [
                ListedEnrolment(user_id, key, created, started.get((user_id, key)))
                for user_id, key, created in wanted.values_list("user_id", "course__course_key", "created")
            ],
            after=last,
            looked_at=len(looked_at),
        )

    @_reads
    def enrolled_learners(self, course_keys: Collection[str], *, after: int, limit: int) -> list[int]:
        rows = Enrollment.objects.filter(course__course_key__in=course_keys, user_id__gt=after)
        return list(rows.order_by("user_id").values_list("user_id", flat=True).distinct()[:limit])

    @_reads
    def read_courses(self, course_keys: Collection[str]) -> dict[str, CourseSummary]:
        return {
            row.course_key: CourseSummary(
                row.course_key,
                row.organization,
                row.number,
                row.run,
                row.title,
                row.start,
                row.end,
                url=reverse("sandbox:course", urlconf="sandbox.urls", args=[row.course_key]),
                about_url=reverse("sandbox:course", urlconf="sandbox.urls", args=[row.course_key]),
            )
            for row in Course.objects.filter(course_key__in=course_keys)
        }

    @_reads
    def course_runs(self, courses: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {pair: [] for pair in courses}
        rows = Course.objects.filter(
            organization__in={organization for organization, _ in courses},
            number__in={number for _, number in courses},
        ).order_by("course_key")
        for row in rows:
            if (row.organization, row.number) in found:
                found[row.organization, row.number].append(row.course_key)
        return found

    @_reads
    def read_learners(self, learner_ids: Collection[int]) -> dict[int, LearnerProfile]:
        rows = get_user_model().objects.filter(id__in=learner_ids).select_related("profile")
        return {row.id: _profile(row) for row in rows}

    @_reads
    def find_learners(
        self, *, usernames: Collection[str] = (), emails: Collection[str] = ()
    ) -> list[LearnerProfile]:
        if not usernames and not emails:
            return []
        rows = (
            get_user_model()
            .objects.annotate(lower_name=Lower("username"), lower_email=Lower("email"))
            .filter(
                Q(lower_name__in={name.lower() for name in usernames})
                | Q(lower_email__in={email.lower() for email in emails} - {""})
            )
            .select_related("profile")
            .order_by("id")
        )
        return [_profile(row) for row in rows]

    @_reads
    def would_issue_certificate(self, learner_id: int, course_key: str) -> CertificateAnswer:
        course = _course(course_key)
        if course is None:
            return CertificateAnswer(accepted=False, reason="no_such_course")
        reason = lms.refusal_of_certificate(user_id=learner_id, course=course)
        return CertificateAnswer(accepted=not reason, reason=reason)

    @_reads
    def request_certificate(self, learner_id: int, course_key: str) -> CertificateAnswer:
        course = _course(course_key)
        if course is None:
            return CertificateAnswer(accepted=False, reason="no_such_course")
        user = get_user_model().objects.filter(id=learner_id).first()
        if user is None:
            return CertificateAnswer(accepted=False, reason="no_such_learner")
        reason = lms.refusal_of_certificate(user_id=learner_id, course=course)
        if not reason:
            lms.generate_certificate(user=user, course=course)
        return CertificateAnswer(accepted=not reason, reason=reason)

    def allow_certificate(self, learner_id: int, course_key: str) -> bool:
        """There is no list of exceptions here."""
        return False


def _certificates() -> QuerySet[Certificate]:
    invalidations = CertificateInvalidation.objects.filter(certificate=OuterRef("pk"), active=True)
    return Certificate.objects.select_related("course").annotate(invalidated=Exists(invalidations))


def _certificate_state(row: Any, now: datetime) -> CertificateState:
    return CertificateState(
        status=row.status,
        mode=row.mode,
        uuid=row.verify_uuid,
        issued_at=row.created,
        shown=_is_past(row.course.certificates_shown_from, now),
        shown_from=row.course.certificates_shown_from,
        invalidated=row.invalidated,
    )


def _is_past(moment: datetime | None, now: datetime) -> bool:
    return moment is None or moment <= now


def _course(course_key: str) -> Course | None:
    try:
        CourseKey.from_string(course_key)
    except InvalidKeyError:
        return None
    return Course.objects.filter(course_key=course_key).first()


def _profile(user) -> LearnerProfile:
    profile = getattr(user, "profile", None)
    return LearnerProfile(
        user.id,
        user.username,
        user.email,
        (profile and profile.name) or user.get_full_name() or user.username,
        (profile and profile.language) or "",
        user.is_active,
    )
