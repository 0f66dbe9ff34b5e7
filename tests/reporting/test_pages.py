"""The programme office's page, its pictures and its file, as people of different roles get them."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements.models import Issuer
from mooc_microcred.core import clock
from mooc_microcred.core.roles import Actor
from mooc_microcred.credentials.models import CertificateTemplate
from mooc_microcred.reporting import api as reporting
from mooc_microcred.reporting import plots
from mooc_microcred.reporting.data import Step, Wanted
from tests.reporting.population import OTHER, OWN
from tests.support.definitions import level1

PAGE = "/microcred/staff/reports/"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def sign_in(client, person):
    """Return a function that signs somebody in and gives their actor and browser."""

    def sign(role="programme_officer", organization=OWN, language="en"):
        user = person(role, organization)
        client.force_login(user)
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
        return Actor.of(user), client

    return sign


def test_who_is_not_of_the_programme_office_gets_no_page_no_picture_and_no_file(populate, count, sign_in):
    populate(30)
    count()
    paths = (PAGE, f"{PAGE}plot/steps.svg", f"{PAGE}funnel.csv")
    _actor, client = sign_in("exam_officer")
    assert [client.get(path).status_code for path in paths] == [403, 403, 403]
    client.logout()
    assert [client.get(path).status_code for path in paths] == [302, 302, 302]


def test_the_page_shows_the_figures_of_the_report(populate, count, sign_in):
    populate(150)
    count()
    actor, client = sign_in()
    report = reporting.read_report(actor=actor, wanted=Wanted())
    answer = client.get(PAGE)
    text = answer.content.decode()
    assert answer.status_code == 200
    rows = re.findall(
        r'<tr><th scope="row">([^<]+)</th><td class="mc-number" data-label="[^"]+">([^<]+)<', text
    )
    assert [int(number) for _name, number in rows] == [one.reached for one in report.whole.steps]
    assert "Course PY101" in text
    assert "Course SEA" not in text
    assert "style=" not in text
    assert "<script" not in text
    stop = report.funnels[0].stop
    assert f"{stop.waits} learners" in text
    assert f"for {stop.half_since} days or more" in text or stop.half_since == 0


def test_thai_readers_get_thai_words_and_buddhist_years(populate, count, sign_in):
    populate(60)
    count()
    _actor, client = sign_in(language="th")
    text = client.get(PAGE).content.decode()
    assert '<html lang="th">' in text
    assert "วิชา PY101" in text
    assert str(clock.now().year + 543) in text
    assert not re.search(rf"\b{clock.now().year}\b", re.sub(r"(value|href|src|srcset)=\"[^\"]*\"", "", text))


def test_the_filters_of_the_form_choose_and_another_institutions_course_does_not_exist(
    populate, count, sign_in
):
    populate(150)
    count()
    actor, client = sign_in()
    since = (clock.now() - timedelta(days=200)).date().replace(day=1)
    wanted = Wanted(code="py101-l1", since=since)
    text = client.get(
        PAGE, {"of": "course:py101-l1", "since": f"{since:%Y-%m}", "by": "year"}
    ).content.decode()
    whole = reporting.read_report(actor=actor, wanted=wanted).whole
    assert f'data-label="Learners">{whole.steps[0].reached}<' in text
    assert "Where learners stop" not in text
    assert '<option value="course:py101-l1" selected>' in text
    programme = client.get(PAGE, {"of": "programme"}).content.decode()
    assert "once in each programme" in programme
    for of in ("course:sea-l1", "course:no-such", "programme:py101-l1"):
        assert client.get(PAGE, {"of": of}).status_code == 404
        assert client.get(f"{PAGE}plot/steps.svg", {"of": of}).status_code == 404
        assert client.get(f"{PAGE}funnel.csv", {"of": of}).status_code == 404
    assert client.get(PAGE, {"organization": OTHER}).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"of": "everything"},
        {"by": "week"},
        {"since": "yesterday"},
        {"since": "2026-13"},
        {"until": "9999-99"},
        {"of": "course:" + "x" * 65},
        {"organization": "\x00"},
    ],
)
def test_filters_that_no_form_sends_are_refused(populate, sign_in, wrong):
    _actor, client = sign_in()
    assert client.get(PAGE, wrong).status_code == 400


def test_months_that_are_chosen_the_wrong_way_round_are_put_right(populate, count, sign_in):
    populate(60)
    count()
    _actor, client = sign_in()
    right = client.get(PAGE, {"since": "2026-01", "until": "2026-09"}).content
    wrong = client.get(PAGE, {"since": "2026-09", "until": "2026-01"}).content
    assert right == wrong


def test_before_the_first_count_and_where_nobody_enrolled_the_page_says_so(populate, count, sign_in):
    _actor, client = sign_in()
    assert b"have not been counted yet" in client.get(PAGE).content
    populate(30)
    count()
    assert b"Nobody enrolled" in client.get(PAGE, {"since": "2001-01", "until": "2001-01"}).content
    assert client.get(f"{PAGE}plot/steps.svg", {"until": "2001-01"}).status_code == 404


def test_many_courses_come_in_pages_with_as_many_queries_as_few(populate, count, sign_in, platform):
    populate(20)
    _actor, client = sign_in()
    costs = []
    for more in range(2):
        count()
        client.get(PAGE)
        with CaptureQueriesContext(connection) as captured:
            text = client.get(PAGE).content.decode()
        costs.append(len(captured))
        for number in range(25 * (1 - more)):
            run = f"course-v1:KMUTT+X{number}+2026"
            level1(f"x{number}-l1", course={"organization": OWN, "number": f"X{number}"})
            platform.enrol(number + 1, run, clock.now())
    assert costs[0] == costs[1] <= 12
    assert "Page 1 of 3" in text
    last = client.get(PAGE, {"page": "3"}).content.decode()
    assert "Page 3 of 3" in last
    assert "page=2" in last
    assert client.get(PAGE, {"page": "99"}).content.decode().count("Page 3 of 3") == 1
    assert client.get(PAGE, {"page": "x"}).status_code == 200


# --- pictures ---


def test_whoever_changes_the_language_keeps_what_they_asked_for(populate, count, sign_in):
    populate(30)
    count()
    _actor, client = sign_in()
    text = client.get(PAGE, {"of": "programme", "by": "year", "lang": "en"}).content.decode()
    thai = re.search(r'href="([^"]+)" lang="th"', text)[1].replace("&amp;", "&")
    answer = client.get(PAGE + thai)
    assert '<html lang="th">' in answer.content.decode()
    assert '<option value="programme" selected>' in answer.content.decode()
    assert '<option value="year" selected>' in answer.content.decode()


def test_pictures_are_there_before_anybody_scrolls_so_that_prints_have_them(populate, count, sign_in):
    populate(30)
    count()
    _actor, client = sign_in()
    pictures = re.findall("<img [^>]+>", client.get(PAGE).content.decode())
    assert pictures
    assert not [one for one in pictures if "lazy" in one]


def pictures_in(text):
    return [one.replace("&amp;", "&") for one in re.findall(r'(?:src|srcset)="([^"]+svg[^"]*)"', text)]


@pytest.mark.parametrize("language", ["th", "en"])
def test_every_picture_of_the_page_is_a_sound_svg_with_a_text_beside_it(populate, count, sign_in, language):
    populate(150)
    count()
    _actor, client = sign_in(organization="", language=language)
    text = client.get(PAGE).content.decode()
    addresses = pictures_in(text)
    assert len(addresses) == 10
    assert all(re.findall(r'<img [^>]*alt="[^"]{20,}"', text))
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/svg+xml"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "no-store" in answer["Cache-Control"]
        root = ET.fromstring(answer.content)  # noqa: S314
        assert root.tag == f"{SVG}svg"
        assert not list(root.iter(f"{SVG}script"))
        words = " ".join(one.text or "" for one in root.iter(f"{SVG}text"))
        assert words.strip()
        if "courses.svg" in address:
            assert ("วิชา PY101" in words) if language == "th" else ("Course PY101" in words)


def test_a_picture_is_drawn_once_for_the_same_content(populate, count, sign_in, monkeypatch):
    populate(60)
    count()
    _actor, client = sign_in()
    drawn = []
    real = plots._FORMS["bars"]
    monkeypatch.setitem(plots._FORMS, "bars", lambda *args: drawn.append(1) or real(*args))
    first = client.get(f"{PAGE}plot/steps.svg")
    again = client.get(f"{PAGE}plot/steps.svg", {"by": "year"})
    assert first.content == again.content
    assert len(drawn) == 1
    client.get(f"{PAGE}plot/steps.svg", {"narrow": "1"})
    client.get(f"{PAGE}plot/steps.svg", {"of": "course:py101-l1"})
    assert len(drawn) == 3
    cache.clear()
    assert client.get(f"{PAGE}plot/steps.svg").content == first.content


def test_a_picture_has_the_colour_of_the_only_institution(populate, count, sign_in):
    populate(60)
    count()
    issuer = Issuer.objects.get(code="kmutt")
    CertificateTemplate.objects.create(issuer=issuer, settings={"colour": "#a01050"}, changed_at=clock.now())
    _actor, client = sign_in()
    assert b"#a01050" in client.get(f"{PAGE}plot/steps.svg").content
    _actor, client = sign_in(organization="")
    assert b"#a01050" not in client.get(f"{PAGE}plot/steps.svg").content
    assert client.get(f"{PAGE}plot/no-such.svg").status_code == 404


def test_names_that_look_like_markup_stay_text(populate, count, sign_in, platform):
    populate(0)
    evil = "</text><script>alert(1)</script>"
    for number in range(2):
        level1(
            f"evil{number}-l1",
            course={"organization": OWN, "number": f"E{number}"},
            name={"th": evil, "en": evil},
        )
        platform.enrol(1, f"course-v1:KMUTT+E{number}+2026", clock.now())
    count()
    _actor, client = sign_in()
    assert b"<script" not in client.get(PAGE).content
    answer = client.get(f"{PAGE}plot/courses.svg")
    assert not list(ET.fromstring(answer.content).iter(f"{SVG}script"))  # noqa: S314


# --- file ---


def test_the_file_has_every_figure_in_cells_that_no_spreadsheet_takes_for_a_formula(
    populate, count, sign_in, platform
):
    populate(80)
    level1("formula-l1", course={"organization": OWN, "number": "F1"}, name={"th": "=1+1", "en": "=1+1"})
    platform.enrol(1, "course-v1:KMUTT+F1+2026", clock.now())
    count()
    actor, client = sign_in()
    answer = client.get(f"{PAGE}funnel.csv", {"by": "year"})
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    assert answer.content.startswith("\ufeff".encode())
    heading, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert len(heading) == 18
    assert {len(row) for row in rows} == {18}
    report = reporting.read_report(actor=actor, wanted=Wanted())
    for funnel in report.funnels:
        mine = [row for row in rows if row[1] == funnel.code and row[6] == "Enrolled"]
        assert sum(int(row[7]) for row in mine) == funnel.at(Step.ENROLLED).reached
    assert {row[2] for row in rows if row[1] == "formula-l1"} == {"'=1+1"}
    assert not any(cell[:1] in "=+-@" and cell for row in rows for cell in row)


def test_the_file_of_an_auditor_tells_no_small_number(populate, count, sign_in):
    populate(80)
    count()
    _actor, client = sign_in("auditor")
    content = client.get(f"{PAGE}funnel.csv").content.decode("utf-8-sig")
    _heading, *rows = csv.reader(io.StringIO(content))
    numbers = {cell for row in rows for cell in row[7:17]}
    assert "fewer than 5" in numbers
    assert all(int(one) % 5 == 0 for one in numbers - {"fewer than 5"})
