"""Offered re-runs, as staff see them."""

from __future__ import annotations

from django.db.models import QuerySet

from mooc_microcred.achievements.models import RunOffer
from mooc_microcred.core.roles import Actor, Role

READERS = (Role.PROGRAMME_OFFICER, Role.AUDITOR)


def run_offers_of_staff(*, actor: Actor) -> QuerySet[RunOffer]:
    """Return the offers that a programme officer or auditor may see, without order."""
    rows = RunOffer.objects.select_related("achievement").order_by()
    scopes = actor.organizations(READERS)
    return rows if scopes is None else rows.filter(achievement__organization__in=scopes)


def count_open_offers(*, actor: Actor) -> int:
    """Return how many re-runs wait for this programme officer's decision."""
    rows = RunOffer.objects.filter(state=RunOffer.State.OFFERED)
    scopes = actor.organizations(Role.PROGRAMME_OFFICER)
    return (rows if scopes is None else rows.filter(achievement__organization__in=scopes)).count()
