"""What a learner sees at a glance: badges, the ladder of the programme, and a next step with a link."""

import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from PIL import Image

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Achievement, Award, Issuer
from mooc_microcred.core import clock
from mooc_microcred.core.roles import Actor
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials.models import Credential
from mooc_microcred.credentials.pages import reading
from mooc_microcred.credentials.pictures_of_issuers import set_template, upload_picture
from mooc_microcred.dashboard import api
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.data import AdmissionRequest
from tests.support.definitions import RUN, level1, level2, programme

pytestmark = pytest.mark.django_db

LEARNER = 7
PY102 = "course-v1:KMUTT+PY102+2026"


def settle():
    achievements.request_evaluation(learner_id=LEARNER, reason="test")
    while achievements.evaluate_due().requests:
        pass


@pytest.fixture
def series(platform):
    """A programme of two courses, each with two levels; the learner is enrolled in the first."""
    platform.add_learner(LEARNER, username="somying")
    platform.enrol(LEARNER, RUN)
    platform.add_course(RUN, "Python 1")
    platform.add_course(PY102, "Python 2")
    rule = {"all": [{"completion": {"minimum": 100}}, {"course_grade": {"minimum": 60}}]}
    level1("py101-l1", mode="own", rule=rule)
    level2("py101-l2", further_information="https://kmutt.example/exam")
    course = {"organization": "KMUTT", "number": "PY102"}
    level1("py102-l1", mode="own", rule=rule, course=course)
    level2("py102-l2", needs="py102-l1", exam="py102-exam", course=course)
    programme(
        "py-series",
        {"all": [{"achievement": "py101-l2"}, {"achievement": "py102-l2"}]},
        hours="90",
        credits="6",
        accepted_by=[{"th": "มจธ.", "en": "KMUTT"}],
    )


def read():
    return api.read_dashboard(learner_id=LEARNER)


def the_step():
    (ladder,) = read().ladders
    return ladder.step


def test_who_has_begun_nothing_sees_nothing(platform):
    level1()
    assert read().empty


def test_who_has_done_nothing_is_not_told_of_0_of_0_units(series, platform):
    # What a platform answers that has not walked the course.
    platform.complete(LEARNER, RUN, 0, 0)
    assert the_step().text == "Begin the course; no unit of it is done yet."


def test_the_next_step_goes_from_studying_to_the_exam_to_the_next_course(series, platform):
    platform.complete(LEARNER, RUN, 3, 10)
    step = the_step()
    assert (step.action, step.text) == ("study", "Continue the course: 3 of 10 units are done.")
    assert (step.course_title, step.achievement) == ("Python 1", "py101-l1")
    assert step.url == f"https://lms.example/courses/{RUN}/home"

    platform.complete(LEARNER, RUN, 10, 10)
    platform.grade(LEARNER, RUN, "41.50")
    assert the_step().text == "Raise your course grade to 60 percent; it is 41.5 now."

    platform.grade(LEARNER, RUN, 80)
    settle()
    step = the_step()
    assert step.text == "Register for “Exam” at a test centre; 60 percent are needed."
    assert (step.exam, step.achievement, step.url) == ("py101-exam", "py101-l2", "https://kmutt.example/exam")

    exams.admit_learners(
        actor=Actor(user_id=1, superuser=True),
        exam_code="py101-exam",
        candidates=[AdmissionRequest(learner_id=LEARNER, number="A-17")],
    )
    step = the_step()
    assert step.text == "Sit “Exam” at the test centre; you are admitted under number A-17."
    assert step.admission == "A-17"

    definition = achievements.current_catalogue().newest("py101-l2")
    Award.objects.create(
        learner_id=LEARNER,
        achievement_id=definition.achievement_id,
        version_id=definition.version_id,
        course_key=RUN,
        issued_at=clock.now(),
        published_at=clock.now(),
    )
    step = the_step()
    assert (step.action, step.text) == ("enrol", "Enrol in “Python 2”.")
    assert (step.course_key, step.url) == (PY102, f"https://lms.example/courses/{PY102}/about")


def test_the_ladder_counts_its_parts_and_says_what_it_is_worth(series, platform):
    (ladder,) = read().ladders
    assert (ladder.have, ladder.need, ladder.unit, ladder.percent) == (0, 2, "components", 0)
    assert [(one.code, one.state) for one in ladder.rungs] == [("py101-l2", "begun"), ("py102-l2", "open")]
    assert (ladder.worth.hours, ladder.worth.credits) == (Decimal(90), Decimal(6))
    assert [one.en for one in ladder.worth.accepted_by] == ["KMUTT"]


