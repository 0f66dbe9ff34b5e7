"""The authoring port: who may edit, and who may look at, the content of a course or library.

Implemented for edx-platform by ``mooc_microcred_openedx.authoring``, for the demo by the sandbox. The
setting ``AUTHORING`` names it; where it names nothing, nobody is an author.
"""

from __future__ import annotations

from typing import Protocol

from django.utils.translation import gettext as _

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import NotAllowed


class Authoring(Protocol):
    """The port. A context is a course run or a content library, named by its key as text."""

    def may_edit(self, user_id: int, context_key: str) -> bool:
        """Say whether the user may change its content, in this process."""

    def may_see(self, user_id: int, context_key: str) -> bool:
        """Say whether the user may see what authors see of it."""


def _authoring() -> Authoring | None:
    named = microcred_settings.imported("AUTHORING")
    return named() if isinstance(named, type) else named


def may_edit_content(*, user_id: int | None, context_key: str) -> bool:
    """Say whether a user may change the content of a course or library here; never in the LMS.

    Args:
        user_id: None is nobody. context_key: of a course run or library, as text.
    """
    port = _authoring()
    return bool(port and user_id and context_key and port.may_edit(user_id, context_key))


def may_see_content(*, user_id: int | None, context_key: str) -> bool:
    """Say whether a user may see what authors see of a course or library: its map, its settings."""
    port = _authoring()
    return bool(port and user_id and context_key and port.may_see(user_id, context_key))


def require_sight_of_content(*, user_id: int | None, context_key: str) -> None:
    """Refuse whoever may not see what authors see.

    Raises:
        NotAllowed: the user is neither author nor staff of it, or there is no such course or library.
    """
    if not may_see_content(user_id=user_id, context_key=context_key):
        raise NotAllowed(_("You are not an author of this course or library."))
