"""Settings of the processes that these tests start: MariaDB, a real broker, and the platform in tables.

The tests' own process keeps ``tests.settings`` and turns its connection to the same database: see
``conftest.py``.
"""

import os

os.environ.setdefault("MICROCRED_TEST_DB", "mariadb")

from tests.settings import *  # noqa: E402, F403
from tests.settings import DATABASES, MOOC_MICROCRED  # noqa: E402

DATABASES["default"]["NAME"] = os.environ.get("MICROCRED_FAULTS_DB", "microcred_faults")

# No process of a test waits long for what another one has locked.
DATABASES["default"]["OPTIONS"] = {
    "charset": "utf8mb4",
    "isolation_level": "read committed",
    "init_command": "SET SESSION innodb_lock_wait_timeout = 20",
}

MOOC_MICROCRED = {
    **MOOC_MICROCRED,
    "PLATFORM": "tests.support.table_platform.the_platform",
    "KICK_INTERVAL": 0.2,
    # Short, so that a test can wait until the claims of a killed worker have run out.
    "LEASE_SECONDS": 5,
    "EVALUATION_BATCH": 20,
}


class _WithoutMigrations:
    """Every app's tables come from its models: what is tested here is their use."""

    def __contains__(self, app):
        return True

    def __getitem__(self, app):
        return None


MIGRATION_MODULES = _WithoutMigrations()

CELERY_TASK_ALWAYS_EAGER = False
CELERY_TASK_EAGER_PROPAGATES = False
CELERY_TASK_DEFAULT_QUEUE = "edx.lms.core.default"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
