"""The content port on the module store: the published branch, walked once from the course down.

Works in the LMS and in Studio, which both have the module store and the tagging app.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError
from edx_django_utils.cache import RequestCache
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from opaque_keys.edx.locator import LibraryLocator

from mooc_microcred.core.content import Block, CourseOutline, DrawerTag
from mooc_microcred.core.platform import PlatformUnavailable

log = logging.getLogger(__name__)

#: The block by which authors say what a unit does with competencies.
COMPETENCY_BLOCK = "microcred_competency"


def course_key_of(text: str) -> CourseKey | None:
    """Return the key of a course run, or None for what is none, such as a library."""
    try:
        key = CourseKey.from_string(text)
    except InvalidKeyError:
        return None
    return None if isinstance(key, LibraryLocator) else key


class ModuleStoreContent:
    """The platform's published courses."""

    def read_course_structure(self, course_key: str, *, taxonomies: Collection[str]) -> CourseOutline | None:
        """Return the published course as it is now, or None where there is no such course.

        Raises:
            PlatformUnavailable: it cannot be read now.
        """
        key = course_key_of(course_key)
        if key is None:
            return None
        # A worker lives for hours: what it knew of the course must not be what it reads.
        RequestCache.clear_all_namespaces()
        try:
            return _read(key, taxonomies)
        except Exception as error:
            log.exception("content: %s could not be read", course_key)
            raise PlatformUnavailable(type(error).__name__) from error

    def list_courses(self) -> list[str]:
        """Return the keys of all course runs that there are; one query.

        Raises:
            PlatformUnavailable: they cannot be read now.
        """
        from openedx.core.djangoapps.content.course_overviews.models import CourseOverview

        try:
            return [str(key) for key in CourseOverview.objects.values_list("id", flat=True)]
        except DatabaseError as error:
            raise PlatformUnavailable(type(error).__name__) from error


def _read(key: CourseKey, taxonomies: Collection[str]) -> CourseOutline | None:
    from xmodule.modulestore import ModuleStoreEnum
    from xmodule.modulestore.django import modulestore
    from xmodule.modulestore.exceptions import ItemNotFoundError

    store = modulestore()
    with store.branch_setting(ModuleStoreEnum.Branch.published_only, key), store.bulk_operations(key):
        try:
            course = store.get_course(key, depth=None)
        except ItemNotFoundError:
            course = None
        if course is None:
            return None
        blocks = list(_walk(course))
        return CourseOutline(
            course_key=str(key),
            version=str(getattr(course, "course_version", "") or ""),
            blocks=blocks,
            tags=_drawer_tags(key, taxonomies) if taxonomies else [],
            published_at=_utc(getattr(course, "subtree_edited_on", None)),
        )


def _walk(course: Any) -> Iterator[Block]:
    """Yield the blocks in the order of the course, parents before children, without recursion."""
    todo: list[tuple[Any, str]] = [(course, "")]
    while todo:
        block, parent = todo.pop()
        usage_key = str(block.location)
        yield _block(block, usage_key, parent)
        if getattr(block, "has_children", False):
            todo += [(child, usage_key) for child in reversed(block.get_children())]


def _block(block: Any, usage_key: str, parent: str) -> Block:
    kind = block.location.block_type
    said: dict[str, Any] = {}
    if kind == COMPETENCY_BLOCK:
        # Where the package of the block is not installed it has no such fields: nothing is said.
        named = getattr(block, "competencies", None)
        said = {
            "competencies": named if isinstance(named, (list, tuple)) else (),
            "relation": str(getattr(block, "relation", "") or ""),
            "covers": str(getattr(block, "covers", "") or ""),
        }
    return Block(
        usage_key=usage_key,
        kind=kind,
        parent=parent,
        name=str(getattr(block, "display_name", "") or ""),
        scored=bool(getattr(block, "has_score", False)),
        graded=bool(getattr(block, "graded", False)),
        start=_utc(getattr(block, "start", None)),
        **said,
    )


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def _drawer_tags(key: CourseKey, taxonomies: Collection[str]) -> list[DrawerTag]:
    """Return what the drawer says of the course's blocks; one query."""
    model = object_tag_model()
    if model is None:
        return []
    # The key of every block of the run begins so.
    prefix = str(key.make_usage_key("x", "y")).split("+type@")[0] + "+type@"
    rows = model.objects.filter(
        object_id__startswith=prefix, tag__isnull=False, taxonomy__export_id__in=sorted(taxonomies)
    ).order_by("id")
    return [
        DrawerTag(object_id, export_id, external_id or "")
        for object_id, export_id, external_id in rows.values_list(
            "object_id", "taxonomy__export_id", "tag__external_id"
        )
    ]


def object_tag_model() -> Any | None:
    """Return the tagging app's model of a tag on an object, or None where there is no such app."""
    from django.apps import apps

    try:
        return apps.get_model("oel_tagging", "ObjectTag")
    except LookupError:
        return None
