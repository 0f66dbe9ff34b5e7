"""All addresses of version 1: each room brings its own."""

from django.urls import path

from mooc_microcred.achievements.rest_api.urls import urlpatterns as achievements
from mooc_microcred.competencies.rest_api.authoring_urls import urlpatterns as authoring
from mooc_microcred.competencies.rest_api.urls import urlpatterns as competencies
from mooc_microcred.core.rest_api.urls import urlpatterns as core
from mooc_microcred.credentials.rest_api.urls import urlpatterns as credentials
from mooc_microcred.creditbank.rest_api.urls import urlpatterns as creditbank
from mooc_microcred.dashboard.rest_api.urls import urlpatterns as dashboard
from mooc_microcred.exams.rest_api.urls import urlpatterns as exams
from mooc_microcred.programs.rest_api.urls import urlpatterns as programs
from mooc_microcred.reporting.rest_api.urls import urlpatterns as reporting
from mooc_microcred.rest_api.v1.schema import SchemaView

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    *core,
    *authoring,
    *competencies,
    *achievements,
    *exams,
    *programs,
    *credentials,
    *creditbank,
    *dashboard,
    *reporting,
]
