"""Addresses below ``microcred/`` that pages of every room need."""

from django.urls import URLPattern, path

from mooc_microcred.core.pages import identities, staff_audit, style

urlpatterns: list[URLPattern] = [
    path("assets/<slug:name>-<str:version>.css", style.style, name="page-style"),
    path("staff/identities/", identities.identities, name="page-identities"),
    path("staff/audit/", staff_audit.audit, name="page-audit"),
    path("staff/audit/lines.csv", staff_audit.audit_file, name="page-audit-file"),
    path("staff/messages/", staff_audit.dead_letters, name="page-dead-letters"),
]
