"""What an LMS does when people do things in it: the same writes and signals in the same order.

In the platform, enrolment runs inside the transaction of the request; completion and grading run in
autocommit; a certificate is written inside a transaction of its own, and its events are sent before that
commits. The functions here keep to that, so call them from views that are atomic or not accordingly.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from completion.models import BlockCompletion
from django.db import transaction
from django.utils import timezone

from sandbox import events
from sandbox.models import (
    Attempt,
    BlockScore,
    Certificate,
    CertificateInvalidation,
    Course,
    Enrollment,
    Grade,
    Unit,
    name_of,
)
from sandbox.problems import PROBLEM_WEIGHTED_SCORE_CHANGED


def enrol(*, user, course: Course, mode: str = "honor") -> Enrollment:
    """Enrol a learner, or take them back in: CHANGED, then CREATED, in the caller's transaction."""
    enrollment, created = Enrollment.objects.get_or_create(user=user, course=course, defaults={"mode": mode})
    if not created and enrollment.is_active:
        return enrollment
    enrollment.is_active = True
    enrollment.mode = mode
    enrollment.save()
    events.send_enrollment_changed(enrollment)
    events.send_enrollment_created(enrollment)
    return enrollment


def unenrol(*, user, course: Course) -> None:
    """Take a learner out of a course; what they did there stays."""
    enrollment = Enrollment.objects.get(user=user, course=course)
    enrollment.is_active = False
    enrollment.save()
    events.send_enrollment_changed(enrollment)
    events.send_unenrollment_completed(enrollment)


def complete_unit(*, user, unit: Unit) -> None:
    """Record that a page was read to its end, as the platform's completion app records it."""
    BlockCompletion.objects.submit_completion(user=user, block_key=unit.usage_key, completion=1.0)


def completed_blocks(*, user, course: Course) -> set[str]:
    """Return the block keys of a course that a learner has completed."""
    rows = BlockCompletion.objects.filter(user=user, context_key=course.key, completion=1.0)
    return {str(key) for key in rows.values_list("block_key", flat=True)}


def answer_self_test(*, user, course: Course, answers: Mapping[int, int]) -> Attempt:
    """Grade the answers (index of the choice by question id); the last attempt counts."""
    questions = list(course.questions.all())
    attempt = Attempt.objects.create(
        user=user,
        course=course,
        answers={str(question.id): answers.get(question.id) for question in questions},
        right=sum(answers.get(question.id) == question.right for question in questions),
        total=len(questions),
    )
    unit = course.units.get(kind=Unit.Kind.SELF_TEST)
    score_block(
        user=user, course=course, usage_key=unit.block_key, earned=attempt.right, possible=attempt.total
    )
    PROBLEM_WEIGHTED_SCORE_CHANGED.send(
        sender=None,
        user_id=user.id,
        course_id=course.course_key,
        usage_id=unit.block_key,
        weighted_earned=attempt.right,
        weighted_possible=attempt.total,
        modified=attempt.at,
    )
    recompute_grade(user=user, course=course)
    return attempt


def score_block(*, user, course: Course, usage_key: str, earned, possible) -> None:
    """Keep the points that a learner has for a scored block; the course grade comes from the self-test."""
    BlockScore.objects.update_or_create(
        user=user,
        course=course,
        usage_key=usage_key,
        defaults={"earned": earned, "possible": possible, "modified": timezone.now()},
    )


def recompute_grade(*, user, course: Course) -> None:
    """Compute the course grade anew; both grade events go out each time, changed or not.

    In a course that issues certificates by itself, a pass leads to one; in any course a certificate of
    somebody who no longer passes turns notpassing, and comes back with the next pass.
    """
    attempt = Attempt.objects.filter(user=user, course=course).order_by("-at", "-id").first()
    passed = False
    if attempt is not None:
        percent = (Decimal(100) * attempt.right / attempt.total).quantize(Decimal("0.0001"))
        passed = percent >= course.pass_mark
        with transaction.atomic():
            before = Grade.objects.filter(user=user, course=course).first()
            now = timezone.now()
            first_pass = (before and before.passed_at) or (now if passed else None)
            grade, _ = Grade.objects.update_or_create(
                user=user,
                course=course,
                defaults={"percent": percent, "passed": passed, "passed_at": first_pass, "modified": now},
            )
        events.send_grade_summary_changed(grade)
    events.send_passing_status_updated(user=user, course=course, is_passing=passed)
    certificate = Certificate.objects.filter(user=user, course=course).first()
    if passed:
        wanted = course.certificates_automatic if certificate is None else True
        if wanted and (certificate is None or certificate.status not in Certificate.PASSING):
            generate_certificate(user=user, course=course)
    elif certificate is not None and certificate.status in Certificate.PASSING:
        certificate.withdraw(Certificate.Status.NOT_PASSING)


def refusal_of_certificate(*, user_id: int, course: Course) -> str:
    """Return why no certificate would be generated, as a short code; empty if one would."""
    enrollment = Enrollment.objects.filter(user_id=user_id, course=course).first()
    if enrollment is None or not enrollment.is_active:
        return "not_enrolled"
    if enrollment.mode == "audit":
        return "mode"
    if CertificateInvalidation.objects.filter(
        certificate__user_id=user_id, certificate__course=course, active=True
    ).exists():
        return "invalidated"
    if not Grade.objects.filter(user_id=user_id, course=course, passed=True).exists():
        return "not_passing"
    return ""


def generate_certificate(*, user, course: Course) -> bool:
    """Generate or regenerate a certificate; return whether there is one now.

    Asking without a right to one is not harmless in the platform: an existing certificate of somebody who
    does not pass is marked notpassing.
    """
    refusal = refusal_of_certificate(user_id=user.id, course=course)
    if refusal:
        certificate = Certificate.objects.filter(user=user, course=course).first()
        if refusal == "not_passing" and certificate and certificate.status in Certificate.PASSING:
            certificate.withdraw(Certificate.Status.NOT_PASSING)
        return False
    grade = Grade.objects.get(user=user, course=course)
    enrollment = Enrollment.objects.get(user=user, course=course)
    with transaction.atomic():
        Certificate.objects.update_or_create(
            user=user,
            course=course,
            defaults={
                "status": Certificate.Status.DOWNLOADABLE,
                "mode": enrollment.mode,
                "name": name_of(user),
                "grade": str(float(grade.percent) / 100),
            },
        )
    return True


def invalidate_certificate(*, certificate: Certificate, by, notes: str) -> None:
    """Invalidate a certificate, as an instructor can: it turns unavailable and is revoked."""
    CertificateInvalidation.objects.create(certificate=certificate, invalidated_by=by, notes=notes)
    certificate.withdraw(Certificate.Status.UNAVAILABLE)


def lift_invalidation(*, certificate: Certificate) -> None:
    """Take an invalidation back and generate the certificate again."""
    certificate.invalidations.filter(active=True).update(active=False)
    generate_certificate(user=certificate.user, course=certificate.course)
