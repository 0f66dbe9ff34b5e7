"""What a page costs: asked for through the WSGI handler, in turns with a plain view of as many bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from django.core.handlers.wsgi import WSGIHandler

from benchmarks.harness import Figure, ratio

SECONDS = float(os.environ.get("MICROCRED_BENCH_VIEW_SECONDS", "3"))
LEAST = 200
# At least half as many per second: at most twice the time.
GOAL = 2


def get(handler: WSGIHandler, address: str, accept: str = "text/html", cookie: str = "") -> bytes:
    """Return the body of a page.

    Raises:
        RuntimeError: it is not answered with 200.
    """
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "lms.example.org",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
        "HTTP_ACCEPT": accept,
        "HTTP_ACCEPT_LANGUAGE": "th",
        "HTTP_COOKIE": cookie,
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


def compare(
    handler: WSGIHandler, title: str, addresses: tuple[str, str], accept: str = "text/html", cookie: str = ""
) -> Figure:
    """Return what the first address costs beside the second.

    They are asked for in turns, so that what else the machine does hits both alike; and the fastest
    tenth of each is what they cost when it does nothing else.
    """
    costs: tuple[list[float], list[float]] = ([], [])
    ends = time.perf_counter() + SECONDS
    while time.perf_counter() < ends or len(costs[0]) < LEAST:
        for address, cost in zip(addresses, costs, strict=True):
            began = time.perf_counter()
            get(handler, address, accept, cookie)
            cost.append(time.perf_counter() - began)
    ours, plain = (sorted(cost)[len(cost) // 10] * 1e6 for cost in costs)
    return ratio(title, ours, "us", plain, GOAL)


@contextmanager
def open_connection() -> Iterator[None]:
    """Keep the connection open between requests, as CONN_MAX_AGE has it in a worker."""
    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections

    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        yield
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)
