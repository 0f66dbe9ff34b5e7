"""Programmes as evidence: whether a tree is met by what a learner holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mooc_microcred.achievements.data import ProgrammeContext
from mooc_microcred.core.evidence import Fact
from mooc_microcred.programs.trees import judge_tree


class ProgrammeEvidence:
    """Judges trees in memory: the holdings come with the question, so that awards just decided count."""

    name = "programme"

    def read(
        self, learner_ids: Collection[int], contexts: Collection[ProgrammeContext]
    ) -> Mapping[tuple[int, str], Fact]:
        """Return a fact for every learner and tree, with the awards that it stands on in ``details``."""
        facts = {}
        for context in contexts:
            for learner in learner_ids:
                state = judge_tree(context.tree, context.holdings.get(learner, {}))
                facts[learner, context.code] = Fact(
                    reference=f"programme:{context.code}",
                    met=state.met,
                    details={
                        "stands_on": list(state.stands_on),
                        "have": str(state.have),
                        "need": str(state.need),
                        "kind": state.kind,
                    },
                )
        return facts
