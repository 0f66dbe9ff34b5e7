from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from mooc_microcred.core import clock, outbox
from mooc_microcred.core.models import AuditEntry, Heartbeat, OutboxMessage
from mooc_microcred.core.outbox import Note, append, backoff, purge, relay, replay, subscribe

State = OutboxMessage.State


@pytest.fixture(autouse=True)
def _only_the_subscribers_of_the_test(monkeypatch):
    from collections import defaultdict

    monkeypatch.setattr(outbox, "_subscribers", defaultdict(dict))
    monkeypatch.setattr(outbox, "_withheld", set())
    monkeypatch.setattr(outbox, "_renewed", set())


@pytest.fixture
def heard():
    """Subscribe "ear" to test.topic and return the list of what it was handed."""
    messages = []
    subscribe("test.topic", "ear", messages.append)
    return messages


def note(n=1):
    return Note("test.topic", learner_id=n, payload={"award": f"a{n}"})


@pytest.mark.django_db
def test_a_message_reaches_every_subscriber_once(heard):
    also = []
    subscribe("test.topic", "other ear", also.append)
    append([note()])
    assert relay().done == 1
    assert relay().done == 0
    assert [m.payload for m in heard] == [m.payload for m in also] == [{"award": "a1"}]
    assert (heard[0].topic, heard[0].learner_id, heard[0].version) == ("test.topic", 1, 1)


@pytest.mark.django_db
def test_messages_are_handed_over_in_the_order_in_which_they_were_written(heard):
    append([note(n) for n in range(20)])
    relay()
    assert [m.learner_id for m in heard] == list(range(20))


@pytest.mark.django_db
def test_appending_many_costs_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        append(note(n) for n in range(50))


@pytest.mark.django_db(transaction=True)
def test_a_message_of_a_change_that_was_rolled_back_is_never_sent(heard):
    with transaction.atomic():
        append([note()])
        transaction.set_rollback(True)
    relay()
    assert heard == []


@pytest.mark.django_db
def test_a_message_that_nobody_subscribes_to_is_done():
    append([Note("nobody.listens")])
    assert relay().done == 1


@pytest.mark.django_db
def test_a_failing_subscriber_keeps_no_other_from_the_message_and_is_tried_again(heard):
    answers = iter([ValueError("secret name"), None])

    def sometimes(message):
        answer = next(answers)
        if answer:
            raise answer

    subscribe("test.topic", "a sometimes", sometimes)
    append([note()])
    assert (relay().failed, len(heard)) == (1, 1)
    row = OutboxMessage.objects.get()
    assert (row.state, row.attempts, row.done_by) == (State.PENDING, 1, ["ear"])
    assert row.last_error == "a sometimes: ValueError"
    assert relay().done == 0, "it must wait"
    with clock.shifted(timedelta(minutes=1)):
        assert relay().done == 1
    assert len(heard) == 1
    assert OutboxMessage.objects.get().last_error == ""


@pytest.mark.django_db
def test_what_a_failing_subscriber_wrote_is_rolled_back_and_the_others_writes_stay():
    def writes(message):
        Heartbeat.objects.create(name="stays", at=clock.now())

    def writes_and_fails(message):
        Heartbeat.objects.create(name="goes", at=clock.now())
        raise ValueError

    subscribe("test.topic", "1", writes_and_fails)
    subscribe("test.topic", "2", writes)
    append([note()])
    relay()
    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["stays"]


@pytest.mark.django_db
def test_a_message_that_always_fails_becomes_a_dead_letter_that_can_be_replayed(settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "OUTBOX_MAX_ATTEMPTS": 3}
    calls = []

    def broken(message):
        calls.append(message.id)
        if len(calls) <= 3:
            raise ConnectionError

    subscribe("test.topic", "broken", broken)
    append([note()])
    reports = []
    for hour in range(4):
        with clock.shifted(timedelta(hours=hour)):
            reports.append(relay())
    assert [(r.failed, r.dead) for r in reports] == [(1, 0), (1, 0), (0, 1), (0, 0)]
    row = OutboxMessage.objects.get()
    assert row.state == State.DEAD

    assert replay(message_ids=[row.pk, 999], actor_id=4) == 1
    entry = AuditEntry.objects.get(action="outbox.replay")
    assert (entry.actor_id, entry.details["count"]) == (4, 1)
    assert relay().done == 1
    assert replay(message_ids=[row.pk], actor_id=4) == 0, "only dead letters are replayed"


@pytest.mark.django_db
def test_the_message_of_a_relay_that_died_comes_back_when_its_claim_ran_out(heard, settings):
    """The subscriber is called again: at least once, so it must be idempotent."""

    def dies(message):
        if len(heard) == 1:
            raise SystemExit  # not an Exception: nothing of the relay catches it, as with a kill

    subscribe("test.topic", "zz dies", dies)
    append([note()])
    with pytest.raises(SystemExit):
        relay()
    assert relay().done == 0, "the dead one's claim still holds"
    with clock.shifted(timedelta(seconds=settings.MOOC_MICROCRED.get("LEASE_SECONDS", 120) + 1)):
        assert relay().done == 1
    assert len(heard) == 2


