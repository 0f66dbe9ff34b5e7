"""URLs of the sandbox: its own pages, the admin, and those of every plugin as the platform finds them."""

from completion.apps import CompletionAppConfig
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from edx_django_utils.plugins import get_plugin_url_patterns

from sandbox import views
from sandbox.studio import views as studio

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
        path("studio/courses/<str:course_key>/", studio.outline, name="studio_course"),
        path("studio/courses/<str:course_key>/course.tar.gz", studio.export_olx, name="studio_export"),
        path("studio/courses/<str:course_key>/import/", studio.import_olx, name="studio_import"),
        path("studio/units/<str:usage_key>/", studio.unit, name="studio_unit"),
        path("studio/blocks/<str:usage_key>/edit/", studio.edit, name="studio_edit"),
        path(
            "studio/blocks/<str:usage_key>/handler/<str:handler>",
            studio.studio_handler,
            name="studio_handler",
        ),
        path("xblock/<str:usage_key>/handler/<str:handler>", studio.xblock_handler, name="xblock_handler"),
        path("xblock/resource/<str:block_type>/<path:uri>", studio.xblock_resource, name="xblock_resource"),
        path("learn/units/<str:usage_key>/", studio.learn_unit, name="learn_unit"),
        path("staff/", views.staff, name="staff"),
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
