"""Addresses below ``microcred/`` that pages of every room need."""

from django.urls import URLPattern, path

from mooc_microcred.core.pages import identities, style, views

urlpatterns: list[URLPattern] = [
    path("assets/<slug:name>-<str:version>.css", style.style, name="page-style"),
    path("staff/identities/", identities.identities, name="page-identities"),
    path("staff/audit/", views.audit, name="page-audit"),
    path("staff/messages/", views.dead_letters, name="page-dead-letters"),
]
