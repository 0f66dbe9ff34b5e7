"""Awards of every kind with the evidence that evaluation gives them, for tests of their credentials."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements.models import AchievementVersion, Award
from mooc_microcred.core import clock
from mooc_microcred.credentials import issuing
from mooc_microcred.credentials.models import Credential, CredentialDue
from mooc_microcred.exams.models import ExamBatch, ExamResult
from tests.support.factories import make_award, make_version, relay_all

EXAM = "py101-exam"
CENTRE = 'ศูนย์สอบ "บางมด"'

LEVEL_2 = {
    "exams": [{"code": EXAM, "name": {"th": "การสอบมาตรฐาน", "en": "Standard exam"}, "max_score": "100"}],
    "criteria": {
        "narrative": {"th": "สอบผ่าน", "en": "Pass the exam."},
        "rule": {
            "all": [
                {"course_grade": {"minimum": 40}},
                {"exam": {"code": EXAM, "minimum": 60}},
                {
                    "weighted": {
                        "minimum": 50,
                        "parts": [
                            {"weight": 25, "of": {"course_grade": {}}},
                            {"weight": 75, "of": {"exam": {"code": EXAM}}},
                        ],
                    }
                },
            ]
        },
    },
    "nqf_level": 4,
    "languages": ["th", "en"],
    "prerequisites": {"th": "ระดับ 1", "en": "Level 1"},
    "stackable": True,
    "accepted_by": [{"th": "บริษัท ก", "en": "Company A"}],
    "further_information": "https://www.kmutt.ac.th/py101",
    "description": {"th": "รับรองว่า…", "en": "Certifies that…"},
}


def level_1(**fields: Any) -> AchievementVersion:
    """Return a version of a Level 1."""
    return make_version(kind="level1", **fields)


def level_2(**fields: Any) -> AchievementVersion:
    """Return a version of a Level 2 with everything that a definition can say."""
    return make_version(kind="level2", **{**LEVEL_2, **fields})


def programme(**fields: Any) -> AchievementVersion:
    """Return a version of a programme."""
    return make_version(kind="programme", **fields)


def sitting(
    learner_id: int, version: AchievementVersion, *, percent: str = "83.5", centre: str = CENTRE
) -> str:
    """Return the reference of a released exam result."""
    now = clock.now()
    batch = ExamBatch.objects.create(
        exam_code=EXAM,
        achievement=version.achievement,
        organization="KMUTT",
        state="released",
        file_name="results.csv",
        sha256=f"{ExamBatch.objects.count():064d}",
        size=1,
        uploaded_by=1,
        uploaded_at=now,
        signed_by=2,
        released_at=now,
    )
    result = ExamResult.objects.create(
        batch=batch,
        exam_code=EXAM,
        learner_id=learner_id,
        row=2,
        sat_on=date(2026, 11, 1),
        score=Decimal(percent),
        max_score=Decimal(100),
        percent=Decimal(percent),
        centre=centre,
    )
    return f"exam_result:{result.pk}"


def award_level_2(learner_id: int, version: AchievementVersion | None = None, **fields: Any) -> Award:
    """Return an award of a Level 2 that rests on an exam and on course work."""
    version = version or level_2()
    reference = sitting(learner_id, version)
    evidence = {
        "mode": "",
        "credits": "3",
        "hours": "45",
        "references": ["course:course-v1:KMUTT+PY101+2026", reference],
        "grade": {"percent": "71.25", "passed": True},
        "exams": [EXAM],
        "measures": [
            {"kind": "course_grade", "key": "", "met": True, "have": "71.25", "need": "40"},
            {"kind": "exam", "key": EXAM, "met": True, "have": "83.5", "need": "60"},
            {"kind": "weighted", "key": "", "met": True, "have": "80.44", "need": "50"},
        ],
    }
    return make_award(learner_id, version, **{"evidence": evidence, **fields})


def award_programme(learner_id: int, parts: list[Award], **fields: Any) -> Award:
    """Return an award of a programme that stands on others."""
    evidence = {"references": [], "stands_on": [one.uuid for one in parts], "measures": []}
    return make_award(learner_id, programme(), **{"evidence": evidence, "course_key": "", **fields})


def issue_all() -> None:
    """Hand over the outbox and issue until nothing is due."""
    relay_all()
    while issuing.issue_due().looked_at:
        pass


def make_due() -> None:
    """Let whatever waits be due now."""
    CredentialDue.objects.update(due=clock.now(), claim="")


def credential_of(award: Award) -> Credential:
    """Return the live credential of an award."""
    return Credential.objects.get(award=award, live=True)
