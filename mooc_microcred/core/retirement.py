"""Retirement: what the platform's user retirement means for us.

The platform keeps the user id as a pseudonym and removes name, e-mail and user name. We delete
what identifies the person or waits for something to happen to them; awards and their history
stay under the id, as the platform's own certificates do. A tombstone keeps late events from
making anything new. docs/reference/retirement.md says what stays, and on which legal basis.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection

from django.db import transaction

from mooc_microcred.core import clock, outbox
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.identity import all_numbers
from mooc_microcred.core.lease import LeaseBusy, LeaseLost, writing
from mooc_microcred.core.models import LearnerIdentity, OutboxMessage, RetiredLearner, StaffRole
from mooc_microcred.core.platform import get_platform

log = logging.getLogger(__name__)

#: A learner is retired whose awards somebody was writing: handed over until it has worked.
TOPIC = "learner.retired"
# How long, in seconds, the platform's request waits for whoever writes the learner's awards.
PATIENCE = 5.0
GAP = 0.1
# Shorter than this, a name or number would be found in words that have nothing to do with it.
SHORTEST = 4
HIDDEN = "…"

#: Deletes or cancels what one room holds of a learner, idempotent, in the caller's transaction.
Hook = Callable[[int], None]
#: Takes names and numbers out of what people have written; gets the learner and those texts.
Scrubber = Callable[[int, Collection[str]], None]

#: Returns what else names a learner in one room, such as a seat number; before it is deleted.
Namer = Callable[[int], Collection[str]]

_hooks: dict[str, Hook] = {}
_scrubbers: dict[str, Scrubber] = {}
_namers: dict[str, Namer] = {}


class RetirementFailed(Exception):
    """A learner could not be pseudonymised; nothing of it was done. Its text names nobody."""


def register_retirement_hook(name: str, hook: Hook) -> None:
    """Make a room's hook known under a stable name; called from AppConfig.ready, again is harmless."""
    _hooks[name] = hook


def register_scrubber(name: str, scrubber: Scrubber) -> None:
    """Make known who takes a learner's names out of free text; called from AppConfig.ready."""
    _scrubbers[name] = scrubber


def register_namer(name: str, namer: Namer) -> None:
    """Make known by what else a room names learners; called from AppConfig.ready, again is harmless."""
    _namers[name] = namer


def request_retirement(*, learner_id: int) -> None:
    """Append the retirement of a learner to the outbox with one INSERT, in the caller's transaction."""
    outbox.append([outbox.Note(TOPIC, learner_id)])


def retire_or_queue(*, learner_id: int, patience: float = PATIENCE) -> bool:
    """Retire a learner at once, or leave it to the outbox where their awards are being written.

    In both cases nothing is made for the learner any more. Again is harmless. May run inside ``atomic``.

    Args:
        patience: seconds to wait for whoever writes the learner's awards.

    Returns:
        whether it is done.

    Raises:
        RetirementFailed: it could not be done; whoever asked must ask again.
    """
    ends = time.monotonic() + patience
    try:
        while True:
            try:
                with transaction.atomic():
                    retire_learner(learner_id=learner_id)
                return True
            except (LeaseBusy, LeaseLost):
                if time.monotonic() >= ends:
                    break
                time.sleep(GAP)
        with transaction.atomic():
            _bury(learner_id)
            request_retirement(learner_id=learner_id)
        return False
    except Exception as error:
        # A database error quotes the values of a row, and the platform shows the text to its caller.
        log.error("retirement of learner %s failed: %s", learner_id, type(error).__name__)  # noqa: TRY400
        raise RetirementFailed(f"mooc-microcred could not retire the user: {type(error).__name__}") from None


def retire_learner(*, learner_id: int) -> None:
    """Forget a learner in every room, all or nothing; again is harmless.

    Deletes the verified identity, staff roles, and what the rooms' hooks delete: pending requests,
    exam admissions, signed documents; cancels deliveries that were not sent, and takes names and
    numbers out of what staff have written. Evaluation and deliveries do nothing for a retired learner
    afterwards.

    Raises:
        LeaseBusy, LeaseLost: somebody writes the learner's awards now; try again in a moment.
        PlatformUnavailable: the names that are to be taken out cannot be read now.
    """
    with writing(learner_id):
        _bury(learner_id)
        if _scrubbers:
            texts = _texts_of(learner_id)
            for scrubber in _scrubbers.values():
                scrubber(learner_id, texts)
        LearnerIdentity.objects.filter(learner_id=learner_id).delete()
        StaffRole.objects.filter(user_id=learner_id).delete()
        for hook in _hooks.values():
            hook(learner_id)
        # What waits to be told tells nothing any more; what banks are told has its own deliveries.
        OutboxMessage.objects.filter(learner_id=learner_id, state=OutboxMessage.State.DEAD).delete()


def _bury(learner_id: int) -> None:
    """Set the tombstone, with one audit line for the first time."""
    _, first_time = RetiredLearner.objects.get_or_create(learner_id=learner_id, defaults={"at": clock.now()})
    if first_time:
        log_action(actor_id=None, action="learner.retired", object_type="learner", object_id=learner_id)


def _texts_of(learner_id: int) -> list[str]:
    """Return what names the learner, as far as it is still known, the longest first."""
    texts = set(all_numbers(learner_id=learner_id))
    for namer in _namers.values():
        texts.update(namer(learner_id))
    if microcred_settings.PLATFORM is not None:
        profile = get_platform().read_learners([learner_id]).get(learner_id)
        if profile is not None:
            texts |= {profile.username, profile.email, profile.name}
    return sorted((one for one in texts if len(one) >= SHORTEST), key=len, reverse=True)


def scrubbed(text: str, texts: Collection[str]) -> str:
    """Return a text without the texts that name a learner, whatever their case."""
    if not text or not texts:
        return text
    return re.sub("|".join(map(re.escape, texts)), HIDDEN, text, flags=re.IGNORECASE)


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
