"""The contract of the platform port, run against the port in memory and the sandbox's."""

import threading
from contextlib import ExitStack
from dataclasses import replace

import pytest
from completion.models import BlockCompletion
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey
from waffle.models import Switch

from mooc_microcred.core.platform import CompletionState, StateQuery
from sandbox import lms
from sandbox.models import (
    Certificate,
    CertificateInvalidation,
    Course,
    Enrollment,
    Grade,
    Profile,
    Unit,
)
from sandbox.platform import SandboxPlatform
from tests.support.memory_platform import MemoryPlatform
from tests.support.platform_contract import PY101, PlatformContract


class MemoryWorld:
    def __init__(self):
        self.platform = MemoryPlatform()
        self._next = 1
        self._units = {}

    def add_course(self, course_key, *, title="", units=4):
        self.platform.add_course(course_key, title)
        self._units[course_key] = units

    def add_learner(self, username, *, name="", email=""):
        self._next += 1
        return self.platform.add_learner(self._next, name=name, username=username, email=email)

    def enrol(self, learner, course_key, *, mode="honor"):
        title = self.platform.courses[course_key]
        self.platform.enrol(learner, course_key, mode=mode)
        self.platform.courses[course_key] = title

    def unenrol(self, learner, course_key):
        enrolments = self.platform.enrolments[learner]
        enrolments[course_key] = replace(enrolments[course_key], active=False)

    def complete(self, learner, course_key, units):
        self.platform.complete(learner, course_key, units, self._units[course_key])

    def grade(self, learner, course_key, percent, *, passed):
        self.platform.grade(learner, course_key, percent, passed)

    def certify(self, learner, course_key, status="downloadable"):
        self.platform.certify(learner, course_key, status)

    def score(self, learner, course_key, block, earned, possible):
        usage_key = str(CourseKey.from_string(course_key).make_usage_key("problem", block))
        self.platform.score(learner, course_key, usage_key, earned, possible)
        return usage_key

    def invalidate(self, learner, course_key):
        self.platform.certify(learner, course_key, "unavailable", invalidated=True)

    def show_certificates_from(self, course_key, moment):
        for learner, key in list(self.platform.states):
            if key == course_key:
                status = self.platform.states[learner, key].certificate.status
                shown = moment <= timezone.now()
                self.platform.certify(learner, key, status, shown=shown, shown_from=moment)

    def break_reads(self):
        self.platform.away = True

    def elsewhere(self, change):
        change()

    def queries(self, call):
        call()
        return 0


class SandboxWorld:
    def __init__(self):
        self.platform = SandboxPlatform()
        self.cleanups = ExitStack()
        Switch.objects.create(name="completion.enable_completion_tracking", active=True)

    def add_course(self, course_key, *, title="", units=4):
        key = CourseKey.from_string(course_key)
        course = Course.objects.create(
            course_key=course_key,
            organization=key.org,
            number=key.course,
            run=key.run,
            title_en=title,
            start=timezone.now(),
        )
        Unit.objects.bulk_create(
            Unit(course=course, position=number, block_key=str(key.make_usage_key("html", f"u{number}")))
            for number in range(units)
        )

    def add_learner(self, username, *, name="", email=""):
        user = get_user_model().objects.create_user(username, email=email)
        Profile.objects.create(user=user, name=name)
        return user.id

    @staticmethod
    def _who(learner, course_key):
        return {"user": get_user_model().objects.get(id=learner), "course": _course(course_key)}

    def enrol(self, learner, course_key, *, mode="honor"):
        lms.enrol(**self._who(learner, course_key), mode=mode)

    def unenrol(self, learner, course_key):
        lms.unenrol(**self._who(learner, course_key))

    def complete(self, learner, course_key, units):
        user = get_user_model().objects.get(id=learner)
        for unit in _course(course_key).units.all()[:units]:
            lms.complete_unit(user=user, unit=unit)

    def grade(self, learner, course_key, percent, *, passed):
        Grade.objects.update_or_create(
            **self._who(learner, course_key), defaults={"percent": percent, "passed": passed}
        )

    def certify(self, learner, course_key, status="downloadable"):
        Certificate.objects.update_or_create(**self._who(learner, course_key), defaults={"status": status})

    def score(self, learner, course_key, block, earned, possible):
        course = Course.objects.get(course_key=course_key)
        usage_key = str(course.key.make_usage_key("problem", block))
        user = get_user_model().objects.get(pk=learner)
        lms.score_block(user=user, course=course, usage_key=usage_key, earned=earned, possible=possible)
        return usage_key

    def invalidate(self, learner, course_key):
        who = self._who(learner, course_key)
        certificate = Certificate.objects.get(**who)
        lms.invalidate_certificate(certificate=certificate, by=who["user"], notes="copied")

    def show_certificates_from(self, course_key, moment):
        Course.objects.filter(course_key=course_key).update(certificates_shown_from=moment)

    def break_reads(self):
        def fail(*_args):
            raise OperationalError("gone away")

        self.cleanups.enter_context(connection.execute_wrapper(fail))

    def elsewhere(self, change):
        failed = []

        def run():
            try:
                change()
            except Exception as error:  # noqa: BLE001 shown by the test's own thread
                failed.append(error)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    def queries(self, call):
        with CaptureQueriesContext(connection) as captured:
            call()
        return len(captured)


