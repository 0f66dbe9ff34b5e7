"""The competency map of a course: units against competencies, what is missing, and a file of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.views.decorators.http import require_safe
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from mooc_microcred.competencies import api as competencies
from mooc_microcred.competencies.data import RELATIONS, CoverageCell, CoverageData, Key
from mooc_microcred.core.dates import display_moment

# Steps of the heat map: the share of the heaviest cell from which a step begins.
_STEPS = (Decimal(0), Decimal("0.25"), Decimal("0.5"), Decimal("0.75"))
# Competencies beyond this many make a matrix that nobody reads: the table is shown first.
WIDE = 60


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the matrix: letters and a step of heat, 0 for an empty one; ``text`` says it in words."""

    letters: str = ""
    heat: int = 0
    text: str = ""
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A unit with its cells; ``first`` where a subsection begins."""

    unit: Any
    cells: Sequence[Cell]
    first: bool


@login_required
@require_safe
def coverage_page(request, course_key: str):
    """Show the map; ``?relation=assesses`` shows one relation only."""
    _must_see(request, course_key)
    coverage = competencies.coverage_of_course(course_key=course_key)
    wanted = request.GET.get("relation", "")
    shown = [wanted] if wanted in RELATIONS else list(RELATIONS)
    language = get_language() or "en"
    names = {one.key: _name(one, language) for one in coverage.competencies}
    context = {
        "course_key": course_key,
        "coverage": coverage,
        "read_on": display_moment(coverage.synced_at) if coverage.synced_at else "",
        "columns": [
            {
                "code": one.code or one.item[:8],
                "name": names[one.key],
                "statement": one.statement.in_language(language),
            }
            for one in coverage.competencies
        ],
        "rows": _rows(coverage, shown, names),
        "table": _table(coverage, names),
        "gaps": _gaps(coverage, names),
        "relations": [
            (one, competencies.describe_relation(one), _letter(one), one == wanted) for one in RELATIONS
        ],
        "relation": wanted if wanted in RELATIONS else "",
        "wide": len(coverage.competencies) > WIDE,
        "totals": _totals(coverage),
    }
    response = render(request, "mooc_microcred/competencies/coverage.html", context)
    response["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'self'"
    patch_cache_control(response, private=True, no_store=True)
    return response


@login_required
@require_safe
def coverage_file(request, course_key: str):
    """Return the map as CSV, with a byte order mark so that spreadsheets read Thai."""
    _must_see(request, course_key)
    coverage = competencies.coverage_of_course(course_key=course_key)
    text = competencies.coverage_csv(coverage=coverage, language=get_language() or "en")
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="competency-map.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(response, private=True, no_store=True)
    return response


def _must_see(request, course_key: str) -> None:
    try:
        CourseKey.from_string(course_key)
    except InvalidKeyError as error:
        raise Http404 from error
    if not competencies.may_see_content(user_id=request.user.id, context_key=course_key):
        raise PermissionDenied


def _name(competency: Any, language: str) -> str:
    return " ".join(filter(None, (competency.code, competency.statement.in_language(language)))) or (
        competency.item
    )


def _letter(relation: str) -> str:
    """Return a relation's first letter; in Thai, where a letter alone says nothing, the word."""
    word = competencies.describe_relation(relation)
    return word[0].upper() if word[0].isascii() else word


def _rows(coverage: CoverageData, shown: Sequence[str], names: Mapping[Key, str]) -> list[Row]:
    cells = {(cell.usage_key, cell.key): cell for cell in coverage.cells}
    heaviest = max((_weight(cell, shown) for cell in coverage.cells), default=Decimal(0))
    rows = []
    before = None
    for unit in coverage.units:
        rows.append(
            Row(
                unit=unit,
                cells=[
                    _cell(cells.get((unit.usage_key, key)), shown, heaviest, name)
                    for key, name in names.items()
                ],
                first=unit.subsection != before,
            )
        )
        before = unit.subsection
    return rows


def _weight(cell: CoverageCell, shown: Sequence[str]) -> Decimal:
    return sum((cell.weights[one] for one in shown if one in cell.weights), Decimal(0))


def _cell(cell: CoverageCell | None, shown: Sequence[str], heaviest: Decimal, name: str) -> Cell:
    relations = [one for one in shown if cell is not None and one in cell.weights]
    if cell is None or not relations:
        return Cell()
    share = _weight(cell, shown) / heaviest if heaviest else Decimal(0)
    return Cell(
        letters=" ".join(_letter(one) for one in relations),
        heat=sum(share > step for step in _STEPS),
        text=f"{name}: " + ", ".join(competencies.describe_relation(one) for one in relations),
        gap="assesses" in relations and not cell.pieces,
    )


def _table(coverage: CoverageData, names: Mapping[Key, str]) -> list[dict[str, Any]]:
    """Return a row per competency: in which units it is taught, practised and assessed."""
    order = {unit.usage_key: unit for unit in coverage.units}
    found: dict[Key, dict[str, list[Any]]] = {key: {one: [] for one in RELATIONS} for key in names}
    for cell in coverage.cells:
        for relation in cell.weights:
            found[cell.key][relation].append(order[cell.usage_key])
    return [{"name": names[key], "units": [(one, found[key][one]) for one in RELATIONS]} for key in names]


def _gaps(coverage: CoverageData, names: Mapping[Key, str]) -> list[dict[str, Any]]:
    units = {unit.usage_key: unit.name for unit in coverage.units}
    units |= {unit.subsection: unit.subsection_name for unit in coverage.units}
    return [
        {
            "what": competencies.describe_gap(gap.kind),
            "name": names[gap.key],
            "places": [units.get(one, "") for one in dict.fromkeys(gap.usage_keys) if units.get(one)],
        }
        for gap in coverage.gaps
    ]


def _totals(coverage: CoverageData) -> dict[str, int]:
    relations = Counter(relation for cell in coverage.cells for relation in cell.weights)
    return {
        "units": len(coverage.units),
        "competencies": len(coverage.competencies),
        "gaps": len(coverage.gaps),
        "assessed": relations["assesses"],
    }
