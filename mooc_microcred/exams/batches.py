"""The life of a batch of results: uploaded and checked, signed by a second person, released.

Nothing is edited: a correction is a new batch that supersedes an earlier one. Only release makes
results visible, and it sets Level 2 in motion.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from mooc_microcred.achievements.api import (
    append_requests,
    current_catalogue,
    kick_evaluation_after_commit,
)
from mooc_microcred.achievements.data import Exam
from mooc_microcred.achievements.models import Achievement, new_uuid
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.cells import neutralised
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.dates import display_date
from mooc_microcred.core.errors import InvalidInput, NotAllowed, NotFound, WrongState
from mooc_microcred.core.platform import get_platform
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.core.storage import private_storage
from mooc_microcred.exams.data import BatchData, CandidateResult, RowProblem
from mooc_microcred.exams.files import read_table
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult
from mooc_microcred.exams.problems import fitted
from mooc_microcred.exams.rows import GoodRow, check_rows

State = ExamBatch.State
UPLOADERS = (Role.EXAM_OFFICER,)
SIGNATORIES = (Role.EXAM_SIGNATORY,)
RELEASERS = (Role.EXAM_OFFICER, Role.EXAM_SIGNATORY)
READERS = (Role.EXAM_OFFICER, Role.EXAM_SIGNATORY, Role.AUDITOR)

RELEASED = "exam.released"
FOLDER = "exam-results"
# Learners who are put in the queue by one transaction.
CHUNK = 1000
# A stored file without a batch is left by a request that was rolled back.
ORPHAN_AGE = timedelta(days=1)


def exam_of(actor: Actor, exam_code: str, roles: Collection[str]) -> tuple[Achievement, Exam]:
    """Return the achievement and the policy of an exam that the actor may deal with.

    Raises:
        NotFound: there is no such exam in force, or it is another organisation's.
    """
    found = current_catalogue().exams.get(exam_code)
    if found is not None:
        code, exam = found
        achievement = Achievement.objects.get(code=code)
        if actor.has(roles, achievement.organization):
            return achievement, exam
    raise NotFound(_("There is no such exam."))


def upload_batch(
    *,
    actor: Actor,
    exam_code: str,
    file_name: str,
    content: bytes,
    only_right_rows: bool = False,
    supersedes: str = "",
    reason: str = "",
) -> BatchData:
    """Check a file of results and keep it; import its rows if all are right.

    Args:
        actor: an exam officer of the exam's organisation.
        file_name: as uploaded; shown to officers, never used as a path.
        only_right_rows: import the right rows although others are wrong.
        supersedes: uuid of the released batch that this one corrects.
        reason: why it corrects; needed with ``supersedes``.

    Returns:
        the batch: ``imported``, or ``invalid`` with every wrong row and nothing imported.

    Raises:
        NotFound: no such exam or batch for this actor.
        InvalidInput: not a file of results; nothing is kept.
        WrongState: the same file was uploaded before; the batch to correct is not released.
        PlatformUnavailable: candidates cannot be looked up now; nothing is kept.
    """
    achievement, exam = exam_of(actor, exam_code, UPLOADERS)
    corrected = _batch_to_correct(achievement, exam_code, supersedes, reason)
    sha256 = hashlib.sha256(content).hexdigest()
    _refuse_known(exam_code, sha256)
    table = read_table(content)
    good, problems = check_rows(
        table.rows, exam_code=exam_code, exam=exam, corrects=corrected.pk if corrected else None
    )
    stored_as = private_storage().save(f"{FOLDER}/{new_uuid()}", ContentFile(content))
    try:
        with transaction.atomic():
            _make_way(actor, exam_code, sha256)
            batch = ExamBatch.objects.create(  # type: ignore[misc]  # who holds a role has an id
                exam_code=exam_code,
                achievement=achievement,
                organization=achievement.organization,
                state=State.INVALID,
                file_name=_safe_name(file_name),
                stored_as=stored_as,
                sha256=sha256,
                size=len(content),
                rows_total=len(table.rows),
                rows_wrong=len({one.row for one in problems}),
                problems=_stored(problems),
                ignored_columns=list(table.ignored),
                uploaded_by=actor.id,
                uploaded_at=clock.now(),
                supersedes=corrected,
                reason=reason.strip(),
            )
            _log(actor, batch, "uploaded", rows=len(table.rows), wrong=batch.rows_wrong)
            if not problems or (only_right_rows and good):
                _import_rows(actor, batch, good, only_right_rows=bool(problems))
    except IntegrityError:
        private_storage().delete(stored_as)
        # Somebody else was faster with the same file, and has committed by now.
        _refuse_known(exam_code, sha256)
        raise WrongState(_("The same file has just been uploaded by somebody else.")) from None
    except BaseException:
        private_storage().delete(stored_as)
        raise
    return batch_data(batch)


def import_right_rows(*, actor: Actor, batch_uuid: str) -> BatchData:
    """Import the right rows of a batch that has wrong ones; the rows are checked anew.

    Raises:
        NotFound, NotAllowed; WrongState: it has been imported already, or its file is deleted;
        InvalidInput: no row is right.
    """
    batch = batch_of(actor, batch_uuid, UPLOADERS)
    if batch.state != State.INVALID or not batch.stored_as:
        raise WrongState(_("Only a batch with wrong rows whose file is still there can be imported so."))
    _achievement, exam = exam_of(actor, batch.exam_code, UPLOADERS)
    with private_storage().open(batch.stored_as) as file:
        table = read_table(file.read())
    good, problems = check_rows(
        table.rows, exam_code=batch.exam_code, exam=exam, corrects=batch.supersedes_id
    )
    if not good:
        raise InvalidInput(_("No row of the file is right; there is nothing to import."))
    with transaction.atomic():
        _move(batch, State.INVALID, State.INVALID)  # locks it
        batch.rows_wrong = len({one.row for one in problems})
        batch.problems = _stored(problems)
        _import_rows(actor, batch, good, only_right_rows=bool(problems))
    return batch_data(batch)


def sign_batch(*, actor: Actor, batch_uuid: str) -> BatchData:
    """Sign a batch as the second person; whoever uploaded it cannot.

    Raises:
        NotFound, NotAllowed; WrongState: it is not waiting for a signature.
    """
    batch = batch_of(actor, batch_uuid, READERS)
    actor.require(SIGNATORIES, batch.organization)
    if actor.id == batch.uploaded_by:
        raise NotAllowed(_("A second person must sign: you uploaded this batch yourself."))
    with transaction.atomic():
        _move(batch, State.IMPORTED, State.SIGNED, signed_by=actor.id, signed_at=clock.now())
        _log(actor, batch, "signed")
    return batch_data(batch)


def release_batch(*, actor: Actor, batch_uuid: str) -> BatchData:
    """Make the results visible and have their learners judged; a corrected batch is superseded at once.

    Raises:
        NotFound, NotAllowed; WrongState: it is not signed, what it corrects is not released, or
        another released batch has a result of the same candidate on the same day.
    """
    batch = batch_of(actor, batch_uuid, READERS)
    actor.require(RELEASERS, batch.organization)
    with transaction.atomic():
        # One release at a time, so that two batches with the same sitting cannot pass each other.
        Achievement.objects.select_for_update().get(pk=batch.achievement_id)
        _move(batch, State.SIGNED, State.RELEASED, released_by=actor.id, released_at=clock.now())
        if batch.supersedes is not None:
            _move(batch.supersedes, State.RELEASED, State.SUPERSEDED)
            _log(actor, batch.supersedes, "superseded", by=batch.uuid)
        _refuse_sittings_released_before(batch)
        _log(actor, batch, "released")
        outbox.append([outbox.Note(RELEASED, payload={"batch": batch.uuid, "after": 0})])
    return batch_data(batch)


def cancel_batch(*, actor: Actor, batch_uuid: str, reason: str) -> BatchData:
    """Give up a batch that is not released; the same file may then be uploaded again.

    Raises:
        NotFound, NotAllowed; InvalidInput: no reason; WrongState: it is released.
    """
    batch = batch_of(actor, batch_uuid, READERS)
    actor.require(RELEASERS, batch.organization)
    if not reason.strip():
        raise InvalidInput(_("Say in a few words why."))
    if batch.state not in (State.INVALID, State.IMPORTED, State.SIGNED):
        raise WrongState(
            _("A batch that is %(state)s cannot be cancelled; correct it by a new one.")
            % {"state": State(batch.state).label}
        )
    with transaction.atomic():
        # What it would have corrected, and why, stays to be read.
        reasons = "\n".join(filter(None, [batch.reason, reason.strip()]))
        _move(batch, batch.state, State.CANCELLED, live=None, reason=reasons)
        _log(actor, batch, "cancelled")
    return batch_data(batch)


# --- reading ---


def get_batch(*, actor: Actor, batch_uuid: str) -> BatchData:
    """Return a batch that the actor may see.

    Raises:
        NotFound: there is none, or it is another organisation's.
    """
    return batch_data(batch_of(actor, batch_uuid, READERS))


def results_of_batch(
    *, actor: Actor, batch_uuid: str, after_row: int = 0, limit: int = 100
) -> list[CandidateResult]:
    """Return what was imported of a batch, in the order of its file: what the second person signs.

    A constant number of queries.

    Raises:
        NotFound: there is no such batch for this actor.
        PlatformUnavailable: the candidates' names cannot be read now.
    """
    batch = batch_of(actor, batch_uuid, READERS)
    rows = list(batch.results.filter(row__gt=after_row).order_by("row")[:limit])
    learners = {one.learner_id for one in rows}
    profiles = get_platform().read_learners(learners) if learners else {}
    numbers = dict(
        ExamAdmission.objects.filter(exam_code=batch.exam_code, learner_id__in=learners).values_list(
            "learner_id", "number"
        )
    )
    return [
        CandidateResult(
            row=one.row,
            learner_id=one.learner_id,
            name=profiles[one.learner_id].name if one.learner_id in profiles else "",
            admission_number=numbers.get(one.learner_id, ""),
            sat_on=one.sat_on,
            status=str(one.status),
            score=one.score,
            max_score=one.max_score,
            percent=one.percent,
            centre=one.centre,
        )
        for one in rows
    ]


def batch_data(batch: ExamBatch) -> BatchData:
    """Return what crosses the border of a batch."""
    return BatchData(
        uuid=batch.uuid,
        exam_code=batch.exam_code,
        achievement=batch.achievement.code,
        organization=batch.organization,
        state=str(batch.state),
        file_name=batch.file_name,
        sha256=batch.sha256,
        size=batch.size,
        rows_total=batch.rows_total,
        rows_wrong=batch.rows_wrong,
        rows_imported=batch.results.count(),
        only_right_rows=batch.only_right_rows,
        problems=problems_of(batch),
        uploaded_by=batch.uploaded_by,
        uploaded_at=batch.uploaded_at,
        signed_by=batch.signed_by,
        signed_at=batch.signed_at,
        released_by=batch.released_by,
        released_at=batch.released_at,
        supersedes=batch.supersedes.uuid if batch.supersedes else "",
        reason=batch.reason,
        file_deleted_at=batch.file_deleted_at,
        ignored_columns=tuple(batch.ignored_columns),
    )


def problems_of(batch: ExamBatch) -> tuple[RowProblem, ...]:
    """Return the wrong rows of a batch."""
    return tuple(RowProblem(*one) for one in batch.problems)


def export_problems_csv(*, actor: Actor, batch_uuid: str) -> bytes:
    """Return the wrong rows of a batch as CSV in UTF-8 with BOM, for the exam centre.

    Raises:
        NotFound: there is no such batch for this actor.
    """
    batch = batch_of(actor, batch_uuid, READERS)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([_("row"), _("column"), _("value"), _("what is wrong")])
    for one in problems_of(batch):
        writer.writerow(neutralised(cell) for cell in (one.row, one.column, one.value, one.message))
    return ("\ufeff" + buffer.getvalue()).encode("utf-8")


# --- after the release ---


def queue_learners_of_release(message: outbox.Message) -> None:
    """Put the next learners of a released batch, and of the one it corrects, in the queue.

    A subscriber of ``exam.released``. Each message appends at most CHUNK requests and, in the same
    transaction, the message for the rest: a process that dies anywhere loses and blocks nothing.
    """
    batch = ExamBatch.objects.get(uuid=message.payload["batch"])
    after = message.payload["after"]
    concerned = Q(batch=batch) | Q(batch_id=batch.supersedes_id) if batch.supersedes_id else Q(batch=batch)
    learners = list(
        ExamResult.objects.filter(concerned, learner_id__gt=after)
        .order_by("learner_id")
        .values_list("learner_id", flat=True)
        .distinct()[:CHUNK]
    )
    append_requests(learners, reason="exam")
    kick_evaluation_after_commit()
    if len(learners) == CHUNK:
        outbox.append([outbox.Note(RELEASED, payload={"batch": batch.uuid, "after": learners[-1]})])


# --- retention ---


def delete_old_files(*, limit: int = 100) -> int:
    """Delete files after UPLOAD_KEEP_DAYS, with the row problems that quote them; return how many.

    Also deletes what a request that was rolled back left in the storage. Results stay.
    """
    now = clock.now()
    old = ExamBatch.objects.filter(
        file_deleted_at__isnull=True,
        uploaded_at__lt=now - timedelta(days=microcred_settings.UPLOAD_KEEP_DAYS),
    )
    count = 0
    storage = private_storage()
    for batch in old.order_by("id")[:limit]:
        if batch.stored_as:
            storage.delete(batch.stored_as)
        ExamBatch.objects.filter(pk=batch.pk).update(stored_as="", problems=[], file_deleted_at=now)
        count += 1
    return count + _delete_orphans(limit)


def _delete_orphans(limit: int) -> int:
    storage = private_storage()
    try:
        names = [f"{FOLDER}/{name}" for name in storage.listdir(FOLDER)[1]]
    except FileNotFoundError:
        return 0
    known = set(ExamBatch.objects.exclude(stored_as="").values_list("stored_as", flat=True))
    orphans = [name for name in names if name not in known]
    old = [name for name in orphans if storage.get_modified_time(name) < clock.now() - ORPHAN_AGE][:limit]
    for name in old:
        storage.delete(name)
    return len(old)


# --- pieces ---


def batch_of(actor: Actor, batch_uuid: str, roles: Collection[str]) -> ExamBatch:
    """Return a batch for whoever holds one of the roles for its organisation.

    Raises:
        NotFound: there is none, or it is another organisation's.
    """
    batch = (
        ExamBatch.objects.select_related("achievement", "supersedes", "supersedes__achievement")
        .filter(uuid=batch_uuid)
        .first()
    )
    if batch is None or not actor.has(roles, batch.organization):
        raise NotFound(_("There is no such batch."))
    return batch


def _batch_to_correct(
    achievement: Achievement, exam_code: str, supersedes: str, reason: str
) -> ExamBatch | None:
    if not supersedes:
        return None
    if not reason.strip():
        raise InvalidInput(_("Say in a few words why the earlier results are corrected."))
    batch = ExamBatch.objects.filter(
        uuid=supersedes, exam_code=exam_code, organization=achievement.organization
    ).first()
    if batch is None:
        raise NotFound(_("There is no such batch of this exam to correct."))
    if batch.state != State.RELEASED:
        raise WrongState(_("Only a released batch can be corrected; cancel this one instead."))
    return batch


def _refuse_known(exam_code: str, sha256: str) -> None:
    """Refuse a file that was taken before; one that had wrong rows may be looked at again."""
    earlier = (
        ExamBatch.objects.filter(exam_code=exam_code, sha256=sha256, live=True)
        .exclude(state=State.INVALID)
        .defer("problems")
        .first()
    )
    if earlier is not None:
        raise WrongState(
            _("This very file was uploaded on %(date)s as “%(name)s”, batch %(batch)s; it is %(state)s.")
            % {
                "date": display_date(earlier.uploaded_at),
                "name": earlier.file_name,
                "batch": earlier.uuid,
                "state": State(earlier.state).label,
            }
        )


def _make_way(actor: Actor, exam_code: str, sha256: str) -> None:
    """Let a file that had wrong rows give way to a new look at it."""
    earlier = ExamBatch.objects.defer("problems").filter(
        exam_code=exam_code, sha256=sha256, live=True, state=State.INVALID
    )
    for batch in earlier:
        reason = str(_("The same file was uploaded again."))
        same = ExamBatch.objects.filter(pk=batch.pk, state=State.INVALID)
        # Somebody else may be doing the same right now.
        if same.update(live=None, state=State.CANCELLED, reason=reason):
            _log(actor, batch, "cancelled")


def _refuse_sittings_released_before(batch: ExamBatch) -> None:
    """Refuse a batch with a sitting that is released already: it would count as two attempts."""
    other = ExamResult.objects.filter(
        exam_code=OuterRef("exam_code"),
        learner_id=OuterRef("learner_id"),
        sat_on=OuterRef("sat_on"),
        batch__state=State.RELEASED,
    ).exclude(batch_id=batch.pk)
    rows = batch.results.filter(Exists(other)).order_by("row").values_list("row", flat=True)[:20]
    if rows:
        raise WrongState(
            _(
                "Another batch with results of the same candidates on the same day has been released "
                "(rows %(rows)s). Cancel this one, or upload it as a correction of the other."
            )
            % {"rows": ", ".join(map(str, rows))}
        )


def _safe_name(file_name: str) -> str:
    """Return the name as officers see it: without folders and characters that cannot be shown."""
    bare = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(one for one in bare if one.isprintable())[:200] or "results"


def _import_rows(actor: Actor, batch: ExamBatch, rows: list[GoodRow], *, only_right_rows: bool) -> None:
    ExamResult.objects.bulk_create(
        [
            ExamResult(
                batch=batch,
                exam_code=batch.exam_code,
                learner_id=one.learner_id,
                row=one.row,
                status=one.status,
                sat_on=one.sat_on,
                score=one.score,
                max_score=one.max_score,
                percent=one.percent,
                centre=one.centre,
            )
            for one in rows
        ],
        batch_size=1000,
    )
    batch.state = State.IMPORTED
    batch.only_right_rows = only_right_rows
    batch.save(update_fields=["state", "only_right_rows", "rows_wrong", "problems"])
    _log(actor, batch, "imported", rows=len(rows), only_right_rows=only_right_rows)


def _move(batch: ExamBatch, before: str, after: str, **fields: Any) -> None:
    """Move a batch from one state to the next by compare-and-set."""
    if not ExamBatch.objects.filter(pk=batch.pk, state=before).update(state=after, **fields):
        current = ExamBatch.objects.only("state").get(pk=batch.pk).state
        raise WrongState(
            _("This cannot be done to a batch that is %(state)s.") % {"state": State(current).label}
        )
    batch.state = after
    for name, value in fields.items():
        setattr(batch, name, value)


def _log(actor: Actor, batch: ExamBatch, action: str, **details: Any) -> None:
    log_action(
        actor_id=actor.id,
        action=f"exam_batch.{action}",
        object_type="exam_batch",
        object_id=batch.uuid,
        organization=batch.organization,
        sha256=batch.sha256,
        **details,
    )


def _stored(problems: Iterable[RowProblem]) -> list[Any]:
    return fitted((one.row, one.column, one.value, one.code, dict(one.params)) for one in problems)
