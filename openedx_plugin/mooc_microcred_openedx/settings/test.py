"""Settings for test runs."""

from mooc_microcred_openedx.settings.common import plugin_settings  # noqa: F401
