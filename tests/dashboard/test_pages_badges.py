"""The badge wall: what is shown, found and counted, and what a thousand badges cost."""

import gzip
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.catalogue import touch_catalogue
from mooc_microcred.achievements.models import Achievement, AchievementVersion, Award, Issuer
from mooc_microcred.core import clock
from mooc_microcred.core.lease import writing
from mooc_microcred.core.models import StaffRole
from mooc_microcred.core.roles import Actor
from mooc_microcred.credentials import pictures
from mooc_microcred.credentials.pictures_of_issuers import upload_picture
from mooc_microcred.dashboard import api
from mooc_microcred.dashboard.wall import PAGE_SIZE, WallFilters
from tests.credentials.issuing_world import credential_of, issue_all
from tests.support.definitions import RUN, activate, definition, level1, level2
from tests.support.factories import expire, make_award, make_version, revoke, suspend

pytestmark = pytest.mark.django_db

WALL = "/microcred/"
LARGEST = 100_000


@pytest.fixture
def ann(platform, client):
    user = get_user_model().objects.create_user("ann", password=None)
    platform.add_learner(user.pk, name="สมหญิง ใจดี", username="ann")
    client.force_login(user)
    return user


def badge(user, code, *, kind="level1", issuer="kmutt", en="", th="", **fields):
    raw = definition(code, kind, issuer=issuer)
    if en or th:
        raw["name"] = {"en": en or th, "th": th or en}
    return make_award(user.pk, activate(raw), **fields)


def shown(client, query="", language="en"):
    answer = client.get(WALL + query, headers={"accept-language": language})
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def names(page):
    """Return the names on the cards, in their order."""
    return re.findall(r"<h2>(?:<a [^>]*>)?(English [^<]*)", page)


def test_who_is_not_signed_in_is_asked_to(client):
    answer = client.get(WALL)
    assert answer.status_code == 302
    assert "next=/microcred/" in answer["Location"]


def test_a_card_says_what_it_is_by_whom_since_when_and_what_it_is_worth(client, ann):
    award = badge(ann, "py101-l2", kind="level2", issued_at=datetime(2026, 3, 9, 5, tzinfo=UTC))
    issue_all()
    page = shown(client)
    for words in (
        "English py101-l2",
        "Level 2: achievement",
        "KMUTT",
        "9 March 2026",
        "45 hours · 3 credits",
    ):
        assert words in page
    path = f"/microcred/credentials/{credential_of(award).uuid}"
    assert f'href="{path}"' in page
    assert f'href="{path}#mc-share"' in page
    assert f'href="{path}/sharing"' in page
    assert "1 badge<" in page.replace("\n", "<")
    thai = shown(client, language="th")
    assert "9 มีนาคม 2569" in thai
    assert "ไทย py101-l2" in thai


def test_nobody_sees_the_badges_of_others(client, ann):
    badge(get_user_model().objects.create_user("ben"), "py101-l1")
    assert "English py101-l1" not in shown(client)


def test_a_badge_whose_document_is_not_signed_yet_says_so(client, ann):
    badge(ann, "py101-l1")
    page = shown(client)
    assert "The signed document is being made" in page
    assert "Who sees it" not in page


def test_the_newest_is_first_and_what_is_not_published_is_not_there(client, ann):
    now = clock.now()
    badge(ann, "one", issued_at=now - timedelta(days=2))
    badge(ann, "two", issued_at=now - timedelta(days=1))
    badge(ann, "hidden", published_at=None)
    assert names(shown(client)) == ["English two", "English one"]


def test_states_are_told_in_words_with_their_reason(client, ann):
    suspend(badge(ann, "held-back"))
    expire(badge(ann, "over", expires_at=clock.now() - timedelta(days=1)))
    # No worker has written down yet that its time is over.
    badge(ann, "just-over", expires_at=clock.now() - timedelta(minutes=1))
    gone = badge(ann, "gone")
    revoke(gone, reason="certificate_invalidated")
    page = shown(client)
    assert "the course certificate turned to unverified" in page
    assert page.count("It was valid until") == 2
    assert "English gone" not in page
    assert "1 badge was revoked." in page
    revoked = shown(client, "?state=revoked")
    assert names(revoked) == ["English gone"]
    assert "the course certificate was invalidated" in revoked
    assert names(shown(client, "?state=expired")) == ["English just-over", "English over"]
    assert names(shown(client, "?state=suspended")) == ["English held-back"]
    assert names(shown(client, "?state=active")) == []


