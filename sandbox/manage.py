"""Django's command line for the sandbox: ``python -m sandbox.manage <command>``."""

import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox.settings")
    from django.core.management import execute_from_command_line

    import sandbox.celery  # noqa: F401 tasks are sent by the app that is made first

    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
