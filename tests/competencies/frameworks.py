"""Frameworks as tests need them."""

from uuid import UUID, uuid5

from django.utils import timezone

from mooc_microcred.competencies.frameworks import search_text
from mooc_microcred.competencies.models import Competency, Framework

NAMESPACE = UUID("5f1c3b7e-0a2d-4f0e-9a51-6d8f5f7a0001")


def identifier(name: str) -> str:
    return str(uuid5(NAMESPACE, name))


def make_framework(name="english", organization="KMUTT", items=None, state="published", **fields):
    """Write a framework; items are (code, Thai, English, code of the parent)."""
    framework = Framework.objects.create(
        identifier=identifier(name),
        title_th="ภาษาอังกฤษ",
        title_en=name.title(),
        creator="KMUTT",
        organization=organization,
        state=state,
        changed=timezone.now(),
        **fields,
    )
    items = items or [
        ("EN", "ภาษาอังกฤษเพื่อการทำงาน", "English for work", None),
        ("EN-1", "การฟัง", "Listening", "EN"),
        ("EN-1.1", "จับใจความสำคัญ", "Gets the gist", "EN-1"),
        ("EN-1.2", "ฟังคำสั่งได้", "Follows instructions", "EN-1"),
        ("EN-2", "การเขียนอีเมล", "Writes e-mail", "EN"),
    ]
    rows = {}
    for ordinal, (code, thai, english, parent) in enumerate(items):
        above = rows.get(parent)
        rows[code] = Competency.objects.create(
            framework=framework,
            identifier=identifier(f"{name}/{code}"),
            code=code,
            statement_th=thai,
            statement_en=english,
            domain="skills",
            parent=above,
            ordinal=ordinal,
            depth=above.depth + 1 if above else 0,
            search=search_text(code, thai, english),
            changed=timezone.now(),
        )
        if above:
            Competency.objects.filter(pk=above.pk).update(child_count=above.child_count + 1)
            above.child_count += 1
    return framework


def key(code: str, name: str = "english") -> tuple[str, str]:
    return identifier(name), identifier(f"{name}/{code}")
