"""The figures of the programme office."""

from __future__ import annotations

from django.utils.translation import gettext as _

from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.rest_api.paging import page_of_list
from mooc_microcred.core.rest_api.views import StaffView, operation
from mooc_microcred.reporting import api as reporting
from mooc_microcred.reporting.data import By, Kind, Wanted
from mooc_microcred.reporting.rest_api.serializers import FunnelQuery, FunnelSerializer


class FunnelView(StaffView):
    """How many learners have come how far, and where they stop."""

    roles = reporting.ROLES

    @operation(
        "read_funnel",
        "Learners at each step from enrolment to credit",
        tag="staff",
        query=FunnelQuery,
        answer=FunnelSerializer,
        listed=True,
        refusals=(404,),
    )
    def get(self, query):
        """A line for each course or programme, by code; with `by`, for each period of one of them.

        Empty before the figures have been counted for the first time.
        """
        wanted = Wanted(
            kind=Kind(query["kind"]),
            organization=query.get("organization", ""),
            code=query.get("code", ""),
            by=By(query.get("by", By.MONTH)),
            since=query.get("since"),
            until=query.get("until"),
            rounded=query["rounded"],
        )
        if "by" in query and not wanted.code:
            raise InvalidInput(_("Periods are told of one course or programme: give its code."))
        read = reporting.read_cohorts if "by" in query else reporting.read_funnels
        refresh, funnels = read(actor=self.actor, wanted=wanted)
        as_of = refresh.as_of if refresh else None
        return page_of_list([{"funnel": one, "as_of": as_of} for one in funnels], query)
