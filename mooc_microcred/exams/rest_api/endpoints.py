"""A learner's results and admissions; and from an exam centre's file to released results."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from rest_framework.parsers import MultiPartParser

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import NotAllowed
from mooc_microcred.core.rest_api.files import CSV, XLSX, download, file_answer
from mooc_microcred.core.rest_api.paging import Page, PageQuery, page_of_list, page_of_rows, page_size
from mooc_microcred.core.rest_api.throttling import PersonRate, UploadRate
from mooc_microcred.core.rest_api.views import ApiView, StaffView, operation
from mooc_microcred.core.roles import Role
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.data import AdmissionData, AdmissionRequest, BatchData
from mooc_microcred.exams.models import ExamAdmission, ExamBatch
from mooc_microcred.exams.rest_api import serializers as forms

# Bytes that a multipart body has besides the file.
ENVELOPE = 64 * 1024


class MyExamResultsView(ApiView):
    """The learner's results."""

    @operation(
        "list_my_exam_results",
        "My exam results, the newest sitting first",
        tag="my",
        query=PageQuery,
        answer=forms.MyExamResultSerializer,
        listed=True,
    )
    def get(self, query):
        """Only what is released; a corrected result stands in the place of the one that it corrects."""
        return page_of_list(exams.my_results(learner_id=self.learner_id), query)


class MyAdmissionsView(ApiView):
    """The exams that the learner may sit."""

    @operation(
        "list_my_exam_admissions",
        "The exams that I may sit, with my number at the exam centre",
        tag="my",
        query=PageQuery,
        answer=forms.MyAdmissionSerializer,
        listed=True,
    )
    def get(self, query):
        """The newest admission first."""
        return page_of_list(exams.my_admissions(learner_id=self.learner_id), query)


class ExamStaffView(StaffView):
    """The base of what exam officers, second signatories and auditors see."""

    roles: Collection[str] = (Role.EXAM_OFFICER, Role.EXAM_SIGNATORY, Role.AUDITOR)

    def must_be_officer(self) -> None:
        """Refuse whoever is exam officer nowhere.

        Raises:
            NotAllowed: the role is missing.
        """
        scopes = self.actor.organizations(Role.EXAM_OFFICER)
        if scopes is not None and not scopes:
            raise NotAllowed(_("You do not hold a role that this needs."))


class ExamsView(ExamStaffView):
    """Exams in force."""

    @operation(
        "list_exams",
        "Exams in force of my organisations",
        tag="staff",
        query=forms.ExamsQuery,
        answer=forms.StaffExamSerializer,
        listed=True,
    )
    def get(self, query):
        """Each with the achievement that it is for; ordered by code."""
        found = exams.exams_in_force(organizations=self.organizations(query.get("organization")))
        return page_of_list(found, query)


class AdmissionsView(ExamStaffView):
    """Who may sit which exam."""

    @operation(
        "list_exam_admissions",
        "Who is admitted to which exam, the newest first",
        tag="staff",
        query=forms.AdmissionsQuery,
        answer=forms.AdmissionSerializer,
        listed=True,
    )
    def get(self, query):
        """With the number that the exam centre knows."""
        rows = ExamAdmission.objects.all()
        scopes = self.organizations(query.get("organization"))
        if scopes is not None:
            rows = rows.filter(organization__in=scopes)
        if "exam" in query:
            rows = rows.filter(exam_code=query["exam"])
        return page_of_rows(
            rows,
            query,
            read=lambda row: AdmissionData(row.exam_code, row.organization, row.number, row.learner_id),
        )

    @operation(
        "admit_learners",
        "Admit learners to an exam",
        tag="staff",
        body=forms.AdmissionBody,
        answer=forms.AdmissionsSerializer,
        status=201,
        refusals=(404, 409, 503),
    )
    def post(self, body):
        """All of them or, if one cannot be admitted, none. Who is admitted already keeps the number."""
        self.must_be_officer()
        candidates = [AdmissionRequest(**one) for one in body["candidates"]]
        admitted = exams.admit_learners(actor=self.actor, exam_code=body["exam"], candidates=candidates)
        return {"admissions": admitted}


class BatchesView(ExamStaffView):
    """Files of results."""

    parser_classes = (MultiPartParser,)

    @property
    def max_body(self) -> int:
        """Return how many bytes an upload may have: the setting and what stands around the file."""
        return microcred_settings.UPLOAD_MAX_BYTES + ENVELOPE

    def get_throttles(self):
        """Limit uploads more than requests."""
        limits = [PersonRate, UploadRate] if self.request.method == "POST" else [PersonRate]
        return [limit() for limit in limits]

    @operation(
        "list_exam_batches",
        "Files of results, the newest first",
        tag="staff",
        query=forms.BatchesQuery,
        answer=forms.BatchSerializer,
        listed=True,
    )
    def get(self, query):
        """From upload to release, also cancelled and superseded ones."""
        rows = ExamBatch.objects.select_related("achievement", "supersedes").defer(
            "problems", "supersedes__problems"
        )
        scopes = self.organizations(query.get("organization"))
        if scopes is not None:
            rows = rows.filter(organization__in=scopes)
        if "exam" in query:
            rows = rows.filter(exam_code=query["exam"])
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return page_of_rows(rows, query, read=_listed)

    @operation(
        "upload_exam_batch",
        "Upload a file of results",
        tag="staff",
        body=forms.UploadBody,
        answer=forms.BatchDetailSerializer,
        status=201,
        refusals=(404, 409, 503),
    )
    def post(self, body):
        """Check the file row by row, and import it if every row is right.

        One wrong row, and nothing is imported: the batch is ``invalid`` and lists what is wrong. With
        ``only_right_rows`` the right rows are imported nevertheless.
        """
        self.must_be_officer()
        file = body["file"]
        return exams.upload_batch(
            actor=self.actor,
            exam_code=body["exam"],
            file_name=file.name,
            content=file.read(),
            only_right_rows=body["only_right_rows"],
            supersedes=str(body.get("supersedes", "")),
            reason=body.get("reason", ""),
        )


