"""The programme office's pages: awards, what is decided about one, and offered re-runs."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements.models import Award, AwardEvent, RunOffer
from mooc_microcred.core import clock
from mooc_microcred.core.models import AuditEntry, StaffRole
from tests.support import factories
from tests.support.definitions import RUN

pytestmark = pytest.mark.django_db
LIST, OFFERS = "/microcred/staff/awards/", "/microcred/staff/awards/runs/"
LEARNER, NAME = 7, "Somying Jaidee"


@pytest.fixture
def signed_in(client):
    def sign_in(role="programme_officer", organization="KMUTT"):
        user = get_user_model().objects.create_user(f"{role}-{organization or 'all'}", password=None)
        StaffRole.objects.create(user_id=user.pk, role=role, organization=organization)
        client.force_login(user)
        client.cookies["microcred_language"] = "en"
        return client

    return sign_in


@pytest.fixture
def officer(signed_in):
    return signed_in()


@pytest.fixture
def learner(platform):
    platform.add_learner(LEARNER, name=NAME, username="somying", email="somying@example.ac.th")
    platform.enrol(LEARNER, RUN)


def page_of(award):
    return f"{LIST}{award.uuid}/"


def test_a_learner_is_found_without_their_name_in_an_address(officer, learner):
    award, other = factories.make_award(LEARNER), factories.make_award(99)
    for who in ("somying", "somying@example.ac.th"):
        answer = officer.post(LIST, {"who": who})
        assert answer.status_code == 302
        assert "somying" not in answer["Location"]
        page = officer.get(answer["Location"]).content.decode()
        assert NAME in page
        assert award.uuid in page
        assert other.uuid not in page
    assert officer.post(LIST, {"who": "nobody"}).status_code == 404
    assert officer.post(LIST, {"who": ""}).status_code == 400


def test_learners_of_other_organisations_are_not_found(signed_in, learner):
    factories.make_award(LEARNER)
    other = signed_in("programme_officer", "CMU")
    assert other.post(LIST, {"who": "somying"}).status_code == 404
    assert NAME not in other.get(LIST, {"learner": LEARNER}).content.decode()


def test_the_list_is_filtered(officer):
    one, two = factories.make_award(1), factories.make_award(2)
    factories.revoke(two)

    def seen(**wanted):
        text = officer.get(LIST, wanted).content.decode()
        return {award.pk for award in (one, two) if award.uuid in text}

    assert seen() == {one.pk, two.pk}
    assert seen(state="revoked") == {two.pk}
    assert seen(about=one.achievement.code) == {one.pk}
    assert seen(about=RUN) == {one.pk, two.pk}
    assert seen(kind="programme") == set()
    assert seen(organization="KMUTT", learner="1") == {one.pk}
    assert seen(until="1/1/2560") == set()
    assert officer.get(LIST, {"since": "soon"}).status_code == 400


def test_an_award_shows_what_it_rests_on_and_its_history(officer, learner):
    measures = [
        {"kind": "exam", "key": "py-exam", "met": True, "have": "83.00", "need": "60", "unit": "percent"}
    ]
    award = factories.make_award(LEARNER, evidence={"measures": measures, "references": ["exam_result:812"]})
    page = officer.get(page_of(award)).content.decode()
    for said in (NAME, "py-exam", "83 %", "60 %", "exam_result:812", "issued"):
        assert said in page


@pytest.mark.django_db(transaction=True)
def test_an_award_is_suspended_reinstated_revoked_and_allowed_again(officer, learner):
    award = factories.make_award(LEARNER)
    steps = [
        ("suspend", "suspended", "The award is suspended."),
        ("reinstate", "active", "The award is valid again."),
        ("revoke", "revoked", "The award is revoked."),
        ("allow", "revoked", "The learner may earn it again."),
    ]
    for number, (action, state, told) in enumerate(steps, start=1):
        question = officer.get(page_of(award), {"do": action}).content.decode()
        assert f'value="{action}"' in question
        assert AuditEntry.objects.count() == number - 1
        done = officer.post(page_of(award), {"action": action, "note": f"Reason {number}"}, follow=True)
        page = done.content.decode()
        assert told in page
        assert f"Reason {number}" in page
        award.refresh_from_db()
        assert award.state == state
        written = AuditEntry.objects.order_by("pk").last()
        assert (written.object_id, written.organization) == (award.uuid, "KMUTT")
        assert written.actor_id == get_user_model().objects.get().pk
    assert AuditEntry.objects.count() == len(steps)


@pytest.mark.django_db(transaction=True)
def test_a_decision_needs_a_reason_and_the_right_state(officer, learner):
    award = factories.make_award(LEARNER)
    without = officer.post(page_of(award), {"action": "revoke", "note": "  "})
    assert without.status_code == 400
    assert b"Say in a few words why" in without.content
    too_long = officer.post(page_of(award), {"action": "revoke", "note": "x" * 2001})
    assert too_long.status_code == 400
    wrong = officer.post(page_of(award), {"action": "reinstate", "note": "because"})
    assert wrong.status_code == 409
    assert b"because" in wrong.content
    assert officer.post(page_of(award), {"action": "delete", "note": "because"}).status_code == 400
    award.refresh_from_db()
    assert award.state == "active"
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_auditor_decides_nothing_and_others_do_not_know_of_it(signed_in, learner):
    award = factories.make_award(LEARNER)
    auditor = signed_in("auditor")
    page = auditor.get(page_of(award), {"do": "revoke"}).content.decode()
    assert "Revoke" not in page
    assert auditor.post(page_of(award), {"action": "revoke", "note": "x"}).status_code == 403
    assert signed_in("programme_officer", "CMU").get(page_of(award)).status_code == 404
    exam_officer = signed_in("exam_officer")
    assert exam_officer.get(page_of(award)).status_code == 403
    assert exam_officer.get(LIST).status_code == 403
    award.refresh_from_db()
    assert award.state == "active"


def cost(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as taken:
        assert client.get(address).status_code == 200
    return len(taken)


def test_the_list_costs_the_same_with_one_award_and_with_a_thousand(officer):
    version = factories.make_version()
    one = factories.make_award(1, version)
    first, page = cost(officer, LIST), cost(officer, page_of(one))
    now = clock.now()
    Award.objects.bulk_create(
        Award(learner_id=2 + n, achievement=version.achievement, version=version, issued_at=now, evidence={})
        for n in range(1000)
    )
    AwardEvent.objects.bulk_create(
        AwardEvent(award=one, kind="corrected", at=now, actor_id=n) for n in range(1000)
    )
    assert cost(officer, LIST) == first
    assert cost(officer, page_of(one)) == page
    following = re.search(r'href="\?(before=\d+)"', officer.get(LIST).content.decode())[1]
    assert officer.get(f"{LIST}?{following}").status_code == 200


def offer(version, number=1):
    return RunOffer.objects.create(
        achievement=version.achievement, course_key=f"course-v1:KMUTT+PY101+{number}", offered_at=clock.now()
    )


def test_an_offered_run_is_declined_or_adopted_after_a_question(officer):
    version = factories.make_version()
    first, second = offer(version, 1), offer(version, 2)
    listed = officer.get(OFFERS).content.decode()
    assert first.course_key in listed
    assert b"Decline this run?" in officer.get(OFFERS, {"offer": first.pk, "do": "decline"}).content
    assert not AuditEntry.objects.filter(action__startswith="run.").exists()
    for one, action, state in ((first, "decline", "declined"), (second, "adopt", "adopted")):
        assert officer.post(OFFERS, {"offer": one.pk, "action": action}).status_code == 302
        one.refresh_from_db()
        assert one.state == state
        written = AuditEntry.objects.get(action=f"run.{state}")
        assert written.actor_id == get_user_model().objects.get().pk
    late = officer.post(OFFERS, {"offer": second.pk, "action": "decline"}, follow=True)
    assert b"This run has been adopted" in late.content
    assert officer.post(OFFERS, {"offer": first.pk, "action": "x"}).status_code == 400


def test_offers_of_other_organisations_are_not_there(signed_in):
    one = offer(factories.make_version())
    other = signed_in("programme_officer", "CMU")
    assert one.course_key not in other.get(OFFERS).content.decode()
    assert other.post(OFFERS, {"offer": one.pk, "action": "adopt"}).status_code == 404
    auditor = signed_in("auditor")
    assert one.course_key in auditor.get(OFFERS).content.decode()
    assert auditor.post(OFFERS, {"offer": one.pk, "action": "adopt"}).status_code == 403
    one.refresh_from_db()
    assert one.state == "offered"


def test_offers_cost_the_same_with_one_and_with_a_thousand(officer):
    version = factories.make_version()
    offer(version)
    first = cost(officer, OFFERS)
    RunOffer.objects.bulk_create(
        RunOffer(achievement=version.achievement, course_key=f"course-v1:A+B+{n}", offered_at=clock.now())
        for n in range(1000)
    )
    assert cost(officer, OFFERS) == first
    assert b"before=" in officer.get(OFFERS).content
