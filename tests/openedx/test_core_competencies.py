"""The competencies of openedx-core, with the real package; skipped where it is not installed."""

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.catalogue import get_definition
from mooc_microcred.achievements.models import Award, Issuer
from mooc_microcred.competencies import api
from mooc_microcred.competencies.models import Competency, Framework, Mastery
from mooc_microcred.core import outbox
from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.credentials.filling import frame_of
from mooc_microcred_openedx.wiring import connect_optional_receivers
from tests.competencies.frameworks import make_framework
from tests.support.definitions import activate, definition
from tests.support.memory_content import Course

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not apps.is_installed("openedx_learning"), reason="openedx-core's learning app is not installed"
    ),
]

RUN = "course-v1:KMUTT+PY101+2026"
AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def taxonomy():
    """Return the tags by external id of a competency taxonomy: C1 with C1.1 and C1.2 below, C2."""
    from openedx_learning.api import create_competency_taxonomy

    made = create_competency_taxonomy(name="Care", export_id="care-1")
    tags = {}
    for external_id, value, parent in (
        ("C1", "Listening to patients", None),
        ("C1.1", "Asking open questions", "C1"),
        ("C1.2", "Repeating what was said", "C1"),
        ("C2", "Washing hands", None),
    ):
        tags[external_id] = made.tag_set.create(external_id=external_id, value=value, parent=tags.get(parent))
    return made, tags


@pytest.fixture(autouse=True)
def _wired():
    # As the plugin's app does when it is ready; the other tests are of a platform without it.
    connect_optional_receivers()
    yield
    api.use_competency_source(None)


@pytest.fixture(autouse=True)
def _seeded(db):
    """Give back the lookup rows that a migration has made and a test that commits has flushed."""
    from openedx_learning.models import CompetencyMasteryStatus, MasteryStatus

    for one in MasteryStatus:
        CompetencyMasteryStatus.objects.get_or_create(id=one.value, defaults={"status": one.label})


def keys():
    return {one.statement.en: (one.framework, one.item) for one in api.search_items(text="").items}


def give(user, tag, status):
    from openedx_learning.models import MasteryStatus, StudentCompetencyStatus

    StudentCompetencyStatus.objects.update_or_create(
        user=user,
        tag=tag,
        defaults={"status_id": MasteryStatus[status].value, "created": AT, "modified": AT},
    )


def evaluate(user):
    achievements.request_evaluation(learner_id=user.pk, course_key=RUN, reason="grade")
    return achievements.evaluate_due()


def test_its_competencies_are_found_and_looked_up_without_a_row_of_ours(taxonomy):
    (found,) = api.search_items(text="OPEN ques").items
    assert (found.statement.en, found.depth, found.framework_title.en) == ("Asking open questions", 1, "Care")
    (parent,) = [one for one in api.search_items(parent="").items if one.item == found.parent]
    assert (parent.statement.en, parent.children) == ("Listening to patients", 2)
    below = api.search_items(framework=found.framework, parent=parent.item).items
    assert [one.statement.en for one in below] == ["Asking open questions", "Repeating what was said"]
    key = found.framework, found.item
    assert api.get_competencies(keys=[key, (key[0], "unknown")]) == {key: found}
    assert [(one.title.en, one.items) for one in api.list_frameworks(published=True)] == [("Care", 4)]
    assert not Framework.objects.exists()
    assert not Competency.objects.exists()


def test_their_identifiers_stay_when_names_and_rows_change(taxonomy):
    made, tags = taxonomy
    before = keys()["Washing hands"]
    tags["C2"].delete()
    made.tag_set.create(external_id="C2", value="Clean hands")
    made.name = "Care of patients"
    made.save()
    assert keys()["Clean hands"] == before


def test_ours_come_first_and_pages_lead_through_both(taxonomy):
    make_framework()
    everything = [(one.framework, one.item) for one in api.search_items(limit=200).items]
    assert len(everything) == Competency.objects.count() + 4
    for limit in (1, 2, 3, 5):
        seen, after = [], ""
        while True:
            page = api.search_items(after=after, limit=limit)
            seen += [(one.framework, one.item) for one in page.items]
            after = page.after
            assert len(page.items) == limit or not after
            if not after:
                break
        assert seen == everything
    with pytest.raises(InvalidInput):
        api.search_items(after="tnone")


def test_what_authors_may_not_use_is_not_offered_and_known_as_retired(taxonomy):
    made, _tags = taxonomy
    key = keys()["Washing hands"]
    made.enabled = False
    made.save()
    assert not api.search_items(text="hands").items
    assert api.get_competencies(keys=[key])[key].retired
    assert not api.list_frameworks(published=True)


