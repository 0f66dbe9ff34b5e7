"""Addresses below ``microcred/staff/exams/``."""

from django.urls import URLPattern, path

from mooc_microcred.exams.pages import admissions, batch, desk

BATCH = "staff/exams/batches/<uuid:batch>/"

urlpatterns: list[URLPattern] = [
    path("staff/exams/", desk.desk, name="page-exam-desk"),
    path("staff/exams/template.<str:form>", desk.template, name="page-exam-template"),
    path(BATCH, batch.batch, name="page-exam-batch"),
    path(f"{BATCH}problems.csv", batch.problems_file, name="page-exam-problems"),
    path(f"{BATCH}correct/", batch.correct, name="page-exam-correct"),
    path("staff/exams/admissions/", admissions.admissions, name="page-admissions"),
    path("staff/exams/admissions/<slug:exam>.csv", admissions.candidates_file, name="page-candidates-file"),
]
