"""What crosses the border of the competencies room: frozen, no model instances.

A competency is named everywhere by two identifiers, its framework's and its own (UUIDs as CASE
gives them), never by a primary key: courses carry them from platform to platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from mooc_microcred.core.texts import Text

__all__ = [
    "AssociationData",
    "CompetencyData",
    "CompetencyPage",
    "CoverageCell",
    "CoverageData",
    "CoverageGap",
    "CoverageUnit",
    "CriteriaData",
    "EvidenceData",
    "FrameworkData",
    "ImportChange",
    "ImportPreviewData",
    "Key",
    "MasteryData",
    "SyncReport",
    "TagData",
    "Text",
]

#: Identifiers of the framework and of the item.
Key = tuple[str, str]

#: Outcome domains of the higher education standard of B.E. 2565 (Gazette vol. 139, special part 212 ง).
DOMAINS = ("knowledge", "skills", "ethics", "character")
#: Miller's stages, the lowest first.
MILLER_STAGES = ("knows", "knows_how", "shows_how", "does")
#: What content does with a competency.
RELATIONS = ("teaches", "practises", "assesses")
#: Mastery, the lowest first; openedx-core's words. No row means: nothing attempted.
STATUSES = ("PartiallyAttempted", "AttemptedNotDemonstrated", "Demonstrated")
DEMONSTRATED = STATUSES[-1]


@dataclass(frozen=True, slots=True)
class FrameworkData:
    """A framework of competencies (a CFDocument of CASE).

    Attributes:
        state: ``draft``, ``published`` or ``retired``.
        revision: changes with every change of the framework.
        items: how many competencies it has that are not retired.
        taxonomy: export id of the platform's taxonomy that it is published as; empty if it is not.
    """

    framework: str
    title: Text
    organization: str
    creator: str
    state: str
    revision: str
    version: str = ""
    language: str = "th"
    items: int = 0
    changed: datetime | None = None
    taxonomy: str = ""


@dataclass(frozen=True, slots=True)
class CompetencyData:
    """A competency (a CFItem of CASE).

    Attributes:
        framework, item: identifiers. code: what people call it, such as ``EN-1.2``.
        domain: ``knowledge``, ``skills``, ``ethics``, ``character`` or empty.
        miller: ``knows``, ``knows_how``, ``shows_how``, ``does`` or empty.
        nqf: level 1-8 of the qualifications framework, or None.
        successor: what replaces a retired one, where it is known.
        parent: identifier of the item above, empty at the top. depth: 0 at the top.
        children: how many items are directly below.
        borrowed: the platform has it and we do not: no CASE address of ours leads to it.
    """

    framework: str
    item: str
    code: str
    statement: Text
    domain: str = ""
    miller: str = ""
    nqf: int | None = None
    retired: bool = False
    successor: Key | None = None
    parent: str = ""
    depth: int = 0
    children: int = 0
    framework_title: Text = field(default_factory=Text)
    borrowed: bool = False

    @property
    def key(self) -> Key:
        """Return framework and item identifiers."""
        return self.framework, self.item


@dataclass(frozen=True, slots=True)
class CompetencyPage:
    """Some competencies in order; ``after`` asks for the next ones, empty when there are none."""

    items: Sequence[CompetencyData]
    after: str = ""


@dataclass(frozen=True, slots=True)
class AssociationData:
    """A CFAssociation: what an item is to another, here or elsewhere."""

    identifier: str
    kind: str
    origin: str
    origin_uri: str
    destination: str
    destination_uri: str


@dataclass(frozen=True, slots=True)
class ImportChange:
    """One item that an import would change.

    Attributes:
        what: ``new``, ``changed``, ``moved``, ``retired`` or ``returned``.
        fields: names of the fields that change. used: how many tags, masteries and definitions use it.
        successor: of a retired one.
    """

    what: str
    item: str
    code: str
    statement: Text
    fields: Sequence[str] = ()
    used: int = 0
    successor: Key | None = None


@dataclass(frozen=True, slots=True)
class ImportPreviewData:
    """What an import would do; ``token`` commits exactly this.

    Attributes:
        changes: the items that would change, in the order of the file, the retired ones last.
        unchanged: how many items stay as they are.
        blocked: why it cannot be committed as it is; empty if it can.
    """

    token: str
    framework: str
    title: Text
    organization: str
    is_new: bool
    changes: Sequence[ImportChange]
    unchanged: int
    associations: Mapping[str, int]
    document_fields: Sequence[str] = ()
    blocked: str = ""
    ignored: Sequence[str] = ()

    @property
    def changes_anything(self) -> bool:
        """Say whether a commit would change anything."""
        return bool(self.is_new or self.changes or any(self.associations.values()) or self.document_fields)

    def count(self, what: str) -> int:
        """Return how many items change in that way."""
        return sum(one.what == what for one in self.changes)


@dataclass(frozen=True, slots=True)
class CriteriaData:
    """A version of the criteria by which a competency (or every one of a framework) is judged.

    Attributes:
        item: empty where it holds for every item of the framework without criteria of its own.
        rule: see ``criteria.py``. number: 0 for the setting that holds where there is none.
    """

    framework: str
    item: str
    number: int
    rule: Mapping[str, Any]
    version_id: int | None = None
    activated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TagData:
    """That content teaches, practises or assesses a competency.

    Attributes:
        source: who owns it: ``olx`` (the block ``microcred_competency``) or ``taxonomy`` (the tag drawer).
        said_by: usage key of the block that says so, or of the block that is tagged.
        usage_key: what it covers: a unit, a subsection or a block.
        weight: of this evidence among others for the same competency.
        competency: None where the identifiers are not known here; they are kept all the same.
    """

    course_key: str
    source: str
    said_by: str
    usage_key: str
    relation: str
    framework: str
    item: str
    weight: Decimal
    competency: CompetencyData | None = None

    @property
    def key(self) -> Key:
        """Return framework and item identifiers."""
        return self.framework, self.item


@dataclass(frozen=True, slots=True)
class EvidenceData:
    """A scored piece of content that a learner has done, as evidence of a competency.

    Attributes:
        percent: 0-100. miller: the stage at which this kind of content shows it.
    """

    course_key: str
    usage_key: str
    percent: Decimal
    weight: Decimal
    miller: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MasteryData:
    """How far a learner is with a competency.

    Attributes:
        status: ``PartiallyAttempted``, ``AttemptedNotDemonstrated`` or ``Demonstrated``.
        since: when the status rose to this. criteria: number of the version that judged it last.
        pieces: scored pieces that were counted, of ``available`` that assess it where the learner is.
        percent: weighted mean of the pieces, 0-100; None without any.
        need: the threshold asked for, 0-100, where the criteria name one.
    """

    framework: str
    item: str
    status: str
    since: datetime
    demonstrated_at: datetime | None = None
    criteria: int = 0
    pieces: int = 0
    available: int = 0
    percent: Decimal | None = None
    need: Decimal | None = None
    evidence: Sequence[EvidenceData] = ()

    @property
    def demonstrated(self) -> bool:
        """Say whether the competency is demonstrated."""
        return self.status == DEMONSTRATED


@dataclass(frozen=True, slots=True)
class CoverageUnit:
    """A unit of a course, in its order. ``scored``: how many scored blocks it holds."""

    usage_key: str
    name: str
    subsection: str
    subsection_name: str
    section_name: str
    position: int
    scored: int
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class CoverageCell:
    """What a unit does with a competency: weights by relation, and scored blocks behind it."""

    usage_key: str
    key: Key
    weights: Mapping[str, Decimal]
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """Something that the map lacks.

    Attributes:
        kind: ``assessed_nowhere`` (taught or practised), ``assessed_before_taught``,
            ``never_taught`` (assessed), ``nothing_scored`` (assessed where nothing is scored),
            ``unknown`` (the identifiers are not known here), ``retired``.
        usage_keys: the units that it is about.
    """

    kind: str
    key: Key
    usage_keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CoverageData:
    """A course's units against competencies.

    Attributes:
        synced_at: when the published course was read; None if it never was.
        pending: whether a newer state is waiting to be read.
    """

    course_key: str
    units: Sequence[CoverageUnit]
    competencies: Sequence[CompetencyData]
    cells: Sequence[CoverageCell]
    gaps: Sequence[CoverageGap]
    synced_at: datetime | None = None
    pending: bool = False


@dataclass(slots=True)
class SyncReport:
    """What one run of the synchronisation did.

    Attributes:
        courses: courses read and written. deleted: courses that are gone.
        added, changed, removed: tags. stale: courses that will be read again, since what was read was
            older than what was published. failed: courses that could not be read.
    """

    courses: int = 0
    deleted: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    stale: int = 0
    failed: int = 0

    @property
    def claimed(self) -> int:
        """Return how many courses were taken."""
        return self.courses + self.deleted + self.stale + self.failed
