"""Which learners staff of an organisation may look up: those who study with it."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from mooc_microcred.core.errors import NotFound
from mooc_microcred.core.platform import LearnerProfile, get_platform
from mooc_microcred.core.retirement import retired_among


def reachable_learner(
    *,
    organizations: Collection[str] | None,
    learner_id: int | None = None,
    username: str = "",
    email: str = "",
) -> LearnerProfile:
    """Return the profile of a learner who was ever enrolled with one of the organisations.

    Args:
        organizations: short names; None means any learner of the platform.
        learner_id: user id; exactly one of this and the next two is given.
        username: on the platform, in any case.
        email: in any case.

    Raises:
        NotFound: there is none, they have left, or they never studied with these organisations; the
            three are not told apart.
    """
    platform = get_platform()
    if learner_id is not None:
        found = list(platform.read_learners([learner_id]).values())
    elif username:
        found = list(platform.find_learners(usernames=[username]))
    else:
        found = list(platform.find_learners(emails=[email]))
    if (
        len(found) == 1
        and not retired_among([found[0].learner_id])
        and (organizations is None or _studies_with(found[0].learner_id, organizations))
    ):
        return found[0]
    raise NotFound(_("There is no such learner, or they never studied with your organisation."))


def _studies_with(learner_id: int, organizations: Collection[str]) -> bool:
    enrolments = get_platform().read_enrolments([learner_id]).get(learner_id, ())
    return any(_organization_of(one.course_key) in organizations for one in enrolments)


def _organization_of(course_key: str) -> str:
    try:
        return CourseKey.from_string(course_key).org or ""
    except InvalidKeyError:
        return ""