def test_a_taxonomy_that_a_framework_is_already_is_not_shown_twice(taxonomy):
    Framework.objects.filter(pk=make_framework().pk).update(taxonomy="care-1")
    assert not api.search_items(text="hands").items


def test_a_search_costs_as_many_queries_for_many_tags_as_for_few(taxonomy):
    made, _tags = taxonomy
    with CaptureQueriesContext(connection) as few:
        api.search_items(text="hands")
    for number in range(50):
        made.tag_set.create(external_id=f"M{number}", value=f"hands {number}")
    with CaptureQueriesContext(connection) as many:
        assert len(api.search_items(text="hands", limit=200).items) == 51
    assert len(many) == len(few) == 4


def test_a_tag_of_the_drawer_teaches_its_competency(taxonomy, content):
    course = Course(RUN)
    unit = course.unit("u", course.subsection("lesson", course.section("s")))
    course.tag(unit, "care-1", "C2")
    content.publish(course)
    api.mark_course_dirty(course_key=RUN, reason="published", delay=0)
    assert api.sync_due().courses == 1
    (tag,) = api.tags_of_course(course_key=RUN)
    assert (tag.relation, tag.competency.statement.en) == ("teaches", "Washing hands")


def test_its_statuses_raise_ours_and_never_lower_them(taxonomy, platform):
    _made, tags = taxonomy
    key = keys()["Washing hands"]
    user = get_user_model().objects.create(username="somchai")
    give(user, tags["C2"], "PARTIALLY_ATTEMPTED")
    evaluate(user)
    held = api.mastery_of_learner(learner_id=user.pk)[key]
    assert (held.status, held.pieces, held.demonstrated_at) == ("PartiallyAttempted", 0, None)
    give(user, tags["C2"], "DEMONSTRATED")
    evaluate(user)
    held = api.mastery_of_learner(learner_id=user.pk)[key]
    assert held.status == "Demonstrated"
    assert held.demonstrated_at
    told = OutboxMessage.objects.filter(topic=api.DEMONSTRATED_TOPIC)
    assert [one.payload for one in told] == [{"framework": key[0], "item": key[1]}]
    give(user, tags["C2"], "PARTIALLY_ATTEMPTED")
    evaluate(user)
    assert api.mastery_of_learner(learner_id=user.pk)[key].status == "Demonstrated"
    assert told.count() == 1


def test_a_status_of_a_linked_taxonomy_counts_for_our_framework(taxonomy, platform):
    _made, tags = taxonomy
    framework = make_framework()
    Framework.objects.filter(pk=framework.pk).update(taxonomy="care-1")
    user = get_user_model().objects.create(username="somchai")
    give(user, tags["C2"], "DEMONSTRATED")
    evaluate(user)
    assert Mastery.objects.get().framework == framework.identifier


def test_a_status_of_the_platform_leads_to_an_award_that_names_the_competency(taxonomy, platform):
    _made, tags = taxonomy
    framework, item = keys()["Washing hands"]
    rule = {"all": [{"competency": {"framework": framework, "item": item}}]}
    version = activate(
        definition("hygiene", "competency", criteria={"narrative": {"en": "Show it."}, "rule": rule})
    )
    user = get_user_model().objects.create(username="somchai")
    give(user, tags["C2"], "DEMONSTRATED")
    evaluate(user)
    outbox.relay()
    achievements.evaluate_due()
    award = Award.objects.get()
    assert award.evidence["measures"][0]["met"]
    definition_in_force = get_definition(version.pk)
    frame = frame_of(definition_in_force, Issuer.objects.get(), issuer_did="", list_code="")
    (aligned,) = frame.aligned
    assert (aligned.name, aligned.url) == ("Washing hands", f"urn:uuid:{item}")


def test_statuses_of_fifty_learners_cost_as_many_queries_as_of_one(taxonomy, platform):
    _made, tags = taxonomy
    counts = []
    # The first time some settings are read that are remembered.
    for group in (2, 1, 50):
        users = [get_user_model().objects.create(username=f"u{group}-{number}") for number in range(group)]
        for user in users:
            give(user, tags["C2"], "DEMONSTRATED")
            achievements.request_evaluation(learner_id=user.pk, course_key=RUN, reason="grade")
        with CaptureQueriesContext(connection) as queries:
            achievements.evaluate_due()
        counts.append(len(queries))
    assert counts[1] == counts[2]
    assert Mastery.objects.filter(status="Demonstrated").count() == 53


def test_without_it_nothing_is_asked(taxonomy):
    api.use_competency_source(None)
    with CaptureQueriesContext(connection) as queries:
        assert not api.search_items(text="hands").items
    assert len(queries) == 1
