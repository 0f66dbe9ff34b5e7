"""URLs of the sandbox: its own pages, the admin, and those of every plugin as the platform finds them."""

from completion.apps import CompletionAppConfig
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from edx_django_utils.plugins import get_plugin_url_patterns

from sandbox import views

# The views of the completion app's own API can only be imported inside edx-platform.
CompletionAppConfig.plugin_app.pop("url_config", None)

pages = (
    [
        path("", views.home, name="home"),
        path("login/", views.Login.as_view(), name="login"),
        path("login/as/<str:username>/", views.login_as, name="login_as"),
        path("logout/", LogoutView.as_view(), name="logout"),
        path("courses/", views.courses, name="courses"),
        path("courses/<str:course_key>/", views.course, name="course"),
        path("courses/<str:course_key>/enrol/", views.enrol, name="enrol"),
        path("courses/<str:course_key>/units/<int:position>/", views.unit, name="unit"),
        path("courses/<str:course_key>/self-test/", views.self_test, name="self_test"),
        path("my/", views.my_credentials, name="my"),
        path("my/credits/", views.my_credits, name="credits"),
        path("staff/", views.staff, name="staff"),
        path("staff/exams/", views.desk, name="desk"),
        path("staff/exams/<uuid:uuid>/", views.batch, name="batch"),
        path("staff/identities/", views.identities, name="identities"),
        path("staff/courses/<str:course_key>/", views.teach_course, name="teach_course"),
    ],
    "sandbox",
)

urlpatterns = [
    path("", include(pages)),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    *get_plugin_url_patterns("lms.djangoapp"),
]
