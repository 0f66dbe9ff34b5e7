"""Addresses below ``microcred/``: what a learner sees of their own."""

from django.urls import URLPattern, path

from mooc_microcred.dashboard.pages.badges import badges
from mooc_microcred.dashboard.pages.credits import credits, withdraw
from mooc_microcred.dashboard.pages.data import bundle, data, everything
from mooc_microcred.dashboard.pages.exams import exams, results
from mooc_microcred.dashboard.pages.programmes import programme, programmes

urlpatterns: list[URLPattern] = [
    path("", badges, name="page-badges"),
    path("programmes/", programmes, name="page-programmes"),
    path("programmes/<slug:code>/", programme, name="page-programme"),
    path("exams/", exams, name="page-exams"),
    path("exams/results/", results, name="page-results"),
    path("credits/", credits, name="page-credits"),
    path("credits/withdraw/<slug:bank>/", withdraw, name="page-withdraw"),
    path("data/", data, name="page-data"),
    path("data/everything.json", everything, name="page-data-file"),
    path("data/credentials.zip", bundle, name="page-bundle"),
]
