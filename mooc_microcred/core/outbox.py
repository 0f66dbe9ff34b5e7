"""The outbox: what a change sets in motion, written in the transaction of that change.

The relay hands each message to each subscriber of its topic at least once; a subscriber is
idempotent by a natural unique key. A hand-over that fails is tried again with exponential
back-off and jitter, and ends as a dead letter that staff see and can replay.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.claims import claim_due
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.kick import RELAY, kick_after_commit
from mooc_microcred.core.models import Heartbeat, OutboxMessage

log = logging.getLogger(__name__)

PAYLOAD_VERSION = 1
# Counts the releases that gave a topic one more subscriber. A message that is done bears it, so that one
# that a worker of an older release has called done is known: see hand_over_again.
GENERATION = "g2"
HANDED_OVER_AGAIN = "outbox.handed-over-again"
#: The states of messages that wait for the relay.
WAITING = (OutboxMessage.State.PENDING, OutboxMessage.State.NEW)


@dataclass(frozen=True, slots=True)
class Message:
    """What a subscriber is handed: ids only; what leaves is rendered when it is sent."""

    id: int
    topic: str
    version: int
    learner_id: int | None
    payload: Mapping[str, Any]
    created: datetime


@dataclass(slots=True)
class RelayReport:
    """What one run of the relay did."""

    done: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """A message to be appended: see :func:`append`."""

    topic: str
    learner_id: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


Subscriber = Callable[[Message], None]
_subscribers: dict[str, dict[str, Subscriber]] = defaultdict(dict)
_withheld: set[str] = set()
_renewed: set[str] = set()


def subscribe(topic: str, name: str, subscriber: Subscriber) -> None:
    """Register a subscriber under a stable name; called from AppConfig.ready, again is harmless."""
    _subscribers[topic][name] = subscriber


def subscribers_of(topic: str) -> Mapping[str, Subscriber]:
    """Return the subscribers of a topic by name."""
    return _subscribers.get(topic, {})


def withhold_from_older_releases(topics: Iterable[str]) -> None:
    """Keep messages of these topics from workers of the release before, which know nobody who wants them.

    During an upgrade both releases work on one outbox, and the older one would take such a message,
    find no subscriber and call it done. So it is appended in a state for which older ones do not look.
    Called from AppConfig.ready, again is harmless.

    Args:
        topics: those to which the release before does not subscribe.
    """
    _withheld.update(topics)


def renew(topics: Iterable[str]) -> None:
    """Say which topics have more subscribers than in the release before; GENERATION goes up with it.

    Called from AppConfig.ready, again is harmless.
    """
    _renewed.update(topics)


def renewed_topics() -> frozenset[str]:
    """Return the topics whose messages are taken back from older releases."""
    return frozenset(_renewed)


def withheld_topics() -> frozenset[str]:
    """Return the topics that older releases do not see."""
    return frozenset(_withheld)


def append(notes: Iterable[Note]) -> None:
    """Append messages with one INSERT, in the caller's transaction (there must be one).

    The relay is woken after its commit; where that fails, the sweeper hands them over.
    """
    now = clock.now()
    appended = OutboxMessage.objects.bulk_create(
        OutboxMessage(
            topic=note.topic,
            version=PAYLOAD_VERSION,
            learner_id=note.learner_id,
            payload=dict(note.payload),
            state=_waiting_state(note.topic),
            created=now,
            due=now,
        )
        for note in notes
    )
    if appended:
        kick_after_commit(RELAY)


def _waiting_state(topic: str) -> str:
    """Return the state in which a message of the topic waits."""
    return OutboxMessage.State.NEW if topic in _withheld else OutboxMessage.State.PENDING


def _claim(limit: int) -> list[OutboxMessage]:
    """Take up to ``limit`` due messages."""
    now = clock.now()
    taken: list[OutboxMessage] = []
    # One state after the other: over both at once the index gives no order.
    for state in WAITING:
        if len(taken) < limit:
            due = OutboxMessage.objects.filter(state=state, due__lte=now)
            taken += claim_due(due, now=now, limit=limit - len(taken), order=("due", "id")).order_by("id")
    return taken


def backoff(attempts: int, *, first: float, longest: float) -> timedelta:
    """Return the wait before the next attempt: doubles each time, with jitter of half to full length."""
    ceiling = min(longest, first * 2 ** min(attempts - 1, 30))
    return timedelta(seconds=random.uniform(ceiling / 2, ceiling))  # noqa: S311


def relay(*, limit: int = 200) -> RelayReport:
    """Hand over up to ``limit`` due messages to their subscribers.

    Each subscriber is called inside its own transaction; what it writes and its failure are its
    own. Must not run inside ``atomic``.
    """
    report = RelayReport()
    finished: list[int] = []
    for message in _claim(limit):
        error = _hand_over(message)
        if error is None:
            finished.append(message.pk)
            report.done += 1
        elif _give_back(message, error):
            report.dead += 1
        else:
            report.failed += 1
    if finished:
        OutboxMessage.objects.filter(pk__in=finished).update(
            state=OutboxMessage.State.DONE, last_error="", claim=GENERATION
        )
    return report


def hand_over_again(*, limit: int = 1000) -> int:
    """Take back what older workers have called done without our new subscribers; return how many.

    During an upgrade they work on beside ours. All subscribers get such a message, also those who have
    it: they are idempotent. It looks at what was done since it last looked, and the first time at the
    day before; what is older than the upgrade is each room's own affair.
    """
    if not _renewed:
        return 0
    now = clock.now()
    last = Heartbeat.objects.filter(name=HANDED_OVER_AGAIN).first()
    # A message is done some time after it was claimed, and its due time is set by the claim.
    since = (last.at - timedelta(minutes=10)) if last else now - timedelta(days=1)
    done = OutboxMessage.objects.filter(
        state=OutboxMessage.State.DONE, due__gt=since, topic__in=sorted(_renewed), claim__lt=GENERATION
    )
    ids = list(done.order_by("due").values_list("pk", flat=True)[:limit])
    if ids:
        done.filter(pk__in=ids).update(
            state=OutboxMessage.State.NEW, done_by=[], claim="", attempts=0, due=now
        )
    if len(ids) < limit:
        Heartbeat.objects.update_or_create(name=HANDED_OVER_AGAIN, defaults={"at": now})
    return len(ids)


def _hand_over(row: OutboxMessage) -> str | None:
    """Call every subscriber that does not have the message yet; return the first error's text."""
    message = Message(row.pk, row.topic, row.version, row.learner_id, row.payload, row.created)
    first_error = None
    for name, subscriber in subscribers_of(row.topic).items():
        if name in row.done_by:
            continue
        try:
            with transaction.atomic():
                subscriber(message)
        except Exception as error:  # noqa: BLE001 a subscriber's failure is data to the relay
            log.exception("outbox: subscriber %s failed on message %s (%s)", name, row.pk, row.topic)
            first_error = first_error or f"{name}: {type(error).__name__}"
        else:
            row.done_by = [*row.done_by, name]
    return first_error


