"""Addresses of the status lists, below ``microcred/``."""

from django.urls import path

from mooc_microcred.credentials.status import views

urlpatterns = [
    path("status/<slug:code>/<slug:purpose>", views.status_list, name="status-list"),
    path("issuers/<slug:issuer>/revocations.json", views.revocations, name="revocations"),
]
