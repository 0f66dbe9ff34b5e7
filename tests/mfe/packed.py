"""The widget as it is packed, and the stand-ins of shells with it."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.support.node import ROOT, node_tools

SOURCE = ROOT / "openedx_plugin" / "mfe"
FOLDER = ROOT / "openedx_plugin" / "mooc_microcred_tutor" / "mfe"


def the_package() -> Path:
    """Return the packed widget that the Tutor plugin carries."""
    (found,) = FOLDER.glob("*.tgz")
    return found


def members() -> dict[str, bytes]:
    """Return what is in the package, by path."""
    with tarfile.open(the_package()) as archive:
        return {
            one.name.removeprefix("package/"): archive.extractfile(one).read()
            for one in archive.getmembers()
            if one.isfile()
        }


def sources_with_tools(folder_name: str) -> Path:
    """Return a fresh copy of the sources that finds the tools of the lock file."""
    folder = node_tools(SOURCE, "the dashboard's widget") / folder_name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    return folder


def run_node(folder: Path, *arguments: str) -> None:
    """Run a script of ours in the folder; raise with what it says where it fails."""
    done = subprocess.run(
        ["node", *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def shells(folder_name: str) -> Path:
    """Return a folder with the bundles of both stand-ins, with the widget as it is packed."""
    folder = sources_with_tools(folder_name)
    with tarfile.open(the_package()) as archive:
        archive.extractall(folder, filter="data")
    run_node(folder, "tests/shell/build.mjs", "package", "bundles")
    return folder / "bundles"
