"""The figures as pictures: SVG, drawn here, so that pages need no script and no other host.

What a picture shows stands in a table beside it, so each has a short text only.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pygal
from django.core.cache import cache
from django.utils.translation import gettext as _
from pygal.style import Style

from mooc_microcred.reporting.data import WAITED_DAYS, Funnel, Report, Step
from mooc_microcred.reporting.periods import name_of_period
from mooc_microcred.reporting.words import figure, name_of_step, named, percent, waited_in_words

COLOUR = "#1b4f8a"
# Of lines and bars beside each other, with at least 3:1 to white and told apart by dashes too.
_COLOURS = ("#b3541e", "#0b6b3a", "#7a3e9d")
_DASHES = (None, "10, 5", "3, 4", "14, 4, 3, 4")
# The steps that stand for the whole way where there is no room for all of them.
_MARKS = (Step.STARTED, Step.LEVEL_1, Step.LEVEL_2, Step.CREDITED)
MOST_BARS = 10
_KEEP_SECONDS = 24 * 3600
_FONT = '"Noto Sans Thai", "Sarabun", "Leelawadee UI", "Thonburi", "Noto Sans", sans-serif'
# The library would have the middle of a figure at the end of its bar.
_AFTER_BARS = "inline:.text-overlay text.value { text-anchor: start; transform: translateX(6px); }"
# The library would have its lines as thin as a hair, whatever width they are given.
_OF_LINES = "inline:.line.reactive { stroke-width: 3px !important; stroke-opacity: 1 !important; }"
_RULES = {"bars": (_AFTER_BARS,), "lines": (_OF_LINES,)}
# Changes with how pictures are drawn, so that kept ones are not taken for new ones.
_DRAWING = 3


@dataclass(frozen=True, slots=True)
class Plot:
    """What a picture shows.

    Attributes:
        form: ``bars`` (from left to right), ``columns`` or ``lines``.
        labels: of the bars, columns or points, in reading order.
        series: name and values; None is a gap.
        shares: whether values are percent.
        written: what stands at the bars of a single series.
        unit: what the axis below counts, where the figures do not say it themselves.
        about: the text for who does not see it.
    """

    name: str
    form: str
    title: str
    about: str
    labels: Sequence[str]
    series: Sequence[tuple[str, Sequence[int | None]]]
    shares: bool = False
    written: Sequence[str] = ()
    unit: str = ""


def plots_of(report: Report, *, page: Sequence[Funnel]) -> dict[str, Plot]:
    """Return the pictures that there are of a report, by name.

    Args:
        page: the courses or programmes that stand on the page.
    """
    found = [_of_steps(report), _of_waits(report), _of_cohorts(report)]
    found.append(_of_several("courses", _("Courses and programmes in comparison"), page))
    if len(report.organizations) > 1:
        most = sorted(report.organizations, key=lambda one: -(one.steps[0].reached or 0))
        found.append(_of_several("institutions", _("Institutions in comparison"), most[:MOST_BARS]))
    return {one.name: one for one in found if one is not None}


def _of_steps(report: Report) -> Plot | None:
    steps = report.whole.steps
    if not steps:
        return None
    written = []
    for one in steps:
        share = report.whole.share(one.step)
        written.append(figure(one.reached) if share is None else f"{figure(one.reached)} · {percent(share)}")
    return Plot(
        "steps",
        "bars",
        _("How many learners reached each step"),
        _("Bars, from %(first)s down to %(last)s.")
        % {
            "first": f"{name_of_step(steps[0].step)} ({written[0]})",
            "last": f"{name_of_step(steps[-1].step)} ({written[-1]})",
        },
        [name_of_step(one.step) for one in steps],
        [(_("Learners"), [one.reached or 0 for one in steps])],
        written=written,
        unit=_("number of learners"),
    )


def _of_waits(report: Report) -> Plot | None:
    stop = report.whole.stop
    if stop is None or not stop.waits:
        return None
    written = [figure(one) for one in stop.waited]
    return Plot(
        "waits",
        "columns",
        _("For how long they have stood at “%(step)s”") % {"step": name_of_step(stop.step)},
        _("Columns of learners by days: %(list)s.")
        % {"list": ", ".join(f"{waited_in_words(place)} {number}" for place, number in enumerate(written))},
        [_short_wait(place) for place in range(len(WAITED_DAYS))],
        [(_("Learners"), [one or 0 for one in stop.waited])],
        written=written,
        unit=_("days"),
    )


def _short_wait(place: int) -> str:
    first = WAITED_DAYS[place]
    return f"{first}–{WAITED_DAYS[place + 1] - 1}" if place + 1 < len(WAITED_DAYS) else f"≥ {first}"


def _of_cohorts(report: Report) -> Plot | None:
    periods = report.periods
    if len(periods) < 2:
        return None
    first, last = (
        name_of_period(one.month, report.wanted.by) for one in (periods[0], periods[-1]) if one.month
    )
    return Plot(
        "cohorts",
        "lines",
        _("What became of those who enrolled then"),
        _("Lines of the shares that reached a step, for learners enrolled from %(first)s to %(last)s.")
        % {"first": first, "last": last},
        [name_of_period(one.month, report.wanted.by) for one in periods if one.month],
        [
            (name_of_step(step), [one.share(step) for one in periods])
            for step in _MARKS
            if any(one.at(step) for one in periods)
        ],
        shares=True,
    )


def _of_several(name: str, title: str, funnels: Sequence[Funnel]) -> Plot | None:
    if len(funnels) < 2:
        return None
    steps = [step for step in _MARKS[1:] if any(one.at(step) for one in funnels)]
    return Plot(
        name,
        "bars",
        title,
        _("Bars of the shares of enrolled learners that reached a step, for each of %(count)d.")
        % {"count": len(funnels)},
        [named(one.name, one.code or one.organization) for one in funnels],
        [(name_of_step(step), [one.share(step) for one in funnels]) for step in steps],
        shares=True,
    )


# --- drawing ---


def draw(plot: Plot, *, narrow: bool = False, colour: str = COLOUR) -> bytes:
    """Return the SVG of a plot; the same content is drawn once a day.

    Args:
        narrow: for a phone: the same size of letters on less than half of the width.
        colour: ``#rrggbb`` of the first series, dark enough for white ground.
    """
    content = json.dumps([_DRAWING, pygal.__version__, narrow, colour, asdict(plot)], ensure_ascii=False)
    key = f"microcred.plot.{hashlib.sha256(content.encode()).hexdigest()}"
    kept = cache.get(key)
    if kept is None:
        kept = _FORMS[plot.form](plot, narrow, colour)
        cache.set(key, kept, _KEEP_SECONDS)
    return kept


def _bars(plot: Plot, narrow: bool, colour: str) -> bytes:
    each = 46 if len(plot.series) == 1 else 26 + 24 * len(plot.series)
    legend = 0 if len(plot.series) == 1 else 34 * (len(plot.series) if narrow else 1)
    chart = _chart(pygal.HorizontalBar, plot, narrow, colour, height=70 + legend + each * len(plot.labels))
    room = 18 if narrow else 34
    chart.x_labels = [_shortened(one, room) for one in reversed(plot.labels)]
    # The library draws upwards, and people read downwards.
    for name, values in plot.series:
        chart.add(name, _values(plot, list(reversed(values)), list(reversed(plot.written))))
    return chart.render()


def _columns(plot: Plot, narrow: bool, colour: str) -> bytes:
    chart = _chart(pygal.Bar, plot, narrow, colour, height=340)
    chart.x_labels = list(plot.labels)
    chart.x_label_rotation = 40 if narrow else 0
    for name, values in plot.series:
        chart.add(name, _values(plot, values, plot.written))
    return chart.render()


def _lines(plot: Plot, narrow: bool, colour: str) -> bytes:
    chart = _chart(pygal.Line, plot, narrow, colour, height=460 if narrow else 420)
    chart.x_labels = list(plot.labels)
    every = max(1, -(-len(plot.labels) // (4 if narrow else 9)))
    chart.x_labels_major = list(plot.labels)[::every]
    chart.show_minor_x_labels = False
    chart.x_label_rotation = 30 if narrow or len(plot.labels) > 6 else 0
    for (name, values), dash in zip(plot.series, _DASHES, strict=False):
        stroke: dict[str, Any] = {"width": 3}
        if dash:
            stroke["dasharray"] = dash
        chart.add(name, list(values), stroke_style=stroke)
    return chart.render()


_FORMS: dict[str, Callable[[Plot, bool, str], bytes]] = {
    "bars": _bars,
    "columns": _columns,
    "lines": _lines,
}


def _values(plot: Plot, values: Sequence[int | None], written: Sequence[str]) -> list[Any]:
    """Return values with what is written at them."""
    texts = written or ["" if one is None else f"{one}%" if plot.shares else figure(one) for one in values]
    return [
        {"value": one, "formatter": (lambda _value, text=text: text)}
        for one, text in zip(values, texts, strict=True)
    ]


def _shortened(text: str, most: int) -> str:
    """Return a text of at most so many letters; marks above and below take no room."""
    found, room = "", most
    for letter in text:
        room -= unicodedata.category(letter) != "Mn"
        if room < 0:
            return f"{found[:-1].rstrip()}…"
        found += letter
    return text


def _chart(kind: type, plot: Plot, narrow: bool, colour: str, *, height: int) -> Any:
    """Return an empty chart in our looks."""
    highest = max((one or 0 for _name, values in plot.series for one in values), default=0)
    several = len(plot.series) > 1
    # Beyond the longest bar there is room for what is written at it.
    room = 1.15 if plot.form != "bars" else 1.9 if narrow else 1.35
    colours = (colour, *_COLOURS)[: len(plot.series)]
    style = Style(
        background="#ffffff",
        plot_background="#ffffff",
        foreground="#1d2530",
        foreground_strong="#1d2530",
        foreground_subtle="#4c5663",
        guide_stroke_color="#d5dbe2",
        major_guide_stroke_color="#d5dbe2",
        opacity="1",
        opacity_hover="1",
        transition="0s",
        colors=colours,
        value_colors=("#1d2530",) * len(plot.series),
        font_family=_FONT,
        label_font_size=15,
        major_label_font_size=15,
        title_font_size=15,
        value_font_size=14,
        legend_font_size=15,
    )
    chart = kind(
        style=style,
        js=[],
        width=400 if narrow else 960,
        height=height + (110 if several and plot.form == "lines" and narrow else 0),
        explicit_size=True,
        x_title=plot.unit or None,
        show_legend=several,
        legend_at_bottom=True,
        legend_at_bottom_columns=1 if narrow else len(plot.series),
        legend_box_size=16,
        truncate_legend=-1,
        truncate_label=-1,
        print_values=plot.form != "lines",
        print_values_position="top",
        show_x_guides=plot.form == "bars",
        show_y_guides=plot.form != "bars",
        dots_size=5,
        allow_interruptions=True,
        margin=16,
        range=(0, max(1, highest) * room),
        min_scale=2,
        max_scale=3 if narrow else 5,
        no_prefix=True,
        css=["file://style.css", "file://graph.css", *_RULES.get(plot.form, ())],
    )
    chart.add_xml_filter(_without_scripts)
    chart.value_formatter = (
        (lambda value: f"{round(value)}%") if plot.shares else (lambda value: figure(round(value)))
    )
    return chart


def _without_scripts(root: Any) -> Any:
    """Take away what the library adds for its own scripts, and its comments with the date."""
    for parent in list(root.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag.endswith("script"):
                parent.remove(child)
    return root
