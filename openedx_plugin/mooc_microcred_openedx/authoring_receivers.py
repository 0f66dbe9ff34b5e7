"""Receivers of what authors do in Studio: each marks the course, so that its competency tags are read again.

An event is a hint: XBLOCK_PUBLISHED names only the root of what was published, and may be sent
before the platform has committed. So nothing is taken from it but the course and the instant.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from mooc_microcred.competencies.api import mark_course_dirty
from mooc_microcred_openedx.content import course_key_of
from mooc_microcred_openedx.guards import never_raises


def _mark(course_key: object, reason: str, *, published: bool) -> None:
    """Mark a course run, in a savepoint of our own; what is no course run is left alone."""
    key = course_key_of(str(course_key))
    if key is None:
        return
    with transaction.atomic():
        mark_course_dirty(
            course_key=str(key.for_branch(None)),
            reason=reason,
            published_at=timezone.now() if published else None,
        )


@never_raises
def block_published(*_args, xblock_info, **_):
    """Read XBLOCK_PUBLISHED, which names the root of what was published."""
    _mark(xblock_info.usage_key.context_key, "published", published=True)


@never_raises
def block_deleted(*_args, xblock_info, **_):
    """Read XBLOCK_DELETED, which names the top of what was deleted."""
    _mark(xblock_info.usage_key.context_key, "deleted", published=False)


@never_raises
def content_published(*_args, course_key, **_):
    """Read the module store's ``course_published``, which also comes after an import and a re-run."""
    _mark(course_key, "published", published=True)


@never_raises
def course_deleted(*_args, course_key, **_):
    """Read the module store's ``course_deleted``: the tags go, what learners have shown stays."""
    _mark(course_key, "deleted", published=False)


@never_raises
def course_imported(*_args, course, **_):
    """Read COURSE_IMPORT_COMPLETED."""
    _mark(course.course_key, "imported", published=False)


@never_raises
def content_rerun_completed(*_args, course, **_):
    """Read COURSE_RERUN_COMPLETED."""
    _mark(course.course_key, "rerun", published=False)


@never_raises
def object_tagged(*_args, content_object, **_):
    """Read CONTENT_OBJECT_ASSOCIATIONS_CHANGED: the drawer's tags of a block of a course."""
    changes = content_object.changes or []
    if changes and "tags" not in changes:
        return
    object_id = content_object.object_id
    for read in (UsageKey.from_string, CourseKey.from_string):
        try:
            key = read(object_id)
        except InvalidKeyError:
            continue
        _mark(getattr(key, "context_key", key), "tagged", published=False)
        return
