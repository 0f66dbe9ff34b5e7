"""Waking a worker: after commit, seldom, and at nobody's cost."""

import time
from datetime import timedelta

import pytest
from django.db import transaction

from mooc_microcred.achievements.kick import EVALUATE, kick_evaluation, kick_evaluation_after_commit
from mooc_microcred.achievements.models import Award, EvaluationRequest
from mooc_microcred.core import clock, kick
from tests.support import events
from tests.support.definitions import RUN

LEARNER = 7


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_woken_after_the_commit_and_not_before(watched, messages):
    with transaction.atomic():
        events.send_certificate_created(LEARNER, watched)
        assert messages() == []
    (message,) = messages()
    assert message.headers["task"] == EVALUATE
    assert message.headers["ignore_result"] is True
    assert message.headers["expires"]
    assert message.payload[:2] == [[], {"version": 1}]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_event_wakes_nobody(watched, messages):
    with transaction.atomic():
        events.send_certificate_created(LEARNER, watched)
        transaction.set_rollback(True)
    assert messages() == []


@pytest.mark.django_db(transaction=True)
def test_a_storm_of_a_thousand_events_is_a_thousand_rows_and_a_handful_of_kicks(watched, messages, microcred):
    microcred(KICK_INTERVAL=2)
    began = clock.now()
    for _ in range(1000):
        events.send_passing_status(LEARNER, watched)
    seconds = (clock.now() - began).total_seconds()
    assert EvaluationRequest.objects.count() == 1000
    # One at once, one for the end of each interval that has begun.
    assert 1 < len(messages()) <= 2 + seconds / 2


def test_kicks_are_an_interval_apart_and_the_last_event_is_not_forgotten(messages, microcred):
    microcred(KICK_INTERVAL=10)
    for _ in range(5):
        kick_evaluation()
    at_once, later = messages()
    assert at_once.headers["eta"] is None
    assert later.headers["eta"] is not None
    with clock.shifted(timedelta(seconds=5)):
        kick_evaluation()
    assert messages() == []
    # The later one is consumed by now, so it no longer stands for an event of this moment.
    with clock.shifted(timedelta(seconds=10.5)):
        kick_evaluation()
        kick_evaluation()
    assert len(messages()) == 1
    with clock.shifted(timedelta(seconds=60)):
        kick_evaluation()
    (message,) = messages()
    assert message.headers["eta"] is None


def test_a_delayed_kick_stands_for_those_near_it_and_no_others(messages, microcred):
    microcred(KICK_INTERVAL=10)
    kick_evaluation(delay=60)
    kick_evaluation(delay=55)
    assert len(messages()) == 1
    kick_evaluation()
    assert len(messages()) == 1
    kick_evaluation(delay=90)
    assert len(messages()) == 1


def test_each_task_has_kicks_of_its_own(messages):
    kick_evaluation()
    kick.kick(kick.RELAY)
    assert {message.headers["task"] for message in messages()} == {EVALUATE, kick.RELAY}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_with_the_broker_down_the_platforms_later_callbacks_run_and_soon(
    watched, broker, closed_port, scheme
):
    broker(
        f"{scheme}://127.0.0.1:{closed_port}//" if scheme == "amqp" else f"redis://127.0.0.1:{closed_port}/0"
    )
    ran = []
    began = time.monotonic()
    with transaction.atomic():
        events.send_certificate_created(LEARNER, watched)
        transaction.on_commit(lambda: ran.append("the platform's"))
    assert ran == ["the platform's"]
    assert time.monotonic() - began < 3
    assert EvaluationRequest.objects.count() == 1
    assert kick.counts["failed"] == 1


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_does_not_answer_is_waited_for_briefly_and_once(broker, silent_port, scheme):
    broker(f"{scheme}://127.0.0.1:{silent_port}/")
    began = time.monotonic()
    for _ in range(20):
        kick_evaluation()
    # A second for the connection and one for each read or write; 20 kicks would take 20 times as long.
    assert time.monotonic() - began < 6
    assert kick.counts == {"failed": 1, "paused": 19}


def test_after_the_pause_the_broker_is_tried_again(broker, closed_port, messages):
    broker(f"redis://127.0.0.1:{closed_port}/0")
    kick_evaluation()
    broker("memory://")
    kick_evaluation()
    assert messages() == []
    with clock.shifted(timedelta(seconds=kick.BROKER_PAUSE + 1)):
        kick_evaluation()
    assert len(messages()) == 1


def test_the_log_of_a_failed_kick_does_not_tell_the_brokers_password(broker, closed_port, caplog):
    broker(f"redis://celery:hunter2@127.0.0.1:{closed_port}/0")
    kick_evaluation()
    assert "could not be sent" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_with_eager_celery_nothing_is_evaluated_inside_the_learners_request(watched, platform):
    platform.certify(LEARNER, RUN)
    with transaction.atomic():
        events.send_certificate_created(LEARNER, watched)
    assert EvaluationRequest.objects.count() == 1
    assert not Award.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_with_eager_celery_it_is_where_the_setting_says_so(watched, platform, microcred):
    microcred(EVALUATE_WHEN_EAGER=True)
    platform.certify(LEARNER, RUN)
    with transaction.atomic():
        events.send_certificate_created(LEARNER, watched)
        assert not Award.objects.exists()
    assert Award.objects.filter(learner_id=LEARNER).count() == 1
    assert not EvaluationRequest.objects.filter(due__lte=clock.now()).exists()


@pytest.mark.django_db(transaction=True)
def test_an_evaluation_that_raises_does_not_reach_the_request(watched, microcred, missing_table):
    microcred(EVALUATE_WHEN_EAGER=True)
    ran = []
    with transaction.atomic():
        kick_evaluation_after_commit()
        transaction.on_commit(lambda: ran.append("the platform's"))
    assert ran == ["the platform's"]
    assert kick.counts["failed"] == 1
