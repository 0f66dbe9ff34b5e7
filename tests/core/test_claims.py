"""Taking due rows while others work on the same ones."""

import pytest
from django.db import OperationalError, connection

from mooc_microcred.achievements.models import EvaluationRequest
from mooc_microcred.core import clock
from mooc_microcred.core.claims import TRIES, claim_due

pytestmark = pytest.mark.django_db(transaction=True)
DEADLOCK = (1213, "Deadlock found when trying to get lock; try restarting transaction")


def due_request():
    now = clock.now()
    return EvaluationRequest.objects.create(learner_id=1, course_key="", due=now, not_before=now)


def claim():
    now = clock.now()
    return list(claim_due(EvaluationRequest.objects.filter(due__lte=now), now=now, limit=10, order=("due",)))


class Deadlocks:
    """Refuses the first so many UPDATEs, as a server does that has chosen a victim."""

    def __init__(self, times):
        self.times, self.refused = times, 0

    def __call__(self, execute, sql, params, many, context):
        if sql.startswith("UPDATE") and self.refused < self.times:
            self.refused += 1
            raise OperationalError(*DEADLOCK)
        return execute(sql, params, many, context)


def test_a_deadlock_with_another_worker_is_tried_again():
    request = due_request()
    with connection.execute_wrapper(Deadlocks(TRIES - 1)):
        assert [one.pk for one in claim()] == [request.pk]


def test_a_database_that_refuses_for_ever_is_not_asked_for_ever():
    request = due_request()
    deadlocks = Deadlocks(1000)
    with connection.execute_wrapper(deadlocks), pytest.raises(OperationalError):
        claim()
    assert deadlocks.refused == TRIES
    assert [one.pk for one in claim()] == [request.pk], "and nothing is lost"
