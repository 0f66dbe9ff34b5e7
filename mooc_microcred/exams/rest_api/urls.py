"""Addresses of the exams room."""

from django.urls import path

from mooc_microcred.exams.rest_api import endpoints

BATCH = "staff/exam-batches/<uuid:batch>/"

urlpatterns = [
    path("my/exam-results/", endpoints.MyExamResultsView.as_view(), name="my-exam-results"),
    path("my/exam-admissions/", endpoints.MyAdmissionsView.as_view(), name="my-exam-admissions"),
    path("staff/exams/", endpoints.ExamsView.as_view(), name="exams"),
    path("staff/exam-admissions/", endpoints.AdmissionsView.as_view(), name="exam-admissions"),
    path("staff/exam-batches/", endpoints.BatchesView.as_view(), name="exam-batches"),
    path("staff/exam-batches/template/", endpoints.TemplateView.as_view(), name="exam-template"),
    path(BATCH, endpoints.BatchView.as_view(), name="exam-batch"),
    path(f"{BATCH}results/", endpoints.BatchResultsView.as_view(), name="exam-batch-results"),
    path(f"{BATCH}problems/", endpoints.BatchProblemsView.as_view(), name="exam-batch-problems"),
    path(f"{BATCH}problems.csv", endpoints.BatchProblemsFileView.as_view(), name="exam-batch-problems-file"),
    path(f"{BATCH}import-right-rows/", endpoints.ImportRightRowsView.as_view(), name="import-right-rows"),
    path(f"{BATCH}sign/", endpoints.SignBatchView.as_view(), name="sign-exam-batch"),
    path(f"{BATCH}release/", endpoints.ReleaseBatchView.as_view(), name="release-exam-batch"),
    path(f"{BATCH}cancel/", endpoints.CancelBatchView.as_view(), name="cancel-exam-batch"),
]
