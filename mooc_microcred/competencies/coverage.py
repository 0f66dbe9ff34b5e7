"""The map of a course: its units against competencies, and what the map lacks."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.competencies.data import (
    CompetencyData,
    CoverageCell,
    CoverageData,
    CoverageGap,
    CoverageUnit,
    Key,
    TagData,
)
from mooc_microcred.competencies.frameworks import get_competencies
from mooc_microcred.competencies.models import ContentTag, CourseSync
from mooc_microcred.core.cells import neutralised
from mooc_microcred.core.texts import Text

TEACHING = (ContentTag.Relation.TEACHES, ContentTag.Relation.PRACTISES)
ASSESSES = ContentTag.Relation.ASSESSES


def tags_of_course(*, course_key: str) -> list[TagData]:
    """Return what a course's content says about competencies, known or not; two queries."""
    rows = list(ContentTag.objects.filter(course_key=course_key).order_by("id"))
    known = get_competencies(keys={(row.framework, row.item) for row in rows})
    return [
        TagData(
            course_key=row.course_key,
            source=row.source,
            said_by=row.said_by,
            usage_key=row.usage_key,
            relation=row.relation,
            framework=row.framework,
            item=row.item,
            weight=row.weight,
            competency=known.get((row.framework, row.item)),
        )
        for row in rows
    ]


def coverage_of_course(*, course_key: str) -> CoverageData:
    """Return a course's units against competencies with the gaps; three queries, whatever its size."""
    sync = CourseSync.objects.filter(course_key=course_key).first()
    units = [_unit(place, one) for place, one in enumerate(sync.units)] if sync else []
    tags = list(ContentTag.objects.filter(course_key=course_key).order_by("id"))
    keys = list(dict.fromkeys((tag.framework, tag.item) for tag in tags))
    known = get_competencies(keys=keys)
    sections = {one["key"]: one.get("section", "") for one in (sync.units if sync else ())}
    cells = _cells(units, sections, tags)
    competencies = [known.get(key) or CompetencyData(*key, code="", statement=Text()) for key in keys]
    competencies.sort(key=lambda one: (one.framework, one.key not in known, one.code, one.item))
    return CoverageData(
        course_key=course_key,
        units=units,
        competencies=competencies,
        cells=cells,
        gaps=_gaps(competencies, known, cells, units, tags),
        synced_at=sync.synced_at if sync else None,
        pending=bool(sync and sync.due),
    )


def _unit(place: int, stored: Mapping[str, Any]) -> CoverageUnit:
    return CoverageUnit(
        usage_key=stored["key"],
        name=stored["name"],
        subsection=stored["subsection"],
        subsection_name=stored["subsection_name"],
        section_name=stored["section_name"],
        position=place,
        scored=stored["scored"],
        start=datetime.fromisoformat(stored["start"]) if stored["start"] else None,
    )


