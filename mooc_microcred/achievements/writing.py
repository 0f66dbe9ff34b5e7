"""Writing what was decided: awards, their history, outbox messages and the folded requests, at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from mooc_microcred.achievements import refusals
from mooc_microcred.achievements.catalogue import course_of_run
from mooc_microcred.achievements.decisions import ASK_AGAIN_AFTER, ASK_AGAIN_AT_MOST, Change, Decision
from mooc_microcred.achievements.models import Award, AwardEvent, CertificateAsk, EvaluationRequest
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.lease import confirm_leases
from mooc_microcred.core.platform import CertificateAnswer, get_platform

Event = AwardEvent.Kind

# Learners whose awards are written in one transaction: few enough to keep their locks short.
LEARNERS_PER_TRANSACTION = 50
ROWS_PER_DELETE = 1000
ROWS_PER_INSERT = 1000
# Attempts are counted up to here; the gap has long stopped growing.
MOST_ATTEMPTS = 100

TOPICS = {
    Event.ISSUED: "award.issued",
    Event.PUBLISHED: "award.issued",
    Event.SUSPENDED: "award.suspended",
    Event.REINSTATED: "award.reinstated",
    Event.CORRECTED: "award.corrected",
    Event.EXPIRED: "award.expired",
    Event.REVOKED: "award.revoked",
}


@dataclass(frozen=True, slots=True)
class LearnerWork:
    """A learner's decision and the requests that it answers."""

    learner_id: int
    decision: Decision
    request_ids: Sequence[int]


@dataclass(slots=True)
class Written:
    """How many awards were issued and changed; learners whose lease was lost are in neither."""

    issued: int = 0
    changed: int = 0


def write_decisions(token: str, work: Sequence[LearnerWork]) -> Written:
    """Write the decisions of learners whose leases are held under ``token``.

    Learners whose lease is no longer held are left alone: their requests stay for whoever has it.
    """
    written = Written()
    known = future_requests(work)
    quiet = [one for one in work if not one.decision.changes_awards]
    if quiet:
        append_dues(quiet, known)
        _delete_requests(quiet)
    changing = [one for one in work if one.decision.changes_awards]
    for start in range(0, len(changing), LEARNERS_PER_TRANSACTION):
        _write_group(token, changing[start : start + LEARNERS_PER_TRANSACTION], known, written)
    return written


def _write_group(
    token: str, group: Sequence[LearnerWork], known: set[tuple[int, str, datetime]], written: Written
) -> None:
    with transaction.atomic():
        ours = confirm_leases(token, [one.learner_id for one in group])
        group = [one for one in group if one.learner_id in ours]
        done = write_changes(group)
        outbox.append([*notes_of(group), *_notes_of_new(done)])
        append_dues(group, known)
        _delete_requests(group)
    written.issued += len(done)
    written.changed += sum(len(one.decision.changes) for one in group)


def write_changes(group: Sequence[LearnerWork]) -> list[Award]:
    """Write awards and their history, and return the new ones.

    Must run inside ``atomic``, where the learners' leases were confirmed.
    """
    issued = [award for one in group for award in one.decision.issued]
    changes = [change for one in group for change in one.decision.changes]
    # First what ends: an achievement may be lost by one run and earned by another at once, and
    # only one award of it is live.
    for change in changes:
        Award.objects.filter(pk=change.award.pk).update(**change.fields)
    _insert_awards(issued)
    AwardEvent.objects.bulk_create([*_events_of(changes), *_events_of_new(issued)])
    return issued


def notes_of(group: Sequence[LearnerWork]) -> list[outbox.Note]:
    """Return the messages about changes of awards that there were before."""
    return list(_notes_of([change for one in group for change in one.decision.changes]))


def _insert_awards(awards: Sequence[Award]) -> None:
    """Insert awards with one statement and give them their keys; MySQL does not return them."""
    if not awards:
        return
    Award.objects.bulk_create(awards)
    if not connection.features.can_return_rows_from_bulk_insert:
        keys = dict(Award.objects.filter(uuid__in=[one.uuid for one in awards]).values_list("uuid", "pk"))
        for award in awards:
            award.pk = keys[award.uuid]


def _events_of_new(awards: Sequence[Award]) -> Iterator[AwardEvent]:
    for award in awards:
        yield AwardEvent(award_id=award.pk, kind=Event.ISSUED, at=award.issued_at, reason=award.reason)


def _events_of(changes: Sequence[Change]) -> Iterator[AwardEvent]:
    now = clock.now()
    for change in changes:
        yield AwardEvent(
            award_id=change.award.pk, kind=change.kind, at=now, reason=change.reason, details=change.details
        )


