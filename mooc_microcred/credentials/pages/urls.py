"""Addresses below ``microcred/``: pages and documents that anybody reads."""

from django.urls import URLPattern, path

from mooc_microcred.credentials.documents_urls import urlpatterns as documents
from mooc_microcred.credentials.pages import assets, views
from mooc_microcred.credentials.status.urls import urlpatterns as status_lists

_CREDENTIAL = "credentials/<uuid:uuid>"

urlpatterns: list[URLPattern] = [
    *documents,
    *status_lists,
    path(_CREDENTIAL, views.credential, name="credential"),
    path(f"{_CREDENTIAL}/credential.json", views.credential_json, name="credential-json"),
    path(f"{_CREDENTIAL}/credential.jwt", views.credential_jwt, name="credential-jwt"),
    path(f"{_CREDENTIAL}/record", views.record, name="credential-record"),
    path(f"{_CREDENTIAL}/assertion.json", views.assertion, name="credential-assertion"),
    path(f"{_CREDENTIAL}/badge.png", views.badge_png, name="credential-badge-png"),
    path(f"{_CREDENTIAL}/badge.svg", views.badge_svg, name="credential-badge-svg"),
    path(f"{_CREDENTIAL}/og.png", views.open_graph, name="credential-og"),
    path(f"{_CREDENTIAL}/certificate.pdf", views.certificate, name="credential-certificate"),
    path(f"{_CREDENTIAL}/sharing", views.sharing, name="credential-sharing"),
    path("achievements/<slug:code>/<int:number>", views.achievement, name="achievement-page"),
    path("issuers/<slug:code>", views.issuer, name="issuer-page"),
    path("verify", views.verify_page, name="verify-page"),
    path("pictures/<uuid:uuid>.png", assets.picture, name="picture"),
    path("pictures/<uuid:uuid>/small.webp", assets.small_picture, name="small-picture"),
    path("assets/colour-<str:colour>.css", assets.colours, name="page-colours"),
    path("assets/badge-<str:kind>-<str:colour>.svg", assets.badge, name="page-badge"),
    path("assets/badge-<str:kind>-<str:colour>.png", assets.badge_as_png, name="drawn-badge"),
]
