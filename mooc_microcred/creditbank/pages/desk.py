"""The credit desk: what needs a hand first, lists of records and deliveries, and sending again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mooc_microcred.achievements.api import catalogue_token, current_catalogue
from mooc_microcred.core.dates import display_moment
from mooc_microcred.core.errors import InvalidInput, WrongState
from mooc_microcred.core.pages.lists import (
    FILE_ROWS,
    PAGE,
    choices,
    csv_answer,
    first_moment,
    last_moment,
    pages,
    whole_number,
)
from mooc_microcred.core.pages.people import person_page, refused, shown, shown_while, told
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank.account import MAX_PAGE, READERS
from mooc_microcred.creditbank.data import DeliveryData, RecordData
from mooc_microcred.creditbank.desk import DeskData
from mooc_microcred.creditbank.models import CreditRecord, Delivery
from mooc_microcred.creditbank.pages.showing import (
    MOODS,
    bank_name,
    bank_names,
    credits_of,
    delivery_kind,
    record_state,
    why_not,
)

# Deliveries that one click puts back to work: each is settled by itself, in one transaction.
REPLAYED_AT_ONCE = 200
# What the desk shows besides the states of records.
DEAD, FAILING, ALL = "dead", "failing", "all"
_FILTERS = ("show", "bank", "organization", "about", "since", "until")
# Achievements that the field suggests.
SUGGESTED = 300


@person_page(post=True, roles=READERS)
def desk(request: Any) -> HttpResponseBase:
    """Show the desk; ask whether deliveries shall be replayed, and replay them."""
    if request.method == "POST":
        return _replay(request)
    return _page(request)


def _asked(given: Any) -> dict[str, str]:
    return {name: given.get(name, "").strip()[:255] for name in _FILTERS}


def _narrowing(kept: dict[str, str]) -> dict[str, Any]:
    """Return the filters as the room's verbs take them.

    Raises:
        InvalidInput: a day is none.
    """
    return {
        "bank": kept["bank"] or None,
        "organization": kept["organization"] or None,
        "about": kept["about"],
        "since": first_moment(kept["since"]),
        "until": last_moment(kept["until"]),
    }


def _page(request: Any, *, problem: str = "", status: int = 200) -> HttpResponse:
    actor, kept = request.actor, _asked(request.GET)
    days_problem = ""
    try:
        narrowing = _narrowing(kept)
    except InvalidInput as error:
        days_problem, status = error.message, 400
        narrowing = _narrowing(kept | {"since": "", "until": ""})
    summary = creditbank.summarise_desk(actor=actor, **narrowing)
    show = kept["show"]
    if show not in (DEAD, FAILING, ALL, *CreditRecord.State.values):
        show = DEAD if summary.dead else FAILING if summary.failing else ALL
    before = whole_number(request.GET.get("before", ""))
    of_deliveries = show in (DEAD, FAILING)
    which = _troubled(show) if of_deliveries else {"state": None if show == ALL else show}
    where = {**narrowing, "before": before, "limit": PAGE + 1}

    def read() -> tuple[dict[str, Any], bool]:
        listed = creditbank.list_deliveries if of_deliveries else creditbank.list_records
        found = listed(actor=actor, **which, **where)
        return _context(request, summary, kept, show, found, before, problem, days_problem), True

    if status != 200:
        return shown(request, "creditbank/desk.html", read()[0], status=status)
    lines = creditbank.lines_state(actor=actor, of_deliveries=of_deliveries, **which, **where)
    state = sorted(actor.roles), catalogue_token(), summary, lines
    return shown_while(request, "creditbank/desk.html", state, read)


def _context(
    request: Any,
    summary: DeskData,
    kept: dict[str, str],
    show: str,
    found: Sequence[Any],
    before: int | None,
    problem: str,
    days_problem: str,
) -> dict[str, Any]:
    """Return what stands on the desk; ``found`` has one line more than the page where there is a next one."""
    actor, names = request.actor, bank_names(request.language)
    of_deliveries = show in (DEAD, FAILING)
    more, found = len(found) > PAGE, found[:PAGE]
    kept["show"] = show
    others = {name: value for name, value in kept.items() if value and name != "show"}
    is_officer = actor.organizations(Role.CREDIT_OFFICER)
    scope = actor.organizations(READERS)
    return {
        "place": "credit-desk",
        "cards": _cards(summary, show, urlencode(others)),
        "show": show,
        "heading": _heading(show),
        "of_deliveries": of_deliveries,
        "deliveries": _delivery_lines(request, found) if of_deliveries else [],
        "records": [] if of_deliveries else [_record_line(one, request.language) for one in found],
        "may_replay": show == DEAD and (is_officer is None or bool(is_officer)),
        "dead_banks": [
            {"code": code, "name": bank_name(code, names), "dead": one.dead}
            for code, one in sorted(summary.banks.items())
            if one.dead
        ],
        "kept": kept,
        "filtered": bool(others),
        "problem": days_problem,
        "choice_problem": problem,
        "banks": choices(names.items(), kept["bank"]),
        "organizations": choices(((one, one) for one in _organizations(scope)), kept["organization"]),
        "shows": choices(
            [(one, _heading(one)) for one in (ALL, DEAD, FAILING)]
            + [(value, label) for value, label in CreditRecord.State.choices if value != "failed"],
            show,
        ),
        "suggested": _suggested(scope, request.language),
        "may_save": not days_problem,
        **pages(kept, before=before, last=found[-1].id if more else None),
    }


def _troubled(show: str) -> dict[str, Any]:
    return {"state": Delivery.State.DEAD} if show == DEAD else {"failing": True}


def _heading(show: str) -> str:
    return {
        DEAD: _("Given up: somebody has to look at them"),
        FAILING: _("Failing: tried again by themselves"),
        ALL: _("All records"),
    }.get(show) or str(record_state(show))


def _organizations(scope: set[str] | None) -> list[str]:
    if scope is not None:
        return sorted(scope)
    return sorted({one[0].organization for one in current_catalogue().versions.values() if one})


def _suggested(scope: set[str] | None, language: str) -> list[dict[str, str]]:
    newest = (one[0] for one in current_catalogue().versions.values() if one)
    seen = [one for one in newest if (scope is None or one.organization in scope) and one.credits > 0]
    return [{"value": one.code, "label": one.name.in_language(language)} for one in seen[:SUGGESTED]]


def _cards(summary: DeskData, show: str, others: str) -> list[dict[str, Any]]:
    """Return the figures on top: what needs a hand first."""

    def since(moment: datetime | None, words: str) -> str:
        return words % {"when": display_moment(moment)} if moment else ""

    def waiting(state: str, name: str, mood: str = "") -> dict[str, Any]:
        one = summary.records(state)
        return {
            "show": str(state),
            "name": name,
            "number": one.records,
            "note": since(one.since, _("the oldest since %(when)s")) if one.records else "",
            "mood": mood if one.records else "quiet",
        }

    cards = [
        {
            "show": DEAD,
            "name": _("Given up"),
            "number": summary.dead,
            "note": since(summary.dead_since, _("the oldest since %(when)s")),
            "mood": "bad" if summary.dead else "quiet",
        },
        {
            "show": FAILING,
            "name": _("Failing"),
            "number": summary.failing,
            "note": since(summary.next_try, _("next try %(when)s")),
            "mood": "warn" if summary.failing else "quiet",
        },
        waiting(CreditRecord.State.WAITING_CONSENT, _("Wait for consent"), "warn"),
        waiting(CreditRecord.State.WAITING_IDENTITY, _("Wait for an identity"), "warn"),
        waiting(CreditRecord.State.SENDING, _("Being sent"), "plain"),
        waiting(CreditRecord.State.REVERSING, _("Being taken back"), "plain"),
        waiting(CreditRecord.State.DEPOSITED, _("Accepted by the bank"), "good"),
        waiting(CreditRecord.State.REVERSED, _("Reversed"), "plain"),
    ]
    for card in cards:
        card["chosen"] = card["show"] == show
        card["query"] = urlencode({"show": card["show"]}) + (f"&{others}" if others else "")
    return cards


def _record_line(record: RecordData, language: str) -> dict[str, Any]:
    return {
        "uuid": record.uuid,
        "name": record.achievement_name.in_language(language),
        "organization": record.organization,
        "learner": record.learner_id,
        "credits": credits_of(record.credits),
        "bank": record.bank_name.in_language(language),
        "state": record_state(record.state),
        "mood": MOODS.get(record.state, "quiet"),
        "why": why_not(record),
        "since": display_moment(record.changed),
    }


def _delivery_lines(request: Any, deliveries: Sequence[DeliveryData]) -> list[dict[str, Any]]:
    records = {}
    if deliveries:
        uuids = {one.record for one in deliveries}
        found = creditbank.list_records(actor=request.actor, uuids=uuids, limit=len(uuids))
        records = {one.uuid: one for one in found}
    lines = []
    for one in deliveries:
        record = records[one.record]
        lines.append(
            {
                "id": one.id,
                "record": one.record,
                "name": record.achievement_name.in_language(request.language),
                "organization": one.organization,
                "bank": record.bank_name.in_language(request.language),
                "learner": record.learner_id,
                "kind": delivery_kind(one.kind),
                "why": one.error_text or _("No reason was recorded."),
                "in_doubt": one.in_doubt,
                "attempts": one.attempts,
                "since": display_moment(record.changed),
                "next": display_moment(one.due) if one.due else "",
                "may_replay": request.actor.has(Role.CREDIT_OFFICER, one.organization),
            }
        )
    return lines


# --- sending again ---


def _chosen(request: Any) -> tuple[list[int], str, int]:
    """Return the dead letters that a form is about, the bank if it is about all of one, and how many wait.

    Raises:
        InvalidInput: none is chosen.
    """
    bank = request.POST.get("bank", "")
    if not bank:
        ids = {int(one) for one in request.POST.getlist("id")[:PAGE] if whole_number(one) is not None}
        if not ids:
            raise InvalidInput(_("Choose at least one delivery."))
        return sorted(ids), "", len(ids)
    kept = _asked(request.POST)
    found = creditbank.list_deliveries(
        actor=request.actor, state=Delivery.State.DEAD, **_narrowing(kept | {"bank": bank}), limit=MAX_PAGE
    )
    mine = [one.id for one in found if request.actor.has(Role.CREDIT_OFFICER, one.organization)]
    if not mine:
        raise InvalidInput(_("This bank has no dead letters that you may replay."))
    # The oldest first: a later message of the same record waits for an earlier one.
    return sorted(mine)[:REPLAYED_AT_ONCE], bank, len(mine)


def _replay(request: Any) -> HttpResponseBase:
    try:
        ids, bank, number = _chosen(request)
    except InvalidInput as error:
        return _page(request, problem=error.message, status=400)
    if request.POST.get("action") != "replay":
        return _question(request, ids, bank, number)
    try:
        replayed = creditbank.replay_deliveries(actor=request.actor, delivery_ids=ids)
    except WrongState as error:
        return refused(request, error, "page-credit-desk")
    text = ngettext(
        "%(number)s delivery is being sent again.", "%(number)s deliveries are being sent again.", replayed
    ) % {"number": replayed}
    if number > replayed:
        text += " " + _("%(left)s more are left; replay them in the same way.") % {"left": number - replayed}
    return told(request, text, "page-credit-desk")


def _question(request: Any, ids: list[int], bank: str, number: int) -> HttpResponse:
    """Ask before anything is sent again."""
    names = bank_names(request.language)
    context = {
        "place": "credit-desk",
        "ids": [] if bank else ids,
        "bank": bank,
        "bank_name": bank_name(bank, names) if bank else "",
        "number": len(ids),
        "left": number - len(ids),
        "kept": {name: value for name, value in _asked(request.POST).items() if name != "bank" and value},
    }
    return shown(request, "creditbank/confirm.html", context)


# --- the file ---


@person_page(roles=READERS)
def records_file(request: Any) -> HttpResponseBase:
    """Return the filtered records as a file, the newest first, at most FILE_ROWS."""
    kept = _asked(request.GET)
    narrowing = _narrowing(kept)
    header = [
        _("Record"),
        _("Organisation"),
        _("Achievement"),
        _("Name"),
        _("Learner"),
        _("Credit bank"),
        _("State"),
        _("Where it stands"),
        _("Method of assessment"),
        _("Credits"),
        _("Hours"),
        _("Since"),
        _("Receipt"),
        _("Reason"),
    ]
    return csv_answer(
        "credit-records.csv", header, _file_rows(request.actor, kept["show"], narrowing, request.language)
    )


def _file_rows(actor: Actor, show: str, narrowing: dict[str, Any], language: str) -> list[list[Any]]:
    rows: list[list[Any]] = []
    before = None
    while len(rows) < FILE_ROWS:
        limit = min(MAX_PAGE - 1, FILE_ROWS - len(rows))
        records, before, last = _file_page(actor, show, narrowing, before, limit)
        for one in records:
            receipts = [each.receipt for each in one.deliveries if each.receipt]
            rows.append(
                [
                    one.uuid,
                    one.organization,
                    one.achievement,
                    one.achievement_name.in_language(language),
                    one.learner_id,
                    one.bank_name.in_language(language),
                    one.state,
                    record_state(one.state),
                    one.method_code,
                    one.credits,
                    one.hours,
                    timezone.localtime(one.changed).isoformat(timespec="seconds"),
                    receipts[-1] if receipts else "",
                    why_not(one),
                ]
            )
        if last:
            break
    return rows


def _file_page(
    actor: Actor, show: str, narrowing: dict[str, Any], before: int | None, limit: int
) -> tuple[list[RecordData], int | None, bool]:
    """Return records, the cursor of the next page, and whether this was the last one."""
    if show in (DEAD, FAILING):
        deliveries = creditbank.list_deliveries(
            actor=actor, **_troubled(show), **narrowing, before=before, limit=limit
        )
        uuids = {one.record for one in deliveries}
        found = creditbank.list_records(actor=actor, uuids=uuids, limit=max(1, len(uuids)))
        return found, deliveries[-1].id if deliveries else None, len(deliveries) < limit
    state = show if show in CreditRecord.State.values else None
    found = creditbank.list_records(actor=actor, state=state, **narrowing, before=before, limit=limit)
    return found, found[-1].id if found else None, len(found) < limit
