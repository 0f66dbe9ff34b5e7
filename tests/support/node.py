"""Node and packages of npm for tests, installed once from a lock file, below build/."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MINIMUM = 20


def node_tools(source: Path, what: str) -> Path:
    """Return a folder with the ``node_modules`` of the lock file in ``source``; skip where Node is not.

    Args:
        what: what cannot run without it, for people.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        _absent(f"Node and npm are not installed: {what} did not run")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < MINIMUM:
        pytest.skip(f"{what} needs Node {MINIMUM} or later, not {version.strip()}")
    lock = (source / "package-lock.json").read_bytes()
    folder = ROOT / "build" / source.name / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "ready").exists():
        _install(npm, source, folder, what)
    return folder


def _absent(reason: str) -> None:
    # .ci/run installs Node: there its absence is a failure.
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _install(npm: str, source: Path, folder: Path, what: str) -> None:
    """Install into a folder of its own and move it: two test processes may want it at once."""
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, making)
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=making,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(making, ignore_errors=True)
        _absent(f"npm could not install what {what} needs: {done.stderr[-500:]}")
    (making / "ready").touch()
    try:
        making.rename(folder)
    except OSError:
        shutil.rmtree(making, ignore_errors=True)
