"""The pages of frameworks: reading a file, seeing what it would change, doing it, taking it away again."""

import csv
import io
import json

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mooc_microcred.competencies import api, taxonomies
from mooc_microcred.competencies.models import Competency, ContentTag, Framework, FrameworkImport
from mooc_microcred.core.models import AuditEntry, StaffRole
from tests.competencies.frameworks import identifier, make_framework
from tests.competencies.packages import PACKAGE, ident

pytestmark = pytest.mark.django_db
LIST = "/microcred/staff/frameworks/"
OFFICER, AUDITOR, STRANGER, LEARNER = 201, 202, 203, 204
TABLE = "code,statement_th,statement_en,domain,parent\nA,กลุ่มหนึ่ง,Group one,,\nA-1,ทำได้,Can do it,skills,A\n"


@pytest.fixture
def staff(platform):
    """Return a function that returns a browser in which somebody is signed in."""
    roles = {
        OFFICER: ("programme_officer", "KMUTT"),
        AUDITOR: ("auditor", "KMUTT"),
        STRANGER: ("programme_officer", "MU"),
    }
    for number in (OFFICER, AUDITOR, STRANGER, LEARNER):
        get_user_model().objects.create_user(f"user{number}", pk=number, password=None)
        platform.add_learner(number, f"Name {number}", f"user{number}", f"user{number}@example.com")
    for number, (role, organization) in roles.items():
        StaffRole.objects.create(user_id=number, role=role, organization=organization)

    def browser(number, language="en", **options):
        client = Client(headers={"accept-language": language}, **options)
        client.force_login(get_user_model().objects.get(pk=number))
        return client

    return browser


def text(response):
    return response.content.decode()


def read(client, content, **fields):
    content = content if isinstance(content, bytes) else content.encode()
    given = {"file": SimpleUploadedFile("x.csv", content), "organization": "KMUTT", **fields}
    return client.post(LIST, given, follow=True)


def preview_of(response):
    return response.redirect_chain[-1][0].partition("#")[0]


def page_of(framework):
    return f"{LIST}{framework.identifier}/"


def test_a_new_table_is_shown_first_and_only_then_done(staff):
    client = staff(OFFICER)
    shown = read(client, TABLE, title_th="กรอบใหม่", title_en="New framework")
    assert shown.status_code == 200
    assert "New framework" in text(shown)
    assert "Group one" in text(shown)
    assert not Framework.objects.exists()
    done = client.post(preview_of(shown), {"publish": "true"}, follow=True)
    assert "it has 2 competencies" in text(done)
    made = Framework.objects.get()
    assert (made.title_th, made.organization, made.state) == ("กรอบใหม่", "KMUTT", "published")
    assert AuditEntry.objects.get(action="framework.import").actor_id == OFFICER
    again = client.post(preview_of(shown), follow=True)
    assert "done already" in text(again)
    assert Framework.objects.count() == 1


def test_a_package_names_its_framework_itself(staff):
    client = staff(OFFICER)
    shown = read(client, json.dumps(PACKAGE))
    client.post(preview_of(shown), {})
    assert Framework.objects.get().identifier == ident("english")
    assert Framework.objects.get().state == "draft"


def test_a_newer_table_of_a_known_one_shows_what_changes_and_keeps_the_identifiers(staff, english):
    client = staff(OFFICER)
    exported = client.get(f"{page_of(english)}csv/file")
    rows = list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"))))
    assert len(rows) == 5
    before = Competency.objects.get(code="EN-2").identifier
    changed = exported.content.decode("utf-8-sig").replace("Writes e-mail", "Writes good e-mail")
    shown = read(client, changed, framework=english.identifier)
    assert "statement in English" in text(shown)
    assert "Writes good e-mail" in text(shown)
    client.post(preview_of(shown), {"publish": "true"})
    after = Competency.objects.get(code="EN-2")
    assert (after.identifier, after.statement_en) == (before, "Writes good e-mail")


def test_what_is_in_use_is_not_retired_without_a_word(staff, english):
    used = Competency.objects.get(code="EN-2")
    ContentTag.objects.create(
        course_key="course-v1:K+1+1",
        source="olx",
        said_by="block-v1:K+1+1+type@x+block@y",
        usage_key="block-v1:K+1+1+type@vertical+block@y",
        relation="assesses",
        framework=english.identifier,
        item=used.identifier,
        weight=1,
    )
    client = staff(OFFICER)
    exported = client.get(f"{page_of(english)}csv/file").content.decode("utf-8-sig")
    without = "".join(line for line in exported.splitlines(True) if "Writes e-mail" not in line)
    shown = read(client, without, framework=english.identifier)
    assert "In use and without a successor: EN-2" in text(shown)
    refused = client.post(preview_of(shown), {})
    assert refused.status_code == 409
    assert "In use and without a successor: EN-2" in text(refused)
    used.refresh_from_db()
    assert used.retired_at is None
    client.post(preview_of(shown), {"without_successor": "true"})
    used.refresh_from_db()
    assert used.retired_at is not None
    assert ContentTag.objects.filter(item=used.identifier).exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "empty"), ("{", "no JSON"), ("a,b\n1,2\n", "code"), (b"\xff\xfe\x00\xd8", "")],
)
def test_a_file_that_is_not_right_is_refused_beside_the_form(staff, content, said):
    answer = read(staff(OFFICER), content, title_en="What was typed")
    assert answer.status_code == 400
    assert 'role="alert"' in text(answer)
    assert said in text(answer)
    assert "What was typed" in text(answer)
    assert not FrameworkImport.objects.exists()