def test_only_what_was_asked_for_is_shown(client, ann):
    Issuer.objects.create(
        code="cu", organization="CU", definition={"code": "cu", "name": {"th": "จุฬาฯ", "en": "Chula"}}
    )
    badge(ann, "a", en="English Welding", th="งานเชื่อม", issued_at=datetime(2025, 6, 1, tzinfo=UTC))
    # In Bangkok it is already the next year.
    badge(ann, "b", kind="programme", en="English Ships", issued_at=datetime(2025, 12, 31, 18, tzinfo=UTC))
    badge(
        ann,
        "c",
        kind="competency",
        issuer="cu",
        en="English Care",
        issued_at=datetime(2026, 5, 1, tzinfo=UTC),
    )
    assert names(shown(client, "?kind=programme")) == ["English Ships"]
    assert names(shown(client, "?issuer=cu")) == ["English Care"]
    assert names(shown(client, "?text=weld")) == ["English Welding"]
    assert names(shown(client, "?text=งานเชื่อม")) == ["English Welding"]
    assert names(shown(client, "?kind=level1&issuer=cu")) == []
    assert "No badge fits" in shown(client, "?kind=level1&issuer=cu")
    assert "1 badge found" in shown(client, "?kind=programme")
    # What the form cannot have sent is passed over.
    assert len(names(shown(client, "?kind=%27&year=x&page=-1&state=none"))) == 3
    assert names(shown(client, "?text=%25")) == []


def test_years_are_those_of_the_platforms_clock_and_of_the_readers_calendar(client, ann, settings):
    settings.TIME_ZONE = "Asia/Bangkok"
    badge(ann, "a", issued_at=datetime(2025, 12, 31, 18, tzinfo=UTC))
    badge(ann, "b", issued_at=datetime(2025, 12, 31, 16, tzinfo=UTC))
    assert names(shown(client, "?year=2026")) == ["English a"]
    assert names(shown(client, "?year=2025")) == ["English b"]
    page = shown(client, "?year=2025", language="th")
    assert '<option value="2025" selected>2568</option>' in page
    assert '<option value="2026">2569</option>' in page


def test_what_is_typed_cannot_become_part_of_the_page(client, ann):
    badge(ann, "a")
    answer = client.get(WALL, {"text": '"><script>alert(1)</script>'})
    assert b"<script>" not in answer.content


class TestSteps:
    def test_above_the_badges_stands_the_next_step_and_what_it_is_worth(self, client, ann, platform):
        platform.add_course(RUN, "Python 1")
        platform.enrol(ann.pk, RUN)
        platform.complete(ann.pk, RUN, 3, 10)
        level1(mode="own", rule={"completion": {"minimum": 100}})
        level2()
        page = shown(client)
        assert "Continue the course: 3 of 10 units are done." in page
        assert f'mc-button--main" href="https://lms.example/courses/{RUN}/home"' in page
        assert "(45 hours · 3 credits)" in page
        assert "You have no badges yet" in page

    def test_who_has_begun_nothing_is_offered_courses_that_are_open(self, client, ann, platform):
        platform.add_course(RUN, "Python 1")
        level1()
        level1("closed-l1", course={"organization": "KMUTT", "number": "NONE"})
        page = shown(client)
        assert "You have no badges yet" in page
        assert f'href="https://lms.example/courses/{RUN}/about">Python 1<' in page

    def test_where_the_platform_is_away_the_badges_are_there_and_it_is_asked_again(
        self, client, ann, platform
    ):
        platform.add_course(RUN)
        badge(ann, "py101-l1", course_key=RUN)
        platform.away = True
        page = shown(client)
        assert "The platform cannot be read now" in page
        assert names(page) == ["English py101-l1"]
        platform.away = False
        assert "cannot be read" not in shown(client)


class TestKept:
    """A page is kept for a minute; what the learner's own state changes is seen at once."""

    def test_it_is_answered_from_what_was_kept_with_one_query_more_than_a_session(self, client, ann):
        badge(ann, "one")
        first = shown(client)
        with CaptureQueriesContext(connection) as captured:
            assert shown(client) == first
        # Session, user, and whether anything has changed.
        assert sum(one["sql"].startswith("SELECT") for one in captured) == 3

    def test_an_evaluation_a_new_badge_and_a_signed_document_are_seen_at_once(self, client, ann):
        award = badge(ann, "one")
        assert "being made" in shown(client)
        issue_all()
        assert "being made" not in shown(client)
        with writing(ann.pk):
            badge(ann, "two")
        assert len(names(shown(client))) == 2
        Award.objects.filter(pk=award.pk).update(state="suspended", suspended_at=clock.now())
        with writing(ann.pk):
            pass
        assert "On hold" in shown(client)

    def test_who_becomes_staff_sees_the_way_there(self, client, ann):
        assert "For staff" not in shown(client)
        StaffRole.objects.create(user_id=ann.pk, role="exam_officer", organization="KMUTT")
        assert "For staff" in shown(client)

    def test_each_learner_has_their_own(self, client, ann):
        badge(ann, "one")
        shown(client)
        client.force_login(get_user_model().objects.create_user("ben"))
        assert names(shown(client)) == []

    def test_a_message_is_told_once(self, client, ann):
        from django.contrib.messages.storage.cookie import CookieStorage
        from django.http import HttpRequest, HttpResponse

        badge(ann, "one")
        shown(client)
        storage, answer = CookieStorage(HttpRequest()), HttpResponse()
        storage.add(25, "Saved.")
        storage.update(answer)
        client.cookies["messages"] = answer.cookies["messages"].value
        assert "Saved." in shown(client)
        assert "Saved." not in shown(client)


