"""Addresses below ``microcred/staff/awards/``."""

from django.urls import URLPattern, path

from mooc_microcred.achievements.pages import awards, offers

urlpatterns: list[URLPattern] = [
    path("staff/awards/", awards.awards, name="page-awards"),
    path("staff/awards/runs/", offers.offers, name="page-run-offers"),
    path("staff/awards/<uuid:award>/", awards.award, name="page-award"),
]
