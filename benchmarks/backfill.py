"""Turning existing certificates into awards, beside a bare INSERT ... SELECT of the same rows.

The certificates stand in tables of the same database, as the platform's do, and the port reads them
from there. The baseline copies exactly the rows that the backfill has left (awards, their history, the
learners' leases, the messages) into the same tables, emptied, in one statement for each table.

SQLite measures in a process and a file of its own, since a process of Django has one database. There
the baseline copies in the same batches: a statement of its is a function call, and beside one single
statement whatever is told to the disk more than once is a multiple (about fourteen for the backfill).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.computed_platform import RUN, SINCE
from benchmarks.harness import Figure, ratio

CERTIFICATES = int(os.environ.get("MICROCRED_BENCH_CERTIFICATES", "50000"))
TABLES = (
    "CREATE TABLE bench_certificate (id INTEGER PRIMARY KEY, user_id BIGINT NOT NULL,"
    " course_id VARCHAR(255) NOT NULL, status VARCHAR(32) NOT NULL, mode VARCHAR(32) NOT NULL,"
    " verify_uuid VARCHAR(32) NOT NULL)",
    "CREATE TABLE bench_enrollment (id INTEGER PRIMARY KEY, user_id BIGINT NOT NULL,"
    " course_id VARCHAR(255) NOT NULL, mode VARCHAR(32) NOT NULL)",
    "CREATE INDEX bench_enrollment_user ON bench_enrollment (user_id)",
)


class StoredPlatform:
    """A platform with its certificates and enrolments in two tables."""

    def list_certificates(self, course_keys, *, after, limit):
        """Return a page, by the queries that the gateway makes."""
        from django.db import connection

        from mooc_microcred.core.platform import CertificatePage, CertificateState, ListedCertificate

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM bench_certificate WHERE id > %s ORDER BY id LIMIT %s", [after, limit]
            )
            keys = [row[0] for row in cursor.fetchall()]
            cursor.execute("SELECT MAX(id) FROM bench_certificate")
            highest = cursor.fetchone()[0] or 0
            if not keys:
                return CertificatePage([], after, highest)
            marks = ", ".join(["%s"] * len(course_keys))
            cursor.execute(
                "SELECT user_id, course_id, status, mode, verify_uuid FROM bench_certificate"
                f" WHERE id > %s AND id <= %s AND course_id IN ({marks}) ORDER BY id",  # noqa: S608
                [after, keys[-1], *course_keys],
            )
            rows = cursor.fetchall()
        listed = [
            ListedCertificate(learner, run, CertificateState(status, mode, uuid, SINCE))
            for learner, run, status, mode, uuid in rows
        ]
        return CertificatePage(listed, keys[-1], highest)

    def read_enrolments(self, learner_ids):
        """Return the enrolments of learners, by one query."""
        from django.db import connection

        from mooc_microcred.core.platform import EnrolmentState

        found = {learner: [] for learner in learner_ids}
        marks = ", ".join(["%s"] * len(found))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT user_id, course_id, mode FROM bench_enrollment WHERE user_id IN ({marks})",  # noqa: S608
                list(found),
            )
            for learner, run, mode in cursor.fetchall():
                found[learner].append(EnrolmentState(run, SINCE, mode))
        return found


def fill() -> None:
    """Make the platform's tables with one enrolment and one certificate of each learner."""
    from uuid import uuid4

    from django.db import connection, transaction

    with connection.cursor() as cursor:
        for statement in TABLES:
            cursor.execute(statement)
    for start in range(1, CERTIFICATES + 1, 10_000):
        keys = range(start, min(start + 10_000, CERTIFICATES + 1))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO bench_certificate VALUES (%s, %s, %s, 'downloadable', 'honor', %s)",
                [(key, key, RUN, uuid4().hex) for key in keys],
            )
            cursor.executemany(
                "INSERT INTO bench_enrollment VALUES (%s, %s, %s, 'honor')", [(key, key, RUN) for key in keys]
            )


