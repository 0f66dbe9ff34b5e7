"""Programmes: all of them with how far the learner is, and one with its requirement tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from mooc_microcred.achievements.data import Text
from mooc_microcred.core.dates import display_date
from mooc_microcred.core.pages.people import person_page
from mooc_microcred.credentials import api as credentials
from mooc_microcred.dashboard import api as dashboard
from mooc_microcred.dashboard.pages import trees
from mooc_microcred.dashboard.pages.badges import credential_path, shown_step, worth_line
from mooc_microcred.dashboard.pages.kept import kept
from mooc_microcred.dashboard.programme import ProgrammeCard, ProgrammeNode, ProgrammeView

PAGE_SIZE = 12


@person_page()
def programmes(request: Any) -> HttpResponseBase:
    """Show the programmes of the platform, and how far the person who asks is in each."""
    return kept(request, "dashboard/programmes.html", lambda: _list(request))


def _list(request: Any) -> tuple[dict[str, Any], bool]:
    found, complete = dashboard.list_programmes(learner_id=request.actor.id)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return {
        "place": "programmes",
        "page": page,
        "cards": [_card(one, request.language) for one in page.object_list],
        "complete": complete,
    }, complete


def _card(one: ProgrammeCard, language: str) -> dict[str, Any]:
    return {
        "name": one.name.in_language(language),
        "page": reverse("mooc_microcred:page-programme", kwargs={"code": one.code}),
        "issuer": one.issuer.in_language(language),
        "picture": one.picture,
        "state": one.state,
        "state_words": state_in_words(one.state),
        "numbers": _numbers(one.unit, one.have, one.need),
        "percent": one.percent,
        "worth": worth_line(one.worth.hours, one.worth.credits),
        "step": one.step.text if one.step and one.state != "earned" else "",
    }


def state_in_words(state: str, *, group: bool = False) -> str:
    """Return the state of a part for its learner; of a rule over parts where it is a group."""
    if state == "earned":
        return _("complete") if group else _("earned")
    return _("begun") if state == "begun" else _("not begun yet")


def _numbers(unit: str, have: Any, need: Any) -> str:
    values = {"have": credentials.plain_number(have), "need": credentials.plain_number(need)}
    if unit == "credits":
        return _("%(have)s of %(need)s credits") % values
    return _("%(have)s of %(need)s parts") % values


@person_page()
def programme(request: Any, code: str) -> HttpResponseBase:
    """Show a programme with what it asks for, and where the person who asks stands."""
    return kept(request, "dashboard/programme.html", lambda: _one(request, code))


def _one(request: Any, code: str) -> tuple[dict[str, Any], bool]:
    found = dashboard.read_programme(learner_id=request.actor.id, code=code)
    language, definition = request.language, found.definition
    name = definition.name.in_language(language)
    other = definition.name.in_language("en" if language == "th" else "th")
    tree = _node(found.tree, language)
    # A rule that is only called as the programme is says nothing.
    rule = " · ".join(filter(None, (tree.title if tree.title != name else _rule(found.tree), tree.rule)))
    drawn = _drawing(found, tree, name, rule)
    uuid = found.url.rpartition("/")[2]
    raw = definition.raw
    numbers = tree.numbers
    return {
        "place": "programmes",
        "name": name,
        "other_name": other if other != name else "",
        "issuer": found.issuer.in_language(language),
        "picture": found.picture,
        "description": Text.of(raw.get("description")).in_language(language),
        "narrative": Text.of(raw.get("criteria", {}).get("narrative")).in_language(language),
        "state": "earned" if found.award else found.tree.state,
        "state_words": state_in_words("earned" if found.award else found.tree.state),
        "earned": display_date(found.award.issued_at, language) if found.award else "",
        "credential": credential_path(uuid) if uuid else "",
        "numbers": numbers,
        "percent": found.percent,
        "rule": rule if tree.group else "",
        "nodes": tree.children if tree.group else [tree],
        "tall": trees.tall_svg(drawn),
        "wide": trees.wide_svg(drawn) if trees.wide_fits(drawn) else "",
        "step": shown_step(found.step, language),
        "worth": credentials.worth_in_words(definition, language),
        "outcomes": credentials.outcomes_in_words(raw, language),
        "more": raw.get("further_information", ""),
        "public": reverse(
            "mooc_microcred:achievement-page", kwargs={"code": definition.code, "number": definition.number}
        ),
        "complete": found.complete,
    }, found.complete


# --- the tree ---


@dataclass(frozen=True, slots=True)
class ShownNode:
    """A node of the tree in the reader's language.

    Attributes:
        title: of an achievement its name; of a group its label or its rule.
        rule: what the group asks for, such as ``any 2 of these 3``; may be empty.
        numbers: how much of it there is, such as ``1 of 2 parts``; empty for single achievements.
        kind: of the achievement, in words; empty for groups. page: where to read about it; may be empty.
    """

    title: str
    state: str
    state_words: str
    group: bool
    rule: str = ""
    numbers: str = ""
    kind: str = ""
    credits: str = ""
    note: str = ""
    page: str = ""
    children: Sequence[ShownNode] = ()


def _node(node: ProgrammeNode, language: str) -> ShownNode:
    name = node.name.in_language(language)
    if not node.code:
        rule = _rule(node)
        return ShownNode(
            title=name or rule,
            state=node.state,
            state_words=state_in_words(node.state, group=True),
            group=True,
            rule=rule if name and node.kind != "all" else "",
            numbers=_numbers("credits" if node.kind == "credits" else "", node.have, node.need),
            children=[_node(child, language) for child in node.children],
        )
    uuid = node.url.rpartition("/")[2]
    # A programme within the programme stands for the group below it.
    inner = _node(node.children[0], language) if node.children else None
    public = reverse(
        "mooc_microcred:achievement-page", kwargs={"code": node.code, "number": node.number or 1}
    )
    return ShownNode(
        title=name,
        state=node.state,
        state_words=state_in_words(node.state),
        group=False,
        rule=" · ".join(filter(None, (inner.title, inner.rule))) if inner else "",
        numbers=inner.numbers if inner else "",
        kind=credentials.kind_in_words(node.achievement_kind) if node.achievement_kind else "",
        credits=worth_line(0, node.credits),
        note=node.note,
        page=credential_path(uuid) if uuid else public,
        children=inner.children if inner else (),
    )


def _rule(node: ProgrammeNode) -> str:
    if node.kind == "credits":
        return _("at least %(credits)s credits from these") % {"credits": credentials.plain_number(node.need)}
    if node.kind == "at_least":
        values = {"count": credentials.plain_number(node.need), "total": len(node.children)}
        return _("any %(count)s of these %(total)s") % values
    return _("all of these")


def _drawing(found: ProgrammeView, tree: ShownNode, name: str, rule: str) -> trees.Drawn:
    """Return the tree for drawing: the programme itself stands at its root."""
    state = "earned" if found.award else tree.state
    if not tree.group:
        return trees.Drawn(state, name, "", False, list(_drawn([tree])))
    note = " · ".join(filter(None, (rule, tree.numbers)))
    return trees.Drawn(state, name, note, False, list(_drawn(tree.children)))


def _drawn(nodes: Sequence[ShownNode]) -> Iterator[trees.Drawn]:
    for one in nodes:
        told = (one.rule, one.numbers) if one.group else (one.state_words, one.numbers or one.credits)
        yield trees.Drawn(
            one.state, one.title, " · ".join(filter(None, told)), one.group, list(_drawn(one.children))
        )
