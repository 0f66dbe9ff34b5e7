"""A learner's dashboard, for widgets."""

from __future__ import annotations

from mooc_microcred.core.rest_api.views import ApiView, operation
from mooc_microcred.dashboard import api as dashboard
from mooc_microcred.dashboard.rest_api import serializers as forms


class MyDashboardView(ApiView):
    """What the learner sees at a glance."""

    @operation(
        "read_my_dashboard",
        "My newest badges, my programmes, my next step, and what my courses lead to",
        tag="my",
        answer=forms.DashboardSerializer,
    )
    def get(self):
        """For a dashboard's panel and its course cards; `complete` is false where the platform is away."""
        return dashboard.read_glance(learner_id=self.learner_id)
