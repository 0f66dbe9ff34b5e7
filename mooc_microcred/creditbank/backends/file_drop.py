"""File drop: a CSV of messages and a manifest with hashes, laid into a Django storage.

The manifest is written last and never overwritten: it is what commits a drop. A CSV carries the
beginning of its own hash in its name, so a manifest never names a file whose content changed.
See docs/reference/bank-protocol.md.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from mooc_microcred.core.cells import neutralised
from mooc_microcred.core.storage import private_storage
from mooc_microcred.creditbank.backends import (
    Absent,
    HandedOver,
    LeftReceipt,
    Outcome,
    Parcel,
    ReceiptFile,
    Received,
    Refused,
    TryLater,
)
from mooc_microcred.creditbank.data import Bank

log = logging.getLogger(__name__)

COLUMNS = (
    "key", "record", "sequence", "kind", "reason", "supersedes",
    "identity_kind", "identity_number", "learner_name",
    "award", "achievement", "achievement_version", "achievement_kind", "name_th", "name_en",
    "issuer", "issuer_name_th", "issuer_name_en", "issuer_country", "organization", "course",
    "issued_at", "expires_at", "includes",
    "method", "credits", "hours", "nqf_level",
    "outcomes_knowledge", "outcomes_skills", "outcomes_ethics", "outcomes_character",
    "assessment_types", "participation", "supervision", "quality_assurance",
    "evidence", "body_sha256",
)  # fmt: skip

MAX_RECEIPT_FILE = 10 * 1024 * 1024
_OPTIONS = {"storage", "folder"}
_FOLDER = re.compile(r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$")
_ERROR_CODE = re.compile(r"^[a-z0-9_]{1,40}$")
_RECEIPT = re.compile(r"^[\x21-\x7e]{1,255}$")


class FileDropBackend:
    """A bank that fetches files and leaves receipts.

    Options: ``storage`` (an alias in STORAGES or a dotted path; the private storage by default),
    ``folder`` (below which everything lies; the bank's code by default).
    """

    batch = 500

    def __init__(self, bank: Bank):
        problems = list(self.check_options(bank.options))
        if problems:
            raise ValueError(f"bank {bank.code}: options {', '.join(key for key, __ in problems)} are wrong")
        self._bank = bank.code
        self._folder = bank.options.get("folder") or bank.code
        self._storage = _open_storage(bank.options.get("storage"))

    @staticmethod
    def check_options(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield (option, message) for everything that is wrong."""
        for key in sorted(set(map(str, options)) - _OPTIONS):
            yield key, _("is not an option of this back end")
        name = options.get("storage")
        if name is not None:
            if name in ("default", "staticfiles"):
                yield "storage", _("must be a private storage, not the one of public media or static files")
            elif not isinstance(name, str) or not _storage_exists(name):
                yield "storage", _("is neither an alias in STORAGES nor the dotted path of a storage")
        folder = options.get("folder", "drop")
        if not isinstance(folder, str) or not _FOLDER.match(folder):
            yield "folder", _("must be a relative path of letters, digits, hyphens, underscores and dots")

    def deliver(self, parcels: Sequence[Parcel], *, now: datetime) -> Iterator[tuple[str, Outcome]]:
        """Write one CSV and one manifest for each drop; yield the parcels' outcomes."""
        drops: dict[str, list[Parcel]] = defaultdict(list)
        for parcel in parcels:
            drops[parcel.drop_file].append(parcel)
        for drop, members in drops.items():
            committed, error = self._commit(drop, members)
            for parcel in members:
                yield parcel.key, _outcome_of(parcel.key, committed, error)

    def inquire(self, parcels: Sequence[Parcel], *, now: datetime) -> Iterator[tuple[str, Outcome]]:
        """Say of each parcel whether a manifest has committed it."""
        for parcel in parcels:
            try:
                committed = self._committed_keys(parcel.drop_file)
            except Exception as error:  # noqa: BLE001 every storage has its own errors
                yield parcel.key, TryLater(_storage_error(error), in_doubt=False)
                continue
            yield parcel.key, HandedOver() if committed and parcel.key in committed else Absent()

    def read_receipts(self) -> Iterator[ReceiptFile]:
        """Yield the JSON files in the folder ``receipts``, in the order of their names."""
        folder = self._path("receipts")
        try:
            names = sorted(self._storage.listdir(folder)[1])
        except FileNotFoundError:
            return
        for name in names:
            if name.endswith(".json"):
                yield self._read_receipt_file(name)

    def put_away(self, file: ReceiptFile) -> None:
        """Move the file to ``receipts/done``, or ``receipts/unreadable`` where it is no list of receipts."""
        source = self._path("receipts", file.name)
        target = self._path("receipts", "done" if file.readable else "unreadable", file.name)
        if not self._storage.exists(source):
            return
        with self._storage.open(source, "rb") as stream:
            content = stream.read(MAX_RECEIPT_FILE)
        if not self._storage.exists(target):
            self._storage.save(target, ContentFile(content))
        self._storage.delete(source)

    # --- drops ---

    def _path(self, *parts: str) -> str:
        return posixpath.join(self._folder, *parts)

    def _committed_keys(self, drop: str) -> set[str] | None:
        """Return the keys that the manifest of a drop names; None where there is no whole manifest."""
        path = self._path(f"{drop}.manifest.json")
        if not drop or not self._storage.exists(path):
            return None
        with self._storage.open(path, "rb") as stream:
            content = stream.read()
        try:
            return {key for file in json.loads(content)["files"] for key in file["keys"]}
        except (ValueError, KeyError, TypeError):
            # A process died in the middle of writing it; half a manifest commits nothing.
            return None

    def _commit(self, drop: str, members: Sequence[Parcel]) -> tuple[set[str] | None, str]:
        """Write a drop unless it is committed already; return its keys (None: not known) and an error."""
        try:
            committed = self._committed_keys(drop)
            if committed is not None:
                return committed, ""
            content = render_csv(members)
            digest = hashlib.sha256(content).hexdigest()
            name = f"{drop}-{digest[:16]}.csv"
            self._write(name, content, replace=True)
            manifest = {
                "protocol": 1,
                "bank": self._bank,
                "drop": drop,
                "files": [
                    {
                        "name": name,
                        "sha256": digest,
                        "bytes": len(content),
                        "rows": len(members),
                        "encoding": "utf-8-sig",
                        "keys": sorted(parcel.key for parcel in members),
                    }
                ],
            }
            text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode()
            self._write(f"{drop}.manifest.json", text, replace=self._committed_keys(drop) is None)
        except Exception as error:  # noqa: BLE001 every storage has its own errors
            log.warning("credit bank %s: drop %s: %s", self._bank, drop, _storage_error(error))
            return self._after_failure(drop), _storage_error(error)
        # Read back: somebody else may have committed the drop first.
        return self._committed_keys(drop), ""

    def _after_failure(self, drop: str) -> set[str] | None:
        try:
            return self._committed_keys(drop) or set()
        except Exception:  # noqa: BLE001 the storage is away: whether it has the manifest is not known
            return None

    def _write(self, name: str, content: bytes, *, replace: bool) -> None:
        """Save under exactly that name; where it exists, replace it or leave it."""
        path = self._path(name)
        if replace and self._storage.exists(path):
            self._storage.delete(path)
        saved = self._storage.save(path, ContentFile(content))
        if posixpath.normpath(saved.replace("\\", "/")) != posixpath.normpath(path):
            # A storage renames what would overwrite: the other writer's file stands.
            self._storage.delete(saved)

    # --- receipts ---

    def _read_receipt_file(self, name: str) -> ReceiptFile:
        try:
            with self._storage.open(self._path("receipts", name), "rb") as stream:
                content = stream.read(MAX_RECEIPT_FILE + 1)
            if len(content) > MAX_RECEIPT_FILE:
                raise ValueError("too long")
            return ReceiptFile(name, [_parse_receipt(line) for line in json.loads(content)["receipts"]])
        except (ValueError, KeyError, TypeError, RecursionError):
            return ReceiptFile(name, (), readable=False)


def _outcome_of(key: str, committed: set[str] | None, error: str) -> Outcome:
    if committed is None:
        return TryLater(error or "storage", in_doubt=True, bank_away=True)
    if key in committed:
        return HandedOver()
    # The manifest stands without this message: it goes with another drop.
    return TryLater(error or "drop_closed", in_doubt=False)


def _parse_receipt(line: Mapping[str, Any]) -> LeftReceipt:
    key, status = line["key"], line["status"]
    if not isinstance(key, str):
        raise TypeError("key")
    if status == "received":
        if not _RECEIPT.match(line["receipt"]):
            raise ValueError("receipt")
        return LeftReceipt(key, Received(line["receipt"]))
    if status == "refused":
        error = line.get("error", "")
        code = f"refused_{error}" if isinstance(error, str) and _ERROR_CODE.match(error) else "refused"
        return LeftReceipt(key, Refused(code))
    raise ValueError("status")


def _storage_error(error: Exception) -> str:
    return f"storage_{type(error).__name__}"[:60]


def _storage_exists(name: str) -> bool:
    if "." not in name:
        return name in django_settings.STORAGES
    try:
        return issubclass(import_string(name), Storage)
    except (ImportError, TypeError):
        return False


def _open_storage(name: str | None) -> Storage:
    if name is None:
        return private_storage()
    return import_string(name)() if "." in name else storages[name]


def render_csv(parcels: Sequence[Parcel]) -> bytes:
    """Return the CSV of parcels, UTF-8 with BOM (Thai Excel needs it), one row each, sorted by key."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for parcel in sorted(parcels, key=lambda one: one.key):
        row = _row(json.loads(parcel.body)) | {"body_sha256": parcel.body_sha256}
        writer.writerow([neutralised(row.get(column)) for column in COLUMNS])
    return stream.getvalue().encode("utf-8-sig")


def _row(body: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: body[name] for name in ("key", "record", "sequence", "kind", "reason", "supersedes")}
    if body["kind"] == "reverse":
        return row
    learner, award, credit = body["learner"], body["award"], body["credit"]
    assessment = body["assessment"]
    return row | {
        "identity_kind": learner["identity"]["kind"],
        "identity_number": learner["identity"]["number"],
        "learner_name": learner["name"],
        "award": award["uuid"],
        "achievement": award["achievement"],
        "achievement_version": award["version"],
        "achievement_kind": award["kind"],
        "name_th": award["name"].get("th"),
        "name_en": award["name"].get("en"),
        "issuer": award["issuer"]["code"],
        "issuer_name_th": award["issuer"]["name"].get("th"),
        "issuer_name_en": award["issuer"]["name"].get("en"),
        "issuer_country": award["issuer"]["country"],
        "organization": award["organization"],
        "course": award["course"],
        "issued_at": award["issued_at"],
        "expires_at": award["expires_at"],
        "includes": " ".join(award["includes"]),
        "method": credit["method"],
        "credits": credit["credits"],
        "hours": credit["hours"],
        "nqf_level": credit["nqf_level"],
        **{
            f"outcomes_{domain}": json.dumps(texts, ensure_ascii=False) if texts else ""
            for domain, texts in body["outcomes"].items()
        },
        "assessment_types": " ".join(assessment["types"]),
        "participation": assessment["participation"],
        "supervision": assessment["supervision"],
        "quality_assurance": assessment["quality_assurance"],
        "evidence": " ".join(body["evidence"]["references"]),
    }
