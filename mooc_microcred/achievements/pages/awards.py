"""Awards for the programme office: find them, read what they rest on, decide about one.

Whoever is looked for is sent in a form, never in an address: addresses are logged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements import reasons
from mooc_microcred.achievements.catalogue import parse_definition
from mooc_microcred.achievements.data import AwardData, AwardEventData, Measure, Text
from mooc_microcred.achievements.models import Achievement, AchievementVersion, Award, AwardEvent
from mooc_microcred.achievements.progress import measure_from_json
from mooc_microcred.core.dates import display_date, display_moment
from mooc_microcred.core.errors import InvalidInput, NotFound, WrongState
from mooc_microcred.core.pages.lists import PAGE, choices, first_moment, last_moment, pages, whole_number
from mooc_microcred.core.pages.names import staff_names
from mooc_microcred.core.pages.people import person_page, shown, told
from mooc_microcred.core.platform import LearnerProfile, PlatformUnavailable
from mooc_microcred.core.rest_api.learners import reachable_learner
from mooc_microcred.core.roles import Actor, Role

READERS = (Role.PROGRAMME_OFFICER, Role.AUDITOR)
MOODS = {"active": "good", "suspended": "warn", "revoked": "bad", "expired": "quiet"}
_FILTERS = ("learner", "state", "kind", "about", "organization", "since", "until")
# Achievements that the field suggests.
SUGGESTED = 300
# As much as the REST API takes.
MAX_NOTE = 2000


@sensitive_post_parameters("who")
@person_page(post=True, roles=READERS)
def awards(request: Any) -> HttpResponseBase:
    """Show the awards of the reader's organisations, or look up the learner to filter by."""
    if request.method == "POST":
        return _find_learner(request)
    return _list(request)


def _asked(given: Any) -> dict[str, str]:
    return {name: given.get(name, "").strip()[:255] for name in _FILTERS}


def _find_learner(request: Any) -> HttpResponseBase:
    """Go to the awards of one learner; the address bears the user id only."""
    who = request.POST.get("who", "").strip()[:254]
    if not who:
        return _list(request, who_problem=_("Write a user name or an e-mail address."), status=400)
    try:
        learner = reachable_learner(
            organizations=request.actor.organizations(READERS),
            **{"email" if "@" in who else "username": who},
        )
    except NotFound as error:
        return _list(request, who=who, who_problem=error.message, status=404)
    query = urlencode({"learner": learner.learner_id})
    return HttpResponseRedirect(f"{reverse('mooc_microcred:page-awards')}?{query}")


def _rows(actor: Actor, kept: dict[str, str]) -> Any:
    about = kept["about"]
    is_run = ":" in about
    rows = achievements.awards_of_staff(
        actor=actor,
        learner_id=whole_number(kept["learner"]),
        course_key=about if is_run else "",
        code="" if is_run else about,
        state=kept["state"],
    )
    exact = {
        "achievement__kind": kept["kind"],
        "achievement__organization": kept["organization"],
        "issued_at__gte": first_moment(kept["since"]),
        "issued_at__lt": last_moment(kept["until"]),
    }
    return rows.filter(**{name: value for name, value in exact.items() if value}).order_by("-pk")


