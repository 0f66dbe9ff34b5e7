"""Addresses of the dashboard room."""

from django.urls import path

from mooc_microcred.dashboard.rest_api import endpoints

urlpatterns = [
    path("my/dashboard/", endpoints.MyDashboardView.as_view(), name="my-dashboard"),
]
