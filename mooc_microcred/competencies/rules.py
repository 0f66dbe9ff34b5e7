"""Which criteria a competency is judged by: its own, its framework's, or the setting's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from mooc_microcred.competencies.criteria import check_rule
from mooc_microcred.competencies.data import CriteriaData, Key
from mooc_microcred.competencies.frameworks import read_framework
from mooc_microcred.competencies.models import Competency, MasteryCriteria
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import InvalidInput, NotFound
from mooc_microcred.core.roles import Actor, Role

#: The criteria of competencies have changed: who is not there yet is to be judged anew.
CRITERIA_CHANGED = "competency.criteria_changed"


def default_rule() -> dict[str, Any]:
    """Return the rule of MASTERY_THRESHOLD and MASTERY_PIECES."""
    return {
        "mean": {
            "threshold": microcred_settings.MASTERY_THRESHOLD,
            "pieces": microcred_settings.MASTERY_PIECES,
        }
    }


def criteria_in_force(*, keys: Collection[Key]) -> dict[Key, CriteriaData]:
    """Return the criteria by which each competency is judged now; one query."""
    frameworks = sorted({framework for framework, _item in keys})
    rows = MasteryCriteria.objects.filter(framework__identifier__in=frameworks, live=True)
    found: dict[Key, CriteriaData] = {}
    for row in rows.select_related("framework"):
        found[row.framework.identifier, row.item] = _criteria(row)
    nobody = {
        framework: CriteriaData(framework=framework, item="", number=0, rule=default_rule())
        for framework in frameworks
    }
    return {key: found.get(key) or found.get((key[0], "")) or nobody[key[0]] for key in dict.fromkeys(keys)}


def _criteria(row: MasteryCriteria) -> CriteriaData:
    return CriteriaData(
        framework=row.framework.identifier,
        item=row.item,
        number=row.number,
        rule=row.rule,
        version_id=row.pk,
        activated_at=row.activated_at,
    )


def list_criteria(*, framework: str) -> list[CriteriaData]:
    """Return the criteria in force of a framework: its own first, then those of single items."""
    rows = MasteryCriteria.objects.filter(framework__identifier=framework.lower(), live=True)
    return [_criteria(row) for row in rows.select_related("framework").order_by("item")]


def set_criteria(*, actor: Actor, framework: str, item: str = "", rule: Mapping[str, Any]) -> CriteriaData:
    """Bring a new version of criteria into force; the same rule again changes nothing.

    Nobody loses what they have demonstrated: a status only rises.

    Args:
        item: identifier; empty means every item of the framework without criteria of its own.

    Raises:
        NotFound: there is no such framework or item.
        NotAllowed: the actor is no programme officer of the framework's organisation.
        InvalidInput: the rule cannot be judged by.
    """
    row = read_framework(framework)
    actor.require(Role.PROGRAMME_OFFICER, row.organization)
    item = item.lower()
    if item and not Competency.objects.filter(framework=row, identifier=item).exists():
        raise NotFound(_("There is no competency with this identifier."))
    problems = check_rule(rule)
    if problems:
        raise InvalidInput(_("These criteria cannot be used."), problems=problems)
    with transaction.atomic():
        # Whoever changes the criteria of a framework at the same time waits here.
        type(row).objects.filter(pk=row.pk).update(changed=row.changed)
        versions = MasteryCriteria.objects.filter(framework=row, item=item)
        live = versions.filter(live=True).first()
        if live is not None and live.rule == rule:
            return _criteria(live)
        now = clock.now()
        versions.filter(live=True).update(live=None, retired_at=now)
        number = (versions.aggregate(last=Max("number"))["last"] or 0) + 1
        made = MasteryCriteria.objects.create(
            framework=row, item=item, number=number, rule=dict(rule), activated_at=now
        )
        log_action(
            actor_id=actor.id,
            action="competency.criteria",
            object_type="framework",
            object_id=row.identifier,
            organization=row.organization,
            item=item,
            number=number,
        )
        outbox.append([outbox.Note(CRITERIA_CHANGED, payload={"framework": row.identifier, "item": item})])
    return _criteria(made)
