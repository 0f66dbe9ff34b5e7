"""The credential page, its JSON and a status list, beside a Django view with one query and as many bytes.

All in one run, through the same WSGI handler and the platform's kind of middleware, so what is
compared is what the views themselves cost.
"""

from __future__ import annotations

import os
import time
from io import BytesIO

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import include, path

from benchmarks.harness import Figure, ratio

SECONDS = float(os.environ.get("MICROCRED_BENCH_VIEW_SECONDS", "3"))
LEARNER = 990_000_001
# At least half as many per second: at most twice the time.
GOAL = 2
LEAST = 200

_PADDING: dict[str, bytes] = {}


def one_query(_request, uuid, name):
    """Look one row up by its uuid and answer with as many bytes as the measured view does."""
    from mooc_microcred.credentials.models import Credential

    if Credential.objects.filter(uuid=uuid).values_list("pk", flat=True).first() is None:
        return HttpResponse(status=404)
    return HttpResponse(_PADDING[name], content_type="text/html; charset=utf-8")


urlpatterns = [
    path("one-query/<uuid:uuid>/<slug:name>", one_query),
    path("", include("tests.urls")),
]


def _issue():
    """Return the credential of a Level 2 award, issued as the room issues it."""
    from mooc_microcred.core.platform import get_platform
    from mooc_microcred.credentials.models import Credential
    from tests.credentials.issuing_world import award_level_2, issue_all

    platform = get_platform()
    if hasattr(platform, "add_learner"):
        platform.add_learner(LEARNER)
    award = award_level_2(LEARNER)
    issue_all()
    return Credential.objects.select_related("status_list").get(award=award, live=True)


def _get(handler: WSGIHandler, address: str, accept: str = "text/html") -> bytes:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": address,
        "QUERY_STRING": "",
        "SERVER_NAME": "lms.example.org",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
        "HTTP_ACCEPT": accept,
        "HTTP_ACCEPT_LANGUAGE": "th",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    status = []
    answer = handler(environ, lambda line, _headers: status.append(line))
    body = b"".join(answer)
    answer.close()
    if not status[0].startswith("200"):
        raise RuntimeError(f"{address}: {status[0]}")
    return body


def _in_turns(handler: WSGIHandler, addresses: tuple[str, str], accept: str) -> list[float]:
    """Return the seconds of a request to each of two addresses, asked for in turns.

    So that what else the machine does hits both alike; and the fastest tenth of each is what they
    cost when it does nothing else.
    """
    costs: tuple[list[float], list[float]] = ([], [])
    ends = time.perf_counter() + SECONDS
    while time.perf_counter() < ends or len(costs[0]) < LEAST:
        for address, cost in zip(addresses, costs, strict=True):
            began = time.perf_counter()
            _get(handler, address, accept)
            cost.append(time.perf_counter() - began)
    return [sorted(cost)[len(cost) // 10] for cost in costs]


def run() -> list[Figure]:
    """Return how long each answer takes beside a view of the same size with one query."""
    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections
    from django.test.utils import override_settings

    from mooc_microcred.credentials.status.lists import sign_due

    row = _issue()
    sign_due()
    page = f"/microcred/credentials/{row.uuid}"
    measured = {
        "page": ("verification page of a credential", page, "text/html"),
        "json": ("signed credential as JSON", f"{page}/credential.json", "application/json"),
        "list": ("status list", f"/microcred/status/{row.status_list.code}/revocation", "*/*"),
    }
    figures = []
    # The connection stays open, as CONN_MAX_AGE has it in a worker.
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        with override_settings(ROOT_URLCONF="benchmarks.verification"):
            handler = WSGIHandler()
            for name, (title, address, accept) in measured.items():
                _PADDING[name] = b"x" * len(_get(handler, address, accept))
                beside = f"/one-query/{row.uuid}/{name}"
                _get(handler, beside)
                ours, plain = (one * 1e6 for one in _in_turns(handler, (address, beside), accept))
                figures.append(ratio(f"{title}, beside a view with one query", ours, "us", plain, GOAL))
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)
    return figures
