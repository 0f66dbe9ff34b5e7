"""The JSON-LD contexts that come with the package, and the loader that knows no others.

Nothing is ever fetched: what a context says decides what is signed, so it must be the very text
that everybody else uses (W3C VC Data Model 2.0, appendix B.1, gives its hash).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from pyld import jsonld

from mooc_microcred.credentials.addresses import OWN_CONTEXT_PATH

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OPEN_BADGES_EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
LEARNER_RECORD = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
OPEN_BADGES_2 = "https://w3id.org/openbadges/v2"
DID = "https://www.w3.org/ns/did/v1"
MULTIKEY = "https://w3id.org/security/multikey/v1"

#: Address of each bundled context, and its file below jsonld_contexts/.
FILES: Mapping[str, str] = {
    CREDENTIALS_V2: "credentials-v2.jsonld",
    "https://www.w3.org/2018/credentials/v1": "credentials-v1.jsonld",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": "ob-3.0.1.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": "ob-3.0.2.json",
    OPEN_BADGES: "ob-3.0.3.json",
    OPEN_BADGES_EXTENSIONS: "ob-extensions.json",
    LEARNER_RECORD: "clr-2.0.1.json",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2.jsonld",
    DID: "did-v1.jsonld",
    MULTIKEY: "multikey-v1.jsonld",
}
OWN_FILE = "microcred-v1.jsonld"


@cache
def context_bytes(file_name: str) -> bytes:
    """Return a bundled context as it is published, byte for byte."""
    return resources.files("mooc_microcred.credentials.jsonld_contexts").joinpath(file_name).read_bytes()


@cache
def _context(file_name: str) -> Mapping[str, Any]:
    return json.loads(context_bytes(file_name))


def bundled_context(url: str) -> Mapping[str, Any] | None:
    """Return the context of an address, or None; callers never change it.

    Our own context is known at every host: whoever runs the suite publishes the same bytes under
    the same path (ADR 0016). A host that publishes others fools nobody: the signatures that it
    makes with them are wrong here.
    """
    file_name = FILES.get(url)
    if file_name is None:
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        if (
            parts.scheme not in ("http", "https")
            or parts.path != OWN_CONTEXT_PATH
            or parts.query
            or parts.fragment
        ):
            return None
        file_name = OWN_FILE
    return _context(file_name)


def bundled_loader() -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    """Return a pyld document loader that gives bundled contexts and refuses everything else."""

    def load(url: str, _options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        found = bundled_context(url)
        if found is None:
            raise jsonld.JsonLdError(
                "This context is not bundled, and none is fetched.",
                "jsonld.LoadDocumentError",
                {"url": url},
                code="loading document failed",
            )
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": json.loads(json.dumps(found)),
            "tag": "static",
        }

    return load
