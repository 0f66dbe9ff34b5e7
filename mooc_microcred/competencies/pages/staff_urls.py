"""Addresses below ``microcred/staff/frameworks/``, in the LMS only."""

from django.urls import URLPattern, path

from mooc_microcred.competencies.pages import frameworks

FRAMEWORK = "staff/frameworks/<uuid:framework>/"

urlpatterns: list[URLPattern] = [
    path("staff/frameworks/", frameworks.frameworks, name="page-frameworks"),
    path("staff/frameworks/imports/<uuid:token>/", frameworks.framework_import, name="page-framework-import"),
    path(FRAMEWORK, frameworks.framework, name="page-framework"),
    path(f"{FRAMEWORK}<slug:form>/file", frameworks.framework_file, name="page-framework-file"),
]
