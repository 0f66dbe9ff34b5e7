"""The gateway outside of the platform; what it reads there is tested inside, by the port's contract."""

import inspect

import pytest
from edx_django_utils.cache import RequestCache

from mooc_microcred.core.platform import Platform, PlatformUnavailable, StateQuery, get_platform
from mooc_microcred_openedx.gateway import EdxPlatform
from tests.support.definitions import RUN

VERBS = [name for name, _ in inspect.getmembers(Platform, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("verb", VERBS)
def test_it_has_every_verb_of_the_port_with_the_same_arguments(verb):
    theirs = inspect.signature(getattr(Platform, verb)).parameters
    ours = inspect.signature(getattr(EdxPlatform, verb)).parameters
    assert [(one.name, one.kind, one.default) for one in ours.values()] == [
        (one.name, one.kind, one.default) for one in theirs.values()
    ]


def test_it_is_found_by_the_setting(settings):
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "PLATFORM": "mooc_microcred_openedx.gateway.EdxPlatform",
    }
    assert isinstance(get_platform(), EdxPlatform)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "call",
    [
        lambda port: port.read_states([StateQuery(1, RUN)]),
        lambda port: port.read_enrolments([1]),
        lambda port: port.enrolled_learners([RUN], after=0, limit=1),
        lambda port: port.read_courses([RUN]),
        lambda port: port.course_runs([("KMUTT", "PY101")]),
    ],
)
def test_where_the_platform_cannot_be_read_nothing_is_made_up(call):
    with pytest.raises(PlatformUnavailable):
        call(EdxPlatform())


@pytest.mark.django_db
def test_what_the_platform_cached_for_a_request_is_forgotten_before_each_read():
    cached = RequestCache("grades.models.PersistentCourseGrade")
    cached.set("prefetched", "stale")
    assert EdxPlatform().read_states([]) == {}
    assert not cached.get_cached_response("prefetched").is_found
