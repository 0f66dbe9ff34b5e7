"""The block ``microcred_competency``: what a unit teaches, practises or assesses."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from web_fragments.fragment import Fragment
from xblock.core import XBlock
from xblock.exceptions import JsonHandlerError
from xblock.fields import List, Scope, String
from xblock.validation import Validation, ValidationMessage

from mooc_microcred.competencies import api as competencies
from mooc_microcred.competencies.data import CompetencyData, Key, MasteryData
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred_xblocks.base import MicrocredBlock, log
from mooc_microcred_xblocks.messages import gettext_noop as _

RELATIONS = ("teaches", "practises", "assesses")
COVERS = ("unit", "subsection")
MAX_COMPETENCIES = 200
MAX_WEIGHT = 1000
_IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

RELATION_LABELS = {"teaches": _("Teaches"), "practises": _("Practises"), "assesses": _("Assesses")}
RELATION_HINTS = {
    "teaches": _("Learners meet it here for the first time, or more deeply."),
    "practises": _("Learners try it here, without it counting as evidence."),
    "assesses": _("Scored problems here are evidence that a learner masters it."),
}
COVERS_LABELS = {"unit": _("This unit"), "subsection": _("This whole subsection")}
HEADINGS = {
    "teaches": _("What you will be able to do"),
    "practises": _("What you practise here"),
    "assesses": _("What you show here"),
}
DOMAINS = {
    "knowledge": _("Knowledge"),
    "skills": _("Skills"),
    "ethics": _("Ethics"),
    "character": _("Character"),
}
# By status; no row means that nothing was attempted.
STANDINGS = {
    "": ("open", _("Not begun")),
    "PartiallyAttempted": ("begun", _("Begun")),
    "AttemptedNotDemonstrated": ("begun", _("Not shown yet")),
    "Demonstrated": ("done", _("Shown")),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One competency of the block, as views show it.

    Attributes:
        known: whether this platform knows the identifiers.
        weight: as authors write it. standing: ``open``, ``begun`` or ``done``; empty where nobody is shown.
    """

    framework: str
    item: str
    known: bool
    code: str = ""
    statement: str = ""
    framework_title: str = ""
    domain: str = ""
    retired: bool = False
    successor: str = ""
    weight: str = "1"
    standing: str = ""
    standing_text: str = ""
    details: str = ""


