"""The verbs of the programs room; the only thing that other rooms call."""

from mooc_microcred.programs.evidence import ProgrammeEvidence
from mooc_microcred.programs.progress import list_programmes_with_progress, next_step_of, programmes_in
from mooc_microcred.programs.trees import judge_tree

__all__ = [
    "ProgrammeEvidence",
    "judge_tree",
    "list_programmes_with_progress",
    "next_step_of",
    "programmes_in",
]
