"""Scores of blocks and subsections from the tables in which the platform keeps them, in bulk.

In the platform's own order (``lms.djangoapps.grades.scores.get_score``): what a block has handed in
through the submissions service (ORA) before what it keeps in its student module. Of a subsection
it is the stored grade, with what staff have overridden.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from mooc_microcred.core.platform import BlockScore, ScoreQuery
from mooc_microcred_openedx import compat

Pair = tuple[int, str]
Scores = dict[Pair, dict[str, BlockScore]]

SUBSECTION = "sequential"
# Keys or ids in one IN list.
CHUNK = 1000


class _Asked:
    """What is asked for: learners, courses and keys, and whether a found row is among it."""

    def __init__(self, queries: Collection[ScoreQuery]):
        self.learners = sorted({query.learner_id for query in queries})
        self.courses = _courses({query.course_key for query in queries})
        self.by_pair = {(query.learner_id, query.course_key): set(query.blocks) for query in queries}
        self.subsections: list[UsageKey] = []
        self.blocks: list[UsageKey] = []
        for text in sorted({block for query in queries for block in query.blocks}):
            try:
                key = UsageKey.from_string(text)
            except InvalidKeyError:
                continue
            (self.subsections if key.block_type == SUBSECTION else self.blocks).append(key)

    def has(self, pair: Pair, block: str) -> bool:
        return block in self.by_pair.get(pair, ())


def _courses(course_keys: Collection[str]) -> list[CourseKey]:
    keys = []
    for text in sorted(course_keys):
        try:
            keys.append(CourseKey.from_string(text))
        except InvalidKeyError:
            continue
    return keys


def read_block_scores(queries: Collection[ScoreQuery]) -> Scores:
    """Return the scores that there are, by (learner, run) and usage key; few queries per 1,000 keys."""
    asked = _Asked(queries)
    found: Scores = defaultdict(dict)
    for start in range(0, len(asked.blocks), CHUNK):
        _student_modules(asked, asked.blocks[start : start + CHUNK], found)
    if asked.blocks:
        _submissions(asked, found)
    for start in range(0, len(asked.subsections), CHUNK):
        _subsections(asked, asked.subsections[start : start + CHUNK], found)
    return dict(found)


def _student_modules(asked: _Asked, keys: list[UsageKey], found: Scores) -> None:
    rows = compat.student_module().objects.filter(
        student_id__in=asked.learners,
        course_id__in=asked.courses,
        module_state_key__in=keys,
        grade__isnull=False,
        max_grade__isnull=False,
    )
    for learner, course, key, grade, possible, modified in rows.values_list(
        "student_id", "course_id", "module_state_key", "grade", "max_grade", "modified"
    ):
        # The key's own run may be missing in the table; the row's course says it.
        block = str(key.map_into_course(course))
        _put(found, asked, (learner, str(course)), block, grade, possible, modified)


def _submissions(asked: _Asked, found: Scores) -> None:
    """Read what was handed in under the learners' anonymous ids; these take precedence."""
    summaries = compat.score_summary()
    if summaries is None:
        return
    wanted = [str(key) for key in asked.blocks if key.block_type not in _NEVER_SUBMITTED]
    if not wanted:
        return
    rows = compat.anonymous_user_id().objects.filter(user_id__in=asked.learners, course_id__in=asked.courses)
    learners = dict(rows.values_list("anonymous_user_id", "user_id"))
    if not learners:
        return
    scores = summaries.objects.filter(
        student_item__student_id__in=list(learners),
        student_item__course_id__in=[str(key) for key in asked.courses],
        student_item__item_id__in=wanted,
    ).select_related("latest", "student_item")
    for summary in scores:
        # A hidden score is one that staff have reset: there is none.
        if summary.latest.is_hidden():
            continue
        item, latest = summary.student_item, summary.latest
        pair = learners[item.student_id], item.course_id
        _put(
            found, asked, pair, item.item_id, latest.points_earned, latest.points_possible, latest.created_at
        )


# Types that keep their score themselves: no query is spent on courses that have only these.
_NEVER_SUBMITTED = {"problem", "drag-and-drop-v2", "lti_consumer", "lti"}


def _subsections(asked: _Asked, keys: list[UsageKey], found: Scores) -> None:
    rows = (
        compat.persistent_subsection_grade()
        .objects.filter(user_id__in=asked.learners, course_id__in=asked.courses, usage_key__in=keys)
        .select_related("override")
    )
    for row in rows:
        override = getattr(row, "override", None)
        earned, possible = row.earned_all, row.possible_all
        if override is not None:
            if override.earned_all_override is not None:
                earned = override.earned_all_override
            if override.possible_all_override is not None:
                possible = override.possible_all_override
        elif row.first_attempted is None:
            continue
        pair = row.user_id, str(row.course_id)
        _put(found, asked, pair, str(row.full_usage_key), earned, possible, row.modified)


def _put(
    found: Scores, asked: _Asked, pair: Pair, block: str, earned: Any, possible: Any, at: datetime | None
) -> None:
    if asked.has(pair, block):
        found[pair][block] = BlockScore(Decimal(str(earned)), Decimal(str(possible)), at)
