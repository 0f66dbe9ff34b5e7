"""The plugin's Django app: no models, everything that Open edX wires by ``plugin_app``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

# Before any app is ready: openedx-events refuses settings that name an event it does not know.
from mooc_microcred_openedx import signals as _signals  # noqa: F401

_LEARNING = "openedx_events.learning.signals."
_AUTHORING = "openedx_events.content_authoring.signals."


def _receivers(**signal_by_receiver: str) -> list[dict[str, str]]:
    return [
        {
            "receiver_func_name": receiver,
            "signal_path": signal,
            "dispatch_uid": f"mooc_microcred_openedx.{receiver}",
        }
        for receiver, signal in signal_by_receiver.items()
    ]


class MicrocredOpenedxConfig(AppConfig):
    """URLs, settings and signal receivers in the LMS and in Studio."""

    name = "mooc_microcred_openedx"
    label = "mooc_microcred_openedx"
    verbose_name = _("Micro-credentials for Open edX")
    plugin_app = {
        "url_config": {
            "lms.djangoapp": {
                "namespace": "mooc_microcred",
                # The root: the API and the public pages have two addresses of one namespace.
                "regex": r"^",
                "relative_path": "urls",
            },
            "cms.djangoapp": {
                "namespace": "mooc_microcred",
                "regex": r"^",
                "relative_path": "studio_urls",
            },
        },
        "settings_config": {
            "lms.djangoapp": {
                "common": {"relative_path": "settings.lms"},
                "production": {"relative_path": "settings.lms"},
                "test": {"relative_path": "settings.lms"},
                "devstack": {"relative_path": "settings.lms"},
            },
            "cms.djangoapp": {
                "common": {"relative_path": "settings.cms"},
                "production": {"relative_path": "settings.cms"},
                "test": {"relative_path": "settings.cms"},
                "devstack": {"relative_path": "settings.cms"},
            },
        },
        "view_context_config": {
            "lms.djangoapp": {"course_dashboard": "mooc_microcred_openedx.contexts.course_dashboard"},
        },
        # Only signals of every supported openedx-events; the others are in wiring.py.
        "signals_config": {
            "lms.djangoapp": {
                "relative_path": "receivers",
                "receivers": _receivers(
                    certificate_created=_LEARNING + "CERTIFICATE_CREATED",
                    certificate_changed=_LEARNING + "CERTIFICATE_CHANGED",
                    certificate_revoked=_LEARNING + "CERTIFICATE_REVOKED",
                    passing_status_updated=_LEARNING + "COURSE_PASSING_STATUS_UPDATED",
                    ccx_passing_status_updated=_LEARNING + "CCX_COURSE_PASSING_STATUS_UPDATED",
                    grade_summary_changed=_LEARNING + "PERSISTENT_GRADE_SUMMARY_CHANGED",
                    enrollment_created=_LEARNING + "COURSE_ENROLLMENT_CREATED",
                ),
            },
            "cms.djangoapp": {
                "relative_path": "receivers",
                "receivers": _receivers(
                    course_catalog_info_changed=_AUTHORING + "COURSE_CATALOG_INFO_CHANGED",
                ),
            },
        },
    }

    def ready(self):
        """Connect the receivers whose signals are not in every release or process."""
        from mooc_microcred_openedx import events_out
        from mooc_microcred_openedx.wiring import connect_optional_receivers

        connect_optional_receivers()
        events_out.subscribe()