def _listed(batch: ExamBatch) -> dict[str, Any]:
    shown = {name: getattr(batch, name) for name in forms.BatchSerializer().fields}
    shown["achievement"] = batch.achievement.code
    shown["supersedes"] = batch.supersedes.uuid if batch.supersedes else ""
    return shown


class BatchView(ExamStaffView):
    """One file of results."""

    @operation(
        "read_exam_batch",
        "A file of results with the first of its problems",
        tag="staff",
        answer=forms.BatchDetailSerializer,
        refusals=(404,),
    )
    def get(self, batch):
        """What was uploaded by whom, and what was made of it."""
        return exams.get_batch(actor=self.actor, batch_uuid=str(batch))


class BatchProblemsView(ExamStaffView):
    """Everything that is wrong in a file."""

    @operation(
        "list_exam_batch_problems",
        "Everything that is wrong in a file, in its order",
        tag="staff",
        query=PageQuery,
        answer=forms.RowProblemSerializer,
        listed=True,
        refusals=(404,),
    )
    def get(self, batch, query) -> Page:
        """Row, column, value and what is expected."""
        return page_of_list(exams.get_batch(actor=self.actor, batch_uuid=str(batch)).problems, query)


class BatchResultsView(ExamStaffView):
    """What was imported of a file."""

    @operation(
        "list_exam_batch_results",
        "The results that were imported of a file, in its order",
        tag="staff",
        query=PageQuery,
        answer=forms.CandidateResultSerializer,
        listed=True,
        refusals=(404, 503),
    )
    def get(self, batch, query) -> Page:
        """What the second person checks before signing, with the candidates' names on the platform."""
        size = page_size(query)
        rows = exams.results_of_batch(
            actor=self.actor, batch_uuid=str(batch), after_row=query.get("cursor", 0), limit=size + 1
        )
        more = len(rows) > size
        return Page(rows[:size], rows[size - 1].row if more else None)


class BatchProblemsFileView(ExamStaffView):
    """Everything that is wrong in a file, as a file for the exam centre."""

    @operation(
        "download_exam_batch_problems",
        "Everything that is wrong in a file, as CSV",
        tag="staff",
        answer=file_answer("CSV in UTF-8 with BOM", CSV),
        refusals=(404,),
    )
    def get(self, batch):
        """For the exam centre, which corrects the file and sends it again."""
        content = exams.export_problems_csv(actor=self.actor, batch_uuid=str(batch))
        return download(content, name="problems.csv", media_type=CSV)


class TemplateView(ExamStaffView):
    """An empty file of results."""

    @operation(
        "download_exam_template",
        "An empty file of results to fill in",
        tag="staff",
        query=forms.TemplateQuery,
        answer=file_answer("CSV in UTF-8 with BOM, or XLSX", CSV, XLSX),
    )
    def get(self, query):
        """With headings in the reader's language."""
        as_xlsx = query["form"] == "xlsx"
        content = exams.result_template(language=get_language() or "en", as_xlsx=as_xlsx)
        return download(content, name=f"results.{query['form']}", media_type=XLSX if as_xlsx else CSV)


def _action(name: str, summary: str, body: Any = None):
    return operation(
        name,
        summary,
        tag="staff",
        body=body,
        answer=forms.BatchDetailSerializer,
        refusals=(404, 409),
    )


class ImportRightRowsView(ExamStaffView):
    """Importing what is right of a file that has wrong rows."""

    roles = (Role.EXAM_OFFICER,)

    @operation(
        "import_right_rows",
        "Import the right rows of a file that has wrong ones",
        tag="staff",
        answer=forms.BatchDetailSerializer,
        refusals=(404, 409, 503),
    )
    def post(self, batch) -> BatchData:
        """The rows are checked anew; what is wrong stays out."""
        return exams.import_right_rows(actor=self.actor, batch_uuid=str(batch))


class SignBatchView(ExamStaffView):
    """The second signature."""

    @_action("sign_exam_batch", "Sign a batch as the second person")
    def post(self, batch) -> BatchData:
        """Whoever uploaded it cannot."""
        return exams.sign_batch(actor=self.actor, batch_uuid=str(batch))


class ReleaseBatchView(ExamStaffView):
    """Release."""

    @_action("release_exam_batch", "Release the results of a signed batch")
    def post(self, batch) -> BatchData:
        """Learners see their results, and Level 2 is judged."""
        return exams.release_batch(actor=self.actor, batch_uuid=str(batch))


class CancelBatchView(ExamStaffView):
    """Giving up a batch."""

    @_action("cancel_exam_batch", "Give up a batch that is not released", body=forms.ReasonBody)
    def post(self, batch, body) -> BatchData:
        """The same file may then be uploaded again. What is released is corrected by a new batch."""
        return exams.cancel_batch(actor=self.actor, batch_uuid=str(batch), reason=body["reason"])