class CompetencyBlock(MicrocredBlock):
    """Says what content teaches, practises or assesses, and shows learners how far they are."""

    on_one_line = ("competencies",)

    display_name = String(
        display_name=_("Title"),
        help=_("Shown to learners above the list."),
        default=_("Competencies"),
        scope=Scope.settings,
    )
    competencies = List(
        display_name=_("Competencies"),
        help=_("Each with the identifiers of its framework and of itself, and a weight."),
        default=[],
        scope=Scope.settings,
    )
    relation = String(
        display_name=_("What the content does"),
        help=_("Whether it teaches, practises or assesses the competencies."),
        values=list(RELATIONS),
        default="teaches",
        scope=Scope.settings,
    )
    covers = String(
        display_name=_("What it is about"),
        help=_("Whether it speaks for its unit or for the whole subsection."),
        values=list(COVERS),
        default="unit",
        scope=Scope.settings,
    )

    # --- views ---

    @XBlock.supports("multi_device")
    def student_view(self, context=None) -> Fragment:
        """Show learners what they will be able to do, and how far they are."""
        nobody = self.in_studio or self.in_library
        return self._learner_page(self.rows(learner_id=None if nobody else self.reader_id()))

    @XBlock.supports("multi_device")
    def public_view(self, context=None) -> Fragment:
        """Show visitors what the content is about."""
        return self._learner_page(self.rows())

    def _learner_page(self, rows: list[Row]) -> Fragment:
        standings = [row for row in rows if row.standing]
        return self.page(
            "competency_student.html",
            title=self._title(),
            lead=self.say(HEADINGS.get(self.relation, HEADINGS["teaches"])),
            # A learner can do nothing about what an import did not bring.
            rows=[row for row in rows if row.known],
            shown=sum(row.standing == "done" for row in standings),
            total=len(standings),
            library=self.in_library,
        )

    def author_view(self, context=None) -> Fragment:
        """Show authors what is set, with what is wrong about it."""
        return self.page(
            "competency_author.html",
            title=self._title(),
            rows=self.rows(),
            relation=self.say(RELATION_LABELS.get(self.relation, self.relation)),
            covers=self.say(COVERS_LABELS.get(self.covers, self.covers)),
            warnings=list(self._warnings()),
            library=self.in_library,
        )

    def studio_view(self, context=None) -> Fragment:
        """Let authors pick from a searchable tree."""
        rows = self.rows()
        settings = {
            "context": self.context_id,
            "searchUrl": self.address("mooc_microcred:authoring-competencies"),
            "frameworksUrl": self.address("mooc_microcred:authoring-frameworks"),
            "maximum": MAX_COMPETENCIES,
            "chosen": [asdict(row) for row in rows],
        }
        return self.editor(
            "competency_studio.html",
            "MicrocredCompetencyEditor",
            settings,
            relations=[
                (one, self.say(RELATION_LABELS[one]), self.say(RELATION_HINTS[one]), one == self.relation)
                for one in RELATIONS
            ],
            covers=[(one, self.say(COVERS_LABELS[one]), one == self.covers) for one in COVERS],
        )

    def student_view_data(self, context=None) -> dict[str, Any]:
        """Return what the mobile apps show; nothing of a learner, since they keep it for everybody."""
        known = competencies.get_competencies(keys=set(self.keys()))
        return {
            "relation": self.relation,
            "covers": self.covers,
            "competencies": [
                {
                    "framework": key[0],
                    "item": key[1],
                    "known": key in known,
                    "code": known[key].code if key in known else "",
                    "statement": {"th": known[key].statement.th, "en": known[key].statement.en}
                    if key in known
                    else {},
                    "weight": float(weight),
                }
                for key, weight in self.weighted().items()
            ],
        }

    # --- what is set ---

    def weighted(self) -> dict[Key, float]:
        """Return the weights by identifiers, in the author's order; entries that say nothing are left out."""
        found: dict[Key, float] = {}
        for one in self.competencies or ():
            if isinstance(one, Mapping) and one.get("framework") and one.get("item"):
                key = str(one["framework"]).lower(), str(one["item"]).lower()
                found.setdefault(key, _weight(one.get("weight", 1)) or 1.0)
        return found

    def keys(self) -> list[Key]:
        """Return framework and item identifiers in the author's order."""
        return list(self.weighted())

    def rows(self, *, learner_id: int | None = None) -> list[Row]:
        """Return the competencies as views show them, known here or not.

        Args:
            learner_id: whose standing is shown with them; None shows none.
        """
        weighted = self.weighted()
        known = competencies.get_competencies(keys=set(weighted))
        successors = competencies.get_competencies(
            keys={one.successor for one in known.values() if one.successor}
        )
        mastery = self._mastery(learner_id, list(known)) if learner_id else None
        rows = []
        for key, weight in weighted.items():
            competency = known.get(key)
            if competency is None:
                rows.append(Row(*key, known=False, weight=f"{weight:g}"))
                continue
            rows.append(
                Row(
                    *key,
                    known=True,
                    weight=f"{weight:g}",
                    successor=self._name(successors.get(competency.successor))
                    if competency.successor
                    else "",
                    **self._words(competency),
                    **(self._standing(mastery.get(key)) if mastery is not None else {}),
                )
            )
        return rows

    def _words(self, competency: CompetencyData) -> dict[str, Any]:
        return {
            "code": competency.code,
            "statement": competency.statement.in_language(self.language),
            "framework_title": competency.framework_title.in_language(self.language),
            "domain": self.say(DOMAINS[competency.domain]) if competency.domain in DOMAINS else "",
            "retired": competency.retired,
        }

    def _name(self, competency: CompetencyData | None) -> str:
        if competency is None:
            return ""
        return f"{competency.code} {competency.statement.in_language(self.language)}".strip()

    @staticmethod
    def _mastery(learner_id: int, keys: list[Key]) -> Mapping[Key, MasteryData] | None:
        try:
            return competencies.mastery_of_learner(learner_id=learner_id, keys=keys)
        except PlatformUnavailable:
            # The list is worth showing without it.
            log.warning("mastery could not be read now")
            return None

    def _standing(self, mastery: MasteryData | None) -> dict[str, str]:
        standing, text = STANDINGS[mastery.status if mastery else ""]
        details = ""
        if mastery and not mastery.demonstrated and mastery.percent is not None:
            if mastery.need is not None:
                details = self.say(
                    _("%(have)s of %(need)s percent"), have=f"{mastery.percent:g}", need=f"{mastery.need:g}"
                )
            if mastery.available:
                done = self.say(
                    _("%(done)s of %(all)s assessments"), done=mastery.pieces, all=mastery.available
                )
                details = f"{details}, {done}" if details else done
        return {"standing": standing, "standing_text": self.say(text), "details": details}

    def _title(self) -> str:
        return self.say(self.display_name) if self.display_name else self.say(_("Competencies"))

    # --- what is wrong ---

    def _warnings(self) -> Iterator[str]:
        rows = self.rows()
        if not rows:
            yield self.say(_("No competency is picked yet. Choose Edit to pick some."))
        unreadable = len(self.competencies or ()) - len(rows)
        if unreadable > 0 or "competencies" in self.olx_extras:
            yield self.say(
                _("Some entries cannot be read: repeated or without identifiers. They are kept as they are.")
            )
        for row in rows:
            if not row.known:
                yield self.say(
                    _("This platform does not know competency %(item)s. It is kept; import its framework."),
                    item=row.item,
                )
            elif row.retired and row.successor:
                yield self.say(
                    _("%(name)s is retired; %(successor)s replaces it."),
                    name=row.code or row.statement,
                    successor=row.successor,
                )
            elif row.retired:
                yield self.say(_("%(name)s is retired."), name=row.code or row.statement)
        if self.relation == "assesses" and self._scores_nothing():
            yield self.say(
                _("Nothing scored here: an assessing unit needs at least one scored problem for evidence.")
            )

    def _scores_nothing(self) -> bool:
        """Say whether what the block speaks for is known to have no scored block."""
        place = self.get_parent() if getattr(self, "parent", None) else None
        if place is not None and self.covers == "subsection":
            place = place.get_parent() if getattr(place, "parent", None) else None
        return place is not None and not _has_scored(place)

    def validate(self) -> Validation:
        """Return what Studio shows above the block; only what an author should mend."""
        validation = Validation(self.scope_ids.usage_id)
        for warning in self._warnings():
            validation.add(ValidationMessage(ValidationMessage.WARNING, warning))
        return validation

    # --- saving ---

    @XBlock.json_handler
    def submit_studio_edits(self, data, suffix=""):
        """Save what an author has set; in Studio only, and only for authors.

        Args:
            data: ``display_name``, ``relation``, ``covers`` and ``competencies``, a list of objects with
                ``framework``, ``item`` and ``weight``.
        """
        self.require_author()
        if not isinstance(data, Mapping):
            raise self._wrong(_("The form could not be read."))
        relation, covers, name = data.get("relation"), data.get("covers"), data.get("display_name")
        if relation not in RELATIONS:
            raise self._wrong(_("Say whether the content teaches, practises or assesses."))
        if covers not in COVERS:
            raise self._wrong(_("Say whether it is about the unit or the subsection."))
        if not isinstance(name, str) or len(name) > 255:
            raise self._wrong(_("The title has at most 255 characters."))
        picked = self._picked(data.get("competencies"))
        self.display_name = name.strip() or type(self).display_name.default
        self.relation = relation
        self.covers = covers
        self.competencies = picked
        return {"result": "success"}

    def _picked(self, given: Any) -> list[dict[str, Any]]:
        """Return the field's new value: checked, and with what each entry had beyond what we know."""
        if not isinstance(given, list) or len(given) > MAX_COMPETENCIES:
            raise self._wrong(_("Pick at most %(number)s competencies."), number=MAX_COMPETENCIES)
        before = {}
        kept = []
        for one in self.competencies or ():
            if isinstance(one, Mapping) and one.get("framework") and one.get("item"):
                key = str(one["framework"]).lower(), str(one["item"]).lower()
                before.setdefault(key, dict(one))
            else:
                kept.append(one)
        picked: dict[Key, dict[str, Any]] = {}
        for one in given:
            if not isinstance(one, Mapping):
                raise self._wrong(_("The form could not be read."))
            key = str(one.get("framework", "")).lower(), str(one.get("item", "")).lower()
            if key not in before and not all(_IDENTIFIER.fullmatch(part) for part in key):
                raise self._wrong(_("The form could not be read."))
            if key in picked:
                raise self._wrong(_("Each competency can be picked once."))
            weight = _weight(one.get("weight", 1))
            if weight is None:
                raise self._wrong(_("A weight is a number above 0, at most %(number)s."), number=MAX_WEIGHT)
            shown = int(weight) if weight == int(weight) else weight
            picked[key] = {**before.get(key, {"framework": key[0], "item": key[1]}), "weight": shown}
        new = [key for key in picked if key not in before]
        known = competencies.get_competencies(keys=set(new))
        if any(key not in known for key in new):
            raise self._wrong(_("One of the competencies does not exist any more. Search again."))
        return [*picked.values(), *kept]

    def _wrong(self, message: str, **values: Any) -> JsonHandlerError:
        return JsonHandlerError(400, self.say(message, **values))


def _weight(given: Any) -> float | None:
    """Return the weight, or None for what is none."""
    if isinstance(given, bool):
        return None
    try:
        weight = float(given)
    except (TypeError, ValueError):
        return None
    return weight if math.isfinite(weight) and 0 < weight <= MAX_WEIGHT else None


def _has_scored(block: Any, depth: int = 6) -> bool:
    if getattr(block, "has_score", False):
        return True
    if not getattr(block, "has_children", False) or not depth:
        return False
    return any(_has_scored(child, depth - 1) for child in block.get_children())
