"""What exam officers, signatories and auditors see: lists, what waits for them, history, comparison.

Everything is bound to the organisations for which the actor holds a role, is listed newest first from a
given place on, and costs a constant number of queries.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from mooc_microcred.achievements.api import current_catalogue
from mooc_microcred.core.asking import asked
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.errors import WrongState
from mooc_microcred.core.models import AuditEntry
from mooc_microcred.core.platform import get_platform
from mooc_microcred.core.roles import Actor
from mooc_microcred.exams.batches import READERS, RELEASERS, SIGNATORIES, UPLOADERS, batch_of
from mooc_microcred.exams.data import (
    BatchAction,
    BatchSummary,
    Comparison,
    Difference,
    ExamSummary,
    ListedAdmission,
    WaitingBatches,
)
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult

State = ExamBatch.State
# Candidates of one exam in one file for its centre.
MAX_LISTED = 20_000


def exams_in_force(*, organizations: Collection[str] | None) -> list[ExamSummary]:
    """Return the exams in force of some organisations, by code.

    Args:
        organizations: short names; None means all.
    """
    catalogue = current_catalogue()
    found = []
    for code, (achievement, exam) in sorted(catalogue.exams.items()):
        definition = catalogue.newest(achievement)
        if definition is not None and (organizations is None or definition.organization in organizations):
            found.append(
                ExamSummary(
                    code=code,
                    name=exam.name,
                    achievement=achievement,
                    organization=definition.organization,
                    max_score=exam.max_score,
                    attempts=exam.attempts,
                    resit_gap_days=exam.resit_gap_days,
                    policy=exam.policy,
                )
            )
    return found


# --- batches ---


# What a line of a list is made of: columns alone, since a desk shows four lists of them.
_LINE = (
    "pk",
    "uuid",
    "exam_code",
    "organization",
    "state",
    "file_name",
    "rows_total",
    "rows_wrong",
    "uploaded_by",
    "uploaded_at",
    "supersedes__uuid",
)


# Organisations of a role, as an argument of a question; None means all.
_Scope = tuple[str, ...] | None


def _scope(actor: Actor, roles: Collection[str]) -> _Scope:
    scopes = actor.organizations(roles)
    return None if scopes is None else tuple(sorted(scopes))


def _in(scope: _Scope) -> Q:
    return Q() if scope is None else Q(organization__in=scope)


def list_batches(
    *,
    actor: Actor,
    exam_code: str = "",
    organization: str = "",
    state: str = "",
    below: int | None = None,
    limit: int = 25,
) -> list[BatchSummary]:
    """Return batches that the actor may see, newest first: one query.

    Args:
        exam_code, organization, state: only these; empty means all.
        below: only those with a smaller id.
    """
    rows = _listed_batches(_scope(actor, READERS), exam_code, organization, state, below, limit, _LINE)
    return [_summary(row, actor) for row in rows]


def _listed_batches(
    scope: _Scope,
    exam_code: str,
    organization: str,
    state: str,
    below: int | None,
    limit: int,
    columns: tuple[str, ...],
) -> QuerySet[Any, Any]:
    rows = ExamBatch.objects.filter(_in(scope))
    for name, value in (("exam_code", exam_code), ("organization", organization), ("state", state)):
        if value:
            rows = rows.filter(**{name: value})
    if below is not None:
        rows = rows.filter(pk__lt=below)
    return rows.order_by("-pk").values_list(*columns)[:limit]


def batches_waiting_for(*, actor: Actor, limit: int = 10) -> WaitingBatches:
    """Return what this person can do next: at most ``limit`` of each kind, with one query."""
    found: dict[str, list[BatchSummary]] = {State.IMPORTED: [], State.SIGNED: [], State.INVALID: []}
    for row in _waiting_batches(*_roles(actor), actor.id, limit, _LINE):
        one = _summary(row, actor)
        found[one.state].append(one)
    return WaitingBatches(
        to_sign=found[State.IMPORTED], to_release=found[State.SIGNED], to_mend=found[State.INVALID]
    )


def _roles(actor: Actor) -> tuple[_Scope, _Scope, _Scope]:
    return _scope(actor, SIGNATORIES), _scope(actor, RELEASERS), _scope(actor, UPLOADERS)


def _waiting_batches(
    signs: _Scope, releases: _Scope, mends: _Scope, actor_id: int | None, limit: int, columns: tuple[str, ...]
) -> QuerySet[Any, Any]:
    wanted = _in(signs) & Q(state=State.IMPORTED) & ~Q(uploaded_by=actor_id)
    wanted |= _in(releases) & Q(state=State.SIGNED)
    wanted |= _in(mends) & Q(state=State.INVALID)
    place = Window(RowNumber(), partition_by="state", order_by="-pk")
    rows = ExamBatch.objects.filter(wanted).annotate(place=place).filter(place__lte=limit)
    return rows.order_by("-pk").values_list(*columns)


def desk_state(
    *,
    actor: Actor,
    exam_code: str = "",
    organization: str = "",
    state: str = "",
    below: int | None = None,
    limit: int = 25,
    waiting: int = 10,
) -> tuple[Any, ...]:
    """Return what changes with a page of the desk, which batches in which state; two queries.

    What else a line says of a batch stands fast since its upload, or changes with its state.

    Args:
        waiting: how many of each kind wait at most; the others are those of ``list_batches``.
    """
    where = exam_code, organization, state, below, limit
    columns = ("pk", "state")
    found = asked(_listed_batches, _scope(actor, READERS), *where, columns)
    roles = _roles(actor)
    if not any(scope is None or scope for scope in roles):
        return found, ()
    return found, asked(_waiting_batches, *roles, actor.id, waiting, columns)


def _summary(row: Sequence[Any], actor: Actor) -> BatchSummary:
    given = dict(zip(_LINE, row, strict=True))
    supersedes = given.pop("supersedes__uuid")
    return BatchSummary(
        id=given.pop("pk"),
        supersedes=supersedes or "",
        mine=given["uploaded_by"] == actor.id,
        **given,
    )


def history_of_batch(*, actor: Actor, batch_uuid: str, limit: int = 100) -> list[BatchAction]:
    """Return what was done to a batch, oldest first, as the audit log has it.

    Raises:
        NotFound: there is no such batch for this actor.
    """
    batch = batch_of(actor, batch_uuid, READERS)
    rows = AuditEntry.objects.filter(object_type="exam_batch", object_id=batch.uuid).order_by("id")[:limit]
    return [BatchAction(row.at, row.actor_id, row.action, row.details) for row in rows]


def correction_of_batch(*, actor: Actor, batch_uuid: str) -> BatchSummary | None:
    """Return the newest correction of a batch that is not cancelled, or None.

    Raises:
        NotFound: there is no such batch for this actor.
    """
    batch = batch_of(actor, batch_uuid, READERS)
    rows = ExamBatch.objects.filter(supersedes=batch).exclude(state=State.CANCELLED)
    row = rows.order_by("-pk").values_list(*_LINE).first()
    return _summary(row, actor) if row else None


def compare_with_corrected(*, actor: Actor, batch_uuid: str, limit: int = 50) -> Comparison:
    """Return what a correction changes of the batch whose place it takes.

    A sitting is the same if learner and day are: one whose day is corrected is missing and added.

    Args:
        limit: how many differences of each kind are listed; all are counted.

    Raises:
        NotFound: there is no such batch for this actor. WrongState: it corrects none.
        PlatformUnavailable: the candidates' names cannot be read now.
    """
    batch = batch_of(actor, batch_uuid, READERS)
    if batch.supersedes_id is None:
        raise WrongState(_("This batch corrects no other."))
    before = ExamResult.objects.filter(
        batch_id=batch.supersedes_id, learner_id=OuterRef("learner_id"), sat_on=OuterRef("sat_on")
    )
    after = ExamResult.objects.filter(
        batch_id=batch.pk, learner_id=OuterRef("learner_id"), sat_on=OuterRef("sat_on")
    )
    new, old = batch.results.all(), ExamResult.objects.filter(batch_id=batch.supersedes_id)
    # An absence has no score, and no score is neither above nor below another one.
    other = before.filter(
        ~Q(status=OuterRef("status")) | Q(score__lt=OuterRef("score")) | Q(score__gt=OuterRef("score"))
    )
    # Who had a score and has none now, or a smaller one.
    less = before.filter(Q(score__gt=OuterRef("score")) | (Q(status="sat") & ~Q(status=OuterRef("status"))))
    changed = new.filter(Exists(other))
    added = new.filter(~Exists(before))
    missing = old.filter(~Exists(after))
    counted = {"changed": changed.count(), "added": added.count(), "missing": missing.count()}
    rows = [
        *(("missing", row) for row in missing.order_by("row")[:limit]),
        *(("changed", row) for row in changed.order_by("row")[:limit]),
        *(("added", row) for row in added.order_by("row")[:limit]),
    ]
    return Comparison(
        **counted,
        lower=new.filter(Exists(less)).count(),
        unchanged=new.count() - counted["changed"] - counted["added"],
        differences=_differences(batch, rows),
    )


def _differences(batch: ExamBatch, rows: Sequence[tuple[str, ExamResult]]) -> list[Difference]:
    learners = {row.learner_id for _what, row in rows}
    earlier = {
        (row.learner_id, row.sat_on): row
        for row in ExamResult.objects.filter(batch_id=batch.supersedes_id, learner_id__in=learners)
    }
    profiles = get_platform().read_learners(learners) if learners else {}
    numbers = _numbers(batch.exam_code, learners)
    found = []
    for kind, row in rows:
        was = row if kind == "missing" else earlier.get((row.learner_id, row.sat_on))
        now = None if kind == "missing" else row
        found.append(
            Difference(
                kind=kind,
                row=now.row if now else 0,
                learner_id=row.learner_id,
                name=profiles[row.learner_id].name if row.learner_id in profiles else "",
                admission_number=numbers.get(row.learner_id, ""),
                sat_on=row.sat_on,
                status_before=str(was.status) if was else "",
                before=was.score if was else None,
                status_after=str(now.status) if now else "",
                after=now.score if now else None,
            )
        )
    return found


def _numbers(exam_code: str, learners: Collection[int]) -> dict[int, str]:
    rows = ExamAdmission.objects.filter(exam_code=exam_code, learner_id__in=learners)
    return dict(rows.values_list("learner_id", "number"))


# --- admissions ---


def _admissions_seen_by(actor: Actor, roles: Collection[str] = READERS) -> QuerySet[ExamAdmission]:
    scopes = actor.organizations(roles)
    rows = ExamAdmission.objects.all()
    return rows if scopes is None else rows.filter(organization__in=scopes)


def list_admissions(
    *, actor: Actor, exam_code: str = "", below: int | None = None, limit: int = 50
) -> list[ListedAdmission]:
    """Return candidates of exams that the actor deals with, newest first: one query and one look-up.

    Raises:
        PlatformUnavailable: the candidates' names cannot be read now.
    """
    rows = _admissions_seen_by(actor)
    if exam_code:
        rows = rows.filter(exam_code=exam_code)
    if below is not None:
        rows = rows.filter(pk__lt=below)
    return _listed(rows.order_by("-pk")[:limit])


def find_admissions(
    *, actor: Actor, words: str, exam_code: str = "", limit: int = 50
) -> list[ListedAdmission]:
    """Return candidates by the beginning of their number, or by user name or e-mail address.

    Raises:
        PlatformUnavailable: learners cannot be looked up now.
    """
    words = words.strip()
    if not words:
        return []
    field = {"emails": [words]} if "@" in words else {"usernames": [words]}
    learners = [one.learner_id for one in get_platform().find_learners(**field)]
    rows = _admissions_seen_by(actor).filter(Q(number__istartswith=words) | Q(learner_id__in=learners))
    if exam_code:
        rows = rows.filter(exam_code=exam_code)
    return _listed(rows.order_by("-pk")[:limit])


def admissions_for_centre(*, actor: Actor, exam_code: str) -> list[ListedAdmission]:
    """Return the candidates of an exam, for the list that its centre gets; this is written down.

    Args:
        actor: an exam officer; of exams of other organisations nobody is returned.

    Raises:
        PlatformUnavailable: the candidates' names cannot be read now.
    """
    rows = _admissions_seen_by(actor, UPLOADERS).filter(exam_code=exam_code)
    found = _listed(rows.order_by("pk")[:MAX_LISTED])
    if found:
        log_action(
            actor_id=actor.id,
            action="exam.candidates_listed",
            object_type="exam",
            object_id=exam_code,
            organization=found[0].organization,
            count=len(found),
        )
    return found


def _listed(rows: QuerySet[ExamAdmission]) -> list[ListedAdmission]:
    found = list(rows)
    profiles = get_platform().read_learners({row.learner_id for row in found}) if found else {}
    return [
        ListedAdmission(
            id=row.pk,
            exam_code=row.exam_code,
            organization=row.organization,
            number=row.number,
            learner_id=row.learner_id,
            name=profiles[row.learner_id].name if row.learner_id in profiles else "",
            username=profiles[row.learner_id].username if row.learner_id in profiles else "",
            created=row.created,
        )
        for row in found
    ]
