"""Re-runs of courses that wait for adoption."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import RunOffer
from mooc_microcred.achievements.offers import run_offers_of_staff
from mooc_microcred.achievements.pages.awards import READERS
from mooc_microcred.core.dates import display_moment
from mooc_microcred.core.errors import InvalidInput, NotFound, WrongState
from mooc_microcred.core.pages.lists import PAGE, choices, pages, whole_number
from mooc_microcred.core.pages.names import staff_names
from mooc_microcred.core.pages.people import person_page, refused, shown, told
from mooc_microcred.core.roles import Role

State = RunOffer.State
_MOODS = {"offered": "warn", "adopted": "good", "declined": "quiet"}


@person_page(post=True, roles=READERS)
def offers(request: Any) -> HttpResponseBase:
    """Show offered re-runs; adopt or decline one after a question."""
    rows = run_offers_of_staff(actor=request.actor)
    if request.method == "POST":
        return _decide(request, rows)
    kept = {"state": request.GET.get("state", State.OFFERED)}
    before = whole_number(request.GET.get("before", ""))
    if kept["state"] in State.values:
        rows = rows.filter(state=kept["state"])
    asked = rows.filter(pk=whole_number(request.GET.get("offer", "")) or 0).first()
    found = list((rows if before is None else rows.filter(pk__lt=before)).order_by("-pk")[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    staff = staff_names({one.decided_by for one in found})
    catalogue = achievements.current_catalogue()
    doing = request.GET.get("do", "")

    def line(one: RunOffer) -> dict[str, Any]:
        newest = catalogue.newest(one.achievement.code)
        mine = request.actor.has(Role.PROGRAMME_OFFICER, one.achievement.organization)
        return {
            "id": one.pk,
            "course": one.course_key,
            "name": newest.name.in_language(request.language) if newest else one.achievement.code,
            "organization": one.achievement.organization,
            "state": State(one.state).label,
            "mood": _MOODS[one.state],
            "offered": display_moment(one.offered_at),
            "decided": display_moment(one.decided_at) if one.decided_at else "",
            "by": staff.get(one.decided_by, "") if one.decided_by is not None else "",
            "may_adopt": mine and one.state != State.ADOPTED,
            "may_decline": mine and one.state == State.OFFERED,
        }

    context = {
        "place": "run-offers",
        "offers": [line(one) for one in found],
        "asked": line(asked) if asked and doing in ("adopt", "decline") else None,
        "doing": doing,
        "states": choices(State.choices, kept["state"]),
        **pages(kept, before=before, last=found[-1].pk if more else None),
    }
    return shown(request, "achievements/offers.html", context)


def _decide(request: Any, rows: Any) -> HttpResponseBase:
    offer = rows.filter(pk=whole_number(request.POST.get("offer", "")) or 0).first()
    if offer is None:
        raise NotFound(_("There is no such offer."))
    named = {
        "actor": request.actor,
        "achievement_code": offer.achievement.code,
        "course_key": offer.course_key,
    }
    try:
        action = request.POST.get("action")
        if action not in ("adopt", "decline"):
            raise InvalidInput(_("There is nothing like that to decide."))
        if action == "adopt":
            achievements.adopt_run(**named)
            return told(
                request, _("The run is adopted; everybody enrolled in it is judged."), "page-run-offers"
            )
        achievements.decline_run(**named)
    except WrongState as error:
        return refused(request, error, "page-run-offers")
    return told(request, _("The run is declined; it leads to nothing here."), "page-run-offers")