@pytest.mark.django_db
def test_a_claimed_message_is_not_taken_by_a_second_relay(heard):
    append([note(n) for n in range(10)])
    first = outbox._claim(6)
    second = outbox._claim(6)
    assert [row.learner_id for row in first] == list(range(6))
    assert [row.learner_id for row in second] == list(range(6, 10))


@pytest.mark.django_db
def test_a_relay_costs_the_same_for_few_and_for_many_except_for_each_hand_over(
    heard, django_assert_num_queries
):
    # Per message: SAVEPOINT and RELEASE of its subscriber. Per run: 1 read, 1 claim, 1 read, 1 look
    # for what is kept from older releases, 1 finish.
    append([note(n) for n in range(3)])
    with django_assert_num_queries(5 + 2 * 3):
        relay()
    append([note(n) for n in range(30)])
    with django_assert_num_queries(5 + 2 * 30):
        relay()


@pytest.mark.django_db
def test_done_messages_are_deleted_after_their_days_and_others_are_kept(heard, settings):
    append([note(1)])
    relay()
    append([note(2), Note("test.topic", 3)])
    OutboxMessage.objects.filter(learner_id=3).update(state=State.DEAD)
    assert purge() == 0
    with clock.shifted(timedelta(days=31)):
        assert purge() == 1
    assert set(OutboxMessage.objects.values_list("learner_id", flat=True)) == {2, 3}


@given(
    attempts=st.integers(1, 1000),
    first=st.floats(0.1, 60),
    factor=st.floats(1, 10_000),
)
def test_waits_double_up_to_the_longest_with_jitter_of_half(attempts, first, factor):
    longest = first * factor
    wait = backoff(attempts, first=first, longest=longest).total_seconds()
    full = min(longest, first * 2 ** min(attempts - 1, 30))
    assert full / 2 - 1e-5 <= wait <= full + 1e-5


@pytest.mark.django_db
def test_a_topic_of_this_release_is_not_seen_by_workers_of_the_one_before(heard):
    """They look for what is pending, and would call done what nobody of theirs wants."""
    outbox.withhold_from_older_releases(["test.topic"])
    append([note(), Note("old.topic")])
    seen_by_older = OutboxMessage.objects.filter(state="pending")
    assert [message.topic for message in seen_by_older] == ["old.topic"]
    assert outbox.count_pending("test.topic") == 1
    assert relay(limit=1).done == relay(limit=1).done == 1
    assert relay().done == 0
    assert len(heard) == 1


@pytest.mark.django_db
def test_a_withheld_message_stays_withheld_when_it_fails_and_when_it_is_replayed(settings, heard):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "OUTBOX_MAX_ATTEMPTS": 2}
    outbox.withhold_from_older_releases(["test.topic"])
    subscribe("test.topic", "deaf ear", lambda message: 1 / 0)
    append([note()])
    assert relay().failed == 1
    message = OutboxMessage.objects.get()
    assert message.state == State.NEW
    with clock.shifted(timedelta(hours=1)):
        assert relay().dead == 1
        assert replay(message_ids=[message.pk], actor_id=None) == 1
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.NEW, 0)


@pytest.mark.django_db
def test_what_an_earlier_process_has_withheld_is_taken_after_the_topic_is_known_to_all(heard):
    outbox.withhold_from_older_releases(["test.topic"])
    append([note()])
    outbox._withheld.clear()
    assert relay().done == 1
    assert len(heard) == 1


@pytest.mark.django_db
def test_what_an_older_worker_has_called_done_reaches_the_subscribers_that_it_does_not_know(heard):
    outbox.renew(["test.topic"])
    append([note(1), note(2), Note("other.topic", 3)])
    OutboxMessage.objects.exclude(learner_id=2).update(state=State.DONE)
    assert relay().done == 1
    assert [m.learner_id for m in heard] == [2]
    assert outbox.hand_over_again() == 1
    taken_back = OutboxMessage.objects.get(learner_id=1)
    assert taken_back.state == State.NEW, "or the older worker would take it again"
    assert relay().done == 1
    assert [m.learner_id for m in heard] == [2, 1]
    assert outbox.hand_over_again() == 0, "what ours have done bears our mark"


@pytest.mark.django_db
def test_only_what_was_done_since_the_last_look_is_looked_at(heard):
    outbox.renew(["test.topic"])
    append([note(1), note(2)])
    OutboxMessage.objects.update(state=State.DONE)
    OutboxMessage.objects.filter(learner_id=1).update(due=clock.now() - timedelta(days=2))
    assert outbox.hand_over_again(limit=5) == 1
    OutboxMessage.objects.filter(learner_id=2).update(state=State.DONE, claim="")
    with clock.shifted(timedelta(minutes=30)):
        assert outbox.hand_over_again() == 1
        assert outbox.hand_over_again() == 0
    with clock.shifted(timedelta(minutes=60)):
        assert outbox.hand_over_again() == 0


@pytest.mark.django_db
def test_nothing_is_taken_back_from_a_newer_release(heard):
    outbox.renew(["test.topic"])
    append([note(1)])
    OutboxMessage.objects.update(state=State.DONE, claim="g9")
    assert outbox.hand_over_again() == 0
