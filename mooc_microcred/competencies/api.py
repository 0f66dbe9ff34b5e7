"""The verbs of the competencies room; the only thing that other rooms and the plugin call."""

from mooc_microcred.competencies.borrowed import (
    PlatformStatus,
    PlatformTag,
    PlatformTaxonomy,
    use_competency_source,
)
from mooc_microcred.competencies.coverage import (
    coverage_csv,
    coverage_of_course,
    describe_gap,
    describe_relation,
    tags_of_course,
)
from mooc_microcred.competencies.data import DEMONSTRATED, STATUSES, Key, MasteryData
from mooc_microcred.competencies.frameworks import (
    exact_matches_of,
    get_competencies,
    get_framework,
    list_frameworks,
    predecessors_of,
    search_items,
)
from mooc_microcred.competencies.imports import (
    commit_import,
    describe_change,
    export_framework,
    names_its_framework,
    new_identifier,
    organization_of_import,
    preview_import,
    read_import,
    register_uses,
    set_framework_state,
)
from mooc_microcred.competencies.mastery import (
    DEMONSTRATED_TOPIC,
    assessed_courses,
    assessed_keys,
    courses_of_framework,
    mastery_of_learner,
    mastery_of_learners,
    update_mastery,
)
from mooc_microcred.competencies.retirement import export_learner, forget_learner
from mooc_microcred.competencies.rules import (
    CRITERIA_CHANGED,
    criteria_in_force,
    list_criteria,
    set_criteria,
)
from mooc_microcred.competencies.sync import (
    SYNC,
    TAGS_CHANGED,
    count_dirty,
    mark_course_dirty,
    recheck_courses,
    sync_due,
)
from mooc_microcred.competencies.taxonomies import (
    TaxonomyTag,
    link_taxonomy,
    publish_taxonomy,
    use_taxonomies,
)
from mooc_microcred.core.authoring import (
    may_edit_content,
    may_see_content,
    require_sight_of_content,
)

__all__ = [
    "CRITERIA_CHANGED",
    "DEMONSTRATED",
    "DEMONSTRATED_TOPIC",
    "Key",
    "MasteryData",
    "PlatformStatus",
    "PlatformTag",
    "PlatformTaxonomy",
    "STATUSES",
    "SYNC",
    "TAGS_CHANGED",
    "TaxonomyTag",
    "assessed_courses",
    "assessed_keys",
    "commit_import",
    "count_dirty",
    "courses_of_framework",
    "coverage_csv",
    "coverage_of_course",
    "criteria_in_force",
    "describe_change",
    "describe_gap",
    "describe_relation",
    "exact_matches_of",
    "export_framework",
    "export_learner",
    "forget_learner",
    "get_competencies",
    "get_framework",
    "link_taxonomy",
    "list_criteria",
    "list_frameworks",
    "mark_course_dirty",
    "mastery_of_learner",
    "mastery_of_learners",
    "may_edit_content",
    "may_see_content",
    "names_its_framework",
    "new_identifier",
    "organization_of_import",
    "predecessors_of",
    "preview_import",
    "publish_taxonomy",
    "read_import",
    "recheck_courses",
    "register_uses",
    "require_sight_of_content",
    "search_items",
    "set_criteria",
    "set_framework_state",
    "sync_due",
    "tags_of_course",
    "update_mastery",
    "use_competency_source",
    "use_taxonomies",
]
