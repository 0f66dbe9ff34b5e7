"""The events of the stand-in, with exactly what edx-platform puts into them and nothing more.

Of a course only ``course_key`` is filled (enrolments also carry its title and dates); ``previous_status``
is never set; a certificate's grade is text; ``passed_timestamp`` is None until the first pass.
"""

from __future__ import annotations

from hashlib import sha256

from openedx_events.learning import data, signals


def _user(user, name: str) -> data.UserData:
    return data.UserData(
        pii=data.UserPersonalData(username=user.username, email=user.email, name=name),
        id=user.id,
        is_active=user.is_active,
    )


def _profile_name(user) -> str:
    profile = getattr(user, "profile", None)
    return profile.name if profile else ""


def _course(course) -> data.CourseData:
    return data.CourseData(course_key=course.key)


def _enrollment(enrollment) -> data.CourseEnrollmentData:
    course = enrollment.course
    return data.CourseEnrollmentData(
        user=_user(enrollment.user, _profile_name(enrollment.user)),
        course=data.CourseData(
            course_key=course.key, display_name=course.title_en, start=course.start, end=course.end
        ),
        mode=enrollment.mode,
        is_active=enrollment.is_active,
        creation_date=enrollment.created,
    )


def send_enrollment_changed(enrollment) -> None:
    """Send COURSE_ENROLLMENT_CHANGED."""
    signals.COURSE_ENROLLMENT_CHANGED.send_event(enrollment=_enrollment(enrollment))


def send_enrollment_created(enrollment) -> None:
    """Send COURSE_ENROLLMENT_CREATED; the platform also does when somebody comes back."""
    signals.COURSE_ENROLLMENT_CREATED.send_event(enrollment=_enrollment(enrollment))


def send_unenrollment_completed(enrollment) -> None:
    """Send COURSE_UNENROLLMENT_COMPLETED."""
    signals.COURSE_UNENROLLMENT_COMPLETED.send_event(enrollment=_enrollment(enrollment))


def _certificate(certificate) -> data.CertificateData:
    return data.CertificateData(
        user=_user(certificate.user, _profile_name(certificate.user)),
        course=_course(certificate.course),
        mode=certificate.mode,
        grade=certificate.grade,
        current_status=str(certificate.status),
        download_url="",
        name=certificate.name,
    )


def send_certificate_changed(certificate) -> None:
    """Send CERTIFICATE_CHANGED, as at every save."""
    signals.CERTIFICATE_CHANGED.send_event(certificate=_certificate(certificate))


def send_certificate_created(certificate) -> None:
    """Send CERTIFICATE_CREATED, as at every save with a passing status."""
    signals.CERTIFICATE_CREATED.send_event(certificate=_certificate(certificate))


def send_certificate_revoked(certificate) -> None:
    """Send CERTIFICATE_REVOKED."""
    signals.CERTIFICATE_REVOKED.send_event(certificate=_certificate(certificate))


def send_grade_summary_changed(grade) -> None:
    """Send PERSISTENT_GRADE_SUMMARY_CHANGED, as after every recomputation of a learner who tried."""
    course = grade.course
    signals.PERSISTENT_GRADE_SUMMARY_CHANGED.send_event(
        grade=data.PersistentCourseGradeData(
            user_id=grade.user_id,
            course=_course(course),
            course_edited_timestamp=course.start,
            course_version=str(course.pk),
            grading_policy_hash=sha256(f"self-test {course.pass_mark}".encode()).hexdigest()[:27],
            percent_grade=float(grade.percent) / 100,
            letter_grade="Pass" if grade.passed else "",
            passed_timestamp=grade.passed_at,
        )
    )


def send_passing_status_updated(*, user, course, is_passing: bool) -> None:
    """Send COURSE_PASSING_STATUS_UPDATED, as after every recomputation, changed or not."""
    signals.COURSE_PASSING_STATUS_UPDATED.send_event(
        course_passing_status=data.CoursePassingStatusData(
            is_passing=is_passing,
            course=_course(course),
            user=_user(user, user.get_full_name()),
        )
    )
