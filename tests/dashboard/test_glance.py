"""What the widget of the learner dashboard reads: one answer for the panel and all course cards."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Achievement, AchievementVersion, Award
from mooc_microcred.core import clock
from mooc_microcred.creditbank.models import CreditRecord
from mooc_microcred.dashboard import api
from mooc_microcred.dashboard.glance import NEWEST
from tests.support.definitions import RUN, level1, level2, programme

pytestmark = pytest.mark.django_db

LEARNER = 7
PY102 = "course-v1:KMUTT+PY102+2026"
BANK = {
    "backend": "mooc_microcred.creditbank.backends.file_drop.FileDropBackend",
    "name": {"en": "Central credit bank", "th": "คลังหน่วยกิตกลาง"},
    "options": {},
}


def settle():
    achievements.request_evaluation(learner_id=LEARNER, reason="test")
    while achievements.evaluate_due().requests:
        pass


def award(code, **fields):
    definition = achievements.current_catalogue().newest(code)
    now = clock.now()
    return Award.objects.create(
        **{
            "learner_id": LEARNER,
            "achievement_id": definition.achievement_id,
            "version_id": definition.version_id,
            "course_key": RUN,
            "issued_at": now,
            "published_at": now,
            **fields,
        }
    )


@pytest.fixture
def series(platform):
    """A programme of two courses, each with two levels; the learner is enrolled in the first."""
    platform.add_learner(LEARNER, username="somying")
    platform.enrol(LEARNER, RUN)
    platform.add_course(RUN, "Python 1")
    platform.add_course(PY102, "Python 2")
    rule = {"all": [{"completion": {"minimum": 100}}, {"course_grade": {"minimum": 60}}]}
    level1("py101-l1", mode="own", rule=rule)
    level2("py101-l2")
    course = {"organization": "KMUTT", "number": "PY102"}
    level1("py102-l1", mode="own", rule=rule, course=course)
    level2("py102-l2", needs="py102-l1", exam="py102-exam", course=course)
    programme(
        "py-series",
        {"all": [{"achievement": "py101-l2"}, {"achievement": "py102-l2"}]},
        hours="90",
        credits="6",
    )


def read():
    return api.read_glance(learner_id=LEARNER)


def stages():
    (ladder,) = read().ladders
    return {one.kind: (one.state, one.have, one.need) for one in ladder.stages}


class TestStages:
    def test_the_learner_stands_on_the_stage_of_the_next_step(self, series, platform):
        assert stages() == {
            "level1": ("now", 0, 2),
            "exam": ("open", 0, 2),
            "level2": ("open", 0, 2),
            "programme": ("open", 0, 2),
        }
        platform.complete(LEARNER, RUN, 10, 10)
        platform.grade(LEARNER, RUN, 80)
        settle()
        found = stages()
        assert found["level1"] == ("open", 1, 2)
        assert found["exam"] == ("now", 0, 2)
        award("py101-l2")
        found = stages()
        assert found["level1"] == ("now", 1, 2)
        assert [found[kind] for kind in ("exam", "level2", "programme")] == [("open", 1, 2)] * 3

    def test_a_level_2_counts_as_its_level_1_even_where_that_was_given_elsewhere(self, series):
        award("py101-l2")
        award("py102-l2", course_key=PY102)
        found = stages()
        assert found["level1"] == found["level2"] == ("done", 2, 2)
        assert found["programme"][0] == "now"

    def test_where_parts_may_be_chosen_nothing_is_counted_down(self, platform):
        platform.enrol(LEARNER, RUN)
        level1("py101-l1", mode="own", rule={"course_grade": {"minimum": 60}})
        level1(
            "py102-l1",
            mode="own",
            course={"organization": "KMUTT", "number": "PY102"},
            rule={"course_grade": {"minimum": 60}},
        )
        programme(
            "any-one",
            {"at_least": {"count": 1, "of": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]}},
        )
        assert stages() == {"level1": ("now", 0, None), "programme": ("open", 0, 1)}

    def test_the_parts_of_an_inner_programme_are_parts_of_the_outer_one(self, series):
        programme("outer", {"all": [{"achievement": "py-series"}]})
        assert [one.code for one in read().ladders] == ["outer"]
        assert stages()["level2"] == ("open", 0, 2)

    def test_the_last_stage_is_the_credit_that_a_bank_holds(self, series, settings):
        assert "credit" not in stages()
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "BANKS": {"central": BANK}}
        assert stages()["credit"] == ("open", 0, 6)
        for code in ("py101-l2", "py102-l2"):
            award(code)
        earned = award("py-series")
        assert stages()["credit"] == ("now", 0, 6)
        now = clock.now()
        record = CreditRecord.objects.create(
            award=earned,
            learner_id=LEARNER,
            organization="KMUTT",
            bank="central",
            state="sending",
            method_code="CS",
            credits=Decimal(6),
            hours=Decimal(90),
            created=now,
            changed=now,
        )
        assert stages()["credit"] == ("now", 0, 6)
        CreditRecord.objects.filter(pk=record.pk).update(state="deposited")
        assert {one[0] for one in stages().values()} == {"done"}
        assert stages()["credit"] == ("done", 6, 6)


def test_a_programme_may_leave_its_credit_to_its_parts(series, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "BANKS": {"central": BANK}}
    parts = [{"achievement": "py101-l2"}, {"achievement": "py102-l2"}]
    programme("outer", {"all": [{"achievement": "py-series"}, *parts]}, credits="0")
    of_parts = sum(achievements.current_catalogue().newest(one["achievement"]).credits for one in parts)
    assert of_parts > 0
    assert stages()["credit"] == ("open", 0, of_parts)


def test_the_newest_badges_are_shown_and_all_are_counted(series):
    now = clock.now()
    for number in range(NEWEST + 3):
        version = level1(f"other-{number}", course={"organization": "KMUTT", "number": f"O{number}"})
        award(f"other-{number}", issued_at=now - timedelta(days=number), version_id=version.pk)
    award("py101-l1", issued_at=now - timedelta(days=99), expires_at=now - timedelta(days=1))
    Award.objects.filter(achievement__code="other-0").update(state="revoked", live=None)
    glance = read()
    assert [one.award.code for one in glance.badges] == [f"other-{number}" for number in range(1, NEWEST + 1)]
    assert glance.badge_count == NEWEST + 3
    Award.objects.exclude(achievement__code="py101-l1").delete()
    assert [one.award.state for one in read().badges] == ["expired"]


def test_the_cards_are_of_the_courses_in_which_the_learner_is(series, platform):
    platform.enrol(LEARNER, "course-v1:KMUTT+NONE+2026")
    assert set(read().courses) == {RUN}
    assert [(one.code, one.state) for one in read().courses[RUN]] == [
        ("py101-l1", "open"),
        ("py101-l2", "open"),
    ]
    award("py101-l1")
    assert [one.state for one in read().courses[RUN]] == ["earned", "open"]


def test_who_has_begun_nothing_is_told_of_a_course_to_begin_with(series, platform):
    platform.enrolments[LEARNER].clear()
    glance = read()
    assert (glance.badges, glance.ladders, glance.courses) == ((), (), {})
    assert {one.action for one in glance.steps} == {"enrol"}
    assert all(one.url.endswith("/about") for one in glance.steps)


def test_where_the_platform_is_away_the_badges_are_still_there(series, platform):
    award("py101-l1")
    platform.away = True
    glance = read()
    assert not glance.complete
    assert [one.award.code for one in glance.badges] == ["py101-l1"]
    assert (glance.ladders, glance.courses, glance.steps) == ((), {}, ())


class TestAnswer:
    """The REST answer of the same."""

    @pytest.fixture
    def browser(self, series):
        user = get_user_model().objects.create_user("somying", id=LEARNER)
        client = Client()
        client.force_login(user)
        return client

    def get(self, browser, **headers):
        return browser.get("/api/mooc_microcred/v1/my/dashboard/", headers=headers)

    def test_it_holds_the_panel_and_the_cards(self, browser):
        award("py101-l1")
        found = self.get(browser).json()
        assert found["complete"] is True
        assert (found["badge_count"], len(found["badges"])) == (1, 1)
        assert [
            (one["kind"], one["state"], one["have"], one["need"]) for one in found["ladders"][0]["stages"]
        ] == [
            ("level1", "open", "1", "2"),
            ("exam", "now", "0", "2"),
            ("level2", "open", "0", "2"),
            ("programme", "open", "0", "2"),
        ]
        card = found["courses"][RUN]
        assert [(one["code"], one["kind"], one["state"]) for one in card] == [
            ("py101-l1", "level1", "earned"),
            ("py101-l2", "level2", "open"),
        ]

    def test_its_sentences_are_in_the_language_that_is_asked_for_whatever_the_platform_prefers(self, browser):
        browser.cookies["openedx-language-preference"] = browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "th"
        award("py101-l1")

        def answer(language):
            address = f"/api/mooc_microcred/v1/my/dashboard/?lang={language}"
            return browser.get(address, headers={"accept-language": "fr"})

        thai, english = answer("th"), answer("en")
        assert (thai.headers["Content-Language"], english.headers["Content-Language"]) == ("th", "en")
        assert "test centre" in english.json()["ladders"][0]["step"]["text"]
        assert "ศูนย์สอบ" in thai.json()["ladders"][0]["step"]["text"]
        assert answer("fr").status_code == 400

    def test_it_is_for_those_who_are_signed_in(self, series):
        assert self.get(Client()).status_code == 401

    def test_a_thousand_badges_cost_the_queries_of_one(self, browser, platform):
        def cost():
            achievements.current_catalogue()
            with CaptureQueriesContext(connection) as captured:
                answer = self.get(browser)
            assert answer.status_code == 200
            return len(captured), answer.json()

        now = clock.now()
        model = AchievementVersion.objects.get(achievement__code="py101-l1")
        Achievement.objects.bulk_create(
            [
                Achievement(code=f"many-{number}", kind="level1", organization="KMUTT", created=now)
                for number in range(500)
            ]
        )
        made = list(Achievement.objects.filter(code__startswith="many-").order_by("pk"))
        AchievementVersion.objects.bulk_create(
            [
                AchievementVersion(
                    achievement=one,
                    number=1,
                    state="retired",
                    definition=model.definition,
                    issuer=model.issuer,
                )
                for one in made
            ]
        )
        versions = dict(
            AchievementVersion.objects.filter(achievement__in=made).values_list("achievement_id", "pk")
        )

        def earn(achievements, *, days, **fields):
            Award.objects.bulk_create(
                [
                    Award(
                        learner_id=LEARNER,
                        achievement=one,
                        version_id=versions[one.pk],
                        course_key=RUN,
                        issued_at=now - timedelta(days=days),
                        published_at=now,
                        **fields,
                    )
                    for one in achievements
                ]
            )

        earn(made[:1], days=0, live=True)
        few, found = cost()
        assert (found["badge_count"], len(found["badges"]), len(found["courses"])) == (1, 1, 1)
        earn(made[1:], days=0, live=True)
        # Each was earned before, too, and has expired since.
        earn(made, days=700, state="expired", live=None)
        platform.enrol(LEARNER, PY102)
        many, found = cost()
        assert (found["badge_count"], len(found["badges"]), len(found["courses"])) == (1000, NEWEST, 2)
        assert many == few
