"""An exam in force, its officers, and candidates on the platform."""

import pytest

from mooc_microcred.core.models import StaffRole
from mooc_microcred.core.roles import Actor
from tests.support.definitions import RUN, level1, level2

OFFICER, SIGNATORY, STRANGER = 101, 102, 103
EXAM = "py101-exam"


@pytest.fixture(autouse=True)
def _private_files(settings, tmp_path):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "PRIVATE_STORAGE_ROOT": str(tmp_path / "private")}


@pytest.fixture
def officer():
    return Actor(user_id=OFFICER)


@pytest.fixture
def signatory():
    return Actor(user_id=SIGNATORY)


@pytest.fixture
def stranger():
    """An officer of another organisation."""
    return Actor(user_id=STRANGER)


@pytest.fixture
def exam(db, platform):
    """Put an exam in force with three enrolled learners: 1 somchai, 2 somying, 3 john."""
    level1()
    level2()
    StaffRole.objects.create(user_id=OFFICER, role="exam_officer", organization="KMUTT")
    StaffRole.objects.create(user_id=OFFICER, role="exam_signatory", organization="KMUTT")
    StaffRole.objects.create(user_id=SIGNATORY, role="exam_signatory", organization="KMUTT")
    StaffRole.objects.create(user_id=STRANGER, role="exam_officer", organization="CMU")
    StaffRole.objects.create(user_id=STRANGER, role="exam_signatory", organization="CMU")
    for learner, username, name in (
        (1, "somchai", "สมชาย ใจดี"),
        (2, "somying", "สมหญิง รักเรียน"),
        (3, "john", "John Smith"),
    ):
        platform.add_learner(learner, name, username, f"{username}@example.com")
        platform.certify(learner, RUN)
    return EXAM
