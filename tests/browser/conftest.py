"""Fixtures of the tests that drive a real browser."""

import pytest

from tests.support.browser import chromium, open_page

__all__ = ["chromium", "open_page"]


def pytest_collection_modifyitems(items):
    """Mark every test here, so that `-m "not browser"` leaves them out."""
    for item in items:
        if "/tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
