"""A learner's data, from every room: for the right of access (PDPA B.E. 2562, section 30).

Each room registers a hook that returns what it holds of a learner as plain values, in the same
manner as the hooks of retirement. The platform's own data is not ours to export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import models

from mooc_microcred.core import clock
from mooc_microcred.core.models import (
    AuditEntry,
    LearnerIdentity,
    LearnerLease,
    OutboxMessage,
    RetiredLearner,
    StaffRole,
)

#: Changes with every change of the form of what is exported.
VERSION = 1

#: Returns what a room holds of a learner: dicts, lists, texts, numbers, dates and Decimals.
Hook = Callable[[int], Mapping[str, Any]]

_hooks: dict[str, Hook] = {}


def register_export_hook(name: str, hook: Hook) -> None:
    """Make a room's hook known under a stable name; called from AppConfig.ready, again is harmless."""
    _hooks[name] = hook


def export_learner(*, learner_id: int) -> dict[str, Any]:
    """Return everything that is held of a learner, ready for ``json.dumps``.

    Does not check permissions. Whoever exports somebody else's data leaves a line in the audit log.
    """
    rooms = {name: plain(hook(learner_id)) for name, hook in _hooks.items()}
    return {
        "version": VERSION,
        "learner_id": learner_id,
        "exported_at": clock.now().isoformat(),
        "rooms": rooms,
    }


def rows_of(rows: models.QuerySet, *, without: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return rows with all their columns, but for what says nothing to a learner or is encrypted.

    Args:
        without: names of columns that are left out.
    """
    left_out = {"id", "claim", *without}
    names = [one.attname for one in rows.model._meta.concrete_fields if one.attname not in left_out]
    return list(rows.order_by("pk").values(*names))


def plain(value: Any) -> Any:
    """Return a value as JSON has it: instants in ISO 8601, Decimals as text, tuples as lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"{type(value).__name__} cannot be exported")


def export_core(learner_id: int) -> dict[str, Any]:
    """Return what this room holds: documents (never their numbers), roles, and the log about the learner."""
    about = AuditEntry.objects.filter(object_type="learner", object_id=str(learner_id))
    acted = AuditEntry.objects.filter(actor_id=learner_id)
    retired = RetiredLearner.objects.filter(learner_id=learner_id).first()
    lease = LearnerLease.objects.filter(learner_id=learner_id).first()
    return {
        "identities": rows_of(
            LearnerIdentity.objects.filter(learner_id=learner_id),
            without=["number_encrypted", "number_hash"],
        ),
        "roles": rows_of(StaffRole.objects.filter(user_id=learner_id)),
        "audit_log_about_me": rows_of(about),
        "audit_log_of_what_i_did": rows_of(acted),
        "messages": rows_of(
            OutboxMessage.objects.filter(learner_id=learner_id), without=["last_error", "done_by"]
        ),
        "last_worked_on": lease.expires if lease else None,
        "retired_at": retired.at if retired else None,
    }
