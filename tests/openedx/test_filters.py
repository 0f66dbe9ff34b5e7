"""What the plugin adds to the platform's pages and filters, outside of the platform."""

from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from django.db import DatabaseError
from django.utils import translation
from opaque_keys.edx.keys import CourseKey

from mooc_microcred.achievements import watch
from mooc_microcred.achievements.data import AwardData, Text
from mooc_microcred.core import clock
from mooc_microcred.dashboard.data import (
    AwardCounts,
    Badge,
    CourseOverview,
    Dashboard,
    Honour,
    Ladder,
    Refusals,
    Rung,
    Step,
    Worth,
)
from mooc_microcred_openedx import certificates, contexts, filters, panels
from mooc_microcred_openedx.guards import failures
from mooc_microcred_openedx.settings import lms
from tests.openedx.conftest import OTHER_RUN
from tests.support.definitions import RUN

NASTY = Text(th="<b>ไทย</b>", en='<script>alert("x")</script>')
WORTH = Worth(hours=45, credits=3, nqf_level=5, accepted_by=(NASTY,))
NAME = "org.openedx.learning.certificate.render.started.v1"
OURS = lms.FILTERS[NAME]


def award(**fields):
    return AwardData(
        **{
            "id": 1,
            "uuid": "5b0f2f0e-0000-4000-8000-000000000000",
            "learner_id": 7,
            "code": "py101-l1",
            "organization": "KMUTT",
            "kind": "level1",
            "version_id": 1,
            "version_number": 1,
            "state": "active",
            "course_key": RUN,
            "issued_at": clock.now(),
            "published_at": clock.now(),
            "expires_at": None,
            "suspended_at": None,
            "revoked_at": None,
            "reason": "",
            "evidence": {},
            **fields,
        }
    )


STEP = Step(
    action="study",
    text="Continue the course: 1 of 4 units are done.",
    achievement="py101-l1",
    name=NASTY,
    kind="level1",
    worth=WORTH,
    course_title="<i>Course</i>",
    url="https://lms.example/course",
)
PICTURE = "/microcred/assets/badge-level1-1b4f8a.svg"
FULL = Dashboard(
    badges=tuple(
        Badge(award(state=state), NASTY, NASTY, WORTH, picture=PICTURE)
        for state in ("active", "suspended") * 5
    ),
    ladders=(
        Ladder(
            "series",
            NASTY,
            WORTH,
            have=1,
            need=2,
            unit="components",
            percent=50,
            rungs=(Rung("a", NASTY, "level1", "earned"), Rung("b", NASTY, "level1", "open")),
            earned=False,
            step=STEP,
        ),
    ),
    steps=(STEP,),
)


class Tags(HTMLParser):
    VOID = {"link", "br", "img"}

    def __init__(self, html):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


class TestPanels:
    PANELS = {
        "dashboard": lambda: panels.dashboard_panel(FULL),
        "certificate": lambda: panels.certificate_panel(
            Honour(award(), NASTY, NASTY, WORTH, (NASTY,), url="https://lms.example/c")
        ),
        "course": lambda: panels.course_panel(
            CourseOverview(
                RUN,
                (AwardCounts("py101-l1", "level1", NASTY, 1, "own_with_platform", {"active": 4}),),
                (Refusals("mode", "<because>", 2),),
                (),
                asked=3,
            )
        ),
    }

    @pytest.mark.parametrize("name", PANELS)
    @pytest.mark.parametrize("language", ["en", "th"])
    def test_what_people_wrote_is_text_and_never_markup(self, name, language):
        with translation.override(language):
            html = str(self.PANELS[name]())
        tags = Tags(html)
        assert not {tag for tag, _ in tags.seen} & {"script", "style", "b", "i", "because"}
        assert not any(key.startswith("on") or key == "style" for _, attrs in tags.seen for key in attrs)
        assert "&lt;" in html

    @pytest.mark.parametrize("name", PANELS)
    def test_every_class_and_id_is_ours(self, name):
        for _, attrs in Tags(str(self.PANELS[name]())).seen:
            for value in (attrs.get("class") or "").split() + (attrs.get("id") or "").split():
                assert value.startswith("mooc-microcred")

    def test_more_than_a_handful_of_badges_unfold(self):
        html = str(panels.dashboard_panel(FULL))
        assert html.index("4 more") > html.index("mooc-microcred__badges")
        assert html.count('<li class="mooc-microcred__badge') == 10
        assert html.count("mooc-microcred__badge--ended") == 5

    def test_a_picture_beside_a_name_is_not_read_aloud(self):
        pictures = [attrs for tag, attrs in Tags(str(panels.dashboard_panel(FULL))).seen if tag == "img"]
        assert {(one["src"], one["alt"]) for one in pictures} == {(PICTURE, "")}
        assert len(pictures) == 10

    def test_the_panel_goes_before_what_a_page_says_about_the_platform_and_is_never_lost(self):
        put = certificates._with_panel
        assert put('<a></main><div class="wrapper-about">', "P") == '<a></main>P<div class="wrapper-about">'
        assert put("<main></main><p>", "P") == "<main></main>P<p>"
        assert put("<body></body>", "P") == "<body>P</body>"
        assert put("own", "P") == "ownP"


