"""Programmes as learners read them: all of them with how far they are, and one with its whole tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import AchievementProgress, AwardData, Definition, Holding, Text
from mooc_microcred.core.errors import NotFound
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred.credentials import api as credentials
from mooc_microcred.dashboard.data import Ladder, Step, Worth
from mooc_microcred.dashboard.learner import _Guide, read_road
from mooc_microcred.dashboard.links import public_urls
from mooc_microcred.programs import api as programs
from mooc_microcred.programs.trees import TreeState

# Programmes within programmes that are unfolded; catalogues have two or three.
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class ProgrammeCard:
    """A programme in the list of all.

    Attributes:
        state: ``earned``, ``begun`` or ``open``.
        have, need: in ``unit``, which is ``components`` or ``credits``. percent: 0-100.
        step: the next one, where the learner has begun.
    """

    code: str
    name: Text
    issuer: Text
    state: str
    worth: Worth
    have: Decimal
    need: Decimal
    unit: str
    percent: int
    picture: str
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class ProgrammeNode:
    """A node of a programme's requirement tree, with how far the learner is in it.

    Attributes:
        kind: ``all``, ``at_least``, ``credits`` or ``achievement``.
        state: ``earned``, ``begun`` or ``open``.
        have, need: children met of children needed, or credits.
        name: what the node is called; may be empty for groups.
        code, achievement_kind, number: of an achievement; empty for groups.
        credits: what the achievement is worth. award: its learner's award, where there is one.
        url: the public page of that award; empty without one. note: what to do next for it; may be empty.
        children: of a programme within the programme, its own tree.
    """

    kind: str
    state: str
    have: Decimal
    need: Decimal
    name: Text
    code: str = ""
    achievement_kind: str = ""
    number: int = 0
    credits: Decimal = Decimal(0)
    award: AwardData | None = None
    url: str = ""
    note: str = ""
    children: tuple[ProgrammeNode, ...] = ()


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """A programme with its tree.

    Attributes:
        definition: the version that is in force, or the one by which the learner's award was judged.
        step: the next one; None where the programme is earned, and where the platform cannot be read.
        award: the learner's; None before it is earned. url: its public page; empty without one.
        complete: False where the platform could not be read: what is begun is not told then.
    """

    definition: Definition
    issuer: Text
    worth: Worth
    tree: ProgrammeNode
    percent: int
    picture: str
    step: Step | None = None
    award: AwardData | None = None
    url: str = ""
    complete: bool = True


def list_programmes(*, learner_id: int) -> tuple[tuple[ProgrammeCard, ...], bool]:
    """Return all programmes that are not part of another one, and whether the platform could be read.

    Those in progress come first, the farthest before; then what is open; what is earned is last. A
    constant number of queries.
    """
    catalogue = achievements.current_catalogue()
    road = read_road(learner_id=learner_id)
    found = [one for code in catalogue.order if (one := catalogue.newest(code)) and one.tree is not None]
    inner = {leaf["achievement"] for one in found for leaf in achievements.leaves_of(one.tree or {})}
    begun = {one.code: one for one in road.ladders}
    shown = [one for one in found if one.code in begun or one.code not in inner]
    issuers = achievements.issuer_names({one.issuer for one in shown})
    pictures = credentials.badge_pictures(definitions=shown, small=True)
    held = {} if road.complete else achievements.read_holdings(learner_id=learner_id)
    cards = []
    for one in shown:
        ladder = begun.get(one.code) or _untouched(one, held)
        state = "earned" if ladder.earned else "begun" if one.code in begun or ladder.have else "open"
        cards.append(
            ProgrammeCard(
                code=one.code,
                name=one.name,
                issuer=issuers[one.issuer],
                state=state,
                worth=ladder.worth,
                have=ladder.have,
                need=ladder.need,
                unit=ladder.unit,
                percent=ladder.percent,
                picture=pictures[one.version_id],
                step=ladder.step,
            )
        )
    order = ("begun", "open", "earned")
    cards.sort(key=lambda one: (order.index(one.state), -one.percent, one.name.th or one.name.en, one.code))
    return tuple(cards), road.complete


def _untouched(definition: Definition, held: Mapping[str, Holding]) -> Ladder:
    tree = programs.judge_tree(definition.tree or {}, held)
    return Ladder(
        code=definition.code,
        name=definition.name,
        worth=Worth.of(definition),
        have=tree.have,
        need=tree.need,
        unit="credits" if tree.kind == "credits" else "components",
        percent=int(tree.fraction * 100),
        rungs=(),
        earned=definition.code in held,
    )


def read_programme(*, learner_id: int, code: str) -> ProgrammeView:
    """Return a programme with its tree and where the learner stands; a constant number of queries.

    Raises:
        NotFound: there is no programme of this code in force, and the learner holds none.
    """
    catalogue = achievements.current_catalogue()
    awards: dict[str, AwardData] = {}
    for one in achievements.list_awards(learner_id=learner_id):
        if one.state in ("active", "suspended"):
            awards.setdefault(one.code, one)
    award = awards.get(code)
    definition = (
        achievements.definitions_of({award.version_id})[award.version_id] if award else catalogue.newest(code)
    )
    if definition is None or definition.tree is None:
        raise NotFound(_("There is no such programme."))
    held = achievements.read_holdings(learner_id=learner_id)
    try:
        progress, complete = achievements.read_progress(learner_id=learner_id), True
    except PlatformUnavailable:
        progress, complete = {}, False
    judged = programs.judge_tree(definition.tree, held)
    urls = public_urls([one.uuid for one in awards.values()])
    maker = _Maker(catalogue, held, progress, awards, urls)
    tree = maker.node(judged)
    return ProgrammeView(
        definition=definition,
        issuer=achievements.issuer_names({definition.issuer})[definition.issuer],
        worth=Worth.of(definition),
        tree=tree,
        percent=100 if award else int(judged.fraction * 100),
        picture=credentials.badge_pictures(definitions=[definition])[definition.version_id],
        step=None if award or not complete else _step(learner_id, catalogue, progress, tree),
        award=award,
        url=urls.get(award.uuid, "") if award else "",
        complete=complete,
    )


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes nodes out of the judged tree; no query."""

    catalogue: achievements.Catalogue
    held: Mapping[str, Holding]
    progress: Mapping[str, AchievementProgress]
    awards: Mapping[str, AwardData]
    urls: Mapping[str, str]

    def node(self, judged: TreeState, depth: int = 0) -> ProgrammeNode:
        if judged.code:
            return self._achievement(judged, depth)
        children = tuple(self.node(child, depth) for child in judged.children)
        begun = bool(judged.have) or any(child.state != "open" for child in children)
        return ProgrammeNode(
            kind=judged.kind,
            state="earned" if judged.met else "begun" if begun else "open",
            have=judged.have,
            need=judged.need,
            name=judged.label or Text(),
            children=children,
        )

    def _achievement(self, judged: TreeState, depth: int) -> ProgrammeNode:
        definition = self.catalogue.newest(judged.code)
        award = self.awards.get(judged.code)
        children: tuple[ProgrammeNode, ...] = ()
        if definition is not None and definition.tree is not None and depth < DEEPEST:
            inner = self.node(programs.judge_tree(definition.tree, self.held), depth + 1)
            children = (inner,)
        begun = judged.code in self.progress or any(child.state != "open" for child in children)
        return ProgrammeNode(
            kind="achievement",
            state="earned" if judged.met else "begun" if begun else "open",
            have=judged.have,
            need=judged.need,
            name=judged.label or (definition.name if definition else Text(en=judged.code)),
            code=judged.code,
            achievement_kind=definition.kind if definition else "",
            number=definition.number if definition else 0,
            credits=definition.credits if definition else Decimal(0),
            award=award,
            url=self.urls.get(award.uuid, "") if award else "",
            note="" if judged.met or children else self._note(judged.code),
            children=children,
        )

    def _note(self, code: str) -> str:
        own = self.progress.get(code)
        if own is None or own.award is not None or self._asks_for_competencies(own):
            return ""
        return programs.next_step_of(self.progress, code, catalogue=self.catalogue).text

    def _asks_for_competencies(self, own: AchievementProgress) -> bool:
        """Say whether its words would need the statement of a competency: a query for each such part."""
        for one in own.measures:
            if one.met:
                continue
            below = self.progress.get(one.key) if one.kind == "achievement" else None
            if one.kind == "competency" or (below is not None and self._asks_for_competencies(below)):
                return True
        return False


def _step(
    learner_id: int,
    catalogue: achievements.Catalogue,
    progress: Mapping[str, AchievementProgress],
    tree: ProgrammeNode,
) -> Step | None:
    """Return the step for the part that the learner has begun, else for the first that is open."""
    leaves = list(_open_leaves(tree))
    for one in [leaf for leaf in leaves if leaf.state == "begun"] or leaves:
        plan = programs.next_step_of(progress, one.code, catalogue=catalogue)
        if catalogue.newest(plan.achievement) is not None and plan.action != "done":
            return _Guide.reading(learner_id, catalogue, progress, [plan]).step(plan)
    return None


def _open_leaves(node: ProgrammeNode) -> Iterator[ProgrammeNode]:
    if node.state == "earned":
        return
    if node.code and not node.children:
        yield node
    for child in node.children:
        yield from _open_leaves(child)
