"""Defaults in every environment, of the LMS and of Studio."""


def plugin_settings(settings):
    """Add ``MOOC_MICROCRED`` without touching what an operator has set."""
    if not hasattr(settings, "MOOC_MICROCRED"):
        settings.MOOC_MICROCRED = {}
