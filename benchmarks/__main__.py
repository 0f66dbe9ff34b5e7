"""Run every benchmark: ``python -m benchmarks``; needs MariaDB on loopback (see tests/settings.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import django

from benchmarks import harness

django.setup()


def main() -> int:
    """Measure, print the table, write build/bench.json; return 1 if a goal is missed."""
    from django.core.management import call_command
    from django.db import connection

    from benchmarks import (
        backfill,
        competencies,
        credentials,
        evaluation,
        pages,
        receivers,
        reporting,
        verification,
    )
    from tests.support import definitions

    name = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = None
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    connection.close()
    connection.settings_dict["NAME"] = name
    call_command("migrate", verbosity=0, run_syncdb=True)
    course = {"organization": "BENCH", "number": "PY101"}
    definitions.level1("bench-l1", organization="BENCH", course=course)
    ins = evaluation.measure_ins()
    figures = [
        *receivers.run(ins),
        *evaluation.run(ins),
        *backfill.run(),
        *credentials.run(),
        *competencies.run(ins),
        *verification.run(),
        *reporting.run(),
        *pages.run(),
    ]
    harness.write(figures, Path("build"))
    return 0 if all(one.meets for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
