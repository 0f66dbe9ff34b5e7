"""The figures are those that one gets by looking at every learner, however the walk went."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import cycle

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mooc_microcred.core import clock
from mooc_microcred.core.doctor import Level
from mooc_microcred.core.errors import NotAllowed, NotFound
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred.core.roles import Actor
from mooc_microcred.core.sweeper import sweep
from mooc_microcred.reporting import api as reporting
from mooc_microcred.reporting.data import WAITED_DAYS, By, Kind, Step, Wanted
from mooc_microcred.reporting.health import probe_figures
from mooc_microcred.reporting.models import FunnelFigure, FunnelRefresh
from mooc_microcred.reporting.periods import name_of_period, period_of
from tests.reporting.population import COURSES, OTHER, OWN, STEPS
from tests.support.definitions import level1

LATER = {
    "started": "level1",
    "admitted": "sat",
    "sat": "passed",
    "passed": "level2",
    "consented": "credited",
}


def steps_of(course: str) -> list[str]:
    return STEPS[:3] if course == "sea" else STEPS


def expected(lives, as_of) -> tuple[Counter, Counter]:
    """Count (course, month, step) and (course, month, step, days) of lives, one by one."""
    reached, waiting = Counter(), Counter()
    for life in lives:
        steps = dict(life.steps)
        month = timezone.localtime(steps["enrolled"]).date().replace(day=1)
        for step in reversed(STEPS):
            later = LATER.get(step)
            if later and step not in steps and later in steps:
                steps[step] = steps[later]
        mine = [step for step in steps_of(life.course) if step in steps]
        for step in mine:
            reached[life.course, month, step] += 1
        if mine[-1] != steps_of(life.course)[-1]:
            days = (as_of - steps[mine[-1]]).days
            group = max(edge for edge in WAITED_DAYS if days >= edge)
            waiting[life.course, month, mine[-1], group] += 1
    return reached, waiting


def counted(actor) -> tuple[Counter, Counter]:
    reached, waiting = Counter(), Counter()
    _refresh, funnels = reporting.read_cohorts(actor=actor, wanted=Wanted(by=By.MONTH))
    for one in funnels:
        course = one.code.removesuffix("-l1")
        for figure in one.steps:
            reached[course, one.month, str(figure.step)] += figure.reached
            for edge, number in zip(WAITED_DAYS, figure.waited, strict=True):
                waiting[course, one.month, str(figure.step), edge] += number
    return +reached, +waiting


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_figure_is_that_of_looking_at_each_learner(populate, count, officer, seed):
    lives = populate(300, seed=seed)
    count()
    as_of = FunnelRefresh.objects.get().as_of
    assert counted(officer) == expected(lives, as_of)
    report = reporting.read_report(actor=officer, wanted=Wanted())
    assert {one.code for one in report.funnels} == {f"{name}-l1" for name in COURSES}
    whole = {str(one.step): one.reached for one in report.whole.steps}
    assert whole["enrolled"] == len(lives)
    assert whole["credited"] == sum("credited" in one.steps for one in lives) > 0
    assert sum(one.steps[0].reached for one in report.periods) == len(lives)
    assert sum(one.waits for one in report.whole.steps) == sum(expected(lives, as_of)[1].values())


def test_a_programme_counts_each_learner_of_its_courses_once(populate, count, officer):
    lives = populate(200)
    count()
    mine = [one for one in lives if one.course in ("py101", "py102")]
    report = reporting.read_report(actor=officer, wanted=Wanted(kind=Kind.PROGRAMME))
    (series,) = report.funnels
    assert series.code == "series"
    assert series.at(Step.ENROLLED).reached == len({one.learner for one in mine})
    for step in ("started", "level1", "level2", "programme", "credited"):
        learners = {one.learner for one in mine if step in one.steps}
        learners |= {one.learner for one in mine if step == "started" and "level1" in one.steps}
        assert series.at(Step(step)).reached == len(learners), step
    assert series.at(Step.PROGRAMME).reached > 0


def test_the_walk_in_small_turns_counts_as_the_walk_in_one(populate, count, officer):
    populate(120)
    assert count() == 1
    whole = counted(officer)
    assert count(page=7, seconds=0) > 10
    assert counted(officer) == whole
    assert FunnelRefresh.objects.count() == 1
    assert set(FunnelFigure.objects.values_list("part", flat=True)) == {FunnelFigure.WHOLE}


def test_a_walk_that_is_killed_anywhere_goes_on_and_counts_nobody_twice(
    populate, count, officer, monkeypatch
):
    populate(80)
    count()
    whole = counted(officer)
    real = FunnelFigure.objects.bulk_create
    deaths = cycle([True, False, False])

    def dies(*args, **options):
        made = real(*args, **options)
        if next(deaths):
            raise KeyboardInterrupt
        return made

    monkeypatch.setattr(FunnelFigure.objects, "bulk_create", dies)
    again, killed = True, 0
    while True:
        try:
            if not reporting.refresh_figures(again=again, page=9, seconds=0):
                break
        except KeyboardInterrupt:
            killed += 1
        again = False
    assert killed > 5
    assert counted(officer) == whole


def test_what_is_being_counted_is_not_shown_before_it_is_complete(populate, count, officer):
    populate(60)
    count()
    before = counted(officer)
    populate_more = FunnelRefresh.objects.get()
    assert reporting.refresh_figures(again=True, page=5, seconds=0) > 0
    assert counted(officer) == before
    assert FunnelRefresh.objects.get(finished_at__isnull=False) == populate_more


def test_a_walk_that_another_worker_has_is_left_to_it(populate):
    populate(30)
    assert reporting.refresh_figures(page=5, seconds=0) > 0
    FunnelRefresh.objects.update(claim="another", claimed_until=clock.now() + timedelta(seconds=60))
    assert reporting.refresh_figures(page=5, seconds=0) == 0
    with clock.shifted(timedelta(seconds=61)):
        assert reporting.refresh_figures(page=5, seconds=0) > 0


def test_a_catalogue_that_changes_under_a_walk_makes_it_begin_again(populate, count, officer):
    lives = populate(60)
    assert reporting.refresh_figures(page=5, seconds=0) > 0
    level1("new-l1", course={"organization": OWN, "number": "PY101"})
    while reporting.refresh_figures(page=50, seconds=0):
        pass
    report = reporting.read_report(actor=officer, wanted=Wanted())
    codes = {one.code: one.at(Step.ENROLLED).reached for one in report.funnels}
    assert codes["new-l1"] == codes["py101-l1"] == sum(one.course == "py101" for one in lives)


def test_the_sweeper_counts_once_a_day_and_waits_for_a_platform_that_is_away(populate, platform, settings):
    populate(20)
    platform.away = True
    assert sweep(only={"count-learners"}).steps["count-learners"].error == "PlatformUnavailable"
    with pytest.raises(PlatformUnavailable):
        reporting.refresh_figures()
    platform.away = False
    assert sweep(only={"count-learners"}).steps["count-learners"].taken > 0
    assert sweep(only={"count-learners"}).steps["count-learners"].taken == 0
    first = FunnelRefresh.objects.get()
    with clock.shifted(timedelta(hours=25)):
        assert sweep(only={"count-learners"}).steps["count-learners"].taken > 0
        assert FunnelRefresh.objects.get().pk > first.pk
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "FUNNEL_REFRESH_HOURS": None}
    with clock.shifted(timedelta(days=60)):
        assert not reporting.refresh_due()


def test_a_turn_costs_the_same_for_few_and_for_many(populate):
    populate(10)
    queries = []
    for more in range(2):
        with CaptureQueriesContext(connection) as captured:
            reporting.refresh_figures(again=True)
        # The figures themselves go in with as many INSERTs as the database's limit of parameters asks for.
        queries.append(sum("INSERT INTO" not in one["sql"] for one in captured.captured_queries))
        populate(300, seed=11, first_id=1000 * (more + 1))
    # The second also deletes the figures of the first.
    assert queries[1] - queries[0] <= 3


def test_reading_costs_the_same_for_few_and_for_many(populate, count, person):
    user = person("programme_officer", OWN)
    populate(3)
    costs = []
    for more in range(2):
        count()
        with CaptureQueriesContext(connection) as captured:
            reporting.read_report(actor=Actor.of(user), wanted=Wanted())
        costs.append(len(captured))
        populate(200, seed=11, first_id=1000 * (more + 1))
    assert costs[0] == costs[1] <= 7


# --- who sees what ---


def test_another_organisations_figures_do_not_exist(populate, count, person):
    populate(150)
    count()
    own, other = Actor.of(person("programme_officer", OWN)), Actor.of(person("auditor", OTHER))
    mine = reporting.read_report(actor=own, wanted=Wanted())
    assert {one.organization for one in mine.funnels} == {OWN}
    assert mine.institutions == [OWN]
    assert {one.code for one in reporting.read_report(actor=other, wanted=Wanted()).funnels} == {"sea-l1"}
    for wanted in (Wanted(organization=OTHER), Wanted(code="sea-l1"), Wanted(code="no-such")):
        with pytest.raises(NotFound):
            reporting.read_report(actor=own, wanted=wanted)
        with pytest.raises(NotFound):
            reporting.read_cohorts(actor=own, wanted=wanted)
        with pytest.raises(NotFound):
            reporting.read_funnels(actor=own, wanted=wanted)
    with pytest.raises(NotAllowed):
        reporting.read_report(actor=Actor.of(person("exam_officer", OWN)), wanted=Wanted())


def every_number(report):
    by_code = sorted(report.funnels, key=lambda one: one.code)
    for funnel in (report.whole, *by_code, *report.periods, *report.organizations):
        for figure in funnel.steps:
            yield from (figure.reached, figure.waits, *figure.waited)


def test_who_is_no_programme_officer_there_learns_of_no_group_below_five(populate, count, person, officer):
    populate(60)
    count()
    exact = list(every_number(reporting.read_report(actor=officer, wanted=Wanted())))
    assert any(number % 5 for number in exact)
    for actor, wanted in (
        (Actor.of(person("auditor")), Wanted()),
        (officer, Wanted(rounded=True)),
    ):
        report = reporting.read_report(actor=actor, wanted=wanted)
        assert report.whole.rounded
        told = list(every_number(report))
        assert len(told) == len(exact)
        for real, number in zip(exact, told, strict=True):
            assert number == (None if 0 < real < 5 else real - real % 5)
        for funnel in report.funnels:
            for figure in funnel.steps:
                assert figure.waits or figure.half_since is None


def test_an_officer_who_audits_elsewhere_knows_small_groups_of_the_own_institution_only(
    populate, count, person
):
    from mooc_microcred.core.models import StaffRole

    populate(60)
    count()
    user = person("programme_officer", OWN)
    StaffRole.objects.create(user_id=user.pk, role="auditor", organization=OTHER)
    report = reporting.read_report(actor=Actor.of(user), wanted=Wanted())
    assert {one.organization: one.rounded for one in report.funnels} == {OWN: False, OTHER: True}
    assert {one.organization: one.rounded for one in report.organizations} == {OWN: False, OTHER: True}
    assert report.whole.rounded
    assert all(one.rounded for one in report.periods)


# --- periods, and where learners stop ---


def test_months_are_put_together_to_quarters_terms_and_years(populate, count, officer):
    lives = populate(200)
    count()
    for by in By:
        wanted = Wanted(by=by, code="py101-l1")
        report = reporting.read_report(actor=officer, wanted=wanted)
        real = Counter(
            period_of(timezone.localtime(one.steps["enrolled"]).date().replace(day=1), by)
            for one in lives
            if one.course == "py101"
        )
        assert {one.month: one.steps[0].reached for one in report.periods} == real
        assert [one.month for one in report.periods] == sorted(real)


@pytest.mark.parametrize(
    ("day", "by", "first", "english", "thai"),
    [
        ("2026-05-01", By.MONTH, "2026-05-01", "May 2026", "พฤษภาคม 2569"),
        ("2026-05-01", By.YEAR, "2026-01-01", "2026", "2569"),
        ("2026-05-01", By.QUARTER, "2026-04-01", "quarter 2 of 2026", None),
        ("2026-05-01", By.TERM, "2026-01-01", "term 2/2025", None),
        ("2026-07-01", By.TERM, "2026-06-01", "term 3/2025", None),
        ("2026-08-01", By.TERM, "2026-08-01", "term 1/2026", None),
        ("2026-12-01", By.TERM, "2026-08-01", "term 1/2026", None),
    ],
)
def test_periods_are_named_as_universities_name_them(day, by, first, english, thai):
    from datetime import date

    from django.utils import translation

    found = period_of(date.fromisoformat(day), by)
    assert found == date.fromisoformat(first)
    with translation.override("en"):
        assert name_of_period(found, by) == english
    if thai:
        with translation.override("th"):
            assert name_of_period(found, by) == thai


def test_terms_that_begin_late_in_the_year_reach_into_the_next_one(settings):
    from datetime import date

    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "FUNNEL_TERMS": [6, 11]}
    assert period_of(date(2026, 3, 1), By.TERM) == date(2025, 11, 1)
    assert name_of_period(date(2025, 11, 1), By.TERM) == "term 2/2025"


def test_the_largest_stop_is_named_with_how_long_half_have_waited(populate, count, officer, platform):
    populate(0)
    now = clock.now()
    for learner in range(1, 10):
        platform.enrol(learner, "course-v1:KMUTT+PY101+2026", now - timedelta(days=200))
        days = 100 if learner <= 4 else 65
        platform.complete(learner, "course-v1:KMUTT+PY101+2026", 1, 4, at=now - timedelta(days=days))
    platform.enrol(10, "course-v1:KMUTT+PY101+2026", now - timedelta(days=200))
    count()
    report = reporting.read_report(actor=officer, wanted=Wanted())
    (py101,) = report.funnels
    assert (py101.stop.step, py101.stop.waits, py101.stop.half_since) == (Step.STARTED, 9, 60)
    assert py101.after(Step.STARTED) == Step.LEVEL_1
    assert py101.at(Step.ENROLLED).half_since == 180
    assert py101.share(Step.STARTED) == 90


def test_the_doctor_says_how_old_the_figures_are(populate, count):
    (first,) = probe_figures()
    assert (first.code, first.level) == ("figures.age", Level.NOTE)
    populate(5)
    count()
    (fine,) = probe_figures()
    assert fine.level == Level.FINE
    with clock.shifted(timedelta(hours=49)):
        (late,) = probe_figures()
    assert late.level == Level.WARNING
    assert late.hint
