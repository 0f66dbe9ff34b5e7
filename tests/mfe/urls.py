"""The sandbox, the list of courses that a learner dashboard reads, and the stand-ins of its two shells."""

import mimetypes
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.urls import include, path
from django.utils.translation import get_language

from sandbox.models import Enrollment

PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>Learner dashboard</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/shells/{shell}.css"></head>
<body><div id="root"></div><script src="/shells/{shell}.js"></script></body></html>"""


def dashboard(request, shell):
    answer = HttpResponse(PAGE.format(language=get_language(), shell=shell))
    # As strict as an operator may be: neither inline styles nor other hosts.
    answer["Content-Security-Policy"] = "default-src 'self'; img-src 'self' data:"
    return answer


def bundle(request, name):
    file = Path(settings.MICROCRED_SHELLS) / name
    if not file.is_file():
        raise Http404
    return FileResponse(file.open("rb"), content_type=mimetypes.guess_type(name)[0])


def courses(request):
    """Answer as the platform's learner_home does; with ``user`` as staff see it who look at somebody else."""
    rows = (
        Enrollment.objects.filter(user=request.user, is_active=True).select_related("course").order_by("pk")
    )
    return JsonResponse(
        {
            "courses": [
                {
                    "course": {"courseName": row.course.title},
                    "courseRun": {
                        "courseId": row.course.course_key,
                        "homeUrl": f"/courses/{row.course.course_key}/",
                    },
                }
                for row in rows
            ]
        }
    )


urlpatterns = [
    path("learner-dashboard/<slug:shell>/", dashboard),
    path("shells/<str:name>", bundle),
    path("api/learner_home/init/", courses),
    path("", include("sandbox.urls")),
]
