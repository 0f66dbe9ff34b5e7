"""Who sees a credential, and under which name: what the learner decides for each.

The signed document never holds a name. A name that the learner chooses stands beside it, on the page
and on the certificate, and goes when the learner takes it back or leaves the platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mooc_microcred.core.audit import log_action
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import InvalidInput, NotFound
from mooc_microcred.core.platform import LearnerProfile, get_platform
from mooc_microcred.credentials.models import Credential

Visibility = Credential.Visibility

# Which name is shown: none, the one that the platform has verified, or the one of the profile.
NAME_CHOICES = {
    "none": gettext_lazy("no name"),
    "verified": gettext_lazy("my verified name"),
    "profile": gettext_lazy("the name in my profile"),
}
NAME_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a learner has decided for one credential.

    Attributes:
        visibility: ``public``, ``link`` or ``private``.
        name_choice: ``none``, ``verified`` or ``profile``.
        shown_name: the name that stands on the page; empty for none.
    """

    visibility: str
    name_choice: str
    shown_name: str


def visibility_of(credential: Any) -> str:
    """Return who sees a credential; where the learner has not decided, as the settings say."""
    return credential.visibility or microcred_settings.CREDENTIAL_VISIBILITY


def sharing_of(credential: Any) -> Sharing:
    """Return what the learner has decided for a credential (a row of the table)."""
    choice = credential.name_choice or "none"
    return Sharing(visibility_of(credential), choice, credential.shown_name if choice != "none" else "")


def may_see(credential: Any, *, viewer_id: int | None) -> bool:
    """Say whether somebody sees a credential; its learner always does, strangers unless it is private."""
    return visibility_of(credential) != Visibility.PRIVATE or viewer_id == credential.learner_id


def names_of_learner(*, learner_id: int) -> dict[str, str]:
    """Return the names that a learner may choose, by choice; those that the platform does not have are empty.

    Raises:
        PlatformUnavailable: the platform cannot be read now.
    """
    profile = get_platform().read_learners([learner_id]).get(learner_id)
    return {"none": "", "verified": "", "profile": ""} if profile is None else _names(profile)


def _names(profile: LearnerProfile) -> dict[str, str]:
    # Without a verified name the platform hands out the one of the profile, or else the user name,
    # which is never shown: it leads to the learner's other doings on the platform.
    known = profile.name if profile.name != profile.username else ""
    return {
        "none": "",
        "verified": known[:NAME_LENGTH],
        "profile": (profile.profile_name or known)[:NAME_LENGTH],
    }


def share_credential(
    *, learner_id: int, credential_uuid: str, visibility: str = "", name_choice: str = ""
) -> Sharing:
    """Decide who sees one's credential, and which name stands on it; empty leaves it as it is.

    The name is taken over as it is now; a later change of it on the platform is taken over when the
    learner decides again.

    Raises:
        NotFound: there is none of this learner.
        InvalidInput: no such choice, or the platform has no such name.
        PlatformUnavailable: the platform cannot be read now.
    """
    if visibility and visibility not in Visibility.values:
        raise InvalidInput(_("Choose public, link or private."))
    if name_choice and name_choice not in NAME_CHOICES:
        raise InvalidInput(_("Choose none, verified or profile."))
    name = ""
    if name_choice in ("verified", "profile"):
        name = names_of_learner(learner_id=learner_id)[name_choice]
        if not name:
            raise InvalidInput(
                _("The platform does not know this name of yours. Fill in your profile first.")
            )
    with transaction.atomic():
        rows = Credential.objects.select_for_update()
        credential = rows.filter(uuid=credential_uuid, learner_id=learner_id).first()
        if credential is None:
            raise NotFound(_("There is no such credential."))
        changed = {}
        if visibility:
            changed["visibility"] = visibility
        if name_choice:
            changed |= {"name_choice": name_choice, "shown_name": name}
        if changed:
            for field, value in changed.items():
                setattr(credential, field, value)
            credential.save(update_fields=list(changed))
            log_action(
                actor_id=learner_id,
                action="credential.shared",
                object_type="credential",
                object_id=credential.uuid,
                visibility=credential.visibility,
                name=credential.name_choice,
            )
    return sharing_of(credential)
