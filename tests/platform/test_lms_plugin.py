"""The plugin in the LMS: everything is loaded, connected and reachable."""

from tests.platform.only import only_in

only_in("lms")

# ruff: noqa: E402 the platform is imported after it is known to be there
import pytest
from completion.models import BlockCompletion
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.db.models.signals import post_save
from django.urls import resolve, reverse
from openedx.core.djangoapps.user_api.accounts import signals as retirement
from openedx_events.learning import signals
from openedx_events.learning.data import ExamAttemptData, UserData, UserPersonalData

from mooc_microcred.achievements.models import EvaluationRequest
from mooc_microcred.core.platform import get_platform
from mooc_microcred_openedx.gateway import EdxPlatform
from tests.platform.plugin_checks import PluginChecks, ids_of, receivers_of
from tests.support.definitions import level1
from tests.support.platform_contract import PY101


@pytest.fixture
def admin_of_the_platform(campus):
    staff = campus.add_learner("boss")
    user = campus.user(staff)
    user.is_staff = user.is_superuser = True
    user.save()
    return campus.signed_in(staff)


class TestPlugin(PluginChecks):
    pass


def test_the_platform_port_is_the_gateway():
    assert django_settings.MOOC_MICROCRED["PLATFORM"] == "mooc_microcred_openedx.gateway.EdxPlatform"
    assert isinstance(get_platform(), EdxPlatform)


def test_the_api_has_its_address():
    assert resolve("/api/mooc_microcred/v1/my/awards/").url_name == "my-awards"
    assert reverse("admin:mooc_microcred_award_changelist").startswith("/admin/")


@pytest.mark.parametrize(
    ("signal", "receiver"),
    [
        ("CERTIFICATE_CREATED", "certificate_created"),
        ("CERTIFICATE_CHANGED", "certificate_changed"),
        ("CERTIFICATE_REVOKED", "certificate_revoked"),
        ("COURSE_PASSING_STATUS_UPDATED", "passing_status_updated"),
        ("CCX_COURSE_PASSING_STATUS_UPDATED", "ccx_passing_status_updated"),
        ("PERSISTENT_GRADE_SUMMARY_CHANGED", "grade_summary_changed"),
        ("COURSE_ENROLLMENT_CREATED", "enrollment_created"),
        ("EXAM_ATTEMPT_VERIFIED", "exam_attempt_changed"),
        ("EXAM_ATTEMPT_REJECTED", "exam_attempt_changed"),
    ],
)
def test_each_event_has_its_receiver(signal, receiver):
    assert receivers_of(getattr(signals, signal)) == {receiver}


def test_retirement_and_completions_have_theirs():
    assert receivers_of(retirement.USER_RETIRE_LMS_MISC) == {"learner_retired"}
    assert receivers_of(retirement.USER_RETIRE_LMS_CRITICAL) == {"learner_retired"}
    assert any(
        lookup[0] == "mooc_microcred_openedx.block_completed" and lookup[1] == id(BlockCompletion)
        for lookup, *_ in post_save.receivers
    )


def test_without_secrets_the_system_check_says_which_are_missing(settings):
    settings.MOOC_MICROCRED = {"PLATFORM": "mooc_microcred_openedx.gateway.EdxPlatform"}
    assert ids_of(run_checks()) == [
        "mooc_microcred.W010",
        "mooc_microcred.W024",
        "mooc_microcred.W025",
        "mooc_microcred.W026",
    ]


@pytest.mark.django_db(databases="__all__")
def test_an_exam_attempt_from_the_event_bus_leaves_a_request(campus):
    """No process of the platform itself sends it: it comes from edx-exams."""
    key = campus.add_course(PY101)
    learner = campus.add_learner("somying")
    level1()
    person = UserPersonalData(username="somying", email="s@example.ac.th", name="สมหญิง")
    signals.EXAM_ATTEMPT_VERIFIED.send_event(
        exam_attempt=ExamAttemptData(
            student_user=UserData(pii=person, id=learner, is_active=True),
            course_key=key,
            usage_key=campus.problem(PY101, 0),
            exam_type="proctored",
        )
    )
    (request,) = EvaluationRequest.objects.all()
    assert (request.learner_id, request.course_key, request.reason) == (learner, PY101, "exam")
