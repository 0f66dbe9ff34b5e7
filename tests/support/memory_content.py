"""The content port in memory: published courses as tests write them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from opaque_keys.edx.keys import CourseKey

from mooc_microcred.core.content import Block, CourseOutline, DrawerTag
from mooc_microcred.core.platform import PlatformUnavailable


class MemoryContent:
    """The courses that are published.

    Attributes:
        away: set it, and every read raises PlatformUnavailable. broken: course keys that cannot be read.
        reads: the course keys that were read, in order.
        during: called with the course key in each read, to do what happens meanwhile.
    """

    def __init__(self):
        self.reset()

    def reset(self):
        self.away = False
        self.broken: set[str] = set()
        self.reads: list[str] = []
        self.during = None
        self.courses: dict[str, CourseOutline] = {}

    def read_course_structure(self, course_key: str, *, taxonomies: Collection[str]) -> CourseOutline | None:
        """Return the course as it was published last."""
        self.reads.append(course_key)
        if self.away:
            raise PlatformUnavailable("the module store is away")
        if course_key in self.broken:
            raise KeyError("a block that cannot be parsed")
        outline = self.courses.get(course_key)
        if self.during is not None:
            self.during(course_key)
        if outline is None:
            return None
        return replace(outline, tags=[tag for tag in outline.tags if tag.taxonomy in set(taxonomies)])

    def list_courses(self):
        """Return the courses that are published."""
        if self.away:
            raise PlatformUnavailable("the module store is away")
        return list(self.courses)

    def publish(self, course: Course, *, at: datetime | None = None) -> None:
        """Make a course what is published from now on."""
        before = self.courses.get(course.key)
        version = str(int(before.version) + 1 if before else 1)
        self.courses[course.key] = CourseOutline(
            course.key, version, list(course.blocks), list(course.tags), at or datetime.now(UTC)
        )

    def delete(self, course_key: str) -> None:
        """Remove a course."""
        self.courses.pop(course_key, None)


class Course:
    """A course that is being written: sections, subsections, units and blocks in order."""

    def __init__(self, key: str = "course-v1:KMUTT+PY101+2026"):
        self.key = key
        self._key = CourseKey.from_string(key)
        self.blocks: list[Block] = []
        self.tags: list[DrawerTag] = []
        self.root = self._add("course", "course", "")

    def usage_key(self, kind: str, name: str) -> str:
        """Return the key of a block."""
        return str(self._key.make_usage_key(kind, name))

    def _add(self, kind: str, name: str, parent: str, **fields) -> str:
        block = Block(self.usage_key(kind, name), kind, parent, name=name, **fields)
        self.blocks.append(block)
        return block.usage_key

    def section(self, name: str) -> str:
        """Add a section."""
        return self._add("chapter", name, self.root)

    def subsection(self, name: str, section: str, *, graded: bool = True) -> str:
        """Add a subsection to a section."""
        return self._add("sequential", name, section, graded=graded)

    def unit(self, name: str, subsection: str) -> str:
        """Add a unit to a subsection."""
        return self._add("vertical", name, subsection)

    def problem(self, name: str, parent: str, *, kind: str = "problem") -> str:
        """Add something scored."""
        return self._add(kind, name, parent, scored=True, graded=True)

    def html(self, name: str, parent: str) -> str:
        """Add something to read."""
        return self._add("html", name, parent)

    def says(self, name: str, parent: str, relation: str, *keys, covers: str = "unit", weight=1) -> str:
        """Add a block that says what its unit or subsection does with competencies."""
        competencies = [{"framework": framework, "item": item, "weight": weight} for framework, item in keys]
        return self._add(
            "microcred_competency",
            name,
            parent,
            competencies=competencies,
            relation=relation,
            covers=covers,
        )

    def tag(self, usage_key: str, taxonomy: str, external_id: str) -> None:
        """Tag a block in the drawer."""
        self.tags.append(DrawerTag(usage_key, taxonomy, external_id))


the_content = MemoryContent()
