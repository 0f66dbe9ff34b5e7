"""A certificate is PDF/A-3 with the signed credential inside, typeset from bundled files only."""

import builtins
import hashlib
import io
import json
import re
import socket
import sys
import threading
from datetime import date
from decimal import Decimal

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mooc_microcred.achievements.data import Text
from mooc_microcred.credentials.pdf import typesetting
from mooc_microcred.credentials.pdf.data import CertificateData, Signatory
from mooc_microcred.credentials.pictures import badge_png
from tests.support.pdf import needs_pango

pytestmark = needs_pango

CREDENTIAL = json.dumps({"name": "การเขียนโปรแกรม", "type": ["VerifiableCredential"]}, ensure_ascii=False)
LONG_NAME = "ว่าที่ร้อยตรีหญิง ดร.ปิ่นอนงค์ลักษณ์ เจริญศรีสุวรรณภูมิพัฒน์ ณ นครศรีธรรมราชวรมหาวิหาร"


def certificate(**fields) -> CertificateData:
    out = io.BytesIO()
    Image.new("RGB", (300, 100), "#204080").save(out, "PNG")
    base = {
        "language": "th",
        "kind": "level2",
        "issuer": Text("มหาวิทยาลัยเทคโนโลยีพระจอมเกล้าธนบุรี", "King Mongkut's University of Technology Thonburi"),
        "title": Text("การเขียนโปรแกรมไพทอนเบื้องต้น", "Python Programming Fundamentals"),
        "issued_on": date(2026, 11, 21),
        "expires_on": date(2029, 11, 20),
        "holder": "สมหญิง ใจดี",
        "hours": Decimal("48.00"),
        "credits": Decimal(1),
        "logo": out.getvalue(),
        "badge": badge_png("level2"),
        "signatories": (
            Signatory(Text("รศ. ดร.สุวิทย์ แซ่เตีย", "Suvit"), Text("อธิการบดี", "President"), out.getvalue()),
        ),
        "outcomes": (("ทักษะ", ("เขียนโปรแกรมได้",)),),
        "page_url": "https://lms.example.org/microcred/credentials/0b1f9a5e",
        "identifier": "0b1f9a5e",
        "credential": CREDENTIAL,
    }
    return CertificateData(**{**base, **fields})


@pytest.fixture(scope="module")
def made() -> bytes:
    return typesetting.typeset(certificate())


def test_it_says_that_it_is_pdf_a_3(made):
    with pikepdf.open(io.BytesIO(made)) as pdf:
        metadata = pdf.Root.Metadata.read_bytes().decode()
        assert re.search(r"pdfaid:part(?:=\"|>)3", metadata)
        assert re.search(r"pdfaid:conformance(?:=\"|>)B", metadata)
        (intent,) = pdf.Root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert intent.DestOutputProfile.read_bytes()[36:40] == b"acsp", "not an ICC profile"
        assert pdf.trailer.ID
        assert not pdf.is_encrypted
        assert "/JavaScript" not in pdf.Root.get("/Names", {})
        assert "/AA" not in pdf.Root


def test_it_carries_the_signed_credential_as_an_associated_file(made):
    with pikepdf.open(io.BytesIO(made)) as pdf:
        (associated,) = pdf.Root.AF
        assert associated.AFRelationship == "/Data"
        assert str(associated.UF) == "credential.json"
        stream = associated.EF.F
        assert stream.read_bytes() == CREDENTIAL.encode()
        assert stream.Subtype == "/application/json"
        assert bytes(stream.Params.CheckSum) == hashlib.md5(CREDENTIAL.encode()).digest()
        assert len(pdf.attachments) == 1


def test_every_font_is_embedded(made):
    with pikepdf.open(io.BytesIO(made)) as pdf:
        fonts = [
            one
            for one in pdf.objects
            if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor"
        ]
        assert fonts
        assert all("/FontFile2" in one or "/FontFile3" in one for one in fonts)
        assert all("Microcred" in str(one.FontName) for one in fonts), "a font of the machine was used"


def test_the_same_certificate_has_the_same_attachment_dates(made):
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert str(pdf.Root.AF[0].EF.F.Params.CreationDate) == "D:20261121000000Z"


