"""``manage.py microcred_backfill``: existing course certificates become Level 1 awards."""

from __future__ import annotations

import sys
import threading
import time

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from mooc_microcred.achievements import api as achievements
from mooc_microcred.core import outbox
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred.core.stopping import stopping_on_signals
from mooc_microcred.management.course_runs import existing_runs

# Messages about backfilled awards (200 each) that may wait, so that a message of today does not
# wait for those of a million old awards; above it this command hands messages over itself.
MOST_WAITING = 20
# The longest rest between two pages, in seconds.
LONGEST_REST = 5.0


class Command(BaseCommand):
    """Walks the platform's certificates by key, in pages; each page is one short transaction.

    Stopped or killed, it goes on where it was when it is started again with the same courses. After
    each page it rests as long as the page took, so that it takes half of one connection at most.
    """

    help = "Turns existing course certificates into Level 1 awards; tells nobody unless --announce."

    def add_arguments(self, parser):
        """Declare what is concerned and how."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--course", nargs="+", metavar="KEY", help="keys of course runs")
        what.add_argument(
            "--org", "--organization", help="runs of one organisation's achievements (short name)"
        )
        what.add_argument("--all", action="store_true", help="every run that a Level 1 mirrors")
        parser.add_argument("--dry-run", action="store_true", help="say what would come; write nothing")
        parser.add_argument(
            "--announce",
            action="store_true",
            help="tell each learner, and publish events, as of an award that was earned today",
        )
        parser.add_argument("--no-rest", action="store_true", help="without rests between pages")
        parser.add_argument(
            "--page", type=int, default=500, metavar="N", help="certificates per transaction, at most 500"
        )

    def handle(self, *args, **options):
        """Preview or do it."""
        if not 1 <= options["page"] <= 500:
            raise CommandError(_("--page takes a number from 1 to 500."))
        with stopping_on_signals() as stop:
            try:
                self._do(options, stop)
            except PlatformUnavailable as error:
                raise CommandError(
                    _("The platform cannot be read now: %(error)s. Nothing is lost; run again later.")
                    % {"error": error}
                ) from None

    def _do(self, options, stop: threading.Event) -> None:
        runs = self._runs(options)
        if not runs:
            self.stdout.write(_("No active Level 1 mirrors the certificates of any course run there."))
        elif options["dry_run"]:
            self._preview(runs, options, stop)
        else:
            self._backfill(runs, options, stop)

    def _runs(self, options) -> list[str]:
        if not options["course"]:
            return achievements.runs_to_backfill(organization=options["org"] or "")
        wanted = existing_runs(options["course"])
        for key in wanted:
            if not achievements.is_backfilled(key):
                raise CommandError(_("No active Level 1 mirrors the certificates of %(key)s.") % {"key": key})
        return wanted

    def _preview(self, runs: list[str], options, stop: threading.Event) -> None:
        after = examined = issued = changed = 0
        with self._bar(_("dry run")) as bar:
            while not stop.is_set():
                page = achievements.preview_backfill(course_keys=runs, after=after, limit=options["page"])
                examined, issued = examined + page.examined, issued + page.issued
                changed += page.changed
                bar.total = page.highest
                bar.update(page.after - after)
                after = page.after
                if page.finished:
                    break
        self._sum_up(len(runs), examined, issued, changed)
        if stop.is_set():
            self.stdout.write(_("Stopped; what is above is not everything."))
        self.stdout.write(_("Nothing was written. Without --dry-run it is done."))

    def _backfill(self, runs: list[str], options, stop: threading.Event) -> None:
        progress = achievements.start_backfill(course_keys=runs, announce=options["announce"])
        if progress.after:
            self.stdout.write(_("Going on where an earlier run was stopped."))
        with self._bar(_("backfill")) as bar:
            bar.update(progress.after)
            while not (stop.is_set() or progress.finished):
                began, before = time.monotonic(), progress.after
                progress = achievements.advance_backfill(backfill_id=progress.id, limit=options["page"])
                bar.total = progress.highest
                bar.update(progress.after - before)
                while achievements.count_waiting_messages() > MOST_WAITING and not stop.is_set():
                    if not outbox.relay(limit=MOST_WAITING).done:
                        # Others have them, or they failed and wait for their next attempt.
                        break
                if not options["no_rest"]:
                    stop.wait(min(time.monotonic() - began, LONGEST_REST))
        self._sum_up(len(runs), progress.examined, progress.issued, progress.changed)
        if not progress.finished:
            self.stdout.write(_("Stopped. The same command goes on where it was."))

    def _bar(self, what: str) -> tqdm:
        return tqdm(desc=what, unit="", disable=not sys.stderr.isatty())

    def _sum_up(self, runs: int, examined: int, issued: int, changed: int) -> None:
        self.stdout.write(
            _(
                "%(examined)d certificates of %(runs)d course runs: "
                "%(issued)d awards issued, %(changed)d changed."
            )
            % {"examined": examined, "runs": runs, "issued": issued, "changed": changed}
        )
