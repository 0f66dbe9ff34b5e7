"""Addresses of the programs room."""

from django.urls import path

from mooc_microcred.core.rest_api import routing
from mooc_microcred.programs.rest_api import endpoints

routing.register()

urlpatterns = [
    path("catalogue/programmes/", endpoints.ProgrammesView.as_view(), name="programmes"),
    path("my/programmes/", endpoints.MyProgrammesView.as_view(), name="my-programmes"),
    path("my/progress/<microcred_code:code>/", endpoints.MyProgressView.as_view(), name="my-progress"),
    path(
        "staff/learners/<microcred_id:learner_id>/progress/<microcred_code:code>/",
        endpoints.LearnerProgressView.as_view(),
        name="learner-progress",
    ),
]
