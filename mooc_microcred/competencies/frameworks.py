"""Reading frameworks and competencies: what authors search, and what everybody looks up by identifiers."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import partial

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from mooc_microcred.competencies.borrowed import (
    CURSOR,
    borrowed_competencies,
    borrowed_frameworks,
    search_borrowed,
)
from mooc_microcred.competencies.data import CompetencyData, CompetencyPage, FrameworkData, Key
from mooc_microcred.competencies.documents import EXACT_MATCH_OF
from mooc_microcred.competencies.models import Association, Competency, Framework
from mooc_microcred.core.errors import InvalidInput, NotFound
from mooc_microcred.core.texts import Text

MAX_PAGE = 200
MAX_SEARCH = 200
# Keys in one query; more are asked for in several.
KEYS_PER_QUERY = 500

_COLUMNS = (
    "id",
    "identifier",
    "code",
    "statement_th",
    "statement_en",
    "domain",
    "miller",
    "nqf_level",
    "retired_at",
    "successor_framework",
    "successor_item",
    "parent__identifier",
    "depth",
    "child_count",
    "ordinal",
    "framework_id",
    "framework__identifier",
    "framework__title_th",
    "framework__title_en",
)


def folded(text: str) -> str:
    """Return a text as it is searched: without differences of case, width and composition."""
    # NFKC takes sara am apart; both spellings of it come out the same.
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def search_text(code: str, *statements: str) -> str:
    """Return what a search for an item looks through: the code first."""
    return "\n".join(folded(part) for part in (code, *statements))


def search_items(
    *,
    framework: str = "",
    text: str = "",
    parent: str | None = None,
    after: str = "",
    limit: int = 50,
    drafts: bool = False,
) -> CompetencyPage:
    """Return competencies whose code begins with the text, then those that have it anywhere; one query.

    Those that the platform itself has come last, with at most three queries more where it has any.

    Args:
        framework: identifier; empty means every published one.
        text: part of a code or of a Thai or English statement; several words must all be there.
        parent: identifier of an item whose children are wanted; "" the items at the top; None all.
        after: of the page before. limit: 1-200.
        drafts: also of frameworks that are not published.

    Raises:
        InvalidInput: the cursor is none of ours.
    """
    limit = max(1, min(limit, MAX_PAGE))
    wanted = folded(text[:MAX_SEARCH])
    elsewhere = partial(
        search_borrowed,
        framework=framework.lower(),
        words=wanted.split(),
        parent=parent.lower() if parent else parent,
    )
    if after.startswith(CURSOR):
        return elsewhere(after=after, limit=limit)
    rows = Competency.objects.filter(retired_at__isnull=True)
    if framework:
        rows = rows.filter(framework__identifier=framework.lower())
    if not drafts:
        rows = rows.filter(framework__state=Framework.State.PUBLISHED)
    if parent is not None:
        rows = rows.filter(parent__identifier=parent.lower()) if parent else rows.filter(parent=None)
    if wanted:
        for word in wanted.split(" "):
            rows = rows.filter(search__contains=word)
    # A code that begins so is what somebody means who types a code.
    rank = Case(When(search__startswith=wanted, then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = rows.annotate(rank=rank if wanted else Value(0, output_field=IntegerField()))
    if after:
        at_rank, at_framework, at_ordinal, at_id = _cursor(after)
        same = Q(rank=at_rank)
        rows = rows.filter(
            Q(rank__gt=at_rank)
            | same & Q(framework_id__gt=at_framework)
            | same & Q(framework_id=at_framework, ordinal__gt=at_ordinal)
            | same & Q(framework_id=at_framework, ordinal=at_ordinal, id__gt=at_id)
        )
    found = list(
        rows.order_by("rank", "framework_id", "ordinal", "id").values(*_COLUMNS, "rank")[: limit + 1]
    )
    page = found[:limit]
    more = ""
    if len(found) > limit:
        last = page[-1]
        position = f"{last['rank']}.{last['framework_id']}.{last['ordinal']}.{last['id']}"
        more = base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")
    items = [_competency(row) for row in page]
    if not more:
        rest = elsewhere(after="", limit=limit - len(items))
        items, more = [*items, *rest.items], rest.after
    return CompetencyPage(items, more)


def _cursor(text: str) -> tuple[int, int, int, int]:
    try:
        position = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode()
        rank, framework, ordinal, pk = (int(part) for part in position.split("."))
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise InvalidInput(_("This page does not exist. Begin the search anew.")) from error
    if not all(0 <= part < 2**62 for part in (rank, framework, ordinal, pk)):
        raise InvalidInput(_("This page does not exist. Begin the search anew."))
    return rank, framework, ordinal, pk


def _competency(row: Mapping) -> CompetencyData:
    successor = (row["successor_framework"], row["successor_item"])
    return CompetencyData(
        framework=row["framework__identifier"],
        item=row["identifier"],
        code=row["code"],
        statement=Text(th=row["statement_th"], en=row["statement_en"]),
        domain=row["domain"],
        miller=row["miller"],
        nqf=row["nqf_level"],
        retired=row["retired_at"] is not None,
        successor=successor if successor[1] else None,
        parent=row["parent__identifier"] or "",
        depth=row["depth"],
        children=row["child_count"],
        framework_title=Text(th=row["framework__title_th"], en=row["framework__title_en"]),
    )


def get_competencies(*, keys: Collection[Key]) -> dict[Key, CompetencyData]:
    """Return those of the competencies that are known here, retired ones included.

    Args:
        keys: framework and item identifiers; letter case does not count.
    """
    wanted = {(framework.lower(), item.lower()): (framework, item) for framework, item in keys}
    by_item: dict[str, set[str]] = defaultdict(set)
    for framework, item in wanted:
        by_item[item].add(framework)
    found: dict[Key, CompetencyData] = {}
    items = sorted(by_item)
    for start in range(0, len(items), KEYS_PER_QUERY):
        rows = Competency.objects.filter(identifier__in=items[start : start + KEYS_PER_QUERY])
        for row in rows.values(*_COLUMNS):
            key = row["framework__identifier"], row["identifier"]
            if key in wanted:
                found[wanted[key]] = _competency(row)
    missing = [key for key, asked in wanted.items() if asked not in found]
    found |= {wanted[key]: one for key, one in borrowed_competencies(keys=missing).items()}
    return found


def exact_matches_of(*, keys: Collection[Key]) -> dict[Key, list[str]]:
    """Return the addresses of what competencies are exactly the same as elsewhere, such as in ESCO.

    Of each framework's own associations only; those without any are left out.

    Args:
        keys: framework and item identifiers; letter case does not count.
    """
    wanted = {(framework.lower(), item.lower()): (framework, item) for framework, item in keys}
    items = sorted({item for _framework, item in wanted})
    found: dict[Key, list[str]] = defaultdict(list)
    for start in range(0, len(items), KEYS_PER_QUERY):
        rows = Association.objects.filter(
            kind=EXACT_MATCH_OF, origin__in=items[start : start + KEYS_PER_QUERY]
        ).order_by("destination_uri")
        for framework, item, address in rows.values_list(
            "framework__identifier", "origin", "destination_uri"
        ):
            key = wanted.get((framework, item))
            if key is not None and address.startswith(("http://", "https://")) and address not in found[key]:
                found[key].append(address)
    return {key: addresses for key, addresses in found.items() if addresses}


def predecessors_of(*, keys: Collection[Key]) -> dict[Key, set[Key]]:
    """Return what each competency replaces, directly or through others, itself included.

    One query for each generation of successors, of which there are few.
    """
    found: dict[Key, set[Key]] = {key: {key} for key in keys}
    todo: dict[Key, set[Key]] = {key: {key} for key in keys}
    while todo:
        rows = Competency.objects.filter(successor_item__in=sorted({item for _framework, item in todo}))
        following: dict[Key, set[Key]] = defaultdict(set)
        for framework, item, later_framework, later_item in rows.values_list(
            "framework__identifier", "identifier", "successor_framework", "successor_item"
        ):
            for key in todo.get((later_framework, later_item), ()):
                if (framework, item) not in found[key]:
                    found[key].add((framework, item))
                    following[framework, item].add(key)
        todo = following
    return found


def list_frameworks(
    *, organizations: Collection[str] | None = None, published: bool = False
) -> list[FrameworkData]:
    """Return frameworks by organisation and title, with how many items they have; one query.

    Args:
        organizations: only of these; None means all. published: only published ones; of all
            organisations also those that the platform itself has, with two queries more.
    """
    rows = Framework.objects.all()
    if organizations is not None:
        rows = rows.filter(organization__in=sorted(organizations))
    if published:
        rows = rows.filter(state=Framework.State.PUBLISHED)
    found = [framework_data(row) for row in with_counts(rows).order_by("organization", "title_en", "id")]
    if published and organizations is None:
        found += [one for one in borrowed_frameworks() if one.state == Framework.State.PUBLISHED]
    return found


def with_counts(rows: QuerySet[Framework]) -> QuerySet[Framework]:
    """Annotate frameworks with how many items they have that are not retired."""
    return rows.annotate(item_count=Count("items", filter=Q(items__retired_at__isnull=True)))


def get_framework(*, framework: str) -> FrameworkData:
    """Return one framework.

    Raises:
        NotFound: there is none with that identifier.
    """
    return framework_data(read_framework(framework))


def read_framework(identifier: str) -> Framework:
    """Return the row of a framework, with its count.

    Raises:
        NotFound: there is none with that identifier.
    """
    row = with_counts(Framework.objects.filter(identifier=identifier.lower())).first()
    if row is None:
        raise NotFound(_("There is no framework with this identifier."))
    return row


def framework_data(row: Framework) -> FrameworkData:
    """Return a row as data; ``item_count`` is annotated where the count matters."""
    return FrameworkData(
        framework=row.identifier,
        title=Text(th=row.title_th, en=row.title_en),
        organization=row.organization,
        creator=row.creator,
        state=row.state,
        revision=row.revision,
        version=row.version,
        language=row.language,
        items=getattr(row, "item_count", 0),
        changed=row.changed,
        taxonomy=row.taxonomy,
    )
