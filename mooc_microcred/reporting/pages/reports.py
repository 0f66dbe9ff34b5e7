"""The programme office's page: the funnel from enrolment to credit, as plots, as tables and as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from mooc_microcred.achievements.models import Issuer
from mooc_microcred.core.cells import neutralised
from mooc_microcred.core.dates import display_moment, display_month
from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.pages.people import person_page, shown
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials.models import CertificateTemplate
from mooc_microcred.reporting import api as reporting
from mooc_microcred.reporting.data import STEPS, WAITED_DAYS, By, Funnel, Kind, Report, Step, Wanted
from mooc_microcred.reporting.periods import months_between, name_of_period
from mooc_microcred.reporting.plots import COLOUR, MOST_BARS, draw, plots_of
from mooc_microcred.reporting.words import (
    figure,
    name_of_step,
    named,
    percent,
    since_in_words,
    stop_in_words,
    waited_in_words,
)

# As many as a picture compares.
PAGE = MOST_BARS


@person_page(roles=reporting.ROLES)
def reports(request: Any) -> HttpResponse:
    """Show the figures that the filters ask for."""
    wanted = wanted_by(request.GET)
    report = reporting.read_report(actor=request.actor, wanted=wanted)
    number, pages = _page_of(report, request.GET)
    listed = report.funnels[(number - 1) * PAGE : number * PAGE]
    asked = _asked(wanted)
    pictures = {
        name: {
            "plot": plot,
            "wide": _picture(name, request, asked, number, False),
            "narrow": _picture(name, request, asked, number, True),
        }
        for name, plot in plots_of(report, page=listed).items()
    }
    return shown(
        request,
        "reporting/reports.html",
        {
            "place": "reports",
            "report": report,
            "as_of": display_moment(report.as_of) if report.as_of else "",
            "filters": _filters(report),
            "pictures": pictures,
            "steps": [_step_row(report.whole, one.step) for one in report.whole.steps],
            "stop": _stop(report.whole) if report.whole.stop else None,
            "stops": [
                {
                    "name": named(one.name, one.code),
                    "organization": one.organization,
                    "url": _address({**asked, "of": f"{wanted.kind}:{one.code}"}),
                    **_stop(one),
                }
                for one in listed
            ],
            "columns": [name_of_step(step) for step in _steps_of(report.funnels)],
            "periods": _table(report.periods, report, lambda one: name_of_period(one.month, wanted.by)),
            "courses": _table(
                listed,
                report,
                lambda one: named(one.name, one.code),
                lambda one: _address({**asked, "of": f"{wanted.kind}:{one.code}"}),
            ),
            "institutions": _table(
                report.organizations if len(report.organizations) > 1 else (),
                report,
                lambda one: one.organization,
                lambda one: _address({**asked, "organization": one.organization}),
            ),
            "single": bool(wanted.code),
            "of_programmes": wanted.kind == Kind.PROGRAMME,
            "page": number,
            "pages": pages,
            "before": _address({**asked, "page": str(number - 1)}) if number > 1 else "",
            "after": _address({**asked, "page": str(number + 1)}) if number < pages else "",
            "file": f"{reverse('mooc_microcred:page-reports-file')}?{urlencode(asked)}",
            "everything": reverse("mooc_microcred:page-reports"),
            "filtered": bool(asked),
            # Whoever changes the language keeps what they asked for.
            "same_query": f"{urlencode({**asked, 'page': str(number)})}&",
        },
        once=True,
    )


@person_page(roles=reporting.ROLES)
def plot(request: Any, name: str) -> HttpResponse:
    """Return one of the page's pictures as SVG, drawn once for the same content."""
    wanted = wanted_by(request.GET)
    report = reporting.read_report(actor=request.actor, wanted=wanted)
    number, _pages = _page_of(report, request.GET)
    found = plots_of(report, page=report.funnels[(number - 1) * PAGE : number * PAGE])
    if name not in found:
        raise Http404
    content = draw(found[name], narrow="narrow" in request.GET, colour=_colour(report))
    answer = HttpResponse(content, content_type="image/svg+xml")
    answer["Content-Language"] = request.language
    answer["X-Content-Type-Options"] = "nosniff"
    # It brings its style with it, and may do nothing else when it is opened by itself.
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return answer


