"""A programme's requirement tree as a picture (SVG), drawn for a phone and for a wide window.

Boxes and lines are placed here; the words in a box are broken by the browser, which knows the words of Thai
and the reader's font, so each box has room for a little more than it needs. Colours come from the style sheet
by classes too. The same is told as text beside the picture, so screen readers pass it over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from mooc_microcred.core.pages.lines import broken, rough_width

NARROW, WIDE = 340, 860
_TITLE, _SMALL = 14.0, 12.5
_LINE, _SMALL_LINE = 21, 18
_PAD, _MARK = 9, 26
_MOST_LINES, _MOST_SMALL = 5, 2


@dataclass(frozen=True, slots=True)
class Drawn:
    """A node as it is drawn.

    Attributes:
        state: ``earned``, ``begun`` or ``open``. title, note: what stands in the box, the note may be empty.
        group: whether it is a rule over its children, and no achievement.
    """

    state: str
    title: str
    note: str
    group: bool
    children: Sequence[Drawn] = ()


@dataclass(slots=True)
class _Box:
    node: Drawn
    x: float
    y: float
    width: float
    titles: int
    notes: int
    below: list[_Box] = field(default_factory=list)

    @property
    def height(self) -> float:
        return 2 * _PAD + _LINE * self.titles + _SMALL_LINE * self.notes

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def _box(node: Drawn, x: float, y: float, width: float) -> _Box:
    room = width - 2 * _PAD - _MARK
    titles = min(_MOST_LINES, _lines(node.title, _TITLE, room))
    notes = min(_MOST_SMALL, _lines(node.note, _SMALL, room)) if node.note else 0
    return _Box(node, x, y, width, titles, notes)


def _lines(text: str, size: float, room: float) -> int:
    """Return how many lines a text takes at most."""
    return len(broken(text, lambda part: rough_width(part, size), room))


def tall_svg(root: Drawn) -> str:
    """Return the tree as a column of boxes, each child further right: for a window of 360 pixels."""
    step, gap = 18, 10
    lines: list[str] = []

    def place(node: Drawn, x: float, y: float) -> tuple[_Box, float]:
        box = _box(node, x, y, NARROW - x - 1)
        bottom = y + box.height
        for child in node.children:
            below, bottom = place(child, x + step, bottom + gap)
            box.below.append(below)
        if box.below:
            trunk, foot = x + 8, box.below[-1].middle
            lines.append(_line([(trunk, y + box.height), (trunk, foot)]))
            lines.extend(_line([(trunk, one.middle), (one.x, one.middle)]) for one in box.below)
        return box, bottom

    top, bottom = place(root, 1, 1)
    return _svg(NARROW, bottom + 2, lines, _all(top), "mc-tree mc-tree--tall")


def wide_svg(root: Drawn) -> str:
    """Return the tree from left to right, a column for each depth: for a wide window."""
    depth = _depth(root)
    between = 34
    width = (WIDE - 2 - between * (depth - 1)) / depth
    lines: list[str] = []
    gap = 12

    def place(node: Drawn, level: int, top: float) -> tuple[_Box, float]:
        """Return the box and the bottom of all that stands right of it."""
        box = _box(node, 1 + level * (width + between), top, width)
        if not node.children:
            return box, top + box.height
        bottom = top - gap
        for child in node.children:
            below, bottom = place(child, level + 1, bottom + gap)
            box.below.append(below)
        middle = (box.below[0].middle + box.below[-1].middle) / 2
        box.y = max(top, middle - box.height / 2)
        start, turn = box.x + width, box.x + width + between / 2
        lines.extend(
            _line([(start, box.middle), (turn, box.middle), (turn, one.middle), (one.x, one.middle)])
            for one in box.below
        )
        return box, max(bottom, box.y + box.height)

    top, bottom = place(root, 0, 1)
    return _svg(WIDE, bottom + 2, lines, _all(top), "mc-tree mc-tree--wide")


def wide_fits(root: Drawn) -> bool:
    """Say whether the columns of the wide drawing are wide enough to be read."""
    return _depth(root) <= 4


def _depth(node: Drawn) -> int:
    return 1 + max(map(_depth, node.children), default=0)


def _all(box: _Box) -> list[_Box]:
    return [box, *(one for below in box.below for one in _all(below))]


def _line(points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="mc-tree-line" fill="none" stroke="#8793a1" stroke-width="2" points="{path}"/>'


_FILL = {"earned": "#e6f4ec", "begun": "#edf1f6", "open": "#ffffff"}
_EDGE = {"earned": "#0b6b3a", "begun": "#1b4f8a", "open": "#68727e"}


def _svg(width: float, height: float, lines: Sequence[str], boxes: Sequence[_Box], names: str) -> str:
    inside = "".join([*lines, *map(_drawn, boxes)])
    return (
        f'<svg class="{names}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" aria-hidden="true" focusable="false">{inside}</svg>'
    )


def _drawn(box: _Box) -> str:
    node = box.node
    edge = _EDGE[node.state]
    dashes = ' stroke-dasharray="5 4"' if node.state == "open" else ""
    left, room = box.x + _PAD + _MARK, box.width - 2 * _PAD - _MARK + 4
    note = f'<span class="mc-tree-note">{escape(node.note)}</span>' if node.note else ""
    return (
        f'<g class="mc-tree-node mc-tree-node--{node.state}"><rect x="{box.x:.1f}" y="{box.y:.1f}"'
        f' width="{box.width:.1f}" height="{box.height:.1f}" rx="{4 if node.group else 12}"'
        f' fill="{_FILL[node.state]}" stroke="{edge}" stroke-width="{1.5 if node.group else 2}"{dashes}/>'
        f"{_mark(node.state, box.x + _PAD + 9, box.middle, edge)}"
        f'<foreignObject x="{left:.1f}" y="{box.y:.1f}" width="{room:.1f}" height="{box.height:.1f}">'
        f'<div class="mc-tree-words{" mc-tree-words--group" if node.group else ""}">'
        f"<span>{escape(node.title)}</span>{note}</div></foreignObject></g>"
    )


def _mark(state: str, x: float, y: float, colour: str) -> str:
    """Draw a disc with a tick, a half disc, or an empty circle."""
    ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" stroke="{colour}" stroke-width="2"'
    if state == "earned":
        return (
            f'{ring} fill="{colour}"/><polyline points="{x - 3.6:.1f},{y + 0.3:.1f} {x - 0.9:.1f},{y + 3:.1f}'
            f' {x + 3.8:.1f},{y - 2.8:.1f}" fill="none" stroke="#ffffff" stroke-width="2"'
            ' stroke-linecap="round" stroke-linejoin="round"/>'
        )
    half = f'<path d="M{x:.1f},{y - 8:.1f}a8,8 0 0 0 0,16z" fill="{colour}"/>' if state == "begun" else ""
    return f'{ring} fill="#ffffff"/>{half}'
