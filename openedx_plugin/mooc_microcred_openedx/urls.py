"""URLs of the plugin in the LMS."""

from django.urls import include, path

urlpatterns = [
    path("v1/", include("mooc_microcred.rest_api.v1.urls")),
]
