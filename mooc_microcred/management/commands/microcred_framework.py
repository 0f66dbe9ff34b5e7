"""``manage.py microcred_framework diff|import|export|publish``: frameworks of competencies as files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mooc_microcred.competencies import api as competencies
from mooc_microcred.competencies.data import ImportPreviewData
from mooc_microcred.competencies.imports import FORMATS
from mooc_microcred.core.errors import MicrocredError
from mooc_microcred.core.roles import Actor
from mooc_microcred.core.texts import Text

# Whoever can run commands on the server may do everything; the audit log says "the system".
OPERATOR = Actor(user_id=None, superuser=True)


class Command(BaseCommand):
    """Reads frameworks from files, shows what that would change, and writes them to files.

    Exit code 0: done, or nothing to do. 1: it cannot be done, and nothing was changed. 2: the command
    was not understood.
    """

    help = "Shows, imports, exports and publishes frameworks of competencies (CASE 1.1, CSV, taxonomies)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True, metavar="SUBCOMMAND")
        for name, does in (
            ("diff", "say what importing a file would change, and change nothing"),
            ("import", "say it, and do it"),
        ):
            one = commands.add_parser(name, help=does)
            one.add_argument("file", help="CFPackage JSON, CSV or taxonomy; - reads standard input")
            one.add_argument("--framework", default="", help="identifier, where the file does not say it")
            one.add_argument("--organization", default="", help="short name, of a framework that is new")
            one.add_argument("--title-th", default="", help="Thai title of a new one")
            one.add_argument("--title-en", default="", help="English title of a new one")
            one.add_argument("--creator", default="", help="who has made a new one")
            if name == "import":
                one.add_argument("--publish", action="store_true", help="bring it into force")
                one.add_argument(
                    "--without-successor",
                    action="store_true",
                    help="also retire what is in use and has no successor",
                )
        export = commands.add_parser("export", help="write a framework")
        export.add_argument("framework", help="identifier")
        export.add_argument("--format", choices=FORMATS, default="case")
        export.add_argument("--output", type=Path, help="file to write; without it standard output")
        publish = commands.add_parser("publish", help="bring a framework into force")
        publish.add_argument("framework", help="identifier")
        taxonomy = commands.add_parser("taxonomy", help="publish it as a taxonomy of the platform")
        taxonomy.add_argument("framework", help="identifier")
        taxonomy.add_argument(
            "--existing",
            metavar="EXPORT_ID",
            help="use this taxonomy instead of publishing one",
        )
        commands.add_parser("list", help="the frameworks that there are")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do what the subcommand says."""
        try:
            getattr(self, f"_{options['command']}")(options)
        except MicrocredError as error:
            self._refuse(error)

    def _diff(self, options: dict[str, Any]) -> None:
        self._show(self._preview(options))

    def _import(self, options: dict[str, Any]) -> None:
        shown = self._preview(options)
        self._show(shown)
        if not shown.changes_anything and not options["publish"]:
            return
        found = competencies.commit_import(
            actor=OPERATOR,
            token=shown.token,
            publish=options["publish"],
            without_successor=options["without_successor"],
        )
        self.stdout.write(self.style.SUCCESS(f"{found.framework} {found.organization} {found.state}"))

    def _preview(self, options: dict[str, Any]) -> ImportPreviewData:
        name = options["file"]
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            raise CommandError(f"{name}: {error.strerror}") from None
        return competencies.preview_import(
            actor=OPERATOR,
            content=content,
            organization=options["organization"],
            framework=options["framework"],
            title=Text(th=options["title_th"], en=options["title_en"]),
            creator=options["creator"],
        )

    def _show(self, shown: ImportPreviewData) -> None:
        for one in shown.changes:
            words = [competencies.describe_change(one.what), one.code or one.item]
            words += [f"({', '.join(one.fields)})"] if one.fields and one.what != "new" else []
            words += [_("in use: %(count)s") % {"count": one.used}] if one.used else []
            words += [f"→ {one.successor[1]}"] if one.successor and one.what == "retired" else []
            self.stdout.write("  ".join(words))
        for name in shown.document_fields:
            self.stdout.write(f"{competencies.describe_change('changed')}  {shown.framework} ({name})")
        counts = {what: number for what, number in shown.associations.items() if number}
        if counts:
            self.stdout.write(_("associations: %(counts)s") % {"counts": counts})
        for heading in shown.ignored:
            self.stderr.write(self.style.WARNING(_("This column was not read: %(name)s") % {"name": heading}))
        if shown.blocked:
            self.stderr.write(self.style.WARNING(shown.blocked))
        self.stdout.write(_("Unchanged: %(count)s.") % {"count": shown.unchanged})

    def _export(self, options: dict[str, Any]) -> None:
        content = competencies.export_framework(
            framework=options["framework"], format=options["format"], actor=OPERATOR
        )
        if options["output"] is None:
            self.stdout.write(content.decode("utf-8"), ending="")
            return
        try:
            options["output"].write_bytes(content)
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from None

    def _publish(self, options: dict[str, Any]) -> None:
        found = competencies.set_framework_state(
            actor=OPERATOR, framework=options["framework"], state="published"
        )
        self.stdout.write(self.style.SUCCESS(f"{found.framework} {found.state}"))

    def _taxonomy(self, options: dict[str, Any]) -> None:
        if options["existing"] is not None:
            competencies.link_taxonomy(
                actor=OPERATOR, framework=options["framework"], taxonomy=options["existing"]
            )
            return
        count = competencies.publish_taxonomy(actor=OPERATOR, framework=options["framework"])
        self.stdout.write(self.style.SUCCESS(_("Tags published: %(count)s.") % {"count": count}))

    def _list(self, _options: dict[str, Any]) -> None:
        for one in competencies.list_frameworks():
            title = one.title.en or one.title.th
            self.stdout.write(f"{one.framework}  {one.organization}  {one.state}  {one.items}  {title}")

    def _refuse(self, error: MicrocredError) -> NoReturn:
        for problem in error.problems:
            self.stderr.write(str(problem))
        raise CommandError(str(error.message))
