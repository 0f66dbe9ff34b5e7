"""Addresses of what is published: all begin with PUBLIC_URL, and none ever changes.

A credential names them for ever, so an installation that moves to another host keeps the old one
answering (ADR 0016).
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

from mooc_microcred.core.conf import microcred_settings

OWN_CONTEXT_PATH = "/microcred/contexts/v1.jsonld"


def public_base() -> str:
    """Return PUBLIC_URL, else LMS_ROOT_URL, such as ``https://lms.example.org``, without a slash at the end.

    Raises:
        ImproperlyConfigured: it is not set.
    """
    base = microcred_settings.PUBLIC_URL or getattr(django_settings, "LMS_ROOT_URL", None)
    if not base:
        raise ImproperlyConfigured("MOOC_MICROCRED['PUBLIC_URL'] is not set")
    return base.rstrip("/")


def own_context_url() -> str:
    """Return the address of our own JSON-LD context."""
    return public_base() + OWN_CONTEXT_PATH


def credential_url(uuid: str) -> str:
    """Return the id of a credential, which is also its page."""
    return f"{public_base()}/microcred/credentials/{uuid}"


def achievement_url(code: str, number: int) -> str:
    """Return the id of one version of an achievement."""
    return f"{public_base()}/microcred/achievements/{code}/{number}"


def endorsement_url(uuid: str) -> str:
    """Return the id of an endorsement."""
    return f"{public_base()}/microcred/endorsements/{uuid}"


def status_list_url(code: str) -> str:
    """Return the address of a status list without its purpose."""
    return f"{public_base()}/microcred/status/{code}"


def revocations_url(issuer_code: str) -> str:
    """Return the address of an issuer's 1EdTechRevocationList."""
    return f"{public_base()}/microcred/issuers/{issuer_code}/revocations.json"


def picture_url(uuid: str) -> str:
    """Return the address of a picture that we have written."""
    return f"{public_base()}/microcred/pictures/{uuid}.png"


def drawn_badge_url(kind: str, colour: str) -> str:
    """Return the address of the picture that we draw where an institution has given none.

    Args:
        colour: ``#rrggbb``.
    """
    return f"{public_base()}/microcred/assets/badge-{kind}-{colour[1:]}.png"


def did_web(issuer_code: str) -> str:
    """Return the did:web of an issuer; its document is at ``/microcred/issuers/<code>/did.json``.

    A port is percent-encoded (did:web method specification, section 3.1).
    """
    host = quote(urlsplit(public_base()).netloc, safe="")
    return f"did:web:{host}:microcred:issuers:{issuer_code}"


def issuer_url(issuer_code: str) -> str:
    """Return the address below which an issuer's documents stand."""
    return f"{public_base()}/microcred/issuers/{issuer_code}"
