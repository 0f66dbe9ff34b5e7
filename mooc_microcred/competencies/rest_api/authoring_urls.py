"""Addresses for authors, in Studio and in the LMS."""

from django.urls import path

from mooc_microcred.competencies.rest_api import authoring

urlpatterns = [
    path("authoring/frameworks/", authoring.AuthoringFrameworksView.as_view(), name="authoring-frameworks"),
    path(
        "authoring/competencies/",
        authoring.AuthoringCompetenciesView.as_view(),
        name="authoring-competencies",
    ),
    path(
        "authoring/competencies/check/",
        authoring.CheckCompetenciesView.as_view(),
        name="authoring-check",
    ),
]
