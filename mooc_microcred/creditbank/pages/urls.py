"""Addresses below ``microcred/staff/credits/``."""

from django.urls import URLPattern, path

from mooc_microcred.creditbank.pages import desk, record

urlpatterns: list[URLPattern] = [
    path("staff/credits/", desk.desk, name="page-credit-desk"),
    path("staff/credits/records.csv", desk.records_file, name="page-credit-records-file"),
    path("staff/credits/records/<uuid:record>/", record.record, name="page-credit-record"),
]
