"""Programmes: how far the learner is, what is next, and the tree as a picture and as text."""

import re
from html import unescape
from xml.etree import ElementTree

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.catalogue_file import load_catalogue, read_sample
from mooc_microcred.achievements.models import AchievementVersion
from mooc_microcred.core.errors import NotFound
from mooc_microcred.core.pages.lines import broken, rough_width, shortened
from mooc_microcred.dashboard import api
from mooc_microcred.dashboard.pages import trees
from tests.credentials.issuing_world import credential_of, issue_all
from tests.support.definitions import level1, level2, programme
from tests.support.factories import make_award, make_version, suspend

pytestmark = pytest.mark.django_db

LIST = "/microcred/programmes/"
MARITIME = f"{LIST}kmutt-basic-maritime-english/"
PY101 = "course-v1:KMUTT+PY101+2026"


@pytest.fixture
def ann(platform, client):
    user = get_user_model().objects.create_user("ann", password=None)
    platform.add_learner(user.pk, name="สมหญิง ใจดี", username="ann")
    client.force_login(user)
    return user


@pytest.fixture
def samples(ann):
    for name in ("python-series", "maritime-english"):
        load_catalogue(read_sample(name).document, actor_id=None, activate=True)


def award(user, *codes):
    version = AchievementVersion.objects.select_related("achievement")
    return [make_award(user.pk, version.get(achievement__code=code)) for code in codes]


def shown(client, path=LIST, language="en", status=200):
    answer = client.get(path, headers={"accept-language": language})
    assert answer.status_code == status
    return unescape(answer.content.decode())


def pictures_in(page):
    return [ElementTree.fromstring(one) for one in re.findall(r"<svg class=\"mc-tree .*?</svg>", page)]


def words_in(picture):
    return [" ".join("".join(one.itertext()).split()) for one in picture.iter() if one.tag.endswith("}div")]


def states_in(picture):
    """Return the states of the boxes, in the order in which they are drawn."""
    groups = [one for one in picture.iter() if one.tag.endswith("}g")]
    return [one.get("class").rpartition("--")[2] for one in groups]


def test_the_list_begins_with_what_is_begun_and_leaves_out_parts_of_others(client, ann, samples, platform):
    award(ann, "kmutt-py101-l2")
    platform.enrol(ann.pk, PY101)
    page = shown(client)
    titles = re.findall(r"<h2><a [^>]*>([^<]*)", page)
    assert len(titles) == 2
    assert "Python" in titles[0]
    assert titles[1] == "Basic Maritime English"
    assert "1 of 3 parts" in page
    assert "not begun yet" in page
    assert "Foundations of Maritime English" not in page


def test_the_list_is_paged(client, ann):
    for number in range(30):
        make_version(kind="level2", code=f"part-{number:02d}")
        programme(f"road-{number:02d}", {"all": [{"achievement": f"part-{number:02d}"}]})
    found, path = [], LIST
    while path:
        page = shown(client, path)
        found += re.findall(r"<h2><a [^>]*>([^<]*)", page)
        following = re.search(r'href="(\?page=\d+)" rel="next"', page)
        path = LIST + following[1] if following else ""
    assert found == [f"English road-{number:02d}" for number in range(30)]
    assert "There are no programmes" not in page


def test_without_programmes_the_list_says_so(client, ann):
    assert "There are no programmes yet" in shown(client)


def test_a_programme_says_in_words_what_is_earned_and_how_much_is_needed(client, ann, samples):
    award(
        ann,
        "kmutt-bme101-l1",
        "kmutt-bme102-l1",
        "kmutt-bme103-l1",
        "kmutt-bme-foundation",
        "kmutt-bme106-l1",
    )
    version = AchievementVersion.objects.get(achievement__code="kmutt-bme106-l2")
    make_award(ann.pk, version, evidence={"references": [], "credits": "1"})
    page = shown(client, MARITIME)
    text = re.sub(r"<[^>]+>", " ", page[page.index("mc-parts") :])
    text = " ".join(text.split())
    assert "1 of 4 parts" in page
    foundations = "Programme · All three foundation courses · 3 of 3 parts"
    assert f"Foundations of Maritime English earned {foundations}" in text
    assert "At least two electives begun any 2 of these 3 · 1 of 2 parts" in text
    assert "Credits of electives begun at least 1.5 credits from these · 1 of 1.5 credits" in text
    assert "not begun yet" in text
    for worth in ("202.5 hours", "level 5", "What you will be able to do"):
        assert worth in page


def test_the_pictures_say_the_same_as_the_text_at_both_widths(client, ann, samples):
    award(ann, "kmutt-bme101-l1", "kmutt-bme106-l1")
    pictures = pictures_in(shown(client, MARITIME))
    assert len(pictures) == 2
    for picture in pictures:
        words = words_in(picture)
        # The programme, its four parts, and three, two, three and three below them.
        assert len(words) == 1 + 4 + 3 + 2 + 3 + 3
        assert any("any 2 of these 3 · 1 of 2 parts" in one for one in words)
        states = dict(zip(words, states_in(picture), strict=True))
        assert sorted(states.values()).count("earned") == 2
        (ship,) = (one for one in words if one.startswith("English for the Ship and Her Crew"))
        assert states[ship] == "earned"
    widths = [float(one.get("width")) for one in pictures]
    assert widths == [trees.NARROW, trees.WIDE]


