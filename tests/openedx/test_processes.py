"""What is registered in an LMS and in a Studio, each started as a process of its own."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from mooc_microcred_openedx.apps import MicrocredOpenedxConfig
from mooc_microcred_openedx.settings import common, lms

TASKS = [
    "mooc_microcred.tasks.deliver_to_banks",
    "mooc_microcred.tasks.evaluate_due_requests",
    "mooc_microcred.tasks.relay_outbox",
    "mooc_microcred.tasks.sync_courses",
]


def started(project):
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "tests.openedx.process", project],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def lms_process():
    return started("lms.djangoapp")


@pytest.fixture(scope="module")
def studio_process():
    return started("cms.djangoapp")


AUTHORING = {
    "content_authoring.xblock.published": ["block_published"],
    "content_authoring.xblock.deleted": ["block_deleted"],
    "content_authoring.course.import.completed": ["course_imported"],
    "content_authoring.content.object.associations.changed": ["object_tagged"],
}


def test_the_lms_receives_what_concerns_learners(lms_process):
    events = {
        event.removeprefix("org.openedx.").rsplit(".", 1)[0]: names
        for event, names in lms_process["receivers"].items()
    }
    events.pop("content_authoring.course.rerun.completed", None)
    assert events == {
        "learning.certificate.created": ["certificate_created"],
        "learning.certificate.changed": ["certificate_changed"],
        "learning.certificate.revoked": ["certificate_revoked"],
        "learning.course.passing.status.updated": ["passing_status_updated"],
        "learning.ccx.course.passing.status.updated": ["ccx_passing_status_updated"],
        "learning.course.persistent_grade_summary.changed": ["grade_summary_changed"],
        "learning.course.enrollment.created": ["enrollment_created"],
        **{
            f"learning.exam.attempt.{what}": ["exam_attempt_changed"]
            for what in ("submitted", "rejected", "verified", "errored", "reset")
        },
        # Sent in Studio; here they come where an operator has the event bus bring them.
        **AUTHORING,
    }
    assert lms_process["block_completion"] == ["block_completed"]


def test_studio_receives_what_concerns_course_runs(studio_process):
    assert studio_process["receivers"] == {
        "org.openedx.content_authoring.course.catalog_info.changed.v1": ["course_catalog_info_changed"],
        "org.openedx.content_authoring.course.rerun.completed.v1": [
            "content_rerun_completed",
            "course_rerun_completed",
        ],
        **{f"org.openedx.{event}.v1": names for event, names in AUTHORING.items()},
    }
    assert studio_process["block_completion"] == []


def test_both_know_every_task(lms_process, studio_process):
    for process in (lms_process, studio_process):
        assert set(TASKS) <= set(process["tasks"])
    assert lms_process["tasks"] == studio_process["tasks"]


def test_both_have_the_same_models_and_admin_pages(lms_process, studio_process):
    assert lms_process["models"] == studio_process["models"]
    assert "EvaluationRequest" in lms_process["models"]
    assert lms_process["admin"] == studio_process["admin"]


def test_learners_and_staff_are_served_by_the_lms_and_studio_serves_authors_only(lms_process, studio_process):
    assert {"my-dashboard", "my-awards", "awards", "credential"} <= set(lms_process["urls"])
    about_learners = {name for name in studio_process["urls"] if name.startswith("my-") or "award" in name}
    assert about_learners == set()
    assert studio_process["urls"]


def test_only_the_lms_reads_learners(studio_process):
    assert studio_process["platform"] is None


LMS_PORTS = {
    "PLATFORM": "mooc_microcred_openedx.gateway.EdxPlatform",
    "CONTENT": "mooc_microcred_openedx.content.ModuleStoreContent",
    "AUTHORING": "mooc_microcred_openedx.authoring.CourseStaff",
}


class TestSettings:
    def test_each_kind_of_settings_of_the_platform_gets_ours(self):
        config = MicrocredOpenedxConfig.plugin_app["settings_config"]
        for process, module in (("lms.djangoapp", "lms"), ("cms.djangoapp", "cms")):
            kinds = {kind: one["relative_path"] for kind, one in config[process].items()}
            assert kinds == dict.fromkeys(("common", "production", "test", "devstack"), f"settings.{module}")

    def test_the_lms_has_the_gateway(self):
        settings = SimpleNamespace()
        lms.plugin_settings(settings)
        assert settings.MOOC_MICROCRED == LMS_PORTS

    def test_studio_has_none(self):
        settings = SimpleNamespace()
        common.plugin_settings(settings)
        assert settings.MOOC_MICROCRED == {"CONTENT": "mooc_microcred_openedx.content.ModuleStoreContent"}

    def test_what_the_operators_yaml_sets_stays_and_what_it_leaves_out_comes_back(self):
        settings = SimpleNamespace()
        lms.plugin_settings(settings)
        # The platform's production settings replace the whole dict by the YAML's.
        settings.MOOC_MICROCRED = {"KICK_INTERVAL": 9}
        lms.plugin_settings(settings)
        assert settings.MOOC_MICROCRED == {"KICK_INTERVAL": 9, **LMS_PORTS}
        settings.MOOC_MICROCRED["PLATFORM"] = "theirs"
        lms.plugin_settings(settings)
        assert settings.MOOC_MICROCRED["PLATFORM"] == "theirs"
