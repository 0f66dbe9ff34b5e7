"""The platform port in memory: the truth that tests set, read the way the domain reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

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


class MemoryPlatform:
    """A platform whose state is set by a test.

    Attributes:
        away: set it, and every read raises PlatformUnavailable.
        unreadable: learners whose state cannot be read.
        reads: number of calls of read_states, for asserting bulk reads.
        asked: the (learner, run) pairs for which a certificate was requested, in order.
        refusals: reason by (learner, run) for which would_issue_certificate says no.
        prevented: (learner, run) pairs for which only asking brings out a refusal.
        allowed: the (learner, run) pairs on the list of exceptions.
    """

    def __init__(self):
        self.reset()

    def reset(self):
        self.away = False
        self.unreadable: set[int] = set()
        self.reads = 0
        self.completion_reads = 0
        self.asked: list[tuple[int, str]] = []
        self.refusals: dict[tuple[int, str], str] = {}
        self.prevented: set[tuple[int, str]] = set()
        self.allowed: set[tuple[int, str]] = set()
        self.score_reads = 0
        self.scores: dict[tuple[int, str], dict[str, BlockScore]] = defaultdict(dict)
        self.states: dict[tuple[int, str], CourseState] = {}
        self.enrolments: dict[int, dict[str, EnrolmentState]] = defaultdict(dict)
        self.courses: dict[str, CourseSummary] = {}
        self.learners: dict[int, LearnerProfile] = {}
        self.certificate_keys: dict[tuple[int, str], int] = {}
        self.started: dict[tuple[int, str], datetime] = {}

    # --- what a test sets ---

    def add_course(self, course_key: str, title: str = "") -> str:
        key = CourseKey.from_string(course_key)
        self.courses[course_key] = CourseSummary(
            course_key,
            key.org,
            key.course,
            key.run,
            title or key.course,
            url=f"https://lms.example/courses/{course_key}/home",
            about_url=f"https://lms.example/courses/{course_key}/about",
        )
        return course_key

    def add_learner(self, learner_id: int, name: str = "", username: str = "", email: str = "") -> int:
        self.learners[learner_id] = LearnerProfile(
            learner_id,
            username or f"learner{learner_id}",
            email or f"learner{learner_id}@example.com",
            name or f"Learner {learner_id}",
        )
        return learner_id

    def enrol(self, learner_id: int, course_key: str, since: datetime | None = None, mode: str = "honor"):
        self.add_course(course_key)
        if learner_id not in self.learners:
            self.add_learner(learner_id)
        self.enrolments[learner_id][course_key] = EnrolmentState(
            course_key, since or datetime(2026, 1, 1, tzinfo=UTC), mode
        )

    def _change(self, learner_id: int, course_key: str, **changes):
        if course_key not in self.enrolments[learner_id]:
            self.enrol(learner_id, course_key)
        state = self.states.get((learner_id, course_key), CourseState())
        self.states[learner_id, course_key] = replace(state, **changes)

    def certify(self, learner_id: int, course_key: str, status: str = "downloadable", **fields):
        before = self.states.get((learner_id, course_key), CourseState()).certificate
        certificate = (
            replace(before, status=status, **fields)
            if before
            else CertificateState(
                status=status,
                mode="honor",
                uuid=uuid4().hex,
                issued_at=datetime(2026, 6, 1, tzinfo=UTC),
                **fields,
            )
        )
        self._change(learner_id, course_key, certificate=certificate)
        self.certificate_keys.setdefault((learner_id, course_key), len(self.certificate_keys) + 1)

    def grade(self, learner_id: int, course_key: str, percent, passed: bool | None = None):
        percent = Decimal(str(percent))
        self._change(
            learner_id, course_key, grade=GradeState(percent, percent >= 60 if passed is None else passed)
        )

    def complete(
        self, learner_id: int, course_key: str, completed: int, total: int, at: datetime | None = None
    ):
        if completed:
            self.started.setdefault((learner_id, course_key), at or datetime(2026, 1, 2, tzinfo=UTC))
        self._change(learner_id, course_key, completion=CompletionState(completed, total))

    def grade_subsection(self, learner_id: int, course_key: str, block: str, percent):
        state = self.states.get((learner_id, course_key), CourseState())
        self._change(learner_id, course_key, subsections={**state.subsections, block: Decimal(str(percent))})

    def score(self, learner_id: int, course_key: str, block: str, earned, possible=1, at=None):
        """Set the score of a block or subsection; ``earned`` None takes it away."""
        if course_key not in self.enrolments[learner_id]:
            self.enrol(learner_id, course_key)
        if earned is None:
            self.scores[learner_id, course_key].pop(block, None)
        else:
            score = BlockScore(Decimal(str(earned)), Decimal(str(possible)), at)
            self.scores[learner_id, course_key][block] = score

    # --- the port ---

    def _answer(self):
        if self.away:
            raise PlatformUnavailable("away")

    def read_states(self, queries: Collection[StateQuery]):
        self._answer()
        self.reads += 1
        if self.unreadable & {query.learner_id for query in queries}:
            raise PlatformUnavailable("a course of theirs is broken")
        answer = {}
        for query in queries:
            state = self.states.get((query.learner_id, query.course_key), CourseState())
            self.completion_reads += query.completion
            answer[query.learner_id, query.course_key] = replace(
                state,
                grade=state.grade if query.grade else None,
                completion=state.completion if query.completion else None,
                subsections={
                    block: state.subsections[block]
                    for block in query.subsections
                    if block in state.subsections
                },
            )
        return answer

    def read_block_scores(self, queries: Collection[ScoreQuery]):
        self._answer()
        self.score_reads += 1
        if self.unreadable & {query.learner_id for query in queries}:
            raise PlatformUnavailable("a course of theirs is broken")
        return {
            (query.learner_id, query.course_key): {
                block: score
                for block, score in self.scores.get((query.learner_id, query.course_key), {}).items()
                if block in query.blocks
            }
            for query in queries
        }

    def read_enrolments(self, learner_ids):
        self._answer()
        return {learner: list(self.enrolments.get(learner, {}).values()) for learner in learner_ids}

    def list_certificates(self, course_keys, *, after, limit):
        self._answer()
        by_key = sorted((key, pair) for pair, key in self.certificate_keys.items())
        looked_at = [(key, pair) for key, pair in by_key if key > after][:limit]
        return CertificatePage(
            [
                ListedCertificate(*pair, self.states[pair].certificate)
                for _, pair in looked_at
                if pair[1] in course_keys
            ],
            after=looked_at[-1][0] if looked_at else after,
            highest=max(self.certificate_keys.values(), default=0),
        )

    def list_enrolments(self, course_keys, *, after, limit):
        self._answer()
        looked_at, found, last = 0, [], after
        for learner in sorted(one for one in self.enrolments if one > after and self.enrolments[one]):
            if looked_at >= limit:
                break
            last = learner
            looked_at += len(self.enrolments[learner])
            found += [
                ListedEnrolment(learner, key, one.since, self.started.get((learner, key)))
                for key, one in self.enrolments[learner].items()
                if key in course_keys
            ]
        return EnrolmentPage(found, last, looked_at)

    def enrolled_learners(self, course_keys, *, after, limit):
        self._answer()
        found = sorted(
            learner
            for learner, enrolments in self.enrolments.items()
            if learner > after and not set(course_keys).isdisjoint(enrolments)
        )
        return found[:limit]

    def read_courses(self, course_keys):
        self._answer()
        return {key: self.courses[key] for key in course_keys if key in self.courses}

    def course_runs(self, courses):
        self._answer()
        return {
            (organization, number): [
                one.course_key
                for one in self.courses.values()
                if (one.organization, one.number) == (organization, number)
            ]
            for organization, number in courses
        }

    def read_learners(self, learner_ids):
        self._answer()
        return {learner: self.learners[learner] for learner in learner_ids if learner in self.learners}

    def find_learners(self, *, usernames=(), emails=()):
        self._answer()
        usernames = {name.lower() for name in usernames}
        emails = {email.lower() for email in emails}
        return [
            one
            for one in self.learners.values()
            if one.username.lower() in usernames or one.email.lower() in emails
        ]

    def would_issue_certificate(self, learner_id, course_key):
        self._answer()
        reason = self.refusals.get((learner_id, course_key), "")
        grade = self.states.get((learner_id, course_key), CourseState()).grade
        if not reason and grade is not None and not grade.passed:
            reason = "" if (learner_id, course_key) in self.allowed else "not_passing"
        return CertificateAnswer(accepted=not reason, reason=reason)

    def request_certificate(self, learner_id, course_key):
        answer = self.would_issue_certificate(learner_id, course_key)
        if not answer.accepted:
            return answer
        self.asked.append((learner_id, course_key))
        if (learner_id, course_key) in self.prevented:
            return CertificateAnswer(accepted=False, reason="prevented")
        return answer

    def allow_certificate(self, learner_id, course_key):
        self._answer()
        self.allowed.add((learner_id, course_key))
        self.refusals.pop((learner_id, course_key), None)
        return True


the_platform = MemoryPlatform()
