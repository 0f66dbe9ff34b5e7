"""URLs of the test run: the plugin's own, found as a platform finds them, and the admin."""

from completion.apps import CompletionAppConfig
from django.contrib import admin
from django.urls import path
from edx_django_utils.plugins import get_plugin_url_patterns

# The views of edx-completion's own API can only be imported inside edx-platform.
CompletionAppConfig.plugin_app.pop("url_config", None)

urlpatterns = [
    path("admin/", admin.site.urls),
    *get_plugin_url_patterns("lms.djangoapp"),
]
