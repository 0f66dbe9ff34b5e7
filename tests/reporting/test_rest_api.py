"""The figures over REST: the same as on the page, by the same rules."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.core.roles import Actor
from mooc_microcred.reporting import api as reporting
from mooc_microcred.reporting.data import Step, Wanted
from tests.reporting.population import OWN

FUNNEL = "/api/mooc_microcred/v1/staff/reports/funnel/"


@pytest.fixture
def ask(client, person):
    """Return a function that asks as somebody: (parameters, role, organisation)."""
    known = {}

    def get(parameters=None, role="programme_officer", organization=OWN):
        key = role, organization
        if key not in known:
            known[key] = person(role, organization)
        client.force_login(known[key])
        return client.get(FUNNEL, parameters or {})

    get.people = known
    return get


def test_each_course_is_answered_as_the_report_has_it(populate, count, ask):
    populate(150)
    assert ask().json() == {"next": None, "results": []}
    count()
    rows = ask().json()["results"]
    actor = Actor.of(ask.people["programme_officer", OWN])
    report = reporting.read_report(actor=actor, wanted=Wanted())
    assert [row["code"] for row in rows] == sorted(one.code for one in report.funnels)
    assert {row["as_of"] for row in rows} == {report.as_of.isoformat().replace("+00:00", "Z")}
    by_code = {one.code: one for one in report.funnels}
    for row in rows:
        assert row["period"] is None
        assert row["rounded"] is False
        for step in row["steps"]:
            figure = by_code[row["code"]].at(Step(step["step"]))
            assert step["reached"] == figure.reached
            assert step["waits"] == figure.waits == sum(one["learners"] for one in step["waited"])
            assert step["half_since_days"] == figure.half_since


def test_the_periods_of_one_course_add_up_to_it(populate, count, ask):
    populate(150)
    count()
    (whole,) = ask({"code": "py101-l1"}).json()["results"]
    rows = ask({"code": "py101-l1", "by": "quarter", "page_size": 200}).json()["results"]
    assert len(rows) > 2
    assert sum(row["steps"][0]["reached"] for row in rows) == whole["steps"][0]["reached"]
    first = ask({"code": "py101-l1", "by": "quarter", "page_size": 1}).json()
    assert first["results"] == rows[:1]
    assert "cursor=1" in first["next"]
    some = ask({"code": "py101-l1", "since": "2026-01", "until": "2026-03"}).json()["results"]
    assert some[0]["steps"][0]["reached"] < whole["steps"][0]["reached"]


def test_what_is_small_or_of_others_is_not_answered(populate, count, ask):
    populate(60)
    count()
    for parameters in (
        {"code": "sea-l1"},
        {"organization": "BUU"},
        {"code": "py101-l1", "kind": "programme"},
    ):
        assert ask(parameters).status_code == 404, parameters
    for parameters in (
        {"by": "month"},
        {"since": "2026-13"},
        {"since": "yesterday"},
        {"kind": "school"},
        {"colour": "red"},
    ):
        assert ask(parameters).status_code == 400, parameters
    assert ask(role="exam_officer").status_code == 403
    rows = ask(role="auditor", organization="").json()["results"]
    assert all(row["rounded"] for row in rows)
    told = [step["reached"] for row in rows for step in row["steps"]]
    assert None in told
    assert all(one is None or one % 5 == 0 for one in told)


def test_it_costs_the_same_for_few_and_for_many(populate, count, ask):
    populate(5)
    costs = []
    for more in range(2):
        count()
        ask()
        with CaptureQueriesContext(connection) as captured:
            assert ask({"page_size": 200}).json()["results"]
        costs.append(len(captured))
        populate(200, seed=3, first_id=1000 * (more + 1))
    assert costs[0] == costs[1]
