"""A learner's credentials to take along: pages of signed documents for a backpack, and one bundle."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mooc_microcred.core import clock
from mooc_microcred.core.crypto import keyed_hash
from mooc_microcred.credentials.kept import Kind, kept_documents
from mooc_microcred.credentials.models import Credential
from mooc_microcred.credentials.pages import reading

# Credentials of one learner in a bundle, the newest.
MAX_BUNDLE = 2_000
_README = """These are your credentials, as they were signed (Open Badges 3.0).

Each file in credentials/ can be checked by any verifier of Open Badges 3.0; records/ holds the
Comprehensive Learner Records (CLR 2.0) of your programmes. manifest.json lists the files with their
SHA-256 and says what was valid on the day of the download; whether they still are, a verifier says.

ไฟล์เหล่านี้คือใบรับรองของท่านตามที่ลงลายมือชื่อไว้ (Open Badges 3.0) ตรวจสอบได้ด้วยโปรแกรมตรวจสอบ Open Badges 3.0
"""


def credentials_of(*, learner_id: int):
    """Return the query of a learner's credentials that their platform shows, without replaced ones."""
    return reading.credential_rows().filter(
        learner_id=learner_id, live=True, award__published_at__isnull=False
    )


def signed_documents(
    *, learner_id: int, since: datetime | None = None, offset: int = 0, limit: int = 50
) -> tuple[int, list[Mapping[str, Any]]]:
    """Return (how many there are, some of the signed documents), the newest first. Constant queries.

    Args:
        since: only those signed at that instant or later.
    """
    rows = Credential.objects.filter(
        learner_id=learner_id, live=True, award__published_at__isnull=False
    ).exclude(award__state="revoked")
    if since is not None:
        rows = rows.filter(signed_at__gte=since)
    total = rows.count()
    uuids = list(rows.order_by("-pk").values_list("uuid", flat=True)[offset : offset + limit])
    found = kept_documents(uuids=uuids)
    return total, [json.loads(found[one]) for one in uuids if one in found]


def profile_id(*, learner_id: int) -> str:
    """Return a stable UUID of a learner that says nothing of who they are."""
    digest = keyed_hash("wallet.profile", str(learner_id))
    return str(uuid.UUID(bytes=hashlib.sha256(digest.encode()).digest()[:16], version=4))


def bundle(*, learner_id: int) -> bytes:
    """Return a ZIP of a learner's signed documents with a manifest. Constant queries."""
    rows = list(credentials_of(learner_id=learner_id).order_by("-pk")[:MAX_BUNDLE])
    documents = kept_documents(uuids=[row.uuid for row in rows])
    records = kept_documents(uuids=[row.uuid for row in rows], kind=Kind.RECORD)
    now = clock.now()
    files: dict[str, bytes] = {}
    told = []
    for row in rows:
        if row.uuid not in documents:
            continue
        name = f"credentials/{row.award.version.achievement.code}-{row.uuid[:8]}.json"
        files[name] = documents[row.uuid]
        if row.uuid in records:
            files[name.replace("credentials/", "records/")] = records[row.uuid]
        told.append(
            {
                "file": name,
                "id": reading.absolute(reading.page_path(row.uuid)),
                "name": row.award.version.definition["name"],
                "state": reading.state_of(row, now)[0],
            }
        )
    manifest = {
        "made": now.isoformat(),
        "credentials": told,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    files["manifest.json"] = json.dumps(manifest, ensure_ascii=False, indent=2).encode()
    files["README.txt"] = _README.encode()
    return _zipped(files, now)


def _zipped(files: Mapping[str, bytes], now: datetime) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, now.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()
