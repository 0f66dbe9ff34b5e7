"""The credit account: banks with the text of consent, and what became of each credit, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.core.dates import display_date
from mooc_microcred.core.errors import MicrocredError, NotFound
from mooc_microcred.core.pages.people import person_page, refused, shown, told
from mooc_microcred.core.verifying import identities_of
from mooc_microcred.credentials import api as credentials
from mooc_microcred.creditbank import api
from mooc_microcred.creditbank.data import AccountData, BankAccount, DeliveryData, RecordData
from mooc_microcred.dashboard.pages.kept import CREDITS, kept
from mooc_microcred.dashboard.pages.numbered import numbered

PAGE_SIZE = 10


@person_page(post=True)
def credits(request: Any) -> HttpResponseBase:
    """Show the credit account of the person who asks; take their consent."""
    if request.method != "POST":
        return kept(
            request,
            "dashboard/credits.html",
            lambda: (_context(request, api.my_account(learner_id=request.actor.id)), True),
            also=(CREDITS,),
        )
    account = api.my_account(learner_id=request.actor.id)
    code = request.POST.get("bank", "")
    bank = _bank(account, code)
    if request.POST.get("agree") != "yes":
        problem = _("Nothing was changed: tick the box if you agree.")
        return _wrong(request, account, code, problem)
    try:
        api.give_consent(
            learner_id=request.actor.id,
            bank=code,
            text_version=request.POST.get("text_version", "")[:32],
            language=request.POST.get("language", "")[:8],
        )
    except MicrocredError as error:
        return _wrong(request, account, code, error.message)
    message = _("You have given your consent. Your credit is sent to %(bank)s by itself.")
    return told(request, message % {"bank": bank.name.in_language(request.language)}, "page-credits")


@person_page(post=True)
def withdraw(request: Any, bank: str) -> HttpResponseBase:
    """Say what a withdrawal does, and withdraw the consent if the person still wants to."""
    account = api.my_account(learner_id=request.actor.id)
    found = _bank(account, bank)
    name = found.name.in_language(request.language)
    if request.method == "POST":
        try:
            api.withdraw_consent(learner_id=request.actor.id, bank=bank)
        except MicrocredError as error:
            return refused(request, error, "page-credits")
        message = _("You have withdrawn your consent for %(bank)s. What was not sent stays here.")
        return told(request, message % {"bank": name}, "page-credits")
    if found.consent is None:
        raise NotFound(_("You have not given a consent for this credit bank."))
    records = [one for one in account.records if one.bank == bank]
    there = [one for one in records if one.in_bank]
    under_way = [one for one in records if not one.in_bank and _may_be_there(one)]
    here = [
        one
        for one in records
        if one.state in ("waiting_consent", "waiting_identity", "held", "sending", "failed")
        and not one.in_bank
        and one not in under_way
    ]
    context = {
        "place": "credits",
        "name": name,
        "given": display_date(found.consent.given_at, request.language),
        "there": len(there),
        "there_credits": _credits(there),
        "here": len(here),
        "here_credits": _credits(here),
        "under_way": len(under_way),
    }
    return shown(request, "dashboard/withdraw.html", context)


def _bank(account: AccountData, code: str) -> BankAccount:
    for one in account.banks:
        if one.code == code:
            return one
    raise NotFound(_("There is no such credit bank."))


def _may_be_there(record: RecordData) -> bool:
    return any(one.in_doubt for one in record.deliveries)


def _credits(records: Sequence[RecordData]) -> str:
    return credentials.plain_number(sum((one.credits for one in records), Decimal(0)))


def _wrong(request: Any, account: AccountData, code: str, problem: str) -> HttpResponseBase:
    context = _context(request, account, wrong=code, problem=problem)
    return shown(request, "dashboard/credits.html", context, status=400)


def _context(request: Any, account: AccountData, *, wrong: str = "", problem: str = "") -> dict[str, Any]:
    """Return what the page of the account shows.

    Args:
        wrong: code of the bank whose form was not right; problem: what is wrong with it.
    """
    language = request.language
    listed = numbered(request, account.records, PAGE_SIZE)
    return {
        "place": "credits",
        "banks": [_bank_card(one, account, language, wrong, problem) for one in account.banks],
        "total": _credits([one for one in account.records if one.in_bank]),
        "waiting": sum(one.state == "waiting_consent" for one in account.records),
        "identities": [
            {
                "kind": one.get_kind_display(),
                "last_four": one.last_four,
                "day": display_date(one.verified_at, language),
            }
            for one in identities_of(request.actor.id)
        ],
        "needs_identity": any(one.requires_identity for one in account.banks),
        "list": listed,
        "deposits": [_deposit(one, language) for one in listed["items"]],
        "past": [
            {
                "bank": next(
                    (bank.name.in_language(language) for bank in account.banks if bank.code == one.bank),
                    one.bank,
                ),
                "given": display_date(one.given_at, language),
                "withdrawn": display_date(one.withdrawn_at, language),
                "version": one.text_version,
            }
            for one in account.consents[:PAST_CONSENTS]
            if one.withdrawn_at is not None
        ],
    }


# Consents that somebody gave and withdrew, on the page; all of them are in the download of one's data.
PAST_CONSENTS = 20


def _bank_card(
    bank: BankAccount, account: AccountData, language: str, wrong: str, problem: str
) -> dict[str, Any]:
    # The language in which the text really stands there, which is what they agree to.
    written = language if getattr(bank.consent_text, language) else ("en" if language == "th" else "th")
    return {
        "code": bank.code,
        "name": bank.name.in_language(language),
        "credits": credentials.plain_number(bank.credits_in_bank),
        "consent": display_date(bank.consent.given_at, language) if bank.consent else "",
        "version": bank.consent_version,
        "given_version": bank.consent.text_version if bank.consent else "",
        "text": bank.consent_text.in_language(language),
        "text_language": written,
        "requires_identity": bank.requires_identity,
        "waiting": sum(one.bank == bank.code and one.state == "waiting_consent" for one in account.records),
        "problem": problem if bank.code == wrong else "",
    }


_MOODS = {
    "deposited": "good",
    "waiting_consent": "warn",
    "waiting_identity": "warn",
    "held": "warn",
    "failed": "bad",
    "reversed": "bad",
    "reversing": "warn",
    "sending": "begun",
}


def _deposit(record: RecordData, language: str) -> dict[str, Any]:
    name = record.bank_name.in_language(language)
    told_ = list(_timeline(record, name, language))
    # Where the last thing that happened says it already, it is not said again.
    ended = record.state in ("deposited", "reversed") and bool(told_)
    return {
        "name": record.achievement_name.in_language(language),
        "bank": name,
        "credits": credentials.plain_number(record.credits),
        "method": record.method_code,
        "mood": _MOODS.get(record.state, "quiet"),
        "state": _in_words(record),
        "timeline": told_,
        "now": "" if ended else record.status,
    }


def _in_words(record: RecordData) -> str:
    if record.in_bank:
        return _("in the bank")
    return {
        "reversed": _("taken back"),
        "sending": _("on its way"),
        "cancelled": _("not sent"),
        "failed": _("not accepted yet"),
    }.get(record.state, _("waits"))


def _timeline(record: RecordData, bank: str, language: str) -> Iterator[dict[str, str]]:
    """Return what happened to a credit, in order, a sentence each."""
    earned = _("Earned: %(credits)s credits.") % {"credits": credentials.plain_number(record.credits)}
    yield {"day": display_date(record.created, language), "text": earned}
    for one in record.deliveries:
        yield from _delivery(one, bank, language)


def _delivery(one: DeliveryData, bank: str, language: str) -> Iterator[dict[str, str]]:
    reason = str(achievements.describe_reason(one.reason)) if one.reason else ""
    words = {"bank": bank, "number": one.receipt, "reason": reason}
    sent = one.sent_at or one.handed_over_at
    if sent is not None:
        text = {
            "deposit": _("Sent to %(bank)s."),
            "replace": _("Sent to %(bank)s again, corrected: %(reason)s."),
            "reverse": _("%(bank)s was asked to take it back, because: %(reason)s.")
            if one.state != "acknowledged"
            else _("%(bank)s was asked to take it back."),
        }[one.kind]
        yield {"day": display_date(sent, language), "text": text % words}
    if one.state == "acknowledged" and one.acknowledged_at is not None:
        text = {
            "deposit": _("Received by %(bank)s under number %(number)s."),
            "replace": _("The correction was received by %(bank)s under number %(number)s."),
            "reverse": _("Taken back by %(bank)s under number %(number)s, because: %(reason)s."),
        }[one.kind]
        yield {"day": display_date(one.acknowledged_at, language), "text": text % words}
