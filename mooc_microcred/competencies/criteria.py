"""Judging evidence of a competency by its criteria: pure, so that every reader agrees.

The grammar of a rule (openedx-core's criteria groups):

    {"all": [rule, ...]}    every one is met
    {"any": [rule, ...]}    at least one is met
    {"mean":   {"threshold": 70, "pieces": 1, "miller": "knows_how"}}
        the weighted mean of the pieces of evidence reaches the threshold, of at least so many pieces
    {"pieces": {"threshold": 60, "count": 2, "miller": "shows_how"}}
        so many single pieces reach the threshold, each by itself

``threshold`` is in percent 0-100. ``miller`` is the lowest of Miller's stages whose evidence counts;
without it all evidence counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.competencies.data import DEMONSTRATED, MILLER_STAGES, EvidenceData
from mooc_microcred.core.errors import Problem

Rule = Mapping[str, Any]
PARTIALLY_ATTEMPTED, ATTEMPTED = "PartiallyAttempted", "AttemptedNotDemonstrated"

MAX_DEPTH = 6
MAX_RULES = 100
MAX_PIECES = 1000
_LEAVES = {"mean": {"threshold", "pieces", "miller"}, "pieces": {"threshold", "count", "miller"}}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What criteria say of some evidence.

    Attributes:
        status: None where nothing was attempted.
        pieces: pieces of evidence there are. percent: their weighted mean, 0-100.
        need: the highest threshold that the criteria name.
    """

    status: str | None
    pieces: int
    percent: Decimal | None
    need: Decimal | None


def judge(rule: Rule, evidence: Sequence[EvidenceData]) -> Judgement:
    """Judge evidence.

    ``Demonstrated`` where the rule is met; ``AttemptedNotDemonstrated`` where there is enough evidence to
    say that it is not; ``PartiallyAttempted`` where some of what the rule asks for was not attempted.
    """
    thresholds = [Decimal(str(value["threshold"])) for _kind, value in leaves(rule)]
    met, judged = _judge(rule, evidence)
    status = None
    if met:
        status = DEMONSTRATED
    elif evidence:
        status = ATTEMPTED if judged else PARTIALLY_ATTEMPTED
    mean = _mean(evidence)
    return Judgement(
        status=status,
        pieces=len(evidence),
        percent=None if mean is None else mean.quantize(Decimal("0.01"), ROUND_HALF_UP),
        need=max(thresholds, default=None),
    )


def _judge(rule: Rule, evidence: Sequence[EvidenceData]) -> tuple[bool, bool]:
    """Return whether a rule is met, and whether there is enough evidence to say so either way."""
    ((kind, value),) = rule.items()
    if kind in ("all", "any"):
        parts = [_judge(one, evidence) for one in value]
        met = [one for one, _judged in parts]
        return (all(met) if kind == "all" else any(met)), all(judged for _met, judged in parts)
    counted = _counted(evidence, value.get("miller", ""))
    threshold = Decimal(str(value["threshold"]))
    if kind == "mean":
        enough = len(counted) >= value.get("pieces", 1)
        mean = _mean(counted)
        # Compared with the exact mean; rounding is for display.
        return enough and mean is not None and mean >= threshold, enough
    count = value.get("count", 1)
    return sum(one.percent >= threshold for one in counted) >= count, len(counted) >= count


def _counted(evidence: Sequence[EvidenceData], lowest: str) -> list[EvidenceData]:
    if not lowest:
        return list(evidence)
    at_least = MILLER_STAGES[MILLER_STAGES.index(lowest) :]
    return [one for one in evidence if one.miller in at_least]


def _mean(evidence: Sequence[EvidenceData]) -> Decimal | None:
    weight = sum((one.weight for one in evidence), Decimal(0))
    if not weight:
        return None
    return sum((one.percent * one.weight for one in evidence), Decimal(0)) / weight


def leaves(rule: Rule) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (kind, arguments) of every criterion of a rule."""
    ((kind, value),) = rule.items()
    if kind in ("all", "any"):
        for child in value:
            yield from leaves(child)
    else:
        yield kind, value


def check_rule(rule: Any, where: str = "rule") -> list[Problem]:
    """Return what is wrong with a rule; an empty list means that it can be judged by.

    Args:
        rule: any value is safe to pass. where: how findings name its place.
    """
    problems: list[Problem] = []
    todo: list[tuple[Any, str, int]] = [(rule, where, 1)]
    seen = 0
    while todo:
        one, here, depth = todo.pop()
        seen += 1
        if seen > MAX_RULES or depth > MAX_DEPTH:
            return [Problem(where, _("The rule has too many parts or is nested too deeply."))]
        if not isinstance(one, Mapping) or len(one) != 1:
            problems.append(Problem(here, _("A criterion is one of: all, any, mean, pieces.")))
            continue
        ((kind, value),) = one.items()
        if kind in ("all", "any"):
            if not isinstance(value, list) or not value:
                problems.append(Problem(f"{here}.{kind}", _("A group needs at least one criterion.")))
            else:
                todo += [(child, f"{here}.{kind}[{index}]", depth + 1) for index, child in enumerate(value)]
        elif kind in _LEAVES:
            problems += _check_leaf(kind, value, f"{here}.{kind}")
        else:
            problems.append(
                Problem(here, _("A criterion is one of: all, any, mean, pieces."), str(kind)[:100])
            )
    return problems


def _check_leaf(kind: str, value: Any, here: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping) or "threshold" not in value:
        yield Problem(here, _("Say which threshold must be reached, in percent."))
        return
    for name in sorted(set(map(str, value)) - _LEAVES[kind]):
        yield Problem(f"{here}.{name}", _("There is no such field."))
    threshold = _number(value["threshold"])
    if threshold is None or not 0 <= threshold <= 100:
        yield Problem(
            f"{here}.threshold", _("A threshold is a number from 0 to 100."), str(value["threshold"])[:100]
        )
    name = "pieces" if kind == "mean" else "count"
    count = value.get(name, 1)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MAX_PIECES:
        yield Problem(
            f"{here}.{name}", _("The number of pieces is a whole number from 1 to 1000."), str(count)[:100]
        )
    stage = value.get("miller", "knows")
    if stage not in MILLER_STAGES:
        yield Problem(
            f"{here}.miller",
            _("A stage is one of: %(stages)s.") % {"stages": ", ".join(MILLER_STAGES)},
            str(stage)[:100],
        )


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
