"""Addresses below ``microcred/``: what a learner sees of their own."""

from django.urls import URLPattern, path

from mooc_microcred.dashboard.pages import views

urlpatterns: list[URLPattern] = [
    path("", views.badges, name="page-badges"),
    path("programmes/", views.programmes, name="page-programmes"),
    path("programmes/<slug:code>/", views.programme, name="page-programme"),
    path("exams/", views.exams, name="page-exams"),
    path("credits/", views.credits, name="page-credits"),
    path("data/", views.data, name="page-data"),
]
