"""The authoring port for edx-platform: one class for Studio, one for the LMS."""

from __future__ import annotations

from typing import Any

from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import LearningContextKey


def _user_and_key(user_id: int, context_key: str) -> tuple[Any, Any] | None:
    from django.contrib.auth import get_user_model

    try:
        key = LearningContextKey.from_string(context_key)
    except InvalidKeyError:
        return None
    user = get_user_model().objects.filter(id=user_id, is_active=True).first()
    return (user, key) if user else None


class StudioAuthoring:
    """Studio's own permissions, of courses and of both kinds of libraries."""

    def may_edit(self, user_id: int, context_key: str) -> bool:
        """Say whether Studio lets the user change the content."""
        found = _user_and_key(user_id, context_key)
        return bool(found) and _may_edit_in_studio(*found)

    def may_see(self, user_id: int, context_key: str) -> bool:
        """Say whether Studio shows the content to the user."""
        found = _user_and_key(user_id, context_key)
        return bool(found) and _may_see_in_studio(*found)


class CourseStaff:
    """In the LMS nobody edits; the staff of a course see what its authors see."""

    def may_edit(self, user_id: int, context_key: str) -> bool:
        """Say no: handlers of blocks are open to learners here."""
        return False

    def may_see(self, user_id: int, context_key: str) -> bool:
        """Say whether the user is staff of the course."""
        found = _user_and_key(user_id, context_key)
        return bool(found) and found[1].is_course and _is_course_staff(*found)


def _may_edit_in_studio(user: Any, context_key: Any) -> bool:
    """Say whether Studio lets a user change the content of a course or library."""
    return _asked(user, context_key, "edit_library", "has_studio_write_access")


def _may_see_in_studio(user: Any, context_key: Any) -> bool:
    """Say whether Studio shows the content of a course or library to a user."""
    return _asked(user, context_key, "view_library", "has_studio_read_access")


def _asked(user: Any, context_key: Any, permission: str, of_courses: str) -> bool:
    from opaque_keys.edx.locator import LibraryLocatorV2

    if not isinstance(context_key, LibraryLocatorV2):
        from common.djangoapps.student import auth

        return bool(getattr(auth, of_courses)(user, context_key))
    from openedx.core.djangoapps.content_libraries.models import ContentLibrary

    try:
        library = ContentLibrary.objects.get_by_key(context_key)
    except ContentLibrary.DoesNotExist:
        return False
    return bool(user.has_perm(f"content_libraries.{permission}", library))


def _is_course_staff(user: Any, course_key: Any) -> bool:
    """Say whether a user is staff of a course in the LMS."""
    from lms.djangoapps.courseware.access import has_access

    return bool(has_access(user, "staff", course_key))
