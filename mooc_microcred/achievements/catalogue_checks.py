"""What is wrong with a catalogue, said so that whoever wrote it can put it right.

First the shape (bounds, then JSON Schema), then the meaning: references, organisations, cycles,
attainability. Every finding names its place as in the file, such as ``achievements[2].credits``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from mooc_microcred.achievements.catalogue import leaves_of
from mooc_microcred.achievements.criteria import implies_passing_grade, needs_of
from mooc_microcred.achievements.data import Judges
from mooc_microcred.achievements.models import Achievement, AchievementVersion, Issuer
from mooc_microcred.competencies import api as competencies
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.dates import BUDDHIST_OFFSET, FIRST_BUDDHIST_YEAR
from mooc_microcred.core.errors import Problem

Document = Mapping[str, Any]
Path = tuple[str | int, ...]
Kind = Achievement.Kind
State = AchievementVersion.State

# A catalogue of 700 courses has about 100,000 values; no sensible rule nests ten groups.
MAX_NODES = 400_000
MAX_DEPTH = 32
MAX_PROBLEMS = 200

LANGUAGES = ("th", "en")


def check_catalogue(document: Any) -> list[Problem]:
    """Return what is wrong with a catalogue; an empty list means that it can be loaded.

    Codes that the document does not define are looked up in the database. Nothing is changed.

    Args:
        document: the catalogue as parsed from YAML or JSON; any value is safe to pass.
    """
    problems = list(_check_bounds(document)) or list(_check_shape(document))
    if not problems:
        problems = list(_check_meaning(document))
    if len(problems) > MAX_PROBLEMS:
        left = len(problems) - MAX_PROBLEMS
        more = _("%(count)s more problems are not listed. Put these right first.") % {"count": left}
        problems = [*problems[:MAX_PROBLEMS], Problem("", more)]
    return problems


def advise_catalogue(document: Document) -> list[Problem]:
    """Return what a catalogue without errors could do better; nothing here keeps it from being loaded."""
    return list(_advise(document))


def as_path(path: Iterable[str | int]) -> str:
    """Return a place in a document as people write it: ``achievements[2].credits``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else str(part)
    return text


def _problem(path: Iterable[str | int], message: str, value: Any = "") -> Problem:
    shown = value if isinstance(value, str) else "" if isinstance(value, (Mapping, list)) else str(value)
    return Problem(as_path(path), message, shown[:100])


# --- bounds: whatever comes in, the later steps may walk it ---

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


def _check_bounds(document: Any) -> Iterator[Problem]:
    """Find what is too deep, too much, or no JSON value; without recursion."""
    todo: list[tuple[Path, Any]] = [((), document)]
    seen = 0
    while todo:
        path, value = todo.pop()
        seen += 1
        if seen > MAX_NODES:
            yield _problem((), _("The catalogue has more than %(count)s values.") % {"count": MAX_NODES})
            return
        if len(path) > MAX_DEPTH:
            yield _problem(path[:6], _("This is nested more than %(count)s deep.") % {"count": MAX_DEPTH})
            return
        if isinstance(value, Mapping):
            for key in value:
                if not isinstance(key, str) or _CONTROL.search(key):
                    yield _problem(path, _("The name of a field must be text."), repr(key))
                    return
            todo += [((*path, key), child) for key, child in reversed(list(value.items()))]
        elif isinstance(value, list):
            todo += [((*path, index), value[index]) for index in reversed(range(len(value)))]
        elif isinstance(value, str):
            if _CONTROL.search(value):
                yield _problem(path, _("The text holds control characters. Write it without them."))
        elif isinstance(value, float):
            if not math.isfinite(value):
                yield _problem(path, _("This is not a number that can be counted with."), value)
        elif isinstance(value, int):
            if abs(value) >= 10**15:
                yield _problem(path, _("This number is too large."))
        elif not (value is None or isinstance(value, Decimal)):
            kind = type(value).__name__
            yield _problem(
                path, _("A value of the type %(type)s has no place in a catalogue.") % {"type": kind}
            )


