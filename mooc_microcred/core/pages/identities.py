"""The page of the identity verifier: find a learner, record a document that was seen.

Whoever is looked for is sent in a form, never in an address: addresses are logged.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from mooc_microcred.core.dates import display_moment
from mooc_microcred.core.errors import InvalidInput, MicrocredError, NotAllowed, NotFound
from mooc_microcred.core.models import LearnerIdentity
from mooc_microcred.core.pages.names import staff_names
from mooc_microcred.core.pages.people import person_page, shown, told
from mooc_microcred.core.platform import LearnerProfile
from mooc_microcred.core.roles import Role
from mooc_microcred.core.verifying import find_learner_to_verify, identities_of, verify_identity

Kind = LearnerIdentity.Kind
# Longer than any number or address; what is longer is cut before it is looked at.
MAX_TYPED = 254


@sensitive_post_parameters("who", "number")
@person_page(post=True, roles=(Role.VERIFIER,))
def identities(request: Any) -> HttpResponseBase:
    """Find a learner; show which documents are recorded; record one."""
    if request.method != "POST":
        return _page(request)
    if request.POST.get("action") == "record":
        return _record(request)
    who = request.POST.get("who", "").strip()[:MAX_TYPED]
    if not who:
        return _page(request, problem=_("Write a user name or an e-mail address."), status=400)
    try:
        learner = find_learner_to_verify(actor=request.actor, **{"email" if "@" in who else "username": who})
    except NotFound as error:
        return _page(request, who=who, problem=error.message, status=404)
    return _page(request, who=who, learner=learner)


def _record(request: Any) -> HttpResponseBase:
    given = request.POST.get("learner", "")
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise NotFound(_("There is no such learner, or they never studied with your organisation."))
    learner = find_learner_to_verify(actor=request.actor, learner_id=int(given))
    kind, number = request.POST.get("kind", ""), request.POST.get("number", "").strip()[:MAX_TYPED]
    try:
        if kind not in Kind.values:
            raise InvalidInput(_("Choose what kind of document it is."))
        verify_identity(actor=request.actor, learner_id=learner.learner_id, kind=kind, number=number)
    except (InvalidInput, NotAllowed) as error:
        status = 403 if isinstance(error, NotAllowed) else 400
        return _page(request, learner=learner, kind=kind, number=number, wrong=error, status=status)
    recorded = next(one for one in identities_of(learner.learner_id) if one.kind == kind)
    message = _("Recorded: %(document)s, ending in %(last)s. The whole number is not shown again.")
    said = {"document": Kind(kind).label, "last": recorded.last_four}
    return told(request, message % said, "page-identities")


def _page(
    request: Any,
    *,
    who: str = "",
    problem: str = "",
    learner: LearnerProfile | None = None,
    kind: str = "",
    number: str = "",
    wrong: MicrocredError | None = None,
    status: int = 200,
) -> HttpResponse:
    held = identities_of(learner.learner_id) if learner else []
    # Who recorded it is kept as ``officer:<user id>``.
    officers = {one.pk: int(one.verified_by[8:]) for one in held if one.verified_by.startswith("officer:")}
    names = staff_names(officers.values())
    context = {
        "place": "identities",
        "who": who,
        "problem": problem,
        "learner": learner,
        "own": learner is not None and learner.learner_id == request.actor.id,
        "documents": [
            {
                "kind": Kind(one.kind).label,
                "last_four": one.last_four,
                "when": display_moment(one.verified_at),
                "by": names[officers[one.pk]] if one.pk in officers else one.verified_by,
            }
            for one in held
        ],
        "kinds": [{"value": value, "label": label, "chosen": value == kind} for value, label in Kind.choices],
        "number": number,
        "wrong": wrong.message if wrong else "",
    }
    return shown(request, "core/identities.html", context, status=status)
