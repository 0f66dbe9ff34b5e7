"""``manage.py microcred_reconcile``: compare awards with the platform, and ask for what is missing."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _
from tqdm import tqdm

from mooc_microcred.achievements import api as achievements
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred.core.stopping import stopping_on_signals
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.management.course_runs import existing_runs

REASON = "reconcile"
# Learners whose truth is read at once in the dry run.
PREVIEW_CHUNK = 200
# Awards whose credit records are settled in one transaction.
CREDIT_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Part:
    """A run, or a version of a programme, whose learners are concerned."""

    course_key: str = ""
    version_id: int | None = None

    def __str__(self) -> str:
        if self.version_id is None:
            return self.course_key
        return achievements.get_definition(self.version_id).code


class Command(BaseCommand):
    """Dry run first: without --commit nothing is written.

    With --commit an evaluation is requested for every learner concerned, by the same path as a
    platform event; workers or microcred_sweep evaluate them. What an interrupted run leaves is
    gone on with by --resume or by the sweeper.
    """

    help = "Says what reconciling courses with the platform would change; with --commit does it."

    def add_arguments(self, parser):
        """Declare what is concerned and --commit."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--course", nargs="+", metavar="KEY", help="keys of course runs")
        what.add_argument(
            "--org", "--organization", dest="organization", help="everything of one organisation (short name)"
        )
        what.add_argument("--all", action="store_true", help="everything that active achievements look at")
        what.add_argument(
            "--credit-records",
            action="store_true",
            help="credit records that awards should have",
        )
        what.add_argument("--resume", action="store_true", help="go on with what an earlier run began")
        parser.add_argument("--commit", action="store_true", help="do it; without this nothing is written")

    def handle(self, *args, **options):
        """Preview or feed."""
        with stopping_on_signals() as stop:
            try:
                self._do(options, stop)
            except PlatformUnavailable as error:
                raise CommandError(
                    _("The platform cannot be read now: %(error)s. Nothing is lost; run again later.")
                    % {"error": error}
                ) from None

    def _do(self, options, stop: threading.Event) -> None:
        if options["resume"]:
            self._feed(stop, options["verbosity"])
            return
        if options["credit_records"]:
            self._credit_records(stop, commit=options["commit"])
            return
        parts = self._parts(options)
        if not parts:
            self.stdout.write(_("No active achievement looks at any course run there."))
        elif options["commit"]:
            for part in parts:
                achievements.start_feed(reason=REASON, course_key=part.course_key, version_id=part.version_id)
            self._feed(stop, options["verbosity"])
        else:
            self._preview(parts, stop)

    def _parts(self, options) -> list[Part]:
        if options["course"]:
            return [Part(course_key=key) for key in existing_runs(options["course"])]
        runs, programmes = achievements.concerned_by_everything(organization=options["organization"] or "")
        return [
            *(Part(course_key=run) for run in runs),
            *(Part(version_id=version_id) for version_id in programmes),
        ]

    def _preview(self, parts: list[Part], stop: threading.Event) -> None:
        issued = changed = learners = 0
        for part in parts:
            found = self._preview_part(part, stop)
            learners, issued, changed = learners + found[0], issued + found[1], changed + found[2]
            self.stdout.write(
                _("%(what)s: %(learners)d learners, %(issued)d awards to issue, %(changed)d to change")
                % {"what": part, "learners": found[0], "issued": found[1], "changed": found[2]}
            )
            if stop.is_set():
                self.stdout.write(_("Stopped; what is above is not everything."))
                return
        if len(parts) > 1:
            self.stdout.write(
                _(
                    "Together: %(learners)d evaluations, %(issued)d awards to issue, %(changed)d to change "
                    "(an award that two of the lines lead to is counted in both)."
                )
                % {"learners": learners, "issued": issued, "changed": changed}
            )
        self.stdout.write(_("Nothing was written. With --commit it is done."))

    def _preview_part(self, part: Part, stop: threading.Event) -> tuple[int, int, int]:
        learners = issued = changed = after = 0
        with tqdm(desc=str(part), unit="", disable=not sys.stderr.isatty()) as bar:
            while not stop.is_set():
                chunk = achievements.next_learners(
                    course_key=part.course_key,
                    version_id=part.version_id,
                    after=after,
                    limit=PREVIEW_CHUNK,
                )
                if not chunk:
                    break
                after = chunk[-1]
                found = achievements.preview_changes(learner_ids=chunk, course_key=part.course_key)
                learners += len(chunk)
                issued += sum(one[0] for one in found.values())
                changed += sum(one[1] for one in found.values())
                bar.update(len(chunk))
        return learners, issued, changed

    def _feed(self, stop: threading.Event, verbosity: int) -> None:
        appended = 0
        with tqdm(desc=REASON, unit="", disable=not sys.stderr.isatty()) as bar:
            while not stop.is_set() and (chunk := achievements.advance_feeds()):
                appended += chunk
                bar.update(chunk)
        if appended:
            achievements.kick_evaluation_after_commit()
        still_open = achievements.count_open_feeds()
        if verbosity:
            self.stdout.write(
                _("Evaluations requested: %(count)d. Workers or microcred_sweep do them.")
                % {"count": appended}
            )
        if still_open:
            self.stdout.write(
                _("%(count)d feeds are not at their end; the sweeper goes on with them, or --resume.")
                % {"count": still_open}
            )

    def _credit_records(self, stop: threading.Event, *, commit: bool) -> None:
        """Settle the credit record of every award, as if every message came again; the dry run rolls back."""
        changed = after = 0
        with tqdm(desc="credit-records", unit="", disable=not sys.stderr.isatty()) as bar:
            while not stop.is_set():
                with transaction.atomic():
                    after, count = creditbank.reconcile_records(after=after, limit=CREDIT_CHUNK)
                    if not commit:
                        transaction.set_rollback(True)
                changed += count
                bar.update(CREDIT_CHUNK)
                if not after:
                    break
        self.stdout.write(_("Credit records made or changed: %(count)d.") % {"count": changed})
        if stop.is_set():
            self.stdout.write(_("Stopped; what is above is not everything."))
        if not commit:
            self.stdout.write(_("Nothing was written. With --commit it is done."))