def test_a_badge_has_the_names_of_its_own_version(series, platform):
    platform.complete(LEARNER, RUN, 10, 10)
    platform.grade(LEARNER, RUN, 80)
    settle()
    Achievement.objects.get(code="py101-l1").versions.update(state="retired")
    level1(
        "py101-l1", number=2, mode="own", rule={"course_grade": {"minimum": 99}}, name={"en": "Another name"}
    )
    (badge,) = read().badges
    assert (badge.name.en, badge.issuer.en, badge.award.state) == ("English py101-l1", "KMUTT", "active")
    assert badge.worth.hours == 45


def test_a_badge_has_the_picture_that_its_public_page_shows(series, platform):
    platform.complete(LEARNER, RUN, 10, 10)
    platform.grade(LEARNER, RUN, 80)
    settle()
    boss = Actor(user_id=1, superuser=True)

    def shown():
        (badge,) = read().badges
        definition = achievements.definitions_of({badge.award.version_id})[badge.award.version_id]
        issuer = Issuer.objects.get(code=definition.issuer)
        look = reading.look_of_issuer(issuer.pk, definition.kind)
        assert badge.picture == reading.pictured_badge(definition, look)
        assert Client().get(badge.picture).status_code == 200
        return badge.picture, issuer.code

    drawn, issuer = shown()
    set_template(actor=boss, issuer_code=issuer, colour="#7a1f3d", signatories=())
    assert shown()[0] == drawn.replace("1b4f8a", "7a1f3d")
    set_template(actor=boss, issuer_code=issuer, kind="level1", colour="#14532d", signatories=())
    set_template(actor=boss, issuer_code=issuer, kind="level2", colour="#000000", signatories=())
    assert shown()[0] == drawn.replace("1b4f8a", "14532d")

    content = io.BytesIO()
    Image.radial_gradient("L").save(content, "PNG")
    uploaded = upload_picture(
        actor=boss, purpose="badge", content=content.getvalue(), achievement_code="py101-l1"
    )
    assert uploaded.uuid in shown()[0]


def test_what_is_revoked_or_not_shown_yet_is_no_badge(series, platform):
    platform.complete(LEARNER, RUN, 10, 10)
    platform.grade(LEARNER, RUN, 80)
    settle()
    Award.objects.update(published_at=None)
    assert read().badges == ()
    Award.objects.update(published_at=clock.now(), state="revoked", live=None)
    assert read().badges == ()


def test_a_run_that_has_ended_is_not_recommended(series, platform):
    later = "course-v1:KMUTT+PY102+2027"
    platform.add_course(later, "Python 2 again")
    now = clock.now()
    for key, (start, end) in {
        PY102: (now - timedelta(days=90), now - timedelta(days=1)),
        later: (now + timedelta(days=9), now + timedelta(days=99)),
    }.items():
        platform.courses[key] = replace(platform.courses[key], start=start, end=end)
    platform.enrolments[LEARNER].clear()
    definition = achievements.current_catalogue().newest("py101-l2")
    Award.objects.create(
        learner_id=LEARNER,
        achievement_id=definition.achievement_id,
        version_id=definition.version_id,
        course_key=RUN,
        issued_at=now,
        published_at=now,
    )
    assert the_step().course_key == later


def test_outside_of_programmes_a_course_has_a_step_of_its_own(platform):
    platform.enrol(LEARNER, RUN)
    platform.add_course(RUN, "Python 1")
    level1(mode="own", rule={"course_grade": {"minimum": 60}})
    level2()
    (step,) = read().steps
    assert (step.achievement, step.action) == ("py101-l1", "raise_grade")
    assert read().ladders == ()


def test_who_is_refused_a_certificate_reads_what_to_do_about_it(platform):
    platform.enrol(LEARNER, RUN)
    level1(mode="own_with_platform", rule={"course_grade": {"passed": True}})
    platform.grade(LEARNER, RUN, 75)
    platform.refusals[LEARNER, RUN] = "mode"
    settle()
    (step,) = read().steps
    assert step.action == "certificate_refused"
    assert "kind of enrolment" in step.text


def test_where_the_platform_is_away_the_badges_are_still_there(series, platform):
    platform.complete(LEARNER, RUN, 10, 10)
    platform.grade(LEARNER, RUN, 80)
    settle()
    platform.away = True
    found = read()
    assert not found.complete
    assert [one.award.code for one in found.badges] == ["py101-l1"]
    assert found.ladders == ()


def test_fifty_awards_cost_the_queries_of_one(platform):
    platform.add_learner(LEARNER)
    now = clock.now()

    def earn(number):
        run = f"course-v1:KMUTT+C{number}+2026"
        platform.enrol(LEARNER, run)
        course = {"organization": "KMUTT", "number": f"C{number}"}
        version = level1(f"c{number}-l1", course=course)
        level2(f"c{number}-l2", needs=f"c{number}-l1", exam=f"c{number}-exam", course=course)
        programme(f"c{number}-p", {"all": [{"achievement": f"c{number}-l2"}]})
        platform.certify(LEARNER, run)
        Award.objects.create(
            learner_id=LEARNER,
            achievement=version.achievement,
            version=version,
            course_key=run,
            evidence={"mode": "mirror"},
            issued_at=now,
            published_at=now,
        )

    def cost():
        achievements.current_catalogue()
        with CaptureQueriesContext(connection) as captured:
            found = read()
        return len(captured), found

    earn(0)
    few, found = cost()
    assert len(found.badges) == 1
    for number in range(1, 50):
        earn(number)
    many, found = cost()
    assert (len(found.badges), len(found.ladders)) == (50, 50)
    assert many == few
    assert few <= 20


