"""Addresses of the CASE provider, below ``api/mooc_microcred/ims/case/v1p1/``."""

from django.urls import path

from mooc_microcred.competencies.rest_api import case_views as views

urlpatterns = [
    path("CFDocuments", views.documents, name="case-documents"),
    path("CFDocuments/<uuid:identifier>", views.document, name="case-document"),
    path("CFPackages/<uuid:identifier>", views.package, name="case-package"),
    path("CFItems/<uuid:identifier>", views.item, name="case-item"),
    path("CFItemAssociations/<uuid:identifier>", views.item_associations, name="case-item-associations"),
    path("CFAssociations/<uuid:identifier>", views.association, name="case-association"),
]
