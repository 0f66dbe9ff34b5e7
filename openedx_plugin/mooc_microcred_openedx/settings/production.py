"""Settings for production, after the operator's YAML was read."""


def plugin_settings(settings):
    """Nothing to add: operators set ``MOOC_MICROCRED`` in their YAML or Tutor plugin."""
