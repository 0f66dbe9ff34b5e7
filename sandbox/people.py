"""Who the people of the sandbox are. Their password is public; the sandbox listens on loopback only."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "demo"  # noqa: S105
ORGANIZATION = "KMUTT"
# How the passports of the crowd begin (sandbox/crowd.py); no country issues such numbers.
CROWD_PASSPORT = "ZZ"


def gettext_noop(message: str) -> str:
    """Mark a message for translation; Django's own function wants settings, which the demo does not have."""
    return message


@dataclass(frozen=True)
class Account:
    """One person: who they are, and the roles that they hold for the organisation."""

    username: str
    name: str
    does: str
    roles: tuple[str, ...] = ()
    teaches: bool = False
    superuser: bool = False


ACCOUNTS = (
    Account("learner", "สมหญิง ใจดี", gettext_noop("Learner: takes the courses")),
    Account(
        "author",
        "ผศ.ดร.วิชัย สอนดี",
        gettext_noop("Course author: teaches, may invalidate a certificate"),
        roles=("programme_officer",),
        teaches=True,
    ),
    Account(
        "officer",
        "อรุณี ตรวจสอบ",
        gettext_noop("Exam officer: admits candidates, uploads and releases results"),
        # Both roles, so that what keeps the officer from signing is the rule of the second person.
        roles=("exam_officer", "exam_signatory"),
    ),
    Account(
        "signatory",
        "ประเสริฐ ลงนาม",
        gettext_noop("Second signatory: signs what the exam officer uploaded"),
        roles=("exam_signatory",),
    ),
    Account(
        "credit",
        "มาลี คลังหน่วยกิต",
        gettext_noop("Credit officer: sees records and deliveries"),
        roles=("credit_officer",),
    ),
    Account(
        "verifier",
        "สุดา ยืนยันตัวตน",
        gettext_noop("Identity verifier: records identity documents"),
        roles=("verifier",),
    ),
    Account("admin", "ผู้ดูแลระบบ", gettext_noop("Administrator: sees everything"), superuser=True),
)
