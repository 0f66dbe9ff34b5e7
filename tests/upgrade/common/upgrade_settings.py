"""Settings of a process of either release: the domain on one database, and little else."""

import json
import os

SECRET_KEY = "only for tests"  # noqa: S105
USE_TZ = True
LANGUAGES = [("en", "English"), ("th", "ไทย")]
DATABASES = {"default": json.loads(os.environ["UPGRADE_DATABASE"])}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rest_framework",
    "mooc_microcred.apps.MicrocredConfig",
    "mooc_microcred_openedx.apps.MicrocredOpenedxConfig",
]
# Kicks go nowhere: the sweeper does the work of the workers, by the same functions.
CELERY_TASK_ALWAYS_EAGER = True
MOOC_MICROCRED = {
    "PLATFORM": "upgrade_campus.campus",
    "CACHE_TTL": 0,
    "LEASE_SECONDS": 5,
    "PRIVATE_STORAGE_ROOT": os.environ["UPGRADE_FILES"],
    "ENCRYPTION_KEYS": ["o0LzIO6PGNB-RWDIr31q8murRn_RWHdfKuXkHqEnd7w="],
    "IDENTITY_HASH_KEY": "only for the hashes of tests",
    "BANKS": {
        "central": {
            "backend": "mooc_microcred.creditbank.backends.file_drop.FileDropBackend",
            "name": {"th": "คลังหน่วยกิตกลาง", "en": "Central bank"},
            "kinds": ["level2", "programme"],
            "requires_identity": False,
            "consent_text": {"version": "2569-1", "th": "ข้าพเจ้ายินยอม", "en": "I agree"},
            "options": {"folder": "drop"},
        }
    },
    # What one release knows and the other would call mistyped.
    **json.loads(os.environ["UPGRADE_SETTINGS"]),
}
