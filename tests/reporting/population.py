"""A population whose lives are drawn by dice, written as rows, and known in full to the test."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from secrets import token_hex
from typing import Any

from mooc_microcred.achievements.models import Achievement, Award
from mooc_microcred.core import clock
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult
from tests.support.definitions import level1, level2, programme

BANK = {
    "backend": "mooc_microcred.creditbank.backends.file_drop.FileDropBackend",
    "name": {"th": "คลังหน่วยกิต", "en": "Credit bank"},
    "consent_text": {"version": "2026-1", "th": "ข้าพเจ้ายินยอม", "en": "I agree."},
    "kinds": ["level2", "programme"],
    "options": {},
}
OWN, OTHER = "KMUTT", "BUU"
COURSES = {
    "py101": (OWN, ["course-v1:KMUTT+PY101+2025", "course-v1:KMUTT+PY101+2026"]),
    "py102": (OWN, ["course-v1:KMUTT+PY102+2026"]),
    "sea": (OTHER, ["course-v1:BUU+SEA+2026"]),
}
STEPS = "enrolled started level1 admitted sat passed level2 programme consented credited".split()


@dataclass
class Life:
    """What one learner did in one course, by step; ``runs`` says when they enrolled where."""

    learner: int
    course: str
    runs: dict[str, datetime]
    steps: dict[str, datetime] = field(default_factory=dict)


def load_definitions() -> None:
    """Put the courses of COURSES and a programme of two of them in force."""
    for name, (organization, runs) in COURSES.items():
        number = runs[0].split("+")[1]
        common = {
            "organization": organization,
            "issuer": organization.lower(),
            "course": {"organization": organization, "number": number},
            "name": {"th": f"วิชา {number}", "en": f"Course {number}"},
        }
        level1(f"{name}-l1", **common)
        if name != "sea":
            level2(f"{name}-l2", needs=f"{name}-l1", exam=f"{name}-exam", **common)
    programme(
        "series",
        {"all": [{"achievement": "py101-l2"}, {"achievement": "py102-l2"}]},
        name={"th": "ชุดวิชาไพทอน", "en": "Python series"},
    )


def live(
    *,
    learners: int,
    seed: int,
    enrol: Callable[[int, str, datetime, datetime | None], None],
    first_id: int = 1,
) -> list[Life]:
    """Let learners live, write what there is of it, and return the lives.

    Args:
        enrol: puts (learner, run, since, first completion) into the platform.
    """
    dice = random.Random(seed)  # noqa: S311
    lives = []
    for learner in range(first_id, first_id + learners):
        mine = [_draw(learner, name, dice) for name in COURSES if dice.random() < 0.6]
        passed = [one for one in mine if "level2" in one.steps]
        if len([one for one in passed if one.course != "sea"]) == 2 and dice.random() < 0.8:
            at = max(one.steps["level2"] for one in passed) + timedelta(days=dice.randrange(1, 20))
            if at < clock.now():
                for one in passed:
                    one.steps["programme"] = at
        lives += mine
        for one in mine:
            for run, since in one.runs.items():
                enrol(learner, run, since, one.steps.get("started"))
    _write(lives, dice)
    return lives


def _draw(learner: int, course: str, dice: random.Random) -> Life:
    runs = COURSES[course][1]
    chosen = dice.sample(runs, dice.randint(1, len(runs)))
    at = clock.now() - timedelta(days=dice.randrange(1, 500), hours=dice.randrange(24))
    life = Life(learner, course, {})
    for place, run in enumerate(chosen):
        life.runs[run] = at + timedelta(days=place * 3)
    life.steps["enrolled"] = at
    steps = STEPS[1:3] if course == "sea" else STEPS[1:7]
    for step in steps:
        at = at + timedelta(days=dice.randrange(1, 90), hours=dice.randrange(24))
        if dice.random() > 0.75 or at >= clock.now():
            break
        life.steps[step] = at
    return life


def _write(lives: list[Life], dice: random.Random) -> None:
    achievements = {one.code: one for one in Achievement.objects.prefetch_related("versions")}
    awards, batches, results, admissions = [], {}, [], []
    given: dict[int, datetime] = {}
    programmes: set[int] = set()
    for life in lives:
        exam = f"{life.course}-exam"
        for level in ("level1", "level2"):
            if level in life.steps:
                code = f"{life.course}-l{level[-1]}"
                awards.append(_award(achievements[code], life.learner, life.steps[level], life))
        if "programme" in life.steps and life.learner not in programmes:
            programmes.add(life.learner)
            awards.append(_award(achievements["series"], life.learner, life.steps["programme"], None))
        # Some sit an exam without having been admitted by an officer.
        if "admitted" in life.steps and (dice.random() < 0.9 or "sat" not in life.steps):
            admissions.append(
                ExamAdmission(
                    exam_code=exam,
                    organization=OWN,
                    number=f"N{life.learner}",
                    learner_id=life.learner,
                    created=life.steps["admitted"],
                )
            )
        if "sat" in life.steps:
            passed = life.steps.get("passed")
            key = exam, passed
            if key not in batches:
                batches[key] = _batch(achievements[f"{life.course}-l2"], exam, passed)
            life.steps["sat"] = _midnight(life.steps["sat"].date())
            results.append((batches[key], life, passed is not None))
    ExamAdmission.objects.bulk_create(admissions)
    ExamResult.objects.bulk_create(
        ExamResult(
            batch=batch,
            exam_code=f"{life.course}-exam",
            learner_id=life.learner,
            row=place + 2,
            sat_on=life.steps["sat"].date(),
            score=70 if well else 40,
            max_score=100,
            percent=70 if well else 40,
        )
        for place, (batch, life, well) in enumerate(results)
    )
    Award.objects.bulk_create(awards)
    _write_credit(lives, given, dice)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _award(achievement: Achievement, learner: int, at: datetime, life: Life | None) -> Award:
    return Award(
        learner_id=learner,
        achievement=achievement,
        version=achievement.versions.all()[0],
        course_key=next(iter(life.runs)) if life else "",
        issued_at=at,
        published_at=at,
    )


def _batch(achievement: Achievement, exam: str, released_at: datetime | None) -> ExamBatch:
    released: dict[str, Any] = {"state": "imported"}
    if released_at is not None:
        released = {"state": "released", "signed_by": 2, "released_at": released_at}
    return ExamBatch.objects.create(
        exam_code=exam,
        achievement=achievement,
        organization=OWN,
        file_name="results.csv",
        sha256=token_hex(32),
        size=1,
        uploaded_by=1,
        uploaded_at=clock.now(),
        **released,
    )


def _write_credit(lives: list[Life], given: dict[int, datetime], dice: random.Random) -> None:
    """Make the records of what goes to the bank; a consent is for all of a learner's, a receipt for each."""
    by_learner: dict[int, list[Life]] = {}
    for life in lives:
        by_learner.setdefault(life.learner, []).append(life)
    kept = Award.objects.filter(achievement__kind__in=("level2", "programme")).select_related("achievement")
    awards: dict[int, list[Award]] = {}
    for award in kept.filter(learner_id__in=by_learner).order_by("id"):
        awards.setdefault(award.learner_id, []).append(award)
    for learner, mine in awards.items():
        consents = dice.random() < 0.6
        if consents:
            given[learner] = min(one.issued_at for one in mine) + timedelta(hours=1)
            Consent.objects.create(
                learner_id=learner, bank="thai-bank", text_version="1", language="th", given_at=given[learner]
            )
        for award in mine:
            accepted = consents and dice.random() < 0.6
            record = CreditRecord.objects.create(
                award=award,
                learner_id=learner,
                organization=OWN,
                bank="thai-bank",
                state="deposited" if accepted else "sending" if consents else "waiting_consent",
                method_code="CE",
                credits=3,
                hours=45,
                created=award.issued_at,
                changed=award.issued_at,
            )
            at = award.issued_at + timedelta(hours=2)
            if accepted:
                Delivery.objects.create(
                    record=record,
                    bank="thai-bank",
                    sequence=1,
                    kind="deposit",
                    state="acknowledged",
                    created=at,
                    acknowledged_at=at,
                )
            for life in by_learner[learner]:
                concerned = life.course != "sea" and award.achievement.code in (f"{life.course}-l2", "series")
                if concerned and consents:
                    when = max(given[learner], award.issued_at)
                    life.steps["consented"] = min(life.steps.get("consented", when), when)
                if concerned and accepted:
                    life.steps["credited"] = min(life.steps.get("credited", at), at)
