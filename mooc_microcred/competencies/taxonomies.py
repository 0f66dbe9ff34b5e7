"""Publishing a framework as a taxonomy of the platform, so that authors may tag any block in the drawer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db import transaction
from django.utils.translation import gettext as _

from mooc_microcred.competencies.frameworks import read_framework
from mooc_microcred.competencies.models import Framework
from mooc_microcred.competencies.sync import mark_known_courses_dirty
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.errors import WrongState
from mooc_microcred.core.roles import Actor, Role

# What the platform stores of a tag's value.
MAX_VALUE = 500


@dataclass(frozen=True, slots=True)
class TaxonomyTag:
    """A tag to be published: the item's identifier, what authors see, the identifier of the tag above."""

    external_id: str
    value: str
    parent: str = ""


class Taxonomies(Protocol):
    """The platform's taxonomies; the plugin implements it."""

    def publish(self, *, export_id: str, name: str, organization: str, tags: Sequence[TaxonomyTag]) -> int:
        """Create or bring up to date the taxonomy with that export id; return how many tags it was given.

        Raises:
            WrongState: the platform cannot take it; the message says why.
        """


_taxonomies: Taxonomies | None = None


def use_taxonomies(taxonomies: Taxonomies) -> None:
    """Name the platform's taxonomies; called from AppConfig.ready, again is harmless."""
    global _taxonomies  # noqa: PLW0603
    _taxonomies = taxonomies


def export_id_of(identifier: str) -> str:
    """Return the export id of the taxonomy of a framework."""
    return f"microcred-{identifier}"


def taxonomy_tags(row: Framework) -> list[TaxonomyTag]:
    """Return the tags of a framework, parents before children; what is retired is not offered.

    A taxonomy takes a value once: where two items are called the same, the second gets its identifier.
    """
    items = list(row.items.filter(retired_at__isnull=True).select_related("parent").order_by("ordinal", "id"))
    offered = {item.pk for item in items}
    seen: set[str] = set()
    tags = []
    for item in items:
        # The Thai text first: authors of a Thai platform read it, and a code tells the others.
        value = " ".join(f"{item.code} {item.statement_th or item.statement_en}".split())
        if len(value) > MAX_VALUE:
            value = value[: MAX_VALUE - 1] + "…"
        if value.casefold() in seen:
            value = f"{value[: MAX_VALUE - 39]} ({item.identifier})"
        seen.add(value.casefold())
        above = item.parent.identifier if item.parent is not None and item.parent_id in offered else ""
        tags.append(TaxonomyTag(item.identifier, value, above))
    return tags


def link_taxonomy(*, actor: Actor, framework: str, taxonomy: str) -> None:
    """Say which taxonomy of the platform a framework is, where the platform had it first.

    Its competencies are used, not copied: nothing is ever published into it, and the tags that authors
    give in the drawer are known by the external ids under which the framework was imported from it.

    Args:
        taxonomy: export id; empty takes the link away.

    Raises:
        NotFound: there is no such framework. NotAllowed: the actor is no programme officer there.
        WrongState: another framework is that taxonomy.
    """
    row = read_framework(framework)
    actor.require(Role.PROGRAMME_OFFICER, row.organization)
    if taxonomy and Framework.objects.filter(taxonomy=taxonomy).exclude(pk=row.pk).exists():
        raise WrongState(_("Another framework is this taxonomy already."))
    with transaction.atomic():
        Framework.objects.filter(pk=row.pk).update(taxonomy=taxonomy)
        log_action(
            actor_id=actor.id,
            action="framework.taxonomy_linked",
            object_type="framework",
            object_id=row.identifier,
            organization=row.organization,
            taxonomy=taxonomy,
        )
        mark_known_courses_dirty(reason="taxonomy")


def publish_taxonomy(*, actor: Actor, framework: str) -> int:
    """Publish a framework as a taxonomy of the platform, or bring it up to date; return its number of tags.

    Tags of items that were retired stay, since they may hang on content. Studio may be another process
    on the same database: any process that has the tagging app can do it.

    Raises:
        NotFound: there is no such framework. NotAllowed: the actor is no programme officer there.
        WrongState: the framework is a draft, or the platform cannot take it.
    """
    row = read_framework(framework)
    actor.require(Role.PROGRAMME_OFFICER, row.organization)
    if row.state != Framework.State.PUBLISHED:
        raise WrongState(_("Publish the framework first: authors can only tag with what is in force."))
    if _taxonomies is None:
        raise WrongState(_("This process knows no platform with taxonomies."))
    export_id = export_id_of(row.identifier)
    if row.taxonomy not in ("", export_id):
        raise WrongState(_("This framework is a taxonomy of the platform already: it is changed there."))
    tags = taxonomy_tags(row)
    with transaction.atomic():
        count = _taxonomies.publish(
            export_id=export_id,
            name=(row.title_th or row.title_en or row.identifier)[:255],
            organization=row.organization,
            tags=tags,
        )
        first = not row.taxonomy
        Framework.objects.filter(pk=row.pk).update(taxonomy=export_id)
        log_action(
            actor_id=actor.id,
            action="framework.taxonomy",
            object_type="framework",
            object_id=row.identifier,
            organization=row.organization,
            tags=count,
        )
        if first:
            # Tags that a course brought along are known from now on.
            mark_known_courses_dirty(reason="taxonomy")
    return count
