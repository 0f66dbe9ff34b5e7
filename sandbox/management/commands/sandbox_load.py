"""Load the sandbox's courses and people."""

from django.core.management.base import BaseCommand

from sandbox.accounts import ACCOUNTS, load_accounts
from sandbox.content import load_courses


class Command(BaseCommand):
    """Make the courses and accounts; again is harmless."""

    help = "Make the sandbox's courses and accounts; again is harmless."

    def handle(self, *args, **options):
        courses = load_courses()
        load_accounts()
        self.stdout.write(f"{len(courses)} courses, {len(ACCOUNTS)} accounts")
