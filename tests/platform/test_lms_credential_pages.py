"""Public pages, certificates and the wallet inside the LMS: its middleware, its sessions, its tokens."""

from tests.platform.only import only_in

only_in("lms")

# ruff: noqa: E402 the platform is imported after it is known to be there
import io
import json

import pytest
from django.test import Client
from openedx.core.djangoapps.oauth_dispatch.jwt import create_jwt_for_user

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import Award
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials.models import Credential
from tests.support.definitions import level1
from tests.support.platform_contract import PY101

pytestmark = pytest.mark.django_db(databases="__all__")
WALLET = "/api/mooc_microcred/ims/ob/v3p0/"
NAME = "สมหญิง ใจดี"


@pytest.fixture
def learner(campus, microcred):
    microcred(PUBLIC_URL="https://lms.example.org")
    campus.add_course(PY101)
    learner = campus.add_learner("somying", name=NAME)
    campus.enrol(learner, PY101)
    level1()
    campus.certify(learner, PY101)
    while api.evaluate_due().requests:
        pass
    return learner


@pytest.fixture
def page(learner):
    award = Award.objects.get(learner_id=learner)
    uuid = credentials.issue_credential(award_uuid=award.uuid)
    return f"/microcred/credentials/{uuid}"


def test_strangers_read_the_page_and_programs_the_document(page):
    answer = Client().get(page)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "ใบรับรอง" in answer.content.decode() or "ไทย py101-l1" in answer.content.decode()
    document = Client().get(page, headers={"Accept": "application/vc+ld+json"}).json()
    assert document["id"] == f"https://lms.example.org{page}"
    report = credentials.verify(credential=json.dumps(document))
    assert report.verdict == "valid", report.message
    for name in ("/badge.png", "/badge.svg", "/og.png", "/assertion.json", "/credential.jwt"):
        assert Client().get(page + name).status_code == 200, name


def test_the_certificate_is_typeset_within_the_platforms_pins(page):
    pytest.importorskip("weasyprint", reason="the extra pdf is not installed")
    pikepdf = pytest.importorskip("pikepdf", reason="without it the file cannot be looked into")
    answer = Client().get(f"{page}/certificate.pdf?lang=th")
    assert answer.status_code == 200, answer.content
    assert answer.content.startswith(b"%PDF-1.7")
    with pikepdf.open(io.BytesIO(answer.content)) as pdf:
        (associated,) = pdf.Root.AF
        assert associated.AFRelationship == "/Data"
        assert json.loads(associated.EF.F.read_bytes())["id"].endswith(page)
        assert "pdfaid:part" in pdf.Root.Metadata.read_bytes().decode()
        assert len(pdf.pages) == 2


def test_the_learner_decides_after_signing_in_on_the_platform(campus, learner, page):
    address = f"{page}/sharing"
    assert Client().get(address).status_code == 302
    client = campus.signed_in(learner)
    form = client.get(f"{address}?lang=en")
    assert form.status_code == 200
    assert NAME in form.content.decode()
    answer = client.post(f"{address}?lang=en", {"visibility": "private", "name_choice": "verified"})
    assert "Saved." in answer.content.decode()
    assert Client().get(page).status_code == 404
    assert NAME in client.get(page).content.decode()
    assert Credential.objects.get().visibility == "private"


@pytest.mark.parametrize("word", ["JWT", "Bearer"])
def test_a_backpack_pulls_with_a_token_of_the_platform(campus, learner, page, word):
    token = create_jwt_for_user(campus.user(learner))
    client = Client(headers={"authorization": f"{word} {token}"})
    (document,) = client.get(f"{WALLET}credentials").json()["credential"]
    assert document["id"].endswith(page)
    other = create_jwt_for_user(campus.user(campus.add_learner("other")))
    client = Client(headers={"authorization": f"{word} {other}"})
    assert client.get(f"{WALLET}credentials").json()["credential"] == []
    assert Client().get(f"{WALLET}discovery").status_code == 200
