"""The content port: what a published course looks like, for synchronising its tags.

Implemented for the platform's module store by ``mooc_microcred_openedx.content`` (in the LMS and
in Studio), for the demo by the sandbox, and in memory for tests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.platform import PlatformUnavailable


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a course.

    Attributes:
        kind: block type, such as ``chapter``, ``sequential``, ``vertical``, ``problem``.
        parent: usage key, empty for the course itself.
        scored: whether learners get a score for it. graded: whether the score counts for the grade.
        competencies: of a block ``microcred_competency``: its field as stored, each with
            ``framework``, ``item`` and ``weight``. relation, covers: its other fields.
    """

    usage_key: str
    kind: str
    parent: str
    name: str = ""
    scored: bool = False
    graded: bool = False
    start: datetime | None = None
    competencies: Sequence[Mapping[str, Any]] = ()
    relation: str = ""
    covers: str = ""


@dataclass(frozen=True, slots=True)
class DrawerTag:
    """A tag of Studio's tag drawer: usage key, export id of the taxonomy, external id of the tag."""

    usage_key: str
    taxonomy: str
    external_id: str


@dataclass(frozen=True, slots=True)
class CourseOutline:
    """A published course: its blocks in the order of the course, parents before their children.

    Attributes:
        version: changes with every publishing. published_at: when the newest part of it was published, UTC.
    """

    course_key: str
    version: str
    blocks: Sequence[Block]
    tags: Sequence[DrawerTag] = ()
    published_at: datetime | None = None


class Content(Protocol):
    """The port."""

    def read_course_structure(self, course_key: str, *, taxonomies: Collection[str]) -> CourseOutline | None:
        """Return the published course as it is now, or None where there is no such course (any longer).

        Args:
            taxonomies: export ids of the taxonomies whose tags are wanted.

        Raises:
            PlatformUnavailable: it cannot be read now.
        """

    def list_courses(self) -> Collection[str]:
        """Return the keys of all course runs that there are.

        Raises:
            PlatformUnavailable: they cannot be read now.
        """


def get_content() -> Content:
    """Return the port that ``MOOC_MICROCRED["CONTENT"]`` names.

    Raises:
        PlatformUnavailable: none is configured.
    """
    factory = microcred_settings.imported("CONTENT")
    if factory is None:
        raise PlatformUnavailable("MOOC_MICROCRED['CONTENT'] is not set in this process")
    return factory() if isinstance(factory, type) else factory