def _course(course_key):
    return Course.objects.get(course_key=course_key)


class TestMemoryPlatform(PlatformContract):
    @pytest.fixture
    def world(self):
        return MemoryWorld()


@pytest.mark.django_db(transaction=True)
class TestSandboxPlatform(PlatformContract):
    @pytest.fixture
    def world(self):
        world = SandboxWorld()
        with world.cleanups:
            yield world

    def test_reading_states_takes_four_queries(self, world, learner):
        world.certify(learner, PY101)
        query = StateQuery(learner, PY101, grade=True, completion=True, subsections=("selftest",))
        assert world.queries(lambda: world.platform.read_states([query])) == 4

    def test_a_block_that_left_the_course_no_longer_counts(self, world, learner):
        world.complete(learner, PY101, 4)
        Unit.objects.filter(course__course_key=PY101, position=0).delete()
        assert self.read(world.platform, learner, completion=True).completion == CompletionState(3, 3)
        assert BlockCompletion.objects.filter(user_id=learner).count() == 4

    def test_the_self_test_is_a_subsection(self, world, learner):
        world.grade(learner, PY101, 80, passed=True)
        state = self.read(world.platform, learner, subsections=("selftest", "exam"))
        assert state.subsections == {"selftest": 80}
        assert state.grade is None

    @pytest.mark.parametrize("reason", ["not_enrolled", "not_passing", "invalidated", "mode"])
    def test_a_certificate_that_would_be_refused_has_a_reason(self, world, learner, reason):
        world.grade(learner, PY101, 80, passed=reason != "not_passing")
        world.certify(learner, PY101)
        if reason == "not_enrolled":
            world.unenrol(learner, PY101)
        if reason == "invalidated":
            world.invalidate(learner, PY101)
        if reason == "mode":
            Enrollment.objects.update(mode="audit")
        answer = world.platform.would_issue_certificate(learner, PY101)
        assert (answer.accepted, answer.reason) == (False, reason)

    def test_a_requested_certificate_is_generated(self, world, learner):
        world.grade(learner, PY101, 80, passed=True)
        world.platform.request_certificate(learner, PY101)
        certificate = self.read(world.platform, learner).certificate
        assert certificate.status == "downloadable"

    def test_asking_without_a_right_has_the_platforms_side_effect(self, world, learner):
        world.grade(learner, PY101, 40, passed=False)
        world.certify(learner, PY101)
        assert not lms.generate_certificate(**world._who(learner, PY101))
        assert self.read(world.platform, learner).certificate.status == "notpassing"

    def test_a_lifted_invalidation_no_longer_counts(self, world, learner):
        world.grade(learner, PY101, 80, passed=True)
        world.certify(learner, PY101)
        world.invalidate(learner, PY101)
        lms.lift_invalidation(certificate=Certificate.objects.get())
        certificate = self.read(world.platform, learner).certificate
        assert (certificate.status, certificate.invalidated) == ("downloadable", False)
        assert CertificateInvalidation.objects.filter(active=False).count() == 1
