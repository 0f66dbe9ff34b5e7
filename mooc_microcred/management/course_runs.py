"""Course runs that somebody names on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from mooc_microcred.core.platform import get_platform


def existing_runs(keys: Sequence[str]) -> list[str]:
    """Return each course key once, in the order given.

    Raises:
        CommandError: one is no course key, or the platform has no such run.
        PlatformUnavailable: it cannot be said now.
    """
    wanted = list(dict.fromkeys(keys))
    for key in wanted:
        try:
            CourseKey.from_string(key)
        except InvalidKeyError:
            raise CommandError(_("%(key)s is not a course key.") % {"key": key}) from None
    known = get_platform().read_courses(wanted)
    for key in wanted:
        if key not in known:
            raise CommandError(_("The platform has no course run %(key)s.") % {"key": key})
    return wanted
