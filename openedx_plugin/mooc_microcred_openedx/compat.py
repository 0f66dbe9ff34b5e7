"""Every name of edx-platform that the suite uses, imported when it is needed.

One function per name, so that what a release has renamed is mended in one place, and so that the
plugin can be imported where the platform is not.
"""

from __future__ import annotations

from typing import Any


def generated_certificate() -> Any:
    """Return the model of course certificates."""
    from lms.djangoapps.certificates.models import GeneratedCertificate

    return GeneratedCertificate


def certificate_invalidation() -> Any:
    """Return the model of certificates that a person has invalidated."""
    from lms.djangoapps.certificates.models import CertificateInvalidation

    return CertificateInvalidation


def certificates_viewable_for_course(overview: Any) -> bool:
    """Say whether learners may see the certificates of a run now; no query."""
    from lms.djangoapps.certificates.api import certificates_viewable_for_course

    return certificates_viewable_for_course(overview)


def has_html_certificates_enabled(overview: Any) -> bool:
    """Say whether a run issues certificates at all; no query."""
    from lms.djangoapps.certificates.utils import has_html_certificates_enabled

    return has_html_certificates_enabled(overview)


def is_on_allowlist(user: Any, course_key: Any) -> bool:
    """Say whether a learner gets a certificate whatever their grade."""
    from lms.djangoapps.certificates.generation_handler import is_on_certificate_allowlist

    return is_on_certificate_allowlist(user, course_key)


def can_generate_certificate(user: Any, course_key: Any, mode: str | None, *, allowlisted: bool) -> bool:
    """Ask the platform's own checks, which have no side effect, whether it would generate a certificate."""
    from lms.djangoapps.certificates import generation_handler
    from lms.djangoapps.grades.api import CourseGradeFactory

    if allowlisted:
        return generation_handler._can_generate_allowlist_certificate(user, course_key, mode)
    grade = CourseGradeFactory().read(user, course_key=course_key)
    return generation_handler._can_generate_regular_certificate(user, course_key, mode, grade)


def generate_certificate_task(user: Any, course_key: Any) -> str:
    """Queue the generation of a certificate that the platform's checks allow.

    Returns:
        an empty text, or why it was not queued: ``prevented`` by a step of the operator's pipeline of
        CertificateCreationRequested, or ``refused``. For a learner on the allowlist the platform itself
        swallows what the pipeline raised.
    """
    from lms.djangoapps.certificates.api import generate_certificate_task
    from lms.djangoapps.certificates.generation_handler import CertificateGenerationNotAllowed

    try:
        queued = generate_certificate_task(user, course_key)
    except CertificateGenerationNotAllowed:
        return "prevented"
    if queued:
        return ""
    return "prevented" if is_on_allowlist(user, course_key) else "refused"


def allow_certificate(user: Any, course_key: Any, notes: str) -> None:
    """Put a learner on the allowlist of a run."""
    from lms.djangoapps.certificates.api import create_or_update_certificate_allowlist_entry

    create_or_update_certificate_allowlist_entry(user, course_key, notes)


def needs_verified_identity(user: Any, mode: str) -> bool:
    """Say whether the operator asks for a verified identity that the learner has not, in this mode."""
    from common.djangoapps.course_modes.models import CourseMode
    from lms.djangoapps.certificates import generation_handler

    # Gone from the releases that have no such requirement.
    missing = getattr(generation_handler, "_id_verification_enforced_and_missing", None)
    return bool(missing and mode not in CourseMode.NON_VERIFIED_MODES and missing(user))


def is_beta_tester(user: Any, course_key: Any) -> bool:
    """Say whether a learner tests a run before it starts: the platform certifies none of them."""
    from lms.djangoapps.instructor.access import is_beta_tester

    return is_beta_tester(user, course_key)


def persistent_course_grade() -> Any:
    """Return the model of course grades."""
    from lms.djangoapps.grades.models import PersistentCourseGrade

    return PersistentCourseGrade


def persistent_subsection_grade() -> Any:
    """Return the model of subsection grades, with ``override``."""
    from lms.djangoapps.grades.models import PersistentSubsectionGrade

    return PersistentSubsectionGrade


def course_enrollment() -> Any:
    """Return the model of enrolments."""
    from common.djangoapps.student.models import CourseEnrollment

    return CourseEnrollment


