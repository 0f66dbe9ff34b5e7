"""The endpoint: for anybody, in every form in which a credential is sent, and nothing of it is kept."""

import json
import logging
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from mooc_microcred.credentials.baking import bake_png, bake_svg
from mooc_microcred.credentials.verification import limits
from mooc_microcred.credentials.verification.report import CheckName
from tests.credentials.verification.foreign import ForeignIssuer

VERIFY = "/api/mooc_microcred/v1/verify/"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed():
    issuer = ForeignIssuer()
    return issuer.sign(issuer.credential())


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return file.getvalue()


def post(client, body, **headers):
    return client.post(VERIFY, body, content_type="application/json", headers=headers)


def test_a_json_object_is_checked_without_signing_in(client, signed):
    answer = post(client, {"credential": signed})
    assert answer.status_code == 200, answer.content
    report = answer.json()
    assert report["verdict"] == "valid"
    assert [one["name"] for one in report["checks"]] == [one.value for one in CheckName]
    assert report["summary"]["issuer_name"] == "มหาวิทยาลัยตัวอย่าง"
    assert report["inner"] == []
    assert not report["our_own"]
    assert answer["Cache-Control"] == "private, no-store"


def test_text_and_a_jwt_are_checked(client, signed):
    issuer = ForeignIssuer()
    for text in (json.dumps(signed), issuer.token(issuer.credential())):
        assert post(client, {"credential": text}).json()["verdict"] == "valid"


@pytest.mark.parametrize("kind", ["json", "jwt", "svg", "png"])
def test_a_file_is_checked(client, signed, kind):
    text = json.dumps(signed, ensure_ascii=False)
    issuer = ForeignIssuer()
    content = {
        "json": lambda: text.encode(),
        "jwt": lambda: issuer.token(issuer.credential()).encode(),
        "svg": lambda: bake_svg(SVG, text),
        "png": lambda: bake_png(png(), text),
    }[kind]()
    file = SimpleUploadedFile(f"badge.{kind}", content, content_type="application/octet-stream")
    answer = client.post(VERIFY, {"file": file, "email": "nok@example.ac.th"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["verdict"] == "valid"
    subject = next(one for one in answer.json()["checks"] if one["name"] == "subject")
    assert subject["outcome"] == "passed"


def test_the_answer_comes_in_the_reader_s_language(client, signed):
    english = post(client, {"credential": signed}, **{"Accept-Language": "en"}).json()
    assert english["message"] == "This credential is valid."
    assert english["checks"][4]["title"] == "The signature is right"


def test_what_is_no_credential_is_an_answer_and_not_an_error(client):
    for text in ("hello", "{}", "https://badges.example.org/1", "[" * 1000):
        answer = post(client, {"credential": text})
        assert answer.status_code == 200
        assert answer.json()["verdict"] in ("invalid", "unknown")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"credential": null}',
        b'{"credential": 5}',
        b'{"credential": []}',
        b'{"credential": ""}',
        b'{"credential": {}, "credential": {}}',
        b'{"credential": {"a": NaN}}',
        b'{"credential": {}, "more": 1}',
        b'{"credential": {}, "email": "nobody"}',
        b'{"credential": "x", "file": "y"}',
        b'{"credential": ' + b"[" * 100 + b"]" * 100 + b"}",
        b"\xff\xfe",
    ],
)
def test_a_wrong_request_is_refused(client, body):
    answer = post(client, body)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_both_a_file_and_a_credential_are_refused(client):
    file = ContentFile(b"{}", name="a.json")
    assert client.post(VERIFY, {"file": file, "credential": "{}"}).status_code == 400
    assert client.post(VERIFY, {"email": "nok@example.ac.th"}).status_code == 400


def test_a_body_that_is_too_long_is_refused_before_it_is_read(client):
    answer = post(client, b"x" * (limits.MAX_UPLOAD_BYTES + 100_000))
    assert answer.status_code == 413


def test_other_media_types_and_methods_are_refused(client):
    assert client.post(VERIFY, b"x", content_type="text/plain").status_code == 415
    assert client.get(VERIFY).status_code == 405
    assert client.put(VERIFY, b"{}", content_type="application/json").status_code == 405


def test_nothing_is_written_and_nothing_is_logged(client, signed, caplog):
    caplog.set_level(logging.DEBUG)
    with CaptureQueriesContext(connection) as queries:
        answer = post(client, {"credential": signed, "email": "nok@example.ac.th"})
    assert answer.status_code == 200
    written = [one["sql"] for one in queries if one["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert written == []
    said = " ".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("django.db")
    )
    assert "nok@" not in said
    assert signed["id"] not in said


def test_one_address_may_ask_only_so_often(client, signed, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "VERIFY_RATE": "2/min"}
    codes = [
        client.post(
            VERIFY,
            {"credential": signed},
            content_type="application/json",
            REMOTE_ADDR="203.0.113.7",
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
        ).status_code
        for number in range(3)
    ]
    assert codes == [200, 200, 429], "what a client says of its address does not count"
    other = client.post(
        VERIFY, {"credential": signed}, content_type="application/json", REMOTE_ADDR="203.0.113.8"
    )
    assert other.status_code == 200


def test_a_signed_in_session_needs_its_csrf_token(client, signed, django_user_model):
    strict = Client(enforce_csrf_checks=True)
    assert post(strict, {"credential": signed}).status_code == 200
    strict.force_login(django_user_model.objects.create(username="ann"))
    assert post(strict, {"credential": signed}).status_code == 403
