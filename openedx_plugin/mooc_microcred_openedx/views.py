"""The page of a course for its staff, where the platform's instructor dashboard is an app of its own.

The legacy instructor dashboard holds the same as a section; the new one links to pages.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from mooc_microcred.core.authoring import may_see_content
from mooc_microcred.dashboard import api as dashboard
from mooc_microcred_openedx import panels


@require_safe
@login_required
def course_overview(request: HttpRequest, course_key: str) -> HttpResponse:
    """Show the staff of a course run what it leads to, and the numbers of its awards."""
    if not may_see_content(user_id=request.user.id, context_key=course_key):
        raise PermissionDenied
    overview = dashboard.read_course_overview(course_key=course_key)
    if overview.empty:
        raise Http404
    answer = render(
        request,
        "mooc_microcred_openedx/course_page.html",
        {"title": panels.course_title(), "course_key": course_key, "panel": panels.course_panel(overview)},
    )
    patch_cache_control(answer, private=True, no_store=True)
    return answer
