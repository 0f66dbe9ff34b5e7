"""The plugin's Django app: no models, everything that Open edX wires by ``plugin_app``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MicrocredOpenedxConfig(AppConfig):
    """URLs, settings and signal receivers in the LMS and in Studio."""

    name = "mooc_microcred_openedx"
    label = "mooc_microcred_openedx"
    verbose_name = _("Micro-credentials for Open edX")
    plugin_app = {
        "url_config": {
            "lms.djangoapp": {
                "namespace": "mooc_microcred",
                "regex": r"^api/mooc_microcred/",
                "relative_path": "urls",
            },
        },
        "settings_config": {
            "lms.djangoapp": {
                "common": {"relative_path": "settings.common"},
                "production": {"relative_path": "settings.production"},
                "test": {"relative_path": "settings.test"},
            },
            "cms.djangoapp": {
                "common": {"relative_path": "settings.common"},
                "production": {"relative_path": "settings.production"},
                "test": {"relative_path": "settings.test"},
            },
        },
    }
