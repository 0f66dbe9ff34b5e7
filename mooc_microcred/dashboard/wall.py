"""A learner's badges, as many as there may be: filtered, counted and paged by the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Prefetch, Q
from django.utils import timezone

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.data import AwardData, Definition, Text
from mooc_microcred.achievements.models import AchievementVersion, Award
from mooc_microcred.core import clock
from mooc_microcred.dashboard.data import Badge
from mooc_microcred.dashboard.learner import badges_of

KINDS = ("level1", "level2", "programme", "competency")
STATES = ("active", "suspended", "expired", "revoked")
PAGE_SIZE = 24
# Of a text that is searched for; no name is longer.
MOST_LETTERS = 100


@dataclass(frozen=True, slots=True)
class WallFilters:
    """Which badges are wanted; what is empty does not matter.

    Attributes:
        state: one of STATES; empty means all but the revoked ones.
        year: of the Common Era, in the platform's time zone. text: a part of the name, in any language.
    """

    kind: str = ""
    issuer: str = ""
    state: str = ""
    year: int | None = None
    text: str = ""

    @property
    def any(self) -> bool:
        """Say whether anything is filtered."""
        return bool(self.kind or self.issuer or self.state or self.year or self.text)


@dataclass(frozen=True, slots=True)
class Wall:
    """A page of a learner's badges.

    Attributes:
        badges: the newest first. matched: how many there are on all pages.
        page, pages: counted from 1; a page beyond the last is the last one.
        counts: by state, of everything that the learner has. kinds: those of which there is one.
        issuers: (code, name) of whom there is one. years: the latest first.
    """

    badges: tuple[Badge, ...]
    matched: int
    page: int
    pages: int
    counts: Mapping[str, int]
    kinds: tuple[str, ...] = ()
    issuers: tuple[tuple[str, Text], ...] = ()
    years: tuple[int, ...] = ()

    @property
    def total(self) -> int:
        """Return the number of badges that are shown without a filter."""
        return sum(number for state, number in self.counts.items() if state != "revoked")


def state_of(award: Any, now: datetime) -> str:
    """Return one of STATES: what has expired is so at once, before a worker has written it down."""
    if award.state == "active" and award.expires_at is not None and award.expires_at <= now:
        return "expired"
    return str(award.state)


def read_wall(*, learner_id: int, filters: WallFilters | None = None, page: int = 1) -> Wall:
    """Return a page of a learner's badges, with a constant number of queries."""
    filters = filters or WallFilters()
    now = clock.now()
    rows = Award.objects.filter(learner_id=learner_id, published_at__isnull=False)
    seen = rows.aggregate(
        first=Min("issued_at"),
        last=Max("issued_at"),
        **{state: Count("pk", filter=_in_state(state, now)) for state in STATES},
    )
    counts = {state: seen[state] for state in STATES}
    if not any(counts.values()):
        return Wall((), 0, 1, 1, counts)
    # What a learner has is of few definitions, and the catalogue is in memory: names are looked for there.
    versions = set(rows.order_by().values_list("version_id", flat=True).distinct())
    definitions = achievements.definitions_of(versions)
    found = _filtered(rows, filters, definitions, now)
    matched = found.count()
    pages = max(1, -(-matched // PAGE_SIZE))
    page = min(max(page, 1), pages)
    return Wall(
        badges=badges_of(_read(found, (page - 1) * PAGE_SIZE), small=True),
        matched=matched,
        page=page,
        pages=pages,
        counts=counts,
        kinds=tuple(kind for kind in KINDS if any(one.kind == kind for one in definitions.values())),
        issuers=tuple(
            sorted(
                achievements.issuer_names({one.issuer for one in definitions.values()}).items(),
                key=lambda one: (one[1].th or one[1].en, one[0]),
            )
        ),
        years=tuple(
            range(timezone.localtime(seen["last"]).year, timezone.localtime(seen["first"]).year - 1, -1)
        ),
    )


def _in_state(state: str, now: datetime) -> Q:
    over = Q(state="active", expires_at__lte=now)
    if state == "active":
        return Q(state="active") & (Q(expires_at__isnull=True) | Q(expires_at__gt=now))
    if state == "expired":
        return Q(state="expired") | over
    return Q(state=state)


def _filtered(rows: Any, filters: WallFilters, definitions: Mapping[int, Definition], now: datetime) -> Any:
    rows = rows.filter(_in_state(filters.state, now)) if filters.state else rows.exclude(state="revoked")
    if filters.kind or filters.issuer or filters.text:
        rows = rows.filter(version_id__in=_versions(filters, definitions.values()))
    if filters.year:
        zone = timezone.get_current_timezone()
        begins, ends = (datetime(year, 1, 1, tzinfo=zone) for year in (filters.year, filters.year + 1))
        rows = rows.filter(issued_at__gte=begins, issued_at__lt=ends)
    return rows


def _versions(filters: WallFilters, definitions: Collection[Definition]) -> list[int]:
    text = filters.text[:MOST_LETTERS].casefold()
    return [
        one.version_id
        for one in definitions
        if filters.kind in ("", one.kind)
        and filters.issuer in ("", one.issuer)
        and (not text or text in one.name.th.casefold() or text in one.name.en.casefold())
    ]


def _read(rows: Any, start: int) -> list[AwardData]:
    # By queries of their own: joined to them, MariaDB was seen to walk every award of an achievement.
    versions = Prefetch("version", AchievementVersion.objects.defer("definition"))
    page = rows.defer("evidence").prefetch_related("achievement", versions).order_by("-issued_at", "-id")
    found = []
    for row in page[start : start + PAGE_SIZE]:
        row.evidence = {}
        found.append(achievements.award_data(row))
    return found
