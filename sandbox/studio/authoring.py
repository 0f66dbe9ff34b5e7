"""The authoring port of the sandbox: who teaches a course is its author; in the LMS's part nobody edits."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar

from django.contrib.auth import get_user_model

from sandbox.models import CourseStaff

# A platform has two processes; here a request is in one part or in the other.
_in_studio: ContextVar[bool] = ContextVar("sandbox_in_studio", default=False)


@contextmanager
def studio():
    """Be Studio, where authors may edit."""
    token = _in_studio.set(True)
    try:
        yield
    finally:
        _in_studio.reset(token)


class SandboxAuthoring:
    """The teachers of a course, and superusers."""

    def may_edit(self, user_id: int, context_key: str) -> bool:
        return _in_studio.get() and self.may_see(user_id, context_key)

    def may_see(self, user_id: int, context_key: str) -> bool:
        if CourseStaff.objects.filter(user_id=user_id, course__course_key=context_key).exists():
            return True
        return get_user_model().objects.filter(id=user_id, is_superuser=True, is_active=True).exists()
