"""Addresses below ``microcred/staff/credits/``."""

from django.urls import URLPattern, path

from mooc_microcred.creditbank.pages import views

urlpatterns: list[URLPattern] = [
    path("staff/credits/", views.desk, name="page-credit-desk"),
    path("staff/credits/records/<uuid:record>/", views.record, name="page-credit-record"),
]
