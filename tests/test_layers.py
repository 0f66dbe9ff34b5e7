"""The directions of dependency, as the architecture draws them; the contracts are in pyproject.toml."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache', '--no-logo'])"


def lint(where: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=where,
        env={**os.environ, "PYTHONPATH": f"{where}{os.pathsep}{where / 'openedx_plugin'}"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_every_room_knows_only_the_rooms_below_it():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("mooc_microcred/core/clock.py", "import mooc_microcred.achievements.api"),
        ("mooc_microcred/achievements/requests.py", "from mooc_microcred.exams import models"),
        ("mooc_microcred/exams/health.py", "import mooc_microcred.programs.api"),
        ("mooc_microcred/programs/data.py", "import mooc_microcred.creditbank.models"),
        ("mooc_microcred/creditbank/health.py", "import mooc_microcred.registration"),
        ("mooc_microcred/core/platform.py", "from lms.djangoapps.certificates import api"),
        ("mooc_microcred/core/platform.py", "def later():\n    from openedx_events.learning import signals"),
        ("mooc_microcred/achievements/kick.py", "import mooc_microcred_openedx.apps"),
        (
            "openedx_plugin/mooc_microcred_openedx/urls.py",
            "from mooc_microcred.exams.models import ExamBatch",
        ),
    ],
)
def test_an_import_in_the_wrong_direction_is_noticed(tmp_path, module, line):
    for name in ("mooc_microcred", "openedx_plugin"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout
