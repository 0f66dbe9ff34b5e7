"""A learner's dashboard, for widgets."""

from __future__ import annotations

from django.utils.translation import get_language, override

from mooc_microcred.core.pages.language import asked_language
from mooc_microcred.core.rest_api.views import ApiView, operation
from mooc_microcred.dashboard import api as dashboard
from mooc_microcred.dashboard.rest_api import serializers as forms


class MyDashboardView(ApiView):
    """What the learner sees at a glance."""

    def dispatch(self, request, *args, **kwargs):
        """Answer in the language that the address names: a widget's own words and ours stand side by side."""
        with override(asked_language(request) or get_language()):
            answer = super().dispatch(request, *args, **kwargs)
            answer.headers["Content-Language"] = get_language()
            return answer

    @operation(
        "read_my_dashboard",
        "My newest badges, my programmes, my next step, and what my courses lead to",
        tag="my",
        query=forms.DashboardQuery,
        answer=forms.DashboardSerializer,
    )
    def get(self, query):
        """For a dashboard's panel and its course cards; `complete` is false where the platform is away."""
        return dashboard.read_glance(learner_id=self.learner_id)
