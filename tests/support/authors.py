"""The authoring port in memory: who are authors of what, and where this process lets them edit."""

from __future__ import annotations


class Authors:
    """Authors by course or library; ``studio`` says whether this process is Studio."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.of: set[tuple[int, str]] = set()
        self.studio = True

    def add(self, user_id: int, context_key: str) -> None:
        self.of.add((user_id, context_key))

    def may_edit(self, user_id: int, context_key: str) -> bool:
        return self.studio and (user_id, context_key) in self.of

    def may_see(self, user_id: int, context_key: str) -> bool:
        return (user_id, context_key) in self.of


the_authors = Authors()
