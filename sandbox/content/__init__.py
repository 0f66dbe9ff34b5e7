"""The courses of the sandbox and how they are loaded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml
from django.db import transaction
from opaque_keys.edx.keys import CourseKey

from mooc_microcred.competencies import api as competencies
from mooc_microcred.core.roles import Actor
from mooc_microcred.core.texts import Text
from sandbox.models import Course, Question, Unit

SERIES = Path(__file__).parent / "python_series.yaml"
SKILLS = Path(__file__).parent / "python_skills.csv"


@transaction.atomic
def load_courses(file: Path = SERIES) -> list[Course]:
    """Make or refresh the courses of a file; what learners did in them stays."""
    return [_load(raw) for raw in yaml.safe_load(file.read_text(encoding="utf-8"))["courses"]]


def _load(raw: dict) -> Course:
    key = CourseKey.from_string(raw["key"])
    course, _ = Course.objects.update_or_create(
        course_key=raw["key"],
        defaults={
            "organization": key.org,
            "number": key.course,
            "run": key.run,
            "start": datetime(2026, 1, 5, tzinfo=UTC),
            "certificates_automatic": raw["certificates"] == "automatic",
            **_both("title", raw),
            **_both("about", raw),
        },
    )
    for position, unit in enumerate(raw["units"], start=1):
        _unit(course, Unit.Kind.READING, f"unit{position}", position, unit)
    self_test = {"title": {"th": "แบบทดสอบตนเอง", "en": "Self-test"}, "text": {}}
    _unit(course, Unit.Kind.SELF_TEST, "selftest", len(raw["units"]) + 1, self_test)
    for position, question in enumerate(raw["questions"], start=1):
        Question.objects.update_or_create(
            course=course,
            position=position,
            defaults={
                **_both("text", question),
                "code": question.get("code", ""),
                "choices": question["choices"],
            },
        )
    return course


def _unit(course: Course, kind: str, block: str, position: int, raw: dict) -> None:
    Unit.objects.update_or_create(
        block_key=str(course.key.make_usage_key(kind, block)),
        defaults={
            "course": course,
            "kind": kind,
            "position": position,
            "code": raw.get("code", ""),
            **_both("title", raw),
            **_both("text", raw),
        },
    )


def _both(field: str, raw: dict) -> dict[str, str]:
    return {f"{field}_{language}": raw[field].get(language, "") for language in ("th", "en")}


FRAMEWORK = "8d5f0c0e-6d0b-4c5a-9d5f-2b1c7a4e9f10"


def load_framework(file: Path = SKILLS) -> None:
    """Make or refresh the framework from which authors pick, as a programme officer imports it."""
    actor = Actor(user_id=None, superuser=True)
    preview = competencies.preview_import(
        actor=actor,
        content=file.read_bytes(),
        organization="KMUTT",
        framework=FRAMEWORK,
        title=Text(th="ทักษะไพทอน", en="Python skills"),
    )
    competencies.commit_import(actor=actor, token=preview.token, publish=True)
