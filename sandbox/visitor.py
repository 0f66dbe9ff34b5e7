"""A person with a browser, who opens pages, fills in their forms and calls the REST API in one session."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from sandbox.stage import DemoFailed

API = "/api/mooc_microcred/v1/"
TIMEOUT = 30


class Form:
    """A form of a page: where it goes, what it sends by itself, and its choices."""

    def __init__(self, action: str):
        self.action = action
        self.hidden: dict[str, str] = {}
        self.names: set[str] = set()
        self.buttons: set[tuple[str, str]] = set()

    def takes(self, fields: Mapping[str, Any]) -> bool:
        """Say whether the form has these fields, and a button for what is to be done."""
        named = {name for name, _value in self.buttons}
        return self.names >= set(fields) and all(
            (name, value) in self.buttons for name, value in fields.items() if name in named
        )


class _Forms(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.found: list[Form] = []
        self.language = ""
        self._open: Form | None = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "html":
            self.language = given.get("lang", "")
        if tag == "form":
            self._open = Form(given.get("action", ""))
            self.found.append(self._open)
        elif self._open is not None and given.get("name"):
            self._open.names.add(given["name"])
            if tag == "input" and given.get("type") == "hidden":
                self._open.hidden[given["name"]] = given.get("value", "")
            if tag == "button":
                self._open.buttons.add((given["name"], given.get("value", "")))

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = None


class Visitor:
    """One person in one browser.

    Attributes:
        at: path of the page that the last form led to.
    """

    def __init__(self, web: str, username: str, language: str = "en"):
        self.web = web
        self.username = username
        self.at = ""
        self.session = requests.Session()
        # No proxy between us and loopback.
        self.session.trust_env = False
        self.session.headers["Accept-Language"] = language
        self.submit("/login/", f"/login/as/{username}/")

    def page(self, path: str) -> str:
        """Open a page and return its text.

        Raises:
            DemoFailed: it is not there.
        """
        answer = self.session.get(urljoin(self.web, path), timeout=TIMEOUT)
        if answer.status_code != 200:
            raise DemoFailed(f"{self.username} opened {path} and got {answer.status_code}")
        return answer.text

    def submit(
        self,
        path: str,
        to: str | None = None,
        *,
        on: str = "",
        file: tuple[str, bytes] | None = None,
        expect: int = 200,
        **fields: Any,
    ) -> str:
        """Fill in a form of a page and send it; return the page that comes.

        Args:
            to: address of the form, where the page has several; else the form with these fields.
            on: the page's text where it is open already; else it is opened.
            file: name and content of a file that the form takes.
            expect: status of the page that comes.

        Raises:
            DemoFailed: there is no such form, or the answer is not the expected page.
        """
        named = {**fields, "file": ""} if file else fields
        for form in _Forms(on or self.page(path)).found:
            # A form may name the place on its own page that shows what came of it.
            own = not form.action.partition("#")[0]
            if form.action == to if to else own and form.takes(named):
                break
        else:
            raise DemoFailed(f"{self.username} finds no form {to or sorted(named)} on {path}")
        address = urljoin(urljoin(self.web, path), form.action)
        answer = self.session.post(
            address,
            data={**form.hidden, **fields},
            files={"file": file} if file else None,
            headers={"Referer": address},
            timeout=TIMEOUT,
        )
        if answer.status_code != expect:
            raise DemoFailed(f"{self.username} sent {to or path} and got {answer.status_code}")
        self.at = urlsplit(answer.url).path
        return answer.text

    def language_of(self, path: str) -> str:
        """Return the language in which a page says it is written."""
        return _Forms(self.page(path)).language

    def get(self, endpoint: str, **query: Any) -> Any:
        """Read an endpoint of the REST API.

        Raises:
            DemoFailed: the answer is not 200.
        """
        return self._read("GET", endpoint, 200, params=query)

    def post(self, endpoint: str, data: Any = None, *, expect: int = 200) -> Any:
        """Send JSON to an endpoint of the REST API.

        Raises:
            DemoFailed: the answer has another status than expected.
        """
        return self._read("POST", endpoint, expect, json=data if data is not None else {})

    def _read(self, method: str, endpoint: str, expect: int, **request: Any) -> Any:
        headers = {"X-CSRFToken": self.session.cookies.get("csrftoken", ""), "Referer": self.web}
        answer = self.session.request(
            method, urljoin(self.web, API + endpoint), headers=headers, timeout=TIMEOUT, **request
        )
        if answer.status_code != expect:
            raise DemoFailed(
                f"{self.username}: {method} {endpoint} answered {answer.status_code} instead of {expect}: "
                f"{answer.text[:600]}"
            )
        return answer.json() if answer.content else None
