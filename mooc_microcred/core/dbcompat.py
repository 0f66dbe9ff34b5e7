"""The one difference between Django 4.2 and 5.2 that the models meet."""

from __future__ import annotations

import inspect

from django.db.models import CheckConstraint, Q

_ARGUMENT = "condition" if "condition" in inspect.signature(CheckConstraint.__init__).parameters else "check"


def check_constraint(*, name: str, condition: Q) -> CheckConstraint:
    """Return a CheckConstraint; Django 5.1 renamed its ``check`` argument to ``condition``."""
    return CheckConstraint(name=name, **{_ARGUMENT: condition})  # type: ignore[arg-type]
