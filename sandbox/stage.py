"""The processes of the demo: a web server, a worker and a credit bank, each a real one on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import requests

ROOT = Path(__file__).resolve().parents[1]
MARK = ".mooc-microcred-demo"
Found = TypeVar("Found")


class DemoFailed(Exception):
    """A step did not come out; the message says which and why."""


def wait_for(
    what: str, look: Callable[[], Found | None], *, seconds: float = 30, every: float = 0.25
) -> Found:
    """Return what ``look`` finds as soon as it finds something.

    Raises:
        DemoFailed: it found nothing in that time.
    """
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise DemoFailed(f"waited {seconds:.0f} s in vain for: {what}")
        time.sleep(every)


def free_port() -> int:
    """Return a port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def empty_folder(folder: Path) -> None:
    """Make the folder anew; what an earlier demo left in it goes, anything else is not touched.

    Raises:
        DemoFailed: the folder holds something that no demo has put there.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise DemoFailed(f"{folder} is not empty and not from an earlier demo; remove it yourself")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


class Stage:
    """Starts the processes, watches them and ends exactly those again.

    Attributes:
        folder: everything that the demo writes.
        crowd: how many made-up learners fill the sandbox before it opens.
        web, bank: addresses, once started.
    """

    def __init__(self, folder: Path, *, crowd: int = 0):
        self.folder = folder
        self.crowd = crowd
        self.web = ""
        self.bank = ""
        self._processes: dict[str, subprocess.Popen] = {}
        self._environment = self._clean_environment()

    def _clean_environment(self) -> dict[str, str]:
        """Return an environment in which only the sandbox comes from the sources.

        The suite is imported from where pip has installed it, so that a template or a sample that is
        missing in the package is missed here.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO")}
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "sandbox.settings",
            "MICROCRED_SANDBOX_DIR": str(self.folder / "run"),
            "PYTHONPATH": str(self.folder / "run" / "path"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def __enter__(self) -> Stage:
        try:
            self._prepare()
            self._start_bank()
            self._start_web()
            self._start("worker", "sandbox.manage", "microcred_sweep", "--loop", "--interval", "0.5")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_error) -> None:
        self.stop()

    def stop(self) -> None:
        """End the processes that this object has started, by their ids."""
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def check(self) -> None:
        """Raise DemoFailed if a process has ended by itself."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise DemoFailed(f"the {name} ended by itself ({process.returncode}): {self.log_tail(name)}")

    def log(self, name: str) -> Path:
        """Return the file into which a process writes."""
        return self.folder / "log" / f"{name}.log"

    def log_tail(self, name: str, lines: int = 12) -> str:
        """Return the last lines that a process has written."""
        file = self.log(name)
        text = file.read_text("utf-8", "replace") if file.exists() else ""
        return "\n".join(["", *text.splitlines()[-lines:]])

    def manage(self, *arguments: str) -> None:
        """Run a management command of the sandbox to its end.

        Raises:
            DemoFailed: it did not succeed.
        """
        name = arguments[0]
        with self.log(name).open("w") as log:
            done = subprocess.run(
                self._command("sandbox.manage", *arguments),
                env=self._environment,
                cwd=self.folder / "run",
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=600,
                check=False,
            )
        if done.returncode:
            raise DemoFailed(f"{name} did not succeed: {self.log_tail(name, 30)}")

    def _prepare(self) -> None:
        empty_folder(self.folder)
        for name in ("run/path", "log"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "run" / "path" / "sandbox").symlink_to(ROOT / "sandbox", target_is_directory=True)
        self.manage("sandbox_load")
        if self.crowd:
            self.manage("sandbox_crowd", "--learners", str(self.crowd))

    def _start_bank(self) -> None:
        secrets = json.loads((self.folder / "run" / "secrets.json").read_text("utf-8"))
        self._environment["SANDBOX_BANK_SECRET"] = secrets["bank_secret"]
        folder = str(self.folder / "bank")
        self._start("bank", "sandbox.bank", "--port", "0", "--data", folder, "--key-id", "sandbox")

        def address() -> str | None:
            self.check()
            found = re.search(r"ready at (http://\S+)", self.log("bank").read_text("utf-8"))
            return found[1] if found else None

        self.bank = wait_for("the credit bank to start", address, every=0.05)
        self._environment["MICROCRED_SANDBOX_BANK_URL"] = self.bank

    def _start_web(self) -> None:
        port = int(os.environ.get("PORT", 0)) or free_port()
        self.web = f"http://127.0.0.1:{port}"
        self._environment["MICROCRED_SANDBOX_PUBLIC_URL"] = self.web
        self._start("web", "sandbox.manage", "runserver", "--noreload", f"127.0.0.1:{port}")

        def answers() -> bool:
            self.check()
            try:
                return requests.get(f"{self.web}/login/", timeout=5).ok
            except requests.ConnectionError:
                return False

        wait_for("the web server to start", answers, every=0.1)

    def _command(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", module, *arguments]

    def _start(self, name: str, module: str, *arguments: str) -> None:
        with self.log(name).open("w") as log:
            self._processes[name] = subprocess.Popen(
                self._command(module, *arguments),
                env=self._environment,
                cwd=self.folder / "run",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the demo, which then ends them in order.
                start_new_session=True,
            )
