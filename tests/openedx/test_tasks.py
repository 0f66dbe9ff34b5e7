"""The tasks: each does all that is due, and wakes the one that goes on from there."""

import pytest

from mooc_microcred import tasks
from mooc_microcred.achievements import api
from mooc_microcred.achievements import tasks as achievements_tasks
from mooc_microcred.achievements.kick import EVALUATE
from mooc_microcred.achievements.models import Award, EvaluationRequest, RunOffer
from mooc_microcred.core import outbox
from mooc_microcred.core.kick import RELAY
from mooc_microcred.core.lease import take_leases
from mooc_microcred.core.models import OutboxMessage
from tests.support import events
from tests.support.definitions import RUN, level1

pytestmark = pytest.mark.django_db(transaction=True)

LEARNER = 7


def woken(messages):
    return [(message.headers["task"], message.headers["eta"] is not None) for message in messages()]


def test_evaluation_goes_on_until_nothing_is_due_and_wakes_the_relay(watched, platform, messages, microcred):
    microcred(EVALUATION_BATCH=2)
    for learner in range(1, 8):
        platform.certify(learner, RUN)
        api.request_evaluation(learner_id=learner, course_key=RUN, reason="test")
    tasks.evaluate_due_requests()
    assert Award.objects.count() == 7
    assert {task for task, _ in woken(messages)} == {RELAY}


def test_evaluation_with_nothing_due_wakes_nobody(watched, messages):
    tasks.evaluate_due_requests()
    assert woken(messages) == []


def test_evaluation_comes_back_for_a_learner_whom_another_worker_owns(watched, platform, messages):
    take_leases([LEARNER])
    platform.certify(LEARNER, RUN)
    api.request_evaluation(learner_id=LEARNER, course_key=RUN, reason="test")
    tasks.evaluate_due_requests()
    assert EvaluationRequest.objects.count() == 1
    assert woken(messages) == [(EVALUATE, True)]


def test_evaluation_stops_while_the_platform_is_away(watched, platform, messages):
    platform.away = True
    api.request_evaluation(learner_id=LEARNER, course_key=RUN, reason="test")
    tasks.evaluate_due_requests()
    assert EvaluationRequest.objects.count() == 1
    assert woken(messages) == []


def test_a_turn_that_is_over_is_given_back_to_the_queue(watched, platform, messages, microcred, monkeypatch):
    microcred(EVALUATION_BATCH=1)
    monkeypatch.setattr(achievements_tasks, "TURN_SECONDS", 0)
    for learner in (1, 2):
        platform.certify(learner, RUN)
        api.request_evaluation(learner_id=learner, course_key=RUN, reason="test")
    tasks.evaluate_due_requests()
    assert Award.objects.count() == 1
    assert {task for task, _ in woken(messages)} == {EVALUATE, RELAY}


def test_the_relay_hands_over_all_and_wakes_the_deliveries_and_the_evaluation(messages, microcred):
    outbox.append([outbox.Note("nobody.listens", payload={}) for _ in range(450)])
    assert woken(messages) == [(RELAY, False)], "whoever appends wakes the relay"
    tasks.relay_outbox()
    assert not OutboxMessage.objects.filter(state="pending").exists()
    assert sorted(woken(messages)) == [(tasks.DELIVER, False), (EVALUATE, False)]
    tasks.relay_outbox()
    assert woken(messages) == []


def test_deliveries_with_nothing_due_end_at_once(messages):
    tasks.deliver_to_banks()
    assert woken(messages) == []


def test_arguments_of_another_version_are_understood(watched, platform):
    platform.certify(LEARNER, RUN)
    api.request_evaluation(learner_id=LEARNER, course_key=RUN, reason="test")
    tasks.evaluate_due_requests(version=2)
    assert Award.objects.count() == 1


def test_a_rerun_that_studio_reports_is_offered_by_the_relay(microcred):
    level1(course={"runs": [RUN]})
    events.send_rerun_completed("course-v1:KMUTT+PY101+2027")
    tasks.relay_outbox()
    offer = RunOffer.objects.get()
    assert (offer.course_key, offer.state) == ("course-v1:KMUTT+PY101+2027", "offered")
