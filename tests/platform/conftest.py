"""Fixtures of the suite inside the platform; they import it only when a test runs.

The two that replace pytest-django's and webpack's are what the platform's own conftest does, which
pytest does not find from outside.
"""

import pytest
from cryptography.fernet import Fernet

from tests.platform.only import process

if process():
    # Before anything imports lxml, as manage.py does.
    from openedx.core.lib.safe_lxml import defuse_xml_libs

    defuse_xml_libs()


@pytest.fixture(autouse=True)
def _django_clear_site_cache():
    """Leave the cache of sites alone: edx-django-sites-extensions holds on to it."""


@pytest.fixture(autouse=True)
def _no_webpack(monkeypatch):
    """Let pages render where no assets were built."""
    bundle = "webpack_loader.templatetags.webpack_loader.render_bundle"
    monkeypatch.setattr(bundle, lambda entry, extension=None, config="DEFAULT", attrs="": "")
    for name in ("get_as_tags", "get_files"):
        monkeypatch.setattr(
            f"webpack_loader.utils.{name}", lambda entry, extension=None, config="DEFAULT", attrs="": []
        )


@pytest.fixture(autouse=True)
def _clean_process_state():
    from edx_django_utils.cache import RequestCache

    from mooc_microcred.achievements import watch
    from mooc_microcred.core import kick
    from mooc_microcred_openedx.guards import failures

    def forget():
        RequestCache.clear_all_namespaces()
        watch.forget()
        kick.forget()
        failures.clear()

    forget()
    yield
    forget()


@pytest.fixture(autouse=True)
def microcred(settings, tmp_path):
    """Give the suite its secrets, and return a function that changes keys of MOOC_MICROCRED.

    Courses with achievements are read anew each time (CACHE_TTL 0), as the tests' databases come and go.
    """

    def change(**keys):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, **keys}

    change(
        CACHE_TTL=0,
        COMPLETION_DEBOUNCE=0,
        API_RATE=None,
        API_UPLOAD_RATE=None,
        PRIVATE_STORAGE_ROOT=str(tmp_path),
        ENCRYPTION_KEYS=[Fernet.generate_key().decode()],
        IDENTITY_HASH_KEY="only for the hashes of tests",
    )
    return change


@pytest.fixture
def modulestore():
    """Give the test a module store of its own, with the signal by which courses get their overviews."""
    from xmodule.modulestore.tests.django_utils import (
        TEST_DATA_SPLIT_MODULESTORE,
        ModuleStoreIsolationMixin,
    )

    class Isolation(ModuleStoreIsolationMixin):
        MODULESTORE = TEST_DATA_SPLIT_MODULESTORE
        ENABLED_SIGNALS = ["course_published"]
        ENABLED_CACHES = ["default", "mongo_metadata_inheritance", "loc_cache"]

    Isolation.start_modulestore_isolation()
    yield
    Isolation.end_modulestore_isolation()


@pytest.fixture
def campus(db, settings, modulestore):
    """Return an LMS with what its certificates need; courses and people come from its own factories."""
    from tests.platform.campus import Campus

    settings.FEATURES = {**settings.FEATURES, "CERTIFICATES_HTML_VIEW": True}
    with Campus() as campus:
        yield campus
