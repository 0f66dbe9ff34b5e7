"""Real openedx-events with what edx-platform puts into them: of a course, the key only."""

from __future__ import annotations

from datetime import UTC, datetime

from opaque_keys.edx.keys import CourseKey, UsageKey
from openedx_events.content_authoring import signals as authoring
from openedx_events.content_authoring.data import CourseCatalogData, CourseScheduleData
from openedx_events.content_authoring.data import CourseData as AuthoredCourseData
from openedx_events.learning import signals
from openedx_events.learning.data import (
    CcxCourseData,
    CcxCoursePassingStatusData,
    CertificateData,
    CourseData,
    CourseEnrollmentData,
    CoursePassingStatusData,
    ExamAttemptData,
    PersistentCourseGradeData,
    UserData,
    UserPersonalData,
)

AT = datetime(2026, 6, 1, tzinfo=UTC)


def user(learner_id: int) -> UserData:
    return UserData(
        id=learner_id,
        is_active=True,
        pii=UserPersonalData(
            username=f"learner{learner_id}", email=f"learner{learner_id}@example.com", name="สมชาย ใจดี"
        ),
    )


def course(course_key: str) -> CourseData:
    return CourseData(course_key=CourseKey.from_string(course_key))


def certificate(learner_id: int, course_key: str, status: str = "downloadable") -> CertificateData:
    return CertificateData(
        user=user(learner_id),
        course=course(course_key),
        mode="honor",
        grade="0.8",
        download_url="",
        name="สมชาย ใจดี",
        current_status=status,
    )


def send_certificate_created(learner_id: int, course_key: str):
    return signals.CERTIFICATE_CREATED.send_event(certificate=certificate(learner_id, course_key))


def send_certificate_changed(learner_id: int, course_key: str):
    return signals.CERTIFICATE_CHANGED.send_event(certificate=certificate(learner_id, course_key))


def send_certificate_revoked(learner_id: int, course_key: str):
    return signals.CERTIFICATE_REVOKED.send_event(
        certificate=certificate(learner_id, course_key, "notpassing")
    )


def send_passing_status(learner_id: int, course_key: str):
    return signals.COURSE_PASSING_STATUS_UPDATED.send_event(
        course_passing_status=CoursePassingStatusData(
            is_passing=True, course=course(course_key), user=user(learner_id)
        )
    )


def send_ccx_passing_status(learner_id: int, course_key: str):
    key = CourseKey.from_string(course_key)
    return signals.CCX_COURSE_PASSING_STATUS_UPDATED.send_event(
        course_passing_status=CcxCoursePassingStatusData(
            is_passing=True,
            course=CcxCourseData(ccx_course_key=key, master_course_key=key.to_course_locator()),
            user=user(learner_id),
        )
    )


def send_grade_summary(learner_id: int, course_key: str):
    return signals.PERSISTENT_GRADE_SUMMARY_CHANGED.send_event(
        grade=PersistentCourseGradeData(
            user_id=learner_id,
            course=course(course_key),
            course_edited_timestamp=AT,
            course_version="",
            grading_policy_hash="h",
            percent_grade=0.4,
            letter_grade="",
            passed_timestamp=None,
        )
    )


def send_subsection_grade(learner_id: int, course_key: str):
    """Send PERSISTENT_SUBSECTION_GRADE_CHANGED, of releases of openedx-events after 11.2."""
    signal = signals.PERSISTENT_SUBSECTION_GRADE_CHANGED
    return signal.send_event(
        grade=signal.init_data["grade"](
            user_id=learner_id,
            course=course(course_key),
            subsection_edited_timestamp=AT,
            grading_policy_hash="h",
            usage_key=CourseKey.from_string(course_key).make_usage_key("sequential", "quiz"),
            weighted_graded_earned=1.0,
            weighted_graded_possible=2.0,
            weighted_total_earned=1.0,
            weighted_total_possible=2.0,
            first_attempted=AT,
            visible_blocks=[],
            visible_blocks_hash="h",
        )
    )


def send_enrollment(learner_id: int, course_key: str):
    return signals.COURSE_ENROLLMENT_CREATED.send_event(
        enrollment=CourseEnrollmentData(
            user=user(learner_id),
            course=course(course_key),
            mode="honor",
            is_active=True,
            creation_date=AT,
        )
    )


def send_exam_attempt(learner_id: int, course_key: str, name: str = "EXAM_ATTEMPT_VERIFIED"):
    key = CourseKey.from_string(course_key)
    return getattr(signals, name).send_event(
        exam_attempt=ExamAttemptData(
            student_user=user(learner_id),
            course_key=key,
            usage_key=UsageKey.from_string(
                f"block-v1:{key.org}+{key.course}+{key.run}+type@sequential+block@x"
            ),
            exam_type="proctored",
        )
    )


def send_rerun_completed(course_key: str):
    return authoring.COURSE_RERUN_COMPLETED.send_event(
        course=AuthoredCourseData(course_key=CourseKey.from_string(course_key))
    )


def send_catalog_info_changed(course_key: str):
    return authoring.COURSE_CATALOG_INFO_CHANGED.send_event(
        catalog_info=CourseCatalogData(
            course_key=CourseKey.from_string(course_key),
            name="Python",
            schedule_data=CourseScheduleData(
                start=AT, pacing="self", end=None, enrollment_start=None, enrollment_end=None
            ),
            hidden=False,
        )
    )


#: Every event that concerns a learner in a course, as functions of (user id, course key).
LEARNER_EVENTS = [
    send_certificate_created,
    send_certificate_changed,
    send_certificate_revoked,
    send_passing_status,
    send_grade_summary,
    send_enrollment,
    send_exam_attempt,
]
