"""A learner's own page is kept for a minute, and shown until something of theirs changes.

What stands on a page comes from a dozen tables and from the platform; whether it still holds is asked of
the database with one query, or two or three where what is shown is not bound to awards. Whoever writes a
learner's awards takes their lease and gives it back at a new instant, and so does every evaluation that the
platform's signals lead to: all of that is seen at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.db import connections
from django.db.models import Count, Exists, Max, Model, QuerySet, Subquery
from django.http import HttpResponse

import mooc_microcred
from mooc_microcred.achievements.models import CatalogueRevision
from mooc_microcred.competencies.models import Mastery
from mooc_microcred.core.models import AuditEntry, LearnerIdentity, LearnerLease, StaffRole
from mooc_microcred.core.pages.keeping import KEEP, for_anybody, for_reader
from mooc_microcred.core.pages.people import around, shown
from mooc_microcred.core.pages.site import page
from mooc_microcred.core.pages.style import style_sheet_url
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
    state = _state(request.actor.id, tuple(also))
    # Without a catalogue there is no row that says so; and a message is told once.
    if state is None or len(messages.get_messages(request)):
        return shown(request, template, read()[0])
    key = f"mooc_microcred.own.{_stamp(request, template, state)}"
    content = cache.get(key)
    if content is None:
        context, lasting = read()
        content = for_anybody(template, {**around(request), **context}, request.language, request)
        if lasting:
            cache.set(key, content, KEEP)
    return page(for_reader(request, content), request.language, shared=False)


def _stamp(request: Any, template: str, state: tuple[Any, ...]) -> str:
    """Return a text that changes with all that the page depends on."""
    seen = (
        mooc_microcred.__version__,
        style_sheet_url(),
        template,
        request.actor.id,
        request.actor.superuser,
        request.get_full_path(),
        request.language,
        state,
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:40]


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
    alias, sql, given = _sql(name, also)
    mine: dict[Any, Any] = {_SOMEBODY: learner_id, str(_SOMEBODY): str(learner_id)}
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, [mine.get(one, one) for one in given])
        return tuple(cursor.fetchall())


@lru_cache(maxsize=32)
def _sql(name: str, also: tuple[str, ...]) -> tuple[str, str, tuple[Any, ...]]:
    asked = _ROWS[name](_SOMEBODY) if name else _one_row(_SOMEBODY, also)
    sql, given = asked.query.get_compiler(asked.db).as_sql()
    return asked.db, sql, tuple(given)


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
