"""Bad input of every kind: a clear refusal that says where, in the reader's language, and no change."""

import json

import pytest
from django.utils import translation
from django.utils.translation import gettext

from mooc_microcred.core.lease import take_leases
from tests.rest_api.world import BASE, NATIONAL_ID, snapshot

FIND = f"{BASE}staff/learners/find/"
IDENTITIES = f"{BASE}staff/identities/"
CONSENTS = f"{BASE}my/consents/"
REPLAY = f"{BASE}staff/outbox/dead-letters/replay/"

deep_list = "[" * 100_000 + "]" * 100_000
deep_object = '{"ids":' * 500 + "1" + "}" * 500


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid"),
        (b"{", "malformed"),
        (b"\xff\xfe{}", "malformed"),
        (b'{"ids": [\xff]}', "malformed"),
        (b'{"ids": [NaN]}', "malformed"),
        (b'{"ids": [Infinity]}', "malformed"),
        (b'{"ids": [1], "ids": [2]}', "malformed"),
        (b'{"ids": [' + b"9" * 5000 + b"]}", "malformed"),
        (deep_list.encode(), "malformed"),
        (deep_object.encode(), "malformed"),
        (b"null", "invalid"),
        (b"[]", "invalid"),
        (b'"ids"', "invalid"),
        (b"1", "invalid"),
        (b"{}", "invalid"),
        (b'{"ids": []}', "invalid"),
        (b'{"ids": null}', "invalid"),
        (b'{"ids": 1}', "invalid"),
        (b'{"ids": {"a": 1}}', "invalid"),
        (b'{"ids": [0]}', "invalid"),
        (b'{"ids": [-1]}', "invalid"),
        (b'{"ids": [9223372036854775808]}', "invalid"),
        (b'{"ids": [1e400]}', "invalid"),
        (b'{"ids": [1.5]}', "invalid"),
        (b'{"ids": ["x"]}', "invalid"),
        (b'{"ids": ["\\u0000"]}', "invalid"),
        (b'{"ids": ["\\ud800"]}', "invalid"),
        (b'{"ids": [true]}', "invalid"),
        (b'{"ids": [[1]]}', "invalid"),
        (b'{"ids": [1], "\\ud800": 1}', "invalid"),
        (b'{"ids": [1], "\\u0000": 1}', "invalid"),
        (b'{"ids": [1], "more": 1}', "invalid"),
        (json.dumps({"ids": list(range(1, 1002))}).encode(), "invalid"),
    ],
)
def test_a_body_that_is_no_list_of_ids_is_refused(world, as_person, body, code):
    before = snapshot()
    answer = as_person("root").post(REPLAY, body, content_type="application/json")
    assert answer.status_code == 400, answer.content[:500]
    assert answer.json()["code"] == code
    assert answer.json()["message"]
    assert snapshot() == before


def test_a_problem_says_where_and_what(world, as_person):
    answer = as_person("root").post(REPLAY, {"ids": [5, "x", 0]}, content_type="application/json")
    problems = answer.json()["problems"]
    assert [(one["where"], one["value"]) for one in problems] == [("ids[1]", "x"), ("ids[2]", "0")]
    assert all(one["message"] for one in problems)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "image/png",
        "nonsense",
        "application/json/x",
    ],
)
def test_another_media_type_is_refused(world, as_person, content_type):
    answer = as_person("root").post(REPLAY, b"ids=1", content_type=content_type)
    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "ascii", "unicode_escape", "x" * 1000])
def test_the_charset_of_a_media_type_is_not_trusted(world, as_person, charset):
    # (Codecs that are no text encodings bring Django down before any view is asked.)
    # generic(), because post() would encode the body by that charset itself.
    answer = as_person("root").generic(
        "POST", f"{REPLAY}?x=%FF", b'{"ids": [1]}', content_type=f"application/json; charset={charset}"
    )
    assert answer.status_code == 400


def test_a_body_that_is_too_long_is_refused_before_it_is_read(world, as_person):
    body = b'{"ids": [' + b"1," * 600_000 + b"1]}"
    answer = as_person("root").post(REPLAY, body, content_type="application/json")
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize(
    "query",
    [
        "page_size=0",
        "page_size=201",
        "page_size=-1",
        "page_size=x",
        "page_size=" + "9" * 5000,
        "page_size=1&page_size=2",
        "page_size=",
        "page_size=%00",
        "cursor=-1",
        "cursor=9223372036854775808",
        "cursor=1.5",
        "cursor=\N{THAI DIGIT ONE}x",
        "learner_id=0",
        "learner_id=ann",
        "learner_id=%F0%90%80",
        "organization=%00",
        "organization=a%20b",
        "organization=" + "x" * 256,
        "organization=%ED%A0%80",
        "course=x",
        "course=course-v1:KMUTT",
        "course=%00",
        "course=block-v1:KMUTT+PY101+2026+type@html+block@x",
        "achievement=A",
        "achievement=x" + "y" * 64,
        "state=alive",
        "state=%00",
        "state[]=active",
        "unknown=1",
        "%FF=1",
        "%00=1",
        "%ED%A0%80=1",
    ],
)
def test_a_wrong_parameter_is_refused(world, as_person, query):
    answer = as_person("root").get(f"{BASE}staff/awards/?{query}")
    assert answer.status_code == 400, answer.content
    (problem, *_others) = answer.json()["problems"]
    assert problem["where"]
    assert problem["message"]


