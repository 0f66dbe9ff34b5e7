"""Skips what needs a process of the platform that this is not."""

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PROCESSES = {"lms.urls": "lms", "cms.urls": "cms"}


def process() -> str:
    """Return ``lms`` or ``cms``, and an empty text outside of the platform."""
    try:
        return PROCESSES.get(settings.ROOT_URLCONF, "")
    except ImproperlyConfigured:
        return ""


def only_in(wanted: str) -> None:
    """Skip the calling module unless it is collected in the ``wanted`` process."""
    if process() != wanted:
        pytest.skip(
            f"needs edx-platform with --ds={wanted}.envs.test; tests/platform/README.md says how",
            allow_module_level=True,
        )
