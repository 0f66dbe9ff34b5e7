"""What a certificate says: everything that its template needs, and nothing that must be looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from mooc_microcred.achievements.data import Text


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signs for the issuer.

    Attributes:
        name, role: such as "รศ. ดร. สมชาย ใจดี" and "อธิการบดี".
        signature: PNG of the handwritten signature; None leaves room above the line.
    """

    name: Text
    role: Text = field(default_factory=Text)
    signature: bytes | None = None


@dataclass(frozen=True, slots=True)
class CertificateData:
    """One certificate, ready to be typeset.

    Attributes:
        language: ``th`` or ``en``; titles of the other language stand below in small.
        kind: ``level1``, ``level2``, ``programme`` or another kind of achievement.
        holder: the name as the learner has chosen to show it; empty prints none.
        colour: the issuer's, ``#rrggbb``; empty for ours.
        logo: PNG; badge: PNG of the badge picture.
        outcomes: (domain in the reader's words, sentences), for the second page.
        facts: (label, value) of how it was assessed, for the second page.
        parts: what a programme stands on.
        page_url: address of the credential page, in the QR code.
        credential: the signed document, which goes into the file as it is.
        specimen: print "specimen" across it, for the preview in the admin.
    """

    language: str
    kind: str
    issuer: Text
    title: Text
    issued_on: date
    holder: str = ""
    organization: str = ""
    description: Text = field(default_factory=Text)
    expires_on: date | None = None
    hours: Decimal = Decimal(0)
    credits: Decimal = Decimal(0)
    nqf_level: int | None = None
    assessed_by: Text = field(default_factory=Text)
    colour: str = ""
    logo: bytes | None = None
    badge: bytes | None = None
    signatories: tuple[Signatory, ...] = ()
    outcomes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    parts: tuple[Text, ...] = ()
    page_url: str = ""
    identifier: str = ""
    credential: str = ""
    site_name: str = ""
    specimen: bool = False
