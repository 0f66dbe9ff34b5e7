"""The OpenAPI document: valid, complete, without warnings, and our own endpoints only."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.validation import validate_schema

from mooc_microcred.rest_api.v1.schema import openapi_document
from mooc_microcred.rest_api.v1.urls import urlpatterns
from tests.rest_api.world import BASE


@pytest.fixture
def document():
    openapi_document.cache_clear()
    yield openapi_document()
    openapi_document.cache_clear()


def test_it_is_valid_and_made_without_a_warning(document):
    validate_schema(document)
    reset_generator_stats()
    openapi_document.cache_clear()
    openapi_document()
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_it_has_every_endpoint_and_nothing_else(document):
    assert len(document["paths"]) == len({pattern.name for pattern in urlpatterns})
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert len(described) == sum(
        hasattr(pattern.callback.view_class, method)
        for pattern in urlpatterns
        for method in ("get", "post", "put", "patch", "delete")
    )


def test_every_operation_has_a_name_a_summary_and_describes_its_refusals(document):
    names = []
    for methods in document["paths"].values():
        for method, one in methods.items():
            names.append(one["operationId"])
            assert one["summary"]
            assert one["security"] == [{"jwt": []}, {"session": []}]
            assert {"400", "401", "403", "429"} <= one["responses"].keys()
            if "requestBody" in one:
                assert {"413", "415"} <= one["responses"].keys()
                assert method == "post"
    assert len(names) == len(set(names))


def test_no_parameter_of_an_address_is_free_text(document):
    for path, methods in document["paths"].items():
        for one in methods.values():
            for parameter in one.get("parameters", ()):
                if parameter["in"] == "path":
                    schema = parameter["schema"]
                    assert schema["type"] == "integer" or schema.keys() & {"pattern", "format"}, path


def test_it_is_served_with_the_address_at_which_the_platform_has_mounted_us(world, as_person):
    answer = as_person("ann").get(f"{BASE}schema/")
    assert answer.status_code == 200
    assert answer.json()["servers"] == [{"url": BASE.rstrip("/")}]
    assert "/my/awards/" in answer.json()["paths"]


def test_it_does_not_follow_the_platforms_settings(document, settings, tmp_path):
    """In a process of its own, because the library reads its settings when it is imported."""
    program = """
import json, sys, django
from django.conf import settings
import tests.settings as ours
values = {name: getattr(ours, name) for name in dir(ours) if name.isupper()}
values["REST_FRAMEWORK"] = {"DEFAULT_SCHEMA_CLASS": "rest_framework.schemas.openapi.AutoSchema"}
values["SPECTACULAR_SETTINGS"] = {
    "TITLE": "somebody else's", "CAMELIZE_NAMES": True, "SCHEMA_PATH_PREFIX": "/my",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "COMPONENT_SPLIT_REQUEST": False, "PREPROCESSING_HOOKS": ["tests.rest_api.test_openapi.drop_everything"],
    "AUTHENTICATION_WHITELIST": [], "DISABLE_ERRORS_AND_WARNINGS": True, "SECURITY": [{"x": []}],
}
settings.configure(**values)
django.setup()
from mooc_microcred.rest_api.v1.schema import openapi_document
json.dump(openapi_document(), sys.stdout, sort_keys=True, default=str)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == json.loads(json.dumps(document, default=str))


def drop_everything(endpoints):
    return []
