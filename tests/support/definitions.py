"""Definitions for tests: small, valid, and put in force without the catalogue's loader."""

from __future__ import annotations

from typing import Any

from mooc_microcred.achievements.catalogue import touch_catalogue
from mooc_microcred.achievements.models import Achievement, AchievementVersion, CourseRequirement, Issuer
from mooc_microcred.core import clock

RUN = "course-v1:KMUTT+PY101+2026"


def definition(code: str, kind: str, **fields: Any) -> dict[str, Any]:
    """Return a definition as in the catalogue's YAML; ``fields`` replace its defaults."""
    base = {
        "code": code,
        "organization": "KMUTT",
        "kind": kind,
        "issuer": "kmutt",
        "name": {"th": f"ไทย {code}", "en": f"English {code}"},
        "criteria": {"narrative": {"th": "ทำครบ", "en": "Do it all."}},
        "hours": "45",
        "credits": "3",
        "outcomes": [{"domain": "skills", "text": {"th": "ทำได้", "en": "can do"}}],
        "assessment": {
            "types": ["testing"],
            "participation": "online",
            "supervision": "unsupervised_without_id",
            "method": "CE" if kind == "level2" else "CT",
        },
        "quality_assurance": "institution",
    }
    return {**base, **fields}


def activate(raw: dict[str, Any], *, number: int = 1, state: str = "active") -> AchievementVersion:
    """Put a definition in force."""
    issuer, _ = Issuer.objects.get_or_create(
        code=raw["issuer"],
        defaults={
            "organization": raw["organization"],
            "definition": {"code": raw["issuer"], "name": {"th": "มจธ.", "en": "KMUTT"}, "country": "TH"},
        },
    )
    achievement, _ = Achievement.objects.get_or_create(
        code=raw["code"],
        defaults={"organization": raw["organization"], "kind": raw["kind"], "created": clock.now()},
    )
    version = AchievementVersion.objects.create(
        achievement=achievement,
        number=number,
        state=state,
        issuer=issuer,
        definition=raw,
        activated_at=clock.now(),
    )
    course = raw.get("course", {})
    if "runs" in course:
        for run in course["runs"]:
            CourseRequirement.objects.create(version=version, course_key=run)
    elif course:
        CourseRequirement.objects.create(
            version=version, organization=course["organization"], number=course["number"]
        )
    touch_catalogue()
    return version


def level1(code: str = "py101-l1", *, mode: str = "mirror", rule: dict | None = None, **fields: Any):
    """Put a Level 1 in force; a mirror unless told otherwise."""
    criteria: dict[str, Any] = {"narrative": {"en": "Complete the course."}, "mode": mode}
    if rule is not None:
        criteria["rule"] = rule
    fields.setdefault("course", {"organization": "KMUTT", "number": "PY101"})
    number = fields.pop("number", 1)
    return activate(definition(code, "level1", criteria=criteria, **fields), number=number)


def level2(
    code: str = "py101-l2",
    *,
    needs: str | None = "py101-l1",
    exam: str = "py101-exam",
    rule: dict | None = None,
    exam_fields: dict | None = None,
    **fields: Any,
):
    """Put a Level 2 in force: its exam with at least 60 percent unless told otherwise."""
    criteria = {
        "narrative": {"en": "Pass the exam."},
        "level1": needs,
        "rule": rule or {"exam": {"code": exam, "minimum": 60}},
    }
    exams = [{"code": exam, "name": {"en": "Exam"}, "max_score": "100", **(exam_fields or {})}]
    fields.setdefault("course", {"organization": "KMUTT", "number": "PY101"})
    number = fields.pop("number", 1)
    return activate(definition(code, "level2", criteria=criteria, exams=exams, **fields), number=number)


def programme(code: str, tree: dict, **fields: Any):
    """Put a programme in force."""
    criteria = {"narrative": {"en": "Collect all parts."}, "tree": tree}
    number = fields.pop("number", 1)
    return activate(definition(code, "programme", criteria=criteria, **fields), number=number)
