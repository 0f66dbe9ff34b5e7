"""The competencies of openedx-core (its applet ``cbe``), read where the platform has them.

Detected by the app and its models, never by a version. openedx-core 1.15.2 offers no function that
lists competencies or statuses, so the tables are read; nothing is ever written to them. That release
records statuses of single criteria and has, for whole competencies, the table that is read here: what
is to fill it (the roll-up) is not released yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.apps import apps
from django.db.models import Count, Q

from mooc_microcred.competencies.api import PlatformStatus, PlatformTag, PlatformTaxonomy
from mooc_microcred.competencies.data import STATUSES

APP = "openedx_learning"
CHUNK = 500


def _model(name: str) -> Any | None:
    try:
        return apps.get_model(APP, name)
    except LookupError:
        return None


class CoreCompetencies:
    """Taxonomies, tags and statuses of openedx-core."""

    def __init__(self, taxonomies: Any, tags: Any, statuses: Any | None) -> None:
        self._taxonomies = taxonomies
        self._tags = tags
        self._statuses = statuses

    def list_taxonomies(self) -> list[PlatformTaxonomy]:
        """Return the competency taxonomies, disabled ones included; one query."""
        rows = self._taxonomies.objects.annotate(
            tags=Count("tag", filter=Q(tag__external_id__gt=""))
        ).order_by("name", "id")
        return [PlatformTaxonomy(one.export_id, one.name, one.enabled, one.tags) for one in rows]

    def list_tags(self, export_ids: Collection[str]) -> list[PlatformTag]:
        """Return the tags of taxonomies in the order of the tree; one query.

        A tag without an external id is left out: nothing outside of the platform could refer to it.
        """
        rows = self._tags.objects.filter(taxonomy__export_id__in=sorted(export_ids), external_id__gt="")
        return [
            PlatformTag(taxonomy, external_id, value, parent or "", depth, children)
            for taxonomy, external_id, value, parent, depth, children in rows.annotate(
                below=Count("children", filter=Q(children__external_id__gt=""))
            )
            .order_by("taxonomy__name", "taxonomy_id", "lineage", "id")
            .values_list(
                "taxonomy__export_id", "external_id", "value", "parent__external_id", "depth", "below"
            )
        ]

    def read_statuses(self, learner_ids: Collection[int]) -> Iterator[PlatformStatus]:
        """Yield what learners have shown of whole competencies; one query for 500 learners."""
        if self._statuses is None:
            return
        ordered = sorted(set(learner_ids))
        for start in range(0, len(ordered), CHUNK):
            rows = self._statuses.objects.filter(
                user_id__in=ordered[start : start + CHUNK],
                tag__external_id__gt="",
                status__status__in=STATUSES,
            ).order_by("id")
            for learner, taxonomy, external_id, status, at in rows.values_list(
                "user_id", "tag__taxonomy__export_id", "tag__external_id", "status__status", "modified"
            ):
                yield PlatformStatus(learner, taxonomy, external_id, status, at)


def core_competencies() -> CoreCompetencies | None:
    """Return the competencies of openedx-core, or None where the platform has none."""
    taxonomies = _model("CompetencyTaxonomy")
    if taxonomies is None:
        return None
    # The base class of competency taxonomies is the tagging app's; so is what a tag's table is.
    tags = apps.get_model(taxonomies._meta.get_field("taxonomy_ptr").related_model._meta.app_label, "Tag")
    return CoreCompetencies(taxonomies, tags, _model("StudentCompetencyStatus"))