# --- shape: JSON Schema, with messages in the reader's language ---


def _pattern(validator: Draft202012Validator, pattern: str, instance: Any, _schema: Any):
    """Match as JSON Schema means it: ``$`` is the end (Python also stops before a last line break).

    Where a field takes a number or text, the pattern holds for the number as it is written.
    """
    if isinstance(instance, str):
        text = instance
    elif validator.is_type(instance, "number"):
        try:
            text = format(Decimal(str(instance)), "f")
        except InvalidOperation:
            text = str(instance)
    else:
        return
    if not re.search(pattern.replace("$", r"\Z"), text):
        yield ValidationError("pattern")


_Validator = extend(Draft202012Validator, {"pattern": _pattern})


@cache
def catalogue_schema() -> dict[str, Any]:
    """Return the JSON Schema of catalogues (draft 2020-12)."""
    file = resources.files("mooc_microcred.achievements") / "catalogue.schema.json"
    return json.loads(file.read_text(encoding="utf-8"))


@cache
def _validator() -> Draft202012Validator:
    return _Validator(catalogue_schema())


def _check_shape(document: Any) -> Iterator[Problem]:
    for error in sorted(_validator().iter_errors(document), key=_in_order):
        path = list(error.absolute_path)
        message = _say(error)
        if error.validator == "required":
            path.append(_missing_name(error))
        yield _problem(path, message, error.instance)


def _in_order(error: ValidationError) -> list[tuple[int, str]]:
    return [(part, "") if isinstance(part, int) else (0, part) for part in error.absolute_path]


def _missing_name(error: ValidationError) -> str:
    return next(name for name in error.validator_value if error.message.startswith(repr(name)))


def _names(names: Iterable[Any]) -> str:
    return ", ".join(str(name) for name in names)


# Sentences for the patterns; by the name of the definition in the schema that holds the pattern.
def _say_pattern(error: ValidationError) -> str:
    expected = {
        "code": _("Write a code of lower-case letters, digits and hyphens, at most 64 characters."),
        "organization": _("Write letters, digits, dots, hyphens and underscores only, as the platform does."),
        "identifier": _("Write the identifier of a framework or item, a UUID in small letters."),
        "decimal": _("Write a number from 0 to 9999.99 with at most two decimals."),
        "percent": _("Write a percentage from 0 to 100 with at most four decimals."),
        "date": _("Write a date as year-month-day, Common Era, such as 2026-11-21."),
        "url": _("Write an address that begins with https://."),
    }
    patterns = {catalogue_schema()["$defs"][name]["pattern"]: name for name in expected}
    known = patterns.get(error.validator_value)
    if known:
        return expected[known]
    if error.validator_value == r"\S":
        return _("The text is empty. Write it, or leave the language out.")
    if "course|ccx" in error.validator_value:
        return _("Write the key of a course run, such as course-v1:KMUTT+PY101+2026.")
    if "@" in error.validator_value:
        return _("Write an e-mail address.")
    if error.validator_value == "^[A-Z]{2}$":
        return _("Write the two capital letters of the country, such as TH.")
    if error.validator_value == "^[a-z]{2}$":
        return _("Write the two small letters of the language, such as th.")
    return _("The value does not have the form %(pattern)s.") % {"pattern": error.validator_value}


_TYPES: dict[str, Callable[[], str]] = {
    "object": lambda: _("fields with values"),
    "array": lambda: _("a list"),
    "string": lambda: _("text"),
    "number": lambda: _("a number"),
    "integer": lambda: _("a whole number"),
    "boolean": lambda: _("true or false"),
    "null": lambda: _("nothing"),
}


def _say_type(error: ValidationError) -> str:
    wanted = error.validator_value
    names = [_TYPES[name]() for name in ([wanted] if isinstance(wanted, str) else wanted)]
    return _("This must be %(type)s.") % {"type": _(" or ").join(names)}


