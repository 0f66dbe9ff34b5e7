"""The plugin in Studio: it is there, it knows nothing of learners, and it hears of new course runs."""

from tests.platform.only import only_in

only_in("cms")

# ruff: noqa: E402 the platform is imported after it is known to be there
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from celery import current_app
from cms.djangoapps.contentstore.tasks import rerun_course
from common.djangoapps.course_action_state.models import CourseRerunState
from common.djangoapps.student.tests.factories import UserFactory
from django.conf import settings as django_settings
from django.db.models.signals import post_save
from django.test import Client
from django.urls import NoReverseMatch, reverse
from opaque_keys.edx.keys import CourseKey
from openedx_events.content_authoring import signals as authoring
from openedx_events.learning import signals as learning
from xmodule.modulestore.django import SignalHandler
from xmodule.modulestore.django import modulestore as open_modulestore
from xmodule.modulestore.tests.factories import BlockFactory, CourseFactory

from mooc_microcred.achievements.kick import EVALUATE
from mooc_microcred.achievements.models import EvaluationRequest, RunOffer
from mooc_microcred.core import kick, outbox
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.core.platform import PlatformUnavailable, get_platform
from tests.platform.plugin_checks import PluginChecks, receivers_of
from tests.support.definitions import level1
from tests.support.platform_contract import PY101, PY101_RERUN

SEEN = "course.run_seen"


@pytest.fixture
def admin_of_the_platform(db):
    boss = UserFactory.create(is_staff=True, is_superuser=True)
    from openedx.core.djangoapps.safe_sessions.testing import safe_cookie_test_session_patch

    safe_cookie_test_session_patch()
    client = Client()
    assert client.login(username=boss.username, password=UserFactory._DEFAULT_PASSWORD)
    return client


class TestPlugin(PluginChecks):
    pass


def test_studio_has_no_platform_port_and_never_loads_the_gateway():
    assert "PLATFORM" not in django_settings.MOOC_MICROCRED
    with pytest.raises(PlatformUnavailable):
        get_platform()
    assert not {"mooc_microcred_openedx.gateway", "mooc_microcred_openedx.compat"} & set(sys.modules)


def test_studio_has_no_api_of_ours():
    with pytest.raises(NoReverseMatch):
        reverse("mooc_microcred:my-awards")


def test_studio_hears_of_courses_and_not_of_learners():
    assert receivers_of(authoring.COURSE_CATALOG_INFO_CHANGED) == {"course_catalog_info_changed"}
    assert receivers_of(SignalHandler.course_published) == {"course_published", "content_published"}
    assert receivers_of(SignalHandler.course_deleted) == {"course_deleted"}
    assert receivers_of(authoring.XBLOCK_PUBLISHED) == {"block_published"}
    assert receivers_of(authoring.XBLOCK_DELETED) == {"block_deleted"}
    assert receivers_of(authoring.COURSE_IMPORT_COMPLETED) == {"course_imported"}
    assert receivers_of(authoring.CONTENT_OBJECT_ASSOCIATIONS_CHANGED) == {"object_tagged"}
    if hasattr(authoring, "COURSE_RERUN_COMPLETED"):
        assert receivers_of(authoring.COURSE_RERUN_COMPLETED) == {
            "course_rerun_completed",
            "content_rerun_completed",
        }
    for name in ("CERTIFICATE_CREATED", "COURSE_ENROLLMENT_CREATED", "EXAM_ATTEMPT_VERIFIED"):
        assert receivers_of(getattr(learning, name)) == set()
    assert not [lookup for lookup, *_ in post_save.receivers if "mooc_microcred" in str(lookup[0])]


