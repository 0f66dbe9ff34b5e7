"""The places where staff work: which of them a person may open, for tabs and for the start page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from mooc_microcred.core.roles import Actor, Role


@dataclass(frozen=True, slots=True)
class Place:
    """A page of staff.

    Attributes:
        key: what a page calls itself (``place`` in its context).
        page: name of its address.
        name: on the tab. what: one sentence, what is done there.
        roles: who may open it.
        everywhere: whether the role must be held for all organisations.
    """

    key: str
    page: str
    name: Any
    what: Any
    roles: tuple[str, ...]
    everywhere: bool = False


PLACES = (
    Place(
        "exams",
        "page-exam-desk",
        _("Exam desk"),
        _("Upload results, sign them and release them."),
        (Role.EXAM_OFFICER, Role.EXAM_SIGNATORY, Role.AUDITOR),
    ),
    Place(
        "admissions",
        "page-admissions",
        _("Candidates"),
        _("Admit learners to exams, and send the list to the test centre."),
        (Role.EXAM_OFFICER, Role.EXAM_SIGNATORY, Role.AUDITOR),
    ),
    Place(
        "identities",
        "page-identities",
        _("Identities"),
        _("Record a document that you have seen."),
        (Role.VERIFIER,),
    ),
    Place(
        "credit-desk",
        "page-credit-desk",
        _("Credit desk"),
        _("See what was told to credit banks, and send again what they refused."),
        (Role.CREDIT_OFFICER, Role.AUDITOR),
    ),
    Place(
        "awards",
        "page-awards",
        _("Awards"),
        _("Find a learner's awards; suspend, reinstate or revoke one."),
        (Role.PROGRAMME_OFFICER, Role.AUDITOR),
    ),
    Place(
        "run-offers",
        "page-run-offers",
        _("Re-runs"),
        _("Say whether a new run of a course leads to the same credential."),
        (Role.PROGRAMME_OFFICER, Role.AUDITOR),
    ),
    Place(
        "frameworks",
        "page-frameworks",
        _("Competencies"),
        _("Import competency frameworks, and say when a competency is demonstrated."),
        (Role.PROGRAMME_OFFICER, Role.AUDITOR),
    ),
    Place(
        "reports",
        "page-reports",
        _("Reports"),
        _("See how far learners come from enrolment to credit, and where they stop."),
        (Role.PROGRAMME_OFFICER, Role.AUDITOR),
    ),
    Place(
        "messages",
        "page-dead-letters",
        _("Messages"),
        _("See what could not be handed on inside the system, and hand it on again."),
        (Role.PROGRAMME_OFFICER, Role.CREDIT_OFFICER, Role.AUDITOR),
        everywhere=True,
    ),
    Place(
        "audit",
        "page-audit",
        _("Audit log"),
        _("See who did what, and when."),
        (Role.AUDITOR,),
    ),
)


def places_of(actor: Actor) -> list[Place]:
    """Return the places that a person may open; costs nothing once the roles are read."""
    found = []
    for place in PLACES:
        scope = actor.organizations(place.roles)
        if scope is None or (scope and not place.everywhere):
            found.append(place)
    return found
