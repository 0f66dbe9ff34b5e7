"""URLs of the plugin in the LMS: the REST API, and the public pages for people and machines."""

from django.urls import include, path

urlpatterns = [
    path("api/mooc_microcred/v1/", include("mooc_microcred.rest_api.v1.urls")),
    path("microcred/", include("mooc_microcred.competencies.pages.urls")),
    path("microcred/", include("mooc_microcred.credentials.pages.urls")),
]
