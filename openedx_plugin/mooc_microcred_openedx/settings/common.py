"""Settings of every process.

The platform calls this before it reads the operator's YAML and again after that, and what the
operator has set stays. Defaults are not copied here: they are in ``mooc_microcred.core.conf``.
"""


def plugin_settings(settings):
    """Make sure that ``MOOC_MICROCRED`` is there."""
    settings.MOOC_MICROCRED = dict(getattr(settings, "MOOC_MICROCRED", None) or {})
