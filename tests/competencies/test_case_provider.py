import json

import pytest
from django.test import Client

from mooc_microcred.competencies import api
from mooc_microcred.core.roles import Actor
from tests.competencies.packages import PACKAGE, ident

pytestmark = pytest.mark.django_db

BASE = "/api/mooc_microcred/ims/case/v1p1"
BOSS = Actor(user_id=1, superuser=True)


@pytest.fixture
def published(db):
    shown = api.preview_import(actor=BOSS, content=json.dumps(PACKAGE).encode(), organization="KMUTT")
    api.commit_import(actor=BOSS, token=shown.token, publish=True)


def get(path, **headers):
    return Client().get(f"{BASE}/{path}", headers=headers)


def test_everybody_reads_a_published_framework(published):
    (listed,) = get("CFDocuments").json()["CFDocuments"]
    assert listed["identifier"] == ident("english")
    assert listed["CFPackageURI"]["uri"].endswith(f"{BASE}/CFPackages/{ident('english')}")
    assert get(f"CFDocuments/{ident('english')}").json() == listed
    package = get(f"CFPackages/{ident('english')}")
    assert package["Access-Control-Allow-Origin"] == "*"
    rows = {row["humanCodingScheme"]: row for row in package.json()["CFItems"]}
    assert rows["EN-1"] == next(row for row in PACKAGE["CFItems"] if row["humanCodingScheme"] == "EN-1")
    one = get(f"CFItems/{ident('EN-1')}").json()
    assert one["CFDocumentURI"]["identifier"] == ident("english")
    assert one["fullStatement"] == "Gets the gist"


def test_an_item_comes_with_what_begins_and_ends_at_it(published):
    found = get(f"CFItemAssociations/{ident('EN-1')}").json()
    assert found["CFItem"]["identifier"] == ident("EN-1")
    assert sorted(one["associationType"] for one in found["CFAssociations"]) == [
        "exactMatchOf",
        "isChildOf",
        "precedes",
        "replacedBy",
    ]
    one = found["CFAssociations"][0]
    assert get(f"CFAssociations/{one['identifier']}").json() == one


def test_a_reader_who_has_this_revision_is_told_so(published):
    first = get(f"CFPackages/{ident('english')}")
    again = get(f"CFPackages/{ident('english')}", if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    api.set_framework_state(actor=BOSS, framework=ident("english"), state="retired")
    assert get(f"CFPackages/{ident('english')}", if_none_match=first["ETag"]).status_code == 200


def test_drafts_are_nobodys(published):
    api.set_framework_state(actor=BOSS, framework=ident("english"), state="draft")
    assert get("CFDocuments").json() == {"CFDocuments": []}
    for path in (
        f"CFDocuments/{ident('english')}",
        f"CFPackages/{ident('english')}",
        f"CFItems/{ident('EN-1')}",
        f"CFItemAssociations/{ident('EN-1')}",
        f"CFItems/{ident('nothing')}",
    ):
        answer = get(path)
        assert answer.status_code == 404
        assert answer.json()["imsx_codeMajor"] == "failure"


def test_the_list_comes_in_pages(published):
    for number in range(4):
        one = json.loads(json.dumps(PACKAGE))
        one["CFDocument"]["identifier"] = ident(f"framework {number}")
        one["CFItems"], one["CFAssociations"] = [], []
        shown = api.preview_import(actor=BOSS, content=json.dumps(one).encode(), organization="KMUTT")
        api.commit_import(actor=BOSS, token=shown.token, publish=True)
    seen, offset = [], 0
    while True:
        answer = get(f"CFDocuments?limit=2&offset={offset}")
        assert answer["X-Total-Count"] == "5"
        seen += [row["identifier"] for row in answer.json()["CFDocuments"]]
        if 'rel="next"' not in answer["Link"]:
            break
        offset += 2
    assert len(set(seen)) == 5


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=0", "limit=-1", "offset=-1", "offset=1e3", "limit=99999999999999"]
)
def test_a_page_that_is_none_is_refused_in_the_words_of_the_standard(published, query):
    answer = get(f"CFDocuments?{query}")
    assert answer.status_code == 400
    assert answer.json()["imsx_severity"] == "error"


def test_nobody_writes(published):
    assert Client().post(f"{BASE}/CFDocuments").status_code == 405
    assert Client().delete(f"{BASE}/CFItems/{ident('EN-1')}").status_code == 405


def test_a_page_costs_few_queries(published, django_assert_max_num_queries):
    for path, most in (
        # Two of them begin and end the request's transaction.
        ("CFDocuments", 4),
        (f"CFPackages/{ident('english')}", 5),
        (f"CFItems/{ident('EN-1')}", 3),
        (f"CFItemAssociations/{ident('EN-1')}", 5),
    ):
        with django_assert_max_num_queries(most):
            get(path)
