"""``manage.py microcred_doctor``: what is configured, what is missing, what waits."""

from __future__ import annotations

import json
import os
import sys

from django.core.management.base import BaseCommand
from django.utils import translation
from django.utils.translation import gettext as _

from mooc_microcred.core.doctor import Level, Section, as_document, examine, is_wrong

SIGNS = {Level.FINE: "✓", Level.NOTE: "·", Level.WARNING: "!", Level.WRONG: "✗"}


class Command(BaseCommand):
    """Examine the suite; exit 1 when something is wrong."""

    help = "Says what is configured, what is missing, what waits and for how long; exit code 1 if wrong."
    # The doctor runs the checks itself: a failing one is a finding, not the end.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser):
        """Declare --json and --language."""
        parser.add_argument("--json", action="store_true", help="for machines")
        parser.add_argument(
            "--language", choices=["th", "en"], help="of the sentences; default: what LANG says"
        )

    def handle(self, *args, **options):
        """Print the findings."""
        with translation.override(options["language"] or _language_of_the_shell()):
            sections = examine()
            if options["json"]:
                self.stdout.write(json.dumps(as_document(sections), ensure_ascii=False, indent=2))
            else:
                self._print(sections)
        if is_wrong(sections):
            sys.exit(1)

    def _print(self, sections: list[Section]) -> None:
        paint = {
            Level.FINE: self.style.SUCCESS,
            Level.NOTE: lambda text: text,
            Level.WARNING: self.style.WARNING,
            Level.WRONG: self.style.ERROR,
        }
        for section in sections:
            self.stdout.write(self.style.MIGRATE_HEADING(section.title))
            for finding in section.findings:
                self.stdout.write(paint[finding.level](f"  {SIGNS[finding.level]} {finding.message}"))
                if finding.hint:
                    self.stdout.write(f"      {finding.hint}")
        verdict = (
            self.style.ERROR(_("Something is wrong; see the lines with ✗."))
            if is_wrong(sections)
            else self.style.SUCCESS(_("Nothing is wrong."))
        )
        self.stdout.write(verdict)


def _language_of_the_shell() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "th" if value.lower().startswith("th") else "en"
    return "en"
