"""A programme's requirement tree as a picture (SVG), drawn for a phone and for a wide window.

Colours come from the style sheet by classes; what is drawn also reads without them and in one colour. The
same is told as text beside it, so screen readers pass the picture over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from mooc_microcred.core.pages.lines import broken, rough_width, shortened

NARROW, WIDE = 340, 860
_TITLE, _SMALL = 14.0, 12.5
_LINE, _SMALL_LINE = 21, 18
_PAD, _MARK = 10, 26
_MOST_LINES = 4


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
    titles: list[str]
    notes: list[str]
    below: list[_Box] = field(default_factory=list)

    @property
    def height(self) -> float:
        return 2 * _PAD + _LINE * len(self.titles) + _SMALL_LINE * len(self.notes) - 3

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def _box(node: Drawn, x: float, y: float, width: float) -> _Box:
    room = width - 2 * _PAD - _MARK

    def title_width(text: str) -> float:
        return rough_width(text, _TITLE) * 1.04

    def note_width(text: str) -> float:
        return rough_width(text, _SMALL)

    titles = shortened(broken(node.title, title_width, room), _MOST_LINES, title_width, room)
    notes = shortened(broken(node.note, note_width, room), 2, note_width, room) if node.note else []
    return _Box(node, x, y, width, titles, notes)


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
    state, group = box.node.state, box.node.group
    edge = _EDGE[state]
    dashes = ' stroke-dasharray="5 4"' if state == "open" else ""
    parts = [
        f'<g class="mc-tree-node mc-tree-node--{state}"><rect x="{box.x:.1f}" y="{box.y:.1f}"'
        f' width="{box.width:.1f}" height="{box.height:.1f}" rx="{4 if group else 12}" fill="{_FILL[state]}"'
        f' stroke="{edge}" stroke-width="{1.5 if group else 2}"{dashes}/>',
        _mark(state, box.x + _PAD + 8, box.y + _PAD + 9, edge),
    ]
    left = box.x + _PAD + _MARK
    base = box.y + _PAD + 14
    for line in box.titles:
        parts.append(
            f'<text x="{left:.1f}" y="{base:.1f}" font-size="{_TITLE:g}"'
            f' font-weight="{600 if not group else 400}" fill="#1d2530">{escape(line)}</text>'
        )
        base += _LINE
    for line in box.notes:
        parts.append(
            f'<text x="{left:.1f}" y="{base - 2:.1f}" font-size="{_SMALL:g}" fill="#4c5663">'
            f"{escape(line)}</text>"
        )
        base += _SMALL_LINE
    return "".join([*parts, "</g>"])


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
