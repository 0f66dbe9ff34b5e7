"""Synchronising a course's tags, judging mastery, and an author's search."""

from __future__ import annotations

import statistics
import time

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.harness import Figure, at_most, ratio

BLOCKS, TAGS, ITEMS, LEARNERS = 2000, 500, 2500, 200
RUN = "course-v1:BENCH+MAP+2026"


def run(ins: float) -> list[Figure]:
    """Return the figures.

    Args:
        ins: us of one bare INSERT and COMMIT.
    """
    from tests.competencies.frameworks import make_framework

    framework = make_framework(
        "bench",
        organization="BENCH",
        items=[
            (f"B-{number:04}", f"สมรรถนะที่ {number}", f"Ability {number}", "B-0000" if number else None)
            for number in range(ITEMS)
        ],
    )
    return [*_sync(), *_search(framework.identifier), _mastery(ins)]


def _course(blocks: int, tags: int, run: str, *, weight: int = 1):
    """Return a course of units with a text, a problem and, in some, a block that says what they assess."""
    from tests.competencies.frameworks import key
    from tests.support.memory_content import Course

    course = Course(run)
    section, number = course.section("s"), 0
    while len(course.blocks) < blocks:
        if number % 10 == 0:
            subsection = course.subsection(f"l{number}", section)
        unit = course.unit(f"u{number}", subsection)
        course.html(f"h{number}", unit)
        course.problem(f"p{number}", unit)
        if number < tags:
            code = f"B-{number % ITEMS:04}"
            course.says(f"t{number}", unit, "assesses", key(code, "bench"), weight=weight)
        number += 1
    return course


def _measured(course) -> tuple[float, int]:
    """Return the seconds and the queries of a synchronisation without the reading of the module store."""
    from mooc_microcred.competencies import api
    from tests.support.memory_content import the_content

    the_content.publish(course)
    api.mark_course_dirty(course_key=course.key, reason="bench", delay=0)
    with CaptureQueriesContext(connection) as queries:
        started = time.perf_counter()
        report = api.sync_due()
        took = time.perf_counter() - started
    assert report.courses == 1, report
    return took, len(queries)


def _sync() -> list[Figure]:
    _few_seconds, few = _measured(_course(200, 50, "course-v1:BENCH+SMALL+2026"))
    course = _course(BLOCKS, TAGS, RUN)
    first, many = _measured(course)
    again, unchanged = _measured(course)
    _changed_seconds, changed = _measured(_course(BLOCKS, TAGS, RUN, weight=2))
    name = f"synchronise a course of {len(course.blocks)} blocks and {TAGS} tags"
    return [
        # One statement of 500 rows more or less than for a tenth of it.
        at_most(f"{name}: queries, against {few} for a tenth of it", many, "queries", few + 1),
        at_most(f"{name}, every tag changed: queries", changed, "queries", few + 2),
        at_most(f"{name}, nothing changed: queries", unchanged, "queries", few),
        at_most(f"{name}, the reading of the module store apart", first * 1000, "ms", 2000),
        at_most(f"{name}, nothing changed", again * 1000, "ms", 1000),
    ]


def _search(framework: str) -> list[Figure]:
    from mooc_microcred.competencies import api

    figures = []
    for what, arguments in {
        "first page of the tree": {"parent": ""},
        "search in Thai": {"text": "สมรรถนะ"},
        "search by code": {"text": "b-24"},
    }.items():
        times = []
        for _ in range(20):
            started = time.perf_counter()
            page = api.search_items(framework=framework, **arguments)
            times.append(time.perf_counter() - started)
        assert page.items
        name = f"an author's {what}, framework of {ITEMS} items (slowest of 20)"
        figures.append(at_most(name, max(times) * 1000, "ms", 200))
    return figures


def _mastery(ins: float) -> Figure:
    """Return what judging mastery adds to the evaluation of a learner who has shown everything at once."""
    from mooc_microcred.competencies import api
    from mooc_microcred.core.lease import release_leases, take_leases

    _measured(_course(40, 10, "course-v1:BENCH+QUIZ+2026"))
    costs = []
    for batch in range(3):
        learners = range(5_000_000 + batch * LEARNERS, 5_000_000 + (batch + 1) * LEARNERS)
        token, ours = take_leases(learners)
        started = time.perf_counter()
        written = api.update_mastery(token=token, runs={one: {"course-v1:BENCH+QUIZ+2026"} for one in ours})
        costs.append((time.perf_counter() - started) / LEARNERS * 1e6)
        assert written == LEARNERS
        release_leases(token, ours)
    name = "judge 10 competencies that a learner has just demonstrated, batch of 200"
    return ratio(name, statistics.median(costs), "us", ins, 120)
