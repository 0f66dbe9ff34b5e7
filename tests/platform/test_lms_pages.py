"""What learners and course staff see of it in the LMS' own pages and answers, by the LMS' own views."""

from tests.platform.only import only_in

only_in("lms")

# ruff: noqa: E402 the platform is imported after it is known to be there
import json
import os
from html.parser import HTMLParser
from pathlib import Path

import pytest
from common.djangoapps.student.roles import CourseInstructorRole
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from edx_toggles.toggles.testutils import override_waffle_flag
from lms.djangoapps.certificates.models import CertificateHtmlViewConfiguration
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.dark_lang.models import DarkLangConfig
from openedx.core.djangoapps.oauth_dispatch.jwt import create_jwt_for_user

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import Award
from mooc_microcred.core import clock
from mooc_microcred.credentials import api as credentials
from mooc_microcred.dashboard import api as dashboard
from mooc_microcred_openedx import filters
from mooc_microcred_openedx.guards import failures
from mooc_microcred_openedx.settings import lms as plugin
from tests.support.definitions import level1, level2, programme
from tests.support.platform_contract import PY101, PY102

pytestmark = pytest.mark.django_db(databases="__all__")

PLAIN = "course-v1:KMUTT+PLAIN+2026"
CERTIFICATES = {
    "certificates": [
        {
            "id": 1,
            "name": "Certificate",
            "description": "",
            "is_active": True,
            "version": 1,
            "course_title": "Programming Basics",
            "signatories": [{"id": 1, "name": "A. Dean", "title": "Dean", "organization": "KMUTT"}],
        }
    ]
}


def settle():
    while api.evaluate_due().requests:
        pass


@pytest.fixture
def learner(campus):
    """Somebody who is certified in the first course of a programme of two, and enrolled in a plain one."""
    campus.add_course(PY101, title="Programming Basics", certificates=CERTIFICATES)
    campus.add_course(PY102, title="Data Structures")
    campus.add_course(PLAIN, title="No achievements")
    learner = campus.add_learner("somying", name="สมหญิง ใจดี")
    for course in (PY101, PY102, PLAIN):
        campus.enrol(learner, course)
    level1(
        name={"th": "ไพทอนเบื้องต้น", "en": "Python <Basics>"},
        hours="45",
        nqf_level=4,
        outcomes=[{"domain": "skills", "text": {"th": "เขียนโปรแกรมได้", "en": "Write small programs"}}],
    )
    level1(
        "py102-l1",
        mode="own",
        rule={"completion": {"minimum": 100}},
        course={"organization": "KMUTT", "number": "PY102"},
    )
    level2()
    programme(
        "py-series",
        {"all": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]},
        credits="6",
        accepted_by=[{"th": "จุฬาฯ", "en": "Chula"}],
    )
    campus.certify(learner, PY101)
    campus.complete(learner, PY102, 1)
    settle()
    return learner


class Outline(HTMLParser):
    """What is open at the end, and every id, class, script and style of a piece of HTML."""

    VOID = {"link", "br", "meta", "img", "input", "hr"}

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.classes, self.tags, self.handlers = [], [], set(), set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name == "class":
                self.classes |= set(value.split())
            if name.startswith("on") or name == "style":
                self.handlers.append(name)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check_markup(panel):
    outline = Outline(panel)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert all(one.startswith("mooc-microcred") for one in outline.classes | set(outline.ids))
    assert not outline.tags & {"script", "style", "iframe"}
    assert outline.handlers == []


def panel_of(page: str) -> str:
    start = page.index('<section class="mooc-microcred')
    return page[start : page.index("</section>", start) + len("</section>")]


def keep(name: str, page: str) -> str:
    """Leave a page where an operator wants to look at it."""
    if folder := os.environ.get("MICROCRED_PAGES"):
        (Path(folder) / f"{name}.html").write_text(page, encoding="utf-8")
    return page


def watched_queries(call):
    with CaptureQueriesContext(connection) as captured:
        answer = call()
    ours = [query["sql"] for query in captured if "mooc_microcred" in query["sql"]]
    return answer, ours, len(captured)