class TestSteps:
    def test_a_step_that_fails_passes_on_what_it_was_given(self, db, monkeypatch):
        def fail(_key):
            raise DatabaseError("gone")

        monkeypatch.setattr(filters, "_card", fail)
        given = {"courseId": RUN}
        step = filters.CourseRunCard("x", ["x"])
        assert step.run_filter(serialized_courserun=given) == {"serialized_courserun": given}
        assert failures["CourseRunCard"] == 1

    def test_courses_without_achievements_are_passed_on_without_a_query(
        self, watched, django_assert_num_queries
    ):
        course = SimpleNamespace(id=OTHER_RUN)
        with django_assert_num_queries(0):
            assert filters._card(OTHER_RUN) is None
            assert (
                filters.CertificatePanel.run_filter.__wrapped__(
                    None,
                    {"course_id": OTHER_RUN, "accomplishment_user_id": 7, "certificate_id_number": "a"},
                    None,
                )
                is None
            )
            assert filters.CourseSection.run_filter.__wrapped__(None, {"course": course}, "t.html") is None

    def test_where_there_are_no_achievements_the_dashboard_is_not_read(
        self, db, microcred, django_assert_num_queries
    ):
        microcred(CACHE_TTL=60)
        watch.refresh()
        user = SimpleNamespace(id=7, is_authenticated=True)
        with django_assert_num_queries(0):
            assert contexts.course_dashboard({"user": user}) == {}

    def test_a_dashboard_that_cannot_be_read_is_left_out(self, watched, monkeypatch):
        def fail(**_):
            raise DatabaseError("gone")

        monkeypatch.setattr(contexts.dashboard, "read_dashboard", fail)
        assert contexts.course_dashboard({"user": SimpleNamespace(id=7, is_authenticated=True)}) == {}

    def test_a_page_without_our_data_is_left_as_it_is(self, db):
        given = {"context": {"plugins": {}}, "template_name": "dashboard.html"}
        assert filters.DashboardPanel("x", ["x"]).run_filter(**given) == given


def test_the_newer_instructor_dashboard_gets_a_tab_through_its_own_filter(watched, settings):
    offered = pytest.importorskip("openedx_filters.learning.filters")
    if not hasattr(offered, "InstructorDashboardTabsRequested"):
        pytest.skip("openedx-filters before 3.4")
    settings.LMS_ROOT_URL = "https://lms.example"
    lms.append_filter_steps(settings)
    key = CourseKey.from_string(RUN)
    tabs, user, course_key = offered.InstructorDashboardTabsRequested.run_filter(
        tabs=[{"tab_id": "info", "sort_order": 10}], user="somebody", course_key=key
    )
    assert [one["tab_id"] for one in tabs] == ["info", "microcred"]
    assert tabs[1]["url"] == f"https://lms.example/microcred/courses/{RUN}/"
    assert (user, course_key) == ("somebody", key)


class TestSettings:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (None, {"fail_silently": True, "pipeline": [OURS]}),
            ("theirs.Step", {"fail_silently": True, "pipeline": ["theirs.Step", OURS]}),
            (["theirs.Step"], {"fail_silently": True, "pipeline": ["theirs.Step", OURS]}),
            (
                {"fail_silently": False, "pipeline": ["theirs.Step"], "log_level": "debug"},
                {"fail_silently": False, "pipeline": ["theirs.Step", OURS], "log_level": "debug"},
            ),
            ({"pipeline": [OURS, "theirs.Step"]}, {"fail_silently": True, "pipeline": [OURS, "theirs.Step"]}),
        ],
    )
    def test_our_steps_are_appended_to_whatever_the_operator_has(self, before, after):
        settings = SimpleNamespace(OPEN_EDX_FILTERS_CONFIG={} if before is None else {NAME: before})
        lms.append_filter_steps(settings)
        lms.append_filter_steps(settings)
        assert settings.OPEN_EDX_FILTERS_CONFIG[NAME] == after

    def test_the_operators_own_dict_is_not_changed_in_place(self):
        theirs = {NAME: {"pipeline": ["theirs.Step"]}, "other": {"pipeline": []}}
        settings = SimpleNamespace(OPEN_EDX_FILTERS_CONFIG=theirs)
        lms.append_filter_steps(settings)
        assert theirs == {NAME: {"pipeline": ["theirs.Step"]}, "other": {"pipeline": []}}
        assert settings.OPEN_EDX_FILTERS_CONFIG["other"] == {"pipeline": []}

    def test_every_step_can_be_imported_and_our_templates_are_where_the_settings_say(self):
        from django.utils.module_loading import import_string

        assert all(import_string(step) for step in lms.FILTERS.values())
        assert (lms.MAKO_TEMPLATES / filters.DASHBOARD_TEMPLATE).is_file()
        assert (lms.MAKO_TEMPLATES / "mooc_microcred" / f"{filters.COURSE_SECTION}.html").is_file()
