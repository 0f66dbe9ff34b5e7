"""``manage.py microcred_catalogue load|export|check``: the catalogue as YAML files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mooc_microcred.achievements.catalogue_file import (
    MAX_BYTES,
    SAMPLES,
    CatalogueFile,
    FileProblem,
    JoinedCatalogue,
    dump_yaml,
    export_catalogue,
    load_catalogue,
    read_catalogue_file,
    read_sample,
)
from mooc_microcred.achievements.data import LoadReport
from mooc_microcred.core.errors import InvalidInput, Problem


class Command(BaseCommand):
    """Loads, exports and checks the catalogue.

    Exit code 0: done, or nothing to do. 1: the catalogue is not right, and nothing was changed.
    2: the command was not understood.
    """

    help = "Loads, exports or checks the catalogue of achievements, exams and programmes (YAML)."
    # The labels of choices in other apps' checks do not matter here, and a broken setting
    # elsewhere must not keep an operator from exporting.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the three subcommands."""
        commands = parser.add_subparsers(dest="command", required=True, metavar="load|export|check")
        load = commands.add_parser("load", help="make the database hold what the files say")
        _add_sources(load)
        load.add_argument(
            "--draft", action="store_true", help="leave what is new as drafts instead of activating it"
        )
        check = commands.add_parser("check", help="say what is wrong with the files and change nothing")
        _add_sources(check)
        export = commands.add_parser("export", help="write what is in force as YAML")
        export.add_argument("--organization", help="short name; without it all organisations")
        export.add_argument("--drafts", action="store_true", help="the newest drafts where there are any")
        export.add_argument("--output", type=Path, help="file to write; without it standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do what the subcommand says."""
        {"load": self._load, "check": self._check, "export": self._export}[options["command"]](options)

    def _load(self, options: dict[str, Any]) -> None:
        """Check and load all files in one transaction."""
        catalogue = self._read(options)
        try:
            report = load_catalogue(catalogue.document, actor_id=None, activate=not options["draft"])
        except InvalidInput as error:
            self._refuse(error.message, error.problems)
        self._advise(catalogue.advise())
        self._tell(report)

    def _check(self, options: dict[str, Any]) -> None:
        """Check all files as one catalogue."""
        catalogue = self._read(options)
        self._advise(catalogue.advise())
        count = len(catalogue.document["achievements"])
        message = ngettext("%(count)s achievement is right.", "%(count)s achievements are right.", count)
        self.stdout.write(self.style.SUCCESS(message % {"count": count}))

    def _export(self, options: dict[str, Any]) -> None:
        """Write what is in force."""
        text = dump_yaml(export_catalogue(organization=options["organization"], drafts=options["drafts"]))
        if options["output"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            options["output"].write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from None

    def _read(self, options: dict[str, Any]) -> JoinedCatalogue:
        """Return the named files and samples as one checked catalogue."""
        files: list[CatalogueFile] = []
        problems: list[Problem] = []
        if not options["files"] and not options["sample"]:
            raise CommandError(_("Name a file or a --sample."), returncode=2)
        for name in options["files"]:
            try:
                files.append(read_catalogue_file(name, _read_bytes(name)))
            except OSError as error:
                problems.append(FileProblem("", error.strerror or str(error), file=name))
            except InvalidInput as error:
                problems += error.problems
        files += [read_sample(name) for name in options["sample"]]
        catalogue = JoinedCatalogue(files)
        problems = problems or list(catalogue.check())
        if problems:
            self._refuse(_("The catalogue is not right; nothing was changed."), problems)
        return catalogue

    def _refuse(self, message: str, problems: Iterable[Problem]) -> Any:
        """Write every problem on a line of its own, and end with code 1."""
        for problem in problems:
            self.stderr.write(self.style.ERROR(_one_line(problem)))
        raise CommandError(message, returncode=1)

    def _advise(self, advice: Iterable[Problem]) -> None:
        for problem in advice:
            self.stderr.write(_one_line(problem), self.style.WARNING)

    def _tell(self, report: LoadReport) -> None:
        outcomes = {
            "created": _("new version"),
            "replaced": _("draft replaced"),
            "unchanged": _("unchanged"),
        }
        in_force = {one.id for one in report.activated}
        for code in report.issuers:
            self.stdout.write(f"{code}: " + _("issuer written"))
        for one in report.versions:
            if one.outcome == "unchanged" and one.id not in in_force:
                continue
            state = _("in force") if one.id in in_force else _("draft")
            self.stdout.write(f"{one.code} v{one.number}: {outcomes[one.outcome]}, {state}")
        for one in report.retired:
            self.stdout.write(f"{one.code} v{one.number}: " + _("retired"))
        if report.changed:
            self.stdout.write(self.style.SUCCESS(_("The catalogue has been loaded.")))
        else:
            self.stdout.write(self.style.SUCCESS(_("Nothing has changed.")))


def _add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="YAML file; - reads standard input")
    parser.add_argument(
        "--sample",
        action="append",
        default=[],
        choices=SAMPLES,
        help="a sample catalogue that comes with the package; may be given several times",
    )


def _read_bytes(name: str) -> bytes:
    """Return a file's content, at most one byte more than is allowed, so that it will be refused."""
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _one_line(problem: Problem) -> str:
    return " ".join(str(problem).split())
