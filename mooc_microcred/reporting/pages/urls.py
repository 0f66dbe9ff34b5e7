"""Addresses below ``microcred/staff/``."""

from django.urls import URLPattern, path

from mooc_microcred.reporting.pages import views

urlpatterns: list[URLPattern] = [
    path("staff/", views.home, name="page-staff"),
    path("staff/reports/", views.reports, name="page-reports"),
]