class TestDashboard:
    @pytest.fixture(autouse=True)
    def _legacy(self):
        from lms.djangoapps.learner_home.waffle import ENABLE_LEARNER_HOME_MFE

        with override_waffle_flag(ENABLE_LEARNER_HOME_MFE, active=False):
            yield

    def page(self, campus, learner, **headers):
        reply = campus.signed_in(learner).get(reverse("dashboard"), **headers)
        assert reply.status_code == 200
        return reply.content.decode()

    def test_it_shows_the_badge_the_programme_and_the_next_step_above_the_courses(self, campus, learner):
        page = keep("dashboard", self.page(campus, learner))
        panel = panel_of(page)
        check_markup(panel)
        assert "Python &lt;Basics&gt;" in panel
        assert "English py-series" in panel
        assert "1 of 2 parts" in panel
        assert "Continue the course: 1 of 4 units are done." in panel
        assert f"/course/{PY102}/home" in panel
        assert "6 credits" in panel
        assert "Chula" in panel
        assert page.index(panel[:60]) < page.index('id="my-courses"')
        assert page.count('<section class="mooc-microcred') == 1
        assert "No achievements" in page
        assert failures == {}

    def test_a_reader_of_thai_reads_thai_names(self, campus, learner):
        DarkLangConfig(released_languages="en,th", enabled=True, changed_by=campus.user(learner)).save()
        panel = panel_of(keep("dashboard-th", self.page(campus, learner, HTTP_ACCEPT_LANGUAGE="th")))
        assert "ไพทอนเบื้องต้น" in panel
        assert "จุฬาฯ" in panel
        # The Buddhist year.
        assert str(clock.now().year + 543) in panel

    def test_who_has_nothing_to_do_with_it_gets_the_page_as_it_was(self, campus, learner):
        other = campus.add_learner("other")
        campus.enrol(other, PLAIN)
        assert "mooc-microcred" not in self.page(campus, other)

    def test_without_achievements_there_is_no_query(self, campus, db, microcred):
        from mooc_microcred.achievements import watch

        campus.add_course(PLAIN)
        other = campus.add_learner("other")
        campus.enrol(other, PLAIN)
        microcred(CACHE_TTL=60)
        watch.refresh()
        client = campus.signed_in(other)
        _, ours, _ = watched_queries(lambda: client.get(reverse("dashboard")))
        assert ours == []

    def test_fifty_awards_cost_the_queries_of_one(self, campus, learner):
        client = campus.signed_in(learner)
        client.get(reverse("dashboard"))
        reply, few, all_few = watched_queries(lambda: client.get(reverse("dashboard")))
        now = clock.now()
        for number in range(50):
            course = {"organization": "KMUTT", "number": f"N{number}"}
            version = level1(
                f"n{number}-l1", mode="own", rule={"course_grade": {"minimum": 60}}, course=course
            )
            Award.objects.create(
                learner_id=learner,
                achievement=version.achievement,
                version=version,
                course_key=f"course-v1:KMUTT+N{number}+2026",
                issued_at=now,
                published_at=now,
            )
        client.get(reverse("dashboard"))
        reply, many, all_many = watched_queries(lambda: client.get(reverse("dashboard")))
        panel = panel_of(reply.content.decode())
        assert "English n49-l1" in panel
        assert "45 more" in panel
        assert len(many) == len(few) <= 18
        assert all_many == all_few

    def test_a_failure_of_ours_leaves_the_page_as_it_was(self, campus, learner, monkeypatch):
        monkeypatch.setattr(Award._meta, "db_table", "mooc_microcred_not_migrated")
        assert 'id="my-courses"' in self.page(campus, learner)
        assert "mooc-microcred" not in self.page(campus, learner)

    def test_a_template_of_ours_that_fails_leaves_the_page_as_it_was(self, campus, learner, monkeypatch):
        monkeypatch.setattr(filters.panels, "dashboard_panel", lambda _found: 1 / 0)
        assert 'id="my-courses"' in self.page(campus, learner)
        assert failures["DashboardPanel"] == 1

    def test_where_the_platform_cannot_be_read_the_badges_are_still_there(self, campus, learner, monkeypatch):
        from mooc_microcred.core.platform import PlatformUnavailable
        from mooc_microcred_openedx.gateway import EdxPlatform

        def away(*_args):
            raise PlatformUnavailable("away")

        monkeypatch.setattr(EdxPlatform, "read_enrolments", away)
        panel = panel_of(self.page(campus, learner))
        assert "Python &lt;Basics&gt;" in panel
        assert 'role="status"' in panel

    def test_the_widgets_answer_says_the_same(self, campus, learner):
        token = create_jwt_for_user(campus.user(learner))
        reply = Client(headers={"authorization": f"JWT {token}"}).get("/api/mooc_microcred/v1/my/dashboard/")
        assert reply.status_code == 200, reply.content
        found = reply.json()
        assert found["complete"]
        assert [one["achievement"] for one in found["badges"]] == ["py101-l1"]
        (ladder,) = found["ladders"]
        assert (ladder["have"], ladder["need"], ladder["percent"]) == ("1", "2", 50)
        assert ladder["step"]["url"].endswith(f"/course/{PY102}/home")