def test_it_speaks_thai(series, platform):
    platform.complete(LEARNER, RUN, 3, 10)
    with translation.override("th"):
        text = the_step().text
    assert "3" in text
    assert "Continue" not in text


class TestLinks:
    """A badge leads to its public page once its credential is issued; others only where it is not private."""

    @pytest.fixture
    def credential(self, platform, settings):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "PUBLIC_URL": "https://lms.example"}
        level1()
        platform.enrol(LEARNER, RUN)
        platform.certify(LEARNER, RUN)
        settle()
        assert read().badges[0].url == ""
        return credentials.issue_credential(award_uuid=read().badges[0].award.uuid)

    def test_badge_card_and_certificate_page_have_it(self, credential):
        url = f"https://lms.example/microcred/credentials/{credential}"
        assert read().badges[0].url == url
        (item,) = api.read_course_cards(learner_id=LEARNER, course_keys=[RUN])[RUN]
        assert item.url == url
        assert api.read_honour(learner_id=LEARNER, course_key=RUN).url == url

    def test_the_public_certificate_page_does_not_lead_to_a_private_one(self, credential):
        Credential.objects.update(visibility="private")
        assert api.read_honour(learner_id=LEARNER, course_key=RUN).url == ""
        assert read().badges[0].url.endswith(credential)


class TestCards:
    def test_a_card_says_what_its_course_leads_to_and_what_is_earned(self, series, platform):
        platform.complete(LEARNER, RUN, 10, 10)
        platform.grade(LEARNER, RUN, 80)
        settle()
        cards = api.read_course_cards(
            learner_id=LEARNER, course_keys=[RUN, PY102, "course-v1:KMUTT+NONE+2026", "no key"]
        )
        assert {run: [(one.code, one.state) for one in card] for run, card in cards.items()} == {
            RUN: [("py101-l1", "earned"), ("py101-l2", "open")],
            PY102: [("py102-l1", "open"), ("py102-l2", "open")],
        }

    def test_all_cards_cost_the_queries_of_one(self, series, platform):
        def cost(runs):
            with CaptureQueriesContext(connection) as captured:
                api.read_course_cards(learner_id=LEARNER, course_keys=runs)
            return len(captured)

        runs = [f"course-v1:KMUTT+PY101+{year}" for year in range(2000, 2040)]
        achievements.current_catalogue()
        assert cost(runs) == cost(runs[:1]) <= 4
        assert cost(["course-v1:KMUTT+NONE+2026"]) == 1


class TestHonour:
    def test_a_certificate_stands_for_its_level_1_while_that_is_valid(self, platform):
        level1()
        platform.enrol(LEARNER, RUN)
        assert api.read_honour(learner_id=LEARNER, course_key=RUN) is None
        platform.certify(LEARNER, RUN)
        settle()
        honour = api.read_honour(learner_id=LEARNER, course_key=RUN)
        assert honour.name.en == "English py101-l1"
        assert [one.en for one in honour.outcomes] == ["can do"]
        assert api.read_honour(learner_id=LEARNER, course_key=PY102) is None
        Award.objects.update(state="suspended")
        assert api.read_honour(learner_id=LEARNER, course_key=RUN) is None


class TestCourseOverview:
    def test_staff_see_numbers_by_state_refusals_with_reasons_and_offers(self, platform):
        level1(mode="own_with_platform", rule={"course_grade": {"passed": True}})
        for learner in range(1, 6):
            platform.enrol(learner, RUN)
            platform.grade(learner, RUN, 75)
            if learner < 3:
                platform.certify(learner, RUN)
            elif learner < 5:
                platform.refusals[learner, RUN] = "mode"
            achievements.request_evaluation(learner_id=learner, reason="test")
        while achievements.evaluate_due().requests:
            pass
        Award.objects.filter(learner_id=1).update(state="suspended")
        overview = api.read_course_overview(course_key=RUN)
        (counts,) = overview.achievements
        assert (counts.code, counts.states, counts.total) == (
            "py101-l1",
            {"active": 1, "suspended": 1},
            2,
        )
        assert [(one.code, one.learners) for one in overview.refusals] == [("mode", 2)]
        assert overview.refusals[0].reason == "the enrolment mode earns no certificates"
        assert overview.asked == 1
        assert not overview.empty
        assert api.read_course_overview(course_key=PY102).empty
