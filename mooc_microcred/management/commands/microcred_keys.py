"""``manage.py microcred_keys``: the signing keys of issuers. A private key is never shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mooc_microcred.core.errors import MicrocredError
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials.data import KeyData
from mooc_microcred.credentials.signers import KeyUnusable


class Command(BaseCommand):
    """List, make, rotate and revoke keys; encrypt them anew."""

    help = (
        "list: all keys, or those of an issuer. create: the first key of an issuer (its first credential "
        "makes it too). rotate: a new key signs from now on, what the old one signed stays valid. revoke: a "
        "key may be in other hands; nothing that it signed is to be trusted. reencrypt: encrypt all private "
        "keys with the newest of ISSUER_KEY_ENCRYPTION_KEYS."
    )

    def add_arguments(self, parser):
        """Declare the actions."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list").add_argument("issuer", nargs="?", default="")
        for name in ("create", "rotate"):
            actions.add_parser(name).add_argument("issuer")
        revoke = actions.add_parser("revoke")
        revoke.add_argument("issuer")
        revoke.add_argument("number", type=int)
        revoke.add_argument("--since", type=_instant, help="ISO 8601; default: the key's first day")
        actions.add_parser("reencrypt")

    def handle(self, *args, **options):
        """Do it and show the keys concerned."""
        try:
            self._act(options)
        except MicrocredError as error:
            raise CommandError(error.message) from None
        except (KeyUnusable, ValueError) as error:
            raise CommandError(str(error)) from None

    def _act(self, options: dict[str, Any]) -> None:
        action = options["action"]
        if action == "list":
            for key in credentials.list_keys(issuer_code=options["issuer"]):
                self._show(key)
        elif action == "create":
            self._show(credentials.create_key(issuer_code=options["issuer"]))
        elif action == "rotate":
            self._show(credentials.rotate_key(issuer_code=options["issuer"]))
        elif action == "revoke":
            self._show(
                credentials.revoke_key(
                    issuer_code=options["issuer"], number=options["number"], since=options["since"]
                )
            )
            for key in credentials.list_keys(issuer_code=options["issuer"])[-1:]:
                self._show(key)
        else:
            self.stdout.write(_("Encrypted anew: %(count)d.") % {"count": credentials.reencrypt_keys()})

    def _show(self, key: KeyData) -> None:
        since = f" {key.revoked_from:%Y-%m-%dT%H:%M:%SZ}" if key.revoked_from else ""
        self.stdout.write(f"{key.issuer}\tkey-{key.number}\t{key.state}{since}\t{key.public_key}")


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
