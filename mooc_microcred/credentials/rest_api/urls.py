"""Addresses of the credentials room in the REST API."""

from django.urls import path

from mooc_microcred.credentials.rest_api import dids, pictures, sharing, verify

urlpatterns = [
    path("verify/", verify.VerifyView.as_view(), name="verify"),
    path("my/did/", dids.MyDidView.as_view(), name="my-did"),
    path("my/did/forget/", dids.ForgetDidView.as_view(), name="my-did-forget"),
    path("my/credentials/", sharing.MyCredentialsView.as_view(), name="my-credentials"),
    path("my/credentials/bundle/", sharing.BundleView.as_view(), name="my-credentials-bundle"),
    path(
        "my/credentials/<uuid:credential>/sharing/",
        sharing.SharingView.as_view(),
        name="my-credential-sharing",
    ),
    path(
        "staff/issuers/<microcred_code:code>/pictures/",
        pictures.IssuerPicturesView.as_view(),
        name="issuer-pictures",
    ),
    path(
        "staff/issuers/<microcred_code:code>/template/",
        pictures.TemplateView.as_view(),
        name="certificate-template",
    ),
    path(
        "staff/achievements/<microcred_code:code>/badge/",
        pictures.BadgePictureView.as_view(),
        name="badge-picture",
    ),
]
