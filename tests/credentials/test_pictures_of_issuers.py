"""Staff give an issuer its pictures and certificates their look: by the admin and by the API."""

import io

import pikepdf
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mooc_microcred.achievements.models import Issuer
from mooc_microcred.core.errors import InvalidInput, NotAllowed, NotFound
from mooc_microcred.core.models import AuditEntry, StaffRole
from mooc_microcred.core.roles import Actor
from mooc_microcred.credentials.models import CertificateTemplate, Picture
from mooc_microcred.credentials.pages.reading import look_of_issuer
from mooc_microcred.credentials.pictures_of_issuers import set_template, template_of, upload_picture
from tests.credentials.test_pictures import picture
from tests.support.factories import make_version
from tests.support.pdf import needs_pango

pytestmark = pytest.mark.django_db
API = "/api/mooc_microcred/v1/"
ME = [{"name": {"th": "สุวิทย์", "en": ""}, "role": {"th": "อธิการบดี", "en": ""}}]


@pytest.fixture
def version():
    return make_version(code="py-l2")


def person(role="programme_officer", organization="KMUTT", **fields):
    user = get_user_model().objects.create_user(f"{role}-{organization}", password=None, **fields)
    StaffRole.objects.create(user_id=user.pk, role=role, organization=organization)
    return user


@pytest.fixture
def officer(version):
    return Actor.of(person())


def test_a_new_logo_takes_the_place_of_the_old_one_which_stays_at_its_address(officer, client):
    first = upload_picture(actor=officer, purpose="logo", issuer_code="kmutt", content=picture())
    second = upload_picture(
        actor=officer, purpose="logo", issuer_code="kmutt", content=picture(colour=(1, 2, 3))
    )
    assert look_of_issuer(Issuer.objects.get().pk).logo == second.uuid
    answer = client.get(reverse("mooc_microcred:picture", kwargs={"uuid": first.uuid}))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "immutable" in answer["Cache-Control"]
    assert answer.content == bytes(Picture.objects.get(uuid=first.uuid).content)
    assert AuditEntry.objects.filter(action="picture.uploaded", organization="KMUTT").count() == 2


def test_who_lacks_the_role_for_the_organisation_uploads_nothing(version):
    for actor in (Actor.of(person(organization="BUU")), Actor.of(person(role="auditor"))):
        with pytest.raises(NotAllowed):
            upload_picture(actor=actor, purpose="logo", issuer_code="kmutt", content=picture())
        with pytest.raises(NotAllowed):
            set_template(actor=actor, issuer_code="kmutt", colour="", signatories=[])
    assert not Picture.objects.exists()
    assert not CertificateTemplate.objects.exists()


def test_a_kind_without_its_own_template_has_the_one_for_every_kind(officer):
    signature = upload_picture(actor=officer, purpose="signature", issuer_code="kmutt", content=picture())
    signing = [{**ME[0], "signature": signature.uuid}]
    set_template(actor=officer, issuer_code="kmutt", colour="#A01020", signatories=signing)
    set_template(actor=officer, issuer_code="kmutt", kind="level2", colour="#00aa00", signatories=[])
    pk = Issuer.objects.get().pk
    assert look_of_issuer(pk, "level1").colour == "#a01020"
    assert look_of_issuer(pk, "level2").colour == "#00aa00"
    assert look_of_issuer(pk, "level2").signatories[0]["signature"] == signature.uuid


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "red"},
        {"kind": "diploma"},
        {"signatories": ME * 4},
        {"signatories": [{"name": {"th": " "}}]},
        {"signatories": [{"name": {"th": "ก" * 151}}]},
        {"signatories": [{**ME[0], "signature": "0b1f9a5e-1c5f-4f0e-9a1c-3b1b5b7a9d11"}]},
    ],
)
def test_a_wrong_template_is_refused_and_changes_nothing(officer, wrong):
    with pytest.raises(InvalidInput):
        set_template(actor=officer, **{"issuer_code": "kmutt", "colour": "", "signatories": [], **wrong})
    assert template_of(issuer_code="kmutt").colour == ""
    with pytest.raises(NotFound):
        template_of(issuer_code="nobody")


