"""Schemathesis on the OpenAPI document: whatever is sent, the API answers and a refusal changes nothing."""

from __future__ import annotations

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mooc_microcred.rest_api.v1.schema import openapi_document
from tests.rest_api.world import BASE, snapshot

EXAMPLES = 20
CSRF = "a" * 32
# What is answered is what the document says.
DESCRIBED = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def described():
    """Return the document as schemathesis reads it, calling the real WSGI application in this process.

    As in Django's own test client, the beginning and the end of a request do not close the
    connection in whose transaction the test runs.
    """
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    document = {**openapi_document(), "servers": [{"url": BASE.rstrip("/")}]}
    schema = schemathesis.openapi.from_dict(document)
    schema.app = get_wsgi_application()
    yield schema
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


def _operations():
    return [(path, method) for path, methods in openapi_document()["paths"].items() for method in methods]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda one: one.name.lower())
@pytest.mark.parametrize(("path", "method"), _operations(), ids=lambda one: one)
def test_whatever_is_sent_is_answered_and_a_refusal_changes_nothing(described, world, path, method, mode):
    operation = described[path][method.upper()]
    if mode is GenerationMode.NEGATIVE and not (
        operation.body or operation.query or operation.path_parameters
    ):
        pytest.skip("nothing in it can be wrong")
    client = Client()
    client.force_login(world.person("root"))
    cookies = {name: morsel.value for name, morsel in client.cookies.items()} | {"csrftoken": CSRF}
    real = {
        "award": world.things["award"],
        "offer": world.things["offer"],
        "record": world.things["record"],
        "learner_id": world.things["ann"],
        "code": "py101-l2",
        "framework": world.things["framework"],
        "token": world.things["preview"],
        "credential": world.things["credential"],
    }
    before = snapshot()
    seen = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(generation_mode=mode),
        existing=st.booleans(),
        batch=st.sampled_from(["mixed", "imported", "signed", "released"]),
    )
    def call(case, existing, batch):
        real["batch"] = world.things[batch]
        if existing and case.path_parameters:
            # Made-up ids only ever find nothing.
            case.path_parameters = {name: real[name] for name in case.path_parameters}
        savepoint = transaction.savepoint()
        try:
            answer = case.call(cookies=cookies, headers={"X-CSRFToken": CSRF})
            seen.add(answer.status_code)
            assert answer.status_code < 500, answer.text[:1000]
            if answer.status_code >= 400 or method == "get":
                assert snapshot() == before
            if answer.status_code == 404 and answer.headers["content-type"][0].startswith("text/html"):
                return  # an address that is none of ours: the platform's own page
            case.validate_response(answer, checks=DESCRIBED)
        finally:
            transaction.savepoint_rollback(savepoint)

    call()
    assert seen
