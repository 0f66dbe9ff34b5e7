"""``manage.py microcred_export_credentials``: what was signed, as files that any verifier can read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from tqdm import tqdm

from mooc_microcred.core.errors import MicrocredError
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials.contexts import OWN_FILE, context_bytes
from mooc_microcred.credentials.kept import Kind, kept_documents
from mooc_microcred.credentials.models import Credential, Endorsement, IssuerKey, StatusList
from mooc_microcred.credentials.status.entries import PURPOSES
from mooc_microcred.credentials.status.lists import published_list, revocations

_CHUNK = 200


class Command(BaseCommand):
    """Write every signed credential (JSON-LD and JWT), DID documents and status lists below a folder."""

    help = (
        "Writes <uuid>.json and .jwt, <uuid>.record.json and .jwt of programmes, issuers/<code>/did.json and "
        "revocations.json, status/<list>/<purpose>.json, endorsements/<uuid>.json, contexts/v1.jsonld. The "
        "files hold hashed e-mail addresses and results: keep them like personal data."
    )

    def add_arguments(self, parser):
        """Declare the folder and the issuer."""
        parser.add_argument("--to", required=True, metavar="FOLDER", type=Path)
        parser.add_argument("--issuer", default="", help="only what this issuer has signed")

    def handle(self, *args, **options):
        """Write everything; what is there is written over."""
        self.folder: Path = options["to"]
        which: dict[str, Any] = {"issuer__code": options["issuer"]} if options["issuer"] else {}
        count = self._credentials(which)
        keys = IssuerKey.objects.filter(**which).order_by("issuer__code")
        for code in keys.values_list("issuer__code", flat=True).distinct():
            self._write(f"issuers/{code}/did.json", _json(credentials.did_document(issuer_code=code)))
            self._write(f"issuers/{code}/revocations.json", _json(revocations(issuer_code=code)))
        for code in StatusList.objects.filter(**which).order_by("pk").values_list("code", flat=True):
            for purpose in PURPOSES:
                found = published_list(code=code, purpose=purpose)
                if found is not None:
                    self._write(f"status/{code}/{purpose}.json", found.body)
        endorsers = {"endorser__code": options["issuer"]} if options["issuer"] else {}
        for uuid, body in Endorsement.objects.filter(**endorsers).values_list("uuid", "body"):
            self._write(f"endorsements/{uuid}.json", body.encode())
        self._write("contexts/v1.jsonld", context_bytes(OWN_FILE))
        self.stdout.write(
            _("Credentials: %(count)d. They are in %(folder)s.") % {"count": count, "folder": self.folder}
        )

    def _credentials(self, which: dict[str, Any]) -> int:
        rows = Credential.objects.filter(**which).order_by("pk")
        bar = tqdm(total=rows.count(), disable=not sys.stderr.isatty())
        after, count = 0, 0
        while chunk := list(rows.filter(pk__gt=after).values_list("pk", "uuid")[:_CHUNK]):
            uuids = [uuid for _pk, uuid in chunk]
            records = kept_documents(uuids=uuids, kind=Kind.RECORD)
            for uuid, body in kept_documents(uuids=uuids).items():
                self._write(f"{uuid}.json", body)
                self._jwt(uuid)
                count += 1
                if uuid in records:
                    self._write(f"{uuid}.record.json", records[uuid])
                    self._jwt(uuid, record=True)
            after = chunk[-1][0]
            bar.update(len(chunk))
        bar.close()
        return count

    def _jwt(self, uuid: str, *, record: bool = False) -> None:
        name = f"{uuid}.record.jwt" if record else f"{uuid}.jwt"
        try:
            self._write(name, credentials.signed_jwt(uuid=uuid, record=record).encode())
        except MicrocredError as error:
            # Its key was revoked: the JSON-LD is there, and says so to who checks it.
            self.stderr.write(f"{uuid}: {error.message}")

    def _write(self, name: str, content: bytes) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"
