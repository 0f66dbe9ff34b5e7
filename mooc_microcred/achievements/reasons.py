"""Codes of why an award changed; people read them through :func:`describe`."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EARNED = "earned"
CERTIFICATE_SHOWN = "certificate_shown"
CERTIFICATE_INVALIDATED = "certificate_invalidated"
CERTIFICATE_UNAVAILABLE = "certificate_unavailable"
CERTIFICATE_NOT_PASSING = "certificate_notpassing"
CERTIFICATE_UNVERIFIED = "certificate_unverified"
CERTIFICATE_BACK = "certificate_back"
EXAM_CORRECTED = "exam_corrected"
EXAM_SUPERSEDED = "exam_superseded"
LEVEL1_REVOKED = "level1_revoked"
COMPONENT_REVOKED = "component_revoked"
BASIS_REPLACED = "basis_replaced"
VALIDITY_ENDED = "validity_ended"
STAFF = "staff_decision"
STAFF_LIFTED = "staff_decision_lifted"

_WORDS = {
    EARNED: _("the criteria were met"),
    CERTIFICATE_SHOWN: _("the course certificate became visible"),
    CERTIFICATE_INVALIDATED: _("the course certificate was invalidated"),
    CERTIFICATE_UNAVAILABLE: _("the course certificate was withdrawn"),
    CERTIFICATE_NOT_PASSING: _("the course certificate turned to not passing"),
    CERTIFICATE_UNVERIFIED: _("the course certificate turned to unverified"),
    CERTIFICATE_BACK: _("the course certificate is valid again"),
    EXAM_CORRECTED: _("the exam result was corrected"),
    EXAM_SUPERSEDED: _("the corrected exam result no longer meets the criteria"),
    LEVEL1_REVOKED: _("the Level 1 certificate that it stands on was revoked"),
    COMPONENT_REVOKED: _("a credential that the programme stands on was revoked"),
    BASIS_REPLACED: _("it now stands on other credentials"),
    VALIDITY_ENDED: _("its validity ended"),
    STAFF: _("a member of staff decided so"),
    STAFF_LIFTED: _("a member of staff lifted an earlier decision"),
}


def describe(reason: str) -> str | Promise:
    """Return a reason in the reader's language; an unknown code as it is."""
    return _WORDS.get(reason, reason)