def _say_unknown_fields(error: ValidationError) -> str:
    allowed = error.schema.get("properties", {})
    extra = [name for name in error.instance if name not in allowed]
    if not allowed:
        return _("No field belongs here, but there is: %(extra)s.") % {"extra": _names(extra)}
    return _("There is no field %(extra)s here. Possible are: %(allowed)s.") % {
        "extra": _names(extra),
        "allowed": _names(allowed),
    }


def _say_number_of_fields(error: ValidationError) -> str:
    allowed = _names(error.schema.get("properties", {}))
    if error.schema.get("maxProperties") == 1:
        return _("Write exactly one of these: %(allowed)s.") % {"allowed": allowed}
    return _("Write at least one of these: %(allowed)s.") % {"allowed": allowed}


def _say_one_of(error: ValidationError) -> str:
    choices = [_(" and ").join(branch["required"]) for branch in error.validator_value]
    return _("Write exactly one of these: %(allowed)s.") % {"allowed": "; ".join(choices)}


_SAY: dict[str, Callable[[ValidationError], str]] = {
    "required": lambda _error: _("This is missing."),
    "type": _say_type,
    "pattern": _say_pattern,
    "additionalProperties": _say_unknown_fields,
    "minProperties": _say_number_of_fields,
    "maxProperties": _say_number_of_fields,
    "oneOf": _say_one_of,
    "enum": lambda e: _("Choose one of: %(allowed)s.") % {"allowed": _names(e.validator_value)},
    "const": lambda e: _("This must be %(value)s.") % {"value": json.dumps(e.validator_value)},
    "minimum": lambda e: _("This must be at least %(limit)s.") % {"limit": e.validator_value},
    "maximum": lambda e: _("This must be at most %(limit)s.") % {"limit": e.validator_value},
    "exclusiveMinimum": lambda e: _("This must be more than %(limit)s.") % {"limit": e.validator_value},
    "minItems": lambda e: _("The list must hold at least %(limit)s.") % {"limit": e.validator_value},
    "maxItems": lambda e: _("The list must hold at most %(limit)s.") % {"limit": e.validator_value},
    "maxLength": lambda e: _("The text is longer than %(limit)s characters.") % {"limit": e.validator_value},
    "uniqueItems": lambda _error: _("The list names something twice."),
}


def _say(error: ValidationError) -> str:
    sentence = _SAY.get(str(error.validator))
    return sentence(error) if sentence else error.message


# --- meaning ---


@dataclass(slots=True)
class _Known:
    """What is known of an achievement, from the document or else from the database."""

    kind: str
    organization: str
    credits: Decimal = Decimal(0)
    needs: set[str] = field(default_factory=set)
    retired: bool = False
    numbers: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _World:
    """Issuers, achievements and exams that a document may refer to."""

    issuers: dict[str, str]
    achievements: dict[str, _Known]
    exam_owners: dict[str, str]
    stored_issuers: dict[str, str]
    stored: dict[str, _Known]


def needs_of_definition(definition: Mapping[str, Any]) -> set[str]:
    """Return the codes of the achievements that a definition (as in the catalogue) needs."""
    criteria = definition["criteria"]
    if criteria.get("tree") is not None:
        return {leaf["achievement"] for leaf in leaves_of(criteria["tree"])}
    return {criteria["level1"]} if criteria.get("level1") else set()


def judges_of(definition: Mapping[str, Any]) -> Judges:
    """Return whom a definition judges."""
    judges = definition.get("judges", {})
    days = [judges.get(name) for name in ("enrolled_from", "enrolled_until")]
    return Judges(*(date.fromisoformat(day) if day else None for day in days))


def covers(newer: Judges, older: Judges) -> bool:
    """Say whether a newer version judges everybody whom an older one judges, so that it may retire."""
    starts = newer.enrolled_from is None or (
        older.enrolled_from is not None and older.enrolled_from >= newer.enrolled_from
    )
    ends = newer.enrolled_until is None or (
        older.enrolled_until is not None and older.enrolled_until <= newer.enrolled_until
    )
    return starts and ends


