"""Making the accounts of the sandbox's people."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction
from waffle.models import Switch

from mooc_microcred.core.models import StaffRole
from sandbox.models import Course, CourseStaff, Profile
from sandbox.people import ACCOUNTS, ORGANIZATION, PASSWORD


@transaction.atomic
def load_accounts() -> None:
    """Make the accounts with their roles, and turn on what a platform turns on at installation."""
    Switch.objects.update_or_create(name="completion.enable_completion_tracking", defaults={"active": True})
    password = make_password(PASSWORD)
    for account in ACCOUNTS:
        user, created = get_user_model().objects.get_or_create(
            username=account.username, defaults={"email": f"{account.username}@example.ac.th"}
        )
        if created:
            user.password = password
        user.is_staff = user.is_superuser = account.superuser
        user.save()
        Profile.objects.update_or_create(user=user, defaults={"name": account.name, "language": "th"})
        for role in account.roles:
            StaffRole.objects.get_or_create(user_id=user.id, role=role, organization=ORGANIZATION)
        if account.teaches:
            for course in Course.objects.filter(organization=ORGANIZATION):
                CourseStaff.objects.get_or_create(course=course, user=user)
