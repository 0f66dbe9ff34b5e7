"""The Django app of the stand-in."""

from django.apps import AppConfig
from edx_django_utils.plugins import connect_plugin_receivers


class SandboxConfig(AppConfig):
    """Courses, grades and certificates, and the wiring that the platform's plugin app does."""

    name = "sandbox"
    label = "sandbox"
    verbose_name = "Sandbox LMS"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        """Connect the receivers of all plugins, as the platform does when it starts."""
        from sandbox import problems

        problems.install()
        connect_plugin_receivers("lms.djangoapp")