def measure(*, batches: bool) -> tuple[float, float]:
    """Return what the backfill and what the bare copy cost per certificate, in us.

    Args:
        batches: whether the copy commits as often as the backfill, or once for each table.
    """
    from django.conf import settings
    from django.db import connection

    from mooc_microcred.achievements import api
    from mooc_microcred.achievements.models import Award, AwardEvent
    from mooc_microcred.core.models import LearnerLease, OutboxMessage

    others = settings.MOOC_MICROCRED
    settings.MOOC_MICROCRED = {**others, "PLATFORM": "benchmarks.backfill.StoredPlatform"}
    _forget_settings()
    models = (Award, AwardEvent, LearnerLease, OutboxMessage)
    tables = [one._meta.db_table for one in models]
    with connection.cursor() as cursor:
        for table in reversed(tables):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608
    fill()
    progress = api.start_backfill(course_keys=[RUN], announce=False)
    begin = time.perf_counter()
    while not progress.finished:
        progress = api.advance_backfill(backfill_id=progress.id)
    ours = time.perf_counter() - begin
    assert progress.issued == CERTIFICATES == AwardEvent.objects.count()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"CREATE TABLE copy_{table} AS SELECT * FROM {table}")  # noqa: S608
        for table in reversed(tables):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608
        bare = 0.0
        for model, table in zip(models, tables, strict=True):
            bare += _copy(cursor, table, model._meta.pk.column, batches)
        for table in tables:
            cursor.execute(f"DROP TABLE copy_{table}")
    # What is measured next has the computed platform again.
    settings.MOOC_MICROCRED = others
    _forget_settings()
    return ours / CERTIFICATES * 1e6, bare / CERTIFICATES * 1e6


def _copy(cursor, table: str, key: str, batches: bool) -> float:
    """Copy a table back from its copy; return the seconds."""
    from django.db import transaction

    cursor.execute(f"CREATE INDEX copied_{table} ON copy_{table} ({key})")  # noqa: S608
    cursor.execute(f"SELECT MIN({key}), MAX({key}) FROM copy_{table}")  # noqa: S608
    first, last = cursor.fetchone()
    begin = time.perf_counter()
    for start in range(first, last + 1, 500 if batches else last):
        with transaction.atomic():
            cursor.execute(
                f"INSERT INTO {table} SELECT * FROM copy_{table} WHERE {key} >= %s AND {key} < %s",  # noqa: S608
                [start, start + (500 if batches else last)],
            )
    return time.perf_counter() - begin


def _forget_settings() -> None:
    from mooc_microcred.core.conf import microcred_settings

    microcred_settings.reload()


def run() -> list[Figure]:
    """Return the figures, of the present database (MariaDB) and of SQLite."""
    count = f"{CERTIFICATES:,} certificates"
    ours, bare = measure(batches=False)
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "MICROCRED_TEST_DB": "sqlite",
            "MICROCRED_TEST_SQLITE": str(Path(folder) / "bench.sqlite"),
        }
        made = subprocess.run(
            [sys.executable, "-m", "benchmarks.backfill"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    ours_sqlite, bare_sqlite = json.loads(made.stdout.splitlines()[-1])
    return [
        ratio(
            f"backfill, beside a bare INSERT ... SELECT of its rows ({count}, MariaDB)", ours, "us", bare, 5
        ),
        ratio(
            f"the same on SQLite, beside a copy in the same batches ({count})",
            ours_sqlite,
            "us",
            bare_sqlite,
            5,
        ),
    ]


def main() -> None:
    """Measure on the database of the settings alone, and print the two costs as JSON."""
    import django

    django.setup()
    from django.core.management import call_command

    from tests.support import definitions

    call_command("migrate", verbosity=0, run_syncdb=True)
    definitions.level1("bench-l1", organization="BENCH", course={"organization": "BENCH", "number": "PY101"})
    print(json.dumps(measure(batches=True)))


if __name__ == "__main__":
    main()