@person_page(roles=reporting.ROLES)
def figures_file(request: Any) -> HttpResponse:
    """Return every figure asked for, of each course or programme and period, as a CSV file."""
    wanted = wanted_by(request.GET)
    refresh, funnels = reporting.read_cohorts(actor=request.actor, wanted=wanted)
    answer = HttpResponse(
        _csv(funnels, wanted, refresh.as_of.isoformat() if refresh else ""),
        content_type="text/csv; charset=utf-8",
    )
    answer["Content-Disposition"] = 'attachment; filename="microcred-funnel.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _csv(funnels: Sequence[Funnel], wanted: Wanted, as_of: str) -> bytes:
    """Return a line for each step of each course or programme in each period, in UTF-8 as Excel reads it."""
    out = io.StringIO()
    # A space after "=" or "+" would make no difference to a spreadsheet; the apostrophe does.
    table = csv.writer(out)
    heading = [
        _("Kind"),
        _("Code"),
        _("Name"),
        _("Institution"),
        _("Enrolled in"),
        _("First month"),
        _("Step"),
        _("Learners who reached it"),
        _("Learners who stand there"),
        *(_("of these %(since)s") % {"since": waited_in_words(place)} for place in range(len(WAITED_DAYS))),
        _("Figures of"),
    ]
    table.writerow(map(neutralised, heading))
    kinds = {Kind.COURSE: _("course"), Kind.PROGRAMME: _("programme")}
    for one in funnels:
        for step in one.steps:
            waited = step.waited or [0] * len(WAITED_DAYS)
            cells = [
                kinds[one.kind],
                one.code,
                named(one.name, one.code),
                one.organization,
                name_of_period(one.month, wanted.by) if one.month else "",
                f"{one.month:%Y-%m}" if one.month else "",
                name_of_step(step.step),
                *(_cell(number) for number in (step.reached, step.waits, *waited)),
                as_of,
            ]
            table.writerow(map(neutralised, cells))
    return out.getvalue().encode("utf-8-sig")


def _cell(number: int | None) -> str:
    """Return a number as spreadsheets take it; what may not be told in words."""
    return figure(None) if number is None else str(number)


# --- what is asked for ---


def wanted_by(given: Mapping[str, str]) -> Wanted:
    """Return what the filters in an address ask for.

    Raises:
        InvalidInput: one of them is not what the page's own form sends.
    """
    kind, _colon, code = (given.get("of") or Kind.COURSE).partition(":")
    organization = given.get("organization", "")
    try:
        wanted = Wanted(
            kind=Kind(kind),
            organization="" if code else organization,
            code=code,
            by=By(given.get("by") or By.MONTH),
            since=_month(given.get("since", "")),
            until=_month(given.get("until", "")),
            rounded=bool(given.get("rounded")),
        )
        if (
            len(code) > 64
            or len(organization) > 255
            or not code.isprintable()
            or not organization.isprintable()
        ):
            raise ValueError(code)
    except ValueError:
        raise InvalidInput(_("These filters cannot be read. Choose them on the page.")) from None
    if wanted.since and wanted.until and wanted.since > wanted.until:
        # Chosen the wrong way round, it is clear what is meant.
        wanted = replace(wanted, since=wanted.until, until=wanted.since)
    return wanted


def _month(text: str) -> date | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(f"{text}-01")


def _asked(wanted: Wanted) -> dict[str, str]:
    """Return the parameters of an address that ask for the same, without what goes without saying."""
    given = {
        "of": "" if wanted == Wanted(by=wanted.by) else str(wanted.kind),
        "organization": wanted.organization,
        "by": "" if wanted.by == By.MONTH else str(wanted.by),
        "since": f"{wanted.since:%Y-%m}" if wanted.since else "",
        "until": f"{wanted.until:%Y-%m}" if wanted.until else "",
        "rounded": "1" if wanted.rounded else "",
    }
    if wanted.code:
        given["of"] = f"{wanted.kind}:{wanted.code}"
    elif wanted.kind == Kind.COURSE:
        given["of"] = ""
    return {name: value for name, value in given.items() if value}


def _address(asked: Mapping[str, str]) -> str:
    if "of" in asked and ":" in asked["of"]:
        asked = {name: value for name, value in asked.items() if name not in ("organization", "page")}
    own = reverse("mooc_microcred:page-reports")
    return f"{own}?{urlencode(asked)}" if asked else own


