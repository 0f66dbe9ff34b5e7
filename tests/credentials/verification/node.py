"""The independent verifier of tests/node_verifier, run as one process for many documents.

Needs Node 20 or later and npm. Its packages are installed once, from its lock file, below
build/node_verifier/.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mooc_microcred.credentials import contexts

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "tests" / "node_verifier"
CONTEXTS = ROOT / "mooc_microcred" / "credentials" / "jsonld_contexts"
MINIMUM = 20


def installed() -> Path:
    """Return the folder with the verifier and its packages; skip the test where Node is not."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        _absent("Node and npm are not installed: the independent verifier did not run")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < MINIMUM:
        pytest.skip(f"the independent verifier needs Node {MINIMUM} or later, not {version.strip()}")
    lock = (SOURCE / "package-lock.json").read_bytes()
    folder = ROOT / "build" / "node_verifier" / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "ready").exists():
        _install(npm, folder)
    shutil.copy(SOURCE / "verify.mjs", folder / "verify.mjs")
    return folder


def _absent(reason: str) -> None:
    # .ci/run installs Node: there its absence is a failure.
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _install(npm: str, folder: Path) -> None:
    """Install into a folder of its own and move it: two test processes may want it at once."""
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, making)
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
        _absent(f"npm could not install the independent verifier: {done.stderr[-500:]}")
    (making / "ready").touch()
    try:
        making.rename(folder)
    except OSError:
        shutil.rmtree(making, ignore_errors=True)


def verify_elsewhere(
    items: list[dict[str, Any]], *, documents: dict[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """Return what the independent verifier says of each item, by its name.

    Args:
        items: ``name`` and ``credential`` or ``jwt``; ``now`` (ISO 8601) and ``documents`` if others.
        documents: DID documents and status lists by address, as they are published.
    """
    files = {address: str(CONTEXTS / name) for address, name in contexts.FILES.items()}
    files[contexts_own_address()] = str(CONTEXTS / contexts.OWN_FILE)
    done = subprocess.run(
        ["node", "verify.mjs"],
        cwd=installed(),
        input=json.dumps({"contexts": files, "documents": documents or {}, "items": items}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = json.loads(done.stdout)
    assert [one["name"] for one in answers] == [one["name"] for one in items]
    return {one["name"]: one for one in answers}


def contexts_own_address() -> str:
    """Return the address of our own context in the tests."""
    from mooc_microcred.credentials.addresses import own_context_url

    return own_context_url()
