"""A platform port that computes its answers from the learner's id: processes agree without sharing."""

from datetime import UTC, datetime
from decimal import Decimal

from mooc_microcred.core.platform import (
    BlockScore,
    CertificateAnswer,
    CertificateState,
    CourseState,
    EnrolmentPage,
    EnrolmentState,
    GradeState,
    LearnerProfile,
)

RUN = "course-v1:BENCH+PY101+2026"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
# Learners below this id have a certificate, the others have none.
FIRST_WITHOUT_CERTIFICATE = 10_000_000


class ComputedPlatform:
    """Everybody is enrolled in one run; low ids are certified."""

    def read_states(self, queries):
        return {
            (one.learner_id, one.course_key): CourseState(
                certificate=CertificateState("downloadable", "honor", f"{one.learner_id:032x}", SINCE)
                if one.learner_id < FIRST_WITHOUT_CERTIFICATE
                else None,
                grade=GradeState(Decimal(55), False) if one.grade else None,
            )
            for one in queries
        }

    def read_block_scores(self, queries):
        score = BlockScore(Decimal(4), Decimal(5))
        return {(one.learner_id, one.course_key): dict.fromkeys(one.blocks, score) for one in queries}

    def read_enrolments(self, learner_ids):
        return {learner: [EnrolmentState(RUN, SINCE, "honor")] for learner in learner_ids}

    def enrolled_learners(self, course_keys, *, after, limit):
        return range(after + 1, after + 1 + limit)

    def list_enrolments(self, course_keys, *, after, limit):
        # Nobody counts whom it makes up: the walk over everybody would not end.
        return EnrolmentPage([], after, 0)

    def read_courses(self, course_keys):
        return {}

    def course_runs(self, courses):
        return {course: [RUN] for course in courses}

    def read_learners(self, learner_ids):
        return {one: LearnerProfile(one, f"l{one}", f"l{one}@example.com", f"L {one}") for one in learner_ids}

    def find_learners(self, *, usernames=(), emails=()):
        return []

    def would_issue_certificate(self, learner_id, course_key):
        return CertificateAnswer(accepted=True)

    def request_certificate(self, learner_id, course_key):
        return CertificateAnswer(accepted=True)

    def allow_certificate(self, learner_id, course_key):
        return False
