"""Frameworks for staff: what there is, importing in two steps, export, criteria, publishing as a taxonomy."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.parsers import MultiPartParser

from mooc_microcred.competencies import api as competencies
from mooc_microcred.competencies.data import FrameworkData
from mooc_microcred.competencies.rest_api import staff_serializers as forms
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.rest_api.files import CSV, download, file_answer
from mooc_microcred.core.rest_api.paging import Page, page_of_list
from mooc_microcred.core.rest_api.throttling import PersonRate, UploadRate
from mooc_microcred.core.rest_api.views import StaffView, operation
from mooc_microcred.core.roles import Role
from mooc_microcred.core.texts import Text

JSON = "application/json"
# Bytes that a multipart body has besides the file.
ENVELOPE = 64 * 1024
_FILES = {
    "case": ("framework.json", JSON),
    "csv": ("framework.csv", CSV),
    "taxonomy_csv": ("taxonomy.csv", CSV),
    "taxonomy_json": ("taxonomy.json", JSON),
}


_ANSWERS = {
    **file_answer("The framework as a table", CSV),
    (200, JSON): OpenApiResponse(
        response=OpenApiTypes.OBJECT, description="A CFPackage, or a taxonomy of the platform"
    ),
}


class FrameworkStaffView(StaffView):
    """The base of what programme officers do and auditors see."""

    roles = (Role.PROGRAMME_OFFICER, Role.AUDITOR)

    def seen(self, framework: UUID) -> FrameworkData:
        """Return a framework that the person may know of.

        Raises:
            NotFound: there is none for them.
        """
        found = competencies.get_framework(framework=str(framework))
        self.must_see(found.organization)
        return found


class FrameworksView(FrameworkStaffView):
    """All frameworks of the person's organisations."""

    @operation(
        "list_competency_frameworks",
        "Competency frameworks of my organisations",
        tag="staff",
        query=forms.FrameworksQuery,
        answer=forms.FrameworkSerializer,
        listed=True,
    )
    def get(self, query) -> Page:
        """Drafts and retired ones included; by organisation and title."""
        scopes = self.organizations(query.get("organization"))
        return page_of_list(competencies.list_frameworks(organizations=scopes), query)


class FrameworkImportsView(FrameworkStaffView):
    """Reading a file."""

    parser_classes = (MultiPartParser,)

    @property
    def max_body(self) -> int:  # type: ignore[override]
        """Return how many bytes an upload may have: the setting and what stands around the file."""
        return microcred_settings.UPLOAD_MAX_BYTES + ENVELOPE

    def get_throttles(self):
        """Limit uploads more than requests."""
        return [PersonRate(), UploadRate()]

    @operation(
        "preview_framework_import",
        "Read a file and see what importing it would change",
        tag="staff",
        body=forms.ImportBody,
        answer=forms.ImportPreviewSerializer,
        status=201,
    )
    def post(self, body):
        """Nothing is changed. The answer's token commits exactly what it shows, within a day."""
        framework = body.get("framework")
        if body.get("organization"):
            self.must_see(body["organization"])
        return competencies.preview_import(
            actor=self.actor,
            content=body["file"].read(),
            organization=body.get("organization", ""),
            framework=str(framework) if framework else "",
            title=Text(th=body.get("title_th", ""), en=body.get("title_en", "")),
            creator=body.get("creator", ""),
        )


class CommitImportView(FrameworkStaffView):
    """Doing what a preview has shown."""

    @operation(
        "commit_framework_import",
        "Do what a preview has shown",
        tag="staff",
        body=forms.CommitBody,
        answer=forms.FrameworkSerializer,
        refusals=(404, 409),
    )
    def post(self, token: UUID, body):
        """All of it or nothing. Refused where the framework has changed since."""
        self.must_see(competencies.organization_of_import(token=str(token)))
        return competencies.commit_import(actor=self.actor, token=str(token), **body)


class FrameworkView(FrameworkStaffView):
    """One framework."""

    @operation(
        "get_competency_framework",
        "A competency framework",
        tag="staff",
        answer=forms.FrameworkSerializer,
        refusals=(404,),
    )
    def get(self, framework: UUID):
        """Without its items; the export has everything."""
        return self.seen(framework)


class FrameworkStateView(FrameworkStaffView):
    """Whether a framework is in force."""

    @operation(
        "set_framework_state",
        "Publish a framework, or retire it",
        tag="staff",
        body=forms.StateBody,
        answer=forms.FrameworkSerializer,
        refusals=(404,),
    )
    def post(self, framework: UUID, body):
        """Authors find items of published frameworks only. What names its items stays."""
        self.seen(framework)
        return competencies.set_framework_state(
            actor=self.actor, framework=str(framework), state=body["state"]
        )


class FrameworkExportView(FrameworkStaffView):
    """A framework as a file."""

    @operation(
        "export_framework",
        "A framework as a file",
        tag="staff",
        query=forms.ExportQuery,
        answer=_ANSWERS,
        refusals=(404,),
    )
    def get(self, framework: UUID, query) -> HttpResponse:
        """A CFPackage of CASE 1.1, our CSV, or the taxonomy files of the platform."""
        self.seen(framework)
        name, media_type = _FILES[query["form"]]
        content = competencies.export_framework(
            framework=str(framework), format=query["form"], actor=self.actor
        )
        return download(content, name=name, media_type=media_type)


class FrameworkTaxonomyView(FrameworkStaffView):
    """A framework in Studio's tag drawer."""

    @operation(
        "publish_framework_as_taxonomy",
        "Publish a framework as a taxonomy of the platform",
        tag="staff",
        answer=forms.TaxonomySerializer,
        refusals=(404, 409),
    )
    def post(self, framework: UUID):
        """So that authors may tag any block; again brings the taxonomy up to date."""
        self.seen(framework)
        return {"tags": competencies.publish_taxonomy(actor=self.actor, framework=str(framework))}


class FrameworkCriteriaView(FrameworkStaffView):
    """The criteria by which the competencies of a framework are judged."""

    @operation(
        "list_mastery_criteria",
        "Criteria in force of a framework",
        tag="staff",
        query=forms.PageQuery,
        answer=forms.CriteriaSerializer,
        listed=True,
        refusals=(404,),
    )
    def get(self, framework: UUID, query) -> Page:
        """Those of the framework first; what has none is judged by the platform's settings."""
        found = self.seen(framework)
        return page_of_list(competencies.list_criteria(framework=found.framework), query)

    @operation(
        "set_mastery_criteria",
        "Bring criteria into force",
        tag="staff",
        body=forms.CriteriaBody,
        answer=forms.CriteriaSerializer,
        refusals=(404,),
    )
    def post(self, framework: UUID, body):
        """A new version; nobody loses what they have demonstrated."""
        found = self.seen(framework)
        item = body.get("item")
        return competencies.set_criteria(
            actor=self.actor,
            framework=found.framework,
            item=str(item) if item else "",
            rule=body["rule"],
        )
