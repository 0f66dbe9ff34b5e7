"""The definitions in force, compiled once per change and shared by the whole process.

A row with a random token tells every process when something was activated or retired; the
token (not a counter) makes a rolled-back change harmless.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db.models import QuerySet
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from mooc_microcred.achievements.criteria import Needs, needs_of
from mooc_microcred.achievements.data import CourseRule, Definition, Exam, Judges, Text
from mooc_microcred.achievements.models import (
    Achievement,
    AchievementVersion,
    CatalogueRevision,
    Issuer,
    RunOffer,
    new_uuid,
)
from mooc_microcred.competencies.data import Key
from mooc_microcred.core.asking import asked


def parse_definition(version: AchievementVersion) -> Definition:
    """Return the definition of a version (its ``achievement`` and ``issuer`` are read)."""
    raw = version.definition
    criteria = raw["criteria"]
    course = raw.get("course")
    judges = raw.get("judges", {})
    return Definition(
        version_id=version.pk,
        number=version.number,
        achievement_id=version.achievement_id,
        code=version.achievement.code,
        organization=version.achievement.organization,
        kind=version.achievement.kind,
        issuer=version.issuer.code,
        name=Text.of(raw["name"]),
        mode=criteria.get("mode", ""),
        course=None
        if course is None
        else CourseRule(
            organization=course.get("organization", ""),
            number=course.get("number", ""),
            runs=tuple(course.get("runs", ())),
        ),
        rule=criteria.get("rule"),
        level1=criteria.get("level1") or "",
        exams=tuple(_parse_exam(exam) for exam in raw.get("exams", ())),
        tree=criteria.get("tree"),
        credits=Decimal(str(raw.get("credits", 0))),
        hours=Decimal(str(raw["hours"])),
        validity_months=raw.get("validity_months"),
        judges=Judges(
            enrolled_from=_parse_day(judges.get("enrolled_from")),
            enrolled_until=_parse_day(judges.get("enrolled_until")),
        ),
        raw=raw,
    )


def _parse_exam(raw: Mapping[str, Any]) -> Exam:
    return Exam(
        code=raw["code"],
        name=Text.of(raw["name"]),
        max_score=Decimal(str(raw["max_score"])),
        attempts=raw.get("attempts"),
        resit_gap_days=raw.get("resit_gap_days", 0),
        policy=raw.get("policy", "best"),
    )


def _parse_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def leaves_of(tree: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the achievement leaves of a programme's requirement tree."""
    if "achievement" in tree:
        return [tree]
    children = tree.get("all") or tree.get("at_least", tree.get("credits", {})).get("of", [])
    return [leaf for child in children for leaf in leaves_of(child)]


# Asked for every run and achievement of every learner who is evaluated.
@lru_cache(maxsize=50_000)
def course_of_run(course_key: str) -> tuple[str, str]:
    """Return (organisation, course number) of a run; ("", "") where the key is none."""
    try:
        key = CourseKey.from_string(course_key)
    except InvalidKeyError:
        return "", ""
    return key.org or "", key.course or ""


@dataclass(frozen=True)
class Catalogue:
    """All active versions, indexed the ways in which evaluation asks for them.

    Attributes:
        versions: by achievement code, the newest first.
        order: codes so that whatever an achievement needs comes before it.
        dependents: by code, the codes that need it directly.
        exams: by exam code, the achievement's code and the exam.
        rank: by code, its place in ``order``.
        needs: by version id, what its rule needs to be read.
        competencies: every competency that a rule asks for.
    """

    token: str
    versions: Mapping[str, Sequence[Definition]] = field(default_factory=dict)
    order: Sequence[str] = ()
    dependents: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _by_run: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _by_course: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    exams: Mapping[str, tuple[str, Exam]] = field(default_factory=dict)
    rank: Mapping[str, int] = field(default_factory=dict)
    needs: Mapping[int, Needs] = field(default_factory=dict)
    competencies: frozenset[Key] = frozenset()
    _by_competency: Mapping[Key, frozenset[str]] = field(default_factory=dict)

    def codes_for_competency(self, key: Key) -> frozenset[str]:
        """Return the achievements that are earned by competencies alone and ask for this one."""
        return self._by_competency.get(key, frozenset())

    def codes_for_run(self, course_key: str) -> frozenset[str]:
        """Return the achievements whose course requirement a run fulfils."""
        by_course = self._by_course.get(course_of_run(course_key), frozenset())
        return self._by_run.get(course_key, frozenset()) | by_course

    def with_dependents(self, codes: frozenset[str] | set[str]) -> set[str]:
        """Return the codes and everything that directly or indirectly needs one of them."""
        found = set(codes)
        todo = list(codes)
        while todo:
            for code in self.dependents.get(todo.pop(), ()):
                if code not in found:
                    found.add(code)
                    todo.append(code)
        return found

    def judging(self, code: str, enrolled_at: datetime | None) -> Definition | None:
        """Return the newest active version that judges a learner enrolled then."""
        for definition in self.versions.get(code, ()):
            if definition.judges.judges(enrolled_at):
                return definition
        return None

    def newest(self, code: str) -> Definition | None:
        """Return the newest active version, or None."""
        versions = self.versions.get(code)
        return versions[0] if versions else None


