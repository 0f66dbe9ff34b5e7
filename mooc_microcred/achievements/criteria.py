"""Judging a criterion tree against facts: pure, so that evaluation, dry runs and progress agree.

The grammar is ``$defs/rule`` of ``catalogue.schema.json``. The NPTEL rule (course work >= 40
and exam >= 40, total = 25 % + 75 %) is ``all`` of two minimums and a ``weighted``; the K-MOOC
rule (attendance >= 80 % and grade >= 60) is ``all`` of ``completion`` and ``course_grade``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mooc_microcred.achievements.data import Measure, Verdict
from mooc_microcred.competencies.data import Key, MasteryData
from mooc_microcred.core.evidence import Fact
from mooc_microcred.core.platform import CourseState

Rule = Mapping[str, Any]


class UnknownCriterion(Exception):
    """A definition asks for something that this release cannot judge."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be read of the platform, and of which exams and competencies, to judge a rule."""

    grade: bool = False
    completion: bool = False
    completion_floor: Decimal = Decimal(0)
    subsections: frozenset[str] = frozenset()
    exams: frozenset[str] = frozenset()
    competencies: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one learner in one run.

    Attributes:
        exams: facts by exam code; a code without a released result is absent.
        mastery: by competency; what was not attempted is absent.
    """

    course_key: str
    course: CourseState = field(default_factory=CourseState)
    exams: Mapping[str, Fact] = field(default_factory=dict)
    mastery: Mapping[Key, MasteryData] = field(default_factory=dict)


def _leaves(rule: Rule) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield (kind, arguments, whether inside a weighted total) of every criterion."""
    ((kind, value),) = rule.items()
    if kind in ("all", "any"):
        for child in value:
            yield from _leaves(child)
    elif kind == "weighted":
        for part in value["parts"]:
            ((part_kind, arguments),) = part["of"].items()
            yield part_kind, arguments, True
    else:
        yield kind, value, False


def needs_of(rule: Rule | None) -> Needs:
    """Return what a rule needs to be read."""
    if rule is None:
        return Needs()
    leaves = list(_leaves(rule))
    floors = [
        Decimal(0) if weighted else Decimal(str(arguments["minimum"]))
        for kind, arguments, weighted in leaves
        if kind == "completion"
    ]
    return Needs(
        grade=any(kind == "course_grade" for kind, _, _ in leaves),
        completion=bool(floors),
        completion_floor=min(floors, default=Decimal(0)),
        subsections=frozenset(args["block"] for kind, args, _ in leaves if kind == "subsection_grade"),
        exams=frozenset(args["code"] for kind, args, _ in leaves if kind == "exam"),
        competencies=frozenset(
            (args["framework"], args["item"]) for kind, args, _ in leaves if kind == "competency"
        ),
    )


def judge(rule: Rule, facts: Facts) -> Verdict:
    """Judge a rule. A fact that is absent is a condition not met, never an error."""
    ((kind, value),) = rule.items()
    if kind in ("all", "any"):
        return _judge_group(kind, [judge(child, facts) for child in value])
    if kind == "weighted":
        return _judge_weighted(value, facts)
    if kind == "competency":
        return _judge_competency(value, facts)
    have, reference, due = _value_of(kind, value, facts)
    measure = _measure(kind, value, facts, have)
    return Verdict(met=measure.met, measures=(measure,), references=reference, due=due)


def _judge_group(kind: str, verdicts: list[Verdict]) -> Verdict:
    met = all(one.met for one in verdicts) if kind == "all" else any(one.met for one in verdicts)
    # What an alternative rests on is what was met; a conjunction rests on everything.
    basis = [one for one in verdicts if one.met] if kind == "any" and met else verdicts
    dues = [one.due for one in verdicts if one.due]
    return Verdict(
        met=met,
        measures=tuple(measure for one in verdicts for measure in one.measures),
        references=tuple(dict.fromkeys(ref for one in basis for ref in one.references)),
        due=min(dues, default=None),
    )