def _read_world(document: Document) -> _World:
    stored: dict[str, _Known] = {}
    exam_owners: dict[str, str] = {}
    ours = {one["code"]: one for one in document.get("achievements", ())}
    rows = AchievementVersion.objects.order_by("achievement_id", "number").values_list(
        "achievement__code", "achievement__kind", "achievement__organization", "number", "state", "definition"
    )
    for code, kind, organization, number, state, definition in rows.iterator():
        known = stored.setdefault(code, _Known(kind, organization, retired=True))
        known.numbers.add(number)
        for exam in definition.get("exams", ()):
            exam_owners.setdefault(exam["code"], code)
        if state == State.RETIRED and not known.retired:
            continue
        known.credits = Decimal(str(definition.get("credits", 0)))
        if state == State.RETIRED:
            continue
        known.retired = False
        stays = code not in ours or (state == State.ACTIVE and not _covers_safely(ours[code], definition))
        if stays:
            known.needs |= needs_of_definition(definition)
    achievements = dict(stored)
    for code, one in ours.items():
        before = stored.get(code)
        achievements[code] = _Known(
            one["kind"],
            one["organization"],
            Decimal(str(one.get("credits", 0))),
            needs_of_definition(one) | (before.needs if before else set()),
            numbers=before.numbers if before else set(),
        )
    stored_issuers = dict(Issuer.objects.values_list("code", "organization"))
    issuers = {one["code"]: one["organization"] for one in document.get("issuers", ())}
    return _World({**stored_issuers, **issuers}, achievements, exam_owners, stored_issuers, stored)


def _covers_safely(newer: Mapping[str, Any], older: Mapping[str, Any]) -> bool:
    try:
        return covers(judges_of(newer), judges_of(older))
    except ValueError:  # a wrong date, which is a finding of its own
        return True


def _check_meaning(document: Document) -> Iterator[Problem]:
    yield from _check_twice(document, "issuers")
    yield from _check_twice(document, "achievements")
    world = _read_world(document)
    for index, issuer in enumerate(document.get("issuers", ())):
        owner = world.stored_issuers.get(issuer["code"], issuer["organization"])
        if owner != issuer["organization"]:
            message = _("This issuer belongs to the organisation %(owner)s.") % {"owner": owner}
            yield _problem(("issuers", index, "organization"), message, issuer["organization"])
    exam_places: dict[str, str] = {}
    for index, achievement in enumerate(document.get("achievements", ())):
        path: Path = ("achievements", index)
        yield from _check_belonging(achievement, path, world)
        yield from _check_figures(achievement, path)
        yield from _check_judges(achievement.get("judges", {}), (*path, "judges"))
        yield from _check_course(achievement, path)
        yield from _check_exams(achievement, path, world, exam_places)
        yield from _CRITERIA_OF[achievement["kind"]](achievement, (*path, "criteria"), world)
    yield from _check_cycles(document, world)