def test_an_lms_worker_runs_what_studio_sends_and_reads_the_learner(tmp_path):
    """Through a real broker (files in a folder), into another process that has the settings of the LMS.

    By the platform's own router the task would go to Studio's workers, which know no learner.
    """
    from kombu import Queue

    (tmp_path / "messages").mkdir()
    (tmp_path / "control").mkdir()
    folders = {f"data_folder_{way}": str(tmp_path / "messages") for way in ("in", "out")}
    conf = current_app.conf
    before = conf.task_always_eager, conf.broker_url, conf.broker_transport_options
    conf.task_always_eager, conf.broker_url = False, "filesystem://"
    conf.broker_transport_options = {**folders, "control_folder": str(tmp_path / "control")}
    kick.forget()
    try:
        routed = current_app.amqp.router.route({}, EVALUATE)["queue"]
        assert isinstance(routed, Queue)
        assert ".cms." in routed.name
        kick.kick(EVALUATE)
        assert kick.counts["sent"] == 1, kick.counts
    finally:
        conf.task_always_eager, conf.broker_url, conf.broker_transport_options = before
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.platform.lms_worker"],
        env={
            **os.environ,
            "SERVICE_VARIANT": "lms",
            "MICROCRED_TEST_FOLDER": str(tmp_path),
            "PYTHONPATH": os.pathsep.join([os.getcwd(), str(root), os.environ.get("PYTHONPATH", "")]),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout[done.stdout.rindex('{"tasks"') :])
    assert told == {"tasks": [EVALUATE], "awards": [["py101-l1", "active"]]}
    assert not {"mooc_microcred_openedx.gateway", "mooc_microcred_openedx.compat"} & set(sys.modules)


@pytest.mark.django_db(databases="__all__")
class TestRuns:
    @pytest.fixture
    def author(self, modulestore):
        return UserFactory.create(is_staff=True)

    def add_course(self, course_key, author):
        key = CourseKey.from_string(course_key)
        course = CourseFactory.create(org=key.org, number=key.course, run=key.run, user_id=author.id)
        BlockFactory.create(parent=course, category="chapter", user_id=author.id)
        return key

    def publish(self, key, author):
        store = open_modulestore()
        course = store.get_course(key)
        course.display_name = "New name"
        with store.bulk_operations(key):
            store.update_item(course, author.id)

    def test_a_publish_of_another_run_is_offered_to_an_achievement_that_lists_runs(self, author):
        level1(course={"runs": [PY101]})
        key = self.add_course(PY101_RERUN, author)
        OutboxMessage.objects.all().delete()
        self.publish(key, author)
        (message,) = OutboxMessage.objects.filter(topic=SEEN)
        assert message.payload == {"course_key": PY101_RERUN}
        assert outbox.relay().done
        assert list(RunOffer.objects.values_list("course_key", "state")) == [(PY101_RERUN, "offered")]
        assert not EvaluationRequest.objects.exists()

    def test_a_rerun_made_by_studio_is_offered(self, author):
        key = self.add_course(PY101, author)
        level1(course={"runs": [PY101]})
        target = CourseKey.from_string(PY101_RERUN)
        CourseRerunState.objects.initiated(key, target, author, "Rerun")
        rerun_course.delay(PY101, PY101_RERUN, author.id)
        assert CourseRerunState.objects.get(course_key=target).state == "succeeded"
        while outbox.relay().done:
            pass
        assert PY101_RERUN in RunOffer.objects.values_list("course_key", flat=True)

    def test_a_publish_of_a_course_that_is_judged_by_its_number_says_nothing(self, author):
        level1()
        key = self.add_course(PY101, author)
        self.publish(key, author)
        assert not OutboxMessage.objects.filter(topic=SEEN).exists()

    def test_a_failure_of_ours_does_not_stop_a_publish(self, author, monkeypatch):
        level1(course={"runs": [PY101]})
        key = self.add_course(PY101_RERUN, author)
        monkeypatch.setattr(OutboxMessage._meta, "db_table", "mooc_microcred_not_migrated")
        self.publish(key, author)
        assert open_modulestore().get_course(key).display_name == "New name"
