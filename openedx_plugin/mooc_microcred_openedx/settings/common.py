"""Settings of every process.

The platform calls this before it reads the operator's YAML and again after that, and what the
operator has set stays. Defaults are not copied here: they are in ``mooc_microcred.core.conf``.
"""


def plugin_settings(settings):
    """Make sure that ``MOOC_MICROCRED`` is there, and name the module store unless somebody names another."""
    settings.MOOC_MICROCRED = dict(getattr(settings, "MOOC_MICROCRED", None) or {})
    settings.MOOC_MICROCRED.setdefault("CONTENT", "mooc_microcred_openedx.content.ModuleStoreContent")
