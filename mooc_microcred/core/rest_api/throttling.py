"""Limits per person, from our own settings: the platform's throttle rates have other names."""

from __future__ import annotations

from rest_framework.throttling import SimpleRateThrottle

from mooc_microcred.core.conf import microcred_settings


class PersonRate(SimpleRateThrottle):
    """Requests of one person: MOOC_MICROCRED["API_RATE"]. None there means no limit.

    Whoever is not signed in was refused before.
    """

    scope = "mooc_microcred"
    setting = "API_RATE"

    def get_rate(self) -> str | None:
        """Return the rate as ``120/min``."""
        return getattr(microcred_settings, self.setting)

    def get_cache_key(self, request, view) -> str:
        """Return the key under which the person's requests are counted."""
        return self.cache_format % {"scope": self.scope, "ident": request.user.pk}


class UploadRate(PersonRate):
    """Uploads of one person: MOOC_MICROCRED["API_UPLOAD_RATE"]."""

    scope = "mooc_microcred_upload"
    setting = "API_UPLOAD_RATE"
