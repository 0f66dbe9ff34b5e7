"""Fixtures of the tests that drive a real browser: the sandbox on a live server, with competencies."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from mooc_microcred.competencies import api as competencies
from sandbox.accounts import load_accounts
from sandbox.content import load_courses
from sandbox.models import Course
from sandbox.studio.content import lay_out
from tests.xblocks.conftest import competency, framework


def pytest_collection_modifyitems(items):
    """Mark every test here, so that `-m "not browser"` leaves them out."""
    for item in items:
        if "/tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def sandbox(transactional_db, settings):
    """Return the sandbox's courses by number, on the live server's database."""
    settings.ROOT_URLCONF = "sandbox.urls"
    settings.LOGIN_URL = "sandbox:login"
    settings.DEBUG = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "PLATFORM": "sandbox.platform.SandboxPlatform",
        "CONTENT": "sandbox.studio.content.SandboxContent",
        "AUTHORING": "sandbox.studio.authoring.SandboxAuthoring",
        "COMPLETION_DEBOUNCE": 0,
        "API_RATE": None,
    }
    courses = load_courses()
    load_accounts()
    for course in courses:
        lay_out(course)
    call_command("microcred_catalogue", "load", sample=["python-series"], verbosity=0)
    return {course.number: course for course in Course.objects.all()}


@pytest.fixture
def people(sandbox):
    """Return the accounts by user name."""
    return {user.username: user for user in get_user_model().objects.all()}


@pytest.fixture
def skills(sandbox):
    """Return a framework in a tree: two groups with three competencies each."""
    made = framework("Digital skills")
    for group in ("PY", "DA"):
        top = competency(made, group, en=f"Group {group}", th=f"กลุ่ม {group}")
        for number in (1, 2, 3):
            competency(
                made,
                f"{group}-{number}",
                parent=top,
                en=f"Write programs of kind {group} {number}",
                th=f"เขียนโปรแกรมแบบ {group} {number} ได้",
                domain="skills",
            )
    return made


@pytest.fixture
def sweep():
    """Return a function that does what the worker does: tags, evaluation, outbox."""

    def run():
        competencies.sync_due()
        call_command("microcred_sweep", verbosity=0)

    return run
