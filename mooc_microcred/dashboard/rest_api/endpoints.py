"""A learner's dashboard, for widgets."""

from __future__ import annotations

from mooc_microcred.core.rest_api.views import ApiView, operation
from mooc_microcred.dashboard import api as dashboard
from mooc_microcred.dashboard.rest_api import serializers as forms


class MyDashboardView(ApiView):
    """What the learner sees at a glance."""

    @operation(
        "read_my_dashboard",
        "My badges, my programmes in progress and my next step",
        tag="my",
        answer=forms.DashboardSerializer,
    )
    def get(self):
        """The same as on the platform's own dashboard; `complete` is false where it cannot be read now."""
        return dashboard.read_dashboard(learner_id=self.learner_id)
