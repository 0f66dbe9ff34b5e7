"""From :class:`CertificateData` to PDF/A-3 with the signed credential inside (ETDA 11-2560).

WeasyPrint is imported when it is first needed: it is an extra, since it needs Pango, and everything else
works without it. It reaches nothing but the fonts and pictures that are handed to it.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, time
from functools import cache
from types import SimpleNamespace
from typing import Any

import segno
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from PIL import ImageFile, ImageFont

from mooc_microcred.achievements.data import Text
from mooc_microcred.core.dates import display_date
from mooc_microcred.core.errors import MicrocredError
from mooc_microcred.credentials import pictures
from mooc_microcred.credentials.pdf.data import CertificateData

log = logging.getLogger(__name__)

# Seconds for which a request waits for its turn before it is told to come again.
WAIT_FOR_TURN = 5
MM_PER_POINT = 25.4 / 72

# One certificate at a time per process: typesetting is 100 ms of CPU, and the process is the LMS.
_turn = threading.BoundedSemaphore(1)


class PdfUnavailable(MicrocredError):
    """The extra is not installed, or its system libraries are missing (HTTP 503)."""

    code = "pdf_unavailable"


class PdfBusy(MicrocredError):
    """Other certificates are being typeset; come again in a moment (HTTP 503)."""

    code = "busy"


@cache
def _engine() -> Any:
    """Return the module weasyprint, or None where it or a library of its is missing."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        log.warning("pdf: WeasyPrint cannot be used: %s", error)
        return None
    finally:
        # WeasyPrint lets Pillow take damaged pictures, for the whole process, which is the platform's.
        ImageFile.LOAD_TRUNCATED_IMAGES = before
    return weasyprint


def pdf_available() -> bool:
    """Say whether certificates can be typeset in this process."""
    return _engine() is not None


def typeset(certificate: CertificateData) -> bytes:
    """Return the certificate as PDF/A-3b, with the signed credential as an associated file.

    Raises:
        PdfUnavailable: the extra ``[pdf]`` is not installed.
        PdfBusy: others are at it.
    """
    engine = _engine()
    if engine is None:
        raise PdfUnavailable(
            _("This platform cannot make PDF files. The page of the credential can be printed instead.")
        )
    if not _turn.acquire(timeout=WAIT_FOR_TURN):
        raise PdfBusy(_("Many certificates are being made at this moment. Try again in a minute."))
    try:
        return _typeset(engine, certificate)
    finally:
        _turn.release()


def _typeset(engine: Any, certificate: CertificateData) -> bytes:
    files = _files(certificate)
    fetcher = _only(engine, files)
    with translation.override(certificate.language):
        html = render_to_string("mooc_microcred/certificate.html", certificate_context(certificate))
    day = datetime.combine(certificate.issued_on, time(), UTC)
    attachments = []
    if certificate.credential:
        as_json = certificate.credential.lstrip().startswith("{")
        attachments.append(
            engine.Attachment(
                string=certificate.credential,
                name="credential.json" if as_json else "credential.jwt.txt",
                description="Open Badges 3.0",
                created=day,
                modified=day,
                relationship="Data",
                url_fetcher=fetcher,
            )
        )
    document = engine.HTML(string=html, base_url="bundled:/", url_fetcher=fetcher)
    target = io.BytesIO()
    rendered = document.render()
    rendered.metadata.attachments = attachments
    rendered.write_pdf(
        target,
        pdf_variant="pdf/a-3b",
        pdf_identifier=certificate.identifier.encode() or None,
        finisher=_associate_once,
    )
    return target.getvalue()


def _associate_once(_document: Any, pdf: Any) -> None:
    """Name the attachment once among the associated files; WeasyPrint names it twice."""
    if "AF" in pdf.catalog:
        once = list(dict.fromkeys(pdf.catalog["AF"]))
        del pdf.catalog["AF"][:]
        pdf.catalog["AF"].extend(once)


def _files(certificate: CertificateData) -> Mapping[str, tuple[bytes, str]]:
    """Return all that the template may refer to, by address."""
    files: dict[str, tuple[bytes, str]] = {
        f"bundled:/{name}": ((pictures.FONTS / name).read_bytes(), "font/ttf")
        for name in ("NotoSansThai-Regular.ttf", "NotoSansThai-Bold.ttf")
    }
    if certificate.logo:
        files["bundled:/logo.png"] = (certificate.logo, "image/png")
    if certificate.badge:
        files["bundled:/badge.png"] = (certificate.badge, "image/png")
    for number, signatory in enumerate(certificate.signatories):
        if signatory.signature:
            files[f"bundled:/signature-{number}.png"] = (signatory.signature, "image/png")
    return files


def _only(engine: Any, files: Mapping[str, tuple[bytes, str]]) -> Any:
    """Return a fetcher of these files and of nothing else; WeasyPrint 68 changed what a fetcher is."""
    from weasyprint import urls

    def find(url: str) -> tuple[bytes, str]:
        if url not in files:
            raise ValueError(f"certificates refer to bundled files only, not to {url[:100]}")
        return files[url]

    if not hasattr(urls, "URLFetcherResponse"):
        return lambda url, *_args, **_kwargs: dict(
            zip(("string", "mime_type"), find(url), strict=True), redirected_url=url
        )

    class Bundled(urls.URLFetcher):
        def fetch(self, url, headers=None):
            content, media_type = find(url)
            return urls.URLFetcherResponse(url, content, {"Content-Type": media_type})

    return Bundled()


