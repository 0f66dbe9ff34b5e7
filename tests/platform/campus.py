"""Courses and people in a real LMS, made by its own factories and moved by its own code."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from uuid import UUID

from common.djangoapps.course_modes.tests.factories import CourseModeFactory
from common.djangoapps.student.models import CourseEnrollment
from common.djangoapps.student.tests.factories import UserFactory
from completion.models import BlockCompletion
from completion.waffle import ENABLE_COMPLETION_TRACKING_SWITCH
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from edx_toggles.toggles.testutils import override_waffle_switch
from lms.djangoapps.certificates import api as certificates
from lms.djangoapps.certificates.config import AUTO_CERTIFICATE_GENERATION
from lms.djangoapps.certificates.generation import generate_course_certificate
from lms.djangoapps.certificates.models import GeneratedCertificate
from lms.djangoapps.courseware.models import StudentModule
from lms.djangoapps.grades.models import PersistentCourseGrade
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.content.course_overviews.models import CourseOverview
from openedx.core.djangoapps.safe_sessions.testing import safe_cookie_test_session_patch
from openedx.core.lib.url_utils import quote_slashes
from xmodule.capa.tests.response_xml_factory import OptionResponseXMLFactory
from xmodule.modulestore import ModuleStoreEnum
from xmodule.modulestore.django import modulestore
from xmodule.modulestore.tests.factories import BlockFactory, CourseFactory

from mooc_microcred_openedx.gateway import EdxPlatform

POLICY = {
    "GRADER": [{"type": "Exam", "min_count": 1, "drop_count": 0, "short_label": "Exam", "weight": 1.0}],
    "GRADE_CUTOFFS": {"Pass": 0.6},
}
START = datetime(2020, 1, 1, tzinfo=UTC)
# The graded subsection of each course.
EXAM = "exam"


class Campus(ExitStack):
    """What a test does to the LMS."""

    def __init__(self):
        super().__init__()
        self.platform = EdxPlatform()
        # As for all tests of the platform: the test client signs in with its kind of session cookie.
        safe_cookie_test_session_patch()
        self.enter_context(override_waffle_switch(ENABLE_COMPLETION_TRACKING_SWITCH, active=True))
        self.automatic_certificates(False)

    def automatic_certificates(self, on: bool):
        """Let the platform issue a certificate as soon as somebody passes, or not."""
        self.enter_context(override_waffle_switch(AUTO_CERTIFICATE_GENERATION, active=on))

    # --- courses ---

    def add_course(self, course_key: str, *, title: str = "", units: int = 4, mode: str = "honor", **fields):
        """Make a course with one graded subsection of ``units`` units, each with a problem."""
        key = CourseKey.from_string(course_key)
        fields = {
            "certificates_display_behavior": "early_no_info",
            "cert_html_view_enabled": True,
            "start": START,
            "enrollment_start": START,
            **fields,
        }
        store = modulestore()
        with store.default_store(ModuleStoreEnum.Type.split):
            course = CourseFactory.create(
                org=key.org,
                number=key.course,
                run=key.run,
                display_name=title or key.course,
                grading_policy=POLICY,
                **fields,
            )
            with store.bulk_operations(key, emit_signals=False):
                chapter = BlockFactory.create(parent=course, category="chapter")
                exam = BlockFactory.create(
                    parent=chapter,
                    category="sequential",
                    location=key.make_usage_key("sequential", EXAM),
                    graded=True,
                    format="Exam",
                )
                for number in range(units):
                    self._add_unit(exam, course_key, number)
        if mode:
            CourseModeFactory.create(course_id=key, mode_slug=mode)
        CourseOverview.load_from_module_store(key)
        return key

    def _add_unit(self, parent, course_key: str, number: int):
        unit = BlockFactory.create(parent=parent, category="vertical")
        BlockFactory.create(
            parent=unit,
            category="problem",
            location=self.problem(course_key, number),
            data=OptionResponseXMLFactory().build_xml(
                question_text="Right?", options=["Right", "Wrong"], correct_option="Right"
            ),
        )

    def add_unit(self, course_key: str, number: int):
        """Publish one more unit."""
        key = CourseKey.from_string(course_key)
        exam = modulestore().get_item(key.make_usage_key("sequential", EXAM))
        self._add_unit(exam, course_key, number)
        CourseOverview.load_from_module_store(key)

    @staticmethod
    def problem(course_key: str, number: int):
        return CourseKey.from_string(course_key).make_usage_key("problem", f"problem{number}")

    @staticmethod
    def change_overview(course_key: str, **fields):
        CourseOverview.objects.filter(id=CourseKey.from_string(course_key)).update(**fields)

    def show_certificates_from(self, course_key: str, moment: datetime):
        self.change_overview(
            course_key,
            certificates_display_behavior="end_with_date",
            certificate_available_date=moment,
            end=START,
        )

    # --- people ---

    def add_learner(self, username: str, *, name: str = "", email: str = "") -> int:
        user = UserFactory.create(username=username, **({"email": email} if email else {}))
        if name:
            user.profile.name = name
            user.profile.save()
        return user.id

    @staticmethod
    def hyphened(uuid: str) -> str:
        """Return an id as the API writes it."""
        return str(UUID(uuid))

    @staticmethod
    def user(learner: int):
        return get_user_model().objects.get(id=learner)

    def signed_in(self, learner: int, **options) -> Client:
        client = Client(**options)
        assert client.login(username=self.user(learner).username, password=UserFactory._DEFAULT_PASSWORD)
        return client

    def enrol(self, learner: int, course_key: str, *, mode: str = "honor"):
        CourseEnrollment.enroll(self.user(learner), CourseKey.from_string(course_key), mode=mode)

    def unenrol(self, learner: int, course_key: str):
        CourseEnrollment.unenroll(self.user(learner), CourseKey.from_string(course_key))

    # --- what learners do ---

    def complete(self, learner: int, course_key: str, units: int):
        user = self.user(learner)
        for number in range(units):
            BlockCompletion.objects.submit_completion(
                user=user, block_key=self.problem(course_key, number), completion=1.0
            )

    def answer(self, learner: int, course_key: str, answers: list[bool]):
        """Answer the first problems rightly or wrongly, over HTTP, as the courseware does."""
        client = self.signed_in(learner)
        for number, right in enumerate(answers):
            problem = self.problem(course_key, number)
            address = reverse(
                "xblock_handler",
                kwargs={
                    "course_id": course_key,
                    "usage_id": quote_slashes(str(problem)),
                    "handler": "xmodule_handler",
                    "suffix": "problem_check",
                },
            )
            field = f"input_{problem.html_id()}_2_1"
            reply = client.post(address, {field: "Right" if right else "Wrong"})
            assert reply.status_code == 200, reply.content
            assert reply.json()["success"] == ("correct" if right else "incorrect")

    # --- what the platform does ---

    def grade(self, learner: int, course_key: str, percent: int, *, passed: bool):
        """Store a course grade as the platform's grading does."""
        PersistentCourseGrade.update_or_create(
            user_id=learner,
            course_id=CourseKey.from_string(course_key),
            course_version="1",
            course_edited_timestamp=START,
            grading_policy_hash="policy",
            percent_grade=percent / 100,
            letter_grade="Pass" if passed else "",
            passed=passed,
        )

    @staticmethod
    def score(learner: int, course_key: str, block: str, earned: float, possible: float) -> str:
        """Keep points for a problem where the courseware keeps them; return its usage key."""
        key = CourseKey.from_string(course_key)
        usage_key = key.make_usage_key("problem", block)
        StudentModule.objects.update_or_create(
            student_id=learner,
            course_id=key,
            module_state_key=usage_key,
            defaults={"module_type": "problem", "grade": earned, "max_grade": possible},
        )
        return str(usage_key)

    @staticmethod
    def certificate(learner: int, course_key: str) -> GeneratedCertificate | None:
        key = CourseKey.from_string(course_key)
        return GeneratedCertificate.objects.filter(user_id=learner, course_id=key).first()

    def certify(self, learner: int, course_key: str, status: str = "downloadable"):
        """Bring a certificate to a status by the platform's own code for it."""
        certificate = self.certificate(learner, course_key)
        change = {
            "notpassing": "mark_notpassing",
            "unverified": "mark_unverified",
            "unavailable": "invalidate",
        }
        if status in change and certificate is not None:
            fields = {"grade": "0.2"} if status == "notpassing" else {}
            getattr(certificate, change[status])(mode=certificate.mode, source="test", **fields)
            return
        key = CourseKey.from_string(course_key)
        mode, _ = CourseEnrollment.enrollment_mode_for_user(self.user(learner), key)
        generate_course_certificate(
            user=self.user(learner),
            course_key=key,
            status=status,
            enrollment_mode=mode or "honor",
            course_grade="0.8",
            generation_mode="batch",
        )

    def invalidate(self, learner: int, course_key: str):
        """Invalidate a certificate as the instructor dashboard does."""
        certificate = self.certificate(learner, course_key)
        certificates.create_certificate_invalidation_entry(certificate, self.user(learner), "copied")
        certificate.invalidate(source="certificate_invalidation_list")

    # --- the contract's other tools ---

    def break_reads(self):
        def fail(*_args):
            raise OperationalError("gone away")

        self.enter_context(connection.execute_wrapper(fail))

    @staticmethod
    def elsewhere(change):
        """Run a change in another thread, whose connection and request cache are its own."""
        failed = []

        def run():
            try:
                change()
            except Exception as error:  # noqa: BLE001 told in the test's own thread
                failed.append(error)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    @staticmethod
    def queries(call) -> int:
        with CaptureQueriesContext(connection) as captured:
            call()
        return len(captured)
