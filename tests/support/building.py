"""Wheels and environments for the tests that install the package as an operator does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]
NOT_SOURCES = shutil.ignore_patterns(
    ".*", "build", "dist", "*.egg-info", "__pycache__", "node_modules", "*.sqlite3", "*.pyc"
)


def run(*command, timeout: float = 900, **more) -> str:
    """Run a command to its end and return what it said; say all that it said where it failed."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout, check=False, **more
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a clean copy of the sources; return its path."""
    sources = folder / "sources"
    shutil.copytree(ROOT, sources, ignore=NOT_SOURCES)
    out = folder / "dist"
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, sources, cwd=folder)
    return next(out.glob("*.whl"))


def cannot(message: str) -> NoReturn:
    """Skip where a developer's machine lacks something; fail where the build promised it."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"{message}, and CI says that it must work")
    pytest.skip(message)


def plain_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without what would lead another one to our sources."""
    ours = ("DJANGO", "PYTHON", "MICROCRED", "TUTOR")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(ours)}, **more}