def test_the_api_takes_a_picture_and_a_template(version, client):
    client.force_login(person())
    given = SimpleUploadedFile("logo.png", picture(), content_type="image/png")
    answer = client.post(f"{API}staff/issuers/kmutt/pictures/", {"purpose": "logo", "file": given})
    assert answer.status_code == 201, answer.content
    assert client.get(answer.json()["address"]).status_code == 200
    badge = SimpleUploadedFile("badge.webp", picture(form="WEBP"), content_type="image/webp")
    assert client.post(f"{API}staff/achievements/py-l2/badge/", {"file": badge}).status_code == 201
    body = {"colour": "#204080", "signatories": [{**ME[0], "signature": ""}]}
    answer = client.post(f"{API}staff/issuers/kmutt/template/", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert client.get(f"{API}staff/issuers/kmutt/template/").json() == answer.json()
    assert answer.json()["signatories"][0]["role"]["th"] == "อธิการบดี"


def test_the_api_refuses_what_would_run_in_a_browser(version, client):
    client.force_login(person())
    svg = SimpleUploadedFile("logo.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    answer = client.post(f"{API}staff/issuers/kmutt/pictures/", {"purpose": "logo", "file": svg})
    assert answer.status_code == 400
    assert not Picture.objects.exists()


@pytest.fixture
def admin_of_kmutt(version, client):
    user = person(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="mooc_microcred"))
    client.force_login(user)
    return client


@needs_pango
def test_the_admin_uploads_sets_and_previews(admin_of_kmutt):
    issuer = Issuer.objects.get()
    given = SimpleUploadedFile("signature.png", picture())
    fields = {"purpose": "signature", "issuer": issuer.pk, "file": given}
    answer = admin_of_kmutt.post(reverse("admin:mooc_microcred_picture_add"), fields)
    assert answer.status_code == 302, answer.context["errors"]
    signature = Picture.objects.get()

    fields = {
        "issuer": issuer.pk,
        "kind": "",
        "colour": "#a01020",
        "name_th_1": "รศ. ดร.สุวิทย์ แซ่เตีย",
        "role_th_1": "อธิการบดี",
        "signature_1": signature.uuid,
    }
    answer = admin_of_kmutt.post(reverse("admin:mooc_microcred_certificatetemplate_add"), fields)
    assert answer.status_code == 302, answer.context["errors"]
    row = CertificateTemplate.objects.get()
    assert row.settings["colour"] == "#a01020"
    page = admin_of_kmutt.get(reverse("admin:mooc_microcred_certificatetemplate_change", args=[row.pk]))
    assert "รศ. ดร.สุวิทย์ แซ่เตีย" in page.content.decode()

    preview = reverse("admin:mooc_microcred_certificatetemplate_preview", args=[row.pk, "th"])
    assert preview in page.content.decode()
    answer = admin_of_kmutt.get(preview)
    assert answer["Content-Type"] == "application/pdf"
    with pikepdf.open(io.BytesIO(answer.content)) as pdf:
        assert len(pdf.pages) == 2


def test_the_preview_is_for_staff_who_see_the_template(version, client):
    row = CertificateTemplate.objects.create(
        issuer=Issuer.objects.get(), settings={}, changed_at=version.activated_at
    )
    address = reverse("admin:mooc_microcred_certificatetemplate_preview", args=[row.pk, "th"])
    assert client.get(address).status_code == 302
    other = person(organization="BUU", is_staff=True)
    other.user_permissions.set(Permission.objects.filter(content_type__app_label="mooc_microcred"))
    client.force_login(other)
    assert client.get(address).status_code == 404


def test_the_admin_tells_what_is_wrong(admin_of_kmutt):
    issuer = Issuer.objects.get()
    svg = SimpleUploadedFile("a.svg", b"<svg/>")
    fields = {"purpose": "logo", "issuer": issuer.pk, "file": svg}
    answer = admin_of_kmutt.post(reverse("admin:mooc_microcred_picture_add"), fields)
    assert answer.status_code == 200
    assert "not a picture" in answer.content.decode()
    fields = {"issuer": issuer.pk, "colour": "javascript"[:7]}
    answer = admin_of_kmutt.post(reverse("admin:mooc_microcred_certificatetemplate_add"), fields)
    assert "hexadecimal" in answer.content.decode()