@cache
def _face(weight: str, points: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(pictures.FONTS / f"NotoSansThai-{weight}.ttf"), points)


def _width(text: str, weight: str) -> float:
    """Return the width of a text at one point of size, in mm."""
    return _face(weight, 100).getlength(text) / 100 * MM_PER_POINT


def title_size(text: str, *, width: float, largest: int, smallest: int, weight: str = "Bold") -> int:
    """Return the size in points at which a title fits: into one line where it stays large, else into two.

    Thai is broken between words, so a line that is broken may lose a fifth of its ``width`` (mm).
    """
    one_line = int(width / _width(text, weight)) if text else largest
    if one_line >= 0.72 * largest:
        return min(largest, one_line)
    return max(smallest, min(int(0.85 * largest), int(width * 1.72 / _width(text, weight))))


def name_size(name: str, *, width: float, largest: int, smallest: int) -> int:
    """Return the size in points at which a name fits into at most two lines, broken at spaces only."""
    for lines in (1, 2):
        for size in range(largest, smallest - 1, -1):
            if _lines_of_words(name, width / size) <= lines and (size >= 0.6 * largest or lines == 2):
                return size
    return smallest


def _lines_of_words(text: str, width: float) -> int:
    """Return in how many lines the words stand; 99 where one of them is wider than a line."""
    lines, line = 1, ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if _width(longer, "Bold") <= width:
            line = longer
            continue
        if _width(word, "Bold") > width:
            return 99
        lines, line = lines + 1, word
    return lines


def certificate_context(certificate: CertificateData) -> dict[str, Any]:
    """Return what the template shows; the certificate's language is the active one."""
    language = certificate.language
    other = "en" if language == "th" else "th"
    colour = pictures.dark_enough(certificate.colour)

    def both(text: Text) -> tuple[str, str]:
        first = text.in_language(language)
        second = getattr(text, other)
        return first, second if second != first else ""

    title, title_other = both(certificate.title)
    issuer, issuer_other = both(certificate.issuer)
    heading, sentence = _words(certificate.kind)
    return {
        "certificate": certificate,
        "language": language,
        "other_language": other,
        "colour": colour,
        "tint": pictures.mixed(colour, "#ffffff", 0.93),
        "line": pictures.mixed(colour, "#ffffff", 0.55),
        "heading": heading,
        "sentence": sentence,
        "holder": certificate.holder,
        # A name is never cut inside a word, as Thai otherwise is.
        "holder_words": certificate.holder.split(),
        "holder_size": name_size(certificate.holder, width=230, largest=34, smallest=11),
        "title": title,
        "title_size": title_size(title, width=225, largest=26, smallest=13),
        "title_other": title_other,
        "title_other_size": title_size(title_other, width=225, largest=13, smallest=8, weight="Regular"),
        "issuer": issuer,
        "issuer_size": title_size(issuer, width=230, largest=20, smallest=11),
        "issuer_other": issuer_other,
        "worth": _worth(certificate),
        "assessed_by": certificate.assessed_by.in_language(language),
        "issued": both_eras(certificate.issued_on, language),
        "expires": both_eras(certificate.expires_on, language) if certificate.expires_on else "",
        "signatories": [
            SimpleNamespace(
                name=one.name.in_language(language),
                role=one.role.in_language(language),
                picture=f"bundled:/signature-{number}.png" if one.signature else "",
            )
            for number, one in enumerate(certificate.signatories[:3])
        ],
        "outcomes": certificate.outcomes,
        "facts": certificate.facts,
        "parts": [part.in_language(language) for part in certificate.parts],
        "qr": qr_svg(certificate.page_url) if certificate.page_url else "",
    }


def both_eras(day: Any, language: str) -> str:
    """Return a date in the reader's era, and the other one's year after it."""
    if language == "th":
        return f"{display_date(day, 'th')} (ค.ศ. {day.year})"
    return f"{display_date(day, 'en')} (B.E. {day.year + 543})"


def qr_svg(address: str) -> str:
    """Return an SVG with the address as QR code, without width and height."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, svgclass=None, lineclass=None
    )
    return out.getvalue().decode().strip()


def _words(kind: str) -> tuple[str, str]:
    """Return the heading of a certificate and the words between the name and the title."""
    if kind == "level1":
        return _("Certificate of completion"), _("has completed")
    if kind == "level2":
        return _("Certificate of achievement"), _("has shown in a standard exam the learning outcomes of")
    if kind == "programme":
        return _("Certificate of a programme"), _("has completed all parts of the programme")
    return _("Certificate"), _("has earned")


def _worth(certificate: CertificateData) -> list[str]:
    found = []
    if certificate.hours:
        found.append(_("%(hours)s hours") % {"hours": plain_number(certificate.hours)})
    if certificate.credits:
        number = plain_number(certificate.credits)
        found.append(
            (_("%(credits)s credit") if number == "1" else _("%(credits)s credits")) % {"credits": number}
        )
    if certificate.nqf_level:
        found.append(_("level %(level)s of the qualifications framework") % {"level": certificate.nqf_level})
    return found


def plain_number(value: Any) -> str:
    """Return a decimal number without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
