"""What a learner takes along: the list, the bundle, and the Open Badges 3.0 API for backpacks."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.core import clock
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials.models import Credential
from mooc_microcred.credentials.verification.report import Verdict
from tests.credentials.issuing_world import award_level_2, award_programme, credential_of, issue_all, level_2
from tests.support.factories import revoke

pytestmark = pytest.mark.django_db
MY = "/api/mooc_microcred/v1/my/credentials/"
WALLET = "/api/mooc_microcred/ims/ob/v3p0/"


@pytest.fixture
def ann(platform):
    user = get_user_model().objects.create_user("ann", password=None)
    platform.add_learner(user.pk, name="สมหญิง ใจดี", username="ann", email="ann@example.ac.th")
    platform.learners[user.pk] = replace(platform.learners[user.pk], profile_name="Somying")
    return user


@pytest.fixture
def bob(platform):
    user = get_user_model().objects.create_user("bob", password=None)
    platform.add_learner(user.pk, name="Bob B.", username="bob", email="bob@example.ac.th")
    return user


@pytest.fixture
def held(ann, bob):
    """Return Ann's two credentials; Bob has one too."""
    first, second = award_level_2(ann.pk), award_level_2(ann.pk)
    award_level_2(bob.pk)
    issue_all()
    return [credential_of(first), credential_of(second)]


def queries(client, address):
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


def test_the_list_has_ones_own_with_their_pages(client, ann, held):
    client.force_login(ann)
    rows = client.get(MY).json()["results"]
    assert [row["uuid"] for row in rows] == [held[1].uuid, held[0].uuid]
    assert rows[0]["state"] == "valid"
    assert rows[0]["visibility"] == "link"
    assert rows[0]["page"] == f"https://lms.example.org/microcred/credentials/{held[1].uuid}"
    revoke(held[0].award)
    assert client.get(MY).json()["results"][1]["state"] == "revoked"


def test_the_learner_decides_by_the_api(client, ann, held):
    client.force_login(ann)
    address = f"{MY}{held[0].uuid}/sharing/"
    answer = client.post(
        address, {"visibility": "public", "name_choice": "profile"}, content_type="application/json"
    )
    assert answer.json() == {"visibility": "public", "name_choice": "profile", "shown_name": "Somying"}
    assert client.get(address).json() == answer.json()
    answer = client.post(address, {"name_choice": "none"}, content_type="application/json")
    assert answer.json() == {"visibility": "public", "name_choice": "none", "shown_name": ""}
    assert client.post(address, {"visibility": "x"}, content_type="application/json").status_code == 400


def test_while_the_platform_is_away_no_name_is_taken(client, ann, held, platform):
    client.force_login(ann)
    platform.away = True
    address = f"{MY}{held[0].uuid}/sharing/"
    answer = client.post(address, {"name_choice": "verified"}, content_type="application/json")
    assert answer.status_code == 503
    assert Credential.objects.get(pk=held[0].pk).name_choice == ""


def test_a_backpack_pulls_ones_own_signed_documents(client, ann, held):
    client.force_login(ann)
    answer = client.get(f"{WALLET}credentials")
    body = answer.json()
    assert answer["X-Total-Count"] == "2"
    assert body["compactJwsString"] == []
    assert [one["id"].rpartition("/")[2] for one in body["credential"]] == [held[1].uuid, held[0].uuid]
    for one in body["credential"]:
        report = credentials.verify(credential=json.dumps(one), email="ann@example.ac.th")
        assert report.verdict is Verdict.VALID, report.message


def test_a_backpack_pulls_page_by_page(client, ann, held):
    client.force_login(ann)
    answer = client.get(f"{WALLET}credentials", {"limit": 1})
    assert len(answer.json()["credential"]) == 1
    links = dict(reversed(one.split("; rel=")) for one in answer["Link"].split(", "))
    assert set(links) == {'"first"', '"last"', '"next"'}
    following = links['"next"'].strip("<>").removeprefix("https://lms.example.org")
    second = client.get(following)
    assert second.json()["credential"][0]["id"].endswith(held[0].uuid)
    assert '"prev"' in second["Link"]
    assert '"next"' not in second["Link"]
    later = (clock.now() + timedelta(minutes=5)).isoformat()
    assert client.get(f"{WALLET}credentials", {"since": later}).json()["credential"] == []
    for wrong in ({"limit": 0}, {"limit": 101}, {"offset": -1}, {"since": "yesterday"}, {"colour": "red"}):
        assert client.get(f"{WALLET}credentials", wrong).status_code == 400, wrong


def test_the_profile_says_nothing_of_the_person(client, ann, held):
    client.force_login(ann)
    answer = client.get(f"{WALLET}profile")
    assert answer.json()["id"].startswith("urn:uuid:")
    for personal in ("ann", "สมหญิง"):
        assert personal not in answer.content.decode()


def test_whoever_is_not_signed_in_gets_the_description_only(client, held):
    for name in ("credentials", "profile"):
        assert client.get(WALLET + name).status_code == 401
    description = client.get(f"{WALLET}discovery").json()
    assert set(description["paths"]) == {"/credentials", "/profile"}
    assert description["servers"] == [{"url": f"https://lms.example.org{WALLET.rstrip('/')}"}]
    (flow,) = [
        one["flows"]["authorizationCode"] for one in description["components"]["securitySchemes"].values()
    ]
    assert flow["tokenUrl"] == "https://lms.example.org/oauth2/access_token"


def test_a_wrong_token_opens_nothing(client, held):
    for word in ("Bearer", "JWT"):
        answer = client.get(f"{WALLET}credentials", headers={"Authorization": f"{word} a.b.c"})
        assert answer.status_code == 401


def test_the_bundle_holds_every_document_byte_for_byte(client, ann, held):
    program = award_programme(ann.pk, [one.award for one in held])
    issue_all()
    client.force_login(ann)
    answer = client.get(f"{MY}bundle/")
    assert answer["Content-Type"] == "application/zip"
    assert "attachment" in answer["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        assert len(manifest["credentials"]) == 3
        for name, sha256 in manifest["sha256"].items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == sha256
        documents = {archive.read(one["file"]) for one in manifest["credentials"]}
        assert credentials.signed_bytes(uuid=held[0].uuid) in documents
        (record,) = [name for name in archive.namelist() if name.startswith("records/")]
        uuid = credential_of(program).uuid
        assert archive.read(record) == credentials.signed_bytes(uuid=uuid, record=True)


@pytest.mark.parametrize("address", [MY, f"{WALLET}credentials", f"{MY}bundle/"])
def test_few_and_many_credentials_cost_the_same(client, ann, held, address):
    client.force_login(ann)
    # What is read once per process is read before.
    client.get(address)
    few = queries(client, address)
    for _number in range(10):
        award_level_2(ann.pk, level_2())
    issue_all()
    client.get(address)
    assert queries(client, address) == few
