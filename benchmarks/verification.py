"""The credential page, its JSON and a status list, beside a Django view with one query and as many bytes.

All in one run, through the same WSGI handler and the platform's kind of middleware, so what is
compared is what the views themselves cost.
"""

from __future__ import annotations

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import include, path

from benchmarks.harness import Figure
from benchmarks.views import compare, get, open_connection

LEARNER = 990_000_001

_PADDING: dict[str, bytes] = {}


def one_query(_request, uuid, name):
    """Look one row up by its uuid and answer with as many bytes as the measured view does."""
    from mooc_microcred.credentials.models import Credential

    if Credential.objects.filter(uuid=uuid).values_list("pk", flat=True).first() is None:
        return HttpResponse(status=404)
    return HttpResponse(_PADDING[name], content_type="text/html; charset=utf-8")


urlpatterns = [
    path("one-query/<uuid:uuid>/<slug:name>", one_query),
    path("", include("tests.urls")),
]


def _issue():
    """Return the credential of a Level 2 award, issued as the room issues it."""
    from mooc_microcred.core.platform import get_platform
    from mooc_microcred.credentials.models import Credential
    from tests.credentials.issuing_world import award_level_2, issue_all

    platform = get_platform()
    if hasattr(platform, "add_learner"):
        platform.add_learner(LEARNER)
    award = award_level_2(LEARNER)
    issue_all()
    return Credential.objects.select_related("status_list").get(award=award, live=True)


def run() -> list[Figure]:
    """Return how long each answer takes beside a view of the same size with one query."""
    from django.test.utils import override_settings

    from mooc_microcred.credentials.status.lists import sign_due

    row = _issue()
    sign_due()
    page = f"/microcred/credentials/{row.uuid}"
    measured = {
        "page": ("verification page of a credential", page, "text/html"),
        "json": ("signed credential as JSON", f"{page}/credential.json", "application/json"),
        "list": ("status list", f"/microcred/status/{row.status_list.code}/revocation", "*/*"),
    }
    figures = []
    with open_connection(), override_settings(ROOT_URLCONF="benchmarks.verification"):
        handler = WSGIHandler()
        for name, (title, address, accept) in measured.items():
            _PADDING[name] = b"x" * len(get(handler, address, accept))
            beside = f"/one-query/{row.uuid}/{name}"
            get(handler, beside)
            title = f"{title}, beside a view with one query"
            figures.append(compare(handler, title, (address, beside), accept))
    return figures
