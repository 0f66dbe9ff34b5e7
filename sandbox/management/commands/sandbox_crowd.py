"""Fill the sandbox with nine months of learners."""

from django.core.management.base import BaseCommand

from sandbox.crowd import load_crowd


class Command(BaseCommand):
    """Make a crowd of made-up learners, for figures and plots."""

    help = "Makes learners who learn, stop, sit exams and consent over the last nine months; once."

    def add_arguments(self, parser):
        parser.add_argument("--learners", type=int, default=240, help="how many (default 240)")

    def handle(self, *args, **options):
        load_crowd(learners=options["learners"])
        self.stdout.write(f"{options['learners']} learners")
