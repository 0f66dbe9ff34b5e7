"""The evidence port: how a lower room asks upper rooms for facts about learners."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact about a learner.

    Attributes:
        percent: a result 0-100, where the fact has one.
        met: a yes or no, where the fact is one (a programme's tree).
        reference: where the fact is stored, such as ``exam_result:812``; goes into the evidence snapshot.
        at: when it came to be, UTC.
        details: what a reader is shown, JSON-serialisable, no personal data.
        due: when the fact may change by time alone (end of a re-sit gap), UTC.
    """

    reference: str
    percent: Any = None
    met: bool | None = None
    at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    due: datetime | None = None


class EvidenceSource(Protocol):
    """A room that holds evidence. ``name`` is the key under which evaluation asks for it."""

    name: str

    def read(self, learner_ids: Collection[int], contexts: Collection[Any]) -> Mapping[tuple[int, str], Fact]:
        """Return the facts there are, by (learner, code of the context).

        Contexts are what the room can be asked about: the codes of exams, or the trees of
        programmes. One call costs a constant number of queries.
        """


_sources: dict[str, EvidenceSource] = {}


def register_evidence_source(source: EvidenceSource) -> None:
    """Make a source known; called from AppConfig.ready, again is harmless."""
    _sources[source.name] = source


def get_evidence_source(name: str) -> EvidenceSource | None:
    """Return the source of that name, or None where its room is not installed."""
    return _sources.get(name)
