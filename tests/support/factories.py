"""Awards for tests of the upper rooms, written as evaluation writes them: row, history, outbox message."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.db import transaction

from mooc_microcred.achievements.models import AchievementVersion, Award, AwardEvent
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.models import OutboxMessage
from tests.support.definitions import RUN, activate, definition

_numbers = count(1)

OUTCOMES = [
    {"domain": "knowledge", "text": {"th": "อธิบายตัวแปรได้", "en": "Explain variables"}},
    {"domain": "skills", "text": {"th": "เขียนโปรแกรมได้", "en": "Write a program"}},
]


def make_version(
    raw: dict[str, Any] | None = None, *, kind: str = "level2", **fields: Any
) -> AchievementVersion:
    """Put a definition in force (issuer, achievement, version); ``fields`` replace its defaults."""
    if raw is None:
        fields.setdefault("outcomes", OUTCOMES)
        raw = definition(fields.pop("code", f"achievement-{next(_numbers)}"), kind, **fields)
    return activate(raw)


def make_award(
    learner_id: int, version: AchievementVersion | None = None, *, announce: bool = True, **fields: Any
) -> Award:
    """Issue an award, visible at once unless ``published_at=None``; its message is in the outbox."""
    version = version or make_version()
    now = clock.now()
    with transaction.atomic():
        award = Award.objects.create(
            **{
                "learner_id": learner_id,
                "achievement": version.achievement,
                "version": version,
                "course_key": RUN,
                "evidence": {"references": ["exam_result:1"], "credits": "3"},
                "issued_at": now,
                "published_at": now,
                **fields,
            }
        )
        AwardEvent.objects.create(award=award, kind=AwardEvent.Kind.ISSUED, at=now)
        if announce and award.published_at is not None:
            _announce(award, "issued", "")
    return award


def change_award(award: Award, kind: str, *, reason: str = "", announce: bool = True, **fields: Any) -> None:
    """Change an award: ``kind`` is that of the event, ``fields`` are the columns that it changes."""
    with transaction.atomic():
        Award.objects.filter(pk=award.pk).update(reason=reason, **fields)
        AwardEvent.objects.create(award=award, kind=kind, at=clock.now(), reason=reason)
        if announce:
            _announce(award, kind, reason)
    award.refresh_from_db()


def suspend(award: Award, reason: str = "certificate_unverified") -> None:
    change_award(award, "suspended", reason=reason, state="suspended", suspended_at=clock.now())


def reinstate(award: Award, reason: str = "certificate_back") -> None:
    change_award(award, "reinstated", reason=reason, state="active", suspended_at=None)


def revoke(award: Award, reason: str = "staff_decision") -> None:
    change_award(award, "revoked", reason=reason, state="revoked", live=None, revoked_at=clock.now())


def expire(award: Award) -> None:
    change_award(award, "expired", reason="expired", state="expired", live=None)


def correct(award: Award, references: list[str], reason: str = "exam_corrected") -> None:
    change_award(award, "corrected", reason=reason, evidence={**award.evidence, "references": references})


def _announce(award: Award, kind: str, reason: str) -> None:
    payload = {"award": award.uuid, "reason": reason}
    outbox.append([outbox.Note(f"award.{kind}", award.learner_id, payload)])


def relay_all() -> None:
    """Hand over everything that is due; nothing may fail."""
    while (report := outbox.relay()).done or report.failed or report.dead:
        assert not report.failed, list(OutboxMessage.objects.values_list("topic", "last_error"))
        assert not report.dead
