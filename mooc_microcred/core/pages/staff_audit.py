"""The audit log, and the messages that could not be handed on.

Whoever is looked for is sent in a form, never in an address: addresses are logged.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mooc_microcred.core import outbox
from mooc_microcred.core.audit import audit_lines
from mooc_microcred.core.dates import display_moment
from mooc_microcred.core.errors import InvalidInput, NotAllowed
from mooc_microcred.core.models import AuditEntry, OutboxMessage
from mooc_microcred.core.pages.audit_words import (
    ACTIONS,
    OBJECTS,
    describe_action,
    describe_details,
    describe_failure,
    describe_object,
)
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
from mooc_microcred.core.pages.names import acting_names
from mooc_microcred.core.pages.people import person_page, shown, told
from mooc_microcred.core.platform import get_platform
from mooc_microcred.core.roles import Actor, Role

MESSAGE_READERS = (Role.PROGRAMME_OFFICER, Role.CREDIT_OFFICER, Role.AUDITOR)
MESSAGE_REPLAYERS = (Role.PROGRAMME_OFFICER, Role.CREDIT_OFFICER)
_FILTERS = ("person", "action", "object_type", "object_id", "organization", "since", "until")


@person_page(post=True, roles=(Role.AUDITOR,))
def audit(request: Any) -> HttpResponseBase:
    """Show the audit log of the auditor's organisations, or look up the person to filter by."""
    if request.method == "POST":
        return _find_person(request)
    return _audit_page(request, _asked(request.GET))


def _asked(given: Any) -> dict[str, str]:
    return {name: given.get(name, "").strip()[:255] for name in _FILTERS}


def _find_person(request: Any) -> HttpResponseBase:
    """Go to the log of one person; the address bears the user id only."""
    kept = _asked(request.POST) | {"person": ""}
    who = request.POST.get("who", "").strip()[:254]
    if who:
        platform = get_platform()
        profiles = platform.find_learners(emails=[who]) if "@" in who else ()
        found = list(profiles or platform.find_learners(usernames=[who]))
        if len(found) != 1:
            problem = _("Nobody on the platform has this user name or e-mail address.")
            return _audit_page(request, kept, who=who, who_problem=problem, status=404)
        kept["person"] = str(found[0].learner_id)
    query = urlencode({name: value for name, value in kept.items() if value})
    return HttpResponseRedirect(f"{reverse('mooc_microcred:page-audit')}?{query}")


def _lines(actor: Actor, kept: dict[str, str]) -> Any:
    rows = audit_lines(
        actor=actor,
        actor_id=whole_number(kept["person"]),
        action=kept["action"],
        object_type=kept["object_type"],
        object_id=kept["object_id"],
        organization=kept["organization"],
        since=first_moment(kept["since"]),
        until=last_moment(kept["until"]),
    )
    return rows.order_by("-pk")


