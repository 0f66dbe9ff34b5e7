"""The content port on the sandbox's blocks, and the blocks of the courses that the sandbox brings."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator

from django.utils import timezone

from mooc_microcred.competencies import api as competencies
from mooc_microcred.core.content import Block as ContentBlock
from mooc_microcred.core.content import CourseOutline
from sandbox.models import Course, Unit
from sandbox.studio.models import SCORED, Block

COMPETENCY = "microcred_competency"


class SandboxContent:
    """The published blocks of a course, in its order."""

    def read_course_structure(self, course_key: str, *, taxonomies: Collection[str]) -> CourseOutline | None:
        rows = [
            row for row in Block.objects.filter(course__course_key=course_key) if row.published is not None
        ]
        if not rows:
            return None
        newest = max(row.published_at for row in rows)
        text = "\n".join(f"{row.usage_key} {row.published_at.isoformat()}" for row in rows)
        return CourseOutline(
            course_key=course_key,
            version=hashlib.sha256(text.encode()).hexdigest()[:32],
            blocks=list(_walk(rows)),
            published_at=newest,
        )

    def list_courses(self) -> list[str]:
        """Return the keys of all courses."""
        return list(Course.objects.order_by("course_key").values_list("course_key", flat=True))


def _walk(rows: list[Block]) -> Iterator[ContentBlock]:
    children: dict[str, list[Block]] = defaultdict(list)
    for row in rows:
        children[row.parent].append(row)
    todo = [(row, False) for row in reversed(children[""])]
    while todo:
        row, graded = todo.pop()
        fields = row.published or {}
        graded = graded or str(fields.get("graded", "")).lower() == "true"
        said = {}
        if row.kind == COMPETENCY:
            said = {
                "competencies": fields.get("competencies", ()),
                "relation": fields.get("relation", "teaches"),
                "covers": fields.get("covers", "unit"),
            }
        yield ContentBlock(
            usage_key=row.usage_key,
            kind=row.kind,
            parent=row.parent,
            name=str(fields.get("display_name") or ""),
            scored=row.kind in SCORED,
            graded=graded,
            **said,
        )
        todo += [(child, graded) for child in reversed(children[row.usage_key])]


def publish(course: Course, blocks: Collection[Block] | None = None) -> int:
    """Publish blocks (all of the course unless some are given), and have the course's tags read again."""
    changed = [row for row in (course.blocks.all() if blocks is None else blocks) if row.changed]
    for row in changed:
        row.publish()
    if changed:
        tell(course)
    return len(changed)


def tell(course: Course) -> None:
    """Say that the course was published, as XBLOCK_PUBLISHED does in the platform."""
    competencies.mark_course_dirty(
        course_key=course.course_key, reason="published", published_at=timezone.now(), delay=0
    )


def lay_out(course: Course) -> None:
    """Make the blocks of a course that was loaded from a file; what authors have added stays."""
    key = course.key
    top = str(key.make_usage_key("course", "course"))
    title = course.title_en or course.title_th
    _put(course, top, "course", "", 0, {"display_name": title})
    for place, (name, graded) in enumerate((("lessons", False), ("selftest", True))):
        chapter = str(key.make_usage_key("chapter", name))
        sequential = str(key.make_usage_key("sequential", name))
        label = "Self-test" if graded else "Lessons"
        _put(course, chapter, "chapter", top, place, {"display_name": label})
        fields = {"display_name": label, **({"graded": "true", "format": "Test"} if graded else {})}
        _put(course, sequential, "sequential", chapter, 0, fields)
        kind = Unit.Kind.SELF_TEST if graded else Unit.Kind.READING
        for unit in course.units.filter(kind=kind):
            vertical = str(key.make_usage_key("vertical", unit.usage_key.block_id))
            name = unit.title_en or unit.title_th
            _put(course, vertical, "vertical", sequential, unit.position, {"display_name": name})
            _put(course, unit.block_key, kind, vertical, 10, {"display_name": name})
    ladder = str(key.make_usage_key("microcred_progress", "ladder"))
    first = str(key.make_usage_key("vertical", "unit1"))
    _put(course, ladder, "microcred_progress", first, 20, {})
    publish(course)


# What the units of the first course say about competencies: name of the unit, relation, codes.
SAYS = (
    ("unit1", "teaches", ("PY-1.1",)),
    ("unit4", "teaches", ("PY-1.2",)),
    ("unit7", "practises", ("PY-1.3",)),
    ("unit8", "teaches", ("PY-2.1", "PY-2.2")),
    ("selftest", "assesses", ("PY-1.1", "PY-1.2", "PY-1.3")),
)


def say_what_is_learned(course: Course, framework: str) -> None:
    """Put the block of competencies into units, as an author does; what authors have changed stays."""
    items = {one.code: one.item for one in competencies.search_items(framework=framework).items}
    for name, relation, codes in SAYS:
        vertical = str(course.key.make_usage_key("vertical", name))
        if not course.blocks.filter(usage_key=vertical).exists():
            continue
        picked = [{"framework": framework, "item": items[code], "weight": 1} for code in codes]
        block = str(course.key.make_usage_key(COMPETENCY, f"says-{name}"))
        _put(course, block, COMPETENCY, vertical, 15, {"relation": relation, "competencies": picked})
    publish(course)


def _put(course: Course, usage_key: str, kind: str, parent: str, position: int, fields: dict) -> None:
    row, made = Block.objects.get_or_create(
        usage_key=usage_key,
        defaults={
            "course": course,
            "kind": kind,
            "parent": parent,
            "position": position,
            "fields": fields,
        },
    )
    if not made and row.kind not in ("microcred_progress", COMPETENCY) and row.fields != fields:
        row.fields = fields
        row.save(update_fields=["fields"])
