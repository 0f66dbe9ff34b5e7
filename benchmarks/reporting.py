"""Counting who has come how far, beside reading the same enrolments, with when they began, from the platform.

A walk must look at each learner, since who has come how far depends on what they did in which order and
on the policies of exams: one bare statement that counts rows would not know any of that.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.db import connection
from django.test.utils import override_settings

from benchmarks.harness import Figure, ratio

LEARNERS = 100_000
COURSES = 10
FIRST = 20_000_000
SINCE = datetime(2024, 12, 1, tzinfo=UTC)
# A learner in so many has got so far.
STARTED, CERTIFIED, SAT = 2, 4, 10


def run() -> list[Figure]:
    """Return what a whole walk costs; its figures stay, so that the page has some to show."""
    from django.conf import settings

    _fill()
    changed = {**settings.MOOC_MICROCRED, "PLATFORM": "sandbox.platform.SandboxPlatform"}
    walks, reads = [], []
    with override_settings(MOOC_MICROCRED=changed):
        # In turns, so that what else the machine does hits both alike.
        for _time in range(3):
            reads.append(_read())
            walks.append(_walk())
    (walked, looked_at), (read, listed) = min(walks), min(reads)
    assert looked_at == listed == LEARNERS
    name = f"count {looked_at:,} enrolments by all steps, beside reading the same from the platform"
    return [ratio(name, walked * 1000, "ms", read * 1000, 2)]


def _walk() -> tuple[float, int]:
    from mooc_microcred.reporting import api as reporting

    started, looked_at, again = time.perf_counter(), 0, True
    while turn := reporting.refresh_figures(again=again):
        looked_at, again = looked_at + turn, False
    return time.perf_counter() - started, looked_at


def _read() -> tuple[float, int]:
    from mooc_microcred.achievements import api as achievements
    from mooc_microcred.core.platform import get_platform
    from mooc_microcred.reporting.refreshing import PAGE

    runs, _programmes = achievements.concerned_by_everything()
    started, after, looked_at = time.perf_counter(), 0, 0
    while (found := get_platform().list_enrolments(sorted(runs), after=after, limit=PAGE)).looked_at:
        after, looked_at = found.after, looked_at + found.looked_at
    return time.perf_counter() - started, looked_at


def _fill() -> None:
    """Enrol learners over two years, and let some of them go on."""
    from mooc_microcred.achievements.models import Achievement
    from sandbox.models import Course
    from tests.support.definitions import level1, level2

    courses = []
    for number in range(COURSES):
        key = f"course-v1:KMUTT+FUN{number}+2026"
        rule = {"organization": "KMUTT", "number": f"FUN{number}"}
        level1(f"fun{number}-l1", course=rule)
        level2(f"fun{number}-l2", needs=f"fun{number}-l1", exam=f"fun{number}-exam", course=rule)
        courses.append(
            Course.objects.create(
                course_key=key,
                organization="KMUTT",
                number=f"FUN{number}",
                run="2026",
                title_en=f"Fun {number}",
            )
        )
    ids = {
        one.code: (one.pk, one.versions.get().pk) for one in Achievement.objects.prefetch_related("versions")
    }
    course = f"{courses[0].pk} + seq % {COURSES}"
    assert [one.pk for one in courses] == list(range(courses[0].pk, courses[0].pk + COURSES))
    first = ids["fun0-l1"]
    step = [two - one for one, two in zip(first, ids["fun1-l1"], strict=True)]
    since = f"'{SINCE:%Y-%m-%d}' + INTERVAL seq * 10 MINUTE"
    learner = f"{FIRST} + seq"
    _insert(
        "auth_user (id, username, password, email, first_name, last_name, is_superuser, is_staff, is_active,"
        " date_joined)",
        f"{learner}, CONCAT('fun', seq), '!', '', '', '', 0, 0, 1, {since}",
    )
    _insert(
        "sandbox_enrollment (user_id, course_id, mode, is_active, created)",
        f"{learner}, {course}, 'honor', 1, {since}",
    )
    _insert(
        "completion_blockcompletion (user_id, course_key, block_key, block_type, completion, created,"
        " modified)",
        f"{learner}, CONCAT('course-v1:KMUTT+FUN', seq % {COURSES}, '+2026'),"
        f" CONCAT('block-v1:KMUTT+FUN', seq % {COURSES}, '+2026+type@html+block@b1'), 'html', 1,"
        f" {since}, {since}",
        every=STARTED,
    )
    _insert(
        "mooc_microcred_award (uuid, learner_id, achievement_id, version_id, live, state, course_key,"
        " evidence, issued_at, published_at, reason)",
        f"UUID(), {learner}, {first[0]} + seq % {COURSES} * {step[0]},"
        f" {first[1]} + seq % {COURSES} * {step[1]},"
        f" 1, 'active', '', '{{}}', {since}, {since}, ''",
        every=CERTIFIED,
    )
    _insert(
        "mooc_microcred_examadmission (exam_code, organization, number, learner_id, created)",
        f"CONCAT('fun', seq % {COURSES}, '-exam'), 'KMUTT', CONCAT('F', seq), {learner}, {since}",
        every=SAT,
    )


def _insert(into: str, values: str, *, every: int = 1) -> None:
    """Insert a row for every so-manieth learner; the database counts them (MariaDB's sequences)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {into} SELECT {values} FROM seq_0_to_{LEARNERS - 1} WHERE seq % {every} = 0"  # noqa: S608
        )
