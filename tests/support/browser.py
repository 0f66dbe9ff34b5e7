"""A real Chromium for tests: pages, people who are signed in, and what axe-core says of a page.

Fixtures: ``chromium`` (one browser for the session) and ``open_page`` (a page of the live server), imported
by the conftest of all tests. Debian's browser is driven, or the one that MICROCRED_CHROMIUM names; where
there is none the tests skip and say so, except in continuous integration.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

# Threads of the live server share the one connection of a database in memory, and with it the transaction.
_shared_connection = threading.Lock()


def one_at_a_time(get_response):
    """Answer the live server's requests one after the other where they share a connection (middleware)."""

    def answer(request):
        live = request.META.get("SERVER_SOFTWARE", "").startswith("WSGIServer")
        if not (live and connection.vendor == "sqlite" and connection.is_in_memory_db()):
            return get_response(request)
        with _shared_connection:
            return get_response(request)

    return answer


FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
# Findings of these two grades fail a test.
GRAVE = ("serious", "critical")


def _missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def find_chromium() -> str:
    """Return the path of the browser, or an empty text."""
    named = os.environ.get("MICROCRED_CHROMIUM", "")
    return named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
    )


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Return a running browser, as playwright drives it."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is not installed (extra: test)")
    path = find_chromium()
    if not path:
        _missing("there is no Chromium: install Debian's package chromium, or name one by MICROCRED_CHROMIUM")
    # Playwright's loop runs in this thread, and Django would refuse the test's own queries in it.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS, headless=True)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


def session_of(user: Any) -> str:
    """Return the key of a session in which the user is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key


class Complaints(list):
    """What the browser complained about: errors of scripts, of the console, and refused resources."""


@pytest.fixture
def open_page(chromium, live_server) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a path of the live server in a fresh profile.

    ``open_page(path, user=None, language="en", viewport=DESKTOP)`` returns a playwright page whose
    ``complaints`` list what the browser logged as errors, with the violations of a Content Security Policy
    among them.
    """
    contexts = []

    def opened(path: str, *, user=None, language: str = "en", viewport=DESKTOP, scripts: bool = True):
        context = chromium.new_context(
            viewport=viewport,
            locale=language,
            base_url=live_server.url,
            java_script_enabled=scripts,
        )
        contexts.append(context)
        cookies = [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}]
        if user is not None:
            cookies.append(
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": session_of(user),
                    "url": live_server.url,
                    "httpOnly": True,
                }
            )
        context.add_cookies(cookies)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.complaints = Complaints()
        page.on("pageerror", lambda error: page.complaints.append(f"script: {error}"))
        page.on(
            "console",
            lambda line: (
                page.complaints.append(f"console: {line.text}")
                if line.type == "error" and not line.location.get("url", "").endswith("/favicon.ico")
                else None
            ),
        )
        page.on(
            "response",
            lambda answer: (
                page.complaints.append(f"{answer.status} {answer.url}")
                # Browsers ask for it where a page names none.
                if answer.status >= 400 and not answer.url.endswith("/favicon.ico")
                else None
            ),
        )
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()


def _axe() -> str:
    try:
        return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    except ModuleNotFoundError:
        _missing("axe-playwright-python is not installed (extra: test)")
        raise


def accessibility_problems(page: Any, within: str | None = None) -> list[str]:
    """Return axe-core's serious and critical findings, a line each.

    Args:
        within: a CSS selector; None means the whole page.
    """
    page.evaluate(_axe())
    found = page.evaluate("within => axe.run(within || document, {resultTypes: ['violations']})", within)
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: "
        + "; ".join(node["html"][:160] for node in one["nodes"][:4])
        for one in found["violations"]
        if one["impact"] in GRAVE
    ]


def overflow(page: Any) -> int:
    """Return by how many CSS pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def photograph(page: Any, name: str) -> None:
    """Keep a picture of the whole page where MICROCRED_PICTURES names a folder; else do nothing."""
    folder = os.environ.get("MICROCRED_PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
