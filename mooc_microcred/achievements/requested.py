"""Certificates that the platform was asked for: what came of it, for staff and for learners."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q

from mooc_microcred.achievements.models import CertificateAsk
from mooc_microcred.core.roles import Actor, Role


def refusals_of_learner(*, learner_id: int) -> dict[str, str]:
    """Return by run why the platform refuses a learner's certificate, as codes; one query."""
    rows = CertificateAsk.objects.filter(learner_id=learner_id).exclude(refusal="")
    return dict(rows.values_list("course_key", "refusal"))


def count_certificate_requests(*, course_key: str) -> tuple[int, dict[str, int]]:
    """Return how many learners of a run the platform was asked for, and how many it refuses by code."""
    rows = CertificateAsk.objects.filter(course_key=course_key).values_list("refusal").order_by()
    found = dict(rows.annotate(learners=Count("id")))
    return found.pop("", 0), found


def certificate_requests_of_staff(
    *, actor: Actor, organization: str = "", course_key: str = "", refused: bool | None = None
) -> Any:
    """Return a queryset of the requests that a programme officer or auditor may see, newest first."""
    rows = CertificateAsk.objects.all()
    organizations = actor.organizations((Role.PROGRAMME_OFFICER, Role.AUDITOR))
    if organization:
        organizations = {organization} if organizations is None else organizations & {organization}
    if organizations is not None:
        ours = Q(pk__in=[])
        for one in organizations:
            ours |= Q(course_key__startswith=f"course-v1:{one}+") | Q(course_key__startswith=f"ccx-v1:{one}+")
        rows = rows.filter(ours)
    if course_key:
        rows = rows.filter(course_key=course_key)
    if refused is not None:
        rows = rows.exclude(refusal="") if refused else rows.filter(refusal="")
    return rows.order_by("-id")