def _list(
    request: Any, *, who: str = "", who_problem: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    kept = _asked(request.GET)
    before = whole_number(request.GET.get("before", ""))
    try:
        rows = _rows(request.actor, kept)
    except InvalidInput as error:
        problem, status = error.message, 400
        rows = _rows(request.actor, kept | {"since": "", "until": ""})
    found = list((rows if before is None else rows.filter(pk__lt=before))[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    seen = [achievements.award_data(one) for one in found]
    names = names_of(seen)
    scope = request.actor.organizations(READERS)
    newest = [one[0] for one in achievements.current_catalogue().versions.values() if one]
    ours = [one for one in newest if scope is None or one.organization in scope]
    learner_id = whole_number(kept["learner"])
    context = {
        "place": "awards",
        "awards": [_line(one, names, request.language) for one in seen],
        "learner": _learner(request.actor, learner_id) if learner_id is not None else None,
        "learner_id": learner_id,
        "kept": kept,
        "filtered": any(kept.values()),
        "who": who,
        "who_problem": who_problem,
        "problem": problem,
        "states": choices(Award.State.choices, kept["state"]),
        "kinds": choices(Achievement.Kind.choices, kept["kind"]),
        "organizations": choices(
            ((one, one) for one in sorted({one.organization for one in ours} | (scope or set()))),
            kept["organization"],
        ),
        "suggested": [
            {"value": one.code, "label": one.name.in_language(request.language)} for one in ours[:SUGGESTED]
        ],
        **pages(kept, before=before, last=found[-1].pk if more else None),
    }
    return shown(request, "achievements/awards.html", context, status=status)


def _learner(actor: Actor, learner_id: int) -> LearnerProfile | None:
    """Return who a learner is, where the reader may look them up and the platform answers."""
    try:
        return reachable_learner(organizations=actor.organizations(READERS), learner_id=learner_id)
    except (NotFound, PlatformUnavailable):
        return None


def names_of(some: list[AwardData]) -> dict[int, Text]:
    """Return the names of the awards' versions by version id, with at most two queries."""
    wanted = {one.version_id for one in some}
    names: dict[int, Text] = {}
    for versions in achievements.current_catalogue().versions.values():
        names |= {one.version_id: one.name for one in versions if one.version_id in wanted}
    if wanted - names.keys():
        rows = AchievementVersion.objects.filter(pk__in=wanted - names.keys())
        for row in rows.select_related("achievement", "issuer"):
            names[row.pk] = parse_definition(row).name
    return names


def _line(one: AwardData, names: dict[int, Text], language: str) -> dict[str, Any]:
    return {
        "uuid": one.uuid,
        "name": names[one.version_id].in_language(language),
        "kind": Achievement.Kind(one.kind).label,
        "organization": one.organization,
        "course": one.course_key,
        "learner": one.learner_id,
        "state": Award.State(one.state).label,
        "mood": MOODS.get(one.state, ""),
        "hidden": one.published_at is None,
        "reason": reasons.describe(one.reason) if one.reason else "",
        "issued": display_date(one.issued_at),
    }


# --- one award ---


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that a programme officer may decide about an award.

    Attributes:
        verb: of the room. states: of an award for which it can be decided.
        of_staff: whether only what a member of staff decided before is undone by it.
        button: on the award's page. heading, note, sure: of the step that asks; done: told afterwards.
        grave: whether it cannot be undone.
    """

    verb: Callable[..., AwardData]
    states: tuple[str, ...]
    button: Any
    heading: Any
    note: Any
    sure: Any
    done: Any
    of_staff: bool = False
    grave: bool = False


DECISIONS = {
    "reinstate": Decision(
        achievements.reinstate_award,
        ("suspended",),
        gettext_lazy("Reinstate…"),
        gettext_lazy("Reinstate this award?"),
        gettext_lazy("The same award is valid again, for the learner and for whoever verifies it."),
        gettext_lazy("Yes, reinstate it"),
        gettext_lazy("The award is valid again."),
        of_staff=True,
    ),
    "suspend": Decision(
        achievements.suspend_award,
        ("active",),
        gettext_lazy("Suspend…"),
        gettext_lazy("Suspend this award?"),
        gettext_lazy(
            "Until it is reinstated it opens nothing new, banks are told nothing, and whoever verifies it "
            "sees that it is suspended."
        ),
        gettext_lazy("Yes, suspend it"),
        gettext_lazy("The award is suspended."),
    ),
    "allow": Decision(
        achievements.allow_again,
        ("revoked",),
        gettext_lazy("Allow it again…"),
        gettext_lazy("Let the learner earn this again?"),
        gettext_lazy("The revoked award stays revoked. If the criteria are met, a new one is issued."),
        gettext_lazy("Yes, allow it again"),
        gettext_lazy("The learner may earn it again."),
        of_staff=True,
    ),
    "revoke": Decision(
        achievements.revoke_award,
        ("active", "suspended"),
        gettext_lazy("Revoke…"),
        gettext_lazy("Revoke this award for good?"),
        gettext_lazy(
            "It cannot be taken back. What stands on the award follows; a bank that has its credit is told "
            "to take it back."
        ),
        gettext_lazy("Yes, revoke it for good"),
        gettext_lazy("The award is revoked."),
        grave=True,
    ),
}


@person_page(post=True, roles=READERS, own_transactions=True)
def award(request: Any, award: object) -> HttpResponseBase:
    """Show an award with its evidence and history; decide about it after a question."""
    uuid = str(award)
    found = achievements.get_award(uuid)
    if not request.actor.has(READERS, found.organization):
        raise NotFound(_("There is no such award."))
    if request.method != "POST":
        return _award_page(request, found, asked=request.GET.get("do", ""))
    name = request.POST.get("action", "")
    decision = DECISIONS.get(name)
    if decision is None:
        raise InvalidInput(_("There is nothing like that to decide."))
    note = request.POST.get("note", "").strip()
    try:
        if len(note) > MAX_NOTE:
            raise InvalidInput(_("Write at most %(most)s characters.") % {"most": MAX_NOTE})
        decision.verb(actor=request.actor, award_uuid=uuid, note=note)
    except (InvalidInput, WrongState) as error:
        status = 400 if isinstance(error, InvalidInput) else 409
        found = achievements.get_award(uuid)
        return _award_page(
            request, found, asked=name, note=note[:MAX_NOTE], problem=error.message, status=status
        )
    return told(request, str(decision.done), "page-award", award=uuid)


def _possible(actor: Actor, found: AwardData) -> list[str]:
    if not actor.has(Role.PROGRAMME_OFFICER, found.organization):
        return []
    return [
        name
        for name, one in DECISIONS.items()
        if found.state in one.states and (not one.of_staff or found.reason == reasons.STAFF)
    ]


def _award_page(
    request: Any, found: AwardData, *, asked: str = "", note: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    history = achievements.award_history(found.uuid)
    staff = staff_names({one.actor_id for one in history})
    possible = _possible(request.actor, found)
    # A refusal stands beside the question that was answered, also where it can not be asked any more.
    question = DECISIONS.get(asked) if asked in possible or problem else None
    context = {
        "place": "awards",
        "award": {
            **_line(found, names_of([found]), request.language),
            "code": found.code,
            "version": found.version_number,
            "issued": display_moment(found.issued_at),
            "published": display_moment(found.published_at) if found.published_at else "",
            "expires": display_date(found.expires_at) if found.expires_at else "",
        },
        "learner": _learner(request.actor, found.learner_id),
        "measures": [_measure(measure_from_json(one)) for one in found.evidence.get("measures", ())],
        "references": list(found.evidence.get("references", ())),
        "history": [_event(one, staff) for one in history],
        "decisions": [
            {"name": name, "button": DECISIONS[name].button, "grave": DECISIONS[name].grave}
            for name in possible
        ],
        "question": question,
        "asked": asked if question else "",
        "note": note,
        "problem": problem,
        "most": MAX_NOTE,
    }
    return shown(request, "achievements/award.html", context, status=status)


_MEASURES = {
    "completion": gettext_lazy("units completed"),
    "course_grade": gettext_lazy("grade of the course"),
    "subsection_grade": gettext_lazy("grade of a part of the course"),
    "exam": gettext_lazy("exam"),
    "weighted": gettext_lazy("grade of course and exam together"),
    "certificate": gettext_lazy("course certificate"),
    "competency": gettext_lazy("competency"),
    "achievement": gettext_lazy("award"),
    "credits": gettext_lazy("credits"),
}


def _measure(one: Measure) -> dict[str, Any]:
    def figure(number: Any) -> str:
        if number is None:
            return ""
        text = format(number, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return f"{text} %" if one.unit == "percent" else text

    return {
        "what": _MEASURES.get(one.kind, one.kind),
        "key": one.key,
        "have": figure(one.have),
        "need": figure(one.need),
        "met": one.met,
    }


def _event(one: AwardEventData, staff: dict[int, str]) -> dict[str, Any]:
    return {
        "what": AwardEvent.Kind(one.kind).label,
        "when": display_moment(one.at),
        "who": staff.get(one.actor_id, "") if one.actor_id is not None else "",
        "reason": reasons.describe(one.reason) if one.reason else "",
        "note": one.note,
    }
