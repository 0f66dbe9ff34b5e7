"""The panels that the plugin puts into pages of the platform, as HTML.

What is shown is read by the dashboard room; here it becomes words in the reader's language, and
markup by Django templates, which escape by themselves. The pages around them are the platform's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from mooc_microcred.core.dates import display_date
from mooc_microcred.dashboard.data import Badge, CourseOverview, Dashboard, Honour, Ladder, Step, Worth
from mooc_microcred_openedx import words

log = logging.getLogger(__name__)

STYLESHEET = "mooc_microcred_openedx/panels.css"
# Badges that are seen at once; the others unfold.
BADGES_AT_ONCE = 6


def dashboard_panel(dashboard: Dashboard) -> SafeString:
    """Return the panel of the learner's dashboard: the next step, programmes and badges."""
    badges = [_badge(one) for one in dashboard.badges]
    in_progress = [one for one in dashboard.ladders if not one.earned]
    return _render(
        "dashboard.html",
        {
            "steps": [_step(one) for one in dashboard.steps],
            "ladders": [_ladder(one) for one in in_progress],
            "badges": badges[:BADGES_AT_ONCE],
            "more_badges": badges[BADGES_AT_ONCE:],
            "complete": dashboard.complete,
        },
    )


def certificate_panel(honour: Honour) -> SafeString:
    """Return what a course certificate stands for, for the page of that certificate."""
    return _render(
        "certificate.html",
        {
            "name": _here(honour.name),
            "issuer": _here(honour.issuer),
            "level": words.level(honour.award.kind),
            "outcomes": [_here(one) for one in honour.outcomes],
            "worth": _worth(honour.worth),
            "url": honour.url,
        },
    )


def course_panel(overview: CourseOverview) -> SafeString:
    """Return the section of the instructor dashboard."""
    states = ("active", "suspended", "revoked", "expired")
    return _render(
        "course.html",
        {
            "states": [words.state(one) for one in states],
            "achievements": [
                {
                    "code": one.code,
                    "name": _here(one.name),
                    "level": words.level(one.kind),
                    "version": one.version,
                    "mode": words.mode(one.mode),
                    "counts": [one.states.get(state, 0) for state in states],
                }
                for one in overview.achievements
            ],
            "asks": any(one.mode == "own_with_platform" for one in overview.achievements),
            "asked": overview.asked,
            "refusals": overview.refusals,
            "offers": [
                {
                    "achievement": one.achievement,
                    "state": words.offer(one.state),
                    "open": one.state == "offered",
                }
                for one in overview.offers
            ],
        },
    )


def _render(template: str, context: Mapping[str, Any]) -> SafeString:
    found = get_template(f"mooc_microcred_openedx/{template}")
    return SafeString(found.render({**context, "stylesheet": _stylesheet()}))


def _stylesheet() -> str:
    """Return the address of the style sheet; empty where the static files were not collected."""
    try:
        return staticfiles_storage.url(STYLESHEET)
    except ValueError:
        log.warning("panels: %s is not among the collected static files", STYLESHEET)
        return ""


def _here(text: Any) -> str:
    return text.in_language(get_language() or "en")


def course_title() -> str:
    """Return what the section of the instructor dashboard is called."""
    return _("Micro-credentials")


def number(value: Decimal) -> str:
    """Return a number as people write it, without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _worth(worth: Worth) -> dict[str, Any]:
    parts = []
    if worth.hours:
        parts.append(_("%(hours)s hours") % {"hours": number(worth.hours)})
    if worth.credits:
        parts.append(
            ngettext("%(credits)s credit", "%(credits)s credits", 1 if worth.credits == 1 else 2)
            % {"credits": number(worth.credits)}
        )
    if worth.nqf_level:
        parts.append(_("NQF level %(level)s") % {"level": worth.nqf_level})
    return {"parts": parts, "accepted_by": [_here(one) for one in worth.accepted_by]}


def _step(step: Step) -> dict[str, Any]:
    return {
        "text": step.text,
        "url": step.url,
        "go": words.go(step.action),
        "course": step.course_title,
        "leads_to": _here(step.name),
        "level": words.level(step.kind),
        "worth": _worth(step.worth),
    }


def _ladder(ladder: Ladder) -> dict[str, Any]:
    have, need = number(ladder.have), number(ladder.need)
    if ladder.unit == "credits":
        done = _("%(have)s of %(need)s credits") % {"have": have, "need": need}
    else:
        done = _("%(have)s of %(need)s parts") % {"have": have, "need": need}
    return {
        "code": ladder.code,
        "name": _here(ladder.name),
        "done": done,
        "percent": ladder.percent,
        "worth": _worth(ladder.worth),
        "rungs": [
            {
                "name": _here(one.name),
                "state": one.state,
                "state_text": words.rung(one.state),
            }
            for one in ladder.rungs
        ],
        "step": _step(ladder.step) if ladder.step else None,
    }


def _badge(badge: Badge) -> dict[str, Any]:
    return {
        "name": _here(badge.name),
        "issuer": _here(badge.issuer),
        "level": words.level(badge.award.kind),
        "picture": badge.picture,
        "state": badge.award.state,
        "state_text": "" if badge.award.state == "active" else words.state(badge.award.state),
        "issued": display_date(badge.award.issued_at),
        "worth": _worth(badge.worth),
        "url": badge.url,
    }
