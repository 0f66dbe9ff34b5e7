"""One credit record with its whole story."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from mooc_microcred.core.audit import lines_about
from mooc_microcred.core.dates import display_moment
from mooc_microcred.core.errors import InvalidInput, WrongState
from mooc_microcred.core.pages.audit_words import describe_action
from mooc_microcred.core.pages.names import acting_names
from mooc_microcred.core.pages.people import person_page, refused, shown, told
from mooc_microcred.core.roles import Role
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank.account import READERS
from mooc_microcred.creditbank.data import DeliveryData, RecordData
from mooc_microcred.creditbank.pages.showing import (
    DELIVERY_MOODS,
    MOODS,
    credits_of,
    delivery_kind,
    delivery_state,
    method_name,
    record_state,
)


@person_page(post=True, roles=READERS)
def record(request: Any, record: object) -> HttpResponseBase:
    """Show a record; replay a dead letter of it after a question."""
    uuid = str(record)
    found = creditbank.get_record(actor=request.actor, uuid=uuid)
    if request.method == "POST":
        return _replay(request, found)
    lines = lines_about(
        {"delivery": [one.id for one in found.deliveries], "award": [found.award]},
    )
    names = acting_names({one.actor_id for one in lines})
    may_replay = request.actor.has(Role.CREDIT_OFFICER, found.organization)
    context = {
        "place": "credit-desk",
        "record": {
            "uuid": found.uuid,
            "name": found.achievement_name.in_language(request.language),
            "achievement": found.achievement,
            "organization": found.organization,
            "learner": found.learner_id,
            "bank": found.bank_name.in_language(request.language),
            "state": record_state(found.state),
            "mood": MOODS.get(found.state, ""),
            "in_bank": found.in_bank,
            "method": method_name(found.method_code),
            "credits": credits_of(found.credits),
            "hours": credits_of(found.hours),
            "created": display_moment(found.created),
            "changed": display_moment(found.changed),
            "award": found.award,
            "award_page": _award_page(request, found),
        },
        "deliveries": [_story(one, may_replay) for one in found.deliveries],
        "asked": next(
            (one.id for one in found.deliveries if str(one.id) == request.GET.get("replay") and may_replay),
            None,
        ),
        "lines": [
            {
                "when": display_moment(one.at),
                "who": names.get(one.actor_id, "") if one.actor_id is not None else _("the system"),
                "action": describe_action(one.action),
            }
            for one in lines
        ],
    }
    return shown(request, "creditbank/record.html", context)


def _award_page(request: Any, found: RecordData) -> str:
    """Return the address of the award's page, where the reader may open it."""
    if not request.actor.has((Role.PROGRAMME_OFFICER, Role.AUDITOR), found.organization):
        return ""
    try:
        return reverse("mooc_microcred:page-award", kwargs={"award": found.award})
    except NoReverseMatch:
        return ""


def _story(delivery: DeliveryData, may_replay: bool) -> dict[str, Any]:
    def moment(value: Any) -> str:
        return display_moment(value) if value else ""

    return {
        "id": delivery.id,
        "sequence": delivery.sequence,
        "kind": delivery_kind(delivery.kind),
        "is_reversal": delivery.kind == "reverse",
        "state": delivery_state(delivery.state),
        "mood": DELIVERY_MOODS.get(delivery.state, ""),
        "attempts": delivery.attempts,
        "why": delivery.error_text,
        "in_doubt": delivery.in_doubt,
        "receipt": delivery.receipt,
        "key": delivery.key,
        "created": moment(delivery.created),
        "sent": moment(delivery.sent_at),
        "handed_over": moment(delivery.handed_over_at),
        "acknowledged": moment(delivery.acknowledged_at),
        "next": moment(delivery.due) if delivery.state in ("pending", "sent") else "",
        "may_replay": may_replay and delivery.state == "dead",
    }


def _replay(request: Any, found: RecordData) -> HttpResponseBase:
    given = request.POST.get("delivery", "")
    delivery = next((one for one in found.deliveries if str(one.id) == given), None)
    try:
        if delivery is None:
            raise InvalidInput(_("Choose at least one delivery."))
        creditbank.replay_deliveries(actor=request.actor, delivery_ids=[delivery.id])
    except (InvalidInput, WrongState) as error:
        return refused(request, error, "page-credit-record", record=found.uuid)
    return told(request, _("It is being sent again."), "page-credit-record", record=found.uuid)
