"""From a tagged course to a demonstrated competency in a real LMS: publish, synchronise, answer, grade."""

from tests.platform.only import only_in

only_in("lms")

# ruff: noqa: E402 the platform is imported after it is known to be there
from datetime import timedelta

import pytest
from common.djangoapps.student.models import anonymous_id_for_user
from lms.djangoapps.courseware.models import StudentModule
from lms.djangoapps.grades.models import PersistentSubsectionGrade, PersistentSubsectionGradeOverride
from opaque_keys.edx.keys import CourseKey
from submissions.models import Score, StudentItem, Submission
from xmodule.modulestore import ModuleStoreEnum
from xmodule.modulestore.django import modulestore as open_modulestore
from xmodule.modulestore.tests.factories import BlockFactory

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Award
from mooc_microcred.competencies import api
from mooc_microcred.core import clock
from mooc_microcred.core.platform import ScoreQuery
from tests.competencies.frameworks import key, make_framework
from tests.platform.campus import EXAM
from tests.support.definitions import activate, definition
from tests.support.platform_contract import PY101

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def english(db):
    return make_framework()


@pytest.fixture
def learner(campus):
    campus.add_course(PY101)
    learner = campus.add_learner("somying")
    campus.enrol(learner, PY101)
    return learner


def say(unit_of, *codes, relation="assesses", covers="unit"):
    """Put the authors' block beside a problem and publish it."""
    store = open_modulestore()
    problem = store.get_item(unit_of)
    BlockFactory.create(
        parent_location=problem.parent,
        category="microcred_competency",
        competencies=[
            dict(zip(("framework", "item"), key(code), strict=True)) | {"weight": 1} for code in codes
        ],
        relation=relation,
        covers=covers,
        user_id=ModuleStoreEnum.UserID.test,
    )
    api.mark_course_dirty(course_key=PY101, reason="published", delay=0)
    report = api.sync_due()
    assert (report.courses, report.failed) == (1, 0)


def evaluate_due():
    with clock.shifted(timedelta(seconds=1)):
        return achievements.evaluate_due()


def status(learner, code="EN-1.1"):
    found = api.mastery_of_learner(learner_id=learner).get(key(code))
    return found and found.status


def test_a_learner_who_answers_demonstrates_and_is_awarded(english, campus, learner):
    say(campus.problem(PY101, 0), "EN-1.1")
    say(campus.problem(PY101, 1), "EN-1.1")
    rule = {"competency": dict(zip(("framework", "item"), key("EN-1.1"), strict=True))}
    activate(definition("en-gist", "competency", criteria={"narrative": {"en": "Show it."}, "rule": rule}))
    campus.answer(learner, PY101, [True, False])
    # The platform's own grading has asked for the evaluation.
    assert evaluate_due().learners == 1
    assert status(learner) == "AttemptedNotDemonstrated"
    assert not Award.objects.exists()
    campus.answer(learner, PY101, [True, True])
    evaluate_due()
    assert status(learner) == "Demonstrated"
    assert Award.objects.get().achievement.code == "en-gist"


def test_a_subsection_counts_by_its_stored_grade_with_what_staff_override(english, campus, learner):
    say(campus.problem(PY101, 0), "EN-1.2", covers="subsection")
    campus.answer(learner, PY101, [True, False, False, False])
    evaluate_due()
    assert status(learner, "EN-1.2") == "AttemptedNotDemonstrated"
    exam = CourseKey.from_string(PY101).make_usage_key("sequential", EXAM)
    grade = PersistentSubsectionGrade.objects.get(user_id=learner, usage_key=exam)
    PersistentSubsectionGradeOverride.objects.create(
        grade=grade, earned_all_override=4, possible_all_override=4
    )
    achievements.request_evaluation(learner_id=learner, course_key=PY101, reason="test")
    evaluate_due()
    assert status(learner, "EN-1.2") == "Demonstrated"


def test_work_handed_in_counts_before_what_the_block_keeps(campus, learner):
    run = CourseKey.from_string(PY101)
    essay = run.make_usage_key("openassessment", "essay")
    query = [ScoreQuery(learner, PY101, (str(essay),))]

    def percent():
        found = campus.platform.read_block_scores(query).get((learner, PY101), {})
        return found[str(essay)].percent if found else None

    assert percent() is None
    StudentModule.objects.create(
        student_id=learner,
        course_id=run,
        module_state_key=essay,
        module_type="openassessment",
        grade=1,
        max_grade=10,
    )
    assert percent() == 10
    # By its tables: through its API the platform's grading would look for the block in the course.
    item = StudentItem.objects.create(
        student_id=anonymous_id_for_user(campus.user(learner), run),
        course_id=PY101,
        item_id=str(essay),
        item_type="openassessment",
    )
    submission = Submission.objects.create(student_item=item, answer="my essay", attempt_number=1)
    Score.objects.create(student_item=item, submission=submission, points_earned=6, points_possible=10)
    assert percent() == 60
    # Staff let the learner begin again: that score is none.
    StudentModule.objects.all().delete()
    Score.create_reset_score(item)
    assert percent() is None


def test_scores_cost_the_same_for_one_learner_and_for_many(campus, learner):
    blocks = tuple(campus.score(learner, PY101, f"problem{number}", 1, 1) for number in range(4))
    essay = str(CourseKey.from_string(PY101).make_usage_key("openassessment", "essay"))
    exam = str(CourseKey.from_string(PY101).make_usage_key("sequential", EXAM))
    others = [campus.add_learner(f"learner{number}") for number in range(15)]
    for one in others:
        campus.enrol(one, PY101)
        campus.score(one, PY101, "problem0", 1, 2)

    def read(who):
        return campus.platform.read_block_scores(
            [ScoreQuery(one, PY101, (*blocks, essay, exam)) for one in who]
        )

    few = campus.queries(lambda: read([learner]))
    assert few <= 4
    assert campus.queries(lambda: read([learner, *others])) <= few + 1
    assert len(read([learner, *others])) == 16


def test_the_published_course_is_walked_in_the_lms_too(english, campus, learner):
    say(campus.problem(PY101, 2), "EN-1.1", relation="teaches")
    coverage = api.coverage_of_course(course_key=PY101)
    assert len(coverage.units) == 4
    assert [gap.kind for gap in coverage.gaps] == ["assessed_nowhere"]
