"""The Celery app of the test run, which finds tasks as the platform's does.

Eager by the settings. MICROCRED_TEST_BROKER (a broker's URL) makes it a real one, for tests that start
worker processes: ``celery -A tests.celery_app worker -Q edx.lms.core.default``.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

app = Celery("tests")
app.config_from_object("django.conf:settings", namespace="CELERY")
if broker := os.environ.get("MICROCRED_TEST_BROKER"):
    app.conf.broker_url = broker
    app.conf.task_always_eager = False
app.autodiscover_tasks()
