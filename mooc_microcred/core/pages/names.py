"""Names of members of staff, for pages that say who did something."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from django.utils.translation import gettext as _

from mooc_microcred.core.models import StaffRole
from mooc_microcred.core.platform import PlatformUnavailable, get_platform


def staff_names(user_ids: Collection[int | None]) -> dict[int, str]:
    """Return a name for each user id, with one look-up; None is passed over.

    Whoever has left the platform, and everybody while it cannot be read, is named by number: who did
    something must be seen in any case.
    """
    wanted = {one for one in user_ids if one is not None}
    profiles = {}
    if wanted:
        with suppress(PlatformUnavailable):
            profiles = dict(get_platform().read_learners(wanted))
    return {
        one: profiles[one].name if one in profiles else _("user %(number)s") % {"number": one}
        for one in wanted
    }


def acting_names(user_ids: Collection[int | None]) -> dict[int, str]:
    """Return a name for each user id as :func:`staff_names`, but name by number who holds no role.

    Learners act, too (they agree, they share); who they are is not for every reader of a log.
    """
    wanted = {one for one in user_ids if one is not None}
    staff = set(StaffRole.objects.filter(user_id__in=wanted).values_list("user_id", flat=True))
    others = {one: _("user %(number)s") % {"number": one} for one in wanted - staff}
    return others | staff_names(staff)