class TestCourseCards:
    def cards(self, client, **query):
        reply = client.get(reverse("learner_home:initialize"), query)
        assert reply.status_code == 200, reply.content
        return {one["courseRun"]["courseId"]: one for one in reply.json()["courses"]}

    def test_a_card_says_what_its_course_leads_to(self, campus, learner):
        cards = self.cards(campus.signed_in(learner))
        assert set(cards) == {PY101, PY102, PLAIN}
        items = cards[PY101]["courseRun"]["microcred"]
        assert [(one["achievement"], one["state"]) for one in items] == [
            ("py101-l1", "earned"),
            ("py101-l2", "open"),
        ]
        assert items[0]["name"] == {"th": "ไพทอนเบื้องต้น", "en": "Python <Basics>"}
        assert items[0]["hours"] == "45"
        assert cards[PY101]["enrollment"]["microcred"] == items
        assert [one["state"] for one in cards[PY102]["courseRun"]["microcred"]] == ["open"]
        assert "microcred" not in cards[PLAIN]["courseRun"]
        assert failures == {}

    def test_more_courses_cost_no_more_of_our_queries(self, campus, learner, microcred):
        from mooc_microcred.achievements import watch

        microcred(CACHE_TTL=60)
        watch.refresh()
        client = campus.signed_in(learner)
        self.cards(client)
        _, few, _ = watched_queries(lambda: self.cards(client))
        for year in range(2030, 2036):
            campus.add_course(f"course-v1:KMUTT+PY101+{year}")
            campus.enrol(learner, f"course-v1:KMUTT+PY101+{year}")
        cards, many, _ = watched_queries(lambda: self.cards(client))
        assert sum("microcred" in one["courseRun"] for one in cards.values()) == 8
        assert len(many) == len(few) <= 4

    def test_without_achievements_there_is_no_query(self, campus, microcred):
        from mooc_microcred.achievements import watch

        campus.add_course(PLAIN)
        other = campus.add_learner("other")
        campus.enrol(other, PLAIN)
        microcred(CACHE_TTL=60)
        watch.refresh()
        client = campus.signed_in(other)
        _, ours, _ = watched_queries(lambda: self.cards(client))
        assert ours == []

    def test_staff_who_look_at_a_learners_home_see_that_learners_awards(self, campus, learner):
        boss = campus.add_learner("boss")
        user = campus.user(boss)
        user.is_staff = True
        user.save()
        cards = self.cards(campus.signed_in(boss), user="somying")
        assert cards[PY101]["courseRun"]["microcred"][0]["state"] == "earned"

    def test_a_failure_of_ours_leaves_the_cards_as_they_were(self, campus, learner, monkeypatch):
        monkeypatch.setattr(Award._meta, "db_table", "mooc_microcred_not_migrated")
        cards = self.cards(campus.signed_in(learner))
        assert set(cards) == {PY101, PY102, PLAIN}
        assert "microcred" not in cards[PY101]["courseRun"]


