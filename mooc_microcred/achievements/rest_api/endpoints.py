"""The catalogue, a learner's awards, and what staff see and decide about awards and re-runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.catalogue import parse_definition
from mooc_microcred.achievements.data import AwardData, AwardEventData, Measure, Text
from mooc_microcred.achievements.definitions import adopt_run, decline_run
from mooc_microcred.achievements.models import AchievementVersion, EvaluationRequest, RunOffer
from mooc_microcred.achievements.progress import measure_from_json
from mooc_microcred.achievements.rest_api import serializers as forms
from mooc_microcred.core import clock
from mooc_microcred.core.errors import NotFound
from mooc_microcred.core.rest_api.paging import Page, page_of_list, page_of_rows
from mooc_microcred.core.rest_api.views import ApiView, StaffView, operation
from mooc_microcred.core.roles import Role

# A backfill may put millions into the queue; nobody needs the exact figure.
COUNT_AT_MOST = 100_000


class AchievementsView(ApiView):
    """What can be earned."""

    @operation(
        "list_achievements",
        "What can be earned",
        tag="catalogue",
        query=forms.CatalogueQuery,
        answer=forms.AchievementSerializer,
        listed=True,
    )
    def get(self, query):
        """Only what is in force; ordered by code."""
        catalogue = achievements.current_catalogue()
        codes = catalogue.codes_for_run(query["course"]) if "course" in query else catalogue.versions
        found = [catalogue.newest(code) for code in sorted(codes)]
        return page_of_list(
            [
                one
                for one in found
                if one is not None
                and query.get("organization") in (None, one.organization)
                and query.get("kind") in (None, one.kind)
            ],
            query,
        )


class AchievementView(ApiView):
    """One thing that can be earned."""

    @operation(
        "read_achievement",
        "One achievement with everything that people read of it",
        tag="catalogue",
        answer=forms.AchievementDetailSerializer,
        refusals=(404,),
    )
    def get(self, code):
        """The version in force."""
        found = achievements.current_catalogue().newest(code)
        if found is None:
            raise NotFound(_("There is no such achievement in force."))
        return found


def named(view: ApiView, awards: Iterable[AwardData]) -> None:
    """Read the names of the awards' versions, with at most one query, for the serializer's context."""
    wanted = {award.version_id for award in awards}
    names: dict[int, Text] = {}
    for versions in achievements.current_catalogue().versions.values():
        names |= {one.version_id: one.name for one in versions if one.version_id in wanted}
    if wanted - names.keys():
        rows = AchievementVersion.objects.filter(pk__in=wanted - names.keys())
        for row in rows.select_related("achievement", "issuer"):
            names[row.pk] = parse_definition(row).name
    view.names = names


@dataclass(frozen=True, slots=True)
class AwardDetails(AwardData):
    """An award with its history and the conditions by which it was judged."""

    measures: Sequence[Measure]
    references: Sequence[str]
    history: Sequence[AwardEventData]


def detailed(award: AwardData) -> AwardDetails:
    """Return an award with its history and the conditions by which it was judged."""
    return AwardDetails(
        **{one.name: getattr(award, one.name) for one in fields(AwardData)},
        measures=[measure_from_json(one) for one in award.evidence.get("measures", ())],
        references=list(award.evidence.get("references", ())),
        history=achievements.award_history(award.uuid),
    )


class MyAwardsView(ApiView):
    """What the learner has earned."""

    @operation(
        "list_my_awards",
        "What I have earned, the newest first",
        tag="my",
        query=forms.PageQuery,
        answer=forms.AwardSerializer,
        listed=True,
    )
    def get(self, query):
        """Awards whose certificate the platform does not show yet are not among them."""
        page = page_of_list(achievements.list_awards(learner_id=self.learner_id), query)
        named(self, page.rows)
        return page


class MyAwardView(ApiView):
    """One award of the learner."""

    @operation(
        "read_my_award",
        "One of my awards, with its history and evidence",
        tag="my",
        answer=forms.AwardDetailSerializer,
        refusals=(404,),
    )
    def get(self, award):
        """Whose award it is decides whether it exists for the reader."""
        found = achievements.get_award(str(award))
        if found.learner_id != self.learner_id or found.published_at is None:
            raise NotFound(_("There is no such award."))
        named(self, [found])
        return detailed(found)


class AwardsView(StaffView):
    """Awards of the reader's organisations."""

    roles = (Role.PROGRAMME_OFFICER, Role.AUDITOR)

    @operation(
        "list_awards",
        "Awards of a learner, a course or an organisation, the newest first",
        tag="staff",
        query=forms.StaffAwardsQuery,
        answer=forms.StaffAwardSerializer,
        listed=True,
    )
    def get(self, query):
        """Also hidden, suspended, expired and revoked ones."""
        rows = achievements.awards_of_staff(
            actor=self.actor,
            learner_id=query.get("learner_id"),
            course_key=query.get("course", ""),
            code=query.get("achievement", ""),
            state=query.get("state", ""),
        )
        if "organization" in query:
            rows = rows.filter(achievement__organization=query["organization"])
        page = page_of_rows(rows, query)
        page = Page([achievements.award_data(row) for row in page.rows], page.cursor)
        named(self, page.rows)
        return page


class CertificateRequestsView(StaffView):
    """Certificates that the platform was asked for."""

    roles = (Role.PROGRAMME_OFFICER, Role.AUDITOR)

    @operation(
        "list_certificate_requests",
        "Certificates that the platform was asked for, and why it refuses them",
        tag="staff",
        query=forms.CertificateRequestsQuery,
        answer=forms.CertificateRequestSerializer,
        listed=True,
    )
    def get(self, query):
        """For Level 1 achievements of the kind own_with_platform, in runs of the reader's organisations."""
        return page_of_rows(
            achievements.certificate_requests_of_staff(
                actor=self.actor,
                organization=query.get("organization", ""),
                course_key=query.get("course", ""),
                refused=query.get("refused"),
            ),
            query,
        )


