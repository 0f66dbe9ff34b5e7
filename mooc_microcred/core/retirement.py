"""Retirement: what the platform's user retirement means for us.

The platform keeps the user id as a pseudonym and removes name, e-mail and user name. We delete
what identifies the person or waits for something to happen to them; awards and their history
stay under the id, as the platform's own certificates do. A tombstone keeps late events from
making anything new.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from mooc_microcred.core import clock, outbox
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.lease import writing
from mooc_microcred.core.models import LearnerIdentity, RetiredLearner, StaffRole

#: The platform retires a learner: written by the receiver, so that no failure of ours can stop
#: the platform's own retirement, and handed over until it has worked.
TOPIC = "learner.retired"

#: Deletes or cancels what one room holds of a learner, idempotent, in the caller's transaction.
Hook = Callable[[int], None]

_hooks: dict[str, Hook] = {}


def register_retirement_hook(name: str, hook: Hook) -> None:
    """Make a room's hook known under a stable name; called from AppConfig.ready, again is harmless."""
    _hooks[name] = hook


def request_retirement(*, learner_id: int) -> None:
    """Append the retirement of a learner to the outbox with one INSERT, in the caller's transaction."""
    outbox.append([outbox.Note(TOPIC, learner_id)])


def retire_learner(*, learner_id: int) -> None:
    """Forget a learner in every room, all or nothing; again is harmless.

    Deletes the verified identity, staff roles, and what the rooms' hooks delete: pending requests,
    exam admissions; cancels deliveries that were not sent. Evaluation and deliveries do nothing
    for a retired learner afterwards.

    Raises:
        LeaseBusy, LeaseLost: somebody writes the learner's awards now; try again in a moment.
    """
    with writing(learner_id):
        _, first_time = RetiredLearner.objects.get_or_create(
            learner_id=learner_id, defaults={"at": clock.now()}
        )
        LearnerIdentity.objects.filter(learner_id=learner_id).delete()
        StaffRole.objects.filter(user_id=learner_id).delete()
        for hook in _hooks.values():
            hook(learner_id)
        if first_time:
            log_action(actor_id=None, action="learner.retired", object_type="learner", object_id=learner_id)


def retired_among(learner_ids: Collection[int]) -> set[int]:
    """Return those of the learners who are retired; one query."""
    found = RetiredLearner.objects.filter(learner_id__in=learner_ids)
    return set(found.values_list("learner_id", flat=True))


def subscribe() -> None:
    """Have the outbox hand retirements over; called from AppConfig.ready, again is harmless."""
    outbox.subscribe(TOPIC, "core.retire_learner", _retire)


def _retire(message: outbox.Message) -> None:
    if message.learner_id is not None:
        retire_learner(learner_id=message.learner_id)
