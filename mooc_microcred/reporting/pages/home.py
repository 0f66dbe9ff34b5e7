"""The place from which staff start: where they may work, and what waits for them there."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mooc_microcred.achievements import api as achievements
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.core.pages.people import person_page, shown
from mooc_microcred.core.pages.places import places_of
from mooc_microcred.core.pages.staff_audit import MESSAGE_REPLAYERS
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.exams import api as exams

# Of each kind of batches; what is more is said to be more.
BATCHES = 50


@person_page()
def home(request: Any) -> HttpResponseBase:
    """Show a card for every place that the person may open, those where something waits first."""
    cards = [
        {"page": one.page, "name": one.name, "what": one.what, **_waiting(request.actor, one.key)}
        for one in places_of(request.actor)
    ]
    cards.sort(key=lambda card: not card["number"])
    return shown(
        request, "reporting/home.html", {"place": "staff", "cards": cards, "roles": _roles(request.actor)}
    )


def _roles(actor: Actor) -> list[str]:
    """Return the roles that somebody holds, as sentences."""
    found = []
    for role, organization in sorted(actor.roles):
        if role in Role.values:
            named = {"role": Role(role).label, "organization": organization or _("all organisations")}
            found.append(_("%(role)s: %(organization)s") % named)
    return found


def _waiting(actor: Actor, place: str) -> dict[str, Any]:
    """Return how many things wait for a person in a place, and what they are; one to three queries."""
    if place == "exams":
        some = exams.batches_waiting_for(actor=actor, limit=BATCHES)
        counts = [len(one) for one in (some.to_sign, some.to_release, some.to_mend)]
        number = sum(counts)
        text = ngettext("%(number)s batch waits for you", "%(number)s batches wait for you", number)
        if BATCHES in counts:
            text = _("%(number)s batches or more wait for you")
    elif place == "credit-desk" and _may(actor, Role.CREDIT_OFFICER):
        number = creditbank.count_dead_letters(actor=actor)
        text = ngettext("%(number)s delivery was given up", "%(number)s deliveries were given up", number)
    elif place == "run-offers" and _may(actor, Role.PROGRAMME_OFFICER):
        number = achievements.count_open_offers(actor=actor)
        text = ngettext("%(number)s re-run waits for you", "%(number)s re-runs wait for you", number)
    elif place == "messages" and actor.organizations(MESSAGE_REPLAYERS) is None:
        number = OutboxMessage.objects.filter(state=OutboxMessage.State.DEAD).count()
        text = ngettext("%(number)s message was given up", "%(number)s messages were given up", number)
    else:
        return {"number": 0, "note": ""}
    return {"number": number, "note": text % {"number": number} if number else _("Nothing waits for you.")}


def _may(actor: Actor, role: str) -> bool:
    scope = actor.organizations(role)
    return scope is None or bool(scope)
