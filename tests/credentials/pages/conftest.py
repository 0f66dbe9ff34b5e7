"""Fixtures of the tests of the pages."""

from tests.support.browser import chromium, open_page

__all__ = ["chromium", "open_page"]
