"""The authoring port for edx-platform: one class for Studio, one for the LMS."""

from __future__ import annotations

from typing import Any

from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import LearningContextKey

from mooc_microcred_openedx import compat


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
        return bool(found) and compat.may_edit_in_studio(*found)

    def may_see(self, user_id: int, context_key: str) -> bool:
        """Say whether Studio shows the content to the user."""
        found = _user_and_key(user_id, context_key)
        return bool(found) and compat.may_see_in_studio(*found)


class CourseStaff:
    """In the LMS nobody edits; the staff of a course see what its authors see."""

    def may_edit(self, user_id: int, context_key: str) -> bool:
        """Say no: handlers of blocks are open to learners here."""
        return False

    def may_see(self, user_id: int, context_key: str) -> bool:
        """Say whether the user is staff of the course."""
        found = _user_and_key(user_id, context_key)
        return bool(found) and found[1].is_course and compat.is_course_staff(*found)