def _cells(
    units: list[CoverageUnit], sections: Mapping[str, str], tags: list[ContentTag]
) -> list[CoverageCell]:
    """Return a cell for each unit and competency; a tag of a subsection or section covers all its units."""
    inside: dict[str, list[str]] = defaultdict(list)
    for unit in units:
        for usage_key in {unit.usage_key, unit.subsection, sections[unit.usage_key]} - {""}:
            inside[usage_key].append(unit.usage_key)
    weights: dict[tuple[str, Key], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    pieces: dict[tuple[str, Key], set[str]] = defaultdict(set)
    for tag in tags:
        covered = inside.get(tag.usage_key) or inside.get(tag.unit) or ()
        for usage_key in covered:
            place = usage_key, (tag.framework, tag.item)
            weights[place][tag.relation] += tag.weight
            pieces[place] |= {piece[0] for piece in tag.pieces}
    order = {unit.usage_key: unit.position for unit in units}
    return [
        CoverageCell(usage_key, key, dict(found), len(pieces[usage_key, key]))
        for (usage_key, key), found in sorted(weights.items(), key=lambda one: (order[one[0][0]], one[0][1]))
    ]


def _gaps(
    competencies: list[CompetencyData],
    known: Mapping[Key, CompetencyData],
    cells: list[CoverageCell],
    units: list[CoverageUnit],
    tags: list[ContentTag],
) -> list[CoverageGap]:
    order = {unit.usage_key: unit.position for unit in units}
    taught: dict[Key, list[str]] = defaultdict(list)
    assessed: dict[Key, list[str]] = defaultdict(list)
    for cell in cells:
        if any(relation in cell.weights for relation in TEACHING):
            taught[cell.key].append(cell.usage_key)
        if ASSESSES in cell.weights:
            assessed[cell.key].append(cell.usage_key)
    unscored: dict[Key, list[str]] = defaultdict(list)
    for tag in tags:
        if tag.relation == ASSESSES and not tag.pieces:
            unscored[tag.framework, tag.item].append(tag.usage_key)
    found = []
    for competency in competencies:
        key = competency.key
        if key not in known:
            found.append(CoverageGap("unknown", key, taught[key] + assessed[key]))
        elif competency.retired:
            found.append(CoverageGap("retired", key, taught[key] + assessed[key]))
        if taught[key] and not assessed[key]:
            found.append(CoverageGap("assessed_nowhere", key, taught[key]))
        if assessed[key] and not taught[key]:
            found.append(CoverageGap("never_taught", key, assessed[key]))
        if taught[key] and assessed[key]:
            first_taught = min(order[one] for one in taught[key])
            early = [one for one in assessed[key] if order[one] < first_taught]
            if early:
                found.append(CoverageGap("assessed_before_taught", key, early))
        if unscored[key]:
            found.append(CoverageGap("nothing_scored", key, unscored[key]))
    return found


def describe_gap(kind: str) -> str:
    """Return what a gap is, in the reader's language."""
    return {
        "assessed_nowhere": _("Taught and never assessed"),
        "assessed_before_taught": _("Assessed before it is taught"),
        "never_taught": _("Assessed and never taught"),
        "nothing_scored": _("Said to be assessed where nothing is scored"),
        "unknown": _("Not known on this platform"),
        "retired": _("Retired: its framework has replaced it"),
    }[kind]


def describe_relation(relation: str) -> str:
    """Return what content does with a competency, in the reader's language."""
    return str(ContentTag.Relation(relation).label)


def coverage_csv(*, coverage: CoverageData, language: str) -> str:
    """Return the map as CSV for a spreadsheet: a row per unit, a column per competency, then the gaps.

    Cells that a spreadsheet would run as a formula are neutralised; UTF-8, to be sent with a BOM.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    names = {
        one.key: " ".join(filter(None, (one.code, one.statement.in_language(language)))) or one.item
        for one in coverage.competencies
    }
    header = [_("Section"), _("Subsection"), _("Unit"), *names.values()]
    writer.writerow([neutralised(cell) for cell in header])
    by_place = {(cell.usage_key, cell.key): cell for cell in coverage.cells}
    for unit in coverage.units:
        row = [unit.section_name, unit.subsection_name, unit.name]
        for key in names:
            cell = by_place.get((unit.usage_key, key))
            relations = sorted(cell.weights) if cell else ()
            row.append(", ".join(describe_relation(one) for one in relations))
        writer.writerow([neutralised(cell) for cell in row])
    unit_names = {unit.usage_key: unit.name for unit in coverage.units}
    unit_names |= {unit.subsection: unit.subsection_name for unit in coverage.units}
    if coverage.gaps:
        writer.writerow([])
        writer.writerow([_("Gap"), _("Competency"), _("Units")])
    for gap in coverage.gaps:
        places = "; ".join(unit_names.get(one, one) for one in gap.usage_keys)
        writer.writerow([neutralised(cell) for cell in (describe_gap(gap.kind), names[gap.key], places)])
    return file.getvalue()
