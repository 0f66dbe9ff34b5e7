def test_apps_are_loaded_by_their_entry_points(settings):
    assert "mooc_microcred.apps.MicrocredConfig" in settings.INSTALLED_APPS
    assert "mooc_microcred_openedx.apps.MicrocredOpenedxConfig" in settings.INSTALLED_APPS
