"""The independent verifier of tests/node_verifier, run as one process for many documents.

Needs Node 20 or later and npm. Its packages are installed once, from its lock file, below
build/node_verifier/.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from mooc_microcred.credentials import contexts
from tests.support.node import node_tools

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "tests" / "node_verifier"
CONTEXTS = ROOT / "mooc_microcred" / "credentials" / "jsonld_contexts"


def installed() -> Path:
    """Return the folder with the verifier and its packages; skip the test where Node is not."""
    folder = node_tools(SOURCE, "the independent verifier")
    shutil.copy(SOURCE / "verify.mjs", folder / "verify.mjs")
    return folder


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
