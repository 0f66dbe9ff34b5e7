"""Lists: the same number of queries for one row and for a hundred, and pages that lose nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements.models import Achievement, Award, RunOffer
from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.creditbank.models import Consent, Delivery
from mooc_microcred.creditbank.records import open_record
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult
from tests.rest_api.world import BASE, OWN
from tests.support.definitions import RUN, level1, level2, programme

ANNS = {
    "my/awards/",
    "my/programmes/",
    "my/progress/py101-l2/",
    "my/consents/",
    "my/exam-results/",
    "my/exam-admissions/",
    "my/deposits/",
    "my/credit-account/",
    "my/identities/",
    "me/",
}
EVERYBODYS = {"catalogue/achievements/", "catalogue/programmes/"}
STAFFS = {
    "staff/awards/": "auditor",
    "staff/run-offers/": "auditor",
    "staff/audit/": "auditor",
    "staff/outbox/dead-letters/": "auditor",
    "staff/outbox/": "auditor",
    "staff/evaluation-queue/": "auditor",
    "staff/exams/": "auditor",
    "staff/exam-admissions/": "auditor",
    "staff/exam-batches/": "auditor",
    "staff/credit-records/": "credit_officer",
    "staff/deliveries/": "credit_officer",
}
LISTS = sorted(ANNS | EVERYBODYS | STAFFS.keys())
PAGED = [one for one in LISTS if one.count("/") > 1 and not one.endswith(("py101-l2/", "account/", "queue/"))]
PAGED = [one for one in PAGED if one not in ("staff/outbox/", "my/identities/")]


def reader(address: str) -> str:
    return f"{STAFFS[address]}@all" if address in STAFFS else "ann"


def grow(world, count: int) -> None:
    """Add ``count`` rows of everything that a list shows."""
    ann = world.person("ann")
    now = clock.now()
    for number in range(count):
        version = level1(f"more-{number}", mode="own", rule={"course_grade": {"minimum": 60}})
        programme(
            f"stack-{number}", {"all": [{"achievement": "py101-l1"}, {"achievement": f"more-{number}"}]}
        )
        award = Award.objects.create(
            learner_id=ann.pk,
            achievement_id=version.achievement_id,
            version=version,
            course_key=RUN,
            evidence={"measures": [], "credits": "3"},
            issued_at=now,
            published_at=now,
        )
        with transaction.atomic():
            record = open_record(award_uuid=award.uuid)
        record.deliveries.update(state=Delivery.State.DEAD)
        level2(f"exam-{number}", needs=f"more-{number}", exam=f"exam-{number}")
        batch = ExamBatch.objects.get(uuid=world.things["released"])
        ExamResult.objects.create(
            batch=batch,
            exam_code=batch.exam_code,
            learner_id=ann.pk,
            row=number,
            sat_on=date(2020, 1, 1) + timedelta(days=number),
            max_score=100,
        )
        ExamBatch.objects.create(
            exam_code=batch.exam_code,
            achievement_id=batch.achievement_id,
            organization=OWN,
            state=ExamBatch.State.INVALID,
            supersedes=batch,
            file_name="r.csv",
            sha256=f"{number:064}",
            size=1,
            uploaded_by=1,
            uploaded_at=now,
        )
        ExamAdmission.objects.create(
            exam_code=f"exam-{number}", organization=OWN, number="1", learner_id=ann.pk, created=now
        )
        RunOffer.objects.create(
            achievement=Achievement.objects.get(code="py102-l1"),
            course_key=f"course-v1:KMUTT+PY102+{number}",
            offered_at=now,
        )
        log_action(actor_id=1, action="test.done", object_type="test", object_id=number, organization=OWN)
        OutboxMessage.objects.create(
            topic="award.issued", created=now, due=now, state=OutboxMessage.State.DEAD
        )
        Consent.objects.create(
            learner_id=ann.pk,
            bank="thai-bank",
            live=None,
            text_version="1",
            language="th",
            given_at=now,
            withdrawn_at=now,
        )


def count_queries(client, address: str) -> tuple[int, list]:
    client.get(address)  # what is read once per process is read
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return len(queries), queries.captured_queries


def test_a_hundred_rows_cost_as_many_queries_as_one(world, as_person):
    few = {one: count_queries(as_person(reader(one)), BASE + one)[0] for one in LISTS}
    grow(world, 100)
    wrong = {}
    for one in LISTS:
        size = "?page_size=200" if one in PAGED else ""
        client = as_person(reader(one))
        if one in PAGED:
            assert len(client.get(f"{BASE}{one}{size}").json()["results"]) >= 100, one
        many, queries = count_queries(client, f"{BASE}{one}{size}")
        if many != few[one]:
            wrong[one] = (few[one], many, [query["sql"][:120] for query in queries[:20]])
    assert not wrong


@pytest.mark.parametrize("address", PAGED)
def test_the_pages_of_a_list_together_are_the_list(world, as_person, address):
    grow(world, 5)
    client = as_person(reader(address))
    whole = client.get(f"{BASE}{address}?page_size=200").json()
    assert whole["next"] is None
    assert len(whole["results"]) >= 5
    found = []
    following = f"{BASE}{address}?page_size=2"
    while following:
        page = client.get(following).json()
        assert 1 <= len(page["results"]) <= 2
        found += page["results"]
        following = page["next"]
    assert found == whole["results"]


def test_a_page_has_as_many_rows_as_the_setting_says(world, as_person, settings):
    grow(world, 5)
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "API_PAGE_SIZE": 3}
    page = as_person("ann").get(f"{BASE}my/awards/").json()
    assert len(page["results"]) == 3
    assert page["next"]


def test_the_next_page_keeps_the_filters(world, as_person):
    grow(world, 3)
    client = as_person("auditor@all")
    page = client.get(f"{BASE}staff/awards/?page_size=1&state=active").json()
    states = set()
    while page["next"]:
        assert "state=active" in page["next"]
        page = client.get(page["next"]).json()
        states |= {one["state"] for one in page["results"]}
    assert states == {"active"}
