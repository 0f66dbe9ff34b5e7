"""Settings that the plugin brings into the platform."""
