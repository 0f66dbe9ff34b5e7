"""What an author's editor asks while competencies are picked: the tree, the search, a check.

Not handlers of the block: any of those can be called by a learner through the LMS. Here each request says
for which course or library it asks, and the authoring port says whether the person is an author of it.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from mooc_microcred.competencies import api as competencies
from mooc_microcred.competencies.data import CompetencyData, FrameworkData
from mooc_microcred.core.rest_api.views import ApiView, operation

MAX_KEYS = 200


class ContextQuery(serializers.Serializer):
    """For which course or library an author asks."""

    context = serializers.CharField(max_length=255, help_text=_("key of the course run or library"))


class CompetenciesQuery(ContextQuery):
    """Which competencies: a search, or the children of one."""

    framework = serializers.CharField(
        max_length=36, required=False, default="", allow_blank=True, help_text=_("identifier; empty: all")
    )
    text = serializers.CharField(
        max_length=200, required=False, default="", allow_blank=True, help_text=_("of code or statement")
    )
    parent = serializers.CharField(
        max_length=36,
        required=False,
        allow_blank=True,
        help_text=_("identifier; empty: the top of the tree; left out: at any depth"),
    )
    after = serializers.CharField(
        max_length=100, required=False, default="", allow_blank=True, help_text=_("of the page before")
    )
    page_size = serializers.IntegerField(min_value=1, max_value=200, required=False, default=50)


class KeySerializer(serializers.Serializer):
    """A competency by its identifiers."""

    framework = serializers.CharField(max_length=36)
    item = serializers.CharField(max_length=36)


class KeysBody(ContextQuery):
    """Competencies to look up."""

    competencies = KeySerializer(many=True, max_length=MAX_KEYS)


class AuthoringFrameworkSerializer(serializers.Serializer):
    """A published framework."""

    framework = serializers.CharField()
    title = serializers.SerializerMethodField()
    items = serializers.IntegerField(help_text="competencies that are not retired")

    def get_title(self, framework: FrameworkData) -> str:
        """Return the title in the reader's language."""
        return framework.title.in_language(get_language() or "en")


class AuthoringFrameworksSerializer(serializers.Serializer):
    """The published frameworks."""

    results = AuthoringFrameworkSerializer(many=True)


class AuthoringCompetencySerializer(serializers.Serializer):
    """A competency as the picker shows it."""

    framework = serializers.CharField()
    framework_title = serializers.SerializerMethodField()
    item = serializers.CharField()
    code = serializers.CharField()
    statement = serializers.SerializerMethodField()
    domain = serializers.CharField()
    miller = serializers.CharField()
    parent = serializers.CharField()
    children = serializers.IntegerField()
    retired = serializers.BooleanField()

    def get_statement(self, competency: CompetencyData) -> str:
        """Return the statement in the reader's language."""
        return competency.statement.in_language(get_language() or "en")

    def get_framework_title(self, competency: CompetencyData) -> str:
        """Return the framework's title in the reader's language."""
        return competency.framework_title.in_language(get_language() or "en")


class AuthoringCompetenciesSerializer(serializers.Serializer):
    """A page of competencies; ``after`` asks for the next one and is empty on the last."""

    after = serializers.CharField()
    results = AuthoringCompetencySerializer(many=True)


class CheckedCompetencySerializer(KeySerializer):
    """What is known here of an identifier."""

    known = serializers.BooleanField()
    competency = AuthoringCompetencySerializer(allow_null=True)


class CheckedCompetenciesSerializer(serializers.Serializer):
    """What is known here of each identifier, in the order asked."""

    results = CheckedCompetencySerializer(many=True)


class AuthoringView(ApiView):
    """Endpoints for authors: the course or library that is named must be theirs."""

    def must_be_author(self, given: dict[str, Any]) -> None:
        """Refuse whoever is not an author of the named course or library.

        Raises:
            NotAllowed: the person is not.
        """
        competencies.require_sight_of_content(user_id=self.learner_id, context_key=given["context"])


class AuthoringFrameworksView(AuthoringView):
    """Frameworks that an author may pick from."""

    @operation(
        "list_authoring_frameworks",
        "Frameworks that an author may pick competencies from",
        tag="authoring",
        query=ContextQuery,
        answer=AuthoringFrameworksSerializer,
    )
    def get(self, query):
        """Only published ones."""
        self.must_be_author(query)
        return {"results": competencies.list_frameworks(published=True)}


class AuthoringCompetenciesView(AuthoringView):
    """The searchable tree."""

    @operation(
        "search_authoring_competencies",
        "Competencies that an author may pick: the tree level by level, or a search through all of it",
        tag="authoring",
        query=CompetenciesQuery,
        answer=AuthoringCompetenciesSerializer,
    )
    def get(self, query):
        """Of published frameworks, without what is retired; one query however large the framework."""
        self.must_be_author(query)
        page = competencies.search_items(
            framework=query["framework"],
            text=query["text"],
            parent=query.get("parent"),
            after=query["after"],
            limit=query["page_size"],
        )
        return {"after": page.after, "results": page.items}


class CheckCompetenciesView(AuthoringView):
    """What an import brought."""

    @operation(
        "check_authoring_competencies",
        "Say which competencies are known here",
        tag="authoring",
        body=KeysBody,
        answer=CheckedCompetenciesSerializer,
    )
    def post(self, body):
        """Retired ones are known; an unknown one may be kept in a course and loses nothing."""
        self.must_be_author(body)
        keys = [(one["framework"].lower(), one["item"].lower()) for one in body["competencies"]]
        found = competencies.get_competencies(keys=set(keys))
        return {
            "results": [
                {"framework": key[0], "item": key[1], "known": key in found, "competency": found.get(key)}
                for key in keys
            ]
        }
