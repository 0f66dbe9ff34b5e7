"""A worker of the LMS in a process of its own: it has a certified learner, and waits for a message.

Started by Studio's tests; runs one task of its queue and tells as JSON what came of it.
"""

import json
import os
import sys
from contextlib import suppress

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.platform.lms_worker_settings"

QUEUE = "edx.lms.core.default"
COURSE = "course-v1:KMUTT+PY101+2026"


def prepare() -> int:
    """Make tables, a course, a learner with its certificate, and a request to look at the learner."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from lms.djangoapps.certificates.models import GeneratedCertificate
    from opaque_keys.edx.keys import CourseKey
    from openedx.core.djangoapps.content.course_overviews.models import CourseOverview

    from mooc_microcred.achievements import api
    from tests.support.definitions import level1

    call_command("migrate", run_syncdb=True, verbosity=0)
    key = CourseKey.from_string(COURSE)
    CourseOverview.objects.bulk_create(
        [
            CourseOverview(
                id=key,
                _location=key.make_usage_key("course", "course"),
                version=CourseOverview.VERSION,
                org=key.org,
                display_name="Basics",
                certificates_display_behavior="early_no_info",
                cert_html_view_enabled=True,
                eligible_for_financial_aid=False,
            )
        ]
    )
    (learner,) = get_user_model().objects.bulk_create([get_user_model()(id=7, username="somying")])
    GeneratedCertificate.objects.bulk_create(
        [
            GeneratedCertificate(
                user=learner, course_id=key, status="downloadable", mode="honor", verify_uuid="a" * 32
            )
        ]
    )
    level1()
    api.request_evaluation(learner_id=learner.id, course_key=COURSE, reason="test")
    return learner.id


def main() -> None:
    """Run until one task is done."""
    import django

    django.setup()
    learner = prepare()

    from celery import current_app
    from celery.signals import task_postrun
    from celery.worker import state

    done = []

    def stop(task, **_):
        done.append(task.name)
        state.should_stop = 0

    task_postrun.connect(stop, weak=False)
    with suppress(SystemExit):
        current_app.worker_main(
            [
                "worker",
                "--queues",
                QUEUE,
                "--pool",
                "solo",
                "--without-gossip",
                "--without-mingle",
                "--loglevel",
                "WARNING",
            ]
        )

    from mooc_microcred.achievements import api

    found = [(one.code, one.state) for one in api.list_awards(learner_id=learner)]
    # The worker has put a logger where standard output was.
    json.dump({"tasks": done, "awards": found}, sys.__stdout__)


if __name__ == "__main__":
    main()