@pytest.mark.parametrize(
    "address",
    [
        "my/awards/not-a-uuid/",
        "my/awards/00000000-0000-0000-0000-000000000000/",
        "staff/awards/%00/",
        "staff/run-offers/0/adopt/",
        "staff/run-offers/99999999999999999999999/adopt/",
        "staff/run-offers/999999999999999999/adopt/",
        "staff/learners/99999999999999999999/identities/",
        "staff/learners/ann/identities/",
        "staff/learners/ann@example.com/progress/py101-l1/",
        "staff/learners/1/progress/%00/",
        "catalogue/achievements/nothing/",
        "catalogue/achievements/NOTHING/",
        "staff/credit-records/00000000-0000-0000-0000-000000000000/",
        "nothing/",
    ],
)
def test_an_address_of_nothing_is_not_found(world, as_person, address):
    method = "post" if address.endswith("adopt/") else "get"
    answer = getattr(as_person("root"), method)(BASE + address, content_type="application/json")
    assert answer.status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_other_methods_are_refused(world, as_person, method):
    answer = getattr(as_person("root"), method)(f"{BASE}me/")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "ann", "email": "ann@example.com"},
        {"username": ""},
        {"username": None},
        {"username": ["ann"]},
        {"username": {"a": 1}},
        {"username": "\x00"},
        {"username": "x" * 151},
        {"email": "ann"},
        {"email": "a@b.c" * 100},
        {"learner_id": "ann"},
        {"learner_id": True},
        {"learner_id": 2**63},
    ],
)
def test_a_learner_is_named_in_one_right_way(world, as_person, body):
    answer = as_person("root").post(FIND, json.dumps(body), content_type="application/json")
    assert answer.status_code == 400


def test_a_refusal_does_not_repeat_what_is_personal(world, as_person):
    for body in (
        {"username": "x" * 151},
        {"email": "somebody(at)example.com"},
        {"learner_id": world.things["ann"], "kind": "passport", "number": "AA1234567" * 9},
    ):
        address = IDENTITIES if "kind" in body else FIND
        answer = as_person("root").post(address, json.dumps(body), content_type="application/json")
        assert answer.status_code == 400
        assert [one["value"] for one in answer.json()["problems"]] == [""]


def test_a_wrong_identity_number_is_refused_without_being_repeated_or_logged(world, as_person, caplog):
    wrong = NATIONAL_ID[:-1] + str((int(NATIONAL_ID[-1]) + 1) % 10)
    body = {"learner_id": world.things["ann"], "kind": "national_id", "number": wrong}
    answer = as_person("root").post(IDENTITIES, body, content_type="application/json")
    assert answer.status_code == 400
    assert wrong not in answer.content.decode()
    assert wrong not in caplog.text


def test_a_consent_to_an_older_text_is_refused(world, as_person):
    body = {"bank": "thai-bank", "text_version": "2025-1", "language": "th"}
    answer = as_person("bob").post(CONSENTS, body, content_type="application/json")
    assert answer.status_code == 400
    unknown = {"bank": "no-bank", "text_version": "2025-1", "language": "th"}
    assert as_person("bob").post(CONSENTS, unknown, content_type="application/json").status_code == 404


def test_refusals_are_in_the_readers_language(world, as_person):
    client = as_person("ann")
    thai = client.get(f"{BASE}my/awards/?page_size=0", headers={"accept-language": "th"})
    english = client.get(f"{BASE}my/awards/?page_size=0", headers={"accept-language": "en"})
    assert thai["Content-Language"] == "th"
    thai_words = thai.json()["problems"][0]["message"]
    assert any("\N{THAI CHARACTER KO KAI}" <= letter <= "\N{THAI CHARACTER KHOMUT}" for letter in thai_words)
    assert english.json()["problems"][0]["message"] != thai_words
    with translation.override("th"):
        assert thai.json()["message"] == gettext("The request has mistakes.")


def test_the_platform_being_away_is_said_and_changes_nothing(world, as_person, platform):
    platform.away = True
    before = snapshot()
    answer = as_person("ann").get(f"{BASE}my/programmes/")
    assert answer.status_code == 503
    assert answer.json()["code"] == "platform_unavailable"
    assert int(answer["Retry-After"]) > 0
    assert snapshot() == before


def test_a_learner_whose_awards_are_being_worked_on_is_busy(world, as_person):
    take_leases([world.things["ann"]])
    answer = as_person("root").post(
        f"{BASE}staff/awards/{world.things['award']}/revoke/",
        {"note": "A mistake."},
        content_type="application/json",
    )
    assert answer.status_code == 409
