"""What must hold of a learner's awards whatever broke: nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from mooc_microcred.achievements import api
from mooc_microcred.achievements.evaluation import RETRY_BUSY
from mooc_microcred.achievements.models import Award, AwardEvent, EvaluationRequest
from mooc_microcred.core import clock
from mooc_microcred.core.models import LearnerLease, OutboxMessage

Event = AwardEvent.Kind

# After so long, what was put back because a learner was busy is due again.
BUSY = timedelta(seconds=RETRY_BUSY + 1)

# What may follow what in the history of one award; "" is its beginning.
_NEXT = {
    "": {Event.ISSUED},
    Event.ISSUED: {Event.PUBLISHED, Event.SUSPENDED, Event.CORRECTED, Event.EXPIRED, Event.REVOKED},
    Event.PUBLISHED: {Event.SUSPENDED, Event.REINSTATED, Event.CORRECTED, Event.EXPIRED, Event.REVOKED},
    Event.SUSPENDED: {Event.REINSTATED, Event.PUBLISHED, Event.CORRECTED, Event.EXPIRED, Event.REVOKED},
    Event.REINSTATED: {Event.PUBLISHED, Event.SUSPENDED, Event.CORRECTED, Event.EXPIRED, Event.REVOKED},
    Event.CORRECTED: {
        Event.PUBLISHED,
        Event.SUSPENDED,
        Event.REINSTATED,
        Event.CORRECTED,
        Event.EXPIRED,
        Event.REVOKED,
    },
    Event.EXPIRED: set(),
    Event.REVOKED: set(),
}
_TOPICS = {
    Event.SUSPENDED: "award.suspended",
    Event.REINSTATED: "award.reinstated",
    Event.EXPIRED: "award.expired",
    Event.REVOKED: "award.revoked",
}


def drain(*, rounds: int = 50) -> None:
    """Evaluate until nothing is due any more, as a healthy worker does."""
    for _ in range(rounds):
        report = api.evaluate_due()
        assert not report.failed, "an evaluation raised"
        if not (report.requests or report.busy):
            return
    raise AssertionError(f"requests are still due after {rounds} rounds")


def drain_after(wait: timedelta) -> None:
    """Evaluate everything in a process whose clock is ahead: claims of the dead have run out."""
    with clock.shifted(wait):
        drain()


def live(learner: int) -> dict[str, str]:
    """Return the state of each live award by achievement code."""
    return dict(Award.objects.filter(learner_id=learner, live=True).values_list("achievement__code", "state"))


def histories(learner: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return (achievement code, kinds of its events) of every award, by code and then by age."""
    found = []
    for award in Award.objects.filter(learner_id=learner).select_related("achievement").order_by("id"):
        kinds = AwardEvent.objects.filter(award=award).order_by("id").values_list("kind", flat=True)
        found.append((award.achievement.code, tuple(kinds)))
    return sorted(found, key=lambda one: one[0])


def assert_sound(*, nothing_waits: bool = True) -> None:
    """Assert what holds of all learners at any time after a drain."""
    doubled = [
        key
        for key, count in Counter(
            Award.objects.filter(live=True).values_list("learner_id", "achievement_id")
        ).items()
        if count > 1
    ]
    assert not doubled, f"two live awards of one achievement: {doubled}"
    announced = Counter(
        (message.payload["award"], message.topic)
        for message in OutboxMessage.objects.filter(topic__startswith="award.")
    )
    for award in Award.objects.all():
        _assert_history(award, announced)
    if nothing_waits:
        assert not EvaluationRequest.objects.filter(not_before__lte=clock.now()).exists(), "left over"
        assert not LearnerLease.objects.exclude(token="").filter(expires__gt=clock.now()).exists()


def _assert_history(award: Award, announced: Counter) -> None:
    events = list(AwardEvent.objects.filter(award=award).order_by("id").values_list("kind", flat=True))
    for before, after in zip(["", *events], events, strict=False):
        assert after in _NEXT[before], f"{award}: {after} after {before or 'nothing'} in {events}"
    ended = {Event.REVOKED: Award.State.REVOKED, Event.EXPIRED: Award.State.EXPIRED}.get(events[-1])
    assert (award.live is None) == (ended is not None), f"{award}: live is {award.live} after {events}"
    if ended:
        assert award.state == ended
    if award.published_at is not None:
        assert announced[award.uuid, "award.issued"] == 1, f"{award} was not announced once"
        for kind, topic in _TOPICS.items():
            assert announced[award.uuid, topic] <= events.count(kind), f"{award}: {topic} doubled"
            if kind in (Event.REVOKED, Event.EXPIRED):
                assert announced[award.uuid, topic] == events.count(kind), f"{award}: {topic} lost"
    else:
        assert not [key for key in announced if key[0] == award.uuid], f"{award} is hidden but was told"
