"""The sandbox on a live server, with the stand-ins of the shells beside it."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.browser.conftest import people, sandbox, sweep
from tests.mfe.packed import shells

__all__ = ["people", "sandbox", "sweep"]


@pytest.fixture(scope="session")
def bundles():
    """Return the folder with both stand-ins, compiled once."""
    folder = shells(f"shells.{os.getpid()}")
    yield folder
    shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture
def dashboards(sandbox, bundles, settings, tmp_path):
    """Serve both learner dashboards from the live server."""
    settings.ROOT_URLCONF = "tests.mfe.urls"
    settings.MICROCRED_SHELLS = str(bundles)
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "BANKS": {
            "central": {
                "backend": "mooc_microcred.creditbank.backends.file_drop.FileDropBackend",
                "name": {"th": "คลังหน่วยกิตกลาง", "en": "Central credit bank"},
                "options": {},
            }
        },
    }
    return sandbox
