"""The badge wall: what a learner has earned, and the one next step above it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mooc_microcred.achievements import api as achievements
from mooc_microcred.core import clock
from mooc_microcred.core.dates import BUDDHIST_OFFSET, display_date
from mooc_microcred.core.pages.people import person_page
from mooc_microcred.credentials import api as credentials
from mooc_microcred.dashboard import api as dashboard
from mooc_microcred.dashboard.data import Badge, Dashboard, Step
from mooc_microcred.dashboard.pages.kept import kept
from mooc_microcred.dashboard.wall import KINDS, MOST_LETTERS, STATES, Wall, WallFilters, state_of

# Pages beside the present one to which a link leads.
NEAR = 2


@person_page()
def badges(request: Any) -> HttpResponseBase:
    """Show the badges of the person who asks."""
    return kept(request, "dashboard/badges.html", lambda: _context(request))


def _context(request: Any) -> tuple[dict[str, Any], bool]:
    learner, language = request.actor.id, request.language
    filters = _filters(request.GET)
    wall = dashboard.read_wall(learner_id=learner, filters=filters, page=_number(request.GET, "page") or 1)
    road = dashboard.read_road(learner_id=learner)
    step = next_step(road)
    nothing = not any(wall.counts.values())
    now = clock.now()
    given = _given(filters)
    return {
        "place": "badges",
        "wall": wall,
        "filters": filters,
        "cards": [_card(one, language, now) for one in wall.badges],
        "step": shown_step(step, language),
        "offers": [shown_step(one, language) for one in dashboard.first_steps(learner_id=learner)]
        if nothing and step is None and road.complete
        else [],
        "complete": road.complete,
        "nothing": nothing,
        "kinds": [(kind, credentials.kind_in_words(kind)) for kind in wall.kinds],
        "issuers": [(code, name.in_language(language)) for code, name in wall.issuers],
        "states": [(state, state_in_words(state)) for state in STATES if wall.counts[state]],
        "years": [(year, year + BUDDHIST_OFFSET if language == "th" else year) for year in wall.years],
        "pages": _pages(wall, given),
        "most_letters": MOST_LETTERS,
    }, road.complete


def next_step(road: Dashboard) -> Step | None:
    """Return the one next step: that of the programme in which the learner is farthest, else the first."""
    planned = [one.step for one in road.ladders if one.step is not None]
    # What can be followed is better than what the platform has no page for.
    ordered = [*planned, *road.steps]
    return next((one for one in ordered if one.url), ordered[0] if ordered else None)


def shown_step(step: Step | None, language: str) -> dict[str, Any] | None:
    """Return a step in the reader's language, for ``_step.html``."""
    if step is None:
        return None
    accepted = [one.in_language(language) for one in step.worth.accepted_by]
    return {
        "text": step.text,
        "name": step.name.in_language(language),
        "kind": credentials.kind_in_words(step.kind),
        "course": step.course_title,
        "url": step.url,
        "button": _button(step),
        "worth": worth_line(step.worth.hours, step.worth.credits),
        "accepted": ", ".join(accepted[:3]),
    }


def _button(step: Step) -> str:
    if step.action == "enrol":
        return _("See the course and enrol")
    if step.action in ("take_exam", "resit_exam"):
        return _("See how the exam works")
    return _("Go to the course")


def worth_line(hours: Any, credits_: Any) -> str:
    """Return what something is worth in a few words: hours and credits, where it carries any."""
    found = [_("%(hours)s hours") % {"hours": credentials.plain_number(hours)}] if hours else []
    if credits_:
        words = ngettext("%(credits)s credit", "%(credits)s credits", 1 if credits_ == 1 else 2)
        found.append(words % {"credits": credentials.plain_number(credits_)})
    return " · ".join(found)


def state_in_words(state: str) -> str:
    """Return the state of a badge for its learner."""
    return {
        "active": _("Valid"),
        "suspended": _("On hold"),
        "expired": _("Expired"),
        "revoked": _("Revoked"),
    }.get(state, state)


_MOODS = {"active": "good", "suspended": "warn", "expired": "quiet", "revoked": "bad"}


def _card(badge: Badge, language: str, now: Any) -> dict[str, Any]:
    award, state = badge.award, state_of(badge.award, now)
    uuid = badge.url.rpartition("/")[2]
    return {
        "name": badge.name.in_language(language),
        "kind": credentials.kind_in_words(award.kind),
        "issuer": badge.issuer.in_language(language),
        "picture": badge.picture,
        "state": state,
        "mood": _MOODS.get(state, "quiet"),
        "state_words": state_in_words(state),
        "told": _told(award, state, language),
        "issued": display_date(award.issued_at, language),
        "worth": worth_line(badge.worth.hours, badge.worth.credits),
        # A path: the pages of the person who is signed in are on this host, whatever PUBLIC_URL names.
        "page": credential_path(uuid) if uuid else "",
        "sharing": reverse("mooc_microcred:credential-sharing", kwargs={"uuid": uuid}) if uuid else "",
        "can_share": bool(uuid) and state != "revoked",
    }


def credential_path(uuid: str) -> str:
    """Return the path of a credential's page."""
    return reverse("mooc_microcred:credential", kwargs={"uuid": uuid})


def _told(award: Any, state: str, language: str) -> str:
    """Return since when and why a badge is not simply valid, or until when it is."""
    if state == "revoked" and award.revoked_at:
        return _("Revoked on %(day)s: %(reason)s.") % {
            "day": display_date(award.revoked_at, language),
            "reason": achievements.describe_reason(award.reason),
        }
    if state == "suspended" and award.suspended_at:
        return _("On hold since %(day)s: %(reason)s.") % {
            "day": display_date(award.suspended_at, language),
            "reason": achievements.describe_reason(award.reason),
        }
    if award.expires_at is None:
        return ""
    day = {"day": display_date(award.expires_at, language)}
    return _("It was valid until %(day)s.") % day if state == "expired" else _("Valid until %(day)s.") % day


# --- what was asked for ---


def _number(given: Any, name: str) -> int | None:
    text = given.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _filters(given: Any) -> WallFilters:
    """Return what the form asked for; what it does not know is as if it had not been asked."""
    year = _number(given, "year")
    return WallFilters(
        kind=given.get("kind", "") if given.get("kind") in KINDS else "",
        issuer=given.get("issuer", "")[:64],
        state=given.get("state", "") if given.get("state") in STATES else "",
        year=year if year and 1900 < year < 2400 else None,
        text=given.get("text", "").strip()[:MOST_LETTERS],
    )


def _given(filters: WallFilters) -> dict[str, Any]:
    named = ("kind", "issuer", "state", "year", "text")
    return {name: getattr(filters, name) for name in named if getattr(filters, name)}


def _pages(wall: Wall, given: dict[str, Any]) -> dict[str, Any]:
    """Return the links to the other pages, with the filters kept."""

    def address(number: int) -> str:
        return "?" + urlencode({**given, "page": number})

    numbers = {1, wall.pages, *range(wall.page - NEAR, wall.page + NEAR + 1)}
    shown, before = [], 0
    for number in sorted(one for one in numbers if 1 <= one <= wall.pages):
        shown.append({"number": number, "address": address(number), "gap": number - before > 1})
        before = number
    return {
        "numbers": shown,
        "previous": address(wall.page - 1) if wall.page > 1 else "",
        "next": address(wall.page + 1) if wall.page < wall.pages else "",
    }
