"""What stands on the cards of a learner's courses, and on the page of a course certificate."""

from __future__ import annotations

from collections.abc import Collection

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import AwardData, Text
from mooc_microcred.core import clock
from mooc_microcred.dashboard.data import CardItem, Honour, Worth
from mooc_microcred.dashboard.links import public_urls


def read_course_cards(*, learner_id: int, course_keys: Collection[str]) -> dict[str, tuple[CardItem, ...]]:
    """Return what each run leads to and what of it the learner holds, for all runs at once.

    A constant number of queries; the platform is not asked, since a card only says what is earned.

    Returns:
        by run, Level 1 before Level 2; runs without achievements are left out.
    """
    catalogue = achievements.current_catalogue()
    codes = {run: catalogue.codes_for_run(run) for run in course_keys}
    codes = {run: found for run, found in codes.items() if found}
    if not codes:
        return {}
    wanted = set().union(*codes.values())
    held: dict[str, AwardData] = {}
    for one in achievements.list_awards(learner_id=learner_id, codes=wanted):
        if one.state in ("active", "suspended"):
            held.setdefault(one.code, one)
    urls = public_urls([one.uuid for one in held.values()])
    cards = {}
    for run, found in codes.items():
        items = []
        for code in sorted(found, key=catalogue.rank.__getitem__):
            definition = catalogue.newest(code)
            if definition is None:
                continue
            award = held.get(code)
            state = "open"
            if award is not None:
                state = "suspended" if award.state == "suspended" else "earned"
            items.append(
                CardItem(
                    code=code,
                    kind=definition.kind,
                    name=definition.name,
                    state=state,
                    worth=Worth.of(definition),
                    award=award.uuid if award else "",
                    url=urls.get(award.uuid, "") if award else "",
                )
            )
        cards[run] = tuple(items)
    return cards


def read_honour(*, learner_id: int, course_key: str) -> Honour | None:
    """Return what a learner's certificate of a run stands for, or None.

    Only where a valid Level 1 award of that run is shown: the page is public, and says nothing of what
    has ended or waits.
    """
    now = clock.now()
    award = next(
        (
            one
            for one in achievements.list_awards(learner_id=learner_id)
            if one.course_key == course_key and one.kind == "level1" and one.counts(now)
        ),
        None,
    )
    if award is None:
        return None
    definition = achievements.definitions_of({award.version_id})[award.version_id]
    return Honour(
        award=award,
        name=definition.name,
        issuer=achievements.issuer_names({definition.issuer})[definition.issuer],
        worth=Worth.of(definition),
        outcomes=tuple(Text.of(one["text"]) for one in definition.raw["outcomes"]),
        url=public_urls([award.uuid], to_others=True).get(award.uuid, ""),
    )
