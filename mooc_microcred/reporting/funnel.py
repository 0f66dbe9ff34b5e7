"""Reading the figures: who may see which, how they are added up, and which are too small to be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, Min, QuerySet, Sum
from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import NotAllowed, NotFound
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.core.texts import Text
from mooc_microcred.reporting.data import STEPS, WAITED_DAYS, Funnel, Kind, Report, Step, StepFigure, Wanted
from mooc_microcred.reporting.models import FunnelFigure, FunnelRefresh
from mooc_microcred.reporting.periods import period_of
from mooc_microcred.reporting.refreshing import WAITED, latest_refresh

ROLES = (Role.PROGRAMME_OFFICER, Role.AUDITOR)
# Who may look up each learner of the organisation anyway, and so may know of a single one.
_EXACT = (Role.PROGRAMME_OFFICER,)


def read_report(*, actor: Actor, wanted: Wanted) -> Report:
    """Return the figures that a programme officer or an auditor asks for.

    Seven queries, however many learners, courses and months there are.

    Raises:
        NotAllowed: the actor holds neither role anywhere.
        NotFound: the organisation, course or programme is not one that the actor may see.
    """
    view = _View.of(actor, wanted)
    if view.refresh is None:
        return Report(None, wanted, Funnel(()), min_group=view.minimum)
    choices = view.choices()
    mine = {code: organization for (kind, code), organization in choices.items() if kind == wanted.kind}
    months = view.visible().aggregate(first=Min("month"), last=Max("month"))
    rows = view.asked()
    by_code = _added(rows, ("code", "organization"), lambda row: row["code"])
    by_period = _added(rows, ("month",), lambda row: period_of(row["month"], wanted.by))
    names = _names(choices)
    funnels = [
        view.told(one, code=code, organization=mine[code], name=names[wanted.kind, code])
        for code, one in by_code.items()
    ]
    institutions = sorted({mine[code] for code in by_code})
    return Report(
        as_of=view.refresh.as_of,
        wanted=wanted,
        whole=view.told(_sum(by_code.values()), organizations=institutions),
        funnels=sorted(funnels, key=_most_waiting),
        organizations=[
            view.told(
                _sum(one for code, one in by_code.items() if mine[code] == organization),
                organization=organization,
            )
            for organization in institutions
        ],
        periods=[
            view.told(one, organizations=institutions, month=month)
            for month, one in sorted(by_period.items())
        ],
        names=names,
        institutions=sorted(set(choices.values())),
        months=(months["first"], months["last"]) if months["first"] else None,
        min_group=view.minimum,
    )


def read_cohorts(*, actor: Actor, wanted: Wanted) -> tuple[FunnelRefresh | None, list[Funnel]]:
    """Return each course or programme in each period, by code and period, and the walk that counted them.

    Raises:
        NotAllowed, NotFound: as for :func:`read_report`.
    """
    view = _View.of(actor, wanted)
    if view.refresh is None:
        return None, []
    choices = view.choices()
    found = _added(
        view.asked(), ("code", "month"), lambda row: (row["code"], period_of(row["month"], wanted.by))
    )
    names = _names(choices)
    return view.refresh, [
        view.told(
            one,
            code=code,
            organization=choices[wanted.kind, code],
            name=names[wanted.kind, code],
            month=month,
        )
        for (code, month), one in sorted(found.items())
    ]


def read_funnels(*, actor: Actor, wanted: Wanted) -> tuple[FunnelRefresh | None, list[Funnel]]:
    """Return each course or programme over all the months asked for, by code, and the walk that counted them.

    Raises:
        NotAllowed, NotFound: as for :func:`read_report`.
    """
    view = _View.of(actor, wanted)
    if view.refresh is None:
        return None, []
    choices = view.choices()
    found = _added(view.asked(), ("code",), lambda row: row["code"])
    names = _names(choices)
    return view.refresh, [
        view.told(
            one,
            code=code,
            organization=choices[wanted.kind, code],
            name=names[wanted.kind, code],
        )
        for code, one in sorted(found.items())
    ]


@dataclass(frozen=True)
class _View:
    """What one reader may see of the latest figures.

    Attributes:
        scopes: organisations whose figures exist for the reader; None means all.
        exact: those of whom the reader may know small numbers; None means all.
    """

    wanted: Wanted
    refresh: FunnelRefresh | None
    scopes: set[str] | None
    exact: set[str] | None
    minimum: int

    @classmethod
    def of(cls, actor: Actor, wanted: Wanted) -> _View:
        scopes = actor.organizations(ROLES)
        if scopes is not None and not scopes:
            raise NotAllowed(_("You do not hold the role that this page is for."))
        return cls(
            wanted,
            latest_refresh(),
            scopes,
            set() if wanted.rounded else actor.organizations(_EXACT),
            microcred_settings.FUNNEL_MIN_GROUP,
        )

    def visible(self) -> QuerySet[FunnelFigure]:
        """Return the figures that exist for the reader."""
        rows = FunnelFigure.objects.filter(refresh=self.refresh)
        return rows if self.scopes is None else rows.filter(organization__in=self.scopes)

    def choices(self) -> dict[tuple[Kind, str], str]:
        """Return what the reader may choose from: kinds and codes with their organisations.

        Raises:
            NotFound: what is asked for is not among them.
        """
        rows = self.visible().values_list("kind", "code", "organization").distinct()
        found = {
            (Kind(kind), code): organization
            for kind, code, organization in rows.order_by("organization", "code")
        }
        wanted = self.wanted
        foreign = wanted.organization and self.scopes is not None and wanted.organization not in self.scopes
        if foreign or (wanted.code and (wanted.kind, wanted.code) not in found):
            raise NotFound(_("There is no such thing."))
        return found

    def asked(self) -> QuerySet[FunnelFigure]:
        """Return those of them that are asked for."""
        wanted = self.wanted
        rows = self.visible().filter(kind=wanted.kind)
        if wanted.organization:
            rows = rows.filter(organization=wanted.organization)
        if wanted.code:
            rows = rows.filter(code=wanted.code)
        if wanted.since:
            rows = rows.filter(month__gte=wanted.since)
        if wanted.until:
            rows = rows.filter(month__lte=wanted.until)
        return rows

    def told(self, one: _Sums, *, organizations: Collection[str] = (), **about: Any) -> Funnel:
        """Return sums as the reader may see them."""
        of = organizations or {about.get("organization", "")}
        rounded = self.exact is not None and not set(of) <= self.exact
        minimum = self.minimum if rounded else 1
        return Funnel(
            steps=tuple(_figure(step, one, minimum) for step in STEPS if step in one.reached),
            kind=self.wanted.kind,
            rounded=rounded,
            **about,
        )


def _names(choices: Iterable[tuple[Kind, str]]) -> dict[tuple[Kind, str], Text]:
    """Return the names of courses and programmes; what is in force no more has its code for a name."""
    catalogue = achievements.current_catalogue()
    found = {(kind, code): catalogue.newest(code) for kind, code in choices}
    return {key: one.name if one is not None else Text(en=key[1]) for key, one in found.items()}


@dataclass(slots=True)
class _Sums:
    """Sums by step: who reached it, and who waits there, by WAITED_DAYS."""

    reached: dict[Step, int] = field(default_factory=lambda: defaultdict(int))
    waited: dict[Step, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * len(WAITED)))

    def add(self, step: Step, reached: int, waited: Iterable[int]) -> None:
        """Add some learners at a step."""
        self.reached[step] += reached
        self.waited[step] = [have + more for have, more in zip(self.waited[step], waited, strict=True)]


def _added(rows: QuerySet[FunnelFigure], names: tuple[str, ...], key: Any) -> dict[Any, _Sums]:
    """Add up figures in the database by some fields, and what is left by a key: one query."""
    found: dict[Any, _Sums] = defaultdict(_Sums)
    sums = {f"sum_{name}": Sum(name) for name in ("reached", *WAITED)}
    for row in rows.order_by().values(*names, "step", "last").annotate(**sums):
        # Who stands at the last step waits for nothing.
        waited = [0] * len(WAITED) if row["last"] else [row[f"sum_{name}"] for name in WAITED]
        found[key(row)].add(Step(row["step"]), row["sum_reached"], waited)
    return found


def _sum(parts: Iterable[_Sums]) -> _Sums:
    whole = _Sums()
    for part in parts:
        for step, reached in part.reached.items():
            whole.add(step, reached, part.waited[step])
    return whole


def _figure(step: Step, sums: _Sums, minimum: int) -> StepFigure:
    waited = sums.waited[step]
    waits = sum(waited)
    return StepFigure(
        step,
        reached=_told(sums.reached[step], minimum),
        waits=_told(waits, minimum),
        waited=tuple(_told(one, minimum) for one in waited),
        half_since=_half_since(waited) if waits >= minimum else None,
    )


def _told(number: int, minimum: int) -> int | None:
    """Return a number as it may be told.

    It is rounded down to a multiple of the smallest group, and is None below it: small numbers can then
    not be found by taking one figure from another either.
    """
    if 0 < number < minimum:
        return None
    return number - number % minimum


def _half_since(groups: Iterable[int]) -> int | None:
    """Return the highest of WAITED_DAYS for which at least half of all have waited."""
    counted = list(groups)
    whole, above = sum(counted), 0
    for days, number in zip(reversed(WAITED_DAYS), reversed(counted), strict=True):
        above += number
        if whole and above * 2 >= whole:
            return days
    return None


def _most_waiting(funnel: Funnel) -> tuple[int, str]:
    stop = funnel.stop
    return -((stop.waits or 0) if stop is not None else -1), funnel.code
