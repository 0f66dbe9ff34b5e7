"""Addresses of the reporting room."""

from django.urls import path

from mooc_microcred.reporting.rest_api import endpoints

urlpatterns = [
    path("staff/reports/funnel/", endpoints.FunnelView.as_view(), name="funnel"),
]
