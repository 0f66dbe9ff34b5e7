"""Fill the sandbox."""

from django.core.management import call_command
from django.core.management.base import BaseCommand

from sandbox.accounts import load_accounts
from sandbox.content import FRAMEWORK, load_courses, load_framework
from sandbox.people import ACCOUNTS
from sandbox.studio.content import lay_out, say_what_is_learned

SAMPLE = "python-series"
# The course whose units say what is learned in them.
TAGGED = "PY101"


class Command(BaseCommand):
    """Make tables, courses, accounts and the catalogue; again is harmless."""

    help = "Makes the sandbox's tables, courses, accounts and catalogue; again is harmless."

    def handle(self, *args, **options):
        call_command("migrate", verbosity=0)
        courses = load_courses()
        load_accounts()
        load_framework()
        for course in courses:
            lay_out(course)
            if course.number == TAGGED:
                say_what_is_learned(course, FRAMEWORK)
        call_command("microcred_catalogue", "load", sample=[SAMPLE], stdout=self.stdout)
        self.stdout.write(f"{len(courses)} courses, {len(ACCOUNTS)} accounts")
