"""Pages and files of credentials: who sees what, in which words, in which form."""

import io
import json
from datetime import timedelta
from xml.etree import ElementTree

import pikepdf
import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from mooc_microcred.core import clock
from mooc_microcred.core.models import AuditEntry
from mooc_microcred.core.pages.style import style_sheet_url
from mooc_microcred.core.storage import private_storage
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials.baking import extract_credential
from mooc_microcred.credentials.models import Credential
from mooc_microcred.credentials.pdf import certificates, typesetting
from mooc_microcred.credentials.visibility import share_credential
from tests.credentials.issuing_world import (
    CENTRE,
    award_level_2,
    award_programme,
    credential_of,
    issue_all,
    level_1,
    level_2,
)
from tests.support.factories import change_award, make_award, revoke, suspend
from tests.support.pdf import needs_pango

pytestmark = pytest.mark.django_db
NAME = "สมหญิง ใจดี"
UNKNOWN = "/microcred/credentials/00000000-0000-4000-8000-000000000000"


@pytest.fixture
def ann(platform):
    user = get_user_model().objects.create_user("ann", password=None)
    platform.add_learner(user.pk, name=NAME, username="ann", email="ann@example.ac.th")
    return user


@pytest.fixture
def held(ann):
    """Return Ann's credential of a Level 2."""
    award = award_level_2(ann.pk)
    issue_all()
    return credential_of(award)


def page_of(credential, name=""):
    return f"/microcred/credentials/{credential.uuid}{name}"


def share(credential, **choice):
    share_credential(learner_id=credential.learner_id, credential_uuid=credential.uuid, **choice)


def shown(client, address, language="en", **headers):
    answer = client.get(address, {"lang": language}, headers=headers)
    return answer, answer.content.decode()


# --- what a page says ---


def test_the_page_says_what_was_learned_how_it_was_assessed_and_by_whom(client, held):
    answer, page = shown(client, page_of(held))
    assert answer.status_code == 200
    for words in (
        "This credential is valid.",
        "Certifies that…",
        "Explain variables",
        "Write a program",
        "Pass the exam.",
        "Standard exam",
        "at least 60 percent",
        "45 hours",
        "level 4",
        "Company A",
        "ศูนย์สอบ",
    ):
        assert words in page, words
    assert CENTRE not in page, "the quotation marks of a name must be escaped"
    # What was scored is between the learner and whoever they hand the document to.
    assert "83.5" not in page
    assert "71.25" not in page


def test_thai_readers_get_thai_and_buddhist_years(client, held):
    year = clock.now().year
    for answer in (
        client.get(page_of(held)),
        client.get(page_of(held), headers={"Accept-Language": "de"}),
        client.get(page_of(held), headers={"Accept-Language": "th-TH,en;q=0.5"}),
        client.get(page_of(held), {"lang": "th"}, headers={"Accept-Language": "en"}),
    ):
        page = answer.content.decode()
        assert '<html lang="th">' in page
        assert answer["Content-Language"] == "th"
        assert str(year + 543) in page
        assert "เขียนโปรแกรมได้" in page
    english = client.get(page_of(held), headers={"Accept-Language": "en-GB,th;q=0.5"}).content.decode()
    assert '<html lang="en">' in english
    client.cookies["django_language"] = "en"
    assert '<html lang="en">' in client.get(page_of(held)).content.decode()


def test_revoked_suspended_and_expired_are_told_in_plain_words(client, held):
    award = held.award
    suspend(award)
    issue_all()
    _answer, page = shown(client, page_of(held))
    assert "suspended for the time being" in page
    assert "turned to unverified" in page
    change_award(award, "reinstated", state="active", suspended_at=None)
    revoke(award)
    _answer, page = shown(client, page_of(held))
    assert "has been revoked" in page
    assert "a member of staff decided so" in page
    assert "Certificate (PDF)" not in page
    assert client.get(page_of(held, "/certificate.pdf")).status_code == 409


def test_an_expired_one_says_until_when_it_was_valid(client, held):
    Credential.objects.filter(pk=held.pk).update(valid_until=clock.now() - timedelta(days=1))
    _answer, page = shown(client, page_of(held))
    assert "This credential has expired." in page
    assert "Explain variables" in page


