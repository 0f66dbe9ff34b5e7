"""Addresses below ``microcred/staff/``."""

from django.urls import URLPattern, path

from mooc_microcred.reporting.pages import home, reports

urlpatterns: list[URLPattern] = [
    path("staff/", home.home, name="page-staff"),
    path("staff/reports/", reports.reports, name="page-reports"),
    path("staff/reports/plot/<slug:name>.svg", reports.plot, name="page-reports-plot"),
    path("staff/reports/funnel.csv", reports.figures_file, name="page-reports-file"),
]
