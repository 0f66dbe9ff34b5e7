"""Who may do what, for which organisation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mooc_microcred.core.asking import asked
from mooc_microcred.core.errors import NotAllowed
from mooc_microcred.core.models import StaffRole

Role = StaffRole.Role


# Stands for a person while the question is put into SQL.
_SOMEBODY = -(2**62) + 1


def _roles_of(user_id: int) -> QuerySet[StaffRole, Any]:
    return StaffRole.objects.filter(user_id=user_id).values_list("role", "organization")


class Actor:
    """A signed-in person and the roles they hold, read once.

    Attributes:
        id: user id; None for nobody.
        superuser: may do everything except be a second person to themselves.
    """

    def __init__(self, *, user_id: int | None, superuser: bool = False):
        self.id = user_id
        self.superuser = superuser
        self._roles: set[tuple[str, str]] | None = None

    @classmethod
    def of(cls, user) -> Actor:
        """Return the actor of a Django user."""
        return cls(
            user_id=getattr(user, "id", None),
            superuser=bool(getattr(user, "is_superuser", False) and getattr(user, "is_active", False)),
        )

    @property
    def roles(self) -> set[tuple[str, str]]:
        """Return the (role, organisation) pairs; organisation "" means all."""
        if self._roles is None:
            held: set[tuple[str, str]] = set()
            if self.id is not None:
                held.update(asked(_roles_of, _SOMEBODY, given={_SOMEBODY: self.id}))
            # Assigned when complete: another thread must not take an empty set for no roles.
            self._roles = held
        return self._roles

    def has(self, role: str | Iterable[str], organization: str) -> bool:
        """Say whether the person holds one of the roles for the organisation."""
        wanted = {role} if isinstance(role, str) else set(role)
        return self.superuser or any(
            held in wanted and scope in (StaffRole.ALL, organization) for held, scope in self.roles
        )

    def require(self, role: str | Iterable[str], organization: str) -> None:
        """Raise NotAllowed unless the person holds one of the roles for the organisation."""
        if not self.has(role, organization):
            raise NotAllowed(_("You do not hold the role that this needs for this organisation."))

    def organizations(self, role: str | Iterable[str]) -> set[str] | None:
        """Return the organisations for which one of the roles is held; None means all of them."""
        wanted = {role} if isinstance(role, str) else set(role)
        scopes = {scope for held, scope in self.roles if held in wanted}
        if self.superuser or StaffRole.ALL in scopes:
            return None
        return scopes
