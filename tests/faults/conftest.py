"""The database, the broker and the workers of these tests."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from mooc_microcred.core.conf import microcred_settings
from tests.faults import services
from tests.faults.processes import Process
from tests.support import table_platform


@pytest.fixture(scope="session")
def faults_database():
    """Make the database with its tables, and drop it in the end; return Django's settings of it."""
    try:
        import MySQLdb

        server = MySQLdb.connect(**services.database_server())
    except Exception as error:  # noqa: BLE001 whatever it is, there is no database
        services.absent("MariaDB on 127.0.0.1", error)
    cursor = server.cursor()
    name = services.DATABASE
    cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
    cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    try:
        made = subprocess.run(
            [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity=0"],
            cwd=services.ROOT,
            env=services.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        cursor.execute(f"USE `{name}`")
        for table in table_platform.TABLES:
            cursor.execute(table)
        yield services.database_settings()
    finally:
        cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
        server.close()


@pytest.fixture
def mariadb(faults_database, django_db_blocker, settings):
    """Turn this process to an empty MariaDB with the platform in tables; return that platform."""
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "PLATFORM": "tests.support.table_platform.the_platform",
    }
    with django_db_blocker.unblock(), services.turned_to(faults_database):
        services.empty_database()
        table_platform.the_platform.reset()
        yield table_platform.the_platform


@pytest.fixture
def lease(mariadb):
    """Return the time after which a dead worker's leases and claims have run out."""
    return timedelta(seconds=microcred_settings.LEASE_SECONDS + 1)


@pytest.fixture
def start(mariadb):
    """Return a function that starts processes; none of them outlives the test."""
    started = []

    def start_one(work, **how):
        started.append(Process(work, **how))
        return started[-1]

    yield start_one
    for one in started:
        one.dispose()


@pytest.fixture
def redis():
    """Return a client of an empty Redis database."""
    try:
        import redis as client

        server = client.Redis.from_url(services.broker_url(), socket_connect_timeout=3)
        server.ping()
    except Exception as error:  # noqa: BLE001 whatever it is, there is no broker
        services.absent("Redis on 127.0.0.1", error)
    server.flushdb()
    yield server
    server.flushdb()
    server.close()
