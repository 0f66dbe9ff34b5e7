"""The Django app of the domain."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MicrocredConfig(AppConfig):
    """The models and everything that Django and Celery find by name.

    ``plugin_app`` is empty on purpose: what knows the platform (URLs, settings,
    receivers) is declared by ``mooc_microcred_openedx.apps``.
    """

    name = "mooc_microcred"
    label = "mooc_microcred"
    verbose_name = _("Micro-credentials")
    # The platform's DEFAULT_AUTO_FIELD is the 32-bit AutoField.
    default_auto_field = "django.db.models.BigAutoField"
    plugin_app: dict = {}

    def ready(self):
        """Register evidence sources, outbox subscribers and system checks."""
        from mooc_microcred import registration

        registration.register()