def _notes_of_new(awards: Sequence[Award]) -> Iterator[outbox.Note]:
    """An award that the platform does not show yet is announced when it is published."""
    for award in awards:
        if award.published_at is not None:
            yield note_of(award, Event.ISSUED, award.reason)


def _notes_of(changes: Sequence[Change]) -> Iterator[outbox.Note]:
    for change in changes:
        if change.announced:
            yield note_of(change.award, change.kind, change.reason)


def note_of(award: Award, kind: str, reason: str) -> outbox.Note:
    """Return the outbox message that tells the upper rooms of an event of an award."""
    return outbox.Note(
        TOPICS[Event(kind)],
        award.learner_id,
        {"award": award.uuid, "reason": reason, "at": clock.now().isoformat()},
    )


def future_requests(work: Sequence[LearnerWork]) -> set[tuple[int, str, datetime]]:
    """Return the later requests that exist already, for learners who want one: they are not doubled."""
    learners = [one.learner_id for one in work if one.decision.dues]
    if not learners:
        return set()
    rows = EvaluationRequest.objects.filter(learner_id__in=learners, not_before__gt=clock.now())
    return set(rows.values_list("learner_id", "course_key", "not_before"))


def append_dues(work: Sequence[LearnerWork], known: set[tuple[int, str, datetime]]) -> None:
    """Append the later looks that were decided, but for those that are ``known``."""
    rows = [
        EvaluationRequest(
            learner_id=one.learner_id, course_key=run, reason="due", not_before=instant, due=instant
        )
        for one in work
        for run, instant in sorted(one.decision.dues)
        if (one.learner_id, run, instant) not in known
    ]
    if rows:
        # At most 1,000 rows in one INSERT, which the receivers' INSERT waits for on MariaDB.
        EvaluationRequest.objects.bulk_create(rows, batch_size=ROWS_PER_INSERT)


def _delete_requests(work: Sequence[LearnerWork]) -> None:
    """Delete exactly the rows that were folded."""
    ids = [request_id for one in work for request_id in one.request_ids]
    for start in range(0, len(ids), ROWS_PER_DELETE):
        EvaluationRequest.objects.filter(id__in=ids[start : start + ROWS_PER_DELETE]).delete()


def ask_for_certificates(decisions: Mapping[int, Decision]) -> None:
    """Ask the platform for certificates, where it says that it will accept, and keep what it said.

    A refusal by the platform itself would mark the learner as not passing and send
    CERTIFICATE_REVOKED, so the port looks first. The row is written after the request: a worker that
    dies in between asks again, which the platform takes as the same request.

    Raises:
        PlatformUnavailable: the requests must wait.
    """
    for learner, decision in decisions.items():
        for run, before in sorted(decision.asks.items()):
            answer = _ask(learner, run)
            now = clock.now()
            attempts, again_at = _next_attempt(before, answer, now)
            # The platform may lose a request, and lift a refusal, without a word to us.
            decision.dues.add((run, again_at))
            CertificateAsk.objects.update_or_create(
                learner_id=learner,
                course_key=run,
                defaults={
                    "asked_at": now if answer.accepted else None,
                    "refusal": answer.reason,
                    "checked_at": now,
                    "attempts": attempts,
                    "ask_again_at": again_at,
                },
            )


def _ask(learner: int, run: str) -> CertificateAnswer:
    platform = get_platform()
    answer = platform.request_certificate(learner, run)
    if answer.accepted or answer.reason not in refusals.OVERCOME_BY_ALLOWLIST:
        return answer
    if run not in microcred_settings.ALLOWLIST_COURSES:
        return answer
    with transaction.atomic():
        if not platform.allow_certificate(learner, run):
            return answer
        log_action(
            actor_id=None,
            action="certificate.allowlisted",
            object_type="course",
            object_id=run,
            organization=course_of_run(run)[0],
            learner=learner,
            refusal=answer.reason,
        )
    return platform.request_certificate(learner, run)


def _next_attempt(
    before: CertificateAsk | None, answer: CertificateAnswer, now: datetime
) -> tuple[int, datetime]:
    """Return how often the platform has said the same, and when it is asked again without an event."""
    attempts = 1
    if before is not None and (before.asked_at is not None) == answer.accepted:
        if before.ask_again_at is not None and now < before.ask_again_at:
            return before.attempts or 1, before.ask_again_at
        attempts = min((before.attempts or 0) + 1, MOST_ATTEMPTS)
    return attempts, now + min(ASK_AGAIN_AFTER * 2 ** (attempts - 1), ASK_AGAIN_AT_MOST)