def needed_codes(definition: Definition) -> set[str]:
    """Return the codes of the achievements that a definition needs."""
    if definition.tree is not None:
        return {leaf["achievement"] for leaf in leaves_of(definition.tree)}
    return {definition.level1} - {""}


def compile_catalogue(
    token: str, definitions: Sequence[Definition], adopted: Mapping[int, set[str]]
) -> Catalogue:
    """Index definitions; ``adopted`` holds the adopted re-runs by achievement id."""
    versions: dict[str, list[Definition]] = defaultdict(list)
    by_run: dict[str, set[str]] = defaultdict(set)
    by_course: dict[tuple[str, str], set[str]] = defaultdict(set)
    dependents: dict[str, set[str]] = defaultdict(set)
    exams: dict[str, tuple[str, Exam]] = {}
    needs = {one.version_id: needs_of(one.rule) for one in definitions}
    by_competency: dict[Key, set[str]] = defaultdict(set)
    for definition in sorted(definitions, key=lambda one: -one.number):
        versions[definition.code].append(definition)
        for needed in needed_codes(definition):
            dependents[needed].add(definition.code)
        for exam in definition.exams:
            exams.setdefault(exam.code, (definition.code, exam))
        if definition.kind == Achievement.Kind.COMPETENCY:
            for key in needs[definition.version_id].competencies:
                by_competency[key].add(definition.code)
        if definition.course:
            if definition.course.runs:
                for run in {*definition.course.runs, *adopted.get(definition.achievement_id, ())}:
                    by_run[run].add(definition.code)
            else:
                by_course[definition.course.organization, definition.course.number].add(definition.code)
    order = _ordered(versions, dependents)
    return Catalogue(
        token=token,
        versions=dict(versions),
        order=order,
        rank={code: place for place, code in enumerate(order)},
        needs=needs,
        competencies=frozenset(key for one in needs.values() for key in one.competencies),
        _by_competency={key: frozenset(found) for key, found in by_competency.items()},
        dependents={code: frozenset(found) for code, found in dependents.items()},
        _by_run={run: frozenset(found) for run, found in by_run.items()},
        _by_course={course: frozenset(found) for course, found in by_course.items()},
        exams=exams,
    )


def _ordered(versions: Mapping[str, Sequence[Definition]], dependents: Mapping[str, set[str]]) -> list[str]:
    """Return the codes in topological order (the catalogue's checks refuse cycles)."""
    needs = {
        code: {needed for one in found for needed in needed_codes(one) if needed in versions}
        for code, found in versions.items()
    }
    ready = sorted(code for code, needed in needs.items() if not needed)
    ordered = []
    while ready:
        code = ready.pop()
        ordered.append(code)
        for dependent in sorted(dependents.get(code, ())):
            if dependent in needs:
                needs[dependent].discard(code)
                if not needs[dependent] and dependent not in ordered and dependent not in ready:
                    ready.append(dependent)
    return ordered


_lock = threading.Lock()
_compiled: Catalogue | None = None


def current_catalogue() -> Catalogue:
    """Return the compiled catalogue: one query where nothing changed, three more where it did."""
    global _compiled  # noqa: PLW0603
    token = catalogue_token()
    compiled = _compiled
    if compiled is None or compiled.token != token:
        rows = AchievementVersion.objects.filter(state=AchievementVersion.State.ACTIVE)
        adopted: dict[int, set[str]] = defaultdict(set)
        for achievement_id, run in RunOffer.objects.filter(state=RunOffer.State.ADOPTED).values_list(
            "achievement_id", "course_key"
        ):
            adopted[achievement_id].add(run)
        definitions = [parse_definition(row) for row in rows.select_related("achievement", "issuer")]
        with _lock:
            compiled = _compiled = compile_catalogue(token, definitions, adopted)
    return compiled


def catalogue_token() -> str:
    """Return what changes when something else comes into force; empty where nothing ever was. One query."""
    rows = asked(_tokens)
    return rows[0][0] if rows else ""


def _tokens() -> QuerySet[CatalogueRevision, str]:
    return CatalogueRevision.objects.filter(pk=1).values_list("token", flat=True)


def touch_catalogue() -> None:
    """Tell every process that what is active has changed; in the transaction of the change."""
    CatalogueRevision.objects.update_or_create(pk=1, defaults={"token": new_uuid()})


def get_definition(version_id: int) -> Definition:
    """Return the definition of one version, active or not.

    Raises:
        AchievementVersion.DoesNotExist: there is none.
    """
    return parse_definition(
        AchievementVersion.objects.select_related("achievement", "issuer").get(pk=version_id)
    )


def definitions_of(version_ids: Collection[int]) -> dict[int, Definition]:
    """Return the definitions of versions by id, retired ones with one query for all of them."""
    found = {
        one.version_id: one
        for versions in current_catalogue().versions.values()
        for one in versions
        if one.version_id in version_ids
    }
    missing = set(version_ids) - found.keys()
    if missing:
        rows = AchievementVersion.objects.filter(pk__in=missing).select_related("achievement", "issuer")
        found |= {row.pk: parse_definition(row) for row in rows}
    return found


def issuer_names(codes: Collection[str]) -> dict[str, Text]:
    """Return the names of issuers by code, with one query; none for no code."""
    if not codes:
        return {}
    rows = Issuer.objects.filter(code__in=codes).values_list("code", "definition")
    return {code: Text.of(definition["name"]) for code, definition in rows}
