"""Fixtures that every test may use."""

import pytest
from django.core.cache import cache
from django.utils import translation

import tests
from mooc_microcred.achievements import watch
from mooc_microcred.competencies.api import use_competency_source
from mooc_microcred.core import kick
from mooc_microcred.credentials import issuing, storing
from tests.support.authors import the_authors

# Once for all tests: a process can hold one of playwright only.
from tests.support.browser import chromium, open_page
from tests.support.memory_content import the_content
from tests.support.memory_platform import the_platform
from tests.support.plugin import connect_receivers

__all__ = ["chromium", "open_page"]


@pytest.fixture(autouse=True, scope="session")
def _receivers():
    """Connect the receivers, as a platform does when it starts."""
    connect_receivers()
    # Where openedx-core is installed the app has found it; its own tests say that it is there.
    use_competency_source(None)


@pytest.fixture(autouse=True)
def _clean_process_state():
    """Leave nothing in the process that an earlier test put there."""
    the_platform.reset()
    the_content.reset()
    the_authors.reset()
    cache.clear()
    watch.forget()
    kick.forget()
    # Their keys are given anew after each test.
    storing._content.cache_clear()
    # They are kept by keys of rows, which SQLite gives anew after each test.
    issuing._templates._kept.clear()
    # A request in Thai leaves its language in the thread.
    translation.deactivate()
    # A worker of another app that a test started in this thread leaves that app as the current one.
    if hasattr(tests, "celery_app"):
        tests.celery_app.set_current()
    yield
    watch.forget()
    the_platform.reset()


@pytest.fixture
def authors():
    """Return the authors in memory; this process counts as Studio unless a test says otherwise."""
    return the_authors


@pytest.fixture
def platform():
    """Return the platform in memory."""
    return the_platform


@pytest.fixture
def content():
    """Return the published courses in memory."""
    return the_content
