"""A programme as five stages: Level 1, exam, Level 2, programme, credit, and where the learner stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import AchievementProgress, Definition
from mooc_microcred.dashboard.data import Ladder, Stage, Step

# Where the stage of a step is not that of what it leads to.
_OF_ACTIONS = {"take_exam": "exam", "resit_exam": "exam", "enrol": "level1"}
# A programme within a programme, within another one; a catalogue has no cycles, but says so elsewhere.
_DEPTH = 10


def components_of(catalogue: achievements.Catalogue, code: str) -> dict[str, Definition]:
    """Return the Level 1 and Level 2 achievements that a programme asks for, also by its inner programmes."""
    found: dict[str, Definition] = {}
    _gather(catalogue, code, found, _DEPTH)
    return found


def _gather(catalogue: achievements.Catalogue, code: str, found: dict[str, Definition], depth: int) -> None:
    definition = catalogue.newest(code)
    if definition is None or code in found:
        return
    if definition.tree is None:
        found[code] = definition
    elif depth:
        for leaf in achievements.leaves_of(definition.tree):
            _gather(catalogue, leaf["achievement"], found, depth - 1)


def stages_of(
    catalogue: achievements.Catalogue, progress: Mapping[str, AchievementProgress], ladder: Ladder
) -> tuple[Stage, ...]:
    """Return the stages of a programme up to itself; no query.

    A stage that the programme does not have, such as an exam, is left out.
    """
    parts = components_of(catalogue, ladder.code)
    level2 = {code for code, one in parts.items() if one.kind == "level2"}
    level1 = {code for code, one in parts.items() if one.kind == "level1"}
    below = {code: one.level1 for code, one in parts.items() if one.level1}
    exams = {(code, exam.code) for code, one in parts.items() for exam in one.exams}

    held = {code for code in {*parts, *below.values()} if _earned(progress, code)}
    # Who has the Level 2 has done what stands below it, whatever became of that.
    held |= {one for code, one in below.items() if code in held}
    passed = {(code, exam) for code, exam in exams if code in held or _passed(progress.get(code), exam)}
    whole = _needs_everything(catalogue, ladder.code, _DEPTH)

    def stage(kind: str, done: Collection[Any], wanted: Collection[Any]) -> Iterator[Stage]:
        if wanted:
            yield Stage(kind, "open", Decimal(len(done)), Decimal(len(wanted)) if whole else None)

    level1 |= set(below.values())
    stages = [
        *stage("level1", level1 & held, level1),
        *stage("exam", passed, exams),
        *stage("level2", level2 & held, level2),
        Stage("programme", "open", ladder.have, ladder.need),
    ]
    return _placed(stages, ladder.earned, ladder.step)


def with_credit(catalogue: achievements.Catalogue, ladder: Ladder, in_bank: Mapping[str, Decimal]) -> Ladder:
    """Return the ladder with the stage of the credit bank; without one where nothing carries credit.

    A programme may carry credit itself, or leave that to its parts.

    Args:
        in_bank: credits that banks hold, by achievement.
    """
    parts = components_of(catalogue, ladder.code)
    of_parts = sum((one.credits for one in parts.values()), Decimal(0))
    if not (ladder.worth.credits or of_parts):
        return ladder
    have = sum((in_bank.get(code, Decimal(0)) for code in (ladder.code, *parts)), Decimal(0))
    need: Decimal | None = ladder.worth.credits
    if not need:
        need = of_parts if _needs_everything(catalogue, ladder.code, _DEPTH) else None
    state = "open"
    if ladder.earned:
        state = "done" if have >= (need or Decimal("0.01")) else "now"
    stage = Stage("credit", state, have if need is None else min(have, need), need)
    return replace(ladder, stages=(*ladder.stages, stage))


def _earned(progress: Mapping[str, AchievementProgress], code: str) -> bool:
    found = progress.get(code)
    return found is not None and found.award is not None and found.award.state == "active"


def _passed(progress: AchievementProgress | None, exam: str) -> bool:
    measures = progress.measures if progress else ()
    return any(one.kind == "exam" and one.key == exam and one.met for one in measures)


def _needs_everything(catalogue: achievements.Catalogue, code: str, depth: int) -> bool:
    """Say whether a programme leaves no choice, so that its parts can be counted down."""
    definition = catalogue.newest(code)
    if definition is None or definition.tree is None:
        return True
    return (
        depth > 0
        and _whole(definition.tree)
        and all(
            _needs_everything(catalogue, leaf["achievement"], depth - 1)
            for leaf in achievements.leaves_of(definition.tree)
        )
    )


def _whole(tree: Mapping[str, Any]) -> bool:
    if "achievement" in tree:
        return True
    return "all" in tree and all(_whole(node) for node in tree["all"])


def _placed(stages: list[Stage], earned: bool, step: Step | None) -> tuple[Stage, ...]:
    """Say of each stage whether it is done, and mark the one where the learner stands."""
    if earned:
        return tuple(replace(one, state="done") for one in stages)
    # The programme itself is done when it is awarded, not when its parts are.
    stages = [
        replace(one, state="done")
        if one.kind != "programme" and one.need is not None and one.have >= one.need
        else one
        for one in stages
    ]
    wanted = _OF_ACTIONS.get(step.action, step.kind) if step else ""
    here = next((one for one in stages if one.kind == wanted and one.state != "done"), None)
    here = here or next((one for one in stages if one.state != "done"), None)
    return tuple(replace(one, state="now") if one is here else one for one in stages)
