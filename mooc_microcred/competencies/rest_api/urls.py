"""Addresses of the competencies room for staff."""

from django.urls import path

from mooc_microcred.competencies.rest_api import staff_endpoints as endpoints

FRAMEWORK = "staff/frameworks/<uuid:framework>/"

urlpatterns = [
    path("staff/frameworks/", endpoints.FrameworksView.as_view(), name="frameworks"),
    path("staff/framework-imports/", endpoints.FrameworkImportsView.as_view(), name="framework-imports"),
    path(
        "staff/framework-imports/<uuid:token>/commit/",
        endpoints.CommitImportView.as_view(),
        name="commit-framework-import",
    ),
    path(FRAMEWORK, endpoints.FrameworkView.as_view(), name="framework"),
    path(f"{FRAMEWORK}state/", endpoints.FrameworkStateView.as_view(), name="framework-state"),
    path(f"{FRAMEWORK}export", endpoints.FrameworkExportView.as_view(), name="framework-export"),
    path(f"{FRAMEWORK}taxonomy/", endpoints.FrameworkTaxonomyView.as_view(), name="framework-taxonomy"),
    path(f"{FRAMEWORK}criteria/", endpoints.FrameworkCriteriaView.as_view(), name="framework-criteria"),
]
