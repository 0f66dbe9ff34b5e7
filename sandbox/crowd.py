"""A crowd of made-up learners, nine months of them, so that figures and plots have something to show.

Everything happens as it does for one learner: the sandbox's LMS writes and signals, exam results come as
files that two people sign, and the suite does the rest. Only the clock is moved, a week at a time. The same
seed makes the same crowd.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from typing import Any

from completion.models import BlockCompletion
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import transaction

from mooc_microcred.core import clock
from mooc_microcred.core.identity import record_identity
from mooc_microcred.core.roles import Actor
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.data import AdmissionRequest
from sandbox import lms
from sandbox.models import Attempt, Certificate, Course, Enrollment, Grade, Profile, Unit, name_of
from sandbox.people import CROWD_PASSPORT, PASSWORD
from sandbox.result_files import CENTRE, as_csv, buddhist

WEEKS = 40
# Weeks between two exams, and between two courses of the series.
EXAM_EVERY = 4
NEXT_COURSE = 5
# The share that takes each step, given the one before: learners stop before the exam.
STARTS, FINISHES, SITS, GOES_ON, CONSENTS, IDENTIFIED = 0.82, 0.66, 0.5, 0.7, 0.7, 0.8
FIRST_NAMES = (
    "กมล ขวัญใจ จันทร์เพ็ญ ชัยวัฒน์ ณัฐพล ดวงใจ ธนากร นภา บุญส่ง"
    " ประภา พิชัย ภัทรา มานพ รัตนา วรรณา ศิริพร สมชาย สุภาพร อนุชา อรทัย"
).split()
LAST_NAMES = (
    "แก้วมณี คงเจริญ จิตรดี ใจงาม ชูศรี ทองสุข นาคสวัสดิ์ บุญมา ปัญญาดี"
    " พงษ์ไพร มั่นคง รุ่งเรือง วงศ์สวัสดิ์ ศรีสุข สายทอง แสงจันทร์ หอมหวน"
).split()
# What makes Level 1; the bank is told when it can be reached.
STEPS = ("feed", "evaluate", "relay", "issue", "status-lists")


@dataclass
class Person:
    """One of the crowd.

    Attributes:
        begins: the week in which they enrol in a course, by its number. finished: numbers of courses.
        sits: whether they take exams. consents: whether they let the bank know.
        halfway: has the first course behind them, with its exam, and is in the middle of the second.
    """

    user: Any
    begins: dict[str, int]
    sits: bool
    consents: bool
    halfway: bool = False
    finished: set[str] = field(default_factory=set)
    sat: set[str] = field(default_factory=set)


def load_crowd(*, learners: int, seed: int = 2569) -> None:
    """Make learners, and let them learn, sit exams and consent over the last nine months.

    Args:
        learners: how many.
        seed: of the dice.
    """
    dice = random.Random(seed)  # noqa: S311
    courses = list(Course.objects.order_by("course_key"))
    # As public as that of the other accounts, and derived once: that is slow on purpose.
    password = make_password(PASSWORD)
    people = [_person(number, courses[0], password, dice) for number in range(1, learners + 1)]
    _make_halfway(people[0], courses[0])
    for week in range(WEEKS):
        with clock.shifted(-timedelta(weeks=WEEKS - week)):
            for place, course in enumerate(courses):
                following = courses[place + 1] if place + 1 < len(courses) else None
                for one in people:
                    _live_a_week(one, week, course, following, dice)
            if week % EXAM_EVERY == EXAM_EVERY - 1:
                _sweep()
                for course in courses:
                    _hold_exam(course, people, dice)
            _sweep()


def _person(number: int, first: Course, password: str, dice: random.Random) -> Person:
    user = get_user_model().objects.create(
        username=f"crowd-{number:04d}",
        email=f"crowd-{number}@example.ac.th",
        password=password,
    )
    name = f"{dice.choice(FIRST_NAMES)} {dice.choice(LAST_NAMES)}"
    Profile.objects.create(user=user, name=name, language="th")
    week = min(int(dice.triangular(0, WEEKS, WEEKS * 0.45)), WEEKS - 1)
    return Person(
        user=user,
        begins={first.number: week},
        sits=dice.random() < SITS,
        consents=dice.random() < CONSENTS,
    )


def _make_halfway(one: Person, first: Course) -> None:
    """Let the first of the crowd be in the middle of the programme, for pictures and for trials."""
    one.begins = {first.number: WEEKS - 16}
    one.halfway = one.sits = True
    one.consents = False


def _live_a_week(
    one: Person, week: int, course: Course, following: Course | None, dice: random.Random
) -> None:
    """Enrol in the course, or learn in it some weeks later, if it is time for that."""
    begins = one.begins.get(course.number)
    if begins == week:
        _enrol(one, course)
    elif begins is not None and week == begins + 2 and (one.halfway or dice.random() < STARTS):
        finishes = not one.finished if one.halfway else dice.random() < FINISHES
        _learn(one, course, share=1.0 if finishes else dice.uniform(0.1, 0.8), passes=finishes)
        if finishes:
            one.finished.add(course.number)
            if following is not None and (one.halfway or dice.random() < GOES_ON):
                one.begins[following.number] = begins + NEXT_COURSE


def _enrol(one: Person, course: Course) -> None:
    with transaction.atomic():
        lms.enrol(user=one.user, course=course)
        Enrollment.objects.filter(user=one.user, course=course).update(created=clock.now())


def _learn(one: Person, course: Course, *, share: float, passes: bool) -> None:
    """Read a share (0-1) of the units; whoever passes answers the self-test rightly."""
    units = [unit for unit in course.units.all() if unit.kind == Unit.Kind.READING]
    for unit in units[: max(1, round(share * len(units)))]:
        lms.complete_unit(user=one.user, unit=unit)
    if passes:
        answers = {question.id: question.right for question in course.questions.all()}
        lms.answer_self_test(user=one.user, course=course, answers=answers)
        test = course.units.get(kind=Unit.Kind.SELF_TEST)
        lms.complete_unit(user=one.user, unit=test)
    # The rows of the platform carry the platform's own clock.
    now = clock.now()
    mine = {"user": one.user, "course": course}
    BlockCompletion.objects.filter(user=one.user, context_key=course.key).update(created=now, modified=now)
    Attempt.objects.filter(**mine).update(at=now)
    Grade.objects.filter(**mine).update(modified=now)
    Grade.objects.filter(**mine, passed=True).update(passed_at=now)
    Certificate.objects.filter(**mine).update(created=now, modified=now)


def _hold_exam(course: Course, people: list[Person], dice: random.Random) -> None:
    """Admit who has finished and sits exams; one officer brings the results in, another signs them."""
    sitting = [
        one for one in people if one.sits and course.number in one.finished and course.number not in one.sat
    ]
    if not sitting:
        return
    accounts = {
        user.username: Actor.of(user)
        for user in get_user_model().objects.filter(username__in=("officer", "signatory"))
    }
    officer, signatory = accounts["officer"], accounts["signatory"]
    code = f"{course.organization}-{course.number}-exam".lower()
    admitted = exams.admit_learners(
        actor=officer,
        exam_code=code,
        candidates=[AdmissionRequest(learner_id=one.user.id) for one in sitting],
    )
    numbers = {admission.learner_id: admission.number for admission in admitted}
    day = buddhist((clock.now() - timedelta(days=1)).date())
    maximum = 80 if course.number == "PY102" else 100
    rows = [
        (
            numbers[one.user.id],
            name_of(one.user),
            round(maximum * (0.8 if one.halfway else dice.triangular(0.3, 1, 0.75))),
            maximum,
            day,
            CENTRE,
        )
        for one in sitting
    ]
    batch = exams.upload_batch(
        actor=officer,
        exam_code=code,
        file_name=f"{course.number.lower()}-{clock.now():%Y-%m}.csv",
        content=as_csv(rows, encoding="utf-8-sig"),
    )
    exams.sign_batch(actor=signatory, batch_uuid=batch.uuid)
    exams.release_batch(actor=officer, batch_uuid=batch.uuid)
    for one in sitting:
        one.sat.add(course.number)
        if one.consents:
            _consent(one, dice)


def _consent(one: Person, dice: random.Random) -> None:
    """Consent; most have shown a passport, whose number belongs to nobody."""
    (bank,) = creditbank.banks().values()
    creditbank.give_consent(
        learner_id=one.user.id, bank=bank.code, text_version=bank.consent_version, language="th"
    )
    if dice.random() < IDENTIFIED:
        record_identity(
            learner_id=one.user.id,
            kind="passport",
            number=f"{CROWD_PASSPORT}{one.user.id:07d}",
            verified_by="sandbox",
            actor_id=None,
        )


def _sweep() -> None:
    call_command("microcred_sweep", only=STEPS, verbosity=0, stdout=StringIO(), stderr=StringIO())
