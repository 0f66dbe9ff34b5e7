"""Judging a programme's requirement tree against the awards that a learner holds: pure.

The grammar is ``$defs/tree`` of ``catalogue.schema.json``: all of, at least k of n, minimum
credits out of, and leaves that name an achievement (also another programme).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements.data import Holding, Text


@dataclass(frozen=True, slots=True)
class TreeState:
    """A node of the tree with how far the learner is in it.

    Attributes:
        kind: ``all``, ``at_least``, ``credits`` or ``achievement``.
        have, need: children met of children needed, or credits.
        fraction: 0-1, how much of the node is done, for pictures.
        stands_on: uuids of the awards on which a met node rests.
    """

    kind: str
    met: bool
    have: Decimal
    need: Decimal
    fraction: float
    code: str = ""
    label: Text | None = None
    children: tuple[TreeState, ...] = ()
    stands_on: tuple[str, ...] = ()


def judge_tree(tree: Mapping[str, Any], held: Mapping[str, Holding]) -> TreeState:
    """Return the state of a tree; ``held`` are the counting awards by achievement code."""
    label = Text.of(tree["label"]) if "label" in tree else None
    if "achievement" in tree:
        return _judge_leaf(tree, held, label)
    if "credits" in tree:
        return _judge_credits(tree["credits"], held, label)
    if "all" in tree:
        kind, nodes, count = "all", tree["all"], len(tree["all"])
    else:
        kind, nodes, count = "at_least", tree["at_least"]["of"], tree["at_least"]["count"]
    children = tuple(judge_tree(node, held) for node in nodes)
    met = [child for child in children if child.met]
    best = sorted((child.fraction for child in children), reverse=True)[:count]
    return TreeState(
        kind=kind,
        met=len(met) >= count,
        have=Decimal(min(len(met), count)),
        need=Decimal(count),
        fraction=sum(best) / count,
        label=label,
        children=children,
        stands_on=_union(met),
    )


def _judge_leaf(tree: Mapping[str, Any], held: Mapping[str, Holding], label: Text | None) -> TreeState:
    award = held.get(tree["achievement"])
    met = award is not None and award.version_number not in tree.get("excluding_versions", ())
    return TreeState(
        kind="achievement",
        met=met,
        have=Decimal(met),
        need=Decimal(1),
        fraction=float(met),
        code=tree["achievement"],
        label=label,
        stands_on=(award.uuid,) if met and award else (),
    )


def _judge_credits(node: Mapping[str, Any], held: Mapping[str, Holding], label: Text | None) -> TreeState:
    """Add up the credits of the awards on which the met children rest, each award once."""
    children = tuple(judge_tree(child, held) for child in node["of"])
    stands_on = _union([child for child in children if child.met])
    worth = {award.uuid: award.credits for award in held.values()}
    have = sum((worth[uuid] for uuid in stands_on), Decimal(0))
    need = Decimal(str(node["minimum"]))
    return TreeState(
        kind="credits",
        met=have >= need,
        have=have,
        need=need,
        fraction=1.0 if not need else min(1.0, float(have / need)),
        label=label,
        children=children,
        stands_on=stands_on,
    )


def _union(nodes: list[TreeState]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(uuid for node in nodes for uuid in node.stands_on))