@pytest.mark.parametrize(
    "fields",
    [
        {"holder": LONG_NAME},
        {"title": Text("การวิเคราะห์ข้อมูลขนาดใหญ่ด้วยภาษาไพทอนและการเรียนรู้ของเครื่อง " * 3, "Long " * 50)},
        {"language": "en", "holder": "Łukasz Ñandú van der Wåhlström-สมชาย", "kind": "programme"},
        {"holder": "", "badge": None, "logo": None, "signatories": ()},
        {"holder": "<script>alert(1)</script> & <img src='https://example.org/x.png'>"},
    ],
)
def test_the_front_stays_one_page(fields):
    with pikepdf.open(io.BytesIO(typesetting.typeset(certificate(**fields)))) as pdf:
        sizes = [tuple(round(float(one)) for one in page.mediabox) for page in pdf.pages]
    assert sizes == [(0, 0, 842, 595), (0, 0, 595, 842)]


def test_nothing_is_fetched_whatever_the_texts_say(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    made = typesetting.typeset(
        certificate(
            holder="\"><link rel=attachment href='file:///etc/passwd'><img src='http://169.254.169.254/'>"
        )
    )
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert list(pdf.attachments) == ["credential.json"] or len(pdf.attachments) == 1
    assert b"root:x:" not in made


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "http://127.0.0.1/", "bundled:/../../etc/passwd", "data:,x"]
)
def test_the_fetcher_knows_bundled_files_only(address):
    engine = typesetting._engine()
    fetcher = typesetting._only(engine, {"bundled:/logo.png": (b"x", "image/png")})
    with pytest.raises(ValueError, match="bundled files only"):
        (getattr(fetcher, "fetch", None) or fetcher)(address)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(categories=["L", "M", "Zs", "N"]), max_size=200))
def test_every_name_has_a_size_and_a_name_that_is_not_cut_fits(name):
    size = typesetting.name_size(name, width=230, largest=34, smallest=11)
    assert 11 <= size <= 34
    if size > 11:
        assert typesetting._lines_of_words(name, 230 / size) <= 2


def test_a_long_name_is_not_cut_inside_a_word():
    size = typesetting.name_size(LONG_NAME, width=230, largest=34, smallest=11)
    assert size >= 20
    assert typesetting._lines_of_words(LONG_NAME, 230 / size) == 2


def test_both_eras_are_told():
    assert typesetting.both_eras(date(2026, 11, 21), "th") == "21 พฤศจิกายน 2569 (ค.ศ. 2026)"
    assert typesetting.both_eras(date(2026, 11, 21), "en") == "21 November 2026 (B.E. 2569)"


def test_without_the_extra_it_says_so_and_the_rest_can_be_imported(monkeypatch):
    real = builtins.__import__

    def without_weasyprint(name, *args, **kwargs):
        if name.partition(".")[0] == "weasyprint":
            raise ImportError("no such module")
        return real(name, *args, **kwargs)

    typesetting._engine.cache_clear()
    for name in [one for one in sys.modules if one.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without_weasyprint)
    try:
        assert not typesetting.pdf_available()
        with pytest.raises(typesetting.PdfUnavailable, match="PDF"):
            typesetting.typeset(certificate())
    finally:
        typesetting._engine.cache_clear()


def test_a_missing_system_library_is_the_same_as_a_missing_extra(monkeypatch):
    real = builtins.__import__

    def without_pango(name, *args, **kwargs):
        if name.partition(".")[0] == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *args, **kwargs)

    typesetting._engine.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without_pango)
    try:
        assert not typesetting.pdf_available()
    finally:
        typesetting._engine.cache_clear()


def test_one_is_typeset_at_a_time_and_the_others_are_told_to_come_again(monkeypatch):
    monkeypatch.setattr(typesetting, "WAIT_FOR_TURN", 0.05)
    inside, leave = threading.Event(), threading.Event()

    def slow(_engine, _certificate):
        inside.set()
        leave.wait(10)
        return b"%PDF"

    monkeypatch.setattr(typesetting, "_typeset", slow)
    first = threading.Thread(target=typesetting.typeset, args=(certificate(),))
    first.start()
    try:
        assert inside.wait(10)
        with pytest.raises(typesetting.PdfBusy):
            typesetting.typeset(certificate())
    finally:
        leave.set()
        first.join(10)
    assert typesetting.typeset(certificate()) == b"%PDF"
