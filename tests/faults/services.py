"""The real services of these tests: where they are, and what the tests do to them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, connections, transaction

from tests.celery_app import app as celery_app

ROOT = Path(__file__).parents[2]
DATABASE = os.environ.get("MICROCRED_FAULTS_DB", f"microcred_faults_{os.getpid()}")
# The one of Redis' numbered databases that these tests empty.
BROKER_DATABASE = int(os.environ.get("MICROCRED_TEST_REDIS_DB", "5"))


def database_server() -> dict[str, Any]:
    """Return what MySQLdb needs to connect."""
    return {
        "host": "127.0.0.1",
        "port": int(os.environ.get("MICROCRED_TEST_DB_PORT", "3306")),
        "user": os.environ.get("MICROCRED_TEST_DB_USER", "microcred"),
        "password": os.environ.get("MICROCRED_TEST_DB_PASSWORD", "microcred"),
        "connect_timeout": 3,
    }


def database_settings() -> dict[str, Any]:
    """Return Django's settings of the database, complete."""
    server = database_server()
    mariadb = {
        "ENGINE": "django.db.backends.mysql",
        "NAME": DATABASE,
        "HOST": server["host"],
        "PORT": str(server["port"]),
        "USER": server["user"],
        "PASSWORD": server["password"],
        "OPTIONS": {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "init_command": "SET SESSION innodb_lock_wait_timeout = 20",
        },
    }
    return connections.configure_settings({"default": mariadb})["default"]


def broker_url(port: int | None = None) -> str:
    """Return the broker's URL; with a port, that of a broker that is not there."""
    port = port or int(os.environ.get("MICROCRED_TEST_REDIS_PORT", "6379"))
    return f"redis://127.0.0.1:{port}/{BROKER_DATABASE}"


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that works on the database and broker of these tests."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "MICROCRED_TEST_DB": "mariadb",
        "MICROCRED_FAULTS_DB": DATABASE,
        "PYTHONPATH": str(ROOT),
        **more,
    }


def absent(what: str, error: Exception) -> None:
    """Skip where a developer has no such service; fail where the build promised it."""
    message = f"{what} cannot be reached ({type(error).__name__}: {error})"
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"{message}, and CI says that it must be there")
    pytest.skip(message)


@contextmanager
def turned_to(database: dict[str, Any]) -> Iterator[None]:
    """Let "default" be another database in all threads of this process and in the children it forks."""
    settings_before, before = connections.settings["default"], connections["default"]
    connections.settings["default"] = database
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = settings_before
        connections["default"] = before


def empty_database() -> None:
    """Delete every row of our tables and of the platform's."""
    tables = [model._meta.db_table for model in apps.get_app_config("mooc_microcred").get_models()]
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
        for table in [*tables, "lms_state", "lms_ask"]:
            cursor.execute(f"DELETE FROM `{table}`")
        cursor.execute("SET FOREIGN_KEY_CHECKS = 1")


@contextmanager
def sending_to(url: str) -> Iterator[None]:
    """Let this process send its kicks to a broker, instead of being eager."""
    # Another test may have started a worker of another app in this thread.
    celery_app.set_current()
    conf = celery_app.conf
    before = conf.broker_url, conf.task_always_eager
    conf.broker_url, conf.task_always_eager = url, False
    try:
        yield
    finally:
        conf.broker_url, conf.task_always_eager = before


def wait_for(condition: Callable[[], Any], *, what: str, seconds: float = 120.0) -> Any:
    """Return the first true answer of a condition that is asked again and again for so long.

    Raises:
        AssertionError: it never was.
    """
    ends = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < ends, f"{what}: not within {seconds} seconds"
        time.sleep(0.02)
    return answer
