"""URLs of the plugin in the LMS: the REST API, and the public pages for people and machines."""

from django.urls import include, path

from mooc_microcred_openedx import views

urlpatterns = [
    path("api/mooc_microcred/v1/", include("mooc_microcred.rest_api.v1.urls")),
    path("api/mooc_microcred/ims/case/v1p1/", include("mooc_microcred.competencies.rest_api.case_urls")),
    path("api/mooc_microcred/ims/ob/v3p0/", include("mooc_microcred.credentials.rest_api.wallet_urls")),
    path("microcred/courses/<path:course_key>/", views.course_overview, name="course-overview"),
    path("microcred/", include("mooc_microcred.pages_urls")),
]