def test_what_a_definition_says_cannot_become_markup(client, ann):
    version = level_2(
        name={"en": "<script>alert(1)</script>", "th": "<img src=x onerror=alert(1)>"},
        description={"en": "<b>bold</b>\nsecond line"},
    )
    award = award_level_2(ann.pk, version)
    issue_all()
    answer, page = shown(client, page_of(credential_of(award)))
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;<br>second line" in page
    assert "script" not in answer["Content-Security-Policy"]


def test_a_page_needs_no_script_and_loads_its_own_style_only(client, held):
    answer, page = shown(client, page_of(held))
    assert "<script" not in page
    assert " style=" not in page
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self' data:")
    style = client.get(style_sheet_url())
    assert style["Content-Type"].startswith("text/css")
    assert "immutable" in style["Cache-Control"]
    assert style.content
    assert len(answer.content) + len(style.content) < 60_000


def test_the_platforms_name_logo_and_style_come_from_the_settings(client, held, settings):
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "PAGE_SITE_NAME": {"th": "ไทยมูก", "en": "Thai MOOC"},
        "PAGE_LOGO": "https://cdn.example.org/logo.svg",
        "PAGE_STYLESHEETS": ["/static/own.css"],
    }
    answer, page = shown(client, page_of(held))
    assert "Thai MOOC" in page
    assert '<link rel="stylesheet" href="/static/own.css">' in page
    assert "img-src 'self' https://cdn.example.org data:" in answer["Content-Security-Policy"]


def test_a_programme_names_what_it_stands_on_and_links_to_what_everybody_may_see(client, ann):
    first, second = award_level_2(ann.pk), make_award(ann.pk, level_1(name={"en": "Part two"}))
    issue_all()
    award = award_programme(ann.pk, [first, second])
    issue_all()
    share(credential_of(first), visibility="public")
    _answer, page = shown(client, page_of(credential_of(award)))
    assert "Part two" in page
    assert page_of(credential_of(first)) in page
    assert page_of(credential_of(second)) not in page


# --- who sees it ---


def test_a_private_credential_is_told_to_strangers_in_the_words_for_an_unknown_one(client, ann, held):
    share(held, visibility="private")
    stranger, unknown = client.get(page_of(held)), client.get(UNKNOWN)
    assert stranger.status_code == unknown.status_code == 404
    assert stranger.content == unknown.content
    assert dict(stranger.items()) == dict(unknown.items())
    for name in (
        "/credential.json",
        "/credential.jwt",
        "/assertion.json",
        "/badge.png",
        "/badge.svg",
        "/og.png",
        "/certificate.pdf",
        "/record",
    ):
        told, of_none = client.get(page_of(held, name)), client.get(f"{UNKNOWN}{name}")
        assert told.status_code == 404, name
        assert (told.content, dict(told.items())) == (of_none.content, dict(of_none.items())), name
    other = get_user_model().objects.create_user("bob", password=None)
    client.force_login(other)
    assert client.get(page_of(held)).status_code == 404
    client.force_login(ann)
    answer, page = shown(client, page_of(held))
    assert answer.status_code == 200
    assert "Only you see this page" in page
    assert answer["Cache-Control"] == "private, no-store"
    assert client.get(page_of(held, "/credential.json")).status_code == 200


def test_search_engines_list_what_is_public_only(client, held):
    answer, page = shown(client, page_of(held))
    assert 'name="robots" content="noindex"' in page
    assert answer["X-Robots-Tag"] == "noindex"
    share(held, visibility="public")
    answer, page = shown(client, page_of(held))
    assert "noindex" not in page
    assert "X-Robots-Tag" not in answer


def test_the_default_is_the_platforms(client, held, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "CREDENTIAL_VISIBILITY": "private"}
    assert client.get(page_of(held)).status_code == 404


def test_an_award_that_the_platform_does_not_show_has_no_page(client, held):
    held.award.published_at = None
    held.award.save()
    assert client.get(page_of(held)).status_code == 404


