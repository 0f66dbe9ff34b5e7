"""Addresses of the credentials room in the REST API."""

from django.urls import path

from mooc_microcred.credentials.rest_api import verify

urlpatterns = [
    path("verify/", verify.VerifyView.as_view(), name="verify"),
]
