"""Settings of the LMS and its workers: they read learners, so they have a platform port."""

from mooc_microcred_openedx.settings import common


def plugin_settings(settings):
    """Name the gateway to edx-platform, unless the operator names another one."""
    common.plugin_settings(settings)
    settings.MOOC_MICROCRED.setdefault("PLATFORM", "mooc_microcred_openedx.gateway.EdxPlatform")
