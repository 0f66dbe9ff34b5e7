"""What an identity verifier does: find a learner, and record a document that they have seen."""

from __future__ import annotations

from django.utils.translation import gettext as _

from mooc_microcred.core.errors import NotAllowed
from mooc_microcred.core.identity import record_identity
from mooc_microcred.core.models import LearnerIdentity
from mooc_microcred.core.platform import LearnerProfile
from mooc_microcred.core.rest_api.learners import reachable_learner
from mooc_microcred.core.roles import Actor, Role


def find_learner_to_verify(
    *, actor: Actor, learner_id: int | None = None, username: str = "", email: str = ""
) -> LearnerProfile:
    """Return a learner of the verifier's organisations, named in exactly one way.

    Raises:
        NotAllowed: the actor is no verifier. NotFound: no such learner of these organisations.
        PlatformUnavailable: learners cannot be looked up now.
    """
    scopes = actor.organizations((Role.VERIFIER,))
    if scopes is not None and not scopes:
        raise NotAllowed(_("You do not hold a role that this needs."))
    return reachable_learner(organizations=scopes, learner_id=learner_id, username=username, email=email)


def verify_identity(
    *,
    actor: Actor,
    kind: str,
    number: str,
    learner_id: int | None = None,
    username: str = "",
    email: str = "",
) -> LearnerProfile:
    """Record a document that the verifier has seen; an earlier one of its kind is replaced.

    Verifiers record learners of their own organisations, and never themselves.

    Returns:
        whose document it is.

    Raises:
        NotAllowed, NotFound: as :func:`find_learner_to_verify`, and for one's own document.
        InvalidInput: not a number of that kind, or it belongs to another learner.
    """
    learner = find_learner_to_verify(actor=actor, learner_id=learner_id, username=username, email=email)
    if learner.learner_id == actor.id:
        raise NotAllowed(_("Your own identity must be verified by somebody else."))
    record_identity(
        learner_id=learner.learner_id,
        kind=kind,
        number=number,
        verified_by=f"officer:{actor.id}",
        actor_id=actor.id,
    )
    return learner


def identities_of(learner_id: int) -> list[LearnerIdentity]:
    """Return the verified documents of a learner, without their numbers: at most one of each kind."""
    rows = LearnerIdentity.objects.filter(learner_id=learner_id).order_by("kind")
    return list(rows.defer("number_encrypted", "number_hash"))
