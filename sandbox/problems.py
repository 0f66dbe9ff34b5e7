"""How the platform tells its completion app that a problem was scored.

The completion app names the platform's signal by the platform's own module path. The stand-in puts the
signal there, and nothing else: ``import lms`` still fails, so nobody takes the sandbox for a platform.
"""

from __future__ import annotations

import sys
from types import ModuleType

from django.dispatch import Signal
from xblock.completable import XBlockCompletionMode
from xblock.core import XBlock

PROBLEM_WEIGHTED_SCORE_CHANGED = Signal()

_SIGNALS_MODULE = "lms.djangoapps.grades.signals.signals"


class Problem(XBlock):
    """A scored problem: completed when it is scored."""

    completion_mode = XBlockCompletionMode.COMPLETABLE
    has_score = True


class _ProblemEntryPoint:
    """The entry point by which XBlocks of type ``problem`` are found."""

    name = "problem"
    group = XBlock.entry_point

    @staticmethod
    def load():
        return Problem


def install() -> None:
    """Make the signal and the block type known in this process; again is harmless."""
    if _SIGNALS_MODULE not in sys.modules:
        module = ModuleType(_SIGNALS_MODULE)
        module.PROBLEM_WEIGHTED_SCORE_CHANGED = PROBLEM_WEIGHTED_SCORE_CHANGED
        sys.modules[_SIGNALS_MODULE] = module
        XBlock.extra_entry_points.append(("problem", _ProblemEntryPoint))
