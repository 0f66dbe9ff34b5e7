"""Settings of a Studio: the same project, into which the plugin is loaded as Studio loads it."""

from edx_django_utils.plugins import add_plugins, get_plugin_apps

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS, MOOC_MICROCRED

INSTALLED_APPS = [
    *INSTALLED_APPS[: INSTALLED_APPS.index("waffle") + 1],
    # Studio lists it by itself.
    "completion",
    *get_plugin_apps("cms.djangoapp"),
]
MOOC_MICROCRED = {key: value for key, value in MOOC_MICROCRED.items() if key != "PLATFORM"}
ROOT_URLCONF = "tests.openedx.studio_urls"
DATABASES = {**DATABASES, "default": {**DATABASES["default"]}}

add_plugins(__name__, "cms.djangoapp", "test")
