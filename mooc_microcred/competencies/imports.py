"""Importing a framework: read, compare, show, and only then do exactly what was shown.

Nothing is deleted, since content, learners and achievements may name it: an item that a file no
longer has is retired, with a successor where something uses it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from mooc_microcred.competencies import case, sheets
from mooc_microcred.competencies.data import FrameworkData, ImportChange, ImportPreviewData, Key
from mooc_microcred.competencies.documents import Document, Item, Link, document_of, in_tree_order
from mooc_microcred.competencies.frameworks import framework_data, read_framework, search_text
from mooc_microcred.competencies.models import (
    Association,
    Competency,
    ContentTag,
    Framework,
    FrameworkImport,
    Mastery,
    new_uuid,
)
from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import InvalidInput, NotAllowed, NotFound, WrongState
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.core.texts import Text

FORMATS = ("case", "csv", "taxonomy_csv", "taxonomy_json")
ROWS_PER_STATEMENT = 500
# A preview can be committed for as long; old ones are deleted with the next.
PREVIEW_LASTS = timedelta(days=1)

#: Says how often other rooms use competencies, by key.
Uses = Callable[[Collection[Key]], Mapping[Key, int]]
_uses: dict[str, Uses] = {}


def register_uses(name: str, uses: Uses) -> None:
    """Let a room above say which competencies it uses; called from AppConfig.ready, again is harmless."""
    _uses[name] = uses


def read_document(content: bytes, *, framework: str = "") -> Document:
    """Return the framework of a file, whatever its format: only the content decides.

    Args:
        framework: identifier, for tables, which do not name their framework.

    Raises:
        InvalidInput: too large, no such file, or a table without a framework.
    """
    if len(content) > microcred_settings.UPLOAD_MAX_BYTES:
        raise InvalidInput(
            _("The file is larger than %(megabytes)s MB.")
            % {"megabytes": microcred_settings.UPLOAD_MAX_BYTES // 2**20}
        )
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise InvalidInput(_("The file is empty."))
    if start.startswith((b"{", b"[")):
        return _read_json(start, framework)
    _must_be_named(framework)
    return sheets.read_table(content, framework=framework.lower())


def _read_json(content: bytes, framework: str) -> Document:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_("The file is no JSON.")) from error
    if isinstance(found, dict) and "CFDocument" not in found and "tags" in found:
        _must_be_named(framework)
        return sheets.read_taxonomy_json(content, framework=framework.lower())
    document = case.read_package(content)
    if framework and document.identifier != framework.lower():
        raise InvalidInput(
            _("The file is of another framework: %(identifier)s.") % {"identifier": document.identifier}
        )
    return document


def _must_be_named(framework: str) -> None:
    if not case.UUID.match(framework):
        raise InvalidInput(_("A table does not say which framework it is: name its identifier (a UUID)."))


def new_identifier() -> str:
    """Return an identifier for a new framework."""
    return str(uuid4())


def preview_import(
    *,
    actor: Actor,
    content: bytes,
    organization: str = "",
    framework: str = "",
    title: Text | None = None,
    creator: str = "",
) -> ImportPreviewData:
    """Read a file and say what importing it would change; nothing is changed but that this is kept.

    Args:
        organization: short name, for a framework that is new here; an old one stays with its own.
        framework: identifier, where the file does not say it.
        title, creator: of a new framework, where the file does not say them.

    Raises:
        InvalidInput: the file is not right. NotAllowed: the actor is no programme officer there.
    """
    document = read_document(content, framework=framework)
    row = Framework.objects.filter(identifier=document.identifier).first()
    owner = row.organization if row is not None else organization
    if not owner:
        raise InvalidInput(_("Say which organisation the new framework belongs to."))
    actor.require(Role.PROGRAMME_OFFICER, owner)
    if organization and organization != owner:
        raise InvalidInput(_("This framework belongs to the organisation %(owner)s.") % {"owner": owner})
    if row is None and not document.th and not document.en:
        title = title or Text()
        document.th, document.en = title.th, title.en
        document.creator = document.creator or creator or owner
        if not document.th and not document.en:
            raise InvalidInput(_("The new framework needs a title."))
    _check_lengths(document)
    plan = _compare(row, document)
    now = clock.now()
    FrameworkImport.objects.filter(created__lt=now - PREVIEW_LASTS).delete()
    kept = FrameworkImport.objects.create(
        framework=document.identifier,
        organization=owner,
        revision=row.revision if row is not None else "",
        content=zlib.compress(json.dumps(document.to_json(), ensure_ascii=False).encode()),
        created=now,
        created_by=actor.id,
    )
    return plan.shown(kept.token, owner)


def _check_lengths(document: Document) -> None:
    if max(len(document.th), len(document.en), len(document.creator)) > 500:
        raise InvalidInput(_("The title is longer than %(limit)s characters.") % {"limit": 500})


def organization_of_import(*, token: str) -> str:
    """Return the organisation whose framework a preview is about.

    Raises:
        NotFound: there is no such preview (any longer).
    """
    kept = FrameworkImport.objects.filter(token=token).values_list("organization", flat=True).first()
    if kept is None:
        raise NotFound(_("This preview does not exist any longer. Read the file again."))
    return kept


def read_import(*, actor: Actor, token: str) -> ImportPreviewData:
    """Return again what a preview shows; nothing is changed.

    Raises:
        NotFound: there is no such preview (any longer). NotAllowed: the actor is no programme officer there.
        WrongState: the framework has changed since, or it was committed already.
    """
    kept = FrameworkImport.objects.filter(token=token).first()
    _must_be_kept(kept)
    assert kept is not None  # noqa: S101 said above
    actor.require(Role.PROGRAMME_OFFICER, kept.organization)
    row = Framework.objects.filter(identifier=kept.framework).first()
    return _plan_of(kept, row).shown(kept.token, kept.organization)


def _must_be_kept(kept: FrameworkImport | None) -> None:
    if kept is None or kept.created < clock.now() - PREVIEW_LASTS:
        raise NotFound(_("This preview does not exist any longer. Read the file again."))


def _plan_of(kept: FrameworkImport, row: Framework | None) -> _Plan:
    if kept.committed_at is not None:
        raise WrongState(_("This import was done already."))
    if (row.revision if row is not None else "") != kept.revision:
        raise WrongState(_("The framework has changed since the preview. Read the file again."))
    return _compare(row, Document.from_json(json.loads(zlib.decompress(bytes(kept.content)))))


def names_its_framework(content: bytes) -> bool:
    """Say whether a file says itself which framework it is: tables and taxonomies do not."""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"{") and b'"CFDocument"' in start


def commit_import(
    *, actor: Actor, token: str, without_successor: bool = False, publish: bool = False
) -> FrameworkData:
    """Do what a preview has shown, all or nothing.

    Args:
        without_successor: also where something in use is retired without a successor.
        publish: bring the framework into force.

    Raises:
        NotFound: there is no such preview (any longer). NotAllowed: the actor is no programme officer there.
        WrongState: the framework has changed since, it was committed already, or something in use would
            be retired without a successor.
    """
    with transaction.atomic():
        kept = FrameworkImport.objects.select_for_update().filter(token=token).first()
        _must_be_kept(kept)
        assert kept is not None  # noqa: S101 said above
        actor.require(Role.PROGRAMME_OFFICER, kept.organization)
        row = Framework.objects.select_for_update().filter(identifier=kept.framework).first()
        plan = _plan_of(kept, row)
        if plan.orphaned and not without_successor:
            raise WrongState(plan.blocked)
        row = _write(row, plan, kept.organization, publish)
        kept.committed_at = clock.now()
        kept.save(update_fields=["committed_at"])
        log_action(
            actor_id=actor.id,
            action="framework.import",
            object_type="framework",
            object_id=row.identifier,
            organization=row.organization,
            **{what: plan.count(what) for what in ("new", "changed", "moved", "retired", "returned")},
        )
    return framework_data(read_framework(kept.framework))


def set_framework_state(*, actor: Actor, framework: str, state: str) -> FrameworkData:
    """Publish a framework, take it back to a draft, or retire it; what names its items stays.

    Raises:
        NotFound, NotAllowed, InvalidInput: there is no such framework, role or state.
    """
    row = read_framework(framework)
    actor.require(Role.PROGRAMME_OFFICER, row.organization)
    if state not in Framework.State.values:
        raise InvalidInput(_("Choose one of: %(allowed)s.") % {"allowed": ", ".join(Framework.State.values)})
    if row.state != state:
        with transaction.atomic():
            Framework.objects.filter(pk=row.pk).update(state=state, revision=new_uuid(), changed=clock.now())
            log_action(
                actor_id=actor.id,
                action=f"framework.{state}",
                object_type="framework",
                object_id=row.identifier,
                organization=row.organization,
            )
    return framework_data(read_framework(framework))


def export_framework(*, framework: str, format: str = "case", actor: Actor | None = None) -> bytes:  # noqa: A002
    """Return a framework as a file.

    Args:
        format: ``case`` (CFPackage JSON), ``csv``, ``taxonomy_csv`` or ``taxonomy_json`` of the platform.
        actor: who asks; None is anybody, who gets published ones only.

    Raises:
        NotFound: there is none, or the actor may not know of it. InvalidInput: no such format.
    """
    row = read_framework(framework)
    if row.state == Framework.State.DRAFT:
        try:
            (actor or Actor(user_id=None)).require((Role.PROGRAMME_OFFICER, Role.AUDITOR), row.organization)
        except NotAllowed:
            raise NotFound(_("There is no framework with this identifier.")) from None
    document = document_of(row)
    if format == "case":
        package = case.write_package(document, changed=row.changed)
        return json.dumps(package, ensure_ascii=False, indent=1).encode()
    if format == "csv":
        return b"\xef\xbb\xbf" + sheets.write_table(document).encode()
    if format in ("taxonomy_csv", "taxonomy_json"):
        from mooc_microcred.competencies.taxonomies import taxonomy_tags

        tags = [
            {"id": tag.external_id, "value": tag.value, "parent_id": tag.parent} for tag in taxonomy_tags(row)
        ]
        return sheets.write_tags(tags, as_json=format == "taxonomy_json")
    raise InvalidInput(_("Choose one of: %(allowed)s.") % {"allowed": ", ".join(FORMATS)})


# --- comparing ---


@dataclass(slots=True)
class _Plan:
    """What an import changes."""

    document: Document
    is_new: bool
    stored: dict[str, Competency]
    changes: list[ImportChange] = field(default_factory=list)
    unchanged: int = 0
    new_links: list[Link] = field(default_factory=list)
    changed_links: list[tuple[Association, Link]] = field(default_factory=list)
    gone_links: list[Association] = field(default_factory=list)
    document_fields: list[str] = field(default_factory=list)
    orphaned: list[str] = field(default_factory=list)

    def count(self, what: str) -> int:
        return sum(one.what == what for one in self.changes)

    @property
    def blocked(self) -> str:
        if not self.orphaned:
            return ""
        return _("In use and without a successor: %(codes)s. Name what replaces them (replacedBy).") % {
            "codes": ", ".join(self.orphaned[:20])
        }

    def shown(self, token: str, organization: str) -> ImportPreviewData:
        return ImportPreviewData(
            token=token,
            framework=self.document.identifier,
            title=Text(th=self.document.th, en=self.document.en),
            organization=organization,
            is_new=self.is_new,
            changes=self.changes,
            unchanged=self.unchanged,
            associations={
                "new": len(self.new_links),
                "changed": len(self.changed_links),
                "removed": len(self.gone_links),
            },
            document_fields=self.document_fields,
            blocked=self.blocked,
            ignored=self.document.ignored,
        )


def _compare(row: Framework | None, document: Document) -> _Plan:
    """Compare a file with what is stored; ``document`` is completed by what its format cannot say."""
    stored: dict[str, Competency] = {}
    if row is not None:
        stored = {one.identifier: one for one in row.items.select_related("parent").order_by("ordinal", "id")}
        _complete(row, document, stored)
    plan = _Plan(document, row is None, stored)
    used = _count_uses([(document.identifier, identifier) for identifier in stored])
    named = {item.identifier for item in document.items}
    successors = _resolve_successors(document)
    for item, _depth in in_tree_order(document.items):
        item.successor = successors.get(item.identifier, item.successor)
        before = stored.get(item.identifier)
        fields = _differences(before, item) if before is not None else []
        uses = used.get((document.identifier, item.identifier), 0)
        retires = bool(item.retired) and (before is None or before.retired_at is None)
        if before is None:
            what = "new"
        elif retires:
            what = "retired"
        elif before.retired_at is not None and not item.retired:
            what = "returned"
        elif fields == ["parent"]:
            what = "moved"
        elif fields:
            what = "changed"
        else:
            plan.unchanged += 1
            continue
        if retires and uses and item.successor is None:
            plan.orphaned.append(item.code or item.identifier)
        plan.changes.append(
            ImportChange(
                what, item.identifier, item.code, Text(item.th, item.en), fields, uses, item.successor
            )
        )
    for identifier, before in stored.items():
        if identifier in named or before.retired_at is not None:
            continue
        uses = used.get((document.identifier, identifier), 0)
        successor = successors.get(identifier)
        if uses and successor is None:
            plan.orphaned.append(before.code or identifier)
        text = Text(before.statement_th, before.statement_en)
        plan.changes.append(ImportChange("retired", identifier, before.code, text, (), uses, successor))
    if row is not None:
        _compare_document(row, document, plan)
    _compare_links(row, document, plan)
    return plan


def _complete(row: Framework, document: Document, stored: Mapping[str, Competency]) -> None:
    """Take over from what is stored whatever the format of the file cannot say."""
    if "document" not in document.carries:
        _adopt_identifiers(document, stored)
    if "document" not in document.carries:
        document.th, document.en = row.title_th, row.title_en
        document.creator, document.version, document.language = row.creator, row.version, row.language
        document.uri, document.document = row.uri, dict(row.document)
        document.definitions, document.rubrics = dict(row.definitions), list(row.rubrics)
    for item in document.items:
        before = stored.get(item.identifier)
        if before is None or "document" in document.carries:
            continue
        item.uri, item.extras = before.uri, dict(before.extras)
        if before.successor_item and item.successor is None:
            item.successor = (before.successor_framework, before.successor_item)
        if "details" not in document.carries:
            # A taxonomy's value is what authors see, made of code and statement: it is not read back.
            item.code, item.th, item.en = before.code, before.statement_th, before.statement_en
            item.domain, item.miller, item.nqf = before.domain, before.miller, before.nqf_level
            item.retired = before.retired_at.date().isoformat() if before.retired_at else ""


def _adopt_identifiers(document: Document, stored: Mapping[str, Competency]) -> None:
    """Take a row without an identifier of its own for the stored item with its code."""
    by_code = {one.code.casefold(): one.identifier for one in stored.values() if one.code}
    named = {item.identifier for item in document.items}
    renamed: dict[str, str] = {}
    for item in document.items:
        known = by_code.get(item.code.casefold()) if item.code else None
        if item.identifier not in stored and known is not None and known not in named:
            renamed[item.identifier] = known
    for item in document.items:
        item.identifier = renamed.get(item.identifier, item.identifier)
        item.parent = renamed.get(item.parent, item.parent)
        if item.successor:
            item.successor = (item.successor[0], renamed.get(item.successor[1], item.successor[1]))
    for link in document.links:
        link.origin = renamed.get(link.origin, link.origin)
        link.destination = renamed.get(link.destination, link.destination)


def _resolve_successors(document: Document) -> dict[str, Key]:
    """Return the successors that the file names, with their frameworks where they are known here."""
    named = {item.identifier: item.successor for item in document.items if item.successor}
    for link in document.links:
        if link.kind == "replacedBy":
            named.setdefault(link.origin, ("", link.destination))
    here = {item.identifier for item in document.items}
    strangers = {item for framework, item in named.values() if not framework and item not in here}
    elsewhere = dict(
        Competency.objects.filter(identifier__in=sorted(strangers)).values_list(
            "identifier", "framework__identifier"
        )
    )
    return {
        origin: (framework or (document.identifier if item in here else elsewhere.get(item, "")), item)
        for origin, (framework, item) in named.items()
    }


def _count_uses(keys: Collection[Key]) -> dict[Key, int]:
    """Return how many tags, masteries and definitions use each competency; those of one framework."""
    found: dict[Key, int] = {}
    frameworks = sorted({framework for framework, _item in keys})
    for model in (ContentTag, Mastery):
        rows = model.objects.filter(framework__in=frameworks).order_by()  # type: ignore[attr-defined]
        for framework, item, count in rows.values_list("framework", "item").annotate(Count("id")):
            found[framework, item] = found.get((framework, item), 0) + count
    for uses in _uses.values():
        for key, count in uses(keys).items():
            found[key] = found.get(key, 0) + count
    return found


def _differences(before: Competency, item: Item) -> list[str]:
    pairs = {
        "code": (before.code, item.code),
        "statement_th": (before.statement_th, item.th),
        "statement_en": (before.statement_en, item.en),
        "domain": (before.domain, item.domain),
        "miller": (before.miller, item.miller),
        "nqf": (before.nqf_level, item.nqf),
        "parent": (before.parent.identifier if before.parent else "", item.parent),
        "uri": (before.uri, item.uri),
        "details": (before.extras, item.extras),
        "successor": (
            (before.successor_framework, before.successor_item) if before.successor_item else None,
            tuple(item.successor) if item.successor else None,
        ),
        "retired": (before.retired_at is not None, bool(item.retired)),
    }
    return [name for name, (old, new) in pairs.items() if old != new]


def _compare_document(row: Framework, document: Document, plan: _Plan) -> None:
    pairs = {
        "title_th": (row.title_th, document.th),
        "title_en": (row.title_en, document.en),
        "creator": (row.creator, document.creator),
        "version": (row.version, document.version),
        "language": (row.language, document.language),
        "uri": (row.uri, document.uri),
        "details": (row.document, document.document),
        "definitions": (row.definitions, document.definitions),
        "rubrics": (row.rubrics, document.rubrics),
    }
    plan.document_fields = [name for name, (old, new) in pairs.items() if old != new]


def _compare_links(row: Framework | None, document: Document, plan: _Plan) -> None:
    """Compare associations. A table owns only the kinds that it can say; a taxonomy says none."""
    stored = {one.identifier: one for one in row.associations.order_by("id")} if row is not None else {}
    whole = "links" in document.carries
    said = {(one.kind, one.origin, end) for one in stored.values() for end in _ends(one)}
    for link in document.links:
        before = stored.pop(link.identifier, None)
        if before is not None:
            old = (
                before.kind, before.origin, before.destination, before.origin_uri, before.destination_uri,
                before.sequence, before.uri, before.extras,
            )  # fmt: skip
            new = (
                link.kind, link.origin, link.destination, link.origin_uri, link.destination_uri,
                link.sequence, link.uri, link.extras,
            )  # fmt: skip
            if old != new and whole:
                plan.changed_links.append((before, link))
        elif whole or not any((link.kind, link.origin, end) in said for end in _ends(link)):
            plan.new_links.append(link)
    if whole:
        plan.gone_links = list(stored.values())


def _ends(link: Association | Link) -> list[str]:
    """Return what an association may be known to point at: an identifier, an address, or both."""
    return [end for end in (link.destination, link.destination_uri) if end]


# --- writing ---


def _write(row: Framework | None, plan: _Plan, organization: str, publish: bool) -> Framework:
    document, now = plan.document, clock.now()
    if row is None:
        row = Framework(identifier=document.identifier, organization=organization)
    row.title_th, row.title_en = document.th, document.en
    row.creator, row.version, row.uri = document.creator, document.version[:64], document.uri
    row.language = document.language or "th"
    row.document, row.definitions, row.rubrics = document.document, document.definitions, document.rubrics
    row.revision, row.changed = new_uuid(), now
    if publish:
        row.state = Framework.State.PUBLISHED
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise WrongState(_("The framework has changed since the preview. Read the file again.")) from error
    _write_items(row, plan, now)
    _write_links(row, plan, now)
    return row


def _write_items(row: Framework, plan: _Plan, now: datetime) -> None:
    what = {one.item: one for one in plan.changes}
    ordered = in_tree_order(plan.document.items)
    children: dict[str, int] = {}
    known = {item.identifier for item, _depth in ordered}
    for item, _depth in ordered:
        if item.parent in known and not item.retired:
            children[item.parent] = children.get(item.parent, 0) + 1
    rows: dict[str, Competency] = {}
    new: list[Competency] = []
    kept: list[Competency] = []
    for ordinal, (item, depth) in enumerate(ordered):
        before = plan.stored.get(item.identifier)
        one = before or Competency(framework=row, identifier=item.identifier, changed=now)
        one.uri, one.code, one.statement_th, one.statement_en = item.uri, item.code, item.th, item.en
        one.domain, one.miller, one.nqf_level = item.domain, item.miller, item.nqf
        one.extras = item.extras
        one.ordinal, one.depth, one.child_count = ordinal, depth, children.get(item.identifier, 0)
        one.search = search_text(item.code, item.th, item.en)
        one.successor_framework, one.successor_item = item.successor or ("", "")
        one.retired_at = _retired_at(one.retired_at, item.retired, now)
        if item.identifier in what:
            one.changed = now
        rows[item.identifier] = one
        (kept if before is not None else new).append(one)
    for place, (identifier, one) in enumerate(plan.stored.items()):
        if identifier in rows:
            continue
        one.ordinal = len(ordered) + place
        change = what.get(identifier)
        if change is not None:
            one.retired_at = one.changed = now
            if change.successor:
                one.successor_framework, one.successor_item = change.successor
        kept.append(one)
    Competency.objects.bulk_create(new, batch_size=ROWS_PER_STATEMENT)
    keys = dict(Competency.objects.filter(framework=row).values_list("identifier", "pk"))
    for item, _depth in ordered:
        one = rows[item.identifier]
        one.pk = keys[item.identifier]
        one.parent_id = keys.get(item.parent) if item.parent != item.identifier else None
    Competency.objects.bulk_update(
        [*kept, *new],
        [
            "uri", "code", "statement_th", "statement_en", "domain", "miller", "nqf_level", "extras",
            "ordinal", "depth", "child_count", "search", "successor_framework", "successor_item",
            "retired_at", "changed", "parent",
        ],
        batch_size=200,
    )  # fmt: skip


def _retired_at(before: datetime | None, day: str, now: datetime) -> datetime | None:
    if not day:
        return None
    if before is not None:
        return before
    try:
        return min(datetime.fromisoformat(day).replace(tzinfo=UTC), now)
    except ValueError:
        return now


def _write_links(row: Framework, plan: _Plan, now: datetime) -> None:
    gone = [one.pk for one in plan.gone_links]
    for start in range(0, len(gone), ROWS_PER_STATEMENT):
        Association.objects.filter(pk__in=gone[start : start + ROWS_PER_STATEMENT]).delete()
    Association.objects.bulk_create(
        [
            Association(
                framework=row,
                identifier=link.identifier,
                uri=link.uri,
                kind=link.kind,
                origin=link.origin,
                origin_uri=link.origin_uri,
                destination=link.destination,
                destination_uri=link.destination_uri,
                sequence=link.sequence,
                extras=link.extras,
                changed=now,
            )
            for link in plan.new_links
        ],
        batch_size=ROWS_PER_STATEMENT,
    )
    for stored, link in plan.changed_links:
        stored.uri, stored.kind, stored.sequence, stored.extras = (
            link.uri,
            link.kind,
            link.sequence,
            link.extras,
        )
        stored.origin, stored.origin_uri = link.origin, link.origin_uri
        stored.destination, stored.destination_uri = link.destination, link.destination_uri
        stored.changed = now
    if plan.changed_links:
        Association.objects.bulk_update(
            [stored for stored, _link in plan.changed_links],
            [
                "uri",
                "kind",
                "sequence",
                "extras",
                "origin",
                "origin_uri",
                "destination",
                "destination_uri",
                "changed",
            ],
            batch_size=200,
        )


def describe_change(what: str) -> str:
    """Return what happens to an item, in the reader's language."""
    return {
        "new": _("new"),
        "changed": _("changed"),
        "moved": _("moved"),
        "retired": _("retired"),
        "returned": _("in force again"),
    }[what]
