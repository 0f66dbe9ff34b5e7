"""Settings of the benchmarks: the test project on MariaDB, with a platform that is computed."""

import os

os.environ.setdefault("MICROCRED_TEST_DB", "mariadb")
os.environ.setdefault("MICROCRED_TEST_DB_NAME", "microcred_bench")

from tests.settings import *  # noqa: E402, F403
from tests.settings import MOOC_MICROCRED as TEST_SETTINGS  # noqa: E402

MOOC_MICROCRED = {
    **TEST_SETTINGS,
    "PLATFORM": "benchmarks.computed_platform.ComputedPlatform",
    "CACHE_TTL": 60,
}
CELERY_TASK_ALWAYS_EAGER = True
LOGGING = {"version": 1, "disable_existing_loggers": True}