def _audit_page(
    request: Any, kept: dict[str, str], *, who: str = "", who_problem: str = "", status: int = 200
) -> HttpResponse:
    problem = ""
    before = whole_number(request.GET.get("before", ""))
    try:
        rows = _lines(request.actor, kept)
    except InvalidInput as error:
        problem, status = error.message, 400
        rows = _lines(request.actor, kept | {"since": "", "until": ""})
    found = list((rows if before is None else rows.filter(pk__lt=before))[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    person = whole_number(kept["person"])
    names = acting_names({person, *(one.actor_id for one in found)})
    scope = request.actor.organizations(Role.AUDITOR)
    context = {
        "place": "audit",
        "lines": [_shown_line(one, names) for one in found],
        "kept": kept,
        "filtered": any(kept.values()),
        "person": names.get(person, "") if person is not None else "",
        "who": who,
        "who_problem": who_problem,
        "problem": problem,
        "actions": choices(
            sorted(((one, describe_action(one)) for one in ACTIONS), key=_label), kept["action"]
        ),
        "objects": choices(
            sorted(((one, describe_object(one)) for one in OBJECTS), key=_label), kept["object_type"]
        ),
        "organizations": choices([(one, one) for one in sorted(scope)], kept["organization"])
        if scope is not None
        else None,
        **pages(kept, before=before, last=found[-1].pk if more else None),
    }
    return shown(request, "core/audit.html", context, status=status)


def _label(pair: tuple[str, str]) -> str:
    return pair[1]


def _shown_line(line: AuditEntry, names: dict[int, str]) -> dict[str, Any]:
    return {
        "when": display_moment(line.at),
        "who": names.get(line.actor_id, "") if line.actor_id is not None else _("the system"),
        "action": describe_action(line.action),
        "object": describe_object(line.object_type),
        "object_type": line.object_type,
        "object_id": line.object_id,
        "organization": line.organization,
        "details": describe_details(line.details),
    }


@person_page(roles=(Role.AUDITOR,))
def audit_file(request: Any) -> HttpResponseBase:
    """Return the filtered lines as a file, the newest first, at most FILE_ROWS."""
    rows = list(_lines(request.actor, _asked(request.GET))[:FILE_ROWS])
    names = acting_names({one.actor_id for one in rows})
    header = [
        _("Time"),
        _("User id"),
        _("Person"),
        _("Action"),
        _("What was done"),
        _("Object"),
        _("Id"),
        _("Organisation"),
        _("Details"),
    ]
    return csv_answer(
        "audit.csv",
        header,
        (
            (
                timezone.localtime(one.at).isoformat(timespec="seconds"),
                one.actor_id,
                names.get(one.actor_id, "") if one.actor_id is not None else _("the system"),
                one.action,
                describe_action(one.action),
                one.object_type,
                one.object_id,
                one.organization,
                describe_details(one.details),
            )
            for one in rows
        ),
    )


def _everywhere(actor: Actor, roles: tuple[str, ...]) -> bool:
    return actor.organizations(roles) is None


@person_page(post=True, roles=MESSAGE_READERS)
def dead_letters(request: Any) -> HttpResponseBase:
    """Show the messages that could not be handed on; hand some on again after a question."""
    # Messages belong to no organisation.
    if not _everywhere(request.actor, MESSAGE_READERS):
        raise NotAllowed(_("This needs the role for all organisations."))
    if request.method != "POST":
        return _messages_page(request)
    if not _everywhere(request.actor, MESSAGE_REPLAYERS):
        raise NotAllowed(_("This needs the role for all organisations."))
    ids = sorted({int(one) for one in request.POST.getlist("id")[:PAGE] if whole_number(one) is not None})
    if not ids:
        return _messages_page(request, problem=_("Choose at least one message."), status=400)
    if request.POST.get("action") != "replay":
        chosen = OutboxMessage.objects.filter(pk__in=ids, state=OutboxMessage.State.DEAD).order_by("-pk")
        context = {"place": "messages", "messages_chosen": [_shown_message(one) for one in chosen]}
        return shown(request, "core/messages_confirm.html", context)
    number = outbox.replay(message_ids=ids, actor_id=request.actor.id)
    text = ngettext(
        "%(number)s message is handed on again.", "%(number)s messages are handed on again.", number
    )
    return told(request, text % {"number": number}, "page-dead-letters")


def _messages_page(request: Any, *, problem: str = "", status: int = 200) -> HttpResponse:
    before = whole_number(request.GET.get("before", ""))
    rows = OutboxMessage.objects.filter(state=OutboxMessage.State.DEAD)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    context = {
        "place": "messages",
        "letters": [_shown_message(one) for one in found],
        "may_replay": _everywhere(request.actor, MESSAGE_REPLAYERS),
        "problem": problem,
        **pages({}, before=before, last=found[-1].pk if more else None),
    }
    return shown(request, "core/messages.html", context, status=status)


def _shown_message(message: OutboxMessage) -> dict[str, Any]:
    return {
        "id": message.pk,
        "topic": message.topic,
        "learner": message.learner_id,
        "why": describe_failure(message),
        "attempts": message.attempts,
        "created": display_moment(message.created),
    }
