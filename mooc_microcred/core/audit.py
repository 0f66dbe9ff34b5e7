"""The audit log."""

from __future__ import annotations

from typing import Any

from mooc_microcred.core import clock
from mooc_microcred.core.models import AuditEntry


def log_action(
    *,
    actor_id: int | None,
    action: str,
    object_type: str,
    object_id: object,
    organization: str = "",
    **details: Any,
) -> None:
    """Append one line in the caller's transaction. ``details`` hold ids and codes, never personal data."""
    AuditEntry.objects.create(
        at=clock.now(),
        actor_id=actor_id,
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        organization=organization,
        details=details,
    )
