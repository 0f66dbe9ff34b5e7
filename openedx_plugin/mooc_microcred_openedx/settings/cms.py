"""Settings of Studio and its workers: they know authors, and no learners."""

from mooc_microcred_openedx.settings import common


def plugin_settings(settings):
    """Name the class that asks Studio for its authors, unless the operator names another one."""
    common.plugin_settings(settings)
    settings.MOOC_MICROCRED.setdefault("AUTHORING", "mooc_microcred_openedx.authoring.StudioAuthoring")