def _give_back(row: OutboxMessage, error: str) -> bool:
    """Schedule the next attempt, or make it a dead letter; return whether it is dead."""
    attempts = row.attempts + 1
    dead = attempts >= microcred_settings.OUTBOX_MAX_ATTEMPTS
    wait = backoff(
        attempts, first=microcred_settings.OUTBOX_BACKOFF_FIRST, longest=microcred_settings.OUTBOX_BACKOFF_MAX
    )
    OutboxMessage.objects.filter(pk=row.pk, claim=row.claim).update(
        state=OutboxMessage.State.DEAD if dead else row.state,
        attempts=attempts,
        due=clock.now() + wait,
        done_by=row.done_by,
        last_error=error,
        claim="",
    )
    return dead


def replay(*, message_ids: Collection[int], actor_id: int | None) -> int:
    """Put dead letters back into the queue and return how many there were. Does not check permissions."""
    with transaction.atomic():
        dead = OutboxMessage.objects.filter(pk__in=message_ids, state=OutboxMessage.State.DEAD)
        count = sum(
            dead.filter(topic=topic).update(state=_waiting_state(topic), attempts=0, due=clock.now())
            for topic in sorted(set(dead.values_list("topic", flat=True)))
        )
        if count:
            log_action(
                actor_id=actor_id,
                action="outbox.replay",
                object_type="outbox_message",
                object_id="many",
                ids=sorted(message_ids)[:100],
                count=count,
            )
    return count


def count_pending(topic: str) -> int:
    """Return how many messages of a topic were not handed over yet."""
    return OutboxMessage.objects.filter(state__in=WAITING, topic=topic).count()


def purge() -> int:
    """Delete messages that were done OUTBOX_KEEP_DAYS ago; return how many."""
    limit = clock.now() - timedelta(days=microcred_settings.OUTBOX_KEEP_DAYS)
    ids = list(
        OutboxMessage.objects.filter(state=OutboxMessage.State.DONE, due__lt=limit).values_list(
            "pk", flat=True
        )[:1000]
    )
    return OutboxMessage.objects.filter(pk__in=ids).delete()[0]
