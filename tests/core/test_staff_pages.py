"""The audit log and the dead letters of the outbox, as pages; and the places that staff may open."""

import csv
import io
import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.core import clock, outbox
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.models import AuditEntry, OutboxMessage, StaffRole

pytestmark = pytest.mark.django_db
AUDIT, MESSAGES, HOME = "/microcred/staff/audit/", "/microcred/staff/messages/", "/microcred/staff/"


@pytest.fixture
def signed_in(client):
    """Return a function that signs somebody in with a role; a client of its own keeps the language."""

    def sign_in(role="", organization=""):
        user = get_user_model().objects.create_user(f"{role}-{organization or 'all'}", password=None)
        if role:
            StaffRole.objects.create(user_id=user.pk, role=role, organization=organization)
        client.force_login(user)
        client.cookies["microcred_language"] = "en"
        return client

    return sign_in


def line(number=1, organization="KMUTT", action="award.revoked", object_type="award", actor_id=7, **details):
    log_action(
        actor_id=actor_id,
        action=action,
        object_type=object_type,
        object_id=f"object-{number}",
        organization=organization,
        **details,
    )


def dead_letter(error="creditbank: PlatformUnavailable", topic="award.issued"):
    now = clock.now()
    return OutboxMessage.objects.create(
        topic=topic, learner_id=7, created=now, due=now, state="dead", attempts=9, last_error=error
    )


def cost(client, address, **query):
    with CaptureQueriesContext(connection) as taken:
        assert client.get(address, query).status_code == 200
    return len(taken)


def test_an_auditor_reads_the_lines_of_their_organisations_in_words(platform, signed_in):
    platform.add_learner(7, name="Anong Officer", username="anong")
    platform.add_learner(8, name="Dao Learner", username="dao")
    StaffRole.objects.create(user_id=7, role="programme_officer", organization="KMUTT")
    line(1, note="=x")
    line(4, action="consent.given", actor_id=8)
    line(2, organization="CMU")
    line(3, organization="")
    page = signed_in("auditor", "KMUTT").get(AUDIT).content.decode()
    assert "award: revoked" in page
    assert "Anong Officer" in page
    # Learners act, too; who they are is not told.
    assert "user 8" in page
    assert "Dao" not in page
    assert "object-1" in page
    assert "object-2" not in page
    assert "object-3" not in page
    assert "object-3" in signed_in("auditor").get(AUDIT).content.decode()


@pytest.mark.parametrize("role", ["programme_officer", "credit_officer", ""])
def test_nobody_but_auditors_reads_the_audit_log(signed_in, role):
    client = signed_in(role)
    assert client.get(AUDIT).status_code == 403
    assert client.get(f"{AUDIT}lines.csv").status_code == 403


def test_the_log_is_filtered_by_what_was_done_to_what_and_when(signed_in):
    line(1)
    line(2, action="consent.given", object_type="consent")
    AuditEntry.objects.filter(object_id="object-2").update(at=clock.now().replace(year=2020))
    auditor = signed_in("auditor")

    def seen(**query):
        return set(re.findall(r">[\w ]*(object-\d)<", auditor.get(AUDIT, query).content.decode()))

    assert seen() == {"object-1", "object-2"}
    assert seen(action="consent.given") == {"object-2"}
    assert seen(object_type="award", object_id="object-1") == {"object-1"}
    assert seen(until="2563-12-31") == {"object-2"}
    assert seen(since="2021-01-01") == {"object-1"}
    assert seen(person="8") == set()
    assert seen(organization="KMUTT") == {"object-1", "object-2"}
    wrong = auditor.get(AUDIT, {"since": "someday"})
    assert wrong.status_code == 400
    assert b"This is not a date" in wrong.content


def test_details_of_a_line_are_in_words_and_none_is_left_out(signed_in):
    line(1, rows=3, only_right_rows=False, ids=[4, 5], unheard_of="x")
    page = signed_in("auditor", "KMUTT").get(AUDIT).content.decode()
    assert "rows: 3, only the right rows: no, ids: 4 5, unheard_of: x" in page


def test_a_person_is_looked_up_without_their_name_in_an_address(platform, signed_in):
    platform.add_learner(7, name="Anong Officer", username="anong", email="anong@example.ac.th")
    StaffRole.objects.create(user_id=7, role="programme_officer", organization="KMUTT")
    line(1)
    line(2, actor_id=8)
    auditor = signed_in("auditor")
    for who in ("anong", "ANONG@example.ac.th"):
        answer = auditor.post(AUDIT, {"who": who, "action": "award.revoked"})
        assert answer.status_code == 302
        assert "anong" not in answer["Location"].lower()
        page = auditor.get(answer["Location"]).content.decode()
        assert "Only what Anong Officer did" in page
        assert "object-1" in page
        assert "object-2" not in page
    nobody = auditor.post(AUDIT, {"who": "nobody"})
    assert nobody.status_code == 404
    assert b"Nobody on the platform has this user name" in nobody.content


def test_the_lines_are_saved_as_a_file_without_formulas(signed_in, monkeypatch):
    line(1, note="x")
    AuditEntry.objects.update(object_id="=1+1")
    answer = signed_in("auditor").get(f"{AUDIT}lines.csv")
    header, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert len(header) == len(row)
    assert "'=1+1" in row
    monkeypatch.setattr("mooc_microcred.core.pages.staff_audit.FILE_ROWS", 2)
    for number in range(5):
        line(number)
    assert len(signed_in("auditor", "KMUTT").get(f"{AUDIT}lines.csv").content.splitlines()) == 3


