"""Admitting learners to an exam under the number that its centre knows, and their own view of results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from mooc_microcred.achievements.api import current_catalogue
from mooc_microcred.achievements.data import Text
from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.errors import InvalidInput, Problem, WrongState
from mooc_microcred.core.platform import get_platform
from mooc_microcred.core.retirement import retired_among
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.exams.batches import exam_of
from mooc_microcred.exams.data import AdmissionData, AdmissionRequest, ResultData
from mooc_microcred.exams.evidence import counting_result, reference_of
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult
from mooc_microcred.exams.rows import admission_key

MAX_CANDIDATES = 1000
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_-]{0,63}")


def admit_learners(
    *, actor: Actor, exam_code: str, candidates: Sequence[AdmissionRequest]
) -> list[AdmissionData]:
    """Admit learners to an exam; whoever is admitted already keeps the number.

    Args:
        actor: an exam officer of the exam's organisation.
        candidates: at most 1,000; their numbers are stored in capitals.

    Returns:
        the admissions in the order of the candidates.

    Raises:
        NotFound: no such exam for this actor.
        InvalidInput: with a problem for each candidate that cannot be admitted; nobody is.
        WrongState: a number was taken in the same moment.
        PlatformUnavailable: learners cannot be looked up now.
    """
    achievement, _exam = exam_of(actor, exam_code, (Role.EXAM_OFFICER,))
    if not 0 < len(candidates) <= MAX_CANDIDATES:
        raise InvalidInput(_("Admit from 1 to %(most)s candidates at a time.") % {"most": MAX_CANDIDATES})
    candidates = [replace(one, number=admission_key(one.number)) for one in candidates]
    learners = _find(candidates)
    try:
        with transaction.atomic():
            known = {
                row.learner_id: row
                for row in ExamAdmission.objects.filter(exam_code=exam_code, learner_id__in=learners)
            }
            _check_numbers(exam_code, candidates, learners, known)
            serial = ExamAdmission.objects.filter(exam_code=exam_code).count()
            taken = set(ExamAdmission.objects.filter(exam_code=exam_code).values_list("number", flat=True))
            taken |= {one.number for one in candidates if one.number}
            new = []
            for learner, candidate in zip(learners, candidates, strict=True):
                if learner in known:
                    continue
                number = candidate.number
                while not number or (not candidate.number and number in taken):
                    serial += 1
                    number = f"{exam_code.upper()}-{serial:06d}"
                taken.add(number)
                known[learner] = ExamAdmission(
                    exam_code=exam_code,
                    organization=achievement.organization,
                    number=number,
                    learner_id=learner,
                    created=clock.now(),
                )
                new.append(known[learner])
            ExamAdmission.objects.bulk_create(new)
            log_action(
                actor_id=actor.id,
                action="exam.admitted",
                object_type="exam",
                object_id=exam_code,
                organization=achievement.organization,
                count=len(new),
            )
    except IntegrityError:
        raise WrongState(_("Somebody else admits to this exam right now. Try again.")) from None
    return [
        AdmissionData(exam_code, achievement.organization, known[learner].number, learner)
        for learner in learners
    ]


def _find(candidates: Sequence[AdmissionRequest]) -> list[int]:
    """Return the learners of the candidates, with one look-up for all of them."""
    usernames = {one.username for one in candidates if one.username}
    emails = {one.email for one in candidates if one.email}
    ids = {one.learner_id for one in candidates if one.learner_id is not None}
    platform = get_platform()
    profiles = list(platform.find_learners(usernames=usernames, emails=emails)) if usernames or emails else []
    existing = set(platform.read_learners(ids)) if ids else set()
    problems, found = [], []
    for place, one in enumerate(candidates):
        given = [
            value for value in (one.learner_id, one.username or None, one.email or None) if value is not None
        ]
        matches: set[int] = set()
        if len(given) == 1 and one.learner_id is not None:
            matches = {one.learner_id} & existing
        elif len(given) == 1:
            wanted = (one.username or one.email).lower()
            matches = {
                profile.learner_id
                for profile in profiles
                if wanted == (profile.username if one.username else profile.email).lower()
            }
        if len(given) != 1:
            problems.append(
                Problem(
                    f"candidates[{place}]", _("Give exactly one of user id, user name and e-mail address.")
                )
            )
        elif len(matches) != 1:
            problems.append(
                Problem(f"candidates[{place}]", _("There is no such account, or there are several."))
            )
        else:
            found.append(matches.pop())
    gone = retired_among(found)
    if not problems:
        problems = [
            Problem(f"candidates[{place}]", _("This learner has left the platform."))
            for place, learner in enumerate(found)
            if learner in gone
        ]
        problems += [
            Problem(f"candidates[{place}]", _("This learner stands in the list twice."))
            for place, learner in enumerate(found)
            if learner in found[:place]
        ]
    if problems:
        raise InvalidInput(_("Nobody was admitted; correct these candidates."), problems=problems)
    return found


def _check_numbers(
    exam_code: str,
    candidates: Sequence[AdmissionRequest],
    learners: Sequence[int],
    known: dict[int, ExamAdmission],
) -> None:
    given = {one.number for one in candidates if one.number}
    owners = dict(
        ExamAdmission.objects.filter(exam_code=exam_code, number__in=given).values_list(
            "number", "learner_id"
        )
    )
    problems = []
    seen: set[str] = set()
    for place, (one, learner) in enumerate(zip(candidates, learners, strict=True)):
        if not one.number:
            continue
        where = f"candidates[{place}].number"
        if not _NUMBER.fullmatch(one.number):
            problems.append(
                Problem(where, _("Use letters, digits, dash, slash; at most 64."), one.number[:100])
            )
        elif one.number in seen or owners.get(one.number, learner) != learner:
            problems.append(Problem(where, _("This number belongs to somebody else."), one.number))
        elif learner in known and known[learner].number != one.number:
            problems.append(
                Problem(
                    where, _("This learner is admitted under another number already."), known[learner].number
                )
            )
        seen.add(one.number)
    if problems:
        raise InvalidInput(_("Nobody was admitted; correct these numbers."), problems=problems)


def my_admissions(*, learner_id: int) -> list[AdmissionData]:
    """Return the exams that a learner is admitted to, newest first."""
    return [
        AdmissionData(row.exam_code, row.organization, row.number, row.learner_id)
        for row in ExamAdmission.objects.filter(learner_id=learner_id).order_by("-id")
    ]


def my_results(*, learner_id: int) -> list[ResultData]:
    """Return a learner's released results, newest sitting first; superseded ones are not shown."""
    rows = list(
        ExamResult.objects.filter(learner_id=learner_id, batch__state=ExamBatch.State.RELEASED)
        .select_related("batch__achievement")
        .defer("batch__problems")
        .order_by("sat_on", "id")
    )
    exams = current_catalogue().exams
    counting = set()
    for code in {row.exam_code for row in rows}:
        chosen = counting_result(
            [row for row in rows if row.exam_code == code], exams[code][1] if code in exams else None
        )
        if chosen is not None:
            counting.add(reference_of(chosen))
    return [
        ResultData(
            exam_code=row.exam_code,
            exam_name=exams[row.exam_code][1].name if row.exam_code in exams else Text(en=row.exam_code),
            achievement=row.batch.achievement.code,
            sat_on=row.sat_on,
            status=str(row.status),
            score=row.score,
            max_score=row.max_score,
            percent=row.percent,
            centre=row.centre,
            released_at=row.batch.released_at,
            counts=reference_of(row) in counting,
        )
        for row in reversed(rows)
    ]


def my_waiting_sittings(*, learner_id: int) -> list[tuple[str, date]]:
    """Return (exam code, day) of a learner's sittings whose first result is not released yet; one query.

    It says that there will be a result and nothing of what it will be. A correction that is on its way is
    left out: that a result is looked at again would tell something of it.
    """
    rows = ExamResult.objects.filter(
        learner_id=learner_id,
        batch__state__in=(ExamBatch.State.IMPORTED, ExamBatch.State.SIGNED),
        batch__supersedes__isnull=True,
    )
    return list(rows.order_by("sat_on", "exam_code").values_list("exam_code", "sat_on").distinct())