class TestCertificatePage:
    @pytest.fixture(autouse=True)
    def _configuration(self, db):
        CertificateHtmlViewConfiguration.objects.create(
            enabled=True,
            configuration=json.dumps(
                {"default": {"logo_src": "x", "logo_url": "x"}, "honor": {"certificate_title": "Certificate"}}
            ),
        )

    def page(self, campus, learner, client=None):
        uuid = campus.certificate(learner, PY101).verify_uuid
        client = client or campus.signed_in(learner)
        reply = client.get(reverse("certificates:render_cert_by_uuid", kwargs={"certificate_uuid": uuid}))
        assert reply.status_code == 200
        page = reply.content.decode()
        assert "สมหญิง ใจดี" in page
        return page

    def test_it_says_level_outcomes_and_hours(self, campus, learner):
        page = keep("certificate", self.page(campus, learner))
        panel = panel_of(page)
        check_markup(panel)
        for text in ("Level 1: completion", "Write small programs", "45 hours", "NQF level 4", "KMUTT"):
            assert text in panel
        assert page.index("accomplishment-rendering") < page.index(panel[:60])
        assert page.index(panel[:60]) < page.index("wrapper-about")
        assert page.rstrip().endswith("</html>")
        assert failures == {}

    def test_strangers_read_the_same(self, campus, learner):
        assert "Write small programs" in self.page(campus, learner, Client())

    def test_it_leads_to_the_page_by_which_others_verify_it(self, campus, learner, microcred):
        microcred(PUBLIC_URL="https://lms.example.org")
        award = Award.objects.get(achievement__code="py101-l1")
        uuid = credentials.issue_credential(award_uuid=award.uuid)
        address = credentials.public_url(award_uuid=award.uuid)
        for client in (None, Client()):
            assert f'<a class="mooc-microcred__button" href="{address}">' in self.page(
                campus, learner, client
            )
        answer = Client().get(address.removeprefix("https://lms.example.org"), HTTP_ACCEPT_LANGUAGE="en")
        assert answer.status_code == 200
        # The picture on that page is the one on the dashboard.
        (badge,) = dashboard.read_dashboard(learner_id=learner).badges
        assert badge.picture in answer.content.decode()
        assert Client().get(badge.picture)["Content-Type"] == "image/svg+xml"

        credentials.share_credential(learner_id=learner, credential_uuid=uuid, visibility="private")
        assert address not in self.page(campus, learner)

    @pytest.mark.parametrize("state", ["suspended", "revoked"])
    def test_it_says_nothing_of_an_award_that_does_not_count(self, campus, learner, state):
        Award.objects.filter(achievement__code="py101-l1").update(state=state)
        assert "mooc-microcred" not in self.page(campus, learner)

    def test_an_operators_own_template_gets_the_panel_to_show_where_it_likes(self, campus, learner, settings):
        from lms.djangoapps.certificates.models import CertificateTemplate

        settings.FEATURES = {**settings.FEATURES, "CUSTOM_CERTIFICATE_TEMPLATES_ENABLED": True}
        CertificateTemplate.objects.create(
            name="own",
            template="<html><body>own ${accomplishment_copy_name} ${microcred_panel | n}</body></html>",
            mode="honor",
            is_active=True,
        )
        page = self.page(campus, learner)
        assert page.startswith("<html><body>own")
        assert "Write small programs" in panel_of(page)

    def test_a_failure_of_ours_leaves_the_certificate_as_it_was(self, campus, learner, monkeypatch):
        monkeypatch.setattr(Award._meta, "db_table", "mooc_microcred_not_migrated")
        assert "mooc-microcred" not in self.page(campus, learner)
        assert failures["CertificatePanel"] == 1

    def test_courses_without_achievements_cost_no_query(self, campus, learner, microcred):
        from mooc_microcred.achievements import watch
        from mooc_microcred.achievements.models import CourseRequirement

        CourseRequirement.objects.all().delete()
        microcred(CACHE_TTL=60)
        watch.refresh()
        page, ours, _ = watched_queries(lambda: self.page(campus, learner))
        assert "mooc-microcred" not in page
        assert ours == []


