"""What the staff of a course run see: who has earned what, and whose certificate is refused."""

from __future__ import annotations

from mooc_microcred.achievements import api as achievements
from mooc_microcred.dashboard.data import AwardCounts, CourseOverview, Refusals


def read_course_overview(*, course_key: str) -> CourseOverview:
    """Return the numbers of a course run; a constant number of queries.

    Numbers only: whose awards they are, programme officers see.
    """
    catalogue = achievements.current_catalogue()
    codes = sorted(catalogue.codes_for_run(course_key), key=catalogue.rank.__getitem__)
    counts = achievements.count_awards_of_run(course_key=course_key)
    found = []
    for code in codes:
        definition = catalogue.newest(code)
        if definition is not None:
            found.append(
                AwardCounts(
                    code=code,
                    kind=definition.kind,
                    name=definition.name,
                    version=definition.number,
                    mode=definition.mode,
                    states=counts.get(code, {}),
                )
            )
    asked, refused = achievements.count_certificate_requests(course_key=course_key)
    return CourseOverview(
        course_key=course_key,
        achievements=tuple(found),
        refusals=tuple(
            Refusals(code, str(achievements.describe_refusal(code)), learners)
            for code, learners in sorted(refused.items(), key=lambda one: -one[1])
        ),
        offers=achievements.offers_of_run(course_key=course_key),
        asked=asked,
    )
