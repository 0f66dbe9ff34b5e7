"""Tutor itself, each release in an environment of its own, with our wheel beside it."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import venv
from pathlib import Path

import pytest
import yaml

from tests.support.building import ROOT, build_wheel, cannot, plain_environment, run

# Kept from run to run: making one takes half a minute.
ENVIRONMENTS = ROOT / "build" / "tutor" / f"py{sys.version_info.major}{sys.version_info.minor}"
RELEASES = ["20", "21", "22"]
TALK_TO_TUTOR = Path(__file__).parent / "talk_to_tutor.py"


def environment_of(release: str) -> Path:
    """Make the environment of a release of Tutor, unless it is there; return its folder."""
    folder = ENVIRONMENTS / release
    stamp = folder / ".installed-with-mfe"
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with (ENVIRONMENTS / f"{release}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            venv.create(folder, with_pip=True, clear=True)
            try:
                pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input"]
                run(*pip, f"tutor=={release}.*", f"tutor-mfe=={release}.*")
            except AssertionError as error:
                cannot(f"pip cannot install tutor {release}: {str(error)[-400:]}")
            stamp.touch()
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Our wheel, built from the sources as they are."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


class Tutor:
    """One project of one release of Tutor.

    Args:
        release: such as ``22``.
        environment: the folder in which that release is installed.
        root: the project's root.
    """

    def __init__(self, release: str, environment: Path, root: Path):
        self.release = release
        self.environment = environment
        self.root = root

    def __call__(self, *arguments: str) -> str:
        """Run a command of Tutor in the project, and return what it said."""
        return run(self.environment / "bin" / "tutor", *arguments, env=self._variables(), cwd=self.root)

    def _variables(self) -> dict[str, str]:
        return plain_environment(
            TUTOR_ROOT=str(self.root),
            TUTOR_PLUGINS_ROOT=str(self.root / "plugins"),
            PATH=f"{self.environment / 'bin'}:{os.environ['PATH']}",
        )

    def enable(self) -> Tutor:
        """Enable our plugin and render; return the project."""
        self("plugins", "enable", "microcred")
        self("config", "save")
        return self

    def file(self, path: str) -> str:
        """Return a rendered file."""
        return (self.root / "env" / path).read_text(encoding="utf-8")

    def yaml(self, path: str) -> dict:
        """Return a rendered YAML file with one document."""
        return yaml.safe_load(self.file(path))

    def documents(self, path: str) -> list[dict]:
        """Return the documents of a rendered YAML file, without the empty ones."""
        return [document for document in yaml.safe_load_all(self.file(path)) if document]

    def config(self) -> dict:
        """Return what ``config.yml`` keeps."""
        return yaml.safe_load((self.root / "config.yml").read_text(encoding="utf-8"))

    def init_tasks(self) -> list[tuple[str, str]]:
        """Return the service and the script of each task of ``tutor ... do init``, in order."""
        python = self.environment / "bin" / "python"
        return json.loads(run(python, TALK_TO_TUTOR, env=self._variables(), cwd=self.root).splitlines()[-1])


@pytest.fixture(scope="session", params=RELEASES)
def installed(request, wheel):
    """The release, with this session's wheel in its environment."""
    folder = environment_of(request.param)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    run(*pip, "--force-reinstall", wheel)
    return request.param, folder


@pytest.fixture(scope="session")
def new_project(installed, tmp_path_factory):
    """A function that makes a new project."""
    release, folder = installed

    def make() -> Tutor:
        root = tmp_path_factory.mktemp(f"tutor{release}")
        (root / "plugins").mkdir()
        return Tutor(release, folder, root)

    return make


@pytest.fixture(scope="session")
def project(new_project):
    """A project with our plugin, those that Tutor enables itself, and nothing set; tests only look at it."""
    return new_project().enable()