def test_the_log_costs_the_same_with_one_line_and_with_a_thousand(signed_in):
    auditor = signed_in("auditor")
    line()
    first = cost(auditor, AUDIT)
    for number in range(1000):
        line(number, actor_id=number)
    assert cost(auditor, AUDIT) == first
    page = auditor.get(AUDIT).content.decode()
    following = re.search(r'href="\?([^"]*before=\d+)"', page)[1]
    assert "object-974" in auditor.get(f"{AUDIT}?{following}").content.decode()


def test_dead_letters_say_why_and_are_replayed_after_a_question(signed_in):
    one, other = dead_letter(), dead_letter("events.award: KeyError")
    officer = signed_in("programme_officer")
    page = officer.get(MESSAGES).content.decode()
    assert (
        "Preparing what credit banks are told failed, because the platform or the database was away" in page
    )
    assert "failed (KeyError). Tell the operator" in page
    assert officer.post(MESSAGES, {"action": "ask"}).status_code == 400
    asked = officer.post(MESSAGES, {"action": "ask", "id": [one.pk]})
    assert b"Replay these messages?" in asked.content
    assert OutboxMessage.objects.filter(state="dead").count() == 2
    done = officer.post(MESSAGES, {"action": "replay", "id": [one.pk, "x"]}, follow=True)
    assert b"1 message is handed on again." in done.content
    assert OutboxMessage.objects.get(state="dead") == other
    written = AuditEntry.objects.get(action="outbox.replay")
    assert written.details["ids"] == [one.pk]
    assert written.actor_id == get_user_model().objects.get().pk


@pytest.mark.parametrize(
    ("role", "organization", "reads", "replays"),
    [
        ("auditor", "", 200, 403),
        ("credit_officer", "", 200, 200),
        ("credit_officer", "KMUTT", 403, 403),
        ("exam_officer", "", 403, 403),
    ],
)
def test_dead_letters_belong_to_no_organisation(signed_in, role, organization, reads, replays):
    letter = dead_letter()
    client = signed_in(role, organization)
    assert client.get(MESSAGES).status_code == reads
    answer = client.post(MESSAGES, {"action": "replay", "id": letter.pk}, follow=True)
    assert answer.status_code == replays
    letter.refresh_from_db()
    assert letter.state == ("dead" if replays == 403 else outbox._waiting_state(letter.topic))
    assert b"Replay the chosen ones" not in client.get(MESSAGES).content


def test_dead_letters_cost_the_same_with_one_and_with_a_thousand(signed_in):
    officer = signed_in("programme_officer")
    dead_letter()
    first = cost(officer, MESSAGES)
    now = clock.now()
    OutboxMessage.objects.bulk_create(
        OutboxMessage(topic="award.issued", created=now, due=now, state="dead") for _ in range(1000)
    )
    assert cost(officer, MESSAGES) == first
    assert b"before=" in officer.get(MESSAGES).content


def places_in(page):
    return set(re.findall(r'href="/microcred/staff/([\w/]+)/"', page.content.decode()))


@pytest.mark.parametrize(
    ("role", "organization", "opens"),
    [
        ("exam_officer", "KMUTT", {"exams", "exams/admissions"}),
        ("verifier", "KMUTT", {"identities"}),
        ("credit_officer", "KMUTT", {"credits"}),
        ("credit_officer", "", {"credits", "messages"}),
        ("programme_officer", "KMUTT", {"awards", "awards/runs", "frameworks", "reports"}),
    ],
)
def test_staff_start_from_the_places_that_they_may_open(signed_in, role, organization, opens):
    client = signed_in(role, organization)
    page = client.get(HOME)
    assert places_in(page) == opens
    for place in opens:
        assert client.get(f"/microcred/staff/{place}/").status_code == 200, place


def test_an_auditor_opens_every_place_but_where_documents_are_recorded(signed_in):
    client = signed_in("auditor")
    opens = places_in(client.get(HOME))
    assert "identities" not in opens
    assert {"audit", "messages", "credits", "exams", "awards", "reports"} <= opens
    for place in opens:
        assert client.get(f"/microcred/staff/{place}/").status_code == 200, place


def test_whoever_holds_no_role_is_told_who_gives_it(signed_in):
    page = signed_in().get(HOME)
    assert b"Roles are given by the platform" in page.content
    assert places_in(page) == set()


def test_the_start_page_says_what_waits_and_costs_the_same_for_any_number(signed_in):
    officer = signed_in("programme_officer")
    assert b"Nothing waits for you." in officer.get(HOME).content
    dead_letter()
    first = cost(officer, HOME)
    assert b"1 message was given up" in officer.get(HOME).content
    now = clock.now()
    OutboxMessage.objects.bulk_create(
        OutboxMessage(topic="award.issued", created=now, due=now, state="dead") for _ in range(1000)
    )
    assert b"1001 messages were given up" in officer.get(HOME).content
    assert cost(officer, HOME) == first


def test_the_tabs_of_staff_cost_no_query_of_their_own(signed_in):
    one = signed_in("auditor")
    for organization in ("KMUTT", "CMU", "BUU"):
        for role in StaffRole.Role.values:
            StaffRole.objects.create(
                user_id=get_user_model().objects.get().pk, role=role, organization=organization
            )
    with CaptureQueriesContext(connection) as taken:
        one.get("/microcred/staff/identities/")
    assert sum("mooc_microcred_staffrole" in query["sql"] for query in taken) == 1
