"""Frameworks for staff: what there is, bringing in a file in two steps, export, the tag drawer, retiring.

Only in the LMS: the frame of these pages links to its other pages.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from mooc_microcred.competencies import api as competencies
from mooc_microcred.competencies.data import CompetencyData, FrameworkData, ImportPreviewData
from mooc_microcred.competencies.models import Competency, Framework
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.dates import display_moment
from mooc_microcred.core.errors import InvalidInput, MicrocredError, NotAllowed, NotFound, WrongState
from mooc_microcred.core.pages.people import person_page, refused, shown, told
from mooc_microcred.core.rest_api.files import CSV, download
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.core.texts import Text

READERS = (Role.PROGRAMME_OFFICER, Role.AUDITOR)
State = Framework.State
PAGE = 25
ITEMS = 50
# Of a preview: a framework of 2,000 items has as many changes when it is new.
CHANGES = 100
_ENVELOPE = 64 * 1024
_MOODS = {State.DRAFT: "warn", State.PUBLISHED: "good", State.RETIRED: "quiet"}
_CHANGE_MOODS = {"new": "good", "returned": "good", "changed": "", "moved": "", "retired": "warn"}
FILES = {
    "case": ("framework.json", "application/json"),
    "csv": ("framework.csv", CSV),
    "taxonomy-csv": ("taxonomy.csv", CSV),
    "taxonomy-json": ("taxonomy.json", "application/json"),
}


def most_bytes() -> int:
    """Return how many bytes a form may have; a file that is somewhat too large is refused beside the form."""
    return 2 * microcred_settings.UPLOAD_MAX_BYTES + _ENVELOPE


@person_page(post=True, roles=READERS, most_bytes=most_bytes)
def frameworks(request: Any) -> HttpResponseBase:
    """List the frameworks; read a file, and go to what it would change."""
    if request.method != "POST":
        return _list(request)
    try:
        token = _read(request)
    except (InvalidInput, NotFound, WrongState) as error:
        return _list(request, problem=error)
    return told(
        request, _("The file was read. Nothing has changed yet."), "page-framework-import", token=token
    )


def _read(request: Any) -> str:
    given = request.FILES.get("file")
    if given is None:
        raise InvalidInput(_("Choose a file."))
    if given.size > microcred_settings.UPLOAD_MAX_BYTES:
        limit = {"megabytes": microcred_settings.UPLOAD_MAX_BYTES // 2**20}
        raise InvalidInput(_("The file is larger than %(megabytes)s MB.") % limit)
    content = given.read()
    framework = request.POST.get("framework", "")[:36]
    organization = request.POST.get("organization", "").strip()[:255]
    if framework:
        organization = ""
    elif not competencies.names_its_framework(content):
        framework = competencies.new_identifier()
    return competencies.preview_import(
        actor=request.actor,
        content=content,
        organization=organization,
        framework=framework,
        title=Text(
            th=request.POST.get("title_th", "").strip()[:500],
            en=request.POST.get("title_en", "").strip()[:500],
        ),
    ).token


def _list(request: Any, *, problem: MicrocredError | None = None) -> HttpResponse:
    actor: Actor = request.actor
    found = competencies.list_frameworks(organizations=actor.organizations(READERS))
    pages = Paginator(found, PAGE)
    page = pages.get_page(request.GET.get("page"))
    own = actor.organizations(Role.PROGRAMME_OFFICER)
    mine = [one for one in found if own is None or one.organization in own]
    chosen = request.POST.get("framework", request.GET.get("framework", ""))
    context = {
        "place": "frameworks",
        "frameworks": [_line(one, request.language) for one in page],
        "page": page,
        "may_import": own is None or bool(own),
        # A superuser may name any organisation.
        "organizations": sorted(own) if own is not None else None,
        "organization": request.POST.get("organization", ""),
        "known": [
            {
                "value": one.framework,
                "label": f"{one.title.in_language(request.language)} ({one.organization})",
                "chosen": one.framework == chosen,
            }
            for one in mine
        ],
        "title_th": request.POST.get("title_th", ""),
        "title_en": request.POST.get("title_en", ""),
        "problem": problem.message if problem else "",
        "problems": list(map(str, problem.problems[:50])) if problem else [],
    }
    return shown(request, "competencies/frameworks.html", context, status=_STATUS[type(problem)])


_STATUS = {type(None): 200, InvalidInput: 400, NotFound: 404, WrongState: 409}


def _line(one: FrameworkData, language: str) -> dict[str, Any]:
    return {
        "framework": one.framework,
        "title": one.title.in_language(language) or one.framework,
        "organization": one.organization,
        "state": State(one.state).label,
        "mood": _MOODS[State(one.state)],
        "items": one.items,
        "in_drawer": bool(one.taxonomy),
        "changed": display_moment(one.changed) if one.changed else "",
    }


@person_page(post=True, roles=READERS)
def framework_import(request: Any, token: UUID) -> HttpResponseBase:
    """Show what a file would change; do it."""
    if request.method != "POST":
        return _preview(request, competencies.read_import(actor=request.actor, token=str(token)))
    try:
        found = competencies.commit_import(
            actor=request.actor,
            token=str(token),
            without_successor="without_successor" in request.POST,
            publish="publish" in request.POST,
        )
    except WrongState as error:
        try:
            before = competencies.read_import(actor=request.actor, token=str(token))
        except WrongState:
            # Done already, or the framework has changed: there is nothing to show any longer.
            return refused(request, error, "page-frameworks")
        return _preview(request, before, problem=error)
    message = _("The framework was imported; it has %(count)s competencies.")
    said = {"count": found.items}
    return told(request, message % said, "page-framework", framework=UUID(found.framework))


def _preview(
    request: Any, preview: ImportPreviewData, *, problem: MicrocredError | None = None
) -> HttpResponse:
    counts = Counter(one.what for one in preview.changes)
    pages = Paginator(preview.changes, CHANGES)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "place": "frameworks",
        "preview": preview,
        "title": preview.title.in_language(request.language) or preview.framework,
        "counts": [
            {"what": competencies.describe_change(what), "mood": _CHANGE_MOODS[what], "number": counts[what]}
            for what in _CHANGE_MOODS
            if counts[what]
        ],
        "page": page,
        "changes": [
            {
                "what": competencies.describe_change(one.what),
                "mood": _CHANGE_MOODS[one.what],
                "code": one.code or one.item,
                "statement": one.statement.in_language(request.language),
                "fields": ", ".join(_field(name) for name in one.fields) if one.what != "new" else "",
                "used": one.used,
                "successor": one.successor[1] if one.successor else "",
            }
            for one in page
        ],
        "associations": sum(preview.associations.values()),
        "document_fields": ", ".join(_field(name) for name in preview.document_fields),
        "ignored": ", ".join(preview.ignored),
        "without_successor": "without_successor" in request.POST,
        "publish": request.method != "POST" or "publish" in request.POST,
        "problem": problem.message if problem else "",
    }
    return shown(request, "competencies/import.html", context, status=409 if problem else 200)


def _field(name: str) -> str:
    return {
        "code": _("code"),
        "statement_th": _("statement in Thai"),
        "statement_en": _("statement in English"),
        "domain": _("outcome domain"),
        "miller": _("Miller stage"),
        "nqf": _("NQF level"),
        "parent": _("place in the tree"),
        "successor": _("successor"),
        "retired": _("whether it is in force"),
        "title_th": _("title in Thai"),
        "title_en": _("title in English"),
        "creator": _("creator"),
        "version": _("version"),
        "language": _("language"),
    }.get(name, name)


@person_page(post=True, roles=READERS)
def framework(request: Any, framework: UUID) -> HttpResponseBase:
    """Show one framework with its competencies; publish, retire, or give it to the tag drawer."""
    found = _seen(request.actor, framework)
    if request.method != "POST":
        return _framework(request, found)
    action = request.POST.get("action", "")
    try:
        if action == "taxonomy":
            count = competencies.publish_taxonomy(actor=request.actor, framework=found.framework)
            message = _("Authors now find it in Studio's tag drawer, with %(count)s tags.") % {"count": count}
        elif action in State.values:
            competencies.set_framework_state(actor=request.actor, framework=found.framework, state=action)
            message = {
                State.PUBLISHED: _("The framework is in force: authors find it."),
                State.RETIRED: _("The framework is retired: nobody can pick from it; what names it stays."),
                State.DRAFT: _("The framework is a draft again: authors do not find it."),
            }[State(action)]
        else:
            raise InvalidInput(_("The form could not be read."))
    except (InvalidInput, WrongState) as error:
        return refused(request, error, "page-framework", framework=framework)
    return told(request, message, "page-framework", framework=framework)


def _seen(actor: Actor, framework: UUID) -> FrameworkData:
    """Return a framework of which the person may know; others are as if they were not there."""
    found = competencies.get_framework(framework=str(framework))
    try:
        actor.require(READERS, found.organization)
    except NotAllowed:
        raise NotFound(_("There is no framework with this identifier.")) from None
    return found


def _framework(request: Any, found: FrameworkData) -> HttpResponse:
    text = request.GET.get("text", "")[:200]
    page = competencies.search_items(
        framework=found.framework,
        text=text,
        after=request.GET.get("after", "")[:200],
        limit=ITEMS,
        drafts=True,
    )
    own = request.actor.organizations(Role.PROGRAMME_OFFICER)
    context = {
        "place": "frameworks",
        "one": _line(found, request.language),
        "creator": found.creator,
        "version": found.version,
        "taxonomy": found.taxonomy,
        "state": found.state,
        "may_change": own is None or found.organization in own,
        "text": text,
        "items": [_item(one, request.language) for one in page.items],
        "first": urlencode({"text": text}) if request.GET.get("after") else "",
        "next": urlencode({"text": text, "after": page.after}) if page.after else "",
    }
    return shown(request, "competencies/framework.html", context)


def _item(one: CompetencyData, language: str) -> dict[str, Any]:
    return {
        "code": one.code,
        "statement": one.statement.in_language(language) or one.item,
        "depth": min(one.depth, 4),
        "domain": Competency.Domain(one.domain).label if one.domain else "",
        "miller": Competency.Miller(one.miller).label if one.miller else "",
        "nqf": one.nqf,
    }


@person_page(roles=READERS)
def framework_file(request: Any, framework: UUID, form: str) -> HttpResponseBase:
    """Return a framework as a CFPackage of CASE, our table, or a taxonomy of the platform."""
    if form not in FILES:
        raise Http404
    found = _seen(request.actor, framework)
    name, media_type = FILES[form]
    content = competencies.export_framework(
        framework=found.framework, format=form.replace("-", "_"), actor=request.actor
    )
    return download(content, name=name, media_type=media_type)
