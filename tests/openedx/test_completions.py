"""Completed blocks: few requests, and the last one always counts."""

from datetime import timedelta

import pytest
from completion.models import BlockCompletion
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from opaque_keys.edx.keys import CourseKey, UsageKey

from mooc_microcred.achievements.models import EvaluationRequest
from mooc_microcred.core import clock
from mooc_microcred_openedx.completions import GRACE
from mooc_microcred_openedx.guards import failures
from tests.openedx.conftest import BLOCK, OTHER_RUN
from tests.support.definitions import RUN

pytestmark = pytest.mark.django_db(transaction=True)


class CacheAway(LocMemCache):
    """A cache server that cannot be reached."""

    def _away(self, *args, **kwargs):
        raise ConnectionError

    add = get = set = delete = _away


class CacheMute(LocMemCache):
    """A cache client that hides that its server cannot be reached, as some are configured to."""

    def add(self, *args, **kwargs):
        return False

    def get(self, key, default=None, version=None):
        return default

    def set(self, *args, **kwargs):
        return None


@pytest.fixture(params=["CacheAway", "CacheMute"])
def cache_away(request, settings):
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.{request.param}"}}


def complete(user, name="a", run=RUN, completion=1.0):
    return BlockCompletion.objects.create(
        user=user,
        context_key=CourseKey.from_string(run),
        block_key=UsageKey.from_string(BLOCK + name),
        block_type="html",
        completion=completion,
    )


def our_queries(queries):
    return [query["sql"] for query in queries if "completion_blockcompletion" not in query["sql"]]


def requests():
    return EvaluationRequest.objects.order_by("id")


def test_a_hundred_completed_blocks_are_one_request_after_the_window(watched_for_completion, user):
    began = clock.now()
    for number in range(100):
        complete(user, str(number))
    request = requests().get()
    assert (request.learner_id, request.course_key, request.reason) == (user.pk, RUN, "completion")
    assert began < request.not_before <= began + timedelta(seconds=60) + GRACE
    assert request.due == request.not_before


def test_a_batch_of_blocks_in_one_transaction_is_one_request(watched_for_completion, user):
    with transaction.atomic():
        for number in range(30):
            complete(user, str(number))
    assert requests().count() == 1


def test_the_first_block_of_a_window_costs_one_insert_and_the_others_nothing(watched_for_completion, user):
    with CaptureQueriesContext(connection) as queries:
        complete(user, "first")
    (insert,) = [sql for sql in our_queries(queries) if not sql.startswith(("BEGIN", "COMMIT"))]
    assert insert.startswith("INSERT")
    with CaptureQueriesContext(connection) as queries:
        complete(user, "second")
    assert our_queries(queries) == []


def test_inside_a_transaction_it_is_a_savepoint_and_one_insert(watched_for_completion, user):
    with transaction.atomic():
        with CaptureQueriesContext(connection) as queries:
            complete(user)
        assert [sql.split()[0] for sql in our_queries(queries)] == ["SAVEPOINT", "INSERT", "RELEASE"]


def test_the_next_window_has_a_request_of_its_own(watched_for_completion, user):
    complete(user, "a")
    with clock.shifted(timedelta(seconds=60)):
        complete(user, "b")
    first, second = requests()
    assert second.not_before - first.not_before == timedelta(seconds=60)


def test_each_learner_and_each_course_has_windows_of_its_own(watched_for_completion, user, django_user_model):
    complete(user)
    complete(django_user_model.objects.create(username="somsri"))
    complete(user, run="course-v1:KMUTT+PY101+2027")
    assert requests().count() == 3


def test_a_course_without_completion_criterion_costs_nothing(watched, user):
    with CaptureQueriesContext(connection) as queries:
        complete(user)
        complete(user, "b", run=OTHER_RUN)
    assert our_queries(queries) == []
    assert not requests().exists()


def test_a_block_that_is_done_in_part_is_no_news(watched_for_completion, user):
    complete(user, completion=0.5)
    assert not requests().exists()
    block = BlockCompletion.objects.get()
    block.completion = 1.0
    block.save()
    assert requests().count() == 1


def test_a_completion_that_commits_after_its_window_has_a_request_of_its_own(watched_for_completion, user):
    """The window's request may have been evaluated, and its row deleted, before the commit."""
    complete(user, "first")
    requests().delete()
    with transaction.atomic():
        complete(user, "last")
        shift = clock.shifted(timedelta(seconds=61))
        shift.__enter__()
    try:
        request = requests().get()
        assert request.due <= clock.now()
    finally:
        shift.__exit__(None, None, None)


def test_a_completion_that_relied_on_a_request_that_was_rolled_back_appends_it_again(
    watched_for_completion, user
):
    with transaction.atomic():
        complete(user, "first")
        transaction.set_rollback(True)
    assert not requests().exists()
    complete(user, "last")
    assert requests().count() == 1
    complete(user, "latest")
    assert requests().count() == 1


def test_a_rolled_back_savepoint_does_not_take_the_other_blocks_request_with_it(watched_for_completion, user):
    with transaction.atomic():
        with transaction.atomic():
            complete(user, "first")
            transaction.set_rollback(True)
        complete(user, "last")
    assert requests().count() == 1


def test_without_the_cache_every_block_has_a_request(watched_for_completion, user, cache_away):
    complete(user, "a")
    complete(user, "b")
    assert requests().count() == 2
    assert not failures


def test_without_debounce_every_block_has_a_request_at_once(watched_for_completion, user, microcred):
    microcred(COMPLETION_DEBOUNCE=0)
    complete(user, "a")
    complete(user, "b")
    assert requests().filter(due__lte=clock.now()).count() == 2


def test_a_refused_insert_does_not_cost_the_learner_the_completion(
    watched_for_completion, user, missing_table
):
    with transaction.atomic():
        complete(user)
    assert BlockCompletion.objects.count() == 1
    assert failures == {"block_completed": 1}


def test_after_a_refused_insert_the_next_block_tries_again(watched_for_completion, user, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(EvaluationRequest._meta, "db_table", "mooc_microcred_not_migrated")
        complete(user, "a")
    complete(user, "b")
    assert requests().count() == 1


def test_the_cache_holds_no_personal_data(watched_for_completion, user):
    complete(user)
    (key,) = [one for one in cache._cache if "microcred" in one]
    assert RUN not in key
    assert len(key) < 200
