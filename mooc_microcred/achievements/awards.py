"""Awards as the upper rooms and people see them, and what staff may decide about them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from mooc_microcred.achievements import reasons
from mooc_microcred.achievements.data import AwardData, AwardEventData
from mooc_microcred.achievements.kick import kick_evaluation_after_commit
from mooc_microcred.achievements.models import Award, AwardEvent
from mooc_microcred.achievements.requests import request_evaluation
from mooc_microcred.achievements.writing import note_of
from mooc_microcred.core import clock, outbox
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.errors import InvalidInput, NotFound, WrongState
from mooc_microcred.core.lease import LeaseBusy, LeaseLost, writing
from mooc_microcred.core.roles import Actor, Role

Event = AwardEvent.Kind
State = Award.State


def award_data(award: Award) -> AwardData:
    """Return what crosses the border of an award whose achievement and version were read."""
    return AwardData(
        id=award.pk,
        uuid=award.uuid,
        learner_id=award.learner_id,
        code=award.achievement.code,
        organization=award.achievement.organization,
        kind=award.achievement.kind,
        version_id=award.version_id,
        version_number=award.version.number,
        state=award.state,
        course_key=award.course_key,
        issued_at=award.issued_at,
        published_at=award.published_at,
        expires_at=award.expires_at,
        suspended_at=award.suspended_at,
        revoked_at=award.revoked_at,
        reason=award.reason,
        evidence=award.evidence,
    )


def _rows():
    return Award.objects.select_related("achievement", "version").defer("version__definition")


def get_award(uuid: str) -> AwardData:
    """Return an award, also a hidden or revoked one.

    Raises:
        NotFound: there is none.
    """
    award = _rows().filter(uuid=uuid).first()
    if award is None:
        raise NotFound(_("There is no such award."))
    return award_data(award)


def get_awards(uuids: Collection[str]) -> dict[str, AwardData]:
    """Return those of the awards that exist, by uuid, with one query."""
    return {award.uuid: award_data(award) for award in _rows().filter(uuid__in=uuids)}


def list_awards(
    *, learner_id: int, include_hidden: bool = False, codes: Collection[str] | None = None
) -> list[AwardData]:
    """Return a learner's awards, newest first; hidden are those whose certificate is not shown yet.

    Args:
        codes: only those of these achievements.
    """
    rows = _rows().filter(learner_id=learner_id)
    if codes is not None:
        rows = rows.filter(achievement__code__in=codes)
    if not include_hidden:
        rows = rows.filter(published_at__isnull=False)
    return [award_data(award) for award in rows.order_by("-issued_at", "-id")]


def awards_of_staff(
    *, actor: Actor, learner_id: int | None = None, course_key: str = "", code: str = "", state: str = ""
) -> Any:
    """Return a queryset of the awards that a programme officer or auditor may see, newest first."""
    organizations = actor.organizations((Role.PROGRAMME_OFFICER, Role.AUDITOR))
    allowed = Q() if organizations is None else Q(achievement__organization__in=organizations)
    rows = _rows().filter(allowed)
    if learner_id is not None:
        rows = rows.filter(learner_id=learner_id)
    if course_key:
        rows = rows.filter(course_key=course_key)
    if code:
        rows = rows.filter(achievement__code=code)
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("-issued_at", "-id")


def count_awards_of_run(*, course_key: str) -> dict[str, dict[str, int]]:
    """Return the number of awards that a run has led to, by achievement code and state; one query."""
    rows = Award.objects.filter(course_key=course_key).values_list("achievement__code", "state").order_by()
    found: dict[str, dict[str, int]] = {}
    for code, state, number in rows.annotate(number=Count("id")):
        found.setdefault(code, {})[state] = number
    return found


def award_history(award_uuid: str) -> list[AwardEventData]:
    """Return the events of an award, oldest first; empty for an unknown one."""
    rows = AwardEvent.objects.filter(award__uuid=award_uuid).order_by("at", "id")
    return [AwardEventData(row.kind, row.at, row.reason, row.note, row.actor_id, row.details) for row in rows]


def revoke_award(*, actor: Actor, award_uuid: str, note: str) -> AwardData:
    """Take an award away for good; what stands on it follows. Needs a programme officer.

    Raises:
        NotFound, NotAllowed, InvalidInput (no reason in words), WrongState (already ended).
    """
    return _decide(
        actor,
        award_uuid,
        note,
        kind=Event.REVOKED,
        reason=reasons.STAFF,
        allowed=(State.ACTIVE, State.SUSPENDED),
        fields={"live": None, "state": State.REVOKED, "revoked_at": clock.now()},
    )


def suspend_award(*, actor: Actor, award_uuid: str, note: str) -> AwardData:
    """Suspend an award until :func:`reinstate_award`: it opens nothing new and tells the bank nothing.

    Raises:
        NotFound, NotAllowed, InvalidInput (no reason in words), WrongState (not valid now).
    """
    return _decide(
        actor,
        award_uuid,
        note,
        kind=Event.SUSPENDED,
        reason=reasons.STAFF,
        allowed=(State.ACTIVE,),
        fields={"state": State.SUSPENDED, "suspended_at": clock.now()},
    )


def reinstate_award(*, actor: Actor, award_uuid: str, note: str) -> AwardData:
    """Lift a suspension that a member of staff decided.

    Raises:
        NotFound, NotAllowed, InvalidInput (no reason in words), WrongState (not suspended, or suspended
        because of the course certificate, with which it comes back by itself).
    """
    return _decide(
        actor,
        award_uuid,
        note,
        kind=Event.REINSTATED,
        reason=reasons.STAFF_LIFTED,
        allowed=(State.SUSPENDED,),
        decided_by_staff=True,
        fields={"state": State.ACTIVE, "suspended_at": None},
    )


def allow_again(*, actor: Actor, award_uuid: str, note: str) -> AwardData:
    """Let a learner earn again what a member of staff revoked; the revoked award stays revoked.

    Raises:
        NotFound, NotAllowed, InvalidInput (no reason in words), WrongState (not revoked by staff).
    """
    return _decide(
        actor,
        award_uuid,
        note,
        kind=Event.CORRECTED,
        reason=reasons.STAFF_LIFTED,
        allowed=(State.REVOKED,),
        decided_by_staff=True,
        fields={},
        announced=False,
    )


def _decide(
    actor: Actor,
    award_uuid: str,
    note: str,
    *,
    kind: str,
    reason: str,
    allowed: Collection[str],
    fields: dict[str, Any],
    decided_by_staff: bool = False,
    announced: bool = True,
) -> AwardData:
    """Carry out a decision of staff under the learner's lease, with history and audit line."""
    found = _rows().filter(uuid=award_uuid).first()
    if found is None:
        raise NotFound(_("There is no such award."))
    actor.require(Role.PROGRAMME_OFFICER, found.achievement.organization)
    if not note.strip():
        raise InvalidInput(_("Say in a few words why; the learner and later officers will read it."))
    try:
        with writing(found.learner_id):
            award = _rows().get(pk=found.pk)
            if award.state not in allowed:
                raise WrongState(
                    _("This cannot be done to an award that is %(state)s.")
                    % {"state": State(award.state).label}
                )
            if decided_by_staff and award.reason != reasons.STAFF:
                raise WrongState(
                    _("Not a member of staff decided this, but the rules: %(reason)s.")
                    % {"reason": reasons.describe(award.reason)}
                )
            Award.objects.filter(pk=award.pk).update(**fields, reason=reason)
            AwardEvent.objects.create(
                award_id=award.pk, kind=kind, at=clock.now(), reason=reason, note=note, actor_id=actor.id
            )
            if announced and award.published_at is not None:
                outbox.append([note_of(award, kind, reason)])
            # What stands on the award is judged again by the one path.
            request_evaluation(learner_id=award.learner_id, reason="staff")
            kick_evaluation_after_commit()
            log_action(
                actor_id=actor.id,
                action=f"award.{kind}",
                object_type="award",
                object_id=award.uuid,
                organization=award.achievement.organization,
                learner=award.learner_id,
            )
    except (LeaseBusy, LeaseLost):
        raise WrongState(_("The learner's awards are being worked on now. Try again in a moment.")) from None
    return get_award(award_uuid)
