"""``manage.py microcred_endorse``: endorsements of achievements by partners, signed by their keys."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mooc_microcred.core.errors import MicrocredError
from mooc_microcred.core.roles import Actor
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials.data import EndorsementData


class Command(BaseCommand):
    """Make, list and withdraw endorsements."""

    help = (
        "make: sign an endorsement with the key of a partner, who stands in the catalogue as an issuer. Do "
        "so on the partner's written word only. list: those of an achievement. withdraw: take one back."
    )

    def add_arguments(self, parser):
        """Declare the actions."""
        actions = parser.add_subparsers(dest="action", required=True)
        make = actions.add_parser("make")
        make.add_argument("partner", help="code of the partner's issuer profile")
        make.add_argument("achievement", help="code")
        make.add_argument("--th", default="", help="what the partner says, in Thai")
        make.add_argument("--en", default="", help="what the partner says, in English")
        actions.add_parser("list").add_argument("achievement", help="code")
        actions.add_parser("withdraw").add_argument("endorsement", help="uuid")

    def handle(self, *args, **options):
        """Do it and show the endorsements concerned."""
        # Who may run commands on the server may do everything; the audit log names nobody then.
        operator = Actor(user_id=None, superuser=True)
        try:
            if options["action"] == "make":
                comment = {name: options[name] for name in ("th", "en") if options[name]}
                self._show(
                    credentials.endorse(
                        actor=operator,
                        endorser_code=options["partner"],
                        achievement_code=options["achievement"],
                        comment=comment,
                    )
                )
            elif options["action"] == "list":
                for one in credentials.list_endorsements(achievement_code=options["achievement"]):
                    self._show(one)
            else:
                self._show(credentials.withdraw_endorsement(actor=operator, uuid=options["endorsement"]))
        except MicrocredError as error:
            raise CommandError(error.message) from None

    def _show(self, one: EndorsementData) -> None:
        withdrawn = _("withdrawn") if one.withdrawn_at else ""
        self.stdout.write(f"{one.uuid}\t{one.endorser}\t{one.achievement}\t{withdrawn}")
