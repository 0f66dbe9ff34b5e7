"""The wheel as pip installs it, with what it declares and nothing else, and within a platform's pins."""

import json
import re
import sys
import venv
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults import services
from tests.support.building import build_wheel, cannot, plain_environment, run

pytestmark = [pytest.mark.install, pytest.mark.slow, pytest.mark.xdist_group("clean-install")]

PINS = Path(__file__).parent / "platform_pins.txt"

SETTINGS = """
import json, os
SECRET_KEY = "only for tests"
USE_TZ = True
ROOT_URLCONF = "plain_urls"
STATIC_URL = "/static/"
DATABASES = {"default": json.loads(os.environ["PLAIN_DATABASE"])}
INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles",
    "rest_framework", "drf_spectacular", "waffle",
    "mooc_microcred.apps.MicrocredConfig", "mooc_microcred_openedx.apps.MicrocredOpenedxConfig",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
"""
# The address root as the platform's plugin machinery mounts it.
URLS = """
from django.contrib import admin
from django.urls import include, path
urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include(("mooc_microcred_openedx.urls", "mooc_microcred"))),
]
"""
LOOK = """
import importlib.util, json
import django
django.setup()
from django.urls import get_resolver
from django.contrib import admin
from mooc_microcred.models import *
from mooc_microcred import tasks
from celery import current_app

def count(patterns):
    return sum(count(one.url_patterns) if hasattr(one, "url_patterns") else 1 for one in patterns)

microcred = [one for one in get_resolver().url_patterns if getattr(one, "namespace", "") == "mooc_microcred"]
print(json.dumps({
    "urls": count(microcred),
    "admin": len([model for model in admin.site._registry if model._meta.app_label == "mooc_microcred"]),
    "tasks": sorted(name for name in current_app.tasks if name.startswith("mooc_microcred")),
    "absent": [name for name in ("weasyprint", "tutor", "completion") if not importlib.util.find_spec(name)],
}))
"""


def pip(python, *arguments):
    return run(
        python, "-m", "pip", "--no-input", "--disable-pip-version-check", *arguments, cwd=python.parent
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def new_environment(folder):
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    """An environment into which pip has installed the wheel and what it declares."""
    python = new_environment(tmp_path_factory.mktemp("clean") / "venv")
    try:
        pip(python, "install", "--quiet", wheel)
    except AssertionError as error:
        cannot(f"pip cannot install the package's requirements: {str(error)[-400:]}")
    return python


@pytest.fixture(scope="module")
def project(clean, tmp_path_factory):
    """Return a function that runs Python in a minimal project on a database."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "plain_settings.py").write_text(SETTINGS)
    (folder / "plain_urls.py").write_text(URLS)

    def python(database, *arguments):
        return run(
            clean,
            *arguments,
            cwd=folder,
            env=plain_environment(
                DJANGO_SETTINGS_MODULE="plain_settings",
                PYTHONPATH=str(folder),
                PLAIN_DATABASE=json.dumps(database),
            ),
        )

    return python


@pytest.fixture
def sqlite(tmp_path):
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db.sqlite3")}


@pytest.fixture
def mariadb(clean, wheel):
    """An empty MariaDB; its driver is the extra that is compiled."""
    try:
        import MySQLdb

        server = MySQLdb.connect(**services.database_server())
    except Exception as error:  # noqa: BLE001 whatever it is, there is no database
        services.absent("MariaDB on 127.0.0.1", error)
    pip(clean, "install", "--quiet", f"{wheel}[mysql]")
    name = f"microcred_clean_{uuid4().hex[:8]}"
    server.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    settings = services.database_settings()
    yield {
        **{key: settings[key] for key in ("ENGINE", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS")},
        "NAME": name,
    }
    server.cursor().execute(f"DROP DATABASE IF EXISTS `{name}`")
    server.close()


def test_what_is_declared_is_enough_and_fits_together(clean, project, sqlite):
    pip(clean, "check")
    seen = json.loads(project(sqlite, "-c", LOOK).splitlines()[-1])
    assert seen["urls"] > 20
    assert seen["admin"] > 5
    assert "mooc_microcred.tasks.relay_outbox" in seen["tasks"]
    assert {"weasyprint", "tutor", "completion"} == set(seen["absent"]), "extras, or the platform's"


def test_check_and_migrations_on_sqlite(project, sqlite):
    assert_checks_and_migrates(project, sqlite)


@pytest.mark.services
def test_check_and_migrations_on_mariadb(project, mariadb):
    assert_checks_and_migrates(project, mariadb)


def assert_checks_and_migrates(project, database):
    project(database, "-m", "django", "check", "--fail-level", "WARNING", "--database", "default")
    project(database, "-m", "django", "migrate", "--verbosity", "0")
    project(database, "-m", "django", "migrate", "--check")
    project(database, "-m", "django", "microcred_catalogue", "load", "--sample", "python-series")
    project(database, "-m", "django", "microcred_sweep", "--only", "relay", "evaluate", "--verbosity", "0")


@pytest.mark.parametrize("extra", ["", "[pdf]"])
def test_within_the_platform_s_pins_nothing_pinned_changes_its_version(wheel, tmp_path, extra):
    """What pip would install into an empty environment under the pins: it finds a way, and keeps to them."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the pins are those of a platform on Python 3.11")
    python = new_environment(tmp_path / "venv")
    report = tmp_path / "report.json"
    pip(
        python, "install", "--quiet", "--dry-run", "--ignore-installed",
        "--report", report, "-c", PINS, f"{wheel}{extra}",
    )  # fmt: skip
    pins = dict(
        line.split("==") for line in PINS.read_text().splitlines() if line and not line.startswith("#")
    )
    chosen = {
        re.sub(r"[-_.]+", "-", one["metadata"]["name"].lower()): one["metadata"]["version"]
        for one in json.loads(report.read_text())["install"]
    }
    assert {name: version for name, version in chosen.items() if pins.get(name, version) != version} == {}
    met = set(chosen) & set(pins)
    assert {"django", "cryptography", "celery", "djangorestframework", "openedx-events", "xblock"} <= met
    assert ("weasyprint" in chosen) == bool(extra)
