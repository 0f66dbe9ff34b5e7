"""Officers see for whom the platform issues no certificate, and why."""

import pytest

from mooc_microcred.achievements.models import CertificateAsk
from mooc_microcred.core import clock
from tests.rest_api.world import BASE
from tests.support.definitions import RUN

SEA = "course-v1:BUU+SEA1+2026"


@pytest.fixture
def requests(world):
    CertificateAsk.objects.create(
        learner_id=world.person("ann").pk, course_key=RUN, asked_at=clock.now(), checked_at=clock.now()
    )
    CertificateAsk.objects.create(
        learner_id=world.person("ann").pk, course_key=SEA, refusal="prevented", checked_at=clock.now()
    )
    return world


def read(client, **query):
    answer = client.get(f"{BASE}staff/certificate-requests/", query)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_each_refusal_has_its_reason_in_words(requests, as_person):
    (refused,) = read(as_person("programme_officer@KMUTT"), refused="true")
    assert (refused["refusal"], refused["refusal_text"]) == (
        "mode",
        "the enrolment mode earns no certificates",
    )
    assert (refused["asked_at"], refused["learner_id"]) == (None, requests.person("bob").pk)
    (asked,) = read(as_person("programme_officer@KMUTT"), refused="false")
    assert (asked["refusal"], asked["refusal_text"]) == ("", "")


def test_officers_see_the_courses_of_their_organisation_only(requests, as_person):
    assert [one["course_key"] for one in read(as_person("auditor@BUU"))] == [SEA]
    assert [one["course_key"] for one in read(as_person("auditor@KMUTT"))] == [RUN, RUN]
    assert len(read(as_person("auditor@all"))) == 3
    assert [one["course_key"] for one in read(as_person("auditor@all"), organization="BUU")] == [SEA]
    assert read(as_person("auditor@KMUTT"), organization="BUU") == []
    assert [one["course_key"] for one in read(as_person("root"), course=SEA)] == [SEA]
