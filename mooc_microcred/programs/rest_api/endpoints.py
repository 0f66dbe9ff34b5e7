"""Programmes, how far a learner is, and what to do next."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import AchievementProgress, Definition
from mooc_microcred.achievements.rest_api.endpoints import named
from mooc_microcred.core.errors import NotFound
from mooc_microcred.core.rest_api.paging import PageQuery, page_of_list
from mooc_microcred.core.rest_api.views import ApiView, StaffView, operation
from mooc_microcred.core.roles import Role
from mooc_microcred.programs import api as programs
from mooc_microcred.programs.rest_api import serializers as forms


class ProgrammesView(ApiView):
    """Programmes that can be earned."""

    @operation(
        "list_programmes",
        "Programmes that can be earned, with their requirements",
        tag="catalogue",
        query=forms.ProgrammesQuery,
        answer=forms.ProgrammeSerializer,
        listed=True,
    )
    def get(self, query):
        """Only what is in force; ordered by code."""
        catalogue = achievements.current_catalogue()
        found = (catalogue.newest(code) for code in sorted(catalogue.versions))
        return page_of_list(
            [
                one
                for one in found
                if one is not None
                and one.tree is not None
                and query.get("organization") in (None, one.organization)
            ],
            query,
        )


class MyProgrammesView(ApiView):
    """The learner's programmes."""

    @operation(
        "list_my_programmes",
        "My programmes, with progress and the next step",
        tag="my",
        query=PageQuery,
        answer=forms.ProgrammeProgressSerializer,
        listed=True,
        refusals=(503,),
    )
    def get(self, query):
        """Programmes to which the learner's courses or awards lead."""
        page = page_of_list(programs.list_programmes_with_progress(learner_id=self.learner_id), query)
        named(
            self,
            [
                award
                for one in page.rows
                for award in (one.award, *(part.award for part in one.components.values()))
                if award is not None
            ],
        )
        return page


def in_force(code: str) -> Definition:
    """Return the newest version in force.

    Raises:
        NotFound: there is none.
    """
    definition = achievements.current_catalogue().newest(code)
    if definition is None:
        raise NotFound(_("There is no such achievement in force."))
    return definition


def progress_of(view: ApiView, learner_id: int, definition: Definition) -> dict[str, Any]:
    """Return how far a learner is in one achievement, what is missing and what to do next."""
    progress = achievements.read_progress(learner_id=learner_id)
    own = progress.get(definition.code) or AchievementProgress(
        code=definition.code,
        kind=definition.kind,
        organization=definition.organization,
        name=definition.name,
        version_id=definition.version_id,
        course_key="",
        met=False,
        measures=(),
    )
    named(view, [own.award] if own.award else [])
    shown = {one.name: getattr(own, one.name) for one in fields(own)}
    return {**shown, "next_step": programs.next_step_of(progress, definition.code)}


class MyProgressView(ApiView):
    """How far the learner is in one achievement."""

    @operation(
        "read_my_progress",
        "What I still need for an achievement",
        tag="my",
        answer=forms.ProgressSerializer,
        refusals=(404, 503),
    )
    def get(self, code):
        """Every condition with what the learner has of it; none where nothing was begun."""
        return progress_of(self, self.learner_id, in_force(code))


class LearnerProgressView(StaffView):
    """Why a learner has not earned an achievement of the reader's organisation."""

    roles = (Role.PROGRAMME_OFFICER, Role.AUDITOR)

    @operation(
        "read_learner_progress",
        "Why a learner has not earned an achievement",
        tag="staff",
        answer=forms.ProgressSerializer,
        refusals=(404, 503),
    )
    def get(self, learner_id, code):
        """Every condition with what the learner has of it, as evaluation would judge it now."""
        definition = in_force(code)
        self.must_see(definition.organization)
        return progress_of(self, learner_id, definition)
