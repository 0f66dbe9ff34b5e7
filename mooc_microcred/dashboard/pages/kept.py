"""A learner's own page is kept for a minute, and shown until something of theirs changes.

What stands on a page comes from a dozen tables and from the platform; whether it still holds is asked of
the database with one query, or two or three where what is shown is not bound to awards. Whoever writes a
learner's awards takes their lease and gives it back at a new instant, and so does every evaluation that the
platform's signals lead to: all of that is seen at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Count, Exists, Max, Model, QuerySet, Subquery
from django.http import HttpResponse

from mooc_microcred.achievements.models import CatalogueRevision
from mooc_microcred.competencies.models import Mastery
from mooc_microcred.core.asking import asked
from mooc_microcred.core.models import AuditEntry, LearnerIdentity, LearnerLease, StaffRole
from mooc_microcred.core.pages.people import shown_while
from mooc_microcred.credentials.models import Credential, LearnerDid
from mooc_microcred.creditbank.models import Consent, CreditRecord
from mooc_microcred.exams.models import ExamAdmission, ExamResult

# What else decides whether a page still holds: (name of a room) -> see _PARTS and _ROWS.
EXAMS, CREDITS, HOLDINGS = "exams", "credits", "holdings"


def kept(
    request: Any,
    template: str,
    read: Callable[[], tuple[Mapping[str, Any], bool]],
    *,
    also: Sequence[str] = (),
) -> HttpResponse:
    """Return a page that asks for nothing but the reader's own state, as it was kept or made anew.

    Args:
        read: returns the page's context, and whether it may be kept.
        also: what it shows besides awards, credentials and the catalogue.
    """
    return shown_while(request, template, _state(request.actor.id, tuple(also)), read)


def _state(learner_id: int, also: tuple[str, ...]) -> tuple[Any, ...] | None:
    """Return what changes with what is the learner's, by indexes alone; None where there is no catalogue."""
    rows = _ask("", also, learner_id)
    if not rows:
        return None
    return (*rows, *(_ask(name, (), learner_id) for name in also if name in _ROWS))


# --- what is asked for ---

# Stands for the learner while a question is put into SQL, which happens once.
_SOMEBODY = -(2**62) + 1


def _ask(name: str, also: tuple[str, ...], learner_id: int) -> tuple[Any, ...]:
    return asked(_question, name, also, given={_SOMEBODY: learner_id, str(_SOMEBODY): str(learner_id)})


def _question(name: str, also: tuple[str, ...]) -> QuerySet[Any, Any]:
    return _ROWS[name](_SOMEBODY) if name else _one_row(_SOMEBODY, also)


def _count(model: type[Model], learner_id: int, counted: str = "pk") -> Subquery:
    return _number(model._default_manager.filter(learner_id=learner_id), "learner_id", Count(counted))


def _number(rows: QuerySet[Any], by: str, found: Any) -> Subquery:
    return Subquery(rows.order_by().values(by).annotate(found=found).values("found")[:1])


def _one_row(learner_id: int, also: Sequence[str]) -> QuerySet[Any, Any]:
    """Return the question of one row: the catalogue, the learner's lease, credentials and roles, and more."""
    lease = LearnerLease.objects.filter(learner_id=learner_id).values("expires")[:1]
    found = [
        Subquery(lease),
        _number(Credential.objects.filter(learner_id=learner_id), "learner_id", Max("pk")),
        Exists(StaffRole.objects.filter(user_id=learner_id)),
    ]
    for name in also:
        found += _PARTS[name](learner_id)
    return CatalogueRevision.objects.filter(pk=1).values_list("token", *found)


def _log_of(kind: str, ids: Any, **of: Any) -> Subquery:
    return _number(
        AuditEntry.objects.filter(object_type=kind, object_id__in=ids, **of), "object_type", Count("pk")
    )


# Of tables whose rows only come, or change in one way once: how many there are says whether they changed.
_PARTS: dict[str, Callable[[int], list[Any]]] = {
    EXAMS: lambda one: [_count(ExamAdmission, one)],
    CREDITS: lambda one: [
        _count(Consent, one),
        _count(Consent, one, "withdrawn_at"),
        _count(LearnerIdentity, one),
        _number(LearnerIdentity.objects.filter(learner_id=one), "learner_id", Max("verified_at")),
    ],
    HOLDINGS: lambda one: [
        _count(Mastery, one),
        Subquery(LearnerDid.objects.filter(learner_id=one).values("proved_at")[:1]),
        _log_of("credential", Credential.objects.filter(learner_id=one).values("uuid")),
        _log_of(
            "exam",
            ExamAdmission.objects.filter(learner_id=one).values("exam_code"),
            action="exam.candidates_listed",
        ),
    ],
}
# Of what comes and goes: the very rows, which are few for one learner.
_ROWS: dict[str, Callable[[int], QuerySet[Any, Any]]] = {
    EXAMS: lambda one: (
        ExamResult.objects.filter(learner_id=one).order_by("pk").values_list("pk", "batch__state")
    ),
    CREDITS: lambda one: (
        CreditRecord.objects.filter(learner_id=one)
        .order_by("pk", "deliveries__pk")
        .values_list(
            "pk",
            "state",
            "changed",
            "credits",
            *(
                f"deliveries__{name}"
                for name in (
                    "pk",
                    "state",
                    "reason",
                    "attempts",
                    "due",
                    "last_error",
                    "receipt",
                    "sent_at",
                    "handed_over_at",
                    "acknowledged_at",
                )
            ),
        )
    ),
    HOLDINGS: lambda one: (
        AuditEntry.objects.filter(object_type="learner", object_id=str(one))
        .order_by()
        .values_list(Count("pk"))
    ),
}
