"""The pages for people who are signed in, beside a signed-in Django view with one query and as many bytes.

The learner holds a thousand badges. In one run, through the same WSGI handler, session and middleware: what
is compared is what the pages themselves cost.
"""

from __future__ import annotations

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import include, path

from benchmarks.harness import Figure
from benchmarks.views import compare, get, open_connection

BADGES = 1000
KINDS = 40

_PADDING: dict[str, bytes] = {}


def one_query(request, name):
    """Look the person's newest award up and answer with as many bytes as the measured page does."""
    from mooc_microcred.achievements.models import Award

    if not request.user.is_authenticated:
        return HttpResponse(status=403)
    Award.objects.filter(learner_id=request.user.id).order_by("-id").values_list("uuid", flat=True).first()
    return HttpResponse(_PADDING[name], content_type="text/html; charset=utf-8")


urlpatterns = [
    path("one-query/<slug:name>", one_query),
    path("", include("tests.urls")),
]

PAGES = {
    "badges": ("badge wall of 1,000 badges", "/microcred/"),
    "programmes": ("programmes of a learner", "/microcred/programmes/"),
    "exams": ("exams of a learner", "/microcred/exams/"),
    "credits": ("credit account of a learner", "/microcred/credits/"),
    "data": ("a learner's own data", "/microcred/data/"),
    "exam-desk": ("exam desk", "/microcred/staff/exams/"),
    "credit-desk": ("credit desk", "/microcred/staff/credits/"),
    "reports": ("funnel of a programme office", "/microcred/staff/reports/"),
}


def _person():
    """Return a learner with many badges, who holds every role, so that one session opens every page."""
    from django.contrib.auth import get_user_model

    from mooc_microcred.core.models import StaffRole
    from mooc_microcred.core.platform import get_platform
    from tests.credentials.issuing_world import issue_all
    from tests.support.factories import make_award, make_version, relay_all

    person = get_user_model().objects.create_user("bench-person")
    for role in StaffRole.Role.values:
        StaffRole.objects.create(user_id=person.id, role=role, organization="KMUTT")
    platform = get_platform()
    if hasattr(platform, "add_learner"):
        platform.add_learner(person.id)
    versions = [make_version(code=f"bench-badge-{number}") for number in range(KINDS)]
    for number in range(BADGES):
        # One live award of an achievement; the earlier ones have expired.
        fields = {} if number < KINDS else {"live": None, "state": "expired"}
        make_award(person.id, versions[number % KINDS], **fields)
    relay_all()
    issue_all()
    return person


def run() -> list[Figure]:
    """Return what each page costs beside a plain signed-in view of the same size."""
    from django.conf import settings
    from django.test.utils import override_settings

    from tests.support.browser import session_of

    cookie = f"{settings.SESSION_COOKIE_NAME}={session_of(_person())}"
    figures = []
    with open_connection(), override_settings(ROOT_URLCONF="benchmarks.pages"):
        handler = WSGIHandler()
        for name, (title, address) in PAGES.items():
            _PADDING[name] = b"x" * len(get(handler, address, cookie=cookie))
            title = f"{title}, beside a signed-in view with one query"
            figures.append(compare(handler, title, (address, f"/one-query/{name}"), cookie=cookie))
    return figures
