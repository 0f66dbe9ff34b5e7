"""The blocks in a real LMS: what learners see, and that nobody edits there."""

from tests.platform.only import only_in

only_in("lms")

# ruff: noqa: E402 the platform is imported after it is known to be there
import json
import re
from datetime import timedelta

import pytest
from common.djangoapps.student.roles import CourseStaffRole
from django.urls import reverse
from opaque_keys.edx.keys import CourseKey
from openedx.core.lib.url_utils import quote_slashes
from openedx.core.lib.xblock_pipeline.finder import XBlockPipelineFinder
from xmodule.modulestore import ModuleStoreEnum
from xmodule.modulestore.django import modulestore as open_modulestore
from xmodule.modulestore.tests.factories import BlockFactory

from mooc_microcred.achievements import api as achievements
from mooc_microcred.competencies import api
from mooc_microcred.core import clock
from tests.competencies.frameworks import key, make_framework
from tests.support.definitions import level1, level2
from tests.support.platform_contract import PY101

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def english(db):
    return make_framework()


@pytest.fixture
def said(english, campus):
    """The competency block beside the first problem, published and synchronised."""
    campus.add_course(PY101)
    put(campus, "microcred_progress", name="ladder")
    said = put(campus, "microcred_competency", relation="assesses", competencies=picked("EN-1.1"))
    api.mark_course_dirty(course_key=PY101, reason="published", delay=0)
    api.sync_due()
    return said


@pytest.fixture
def learner(campus, said):
    learner = campus.add_learner("somying")
    campus.enrol(learner, PY101)
    return learner


def put(campus, kind, name="said", **fields):
    problem = open_modulestore().get_item(campus.problem(PY101, 0))
    return BlockFactory.create(
        parent_location=problem.parent,
        location=CourseKey.from_string(PY101).make_usage_key(kind, name),
        category=kind,
        user_id=ModuleStoreEnum.UserID.test,
        **fields,
    ).location


def picked(*codes):
    return [dict(zip(("framework", "item"), key(code), strict=True)) | {"weight": 1} for code in codes]


def drawn(client, location):
    """Return the page that the learning app frames."""
    answer = client.get(reverse("render_xblock", kwargs={"usage_key_string": str(location)}))
    assert answer.status_code == 200
    return answer.content.decode()


def submit(client, location, **data):
    address = reverse(
        "xblock_handler",
        kwargs={
            "course_id": PY101,
            "usage_id": quote_slashes(str(location)),
            "handler": "submit_studio_edits",
            "suffix": "",
        },
    )
    return client.post(address, json.dumps(data), content_type="application/json")


def evaluate():
    with clock.shifted(timedelta(seconds=1)):
        achievements.evaluate_due()


def test_a_learner_works_and_sees_that_the_competency_is_shown(campus, said, learner):
    client = campus.signed_in(learner)
    assert "Not begun" in drawn(client, said)
    campus.answer(learner, PY101, [True])
    evaluate()
    page = drawn(client, said)
    assert "1 of 1 shown" in page
    assert "Not begun" not in page


@pytest.mark.parametrize("who", ["learner", "staff"])
def test_nobody_edits_in_the_lms(campus, said, learner, who):
    person = learner
    if who == "staff":
        person = campus.add_learner("wichai")
        campus.enrol(person, PY101)
        CourseStaffRole(CourseKey.from_string(PY101)).add_users(campus.user(person))
    data = {"display_name": "mine", "relation": "teaches", "covers": "unit", "competencies": []}
    assert submit(campus.signed_in(person), said, **data).status_code == 403
    block = open_modulestore().get_item(said)
    assert block.relation == "assesses"
    assert block.competencies == picked("EN-1.1")


def test_the_ladder_moves_with_the_learner(campus, said, learner):
    rule = {"all": [{"completion": {"minimum": 100}}, {"course_grade": {"minimum": 60}}]}
    level1("py-l1", mode="own", rule=rule)
    level2("py-l2", needs="py-l1", exam="py-exam")
    ladder = CourseKey.from_string(PY101).make_usage_key("microcred_progress", "ladder")
    client = campus.signed_in(learner)
    page = drawn(client, ladder)
    assert "of 4 units" in page
    assert page.count("Your next step") == 1
    campus.complete(learner, PY101, 2)
    assert "2 of 4 units" in drawn(client, ladder)
    campus.complete(learner, PY101, 4)
    campus.answer(learner, PY101, [True] * 4)
    evaluate()
    page = drawn(client, ladder)
    assert 'class="microcred-rung is-done"' in page
    assert "exam" in page.lower()


def test_their_files_are_served_and_the_blocks_hold_up_no_completion(campus, said, learner):
    client = campus.signed_in(learner)
    page = drawn(client, said)
    link = re.search(r"""href=["']([^"']+public/css/microcred[^"']*[.]css)""", page)[1]
    collected = {f"{storage.prefix}/{path}" for path, storage in XBlockPipelineFinder().list([])}
    assert link.split("/static/", 1)[1] in collected
    from completion.services import CompletionService
    from xblock.completable import XBlockCompletionMode

    block = open_modulestore().get_item(said)
    assert XBlockCompletionMode.get_mode(block) == XBlockCompletionMode.EXCLUDED
    assert CompletionService is not None


def test_the_apps_get_the_data_of_the_blocks(campus, said, learner):
    address = reverse("blocks_in_course")
    answer = campus.signed_in(learner).get(
        address,
        {
            "course_id": PY101,
            "username": campus.user(learner).username,
            "depth": "all",
            "student_view_data": "microcred_competency",
        },
    )
    assert answer.status_code == 200
    data = answer.json()["blocks"][str(said)]["student_view_data"]
    assert [one["code"] for one in data["competencies"]] == ["EN-1.1"]


def test_the_competency_map_is_for_staff_of_the_course(campus, said, learner):
    address = reverse("mooc_microcred:competency-map", args=[PY101])
    assert campus.signed_in(learner).get(address).status_code == 403
    person = campus.add_learner("wichai")
    CourseStaffRole(CourseKey.from_string(PY101)).add_users(campus.user(person))
    answer = campus.signed_in(person).get(address)
    assert answer.status_code == 200
    assert "EN-1.1" in answer.content.decode()
