"""Addresses below ``microcred/``: the competency map of a course, for authors and staff."""

from django.urls import path

from mooc_microcred.competencies.pages import coverage

urlpatterns = [
    path(
        "competencies/courses/<path:course_key>/map.csv",
        coverage.coverage_file,
        name="competency-map-csv",
    ),
    path("competencies/courses/<path:course_key>/", coverage.coverage_page, name="competency-map"),
]
