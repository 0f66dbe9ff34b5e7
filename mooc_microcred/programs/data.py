"""What crosses the border of the programs room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mooc_microcred.achievements.data import AchievementProgress, AwardData, Text
from mooc_microcred.programs.trees import TreeState


@dataclass(frozen=True, slots=True)
class NextStep:
    """The one thing to do next.

    Attributes:
        action: ``study``, ``raise_grade``, ``pass_subsection``, ``take_exam``, ``resit_exam``,
            ``show_competency``, ``wait_for_certificate``, ``enrol`` or ``done``.
        text: the sentence for the learner, in the active language.
        achievement, course_key, exam: what it is about, where it is about one.
        details: numbers behind the sentence, such as ``completed`` and ``total`` units.
    """

    action: str
    text: str
    achievement: str = ""
    course_key: str = ""
    exam: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProgrammeProgress:
    """A programme with how far a learner is in it, down to each component."""

    code: str
    organization: str
    name: Text
    version_id: int
    tree: TreeState
    components: Mapping[str, AchievementProgress]
    next_step: NextStep
    award: AwardData | None = None