@needs_pango
def test_who_has_left_the_platform_has_no_page(client, held):
    share(held, visibility="public", name_choice="verified")
    client.get(page_of(held, "/certificate.pdf"))
    certificates.forget_learner(held.learner_id)
    credentials.forget_learner(held.learner_id)
    assert client.get(page_of(held)).status_code == 404
    assert client.get(page_of(held, "/credential.json")).status_code == 404
    assert private_storage().listdir(f"certificates/{held.uuid}")[1] == []


# --- names ---


def test_a_name_is_shown_where_its_owner_says_so_and_never_in_the_signed_document(client, held):
    assert NAME not in shown(client, page_of(held))[1]
    before = credentials.signed_bytes(uuid=held.uuid)
    share(held, name_choice="verified")
    assert NAME in shown(client, page_of(held))[1]
    assert NAME not in client.get(page_of(held, "/credential.json")).content.decode()
    assert credentials.signed_bytes(uuid=held.uuid) == before
    share(held, name_choice="none")
    assert NAME not in shown(client, page_of(held))[1]


def test_the_learner_decides_on_a_page_with_a_csrf_token(ann, held):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    assert client.get(page_of(held, "/sharing")).status_code == 302
    client.force_login(ann)
    address = page_of(held, "/sharing")
    form = client.get(address, {"lang": "en"})
    assert NAME in form.content.decode()
    assert client.post(address, {"visibility": "public"}).status_code == 403
    token = client.cookies["csrftoken"].value
    given = {"visibility": "private", "name_choice": "verified", "csrfmiddlewaretoken": token}
    answer = client.post(f"{address}?lang=en", given)
    assert answer.status_code == 200
    assert "Saved." in answer.content.decode()
    held.refresh_from_db()
    assert (held.visibility, held.name_choice, held.shown_name) == ("private", "verified", NAME)
    line = AuditEntry.objects.get(action="credential.shared")
    assert line.actor_id == ann.pk
    assert NAME not in json.dumps(line.details, ensure_ascii=False)
    wrong = {"visibility": "friends", "csrfmiddlewaretoken": token}
    assert client.post(address, wrong).status_code == 400


def test_nobody_else_decides(client, held):
    client.force_login(get_user_model().objects.create_user("bob", password=None))
    assert client.get(page_of(held, "/sharing")).status_code == 404
    assert client.post(page_of(held, "/sharing"), {"visibility": "public"}).status_code == 404
    held.refresh_from_db()
    assert held.visibility == ""


def test_a_user_name_is_never_shown(platform, client):
    user = get_user_model().objects.create_user("somchai1987", password=None)
    platform.add_learner(user.pk, name="somchai1987", username="somchai1987", email="s@example.ac.th")
    award = award_level_2(user.pk)
    issue_all()
    credential = credential_of(award)
    from mooc_microcred.core.errors import InvalidInput

    with pytest.raises(InvalidInput):
        share(credential, name_choice="verified")
    assert "somchai1987" not in shown(client, page_of(credential))[1]