def is_eligible_for_certificate(mode: str) -> bool:
    """Say whether an enrolment mode earns certificates."""
    from common.djangoapps.course_modes.api import is_eligible_for_certificate

    return is_eligible_for_certificate(mode)


def course_overview() -> Any:
    """Return the model of course runs."""
    from openedx.core.djangoapps.content.course_overviews.models import CourseOverview

    return CourseOverview


def completion_summary(course_key: Any, user: Any) -> dict[str, int] | None:
    """Return complete_count, incomplete_count and locked_count of a learner's units; walks the block tree.

    None where the course was deleted: its overview and what learners did in it stay behind.
    """
    from lms.djangoapps.courseware.courses import get_course_blocks_completion_summary
    from xmodule.modulestore.exceptions import ItemNotFoundError

    try:
        return get_course_blocks_completion_summary(course_key, user)
    except ItemNotFoundError:
        return None


def block_completion() -> Any:
    """Return the model of completed blocks."""
    from completion.models import BlockCompletion

    return BlockCompletion


def first_completions(course_keys: list[Any], *, after: int, last: int) -> Any:
    """Return (user id, run, when) of the earliest completion of learners of a range, ``last`` included.

    By ``modified``, which stands in the index that leads there; a completion is hardly ever changed.
    """
    from django.db.models import Min

    rows = block_completion().objects.filter(
        user_id__gt=after, user_id__lte=last, context_key__in=course_keys
    )
    earliest = rows.values("user_id", "context_key").annotate(earliest=Min("modified")).order_by()
    return earliest.values_list("user_id", "context_key", "earliest")


def verified_name() -> Any | None:
    """Return the model of verified names, or None where name affirmation is not installed."""
    from django.apps import apps

    if not apps.is_installed("edx_name_affirmation"):
        return None
    from edx_name_affirmation.models import VerifiedName

    return VerifiedName


def languages(user_ids: list[int]) -> dict[int, str]:
    """Return the language that each user has chosen, where they have."""
    from openedx.core.djangoapps.lang_pref import LANGUAGE_KEY
    from openedx.core.djangoapps.user_api.models import UserPreference

    rows = UserPreference.objects.filter(user_id__in=user_ids, key=LANGUAGE_KEY)
    return dict(rows.values_list("user_id", "value"))


def display_behaviours() -> Any:
    """Return the enumeration of the ways in which a run shows its certificates."""
    from xmodule.data import CertificatesDisplayBehaviors

    return CertificatesDisplayBehaviors


def course_url(course_key: Any) -> str:
    """Return where an enrolled learner goes on learning; no query."""
    from openedx.features.course_experience import course_home_url

    return course_home_url(course_key)


def course_about_url(overview: Any) -> str:
    """Return the page by which a course is found and enrolled in; no query."""
    from common.djangoapps.util.course import get_link_for_about_page

    return get_link_for_about_page(overview)


def student_module() -> Any:
    """Return the model in which blocks keep a learner's state and score."""
    from lms.djangoapps.courseware.models import StudentModule

    return StudentModule


def anonymous_user_id() -> Any:
    """Return the model of the ids under which learners hand in work."""
    from common.djangoapps.student.models import AnonymousUserId

    return AnonymousUserId


def score_summary() -> Any | None:
    """Return the model of the scores of work that was handed in; None without the submissions app."""
    from django.apps import apps

    if not apps.is_installed("submissions"):
        return None
    from submissions.models import ScoreSummary

    return ScoreSummary


def current_request() -> Any | None:
    """Return the request that this thread answers, if any."""
    from crum import get_current_request

    return get_current_request()


def learner_of_home(request: Any) -> int | None:
    """Return whose course cards a request to the learner home renders: staff may look at a learner's."""
    if not request.user.is_authenticated:
        return None
    if request.GET.get("user"):
        from lms.djangoapps.learner_home.utils import get_masquerade_user

        return get_masquerade_user(request).id
    return request.user.id


def enrolled_runs(learner_id: int) -> list[str]:
    """Return the keys of the runs in which a learner is enrolled now; one query."""
    rows = course_enrollment().objects.filter(user_id=learner_id, is_active=True)
    return [str(key) for key in rows.values_list("course_id", flat=True)]


def render_mako(template: str, context: dict[str, Any]) -> str:
    """Return a Mako template of the platform, themed, rendered for the current request."""
    from common.djangoapps.edxmako.shortcuts import render_to_string

    return render_to_string(template, context, request=current_request())