def test_nothing_in_a_picture_needs_what_the_policy_forbids(client, ann, samples):
    page = shown(client, MARITIME)
    assert "style=" not in page
    assert "<script" not in page
    assert " on" not in "".join(re.findall(r"<(?:svg|g|rect|path)[^>]*>", page)).replace("none", "")


def test_boxes_of_a_picture_stand_inside_it_and_do_not_cover_each_other():
    long = "ภาษาอังกฤษเพื่อการสื่อสารทางทะเลและความปลอดภัยในสถานการณ์ฉุกเฉิน (ระดับ 2 ผลสัมฤทธิ์)"
    leaf = trees.Drawn("open", long, "not begun yet · 1 credit", False)
    group = trees.Drawn("open", "any", "", True, [leaf] * 3)
    root = trees.Drawn("begun", "Root", "all of these", False, [group, leaf])
    for drawn in (trees.tall_svg(root), trees.wide_svg(root)):
        picture = ElementTree.fromstring(drawn)
        boxes = [
            tuple(float(one.get(name)) for name in ("x", "y", "width", "height"))
            for one in picture.iter()
            if one.tag.endswith("}rect")
        ]
        assert len(boxes) == 6
        for x, y, width, height in boxes:
            assert 0 <= x <= x + width <= float(picture.get("width"))
            assert 0 <= y <= y + height <= float(picture.get("height"))
        for number, (x, y, width, height) in enumerate(boxes):
            for left, top, wide, high in boxes[number + 1 :]:
                assert x + width <= left or left + wide <= x or y + height <= top or top + high <= y


def test_names_cannot_become_part_of_the_picture():
    drawn = trees.tall_svg(trees.Drawn("open", "<script>alert(1)</script>", '"><b>', False))
    assert "<script" not in drawn
    assert "<b>" not in drawn
    ElementTree.fromstring(drawn)


def test_the_next_step_is_that_of_the_part_that_is_begun(client, ann, platform):
    platform.add_course(PY101, "Python 1")
    platform.enrol(ann.pk, PY101)
    platform.complete(ann.pk, PY101, 4, 10)
    level1(mode="own", rule={"completion": {"minimum": 100}})
    level2()
    level2("other-l2", needs=None, exam="other", course={"organization": "KMUTT", "number": "OTHER"})
    programme("road", {"all": [{"achievement": "other-l2"}, {"achievement": "py101-l2"}]})
    page = shown(client, f"{LIST}road/")
    assert "Continue the course: 4 of 10 units are done." in page
    assert f'mc-button--main" href="https://lms.example/courses/{PY101}/home"' in page
    assert states_in(pictures_in(page)[0]) == ["begun", "open", "begun"]


def test_who_has_earned_it_is_led_to_the_credential(client, ann, samples):
    (own,) = award(ann, "kmutt-python")
    issue_all()
    page = shown(client, f"{LIST}kmutt-python/")
    assert "You have earned this programme." in page
    assert f'href="/microcred/credentials/{credential_of(own).uuid}"' in page
    assert "Your next step" not in page


def test_what_is_on_hold_does_not_count_for_the_programme(client, ann, samples):
    (own,) = award(ann, "kmutt-py101-l2")
    suspend(own)
    assert "0 of 3 parts" in shown(client, f"{LIST}kmutt-python/")


def test_where_the_platform_is_away_what_is_earned_is_told(client, ann, samples, platform):
    award(ann, "kmutt-py101-l2")
    platform.away = True
    for path in (LIST, f"{LIST}kmutt-python/"):
        page = shown(client, path)
        assert "The platform cannot be read now" in page
        assert "1 of 3 parts" in page


def test_what_is_no_programme_is_not_found(client, ann, samples):
    assert "There is no such programme." in shown(client, f"{LIST}none/", status=404)
    assert "There is no such programme." in shown(client, f"{LIST}kmutt-py101-l1/", status=404)
    with pytest.raises(NotFound):
        api.read_programme(learner_id=ann.pk, code="none")


def test_many_badges_and_parts_cost_the_queries_of_one(client, ann, platform):
    version = make_version(kind="level2", code="first")
    make_version(kind="level2", code="second")
    programme("small", {"all": [{"achievement": "first"}, {"achievement": "second"}]})
    make_award(ann.pk, version)
    platform.enrol(ann.pk, PY101)

    def cost(path):
        cache.clear()
        achievements.current_catalogue()
        with CaptureQueriesContext(connection) as captured:
            shown(client, path)
        return len(captured)

    few = cost(LIST), cost(f"{LIST}small/")
    leaves = []
    for number in range(40):
        made = make_version(kind="level2", code=f"part-{number}")
        leaves.append({"achievement": f"part-{number}"})
        if number % 2:
            make_award(ann.pk, made)
    programme("large", {"at_least": {"count": 30, "of": leaves}})
    assert (cost(LIST), cost(f"{LIST}large/")) == few
    assert max(few) <= 30


def test_thai_breaks_before_leading_vowels_and_never_from_its_marks():
    def width_of(text):
        return rough_width(text, 10)

    lines = broken("การเขียนโปรแกรมไพทอนเบื้องต้นสำหรับผู้เริ่มต้น", width_of, 90)
    assert "".join(lines) == "การเขียนโปรแกรมไพทอนเบื้องต้นสำหรับผู้เริ่มต้น"
    assert all(width_of(line) <= 90 for line in lines)
    assert not any(line[0] in "ะาิีึืุู่้๊๋์ั็" for line in lines)
    kept = shortened(lines, 2, width_of, 90)
    assert len(kept) == 2
    assert kept[-1].endswith("…")
    assert width_of(kept[-1]) <= 90