def _check_twice(document: Document, section: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, one in enumerate(document.get(section, ())):
        first = seen.setdefault(one["code"], index)
        if first != index:
            place = {"place": as_path((section, first))}
            yield _problem((section, index, "code"), _("%(place)s has the same code.") % place, one["code"])


def _check_belonging(achievement: Document, path: Path, world: _World) -> Iterator[Problem]:
    """Check that achievement, issuer and what is stored belong to the same organisation."""
    organization = achievement["organization"]
    stored = world.stored.get(achievement["code"])
    if stored and stored.organization != organization:
        message = _("This achievement belongs to the organisation %(owner)s.") % {
            "owner": stored.organization
        }
        yield _problem((*path, "organization"), message, organization)
    if stored and stored.kind != achievement["kind"]:
        message = _("This achievement is of the kind %(kind)s and stays so. Take another code.") % {
            "kind": stored.kind
        }
        yield _problem((*path, "kind"), message, achievement["kind"])
    issuer = achievement["issuer"]
    owner = world.issuers.get(issuer)
    if owner is None:
        yield _problem((*path, "issuer"), _("There is no issuer with this code."), issuer)
    elif owner != organization and owner not in microcred_settings.SHARED_ISSUER_ORGANIZATIONS:
        message = _("This issuer belongs to %(owner)s, the achievement to %(organization)s.") % {
            "owner": owner,
            "organization": organization,
        }
        yield _problem((*path, "issuer"), message, issuer)


def _check_figures(achievement: Document, path: Path) -> Iterator[Problem]:
    if Decimal(str(achievement["hours"])) == 0:
        yield _problem((*path, "hours"), _("The workload must be more than 0 hours."), achievement["hours"])


def _check_judges(judges: Mapping[str, str], path: Path) -> Iterator[Problem]:
    days: dict[str, date] = {}
    for name, text in judges.items():
        try:
            days[name] = date.fromisoformat(text)
        except ValueError:
            yield _problem((*path, name), _("There is no such day in the calendar."), text)
            continue
        if days[name].year >= FIRST_BUDDHIST_YEAR:
            year = {"year": days[name].year - BUDDHIST_OFFSET}
            yield _problem((*path, name), _("Write the year of the Common Era: %(year)s.") % year, text)
    if len(days) == 2 and days["enrolled_from"] > days["enrolled_until"]:
        message = _("The last day of enrolment is before the first.")
        yield _problem((*path, "enrolled_until"), message, judges["enrolled_until"])


def _check_course(achievement: Document, path: Path) -> Iterator[Problem]:
    course = achievement.get("course")
    path = (*path, "course")
    if achievement["kind"] == Kind.PROGRAMME:
        if course is not None:
            yield _problem(path, _("A programme has no course of its own; its tree names achievements."))
        return
    if achievement["kind"] == Kind.COMPETENCY:
        if course is not None:
            message = _("A competency has no course of its own; whatever content assesses it counts.")
            yield _problem(path, message)
        return
    if course is None:
        yield _problem(path, _("Name the course: its organisation and number, or its runs."))
        return
    organization = achievement["organization"]
    if "runs" not in course:
        if course["organization"] != organization:
            yield _problem((*path, "organization"), _other_organization(organization), course["organization"])
        return
    for index, run in enumerate(course["runs"]):
        try:
            key = CourseKey.from_string(run)
        except InvalidKeyError:
            message = _("This is not the key of a course run; one looks like course-v1:KMUTT+PY101+2026.")
            yield _problem((*path, "runs", index), message, run)
            continue
        if key.org != organization:
            yield _problem((*path, "runs", index), _other_organization(organization), run)


def _other_organization(organization: str) -> str:
    return _("The course is of another organisation than the achievement (%(organization)s).") % {
        "organization": organization
    }


def _check_exams(
    achievement: Document, path: Path, world: _World, places: dict[str, str]
) -> Iterator[Problem]:
    """Check that exam codes are unique on the platform: results name their exam by nothing else."""
    for index, exam in enumerate(achievement.get("exams", ())):
        here = (*path, "exams", index, "code")
        place = places.setdefault(exam["code"], as_path(here))
        owner = world.exam_owners.get(exam["code"], achievement["code"])
        if place != as_path(here):
            message = _("%(place)s has the same code; each exam needs its own.") % {"place": place}
            yield _problem(here, message, exam["code"])
        elif owner != achievement["code"]:
            message = _("The achievement %(owner)s has an exam with this code; each exam needs its own.")
            yield _problem(here, message % {"owner": owner}, exam["code"])
        if Decimal(str(exam["max_score"])) == 0:
            yield _problem((*here[:-1], "max_score"), _("The full score must be more than 0."))


def _unwanted(criteria: Document, path: Path, kind: str, names: Sequence[str]) -> Iterator[Problem]:
    for name in names:
        if criteria.get(name) is not None:
            message = _("An achievement of the kind %(kind)s has no field %(name)s. Leave it out.")
            yield _problem((*path, name), message % {"kind": kind, "name": name})


def _check_level1(achievement: Document, path: Path, _world: _World) -> Iterator[Problem]:
    criteria = achievement["criteria"]
    yield from _unwanted(criteria, path, Kind.LEVEL_1, ("tree", "level1"))
    yield from _unwanted(achievement, path[:-1], Kind.LEVEL_1, ("exams",))
    mode, rule = criteria.get("mode"), criteria.get("rule")
    if mode is None:
        message = _(
            "Say whether the award follows the platform's certificate: mirror, own_with_platform or own."
        )
        yield _problem((*path, "mode"), message)
    elif mode == "mirror":
        if rule is not None:
            message = _("In the mode mirror the platform's certificate decides. Leave the rule out.")
            yield _problem((*path, "rule"), message)
        return
    if rule is None:
        if mode is not None:
            message = _("In the mode %(mode)s write the rule by which the award is earned.") % {"mode": mode}
            yield _problem((*path, "rule"), message)
        return
    yield from _check_rule(rule, (*path, "rule"), own_exams=set())
    if mode == "own_with_platform":
        if any(kind == "certificate" for kind, _value, _path in _leaves(rule, ())):
            message = _(
                "The platform is asked for its certificate when the rule is met, so it cannot be part of it."
            )
            yield _problem((*path, "rule"), message)
        elif not implies_passing_grade(rule):
            message = _(
                "In the mode own_with_platform the rule must ask for course_grade: {passed: true} in every"
                " case, since the platform issues no certificate without a passing grade."
            )
            yield _problem((*path, "rule"), message)


def _check_level2(achievement: Document, path: Path, world: _World) -> Iterator[Problem]:
    criteria = achievement["criteria"]
    yield from _unwanted(criteria, path, Kind.LEVEL_2, ("tree", "mode"))
    level1 = criteria.get("level1")
    if level1 is not None:
        known = world.achievements.get(level1)
        if known is None:
            yield _problem((*path, "level1"), _("There is no achievement with this code."), level1)
        elif known.kind != Kind.LEVEL_1:
            yield _problem((*path, "level1"), _("This achievement is not a Level 1."), level1)
    own_exams = {exam["code"] for exam in achievement.get("exams", ())}
    if not own_exams:
        yield _problem((*path[:-1], "exams"), _("A Level 2 needs at least one exam."))
    rule = criteria.get("rule")
    if rule is None:
        yield _problem((*path, "rule"), _("A Level 2 needs a rule that asks for the result of its exam."))
        return
    yield from _check_rule(rule, (*path, "rule"), own_exams=own_exams)
    if not _implies(rule, "exam"):
        message = _("The rule can be met without any exam. A Level 2 must ask for the result of one.")
        yield _problem((*path, "rule"), message)


def _leaves(rule: Document, path: Path) -> Iterator[tuple[str, Document, Path]]:
    """Yield (kind, arguments, path) of every criterion, the parts of weighted totals included."""
    ((kind, value),) = rule.items()
    here = (*path, kind)
    if kind in ("all", "any"):
        for index, child in enumerate(value):
            yield from _leaves(child, (*here, index))
        return
    yield kind, value, here
    if kind == "weighted":
        for index, part in enumerate(value["parts"]):
            ((part_kind, arguments),) = part["of"].items()
            yield part_kind, arguments, (*here, "parts", index, "of", part_kind)


def _implies(rule: Document, wanted: str) -> bool:
    """Say whether a rule cannot be met without a criterion of that kind."""
    ((kind, value),) = rule.items()
    if kind == "all":
        return any(_implies(child, wanted) for child in value)
    if kind == "any":
        return all(_implies(child, wanted) for child in value)
    if kind == "weighted" and wanted == "exam":
        # An absent result makes the total unknown, and an unknown total is not met.
        return any("exam" in part["of"] for part in value["parts"])
    return kind == wanted


def _check_rule(rule: Document, path: Path, *, own_exams: set[str]) -> Iterator[Problem]:
    asked = needs_of(rule).competencies
    known = competencies.get_competencies(keys=asked) if asked else {}
    for kind, value, here in _leaves(rule, path):
        if kind == "exam" and value["code"] not in own_exams:
            message = _("This is not an exam of this achievement. List it under exams.")
            yield _problem((*here, "code"), message, value["code"])
        if kind == "competency" and (value["framework"], value["item"]) not in known:
            message = _("There is no competency with these identifiers. Import its framework first.")
            yield _problem(here, message, value["item"])
        if kind == "weighted":
            parts = [json.dumps(part["of"], sort_keys=True) for part in value["parts"]]
            if len(set(parts)) != len(parts):
                yield _problem((*here, "parts"), _("The same part is weighted twice."))


def _check_programme(achievement: Document, path: Path, world: _World) -> Iterator[Problem]:
    criteria = achievement["criteria"]
    yield from _unwanted(criteria, path, Kind.PROGRAMME, ("mode", "level1", "rule"))
    yield from _unwanted(achievement, path[:-1], Kind.PROGRAMME, ("exams",))
    if criteria.get("tree") is None:
        message = _("A programme needs a tree that names the achievements it is made of.")
        yield _problem((*path, "tree"), message)
        return
    yield from _check_tree(criteria["tree"], (*path, "tree"), world)


def _check_tree(tree: Document, path: Path, world: _World) -> Iterator[Problem]:
    if "excluding_versions" in tree and "achievement" not in tree:
        message = _("Versions are excluded at the achievement whose they are.")
        yield _problem((*path, "excluding_versions"), message)
    if "achievement" in tree:
        if tree["achievement"] not in world.achievements:
            yield _problem(
                (*path, "achievement"), _("There is no achievement with this code."), tree["achievement"]
            )
        return
    if "all" in tree:
        nodes, here = tree["all"], (*path, "all")
    else:
        kind = "at_least" if "at_least" in tree else "credits"
        nodes, here = tree[kind]["of"], (*path, kind, "of")
    leaves = [node["achievement"] for node in nodes if "achievement" in node]
    twice = sorted({code for code in leaves if leaves.count(code) > 1})
    if twice:
        yield _problem(here, _("The same achievement is named twice: %(codes)s.") % {"codes": _names(twice)})
    if "at_least" in tree and tree["at_least"]["count"] > len(nodes):
        message = _("%(count)s of %(number)s cannot be met.") % {
            "count": tree["at_least"]["count"],
            "number": len(nodes),
        }
        yield _problem((*path, "at_least", "count"), message)
    if "credits" in tree:
        yield from _check_credits(tree, path, world)
    for index, node in enumerate(nodes):
        yield from _check_tree(node, (*here, index), world)


def _check_credits(tree: Document, path: Path, world: _World) -> Iterator[Problem]:
    """Check that the credits can be attained: the awards below count once each."""
    minimum = Decimal(str(tree["credits"]["minimum"]))
    if minimum == 0:
        yield _problem((*path, "credits", "minimum"), _("The credits asked for must be more than 0."))
    codes = {leaf["achievement"] for leaf in leaves_of(tree)}
    attainable = sum(
        (world.achievements[code].credits for code in codes if code in world.achievements), Decimal(0)
    )
    if codes <= world.achievements.keys() and attainable < minimum:
        message = _(
            "At most %(attainable)s credits can be attained here, fewer than the %(minimum)s asked for."
        )
        yield _problem(
            (*path, "credits", "minimum"), message % {"attainable": attainable, "minimum": minimum}
        )


def _check_competency(achievement: Document, path: Path, _world: _World) -> Iterator[Problem]:
    criteria = achievement["criteria"]
    yield from _unwanted(criteria, path, Kind.COMPETENCY, ("mode", "level1", "tree"))
    yield from _unwanted(achievement, path[:-1], Kind.COMPETENCY, ("exams", "judges"))
    rule = criteria.get("rule")
    if rule is None:
        message = _("A competency needs a rule that names the competencies that must be demonstrated.")
        yield _problem((*path, "rule"), message)
        return
    for kind, _value, here in _leaves(rule, (*path, "rule")):
        if kind != "competency":
            message = _("Only competencies belong in the rule of a competency.")
            yield _problem(here, message, kind)
    yield from _check_rule(rule, (*path, "rule"), own_exams=set())


_CRITERIA_OF: dict[str, Callable[[Document, Path, _World], Iterator[Problem]]] = {
    Kind.LEVEL_1: _check_level1,
    Kind.LEVEL_2: _check_level2,
    Kind.COMPETENCY: _check_competency,
    Kind.PROGRAMME: _check_programme,
}


def _check_cycles(document: Document, world: _World) -> Iterator[Problem]:
    """Find achievements that, directly or through others, need themselves; each circle is told once."""
    told: set[frozenset[str]] = set()
    for index, achievement in enumerate(document.get("achievements", ())):
        circle = _circle_from(achievement["code"], world)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            field_name = "tree" if achievement["kind"] == Kind.PROGRAMME else "level1"
            message = _("The achievement needs itself: %(circle)s.") % {
                "circle": " → ".join([*circle, circle[0]])
            }
            yield _problem(("achievements", index, "criteria", field_name), message)


def _circle_from(start: str, world: _World) -> list[str]:
    """Return the codes of a circle through ``start``, or nothing; breadth first, so a shortest one."""
    came_from: dict[str, str] = {}
    todo = [start]
    for code in todo:
        known = world.achievements.get(code)
        for needed in sorted(known.needs) if known else ():
            if needed == start:
                circle = [code]
                while circle[-1] != start:
                    circle.append(came_from[circle[-1]])
                return circle[::-1]
            if needed not in came_from:
                came_from[needed] = code
                todo.append(needed)
    return []


# --- advice ---


def _advise(document: Document) -> Iterator[Problem]:
    for section in ("issuers", "achievements"):
        for index, one in enumerate(document.get(section, ())):
            yield from _advise_languages(one, (section, index))
    world = _read_world(document)
    for index, achievement in enumerate(document.get("achievements", ())):
        path: Path = ("achievements", index)
        used = {
            value["code"]
            for kind, value, _path in _leaves(achievement["criteria"].get("rule") or {"all": []}, ())
            if kind == "exam"
        }
        for number, exam in enumerate(achievement.get("exams", ())):
            if exam["code"] not in used:
                message = _("The rule does not ask for this exam, so its results change nothing.")
                yield _problem((*path, "exams", number), message, exam["code"])
        for code in sorted(needs_of_definition(achievement)):
            known = world.achievements[code]
            if known.retired:
                message = _("This achievement has been retired; only awards that were given count.")
                yield _problem((*path, "criteria"), message, code)
        for leaf in leaves_of(achievement["criteria"].get("tree") or {"all": []}):
            strange = (
                set(leaf.get("excluding_versions", ())) - world.achievements[leaf["achievement"]].numbers
            )
            if strange:
                message = _("There are no such versions of %(code)s: %(numbers)s.") % {
                    "code": leaf["achievement"],
                    "numbers": _names(sorted(strange)),
                }
                yield _problem((*path, "criteria", "tree"), message)


def _advise_languages(value: Any, path: Path) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        if value and set(value) <= set(LANGUAGES):
            if "th" not in value:
                yield _problem(path, _("There is no Thai text; Thai readers will see the English one."))
            if "en" not in value:
                yield _problem(path, _("There is no English text; other readers will see the Thai one."))
            return
        for name, child in value.items():
            yield from _advise_languages(child, (*path, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _advise_languages(child, (*path, index))
