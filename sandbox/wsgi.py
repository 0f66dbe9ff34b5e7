"""WSGI entry point of the sandbox."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox.settings")
import sandbox.celery  # noqa: E402, F401 tasks are sent by the app that is made first

application = get_wsgi_application()
