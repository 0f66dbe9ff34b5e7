"""Competencies that the platform itself has: used where they are, nothing of them is copied.

A competency taxonomy of the platform is a framework here, a tag of it a competency. Their identifiers
are made from the taxonomy's export id and the tag's external id, so that content, criteria and
awards refer to them as to ours. A taxonomy that one of our frameworks is (published as it, or linked)
is that framework and is not shown twice; what learners have shown of it counts for that framework.

A platform without such competencies sets no source, and nothing here makes a query then.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import NAMESPACE_URL, uuid5

from django.utils.translation import gettext as _

from mooc_microcred.competencies.data import CompetencyData, CompetencyPage, FrameworkData, Key
from mooc_microcred.competencies.documents import tag_identifier
from mooc_microcred.competencies.models import Framework
from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.texts import Text

# Begins the cursor of a page of the platform's competencies, which come after ours.
CURSOR = "t"


@dataclass(frozen=True, slots=True)
class PlatformTaxonomy:
    """A competency taxonomy of the platform; ``enabled``: authors may use it; ``tags``: how many it has."""

    export_id: str
    name: str
    enabled: bool
    tags: int


@dataclass(frozen=True, slots=True)
class PlatformTag:
    """A tag of such a taxonomy: external ids of itself and of the tag above, how many are directly below."""

    taxonomy: str
    external_id: str
    value: str
    parent: str
    depth: int
    children: int


@dataclass(frozen=True, slots=True)
class PlatformStatus:
    """What the platform says of a learner and a tag; ``status`` is one of ours, ``at`` UTC."""

    learner_id: int
    taxonomy: str
    external_id: str
    status: str
    at: datetime


class CompetencySource(Protocol):
    """The platform's own competencies; the plugin implements it.

    Each call is one query, statuses are one for every 500 learners.
    """

    def list_taxonomies(self) -> Sequence[PlatformTaxonomy]:
        """Return the competency taxonomies, disabled ones included, always in the same order."""

    def list_tags(self, export_ids: Collection[str]) -> Sequence[PlatformTag]:
        """Return the tags of taxonomies in the order of the tree, parents before children."""

    def read_statuses(self, learner_ids: Collection[int]) -> Iterable[PlatformStatus]:
        """Return what these learners have shown."""


_source: CompetencySource | None = None


def use_competency_source(source: CompetencySource | None) -> None:
    """Name the platform's competencies; called from AppConfig.ready, again is harmless."""
    global _source  # noqa: PLW0603
    _source = source


def framework_of_taxonomy(export_id: str) -> str:
    """Return the identifier of the framework that a taxonomy of the platform is; the same each time."""
    return str(uuid5(NAMESPACE_URL, f"urn:openedx:competency-taxonomy:{export_id}"))


def borrowed_frameworks() -> list[FrameworkData]:
    """Return the platform's competency taxonomies that no framework of ours is; two queries, or none."""
    if _source is None:
        return []
    ours = set(Framework.objects.exclude(taxonomy="").values_list("taxonomy", flat=True))
    return [
        FrameworkData(
            framework=framework_of_taxonomy(one.export_id),
            title=Text(en=one.name),
            organization="",
            creator="",
            state=(Framework.State.PUBLISHED if one.enabled else Framework.State.RETIRED).value,
            revision="",
            language="",
            items=one.tags,
            taxonomy=one.export_id,
        )
        for one in _source.list_taxonomies()
        if one.export_id not in ours
    ]


def borrowed_taxonomies() -> dict[str, str]:
    """Return framework identifiers by export id, as a course's drawer tags are read; two queries, or none."""
    return {one.taxonomy: one.framework for one in borrowed_frameworks()}


def _competencies(frameworks: Collection[FrameworkData]) -> list[CompetencyData]:
    """Return all competencies of taxonomies in the order of their trees; one query, none for none."""
    if _source is None or not frameworks:
        return []
    by_export_id = {one.taxonomy: one for one in frameworks}
    found = []
    for tag in _source.list_tags(sorted(by_export_id)):
        framework = by_export_id[tag.taxonomy]
        found.append(
            CompetencyData(
                framework=framework.framework,
                item=tag_identifier(framework.framework, tag.external_id),
                code="",
                statement=Text(en=tag.value),
                retired=framework.state != Framework.State.PUBLISHED,
                parent=tag_identifier(framework.framework, tag.parent) if tag.parent else "",
                depth=tag.depth,
                children=tag.children,
                framework_title=framework.title,
                borrowed=True,
            )
        )
    return found


def borrowed_competencies(*, keys: Collection[Key]) -> dict[Key, CompetencyData]:
    """Return those of the competencies that the platform has; at most three queries.

    Args:
        keys: framework and item identifiers in lower case.
    """
    if _source is None or not keys:
        return {}
    asked = {framework for framework, _item in keys}
    wanted = set(keys)
    frameworks = [one for one in borrowed_frameworks() if one.framework in asked]
    return {
        (one.framework, one.item): one
        for one in _competencies(frameworks)
        if (one.framework, one.item) in wanted
    }


def search_borrowed(
    *, framework: str, words: Sequence[str], parent: str | None, after: str, limit: int
) -> CompetencyPage:
    """Return a page of the platform's competencies that have all the words; at most three queries.

    Args:
        framework: identifier; empty means all. words: folded. parent: as for ``search_items``.
        after: cursor of the page before, ``CURSOR`` alone for the first. limit: 0 only asks whether
            there are any.

    Raises:
        InvalidInput: the cursor names nothing that is still found.
    """
    # Late: frameworks.py looks here after what is ours.
    from mooc_microcred.competencies.frameworks import folded

    offered = [
        one
        for one in borrowed_frameworks()
        if one.state == Framework.State.PUBLISHED and framework in ("", one.framework)
    ]
    found = [
        one
        for one in _competencies(offered)
        if parent in (None, one.parent) and _has_all(folded(one.statement.en), words)
    ]
    begin = 0
    if after not in ("", CURSOR):
        places = {_cursor_of(one): place for place, one in enumerate(found)}
        if after not in places:
            raise InvalidInput(_("This page does not exist. Begin the search anew."))
        begin = places[after] + 1
    page = found[begin : begin + limit]
    more = len(found) > begin + limit
    return CompetencyPage(page, (_cursor_of(page[-1]) if page else CURSOR) if more else "")


def _has_all(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _cursor_of(one: CompetencyData) -> str:
    key = f"{one.framework}{one.item}".replace("-", "")
    return CURSOR + base64.urlsafe_b64encode(bytes.fromhex(key)).decode().rstrip("=")


def statuses_elsewhere(*, learner_ids: Collection[int]) -> Mapping[int, dict[Key, PlatformStatus]]:
    """Return what the platform says that learners have shown, by learner and competency.

    Two queries for up to 500 learners (three where a framework of ours is a taxonomy), or none.
    """
    if _source is None or not learner_ids:
        return {}
    read = list(_source.read_statuses(learner_ids))
    if not read:
        return {}
    ours = dict(Framework.objects.exclude(taxonomy="").values_list("taxonomy", "identifier"))
    found: dict[int, dict[Key, PlatformStatus]] = defaultdict(dict)
    for one in read:
        framework = ours.get(one.taxonomy) or framework_of_taxonomy(one.taxonomy)
        found[one.learner_id][framework, tag_identifier(framework, one.external_id)] = one
    return found