def _judge_competency(value: Mapping[str, Any], facts: Facts) -> Verdict:
    """Judge by the status, which only rises; the figures are those by which it rose."""
    mastery = facts.mastery.get((value["framework"], value["item"]))
    details: dict[str, Any] = {"framework": value["framework"], "item": value["item"]}
    references: tuple[str, ...] = ()
    if mastery is not None:
        details |= {"status": mastery.status, "pieces": mastery.pieces, "available": mastery.available}
        references = (f"mastery:{mastery.framework}/{mastery.item}",)
    measure = Measure(
        "competency",
        f"{value['framework']}/{value['item']}",
        mastery is not None and mastery.demonstrated,
        mastery.percent if mastery is not None else None,
        mastery.need if mastery is not None else None,
        details=details,
    )
    return Verdict(met=measure.met, measures=(measure,), references=references)


def _judge_weighted(value: Mapping[str, Any], facts: Facts) -> Verdict:
    total, weights = Decimal(0), Decimal(0)
    references: list[str] = []
    known = True
    dues: list[datetime] = []
    parts: list[dict[str, Any]] = []
    for part in value["parts"]:
        ((kind, arguments),) = part["of"].items()
        weight = Decimal(str(part["weight"]))
        have, reference, due = _value_of(kind, arguments, facts)
        known = known and have is not None
        total += weight * (have or 0)
        weights += weight
        references += reference
        dues += [due] if due else []
        parts.append({"kind": kind, "weight": str(weight), "have": None if have is None else str(have)})
    have = (total / weights).quantize(Decimal("0.01"), ROUND_HALF_UP) if known else None
    need = Decimal(str(value["minimum"]))
    # The threshold is compared with the exact total; rounding is for display.
    met = known and total / weights >= need
    measure = Measure("weighted", facts.course_key, met, have, need, details={"parts": parts})
    return Verdict(met, (measure,), tuple(dict.fromkeys(references)), min(dues, default=None))


def _value_of(
    kind: str, arguments: Mapping[str, Any], facts: Facts
) -> tuple[Decimal | None, tuple[str, ...], datetime | None]:
    """Return the percent 0-100 of a criterion (None if absent), its reference and next due time."""
    course = facts.course
    here = (f"course:{facts.course_key}",)
    if kind == "completion":
        return (course.completion.percent if course.completion else None), here, None
    if kind == "course_grade":
        return (course.grade.percent if course.grade else None), here, None
    if kind == "subsection_grade":
        return course.subsections.get(arguments["block"]), here, None
    if kind == "exam":
        fact = facts.exams.get(arguments["code"])
        if fact is None:
            return None, (), None
        return fact.percent, (fact.reference,) if fact.reference else (), fact.due
    if kind != "certificate":
        # Of a newer release, whose workers stand beside this one or have gone: the request stays due for
        # them. To take it for not met, or met, would be a decision.
        raise UnknownCriterion(kind)
    certificate = course.certificate
    if certificate is not None and certificate.status == "downloadable" and not certificate.invalidated:
        return Decimal(100), (f"certificate:{certificate.uuid}",), None
    return None, (), None


def _measure(kind: str, arguments: Mapping[str, Any], facts: Facts, have: Decimal | None) -> Measure:
    """Return the measure of a single criterion."""
    need = Decimal(str(arguments["minimum"])) if "minimum" in arguments else None
    met = have is not None and (need is None or have >= need)
    key = arguments.get("code") or arguments.get("block") or facts.course_key
    details: dict[str, Any] = {}
    if kind == "course_grade" and "passed" in arguments:
        met = facts.course.grade is not None and facts.course.grade.passed
        details = {"passed": met}
    if kind == "completion" and facts.course.completion is not None:
        details = {"completed": facts.course.completion.completed, "total": facts.course.completion.total}
    if kind == "exam":
        fact = facts.exams.get(arguments["code"])
        shown = ("attempts", "sat_on", "resit_from")
        details = {name: fact.details[name] for name in shown if name in fact.details} if fact else {}
    return Measure(kind, key, met, have, need, details=details)


def implies_passing_grade(rule: Rule) -> bool:
    """Say whether a rule cannot be met without the platform's passing grade (``course_grade: {passed}``)."""
    ((kind, value),) = rule.items()
    if kind == "all":
        return any(implies_passing_grade(child) for child in value)
    if kind == "any":
        return all(implies_passing_grade(child) for child in value)
    return kind == "course_grade" and "passed" in value
