import os

# Inside edx-platform (tests/platform) Celery is the platform's, as it is for every other plugin.
if not os.environ.get("DJANGO_SETTINGS_MODULE", "").startswith(("lms.", "cms.")):
    from tests.celery_app import app as celery_app

    __all__ = ["celery_app"]