def test_no_file_and_a_file_that_is_too_large_are_refused(staff, settings):
    client = staff(OFFICER)
    assert client.post(LIST, {"organization": "KMUTT"}).status_code == 400
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "UPLOAD_MAX_BYTES": 2**20}
    assert read(client, "x" * (2**20 + 1)).status_code == 400
    assert read(client, "x" * (3 * 2**20)).status_code == 400


def test_only_officers_of_the_organisation_change_anything(staff, english):
    shown = read(staff(OFFICER), TABLE, title_en="Mine")
    for who, status in ((AUDITOR, 403), (STRANGER, 403), (LEARNER, 403)):
        client = staff(who)
        assert read(client, TABLE, title_en="Theirs").status_code == 403, who
        assert client.post(preview_of(shown), {"publish": "true"}).status_code == status, who
        assert client.get(preview_of(shown)).status_code == status, who
        assert client.post(page_of(english), {"action": "retired"}).status_code in (403, 404), who
    english.refresh_from_db()
    assert english.state == "published"
    assert Framework.objects.count() == 1
    assert staff(AUDITOR).get(page_of(english)).status_code == 200
    assert "Retire" not in text(staff(AUDITOR).get(page_of(english)))
    assert "Bring in a file" not in text(staff(AUDITOR).get(LIST))
    # Others' frameworks are as if they were not there.
    assert english.identifier not in text(staff(STRANGER).get(LIST))
    for address in (page_of(english), f"{page_of(english)}csv/file"):
        assert staff(STRANGER).get(address).status_code == 404
        assert staff(LEARNER).get(address).status_code == 403
    assert Client().get(LIST).status_code == 302


def test_forms_without_a_token_are_refused(staff, english):
    client = staff(OFFICER, enforce_csrf_checks=True)
    assert client.post(page_of(english), {"action": "retired"}).status_code == 403
    assert client.post(LIST, {"file": SimpleUploadedFile("x.csv", b"x")}).status_code == 403


def test_a_framework_is_published_offered_in_the_drawer_and_retired(staff, english, monkeypatch):
    given = {}

    class Drawer:
        def publish(self, *, export_id, name, organization, tags):
            given.update(export_id=export_id, organization=organization, tags=len(tags))
            return len(tags)

    monkeypatch.setattr(taxonomies, "_taxonomies", Drawer())
    client = staff(OFFICER)
    Framework.objects.update(state="draft")
    refused = client.post(page_of(english), {"action": "taxonomy"}, follow=True)
    assert "Publish the framework first" in text(refused)
    assert "in force: authors find it" in text(
        client.post(page_of(english), {"action": "published"}, follow=True)
    )
    said = client.post(page_of(english), {"action": "taxonomy"}, follow=True)
    assert "with 5 tags" in text(said)
    assert given == {"export_id": f"microcred-{english.identifier}", "organization": "KMUTT", "tags": 5}
    assert "in the tag drawer" in text(client.get(LIST))
    client.post(page_of(english), {"action": "retired"})
    assert api.get_framework(framework=english.identifier).state == "retired"
    assert [one.action for one in AuditEntry.objects.order_by("id")] == [
        "framework.published",
        "framework.taxonomy",
        "framework.retired",
    ]
    assert client.post(page_of(english), {"action": "burn"}, follow=True).status_code == 200
    assert api.get_framework(framework=english.identifier).state == "retired"


@pytest.mark.parametrize("form", ["case", "csv", "taxonomy-csv", "taxonomy-json"])
def test_every_form_of_export_is_a_file(staff, english, form):
    answer = staff(AUDITOR).get(f"{page_of(english)}{form}/file")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    assert identifier("english/EN-1.1") in text(answer)
    assert staff(AUDITOR).get(f"{page_of(english)}pdf/file").status_code == 404


def test_items_are_searched_and_come_page_by_page(staff, english):
    client = staff(OFFICER)
    assert "Gets the gist" not in text(client.get(page_of(english), {"text": "e-mail"}))
    assert "Nothing is found" in text(client.get(page_of(english), {"text": "zzz"}))
    make_framework("large", items=[(f"L-{number:03}", "ก", f"Can {number}", None) for number in range(120)])
    page = client.get(f"{LIST}{identifier('large')}/")
    assert "L-049" in text(page)
    assert "L-050" not in text(page)
    following = text(page).split('href="?')[-1].partition("#")[0].replace("&amp;", "&")
    assert "L-050" in text(client.get(f"{LIST}{identifier('large')}/?{following}"))
    assert client.get(page_of(english), {"after": "nonsense"}).status_code == 400


def test_pages_ask_the_same_number_of_queries_however_many_there_are(staff, english):
    client = staff(OFFICER)

    def counted(address):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    counted(LIST)
    before = counted(LIST), counted(page_of(english))
    for number in range(12):
        make_framework(f"more{number}", items=[(f"M-{one}", "ก", "Can", None) for one in range(3)])
    make_framework("large", items=[(f"L-{one:03}", "ก", f"Can {one}", None) for one in range(60)])
    assert (counted(LIST), counted(f"{LIST}{identifier('large')}/")) == before


def test_thai_staff_read_thai(staff, english):
    page = text(staff(OFFICER, language="th").get(LIST))
    assert "ภาษาอังกฤษ" in page
    assert 'lang="th"' in page
