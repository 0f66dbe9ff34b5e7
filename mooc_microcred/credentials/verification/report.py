"""What is told of a credential that was checked: one line per check, one verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class Outcome(StrEnum):
    """How a check ended.

    ``unknown`` means that it should have been made and could not; ``not_checked`` that there was
    nothing to check or that it was not asked for.
    """

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    NOT_CHECKED = "not_checked"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What is to be thought of the credential, in one word."""

    VALID = "valid"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


VERDICT_TEXTS = {
    Verdict.VALID: gettext_lazy("This credential is valid."),
    Verdict.REVOKED: gettext_lazy("This credential has been revoked by its issuer."),
    Verdict.SUSPENDED: gettext_lazy("This credential is suspended by its issuer for the time being."),
    Verdict.EXPIRED: gettext_lazy("This credential has expired."),
    Verdict.NOT_YET_VALID: gettext_lazy("This credential is not valid yet."),
    Verdict.INVALID: gettext_lazy("This credential is not valid: do not rely on it."),
    Verdict.UNKNOWN: gettext_lazy("It cannot be said whether this credential is valid."),
}


class CheckName(StrEnum):
    """The checks, in the order in which they are made and shown."""

    FORMAT = "format"
    CONTEXT = "context"
    TERMS = "terms"
    REQUIRED = "required"
    SIGNATURE = "signature"
    ISSUER_KEY = "issuer_key"
    KEY_STATUS = "key_status"
    VALIDITY = "validity"
    REVOCATION = "revocation"
    SUSPENSION = "suspension"
    SUBJECT = "subject"
    INNER = "inner"


CHECK_TITLES = {
    CheckName.FORMAT: gettext_lazy("The file can be read"),
    CheckName.CONTEXT: gettext_lazy("Its vocabulary is known"),
    CheckName.TERMS: gettext_lazy("Everything in it is signed"),
    CheckName.REQUIRED: gettext_lazy("Nothing that the standard requires is missing"),
    CheckName.SIGNATURE: gettext_lazy("The signature is right"),
    CheckName.ISSUER_KEY: gettext_lazy("The key belongs to the issuer"),
    CheckName.KEY_STATUS: gettext_lazy("The key was in use when it signed"),
    CheckName.VALIDITY: gettext_lazy("It is within its period of validity"),
    CheckName.REVOCATION: gettext_lazy("It is not revoked"),
    CheckName.SUSPENSION: gettext_lazy("It is not suspended"),
    CheckName.SUBJECT: gettext_lazy("It belongs to the person you named"),
    CheckName.INNER: gettext_lazy("The credentials and endorsements in it"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: stable, for programs.
        outcome: how it ended.
        message: one sentence in the reader's language.
        code: stable word for the reason, such as ``signature_wrong``; empty where all is well.
    """

    name: CheckName
    outcome: Outcome
    message: str
    code: str = ""

    @property
    def title(self) -> str:
        """Return what is checked, in the reader's language."""
        return str(CHECK_TITLES[self.name])


@dataclass(frozen=True, slots=True)
class Summary:
    """What the credential says, for people. Nothing of it is proven unless the verdict says so.

    Attributes:
        id: of the credential. types: of the credential. name: its title.
        issuer_id: DID or URL. issuer_name: as the credential gives it.
        achievement: name of the achievement; empty for other credentials.
        subjects: ids of the subjects (DIDs); empty where they are named by hashes only.
        valid_from, valid_until: as given; None where missing or unreadable.
    """

    id: str = ""
    types: tuple[str, ...] = ()
    name: str = ""
    issuer_id: str = ""
    issuer_name: str = ""
    achievement: str = ""
    subjects: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """Everything that was found.

    Attributes:
        verdict: in one word.
        checks: in the order of CheckName; every name is there once.
        format: ``json-ld``, ``jwt`` or empty where it could not be read.
        summary: what the credential says.
        document: the credential as it was read, without its signature having any say in it; None
            where it could not be read.
        inner: reports of the credentials and endorsements inside, in the order of the document.
        our_own: whether an issuer of this platform signed it.
    """

    verdict: Verdict
    checks: tuple[Check, ...]
    format: str = ""
    summary: Summary = field(default_factory=Summary)
    document: Mapping[str, Any] | None = None
    inner: tuple[VerificationReport, ...] = ()
    our_own: bool = False

    @property
    def message(self) -> str:
        """Return the verdict as one sentence in the reader's language, with the reason where it is bad."""
        verdict = str(VERDICT_TEXTS[self.verdict])
        reason = self.reason
        if self.verdict is Verdict.VALID or reason is None:
            return verdict
        return _("%(verdict)s %(reason)s") % {"verdict": verdict, "reason": reason.message}

    @property
    def reason(self) -> Check | None:
        """Return the check that led to a verdict other than ``valid``."""
        for outcome in (Outcome.FAILED, Outcome.UNKNOWN):
            for check in self.checks:
                if check.outcome is outcome:
                    return check
        return None

    def check(self, name: CheckName | str) -> Check:
        """Return the check of a name."""
        return next(check for check in self.checks if check.name == name)