def _picture(name: str, request: Any, asked: Mapping[str, str], number: int, narrow: bool) -> str:
    parameters = {
        **asked,
        "page": str(number),
        "lang": request.language,
        **({"narrow": "1"} if narrow else {}),
    }
    return f"{reverse('mooc_microcred:page-reports-plot', kwargs={'name': name})}?{urlencode(parameters)}"


def _page_of(report: Report, given: Mapping[str, str]) -> tuple[int, int]:
    """Return which page of the courses or programmes is asked for, and how many there are."""
    pages = max(1, -(-len(report.funnels) // PAGE))
    text = given.get("page", "1")
    number = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 1
    return min(max(1, number), pages), pages


def _colour(report: Report) -> str:
    """Return the colour of the institution, where all figures are of one that has one."""
    organizations = {one.organization for one in report.funnels}
    if len(organizations) != 1:
        return COLOUR
    issuer = Issuer.objects.filter(organization=organizations.pop()).order_by("code").first()
    template = issuer and CertificateTemplate.objects.filter(issuer=issuer, kind="").first()
    own = template.settings.get("colour", "") if template else ""
    return credentials.dark_enough(own) if own else COLOUR


# --- what is shown ---


def _filters(report: Report) -> dict[str, Any]:
    """Return what the form offers, with what is chosen."""
    wanted = report.wanted
    chosen = f"{wanted.kind}:{wanted.code}" if wanted.code else str(wanted.kind)

    def options(kind: Kind) -> list[dict[str, Any]]:
        found = [
            {"value": f"{one}:{code}", "label": named(name, code), "chosen": f"{one}:{code}" == chosen}
            for (one, code), name in report.names.items()
            if one == kind
        ]
        return sorted(found, key=lambda one: str(one["label"]))

    months = months_between(*report.months) if report.months else []
    return {
        "courses": options(Kind.COURSE),
        "programmes": options(Kind.PROGRAMME),
        "all_courses": chosen == Kind.COURSE,
        "all_programmes": chosen == Kind.PROGRAMME,
        "institutions": [{"value": one, "chosen": one == wanted.organization} for one in report.institutions],
        "since": [
            {"value": f"{one:%Y-%m}", "label": display_month(one), "chosen": one == wanted.since}
            for one in months
        ],
        "until": [
            {"value": f"{one:%Y-%m}", "label": display_month(one), "chosen": one == wanted.until}
            for one in months
        ],
        "by": [
            {"value": str(one), "label": label, "chosen": one == wanted.by}
            for one, label in (
                (By.MONTH, _("month")),
                (By.QUARTER, _("quarter")),
                (By.TERM, _("term")),
                (By.YEAR, _("year")),
            )
        ],
        "rounded": wanted.rounded,
    }


def _step_row(funnel: Funnel, step: Step) -> dict[str, Any]:
    one = funnel.at(step)
    assert one is not None
    return {
        "name": name_of_step(step),
        "reached": figure(one.reached),
        "share": percent(funnel.share(step)),
        "waits": figure(one.waits),
        "since": since_in_words(one.half_since),
        "stop": funnel.stop is not None and funnel.stop.step == step,
    }


def _stop(funnel: Funnel) -> dict[str, Any]:
    stop = funnel.stop
    return {
        "sentence": stop_in_words(funnel),
        "since": since_in_words(stop.half_since) if stop else "",
        "nobody": stop is None,
    }


def _steps_of(funnels: Sequence[Funnel]) -> list[Step]:
    there = {one.step for funnel in funnels for one in funnel.steps}
    return [step for step in STEPS if step in there]


def _table(
    funnels: Sequence[Funnel], report: Report, label: Any, address: Any = None
) -> list[dict[str, Any]]:
    """Return a row for each of some funnels, with a cell for each step of the report."""
    columns = _steps_of(report.funnels)
    rows = []
    for one in funnels:
        figures = [one.at(step) for step in columns]
        rows.append(
            {
                "label": label(one),
                "organization": one.organization,
                "url": address(one) if address else "",
                "cells": [
                    {"step": name_of_step(step), "text": "–" if found is None else figure(found.reached)}
                    for step, found in zip(columns, figures, strict=True)
                ],
            }
        )
    return rows
