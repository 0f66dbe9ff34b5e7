"""Addresses of documents that programs fetch by their ids, below ``microcred/``."""

from django.urls import URLPattern, path

from mooc_microcred.credentials import documents_views as views

urlpatterns: list[URLPattern] = [
    path("issuers/<slug:code>/did.json", views.did_json, name="issuer-did"),
    path("issuers/<slug:code>/issuer.json", views.issuer_2, name="issuer-2"),
    path("contexts/v1.jsonld", views.own_context, name="own-context"),
    path("endorsements/<uuid:uuid>", views.endorsement, name="endorsement"),
    path("achievements/<slug:code>/<int:number>/badge.json", views.badge_class, name="badge-class"),
]