class TestInstructorDashboard:
    @pytest.fixture
    def teacher(self, campus, learner):
        teacher = campus.add_learner("teacher")
        for course in (PY101, PLAIN):
            CourseInstructorRole(CourseKey.from_string(course)).add_users(campus.user(teacher))
        return campus.signed_in(teacher)

    def page(self, client, course):
        reply = client.get(reverse("instructor_dashboard", kwargs={"course_id": course}))
        assert reply.status_code == 200
        return reply.content.decode()

    def test_it_has_a_section_with_the_numbers_of_the_course(self, campus, teacher, learner):
        page = keep("instructor", self.page(teacher, PY101))
        assert 'data-section="microcred"' in page
        start = page.index('<section id="microcred"')
        section = page[start : page.index("</section>", start)]
        assert "Python &lt;Basics&gt;" in section
        assert "follows the course certificate" in section
        assert ">1</td>" in section
        check_markup(section[section.index("<link") : section.rindex("</div>") + len("</div>")])
        assert failures == {}

    def test_it_says_for_how_many_the_platform_refuses_certificates_and_why(self, campus, teacher, learner):
        from common.djangoapps.student.models import CourseEnrollment

        level1(
            "py101-asked",
            mode="own_with_platform",
            rule={"course_grade": {"passed": True}},
        )
        other = campus.add_learner("auditor")
        campus.enrol(other, PY101)
        CourseEnrollment.objects.filter(user_id=other).update(mode="audit")
        campus.grade(other, PY101, 80, passed=True)
        settle()
        page = self.page(teacher, PY101)
        assert "the enrolment mode earns no certificates" in page
        assert "The platform took the requests of 0 learners." in page

    def test_a_course_without_achievements_has_none(self, teacher):
        assert "microcred" not in self.page(teacher, PLAIN).replace("mooc_microcred_openedx", "")

    def test_a_failure_of_ours_leaves_the_page_as_it_was(self, campus, teacher, monkeypatch):
        monkeypatch.setattr(Award._meta, "db_table", "mooc_microcred_not_migrated")
        assert 'data-section="microcred"' not in self.page(teacher, PY101)
        assert failures["CourseSection"] == 1


class TestCoursePage:
    """Where the instructor dashboard is an app of its own, a tab leads to a page."""

    @pytest.fixture
    def teacher(self, campus, learner):
        teacher = campus.add_learner("teacher")
        CourseInstructorRole(CourseKey.from_string(PY101)).add_users(campus.user(teacher))
        return teacher

    def test_the_tab_leads_course_staff_to_the_same_numbers(self, campus, teacher):
        step = filters.CourseTab("x", ["x"])
        key = CourseKey.from_string(PY101)
        given = [{"tab_id": "grading", "title": "Grading", "url": "/g", "sort_order": 50}]
        tabs = step.run_filter(tabs=given, user=campus.user(teacher), course_key=key)["tabs"]
        assert tabs[:1] == given
        assert (tabs[1]["tab_id"], tabs[1]["sort_order"]) == ("microcred", 60)
        address = tabs[1]["url"].removeprefix(django_settings.LMS_ROOT_URL)
        reply = campus.signed_in(teacher).get(address)
        assert reply.status_code == 200
        assert "Python &lt;Basics&gt;" in keep("course-page", reply.content.decode())
        assert "no-store" in reply["Cache-Control"]

    def test_a_course_without_achievements_has_no_tab(self, campus, teacher):
        key = CourseKey.from_string(PLAIN)
        step = filters.CourseTab("x", ["x"])
        assert step.run_filter(tabs=[], user=None, course_key=key)["tabs"] == []

    def test_learners_and_strangers_do_not_see_it(self, campus, learner, client):
        address = reverse("mooc_microcred:course-overview", args=[PY101])
        assert campus.signed_in(learner).get(address).status_code == 403
        assert client.get(address).status_code == 302


class TestSettings:
    def test_every_filter_of_this_release_runs_our_step(self):
        from openedx_filters.learning import filters as offered

        types = {getattr(one, "filter_type", None) for one in vars(offered).values()}
        # Since openedx-filters 3.4.
        newer = {"org.openedx.learning.instructor.dashboard.tabs.requested.v1"}
        assert set(plugin.FILTERS) - newer <= types
        for name, step in plugin.FILTERS.items():
            assert step in django_settings.OPEN_EDX_FILTERS_CONFIG[name]["pipeline"]

    def test_our_templates_are_found_after_those_of_themes(self):
        assert django_settings.MAKO_TEMPLATE_DIRS_BASE.index(plugin.MAKO_TEMPLATES) > 0
        assert django_settings.MAKO_TEMPLATE_DIRS_BASE.count(plugin.MAKO_TEMPLATES) == 1
