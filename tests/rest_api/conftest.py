"""Fixtures of the API's tests."""

import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests.rest_api.world import BANK, build_world


@pytest.fixture(autouse=True)
def _unlimited(settings, tmp_path):
    """Take the limits of requests away; the tests of the limits set their own."""
    settings.MOOC_MICROCRED = {
        **django_settings.MOOC_MICROCRED,
        "API_RATE": None,
        "API_UPLOAD_RATE": None,
        "PRIVATE_STORAGE_ROOT": str(tmp_path / "private"),
        "BANKS": {"thai-bank": BANK},
    }


@pytest.fixture
def world(db, platform):
    """Return the world that every endpoint is called in."""
    return build_world(platform)


@pytest.fixture
def as_person(world):
    """Return a function that gives a client in which the named person is signed in."""

    def sign_in(name):
        client = Client(raise_request_exception=True)
        if name != "anonymous":
            client.force_login(world.person(name), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
