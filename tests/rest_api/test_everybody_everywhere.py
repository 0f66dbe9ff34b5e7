"""Every endpoint, called by everybody: who sees what, and that a refusal changes nothing.

``ENDPOINTS`` must name every address and method of the API: a new endpoint without an entry fails.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.base import ContentFile
from django.db import transaction

from mooc_microcred.core.rest_api.views import ApiView
from mooc_microcred.core.roles import Role
from mooc_microcred.rest_api.v1.urls import urlpatterns
from tests.credentials.test_pictures import picture
from tests.rest_api.world import BASE, NATIONAL_ID, OTHER, OWN, World, result_file, snapshot, staff_names
from tests.support.authors import the_authors
from tests.support.definitions import RUN

ALL_ROLES = frozenset(Role.values)
OFFICER, AUDITOR, CREDIT, VERIFIER = "programme_officer", "auditor", "credit_officer", "verifier"
EXAM, SIGNATORY = "exam_officer", "exam_signatory"


@dataclass(frozen=True)
class Endpoint:
    """How an endpoint is called, and who may.

    Attributes:
        name: of its address.
        where: makes the address from the world; without one it stands under its own name.
        roles: staff who may know that the object exists; None where no role is needed.
        doers: those of them who may do it; None means all of ``roles``.
        about: ``object`` (staff elsewhere get 404), ``list`` (they get an empty list), ``all`` (only
            who holds the role for all organisations), ``own`` (``others`` but for Ann), ``person`` (each
            their own), ``shared`` (the same for whoever holds a role anywhere), ``anyone`` (no account).
    """

    name: str
    address: Callable[[World], str]
    method: str = "get"
    body: Callable[[World], Any] | None = None
    multipart: bool = False
    status: int = 200
    about: str = "person"
    roles: Collection[str] = ()
    doers: Collection[str] | None = None
    others: int = 404

    def call(self, client, world: World):
        """Call it with a right body."""
        address = BASE + self.address(world)
        if self.method == "get":
            return client.get(address)
        body = self.body(world) if self.body else {}
        if self.multipart:
            return client.post(address, body)
        return client.post(address, body, content_type="application/json")

    def expected(self, person: str) -> int:
        """Return the status that the person must get."""
        if self.about == "anyone":
            return self.status
        if person == "anonymous":
            return 401
        if self.about == "person":
            return self.status
        if self.about == "own":
            return self.status if person == "ann" else self.others
        if person == "root":
            return self.status
        if "@" not in person:
            return 403
        role, organization = person.split("@")
        doers = self.roles if self.doers is None else self.doers
        if role not in self.roles:
            return 403
        if self.about == "all":
            return self.status if organization == "all" and role in doers else 403
        if self.about == "object" and organization == OTHER:
            return 404
        return self.status if role in doers else 403


def at(address: str, **names: str) -> Callable[[World], str]:
    """Return what makes an address of the ids that the world has under those names."""
    return lambda world: address.format(**{key: world.things[name] for key, name in names.items()})


def note(world: World) -> Mapping[str, Any]:
    return {"note": "The identity was not hers."}


AWARD_READERS = {OFFICER, AUDITOR}
EXAM_READERS = {EXAM, SIGNATORY, AUDITOR}


def to_an_author(address: str) -> Callable[[World], str]:
    """Return what makes Ann an author of the course that the address names."""

    def make(world: World) -> str:
        the_authors.add(world.things["ann"], RUN)
        return address

    return make


ENDPOINTS = [
    Endpoint(
        "authoring-frameworks",
        to_an_author(f"authoring/frameworks/?context={quote(RUN)}"),
        about="own",
        others=403,
    ),
    Endpoint(
        "authoring-competencies",
        to_an_author(f"authoring/competencies/?context={quote(RUN)}"),
        about="own",
        others=403,
    ),
    Endpoint(
        "authoring-check",
        to_an_author("authoring/competencies/check/"),
        method="post",
        body=lambda world: {"context": RUN, "competencies": []},
        about="own",
        others=403,
    ),
    Endpoint("schema", at("schema/")),
    Endpoint("me", at("me/")),
    Endpoint(
        "verify",
        at("verify/"),
        method="post",
        body=lambda world: {"credential": {"type": "VerifiableCredential"}},
        about="anyone",
    ),
    Endpoint("achievements", at("catalogue/achievements/")),
    Endpoint("achievement", at("catalogue/achievements/py101-l1/")),
    Endpoint("programmes", at("catalogue/programmes/")),
    Endpoint("my-awards", at("my/awards/")),
    Endpoint("my-award", at("my/awards/{award}/", award="award"), about="own"),
    Endpoint("my-did", at("my/did/")),
    Endpoint(
        "my-did",
        at("my/did/"),
        method="post",
        body=lambda world: {"proof": "no proof"},
        status=400,
    ),
    Endpoint("my-did-forget", at("my/did/forget/"), method="post"),
    Endpoint("my-credentials", at("my/credentials/")),
    Endpoint("my-credentials-bundle", at("my/credentials/bundle/")),
    Endpoint("my-credential-sharing", at("my/credentials/{one}/sharing/", one="credential"), about="own"),
    Endpoint(
        "my-credential-sharing",
        at("my/credentials/{one}/sharing/", one="credential"),
        method="post",
        body=lambda world: {"visibility": "public"},
        about="own",
    ),
    Endpoint(
        "issuer-pictures",
        at("staff/issuers/kmutt/pictures/"),
        method="post",
        body=lambda world: {"purpose": "logo", "file": ContentFile(picture(), name="logo.png")},
        multipart=True,
        status=201,
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "badge-picture",
        at("staff/achievements/py101-l1/badge/"),
        method="post",
        body=lambda world: {"file": ContentFile(picture(), name="badge.png")},
        multipart=True,
        status=201,
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "certificate-template",
        at("staff/issuers/kmutt/template/"),
        about="object",
        roles=AWARD_READERS,
    ),
    Endpoint(
        "certificate-template",
        at("staff/issuers/kmutt/template/"),
        method="post",
        body=lambda world: {"colour": "#123456", "signatories": []},
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint("my-programmes", at("my/programmes/")),
    Endpoint("my-dashboard", at("my/dashboard/")),
    Endpoint("my-progress", at("my/progress/py101-l2/")),
    Endpoint("my-identities", at("my/identities/")),
    Endpoint("my-data", at("my/data/")),
    Endpoint("my-exam-results", at("my/exam-results/")),
    Endpoint("my-exam-admissions", at("my/exam-admissions/")),
    Endpoint("exams", at("staff/exams/"), about="list", roles=EXAM_READERS),
    Endpoint("exam-admissions", at("staff/exam-admissions/"), about="list", roles=EXAM_READERS),
    Endpoint(
        "exam-admissions",
        at("staff/exam-admissions/"),
        method="post",
        body=lambda world: {
            "exam": "py101-exam",
            "candidates": [{"username": world.person("ann").username}],
        },
        status=201,
        about="object",
        roles={EXAM},
    ),
    Endpoint("exam-batches", at("staff/exam-batches/"), about="list", roles=EXAM_READERS),
    Endpoint(
        "exam-batches",
        at("staff/exam-batches/"),
        method="post",
        body=lambda world: {
            "exam": "py101-exam",
            "file": ContentFile(result_file((world.person("ann").username, 61)), name="r.csv"),
        },
        multipart=True,
        status=201,
        about="object",
        roles={EXAM},
    ),
    Endpoint("exam-template", at("staff/exam-batches/template/"), about="shared", roles=EXAM_READERS),
    Endpoint(
        "exam-batch",
        at("staff/exam-batches/{batch}/", batch="mixed"),
        about="object",
        roles=EXAM_READERS,
    ),
    Endpoint(
        "exam-batch-results",
        at("staff/exam-batches/{batch}/results/", batch="imported"),
        about="object",
        roles=EXAM_READERS,
    ),
    Endpoint(
        "exam-batch-problems",
        at("staff/exam-batches/{batch}/problems/", batch="mixed"),
        about="object",
        roles=EXAM_READERS,
    ),
    Endpoint(
        "exam-batch-problems-file",
        at("staff/exam-batches/{batch}/problems.csv", batch="mixed"),
        about="object",
        roles=EXAM_READERS,
    ),
    Endpoint(
        "import-right-rows",
        at("staff/exam-batches/{batch}/import-right-rows/", batch="mixed"),
        method="post",
        about="object",
        roles={EXAM},
    ),
    Endpoint(
        "sign-exam-batch",
        at("staff/exam-batches/{batch}/sign/", batch="imported"),
        method="post",
        about="object",
        roles=EXAM_READERS,
        doers={SIGNATORY},
    ),
    Endpoint(
        "release-exam-batch",
        at("staff/exam-batches/{batch}/release/", batch="signed"),
        method="post",
        about="object",
        roles=EXAM_READERS,
        doers={EXAM, SIGNATORY},
    ),
    Endpoint(
        "cancel-exam-batch",
        at("staff/exam-batches/{batch}/cancel/", batch="imported"),
        method="post",
        body=lambda world: {"reason": "The wrong file."},
        about="object",
        roles=EXAM_READERS,
        doers={EXAM, SIGNATORY},
    ),
    Endpoint("my-credit-account", at("my/credit-account/")),
    Endpoint("my-consents", at("my/consents/")),
    Endpoint(
        "my-consents",
        at("my/consents/"),
        method="post",
        body=lambda world: {"bank": "thai-bank", "text_version": "2026-1", "language": "th"},
    ),
    Endpoint(
        "withdraw-consent",
        at("my/consents/withdraw/"),
        method="post",
        body=lambda world: {"bank": "thai-bank"},
        about="own",
        others=409,
    ),
    Endpoint("my-deposits", at("my/deposits/")),
    Endpoint("credit-records", at("staff/credit-records/"), about="list", roles={CREDIT, AUDITOR}),
    Endpoint(
        "credit-record",
        at("staff/credit-records/{record}/", record="record"),
        about="object",
        roles={CREDIT, AUDITOR},
    ),
    Endpoint("deliveries", at("staff/deliveries/"), about="list", roles={CREDIT, AUDITOR}),
    Endpoint(
        "replay-deliveries",
        at("staff/deliveries/replay/"),
        method="post",
        body=lambda world: {"ids": [world.things["delivery"]]},
        about="object",
        roles={CREDIT},
    ),
    Endpoint("awards", at("staff/awards/"), about="list", roles=AWARD_READERS),
    Endpoint(
        "certificate-requests",
        at("staff/certificate-requests/"),
        about="list",
        roles=AWARD_READERS,
    ),
    Endpoint("award", at("staff/awards/{award}/", award="award"), about="object", roles=AWARD_READERS),
    Endpoint(
        "revoke-award",
        at("staff/awards/{award}/revoke/", award="award"),
        method="post",
        body=note,
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "suspend-award",
        at("staff/awards/{award}/suspend/", award="award"),
        method="post",
        body=note,
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "reinstate-award",
        at("staff/awards/{award}/reinstate/", award="suspended"),
        method="post",
        body=note,
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "allow-award-again",
        at("staff/awards/{award}/allow-again/", award="revoked"),
        method="post",
        body=note,
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint("frameworks", at("staff/frameworks/"), about="list", roles=AWARD_READERS),
    Endpoint(
        "framework-imports",
        at("staff/framework-imports/"),
        method="post",
        body=lambda world: {
            "file": ContentFile(b"code,statement_en\nX,New\n", name="f.csv"),
            "framework": "0b6d2f0e-93a1-4a53-9d0e-5e1c7b3a2f10",
            "organization": OWN,
            "title_en": "New",
        },
        multipart=True,
        status=201,
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "commit-framework-import",
        at("staff/framework-imports/{one}/commit/", one="preview"),
        method="post",
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "framework", at("staff/frameworks/{one}/", one="framework"), about="object", roles=AWARD_READERS
    ),
    Endpoint(
        "framework-export",
        at("staff/frameworks/{one}/export", one="framework"),
        about="object",
        roles=AWARD_READERS,
    ),
    Endpoint(
        "framework-state",
        at("staff/frameworks/{one}/state/", one="framework"),
        method="post",
        body=lambda world: {"state": "retired"},
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "framework-taxonomy",
        at("staff/frameworks/{one}/taxonomy/", one="framework"),
        method="post",
        # There is no tagging app here.
        status=409,
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "framework-criteria",
        at("staff/frameworks/{one}/criteria/", one="framework"),
        about="object",
        roles=AWARD_READERS,
    ),
    Endpoint(
        "framework-criteria",
        at("staff/frameworks/{one}/criteria/", one="framework"),
        method="post",
        body=lambda world: {"rule": {"mean": {"threshold": 60}}},
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint("run-offers", at("staff/run-offers/"), about="list", roles=AWARD_READERS),
    Endpoint(
        "adopt-run",
        at("staff/run-offers/{offer}/adopt/", offer="offer"),
        method="post",
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "decline-run",
        at("staff/run-offers/{offer}/decline/", offer="offer"),
        method="post",
        about="object",
        roles=AWARD_READERS,
        doers={OFFICER},
    ),
    Endpoint(
        "learner-progress",
        at("staff/learners/{ann}/progress/py101-l2/", ann="ann"),
        about="object",
        roles=AWARD_READERS,
    ),
    Endpoint(
        "evaluation-queue", at("staff/evaluation-queue/"), about="all", roles={OFFICER, CREDIT, AUDITOR}
    ),
    Endpoint("funnel", at("staff/reports/funnel/"), about="list", roles=AWARD_READERS),
    Endpoint("audit", at("staff/audit/?action=test.done"), about="list", roles={AUDITOR}),
    Endpoint("outbox", at("staff/outbox/"), about="all", roles={OFFICER, CREDIT, AUDITOR}),
    Endpoint(
        "outbox-dead-letters",
        at("staff/outbox/dead-letters/"),
        about="all",
        roles={OFFICER, CREDIT, AUDITOR},
    ),
    Endpoint(
        "replay-outbox-dead-letters",
        at("staff/outbox/dead-letters/replay/"),
        method="post",
        body=lambda world: {"ids": [world.things["dead"]]},
        about="all",
        roles={OFFICER, CREDIT},
    ),
    Endpoint(
        "identities",
        at("staff/identities/"),
        method="post",
        body=lambda world: {
            "learner_id": world.things["ann"],
            "kind": "national_id",
            "number": NATIONAL_ID,
        },
        status=201,
        about="object",
        roles={VERIFIER},
    ),
    Endpoint(
        "learner-identities",
        at("staff/learners/{ann}/identities/", ann="ann"),
        about="object",
        roles={VERIFIER},
    ),
    Endpoint(
        "find-learner",
        at("staff/learners/find/"),
        method="post",
        body=lambda world: {"username": world.person("ann").username},
        about="object",
        roles=ALL_ROLES,
    ),
]

EVERYBODY = [
    "anonymous",
    "ann",
    "bob",
    *staff_names(OWN),
    *staff_names(OTHER),
    *staff_names("all"),
    "root",
]


def test_every_address_and_method_of_the_api_is_called_here():
    found = {
        (pattern.name, method)
        for pattern in urlpatterns
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(pattern.callback.view_class, method)
    }
    assert {(one.name, one.method) for one in ENDPOINTS} == found
    assert all(issubclass(pattern.callback.view_class, ApiView) for pattern in urlpatterns)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.name}")
def test_who_may_call_it_and_that_a_refusal_changes_nothing(endpoint, world, as_person):
    before = snapshot()
    wrong = []
    for person in EVERYBODY:
        client = as_person(person)
        savepoint = transaction.savepoint()
        answer = endpoint.call(client, world)
        expected = endpoint.expected(person)
        if answer.status_code != expected:
            wrong.append(f"{person}: {answer.status_code}, not {expected}: {answer.content[:300]!r}")
        if answer.status_code >= 400 or endpoint.method == "get":
            assert snapshot() == before, f"{person} changed something"
        else:
            assert endpoint.method != "get"
        if answer.status_code >= 400:
            body = answer.json()
            assert set(body) == {"code", "message", "problems"}
            assert body["message"]
        transaction.savepoint_rollback(savepoint)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "endpoint", [one for one in ENDPOINTS if one.about == "list"], ids=lambda one: one.name
)
def test_a_list_shows_nothing_to_staff_of_another_organisation(endpoint, world, as_person):
    for role in endpoint.roles:
        own = endpoint.call(as_person(f"{role}@{OWN}"), world).json()["results"]
        everywhere = endpoint.call(as_person(f"{role}@all"), world).json()["results"]
        elsewhere = endpoint.call(as_person(f"{role}@{OTHER}"), world).json()["results"]
        assert own
        assert everywhere == own
        assert elsewhere == []


def test_no_address_takes_a_name_or_an_email_address():
    kinds = {
        converter.__class__.__name__
        for pattern in urlpatterns
        for converter in pattern.pattern.converters.values()
    }
    assert kinds <= {"UUIDConverter", "IdConverter", "CodeConverter"}
