"""Fixtures of the sandbox's tests: the sandbox's own port and pages in the test project."""

import pytest
from django.contrib.auth import get_user_model

from mooc_microcred.core.conf import microcred_settings
from sandbox.accounts import load_accounts
from sandbox.content import load_courses
from sandbox.models import Course


@pytest.fixture
def sandbox_settings(settings):
    """Run the test project as the sandbox runs: its URLs, its port, DEBUG's plain sending of events."""
    settings.ROOT_URLCONF = "sandbox.urls"
    settings.LOGIN_URL = "sandbox:login"
    settings.LOGIN_REDIRECT_URL = settings.LOGOUT_REDIRECT_URL = "sandbox:home"
    settings.DEBUG = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "PLATFORM": "sandbox.platform.SandboxPlatform",
        "COMPLETION_DEBOUNCE": 0,
    }
    return microcred_settings


@pytest.fixture
def sandbox(db, sandbox_settings):
    """Return the loaded sandbox: courses by number."""
    load_courses()
    load_accounts()
    return {course.number: course for course in Course.objects.all()}


@pytest.fixture
def people(sandbox):
    """Return the accounts by user name."""
    return {user.username: user for user in get_user_model().objects.all()}


@pytest.fixture
def browser(client, people):
    """Return a function that gives a browser in which somebody is signed in."""

    def sign_in(username="learner", language="en"):
        client.force_login(people[username])
        client.cookies["django_language"] = language
        return client

    return sign_in
