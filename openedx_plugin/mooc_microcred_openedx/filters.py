"""Steps of the platform's filters: what micro-credentials add to its pages and answers.

Every step passes on what it was given, and adds to it where there is something to add. None raises:
a failure of ours is logged, counted, and the platform goes on as if we were not there. Courses without
achievements cost no query.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from openedx_filters import PipelineStep

from mooc_microcred.achievements.watch import is_watched
from mooc_microcred.dashboard import api as dashboard
from mooc_microcred.dashboard.data import CardItem
from mooc_microcred_openedx import compat, panels
from mooc_microcred_openedx.certificates import PageWithPanel
from mooc_microcred_openedx.guards import failures

log = logging.getLogger(__name__)

PLUGIN = "mooc_microcred_openedx"
DASHBOARD_TEMPLATE = "mooc_microcred/dashboard.html"
COURSE_SECTION = "microcred"
_CARDS = "_mooc_microcred_cards"

Step = Callable[..., Mapping[str, Any] | None]


def adds(step: Step) -> Callable[..., dict[str, Any]]:
    """Make a filter step of a method that returns what it adds or replaces, None for nothing.

    The method runs in a savepoint: a database error of ours must not break the request's transaction.
    """

    @wraps(step)
    def run_filter(self: PipelineStep, *args: Any, **given: Any) -> dict[str, Any]:
        try:
            with transaction.atomic():
                added = step(self, *args, **given)
        except Exception as error:  # noqa: BLE001 whatever it is, it is not the platform's problem
            name = type(self).__name__
            failures[name] += 1
            log.error("%s added nothing: %s", name, type(error).__name__)
            return given
        return {**given, **(added or {})}

    return run_filter


class DashboardPanel(PipelineStep):
    """The legacy dashboard shows what ``contexts.course_dashboard`` has read."""

    @adds
    def run_filter(self, context, template_name):
        """Put our template around the one that would be rendered (DashboardRenderStarted)."""
        found = context.get("plugins", {}).get(PLUGIN, {}).get("dashboard")
        if found is None:
            return None
        return {
            "context": {
                **context,
                "mooc_microcred_panel": panels.dashboard_panel(found),
                "mooc_microcred_page": "/" + str(template_name).lstrip("/"),
            },
            "template_name": DASHBOARD_TEMPLATE,
        }


class CourseRunCard(PipelineStep):
    """The ``courseRun`` of a course card in the learner home gets ``microcred``."""

    @adds
    def run_filter(self, serialized_courserun):
        """Say what the run leads to (CourseRunAPIRenderStarted)."""
        card = _card(str(serialized_courserun.get("courseId") or ""))
        return card and {"serialized_courserun": {**serialized_courserun, "microcred": card}}


class EnrollmentCard(PipelineStep):
    """The ``enrollment`` of a course card in the learner home gets ``microcred``."""

    @adds
    def run_filter(self, course_key, serialized_enrollment):
        """Say what the run leads to (CourseEnrollmentAPIRenderStarted)."""
        card = _card(str(course_key))
        return card and {"serialized_enrollment": {**serialized_enrollment, "microcred": card}}


class CertificatePanel(PipelineStep):
    """The page of a course certificate says what it stands for."""

    @adds
    def run_filter(self, context, custom_template):
        """Add level, outcomes, hours and the link to verify it (CertificateRenderStarted).

        The operator's own certificate template gets the panel as ``microcred_panel`` and shows it where
        it likes; the platform's gets it below the certificate.
        """
        course_key = str(context.get("course_id") or "")
        learner_id = context.get("accomplishment_user_id")
        # The preview of authors has no certificate.
        if not learner_id or not context.get("certificate_id_number") or not is_watched(course_key):
            return None
        honour = dashboard.read_honour(learner_id=int(learner_id), course_key=course_key)
        if honour is None:
            return None
        panel = panels.certificate_panel(honour)
        return {
            "context": {**context, "microcred_panel": panel},
            "custom_template": custom_template or PageWithPanel(),
        }


class CourseSection(PipelineStep):
    """The instructor dashboard has a section for what course staff need."""

    @adds
    def run_filter(self, context, template_name):
        """Append a section (InstructorDashboardRenderStarted)."""
        course_key = str(context["course"].id)
        if not is_watched(course_key):
            return None
        overview = dashboard.read_course_overview(course_key=course_key)
        if overview.empty:
            return None
        section = {
            "section_key": COURSE_SECTION,
            "section_display_name": panels.course_title(),
            "template_path_prefix": "/mooc_microcred/",
            "course_id": course_key,
            "access": {},
            "panel": panels.course_panel(overview),
        }
        context["sections"].append(section)
        return {"context": context, "template_name": template_name}


class CourseTab(PipelineStep):
    """The instructor dashboard that is an app of its own gets a tab that leads to our page."""

    @adds
    def run_filter(self, tabs, user, course_key):
        """Append a tab (InstructorDashboardTabsRequested)."""
        if not is_watched(str(course_key)):
            return None
        tab = {
            "tab_id": COURSE_SECTION,
            "title": panels.course_title(),
            "url": settings.LMS_ROOT_URL + reverse("mooc_microcred:course-overview", args=[str(course_key)]),
            # After the platform's own.
            "sort_order": max((one.get("sort_order") or 0 for one in tabs), default=0) + 10,
        }
        return {"tabs": [*tabs, tab]}


# --- cards ---


def _card(course_key: str) -> list[dict[str, Any]] | None:
    """Return what a run leads to, for the learner whose cards the current request renders."""
    if not course_key or not is_watched(course_key):
        return None
    request = compat.current_request()
    if request is None:
        return None
    cards = getattr(request, _CARDS, None)
    if cards is None:
        learner_id = compat.learner_of_home(request)
        if learner_id is None:
            return None
        runs = [run for run in compat.enrolled_runs(learner_id) if is_watched(run)]
        cards = dashboard.read_course_cards(learner_id=learner_id, course_keys={*runs, course_key})
        setattr(request, _CARDS, cards)
    return [_item(one) for one in cards.get(course_key, ())] or None


def _item(item: CardItem) -> dict[str, Any]:
    return {
        "achievement": item.code,
        "kind": item.kind,
        "name": {"th": item.name.th, "en": item.name.en},
        "state": item.state,
        "hours": panels.number(item.worth.hours),
        "credits": panels.number(item.worth.credits),
        "award": item.award or None,
        "url": item.url,
    }
