"""The release before this one, from the history of the repository, and databases that both work on."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.faults import services
from tests.support.building import ROOT, plain_environment

PREVIOUS = (Path(__file__).parent / "PREVIOUS").read_text(encoding="utf-8").strip()
COMMON = Path(__file__).parent / "common"
PACKAGES = {
    "mooc_microcred": "mooc_microcred",
    "mooc_microcred_openedx": "openedx_plugin/mooc_microcred_openedx",
    "tests/support": "tests/support",
}


def _git(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)


@dataclass(frozen=True)
class Release:
    """The code of one release, where Python finds it.

    Attributes:
        name: ``old`` or ``new``.
        site: a folder that holds the import packages, as site-packages would.
        settings: what only this release knows of MOOC_MICROCRED.
    """

    name: str
    site: Path
    settings: dict[str, Any]

    def start(self, place: Place, step: str, *arguments: str) -> subprocess.Popen:
        """Start a process of this release on a database."""
        return subprocess.Popen(
            [sys.executable, "-m", "upgrade_steps", str(self.site), step, *arguments],
            cwd=place.folder,
            env=plain_environment(
                PYTHONPATH=f"{COMMON}{os.pathsep}{self.site}",
                PYTHONDONTWRITEBYTECODE="1",
                DJANGO_SETTINGS_MODULE="upgrade_settings",
                UPGRADE_DATABASE=json.dumps(place.database),
                UPGRADE_FILES=str(place.folder / "private"),
                UPGRADE_SETTINGS=json.dumps(self.settings),
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def do(self, place: Place, step: str, *arguments: str) -> Any:
        """Run a step in a process of this release, and return its answer."""
        return answer_of(self.start(place, step, *arguments), f"{self.name}: {step}")


def answer_of(process: subprocess.Popen, what: str) -> Any:
    """Wait for a process of :meth:`Release.start` and return its answer."""
    out, errors = process.communicate(timeout=180)
    assert process.returncode == 0, f"{what} failed:\n{out}\n{errors}"
    return json.loads(out.splitlines()[-1])


@dataclass(frozen=True)
class Place:
    """A database, and a folder for private files."""

    database: dict[str, Any]
    folder: Path

    @property
    def takes_two_writers(self) -> bool:
        """Say whether processes can really work at once."""
        return "mysql" in self.database["ENGINE"]


@pytest.fixture(scope="session")
def old(tmp_path_factory):
    """The release that was landed before."""
    if _git("cat-file", "-e", f"{PREVIOUS}^{{commit}}").returncode:
        shallow = _git("rev-parse", "--is-shallow-repository").stdout.decode().strip() != "false"
        message = f"commit {PREVIOUS[:12]}, the release before, is not in this clone"
        if not shallow and os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(f"{message}, although its history is complete")
        pytest.skip(f"{message}: git fetch --unshallow brings it")
    archive = tmp_path_factory.mktemp("archive")
    packed = _git("archive", "--format=tar", PREVIOUS, *PACKAGES.values(), "tests/__init__.py").stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(archive, filter="data")
    return Release("old", _site(tmp_path_factory.mktemp("old"), archive), {})


@pytest.fixture(scope="session")
def new(tmp_path_factory):
    """The release in this work tree."""
    settings = {
        "CONTENT": "tests.support.memory_content.the_content",
        "PUBLIC_URL": "https://lms.example.org",
        "ISSUER_KEY_ENCRYPTION_KEYS": ["h1LzIO6PGNB-RWDIr31q8murRn_RWHdfKuXkHqEnd7w="],
    }
    return Release("new", _site(tmp_path_factory.mktemp("new"), ROOT), settings)


def _site(folder: Path, sources: Path) -> Path:
    """Lay the packages out by their import names."""
    (folder / "tests").mkdir()
    (folder / "tests" / "__init__.py").touch()
    for package, source in PACKAGES.items():
        (folder / package).symlink_to(sources / source)
    return folder


@pytest.fixture(scope="module", params=["sqlite", pytest.param("mariadb", marks=pytest.mark.services)])
def new_place(request, tmp_path_factory):
    """Return a function that makes an empty database; all are dropped in the end."""
    server = _server() if request.param == "mariadb" else None
    made = []

    def make() -> Place:
        name = f"microcred_upgrade_{uuid4().hex[:8]}"
        folder = tmp_path_factory.mktemp(name)
        if server is None:
            # As the sandbox has it: a transaction says at its beginning that it will write.
            database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}
            return Place({**database, "OPTIONS": {"timeout": 30}}, folder)
        server.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        made.append(name)
        settings = services.database_settings()
        wanted = ("ENGINE", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS")
        return Place({**{key: settings[key] for key in wanted}, "NAME": name}, folder)

    yield make
    for name in made:
        server.cursor().execute(f"DROP DATABASE IF EXISTS `{name}`")
    if server is not None:
        server.close()


def _server():
    try:
        import MySQLdb

        return MySQLdb.connect(**services.database_server())
    except Exception as error:  # noqa: BLE001 whatever it is, there is no database
        services.absent("MariaDB on 127.0.0.1", error)
