"""``manage.py microcred_export_learner``: everything that is held of a learner, as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mooc_microcred.core.audit import log_action
from mooc_microcred.core.data_export import export_learner
from mooc_microcred.core.platform import PlatformUnavailable, get_platform


class Command(BaseCommand):
    """For a request of access (PDPA section 30). Leaves a line in the audit log.

    A file is made readable for its owner only, and never written over.
    """

    help = "Writes what mooc-microcred holds of a learner as JSON, to a new file or to standard output."

    def add_arguments(self, parser):
        """Declare whose data, and where it goes."""
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--username")
        who.add_argument("--user-id", type=int, help="also of a learner who was retired")
        parser.add_argument("--output", metavar="FILE", type=Path, help="a new file, with mode 0600")

    def handle(self, *args, **options):
        """Export and write."""
        learner_id = options["user_id"]
        if learner_id is None:
            learner_id = self._learner_named(options["username"])
        output: Path | None = options["output"]
        if output is not None and output.exists():
            raise CommandError(_("%(file)s exists already. Name a new file.") % {"file": output})
        log_action(actor_id=None, action="learner.exported", object_type="learner", object_id=learner_id)
        found = export_learner(learner_id=learner_id)
        text = json.dumps(found, ensure_ascii=False, indent=2)
        if output is None:
            self.stdout.write(text)
            return
        try:
            # The mode at its making: no moment in which others could read it.
            handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text + "\n")
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be written: %(error)s") % {"file": output, "error": error.strerror}
            ) from None
        self.stdout.write(_("Written to %(file)s.") % {"file": output})

    def _learner_named(self, username: str) -> int:
        try:
            found = get_platform().find_learners(usernames=[username])
        except PlatformUnavailable as error:
            raise CommandError(
                _("The platform cannot be read now: %(error)s. Nothing is lost; run again later.")
                % {"error": error}
            ) from None
        named = [one for one in found if one.username.casefold() == username.casefold()]
        if not named:
            raise CommandError(_("The platform has no user of this name."))
        return named[0].learner_id
