"""The verbs of the competencies room; the only thing that other rooms and the plugin call."""

from mooc_microcred.competencies.coverage import (
    coverage_csv,
    coverage_of_course,
    describe_gap,
    describe_relation,
    tags_of_course,
)
from mooc_microcred.competencies.frameworks import (
    get_competencies,
    get_framework,
    list_frameworks,
    predecessors_of,
    search_items,
)
from mooc_microcred.competencies.sync import (
    SYNC,
    TAGS_CHANGED,
    count_dirty,
    mark_course_dirty,
    sync_due,
)

from mooc_microcred.core.authoring import (
    may_edit_content,
    may_see_content,
    require_sight_of_content,
)

__all__ = [
    "SYNC",
    "TAGS_CHANGED",
    "count_dirty",
    "coverage_csv",
    "coverage_of_course",
    "describe_gap",
    "describe_relation",
    "get_competencies",
    "get_framework",
    "list_frameworks",
    "mark_course_dirty",
    "may_edit_content",
    "may_see_content",
    "predecessors_of",
    "require_sight_of_content",
    "search_items",
    "sync_due",
    "tags_of_course",
]
