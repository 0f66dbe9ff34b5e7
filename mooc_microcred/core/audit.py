"""The audit log."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from mooc_microcred.core import clock
from mooc_microcred.core.errors import NotAllowed
from mooc_microcred.core.models import AuditEntry
from mooc_microcred.core.roles import Actor, Role


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


def audit_lines(
    *,
    actor: Actor,
    action: str = "",
    object_type: str = "",
    object_id: str = "",
    actor_id: int | None = None,
    organization: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEntry]:
    """Return the lines that an auditor may see, without order: the primary key is the cursor.

    Lines without organisation are shown only to auditors of all organisations.

    Args:
        actor_id: only what this person did.
        since, until: only lines written at or after the one and before the other, UTC.

    Raises:
        NotAllowed: the actor is no auditor.
    """
    rows = AuditEntry.objects.order_by()
    scopes = actor.organizations(Role.AUDITOR)
    if scopes is not None:
        if not scopes:
            raise NotAllowed(_("You do not hold the role that this needs."))
        rows = rows.filter(organization__in=scopes)
    wanted = {
        "action": action or None,
        "object_type": object_type or None,
        "object_id": object_id or None,
        "actor_id": actor_id,
        "organization": organization or None,
        "at__gte": since,
        "at__lt": until,
    }
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})


def lines_about(objects: Mapping[str, Collection[object]], *, limit: int = 100) -> list[AuditEntry]:
    """Return what was done with some things, the newest first; does not check permissions.

    Args:
        objects: ids by object type, such as ``{"delivery": [12, 13]}``.
    """
    concerned = Q(pk__in=[])
    for object_type, ids in objects.items():
        concerned |= Q(object_type=object_type, object_id__in=[str(one) for one in ids])
    return list(AuditEntry.objects.filter(concerned).order_by("-pk")[:limit])
