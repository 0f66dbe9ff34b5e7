"""Addresses below ``microcred/staff/exams/``."""

from django.urls import URLPattern, path

from mooc_microcred.exams.pages import views

urlpatterns: list[URLPattern] = [
    path("staff/exams/", views.desk, name="page-exam-desk"),
    path("staff/exams/batches/<uuid:batch>/", views.batch, name="page-exam-batch"),
    path("staff/exams/admissions/", views.admissions, name="page-admissions"),
]
