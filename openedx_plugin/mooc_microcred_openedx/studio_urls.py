"""URLs of the plugin in Studio: what an author's editor asks, and the competency map of a course."""

from django.urls import include, path

urlpatterns = [
    path("api/mooc_microcred/v1/", include("mooc_microcred.competencies.rest_api.authoring_urls")),
    path("microcred/", include("mooc_microcred.competencies.pages.urls")),
]
