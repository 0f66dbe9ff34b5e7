"""Fixtures that every test may use."""

import pytest
from django.core.cache import cache

from tests.support.memory_platform import the_platform


@pytest.fixture(autouse=True)
def _clean_process_state():
    """Leave nothing in the process that an earlier test put there."""
    the_platform.reset()
    cache.clear()
    yield
    the_platform.reset()


@pytest.fixture
def platform():
    """Return the platform in memory."""
    return the_platform