def make_many(user, number):
    """Give a learner so many badges of as many achievements, signed, in bulk."""
    model = make_version(kind="level1", code="model-l1")
    now = clock.now()
    codes = [f"many-{one:04d}" for one in range(number)]
    Achievement.objects.bulk_create(
        Achievement(code=code, organization="KMUTT", kind="level1", created=now) for code in codes
    )
    made = {one.code: one for one in Achievement.objects.filter(code__startswith="many-")}
    AchievementVersion.objects.bulk_create(
        AchievementVersion(
            achievement=made[code],
            number=1,
            state="active",
            issuer=model.issuer,
            definition=definition(code, "level1"),
            activated_at=now,
        )
        for code in codes
    )
    touch_catalogue()
    versions = AchievementVersion.objects.filter(achievement__code__startswith="many-")
    return Award.objects.bulk_create(
        Award(
            learner_id=user.pk,
            achievement_id=one.achievement_id,
            version=one,
            course_key=RUN,
            evidence={"references": []},
            issued_at=now - timedelta(hours=place),
            published_at=now,
        )
        for place, one in enumerate(versions.order_by("pk"))
    )


def cost(client, query=""):
    cache.clear()
    achievements.current_catalogue()
    with CaptureQueriesContext(connection) as captured:
        page = shown(client, query)
    return len(captured), page


def test_a_thousand_badges_cost_the_queries_of_one(client, ann, platform):
    platform.add_course(RUN)
    platform.enrol(ann.pk, RUN)
    make_many(ann, 1000)
    few = get_user_model().objects.create_user("few")
    platform.add_learner(few.pk)
    platform.enrol(few.pk, RUN)
    version = AchievementVersion.objects.get(achievement__code="many-0000")
    make_award(few.pk, version, course_key=RUN)
    queries = ("", "?kind=level1&issuer=kmutt&text=many&state=active", "?page=41")
    many = [cost(client, query) for query in queries]
    client.force_login(few)
    one = [cost(client, query) for query in queries]
    assert [number for number, _page in many] == [number for number, _page in one]
    assert [len(names(page)) for _number, page in many] == [PAGE_SIZE, PAGE_SIZE, PAGE_SIZE]
    assert [len(names(page)) for _number, page in one] == [1, 1, 1]
    assert "1000 badges" in many[0][1]
    assert "page 1 of 42" in many[0][1]


def test_pages_keep_the_filters_and_show_every_badge_once(client, ann):
    make_many(ann, 60)
    seen, address = [], "?text=many&kind=level1"
    while address:
        page = shown(client, address)
        seen += names(page)
        following = re.search(r'href="(\?[^"]*)" rel="next"', page)
        address = following[1] if following else ""
        assert not address or ("text=many" in address and "kind=level1" in address)
    assert seen == [f"English many-{one:04d}" for one in range(60)]
    assert len(names(shown(client, "?page=99"))) == 60 - 2 * PAGE_SIZE


@pytest.mark.parametrize("uploaded", [False, True])
def test_the_first_page_of_a_thousand_badges_is_light_on_a_phone(client, ann, uploaded):
    for number, kind in enumerate(("level1", "level2", "programme", "competency")):
        make_award(ann.pk, make_version(kind=kind, code=f"first-{number}"))
    awards = make_many(ann, 1000)
    if uploaded:
        for number, award in enumerate(awards[:PAGE_SIZE]):
            upload_picture(
                actor=Actor(user_id=1, superuser=True),
                purpose="badge",
                content=pictures.badge_png("level2", colour=f"#{number * 9:02x}4080", size=800),
                achievement_code=award.achievement.code,
            )
    issue_all()
    page = shown(client)
    addresses = set(re.findall(r'<img src="([^"]+)"', page))
    assert len(addresses) == (PAGE_SIZE if uploaded else 4)
    addresses |= set(re.findall(r'<link rel="(?:stylesheet|icon)" href="([^"]+)"', page))
    answers = [client.get(address) for address in addresses]
    assert {one.status_code for one in answers} == {200}
    sizes = [len(gzip.compress(one.content)) for one in answers]
    assert sum(sizes) + len(gzip.compress(page.encode())) < LARGEST


def test_the_verb_reads_a_page(ann):
    make_many(ann, 30)
    wall = api.read_wall(learner_id=ann.pk, filters=WallFilters(), page=2)
    assert (wall.total, wall.matched, wall.page, wall.pages, len(wall.badges)) == (30, 30, 2, 2, 6)
    assert wall.kinds == ("level1",)
