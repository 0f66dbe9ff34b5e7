"""The people of the sandbox. Their password is public; the sandbox listens on loopback only."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext_noop
from waffle.models import Switch

from mooc_microcred.core.models import StaffRole
from sandbox.models import Course, CourseStaff, Profile

PASSWORD = "demo"  # noqa: S105
ORGANIZATION = "KMUTT"
Role = StaffRole.Role


@dataclass(frozen=True)
class Account:
    """One person: who they are and what they may do for the organisation."""

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
        roles=(Role.PROGRAMME_OFFICER,),
        teaches=True,
    ),
    Account(
        "officer",
        "อรุณี ตรวจสอบ",
        gettext_noop("Exam officer: admits candidates, uploads and releases results"),
        roles=(Role.EXAM_OFFICER,),
    ),
    Account(
        "signatory",
        "ประเสริฐ ลงนาม",
        gettext_noop("Second signatory: signs what the exam officer uploaded"),
        roles=(Role.EXAM_SIGNATORY,),
    ),
    Account(
        "credit",
        "มาลี คลังหน่วยกิต",
        gettext_noop("Credit officer: sees records and deliveries"),
        roles=(Role.CREDIT_OFFICER,),
    ),
    Account(
        "verifier",
        "สุดา ยืนยันตัวตน",
        gettext_noop("Identity verifier: records identity documents"),
        roles=(Role.VERIFIER,),
    ),
    Account("admin", "ผู้ดูแลระบบ", gettext_noop("Administrator: sees everything"), superuser=True),
)


@transaction.atomic
def load_accounts() -> None:
    """Make the accounts with their roles, and turn on what a platform turns on at installation."""
    Switch.objects.update_or_create(name="completion.enable_completion_tracking", defaults={"active": True})
    for account in ACCOUNTS:
        user, created = get_user_model().objects.get_or_create(
            username=account.username, defaults={"email": f"{account.username}@example.ac.th"}
        )
        if created:
            user.set_password(PASSWORD)
        user.is_staff = user.is_superuser = account.superuser
        user.save()
        Profile.objects.update_or_create(user=user, defaults={"name": account.name, "language": "th"})
        for role in account.roles:
            StaffRole.objects.get_or_create(user_id=user.id, role=role, organization=ORGANIZATION)
        if account.teaches:
            for course in Course.objects.filter(organization=ORGANIZATION):
                CourseStaff.objects.get_or_create(course=course, user=user)
