import sys

# Inside edx-platform (tests/platform) Celery is the platform's, as it is for every other plugin.
if not {"lms.envs", "cms.envs"} & set(sys.modules):
    from tests.celery_app import app as celery_app

    __all__ = ["celery_app"]