# --- forms ---


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/vc+ld+json", "application/vc+ld+json"),
        ("application/ld+json", "application/ld+json"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("application/vc+jwt", "application/vc+jwt"),
        ("text/html", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
        ("application/json;q=x, , ;;;", "text/html; charset=utf-8"),
    ],
)
def test_programs_get_the_signed_document_by_content_negotiation(client, held, accept, media_type):
    answer = client.get(page_of(held), headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer["Content-Type"] == media_type
    assert "Accept" in answer["Vary"]
    if "json" in media_type:
        assert answer.content == credentials.signed_bytes(uuid=held.uuid)
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer.json()["id"] == f"https://lms.example.org{page_of(held)}"


def test_what_is_not_changed_is_not_sent_again(client, held):
    for address, headers in (
        (page_of(held), {}),
        (page_of(held), {"Accept": "application/json"}),
        (page_of(held, "/credential.json"), {}),
    ):
        answer = client.get(address, headers=headers)
        again = client.get(address, headers={**headers, "If-None-Match": answer["ETag"]})
        assert again.status_code == 304, address
        assert not again.content
    page = client.get(page_of(held))
    revoke(held.award)
    changed = client.get(page_of(held), headers={"If-None-Match": page["ETag"]})
    assert changed.status_code == 200
    document = client.get(page_of(held, "/credential.json"))
    since = client.get(
        page_of(held, "/credential.json"), headers={"If-Modified-Since": document["Last-Modified"]}
    )
    assert since.status_code == 304


def test_the_badges_carry_the_signed_document(client, held):
    signed = credentials.signed_bytes(uuid=held.uuid).decode()
    png, svg = client.get(page_of(held, "/badge.png")), client.get(page_of(held, "/badge.svg"))
    assert extract_credential(png.content) == signed
    assert extract_credential(svg.content) == signed
    assert "sandbox" in svg["Content-Security-Policy"]
    assert not [one for one in ElementTree.fromstring(svg.content).iter() if "script" in str(one.tag)]


def test_old_displays_get_an_assertion_of_open_badges_2(client, held):
    answer = client.get(page_of(held, "/assertion.json"))
    assert answer.json()["type"] == "Assertion"
    assert answer.json()["verification"]["type"] == "HostedBadge"


def test_the_picture_for_sharing_has_the_size_that_others_expect_and_no_name(client, held):
    share(held, name_choice="verified")
    answer = client.get(page_of(held, "/og.png"), {"lang": "th"})
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (1200, 630)
    share(held, name_choice="none")
    cache.clear()
    assert client.get(page_of(held, "/og.png"), {"lang": "th"}).content == answer.content


def test_the_page_names_the_addresses_for_sharing(client, held):
    _answer, page = shown(client, page_of(held))
    address = f"https%3A%2F%2Flms.example.org%2Fmicrocred%2Fcredentials%2F{held.uuid}"
    assert f"https://social-plugins.line.me/lineit/share?url={address}" in page
    assert "https://www.linkedin.com/profile/add?startTask=CERTIFICATION_NAME" in page
    assert f"issueYear={clock.now().year}" in page
    assert f'property="og:image" content="https://lms.example.org{page_of(held)}/og.png?lang=en"' in page


def test_a_record_of_a_programme_is_not_told_where_one_of_its_parts_is_private(client, ann):
    first = award_level_2(ann.pk)
    issue_all()
    award = award_programme(ann.pk, [first])
    issue_all()
    record = page_of(credential_of(award), "/record")
    answer = client.get(record)
    assert answer.status_code == 200
    assert "ClrCredential" in answer.json()["type"]
    share(credential_of(first), visibility="private")
    assert client.get(record).status_code == 404
    client.force_login(ann)
    assert client.get(record).status_code == 200


# --- certificates ---


@needs_pango
def test_the_certificate_carries_the_signed_document_and_is_made_once(client, held, monkeypatch):
    made = []
    real = typesetting._typeset
    monkeypatch.setattr(typesetting, "_typeset", lambda *given: made.append(1) or real(*given))
    first = client.get(page_of(held, "/certificate.pdf"), {"lang": "th"})
    assert first["Content-Type"] == "application/pdf"
    with pikepdf.open(io.BytesIO(first.content)) as pdf:
        assert pdf.Root.AF[0].EF.F.read_bytes() == credentials.signed_bytes(uuid=held.uuid)
        assert NAME not in str(pdf.docinfo)
    assert client.get(page_of(held, "/certificate.pdf"), {"lang": "th"}).content == first.content
    assert made == [1]


@needs_pango
def test_the_owner_gets_the_certificate_with_their_name(client, ann, held, monkeypatch):
    names = []
    real = certificates.certificate_pdf
    monkeypatch.setattr(
        certificates,
        "certificate_pdf",
        lambda row, **given: names.append(given["holder"]) or real(row, **given),
    )
    client.get(page_of(held, "/certificate.pdf"))
    client.force_login(ann)
    answer = client.get(page_of(held, "/certificate.pdf"))
    assert names == ["", NAME]
    assert answer["Cache-Control"] == "private, no-store"


def test_without_the_extra_the_page_says_so_and_everything_else_works(client, held, monkeypatch):
    typesetting._engine.cache_clear()
    import builtins

    real = builtins.__import__

    def blocked(name, *args, **kwargs):
        if name.partition(".")[0] == "weasyprint":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", blocked)
    try:
        answer, page = shown(client, page_of(held, "/certificate.pdf"))
        assert answer.status_code == 503
        assert "cannot make PDF files" in page
        answer, page = shown(client, page_of(held))
        assert answer.status_code == 200
        assert "Certificate (PDF)" not in page
        assert client.get(page_of(held, "/badge.png")).status_code == 200
    finally:
        typesetting._engine.cache_clear()


# --- issuers, achievements, verifying ---


def test_issuers_and_achievements_have_pages_for_people_and_documents_for_programs(client, held):
    version = held.award.version
    achievement = f"/microcred/achievements/{version.achievement.code}/1"
    answer, page = shown(client, achievement)
    assert answer.status_code == 200
    assert "Explain variables" in page
    document = client.get(achievement, headers={"Accept": "application/ld+json"}).json()
    assert document["id"] == f"https://lms.example.org{achievement}"
    answer, page = shown(client, "/microcred/issuers/kmutt")
    assert "KMUTT" in page
    assert achievement in page
    profile = client.get("/microcred/issuers/kmutt", headers={"Accept": "application/json"}).json()
    assert profile["name"] == "มจธ."
    assert client.get("/microcred/issuers/kmutt/did.json").json()["id"] == profile["id"]
    for unknown in ("/microcred/issuers/nobody", "/microcred/achievements/nothing/1"):
        assert client.get(unknown).status_code == 404


def test_anybody_verifies_by_pasting_or_uploading(client, held):
    from django.core.files.uploadedfile import SimpleUploadedFile

    signed = credentials.signed_bytes(uuid=held.uuid)
    baked = client.get(page_of(held, "/badge.png")).content
    for given in (
        {"credential": signed.decode()},
        {"file": SimpleUploadedFile("c.json", signed, content_type="application/json")},
        {"file": SimpleUploadedFile("b.png", baked, content_type="image/png")},
    ):
        answer = client.post("/microcred/verify?lang=en", given)
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "This credential is valid." in page, given
        assert "signed by an issuer of this platform" in page
    mine = {"credential": signed.decode(), "email": "ann@example.ac.th"}
    page = client.post("/microcred/verify?lang=en", mine).content.decode()
    assert "ann@example.ac.th" not in page
    changed = signed.replace(b"Explain variables", b"Explain everything")
    page = client.post("/microcred/verify?lang=en", {"credential": changed.decode()}).content.decode()
    assert "do not rely on it" in page
    assert "✗ failed" in page


@pytest.mark.parametrize("given", [{}, {"credential": " "}])
def test_nothing_to_verify_is_told(client, given):
    answer = client.post("/microcred/verify?lang=en", given)
    assert answer.status_code == 400
    assert "Paste a credential or choose a file." in answer.content.decode()


def test_verifying_is_limited(client, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "VERIFY_RATE": "2/min"}
    statuses = [client.post("/microcred/verify", {"credential": "x"}).status_code for _number in range(3)]
    assert statuses == [200, 200, 429]
    huge = client.post("/microcred/verify", {"credential": "x" * (limits_of_upload() + 1)})
    assert huge.status_code in (400, 413)


def limits_of_upload() -> int:
    from mooc_microcred.credentials.verification import limits

    return limits.MAX_UPLOAD_BYTES + 64 * 1024


# --- cost ---


def queries_of(client, address, **given):
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(address, given).status_code == 200
    return len([one for one in found if "SAVEPOINT" not in one["sql"]])


def test_a_page_that_was_put_together_costs_one_query(client, held):
    first = queries_of(client, page_of(held), lang="en")
    assert first <= 8
    assert queries_of(client, page_of(held), lang="en") == 1


def test_a_programme_page_costs_the_same_for_few_and_many_parts(client, ann):
    few = [award_level_2(ann.pk)]
    many = [award_level_2(ann.pk, level_2()) for _number in range(6)]
    issue_all()
    pages = [award_programme(ann.pk, parts) for parts in (few, [*few, *many])]
    issue_all()
    costs = [queries_of(client, page_of(credential_of(one)), lang="en") for one in pages]
    assert costs[0] == costs[1]
