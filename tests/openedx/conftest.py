"""Fixtures of the plugin's tests."""

from __future__ import annotations

import socket

import pytest
from django.contrib.auth import get_user_model

from mooc_microcred.achievements import watch
from mooc_microcred.achievements.models import CourseRequirement, EvaluationRequest
from mooc_microcred_openedx.guards import failures
from tests.celery_app import app
from tests.support.definitions import RUN, level1

OTHER_RUN = "course-v1:CMU+OTHER+2026"
QUEUE = "edx.lms.core.default"
BLOCK = "block-v1:KMUTT+PY101+2026+type@html+block@"


@pytest.fixture(autouse=True)
def _no_failures():
    failures.clear()


@pytest.fixture
def microcred(settings):
    """Return a function that changes keys of MOOC_MICROCRED for the length of a test."""

    def change(**keys):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, **keys}

    return change


@pytest.fixture
def watched(db, microcred):
    """Put an achievement of RUN's course in force and hold the set of courses, as a server does."""
    microcred(CACHE_TTL=60)
    level1()
    watch.refresh()
    return RUN


@pytest.fixture
def watched_for_completion(watched):
    CourseRequirement.objects.update(needs_completion=True)
    watch.refresh()
    return RUN


@pytest.fixture
def missing_table(monkeypatch):
    """Let every INSERT of a request be refused by the database: the table is not there."""
    monkeypatch.setattr(EvaluationRequest._meta, "db_table", "mooc_microcred_not_migrated")


@pytest.fixture
def user(db):
    return get_user_model().objects.create(username="somchai")


@pytest.fixture
def broker():
    """Return a function that gives Celery a real broker by its URL instead of being eager."""
    before = app.conf.task_always_eager, app.conf.broker_url

    def use(url: str):
        app.conf.task_always_eager = False
        app.conf.broker_url = url
        return app

    yield use
    app.conf.task_always_eager, app.conf.broker_url = before


@pytest.fixture
def messages(broker):
    """Return a function that takes all messages out of the queue of an in-memory broker."""
    app = broker("memory://")

    def take():
        with app.connection_for_read() as connection, connection.channel() as channel:
            found = []
            while message := channel.basic_get(QUEUE):
                channel.basic_ack(message.delivery_tag)
                found.append(message)
            return found

    with app.connection_for_read() as connection:
        app.amqp.queues.select_add(QUEUE)(connection.channel()).declare()
    take()
    return take


@pytest.fixture
def closed_port():
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def silent_port():
    """Return a port of loopback that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        yield server.getsockname()[1]
