"""``manage.py microcred_identity``: after a change of keys, bring what is stored up to date."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.identity import renew_identities
from mooc_microcred.core.models import LearnerIdentity


class Command(BaseCommand):
    """Renew the encryption or the keyed hashes of verified identities, in chunks."""

    help = (
        "reencrypt: encrypt all identities with the newest of ENCRYPTION_KEYS, so that older keys can go. "
        "rehash: compute all look-up hashes with the present IDENTITY_HASH_KEY."
    )

    def add_arguments(self, parser):
        """Declare the action and the size of a chunk."""
        parser.add_argument("action", choices=["reencrypt", "rehash"])
        parser.add_argument("--chunk", type=int, default=500, help="rows per transaction (default 500)")
        parser.add_argument(
            "--after",
            type=int,
            default=0,
            metavar="ID",
            help="go on after this row, as an interrupted run says",
        )

    def handle(self, *args, **options):
        """Walk through all identities by ascending id; say where it stopped."""
        if not 1 <= options["chunk"] <= 1000:
            raise CommandError(_("--chunk must be from 1 to 1000."))
        if not microcred_settings.ENCRYPTION_KEYS:
            raise CommandError(_("MOOC_MICROCRED['ENCRYPTION_KEYS'] is empty."))
        after = options["after"]
        renewed = 0
        unreadable: list[int] = []
        doubled: list[int] = []
        bar = tqdm(
            total=LearnerIdentity.objects.filter(pk__gt=after).count(),
            desc=options["action"],
            disable=not sys.stderr.isatty(),
        )
        try:
            while True:
                chunk = renew_identities(action=options["action"], after=after, limit=options["chunk"])
                if chunk.last is None:
                    break
                after = chunk.last
                renewed += chunk.renewed
                unreadable += chunk.unreadable
                doubled += chunk.doubled
                bar.update(chunk.seen)
        except KeyboardInterrupt:
            raise CommandError(
                _("Stopped after %(count)d. Go on with: --after %(id)s") % {"count": renewed, "id": after}
            ) from None
        finally:
            bar.close()
        self.stdout.write(_("Renewed: %(count)d.") % {"count": renewed})
        if unreadable or doubled:
            raise CommandError("\n".join(_complaints(unreadable, doubled)))


def _complaints(unreadable: list[int], doubled: list[int]) -> Iterator[str]:
    if unreadable:
        yield _(
            "%(count)d identities cannot be decrypted with the keys that are set (ids %(ids)s). Put the "
            "former key behind the new one in ENCRYPTION_KEYS and run again."
        ) % {"count": len(unreadable), "ids": _first(unreadable)}
    if doubled:
        yield _(
            "%(count)d identities have a number that was recorded again since the key changed (ids "
            "%(ids)s). An identity verifier must decide which one is right."
        ) % {"count": len(doubled), "ids": _first(doubled)}


def _first(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:10])) + (" …" if len(ids) > 10 else "")
