"""What a course's outline says about competencies: pure, so that a walk can be tried without a platform."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any

from mooc_microcred.competencies.data import RELATIONS
from mooc_microcred.competencies.documents import IDENTIFIER, tag_identifier
from mooc_microcred.competencies.models import ContentTag
from mooc_microcred.core.content import Block, CourseOutline

SUBSECTION = "sequential"
# The longest key that the platform stores.
MAX_KEY = 255
MAX_WEIGHT = Decimal(1000)
# Any UUID; CASE's own pattern takes versions 1-5 only, but what a course carries is kept as it is.


@dataclass(frozen=True, slots=True)
class WantedTag:
    """A tag that a course says it has; what is stored is made equal to these.

    Attributes:
        pieces: scored content behind it, as (usage key, block type).
    """

    source: str
    said_by: str
    usage_key: str
    unit: str
    relation: str
    framework: str
    item: str
    weight: Decimal = Decimal(1)
    pieces: tuple[tuple[str, str], ...] = ()

    def digest(self, course_key: str) -> str:
        """Return what makes it the same tag as one that is stored."""
        parts = (
            course_key,
            self.source,
            self.said_by,
            self.usage_key,
            self.relation,
            self.framework,
            self.item,
        )
        return digest_of(*parts)


def digest_of(*parts: str) -> str:
    """Return 32 hex digits for some texts, whose letter case counts."""
    return blake2b("\x00".join(parts).encode(), digest_size=16).hexdigest()


class Tree:
    """The blocks of an outline by key, with their children."""

    def __init__(self, outline: CourseOutline):
        self.blocks: dict[str, Block] = {block.usage_key: block for block in outline.blocks}
        self.subsections = {one.usage_key for one in outline.blocks if one.kind == SUBSECTION}
        self.children: dict[str, list[str]] = defaultdict(list)
        for block in outline.blocks:
            if block.parent:
                self.children[block.parent].append(block.usage_key)

    def _path(self, usage_key: str) -> Iterator[Block]:
        """Yield a block and what it lies in, upwards."""
        seen: set[str] = set()
        while usage_key in self.blocks and usage_key not in seen:
            seen.add(usage_key)
            block = self.blocks[usage_key]
            yield block
            usage_key = block.parent

    def unit_of(self, usage_key: str) -> str:
        """Return the unit that a block is or lies in: the child of a subsection; empty above units."""
        for block in self._path(usage_key):
            parent = self.blocks.get(block.parent)
            if parent is not None and parent.kind == SUBSECTION:
                return block.usage_key
        return ""

    def ancestor(self, usage_key: str, kind: str) -> str:
        """Return the block of that kind that a block is or lies in, or nothing."""
        return next((block.usage_key for block in self._path(usage_key) if block.kind == kind), "")

    def scored_below(self, usage_key: str) -> list[Block]:
        """Return the scored blocks in a block, itself included; of scored ones in each other the inner."""
        found: list[Block] = []
        todo = [usage_key]
        while todo:
            block = self.blocks.get(todo.pop())
            if block is None:
                continue
            todo += reversed(self.children.get(block.usage_key, ()))
            if block.scored:
                found.append(block)
        outer = {parent.usage_key for block in found for parent in self._path(block.parent)}
        return [block for block in found if block.usage_key not in outer]

    def pieces(self, usage_key: str) -> tuple[tuple[str, str], ...]:
        """Return the scored content by which a block, unit or subsection assesses.

        Of a subsection it is the subsection itself: the platform keeps its grade, with what staff
        have overridden. Of anything smaller it is each scored block.
        """
        block = self.blocks.get(usage_key)
        scored = self.scored_below(usage_key)
        if block is not None and block.kind == SUBSECTION:
            return ((usage_key, SUBSECTION),) if scored else ()
        return tuple((one.usage_key, one.kind) for one in scored)


def tags_of_outline(outline: CourseOutline, frameworks: Mapping[str, str]) -> list[WantedTag]:
    """Return the union of what the course's blocks and Studio's tag drawer say, each once.

    Args:
        frameworks: identifier by export id of the taxonomy that the framework is published as.
    """
    tree = Tree(outline)
    wanted = [*_tags_of_blocks(outline, tree), *_tags_of_drawer(outline, tree, frameworks)]
    # A block that names a competency twice says it once; the last weight is its author's last word.
    return list({tag.digest(outline.course_key): tag for tag in wanted}.values())


def _tags_of_blocks(outline: CourseOutline, tree: Tree) -> Iterator[WantedTag]:
    for block in outline.blocks:
        if not block.competencies:
            continue
        covered = tree.ancestor(block.usage_key, SUBSECTION) if block.covers == "subsection" else ""
        covered = covered or tree.unit_of(block.usage_key) or block.parent or block.usage_key
        relation = block.relation if block.relation in RELATIONS else ContentTag.Relation.TEACHES
        if len(covered) > MAX_KEY or len(block.usage_key) > MAX_KEY:
            continue
        pieces = tree.pieces(covered) if relation == ContentTag.Relation.ASSESSES else ()
        for named in block.competencies:
            key = _key_of(named)
            if key is not None:
                yield WantedTag(
                    ContentTag.Source.OLX.value,
                    block.usage_key,
                    covered,
                    "" if covered in tree.subsections else tree.unit_of(covered),
                    str(relation),
                    *key,
                    weight=_weight_of(named),
                    pieces=pieces,
                )


def _key_of(named: Any) -> tuple[str, str] | None:
    if not isinstance(named, Mapping):
        return None
    key = str(named.get("framework", "")).lower(), str(named.get("item", "")).lower()
    return key if all(IDENTIFIER.match(part) for part in key) else None


def _weight_of(named: Mapping[str, Any]) -> Decimal:
    try:
        weight = Decimal(str(named.get("weight", 1)))
    except InvalidOperation:
        return Decimal(1)
    if not weight.is_finite() or not 0 < weight <= MAX_WEIGHT:
        return Decimal(1)
    return weight.quantize(Decimal("0.001"))


def _tags_of_drawer(outline: CourseOutline, tree: Tree, frameworks: Mapping[str, str]) -> Iterator[WantedTag]:
    """A drawer says only which: what is scored assesses it, everything else teaches it."""
    for tag in outline.tags:
        framework = frameworks.get(tag.taxonomy)
        block = tree.blocks.get(tag.usage_key)
        if not framework or block is None or not tag.external_id or len(tag.usage_key) > MAX_KEY:
            continue
        item = tag_identifier(framework, tag.external_id)
        relation = ContentTag.Relation.ASSESSES if block.scored else ContentTag.Relation.TEACHES
        yield WantedTag(
            ContentTag.Source.TAXONOMY.value,
            tag.usage_key,
            tag.usage_key,
            tree.unit_of(tag.usage_key),
            relation.value,
            framework,
            item,
            pieces=tree.pieces(tag.usage_key) if block.scored else (),
        )


def units_of_outline(outline: CourseOutline) -> list[dict[str, Any]]:
    """Return the units in the order of the course, as a course's map stores them."""
    tree = Tree(outline)
    scored: dict[str, int] = defaultdict(int)
    for block in outline.blocks:
        if block.scored:
            scored[tree.unit_of(block.usage_key)] += 1
    units = []
    for usage_key in _in_order(outline, tree):
        block = tree.blocks[usage_key]
        subsection = tree.blocks.get(block.parent)
        if subsection is None or subsection.kind != SUBSECTION:
            continue
        section = tree.blocks.get(subsection.parent)
        units.append(
            {
                "key": usage_key,
                "name": block.name,
                "subsection": subsection.usage_key,
                "subsection_name": subsection.name,
                "section": section.usage_key if section else "",
                "section_name": section.name if section else "",
                "scored": scored[usage_key],
                "start": block.start.isoformat() if block.start else None,
            }
        )
    return units


def _in_order(outline: CourseOutline, tree: Tree) -> Iterator[str]:
    """Yield the keys of all blocks as a reader meets them."""
    roots: Sequence[str] = [one.usage_key for one in outline.blocks if one.parent not in tree.blocks]
    todo = list(reversed(roots))
    while todo:
        usage_key = todo.pop()
        yield usage_key
        todo += reversed(tree.children.get(usage_key, ()))
