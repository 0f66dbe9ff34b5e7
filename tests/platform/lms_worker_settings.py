"""Settings of the LMS worker that Studio's tests start: tables and messages in one folder of the test."""

import os
from pathlib import Path

from lms.envs.test import *  # noqa: F403

FOLDER = Path(os.environ["MICROCRED_TEST_FOLDER"])

DATABASES = {
    name: {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(FOLDER / f"{name}.sqlite3"),
        "ATOMIC_REQUESTS": True,
    }
    for name in DATABASES  # noqa: F405
}


class NoMigrations:
    """Tables straight from the models, as the tests have them."""

    def __contains__(self, _app):
        return True

    def __getitem__(self, _app):
        return None


MIGRATION_MODULES = NoMigrations()
CELERY_ALWAYS_EAGER = False
BROKER_URL = "filesystem://"
BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": str(FOLDER / "messages"),
    "data_folder_out": str(FOLDER / "messages"),
    "control_folder": str(FOLDER / "control"),
}
LOGGING = {"version": 1, "disable_existing_loggers": False}
