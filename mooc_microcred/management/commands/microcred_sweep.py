"""``manage.py microcred_sweep``: finish what is due, once or for ever."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from mooc_microcred.core.stopping import stopping_on_signals
from mooc_microcred.core.sweeper import NobodyWatches, Step, SweepReport, registered_steps, sweep


class ProgressBars:
    """One bar per step, on stderr."""

    def __init__(self):
        self._bars: dict[str, tqdm] = {}

    def begin(self, step: Step) -> None:
        """Open the step's bar; its length is what is due now, where that can be counted."""
        waiting = step.waiting() if step.waiting else None
        self._bars[step.name] = tqdm(total=waiting, desc=f"{step.name:<18}", unit="", leave=True)

    def advance(self, step: Step, taken: int) -> None:
        """Move the bar; what came in meanwhile makes it longer."""
        bar = self._bars[step.name]
        if bar.total is not None:
            bar.total = max(bar.total, bar.n + taken)
        bar.update(taken)

    def finish(self, step: Step) -> None:
        """Close the bar."""
        self._bars[step.name].close()


class Command(BaseCommand):
    """Evaluate, relay, deliver and tidy up, as long as something is due."""

    help = "Does everything that is due: feeds, evaluation, outbox, deliveries, retention."

    def add_arguments(self, parser):
        """Declare --loop, --interval and --only."""
        parser.add_argument("--loop", action="store_true", help="go on for ever, until SIGINT or SIGTERM")
        parser.add_argument(
            "--interval", type=float, default=30.0, help="seconds between two sweeps of --loop (default 30)"
        )
        parser.add_argument(
            "--only", nargs="+", metavar="STEP", help="run these steps only; see --list for their names"
        )
        parser.add_argument("--list", action="store_true", help="list the steps and stop")

    def handle(self, *args, **options):
        """Sweep once or for ever; exit 1 when a step of the only sweep failed."""
        names = [step.name for step in registered_steps()]
        if options["list"]:
            self.stdout.write("\n".join(names))
            return
        only = set(options["only"]) if options["only"] else None
        if only and not only <= set(names):
            raise CommandError(
                _("There is no step %(name)s. The steps are: %(names)s.")
                % {"name": ", ".join(sorted(only - set(names))), "names": ", ".join(names)}
            )
        if options["interval"] <= 0:
            raise CommandError(_("--interval must be more than 0 seconds."))
        with stopping_on_signals() as stop:
            while True:
                report = sweep(
                    only=only,
                    should_stop=stop.is_set,
                    watcher=ProgressBars() if sys.stderr.isatty() else NobodyWatches(),
                )
                self._tell(report, quiet=options["loop"] and options["verbosity"] < 2)
                if not options["loop"] or stop.wait(options["interval"]):
                    break
        if report.failed and not options["loop"]:
            raise CommandError(_("At least one step failed; the log says why. What is due stays due."))

    def _tell(self, report: SweepReport, *, quiet: bool) -> None:
        for name, step in report.steps.items():
            if step.error:
                self.stderr.write(self.style.ERROR(f"{name}: {step.error}"))
            elif step.taken or not quiet:
                self.stdout.write(f"{name}: {step.taken} ({step.seconds:.1f} s)")
        if report.stopped:
            self.stdout.write(_("Stopped. What was begun is finished, the rest stays due."))
