"""What the widget of the learner dashboard shows: one answer for its panel and all course cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mooc_microcred.achievements import api as achievements
from mooc_microcred.core import clock
from mooc_microcred.core.platform import PlatformUnavailable, get_platform
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.dashboard.cards import read_course_cards
from mooc_microcred.dashboard.data import Badge, CardItem, Ladder, Step
from mooc_microcred.dashboard.learner import first_steps, read_road
from mooc_microcred.dashboard.stages import components_of, with_credit
from mooc_microcred.dashboard.wall import read_wall, state_of

# Badges beside the courses; the page of all of them is a link away.
NEWEST = 6


@dataclass(frozen=True, slots=True)
class Glance:
    """What a learner sees beside the courses.

    Attributes:
        badges: the newest ones. badge_count: of all that the learner has, without the revoked ones.
        ladders, steps: as in ``Dashboard``. Who has nothing yet is told of courses to begin with.
        courses: by key of the learner's courses, what each leads to; without those that lead to nothing.
        complete: False where the platform could not be read: badges only.
    """

    badges: tuple[Badge, ...] = ()
    badge_count: int = 0
    ladders: tuple[Ladder, ...] = ()
    steps: tuple[Step, ...] = ()
    courses: Mapping[str, tuple[CardItem, ...]] = field(default_factory=dict)
    complete: bool = True


def read_glance(*, learner_id: int) -> Glance:
    """Return what the widget shows, with a number of queries that does not grow with what the learner has."""
    now = clock.now()
    wall = read_wall(learner_id=learner_id)
    badges = tuple(
        replace(one, award=replace(one.award, state=state_of(one.award, now))) for one in wall.badges[:NEWEST]
    )
    glance = Glance(badges=badges, badge_count=wall.total)
    road = read_road(learner_id=learner_id)
    if not road.complete:
        return replace(glance, complete=False)
    try:
        enrolments = get_platform().read_enrolments([learner_id]).get(learner_id, ())
    except PlatformUnavailable:
        return replace(glance, complete=False)
    courses = read_course_cards(
        learner_id=learner_id, course_keys={one.course_key for one in enrolments if one.active}
    )
    steps = road.steps
    if not (badges or road.ladders or steps):
        steps = first_steps(learner_id=learner_id)
    return replace(glance, ladders=_with_credit(learner_id, road.ladders), steps=steps, courses=courses)


def _with_credit(learner_id: int, ladders: tuple[Ladder, ...]) -> tuple[Ladder, ...]:
    if not ladders or not creditbank.banks():
        return ladders
    catalogue = achievements.current_catalogue()
    codes = {code for one in ladders for code in (one.code, *components_of(catalogue, one.code))}
    in_bank = creditbank.credits_in_bank(learner_id=learner_id, achievements=codes)
    return tuple(with_credit(catalogue, one, in_bank) for one in ladders)