class OneAwardView(StaffView):
    """The base of what is about one award of the reader's organisations."""

    roles = (Role.PROGRAMME_OFFICER, Role.AUDITOR)

    def seen(self, award) -> AwardDetails:
        """Return the award's details.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        found = achievements.get_award(str(award))
        self.must_see(found.organization)
        named(self, [found])
        return detailed(found)


class AwardView(OneAwardView):
    """One award of the reader's organisations."""

    @operation(
        "read_award",
        "An award with its history and evidence",
        tag="staff",
        answer=forms.StaffAwardDetailSerializer,
        refusals=(404,),
    )
    def get(self, award):
        """With who decided what, and in which words."""
        return self.seen(award)


class AwardDecisionView(OneAwardView):
    """The base of what a programme officer decides about an award."""

    own_transactions = True
    verb: Any = None

    def decide(self, award, body) -> AwardDetails:
        """Carry out the decision and return the award as it is now."""
        self.seen(award)
        type(self).verb(actor=self.actor, award_uuid=str(award), note=body["note"])
        return self.seen(award)


def _decision(name: str, summary: str):
    return operation(
        name,
        summary,
        tag="staff",
        body=forms.NoteBody,
        answer=forms.StaffAwardDetailSerializer,
        refusals=(404, 409),
    )


class RevokeAwardView(AwardDecisionView):
    """Taking an award away for good."""

    verb = staticmethod(achievements.revoke_award)

    @_decision("revoke_award", "Take an award away for good")
    def post(self, award, body):
        """What stands on it follows; a bank that has it is told to take it back."""
        return self.decide(award, body)


class SuspendAwardView(AwardDecisionView):
    """Suspending an award."""

    verb = staticmethod(achievements.suspend_award)

    @_decision("suspend_award", "Suspend an award")
    def post(self, award, body):
        """Until it is reinstated it opens nothing new, and the bank is told nothing."""
        return self.decide(award, body)


class ReinstateAwardView(AwardDecisionView):
    """Lifting a suspension."""

    verb = staticmethod(achievements.reinstate_award)

    @_decision("reinstate_award", "Lift the suspension of an award")
    def post(self, award, body):
        """The same award is valid again."""
        return self.decide(award, body)


class AllowAgainView(AwardDecisionView):
    """Letting a learner earn again what was revoked."""

    verb = staticmethod(achievements.allow_again)

    @_decision("allow_award_again", "Let the learner earn again what staff revoked")
    def post(self, award, body):
        """The revoked award stays revoked; a new one may be earned."""
        return self.decide(award, body)


class RunOffersView(StaffView):
    """Re-runs that wait for adoption."""

    roles = (Role.PROGRAMME_OFFICER, Role.AUDITOR)

    @operation(
        "list_run_offers",
        "Re-runs of courses, offered for adoption",
        tag="staff",
        query=forms.RunOffersQuery,
        answer=forms.RunOfferSerializer,
        listed=True,
    )
    def get(self, query):
        """An adopted run fulfils the achievement's course requirement as the named ones do."""
        rows = RunOffer.objects.select_related("achievement")
        scopes = self.organizations(query.get("organization"))
        if scopes is not None:
            rows = rows.filter(achievement__organization__in=scopes)
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return page_of_rows(rows, query)


class RunOfferDecisionView(StaffView):
    """The base of what a programme officer decides about an offered re-run."""

    roles = (Role.PROGRAMME_OFFICER, Role.AUDITOR)

    def seen(self, offer) -> RunOffer:
        """Return the offer.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        found = RunOffer.objects.select_related("achievement").filter(pk=offer).first()
        if found is None:
            raise NotFound(_("There is no such offer."))
        self.must_see(found.achievement.organization)
        return found


class AdoptRunView(RunOfferDecisionView):
    """Adopting a re-run."""

    @operation(
        "adopt_run",
        "Adopt a re-run",
        tag="staff",
        answer=forms.RunOfferSerializer,
        refusals=(404, 409),
    )
    def post(self, offer):
        """Everybody enrolled in it is judged."""
        found = self.seen(offer)
        adopt_run(actor=self.actor, achievement_code=found.achievement.code, course_key=found.course_key)
        return self.seen(offer)


class DeclineRunView(RunOfferDecisionView):
    """Declining a re-run."""

    @operation(
        "decline_run",
        "Decline a re-run",
        tag="staff",
        answer=forms.RunOfferSerializer,
        refusals=(404, 409),
    )
    def post(self, offer):
        """The run leads to nothing."""
        found = self.seen(offer)
        decline_run(actor=self.actor, achievement_code=found.achievement.code, course_key=found.course_key)
        return self.seen(offer)


class EvaluationQueueView(StaffView):
    """How far behind the evaluation is. The queue belongs to no organisation."""

    roles = (Role.PROGRAMME_OFFICER, Role.CREDIT_OFFICER, Role.AUDITOR)

    @operation(
        "read_evaluation_queue",
        "How many evaluations wait",
        tag="staff",
        answer=forms.EvaluationQueueSerializer,
    )
    def get(self):
        """A long queue after an activation is normal; one whose oldest request is old is not."""
        self.must_hold_everywhere()
        rows = EvaluationRequest.objects.order_by()
        due = EvaluationRequest.objects.filter(due__lte=clock.now()).order_by("due")
        return {
            "waiting": rows.values("id")[:COUNT_AT_MOST].count(),
            "counted_to": COUNT_AT_MOST,
            "oldest_due": due.values_list("due", flat=True).first(),
            "open_feeds": achievements.count_open_feeds(),
        }
