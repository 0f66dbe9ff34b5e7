"""From the award to its signed credential: killed at any line, nothing is lost and nothing is doubled."""

from datetime import timedelta

import pytest

from mooc_microcred.achievements.models import Award
from mooc_microcred.core import clock, outbox
from mooc_microcred.credentials import api, issuing, proofs, signers
from mooc_microcred.credentials.models import Credential, CredentialDue, SignedDocument
from tests.credentials.issuing_world import award_level_2, award_programme, level_1, level_2, sitting
from tests.faults.test_killed_workers import killed_at_every_line
from tests.support.factories import change_award, make_award

pytestmark = pytest.mark.services


def issue_once():
    """Do what the tasks do, one after the other."""
    outbox.relay()
    issuing.advance_walk()
    while api.issue_due().issued:
        pass


def finish():
    """Let a healthy worker work until nothing waits any more, for hours if need be."""
    for minutes in range(5, 305, 10):
        with clock.shifted(timedelta(minutes=minutes)):
            issue_once()
            issue_once()
            if not CredentialDue.objects.exists() and not outbox.relay().done:
                return
    raise AssertionError(list(CredentialDue.objects.values_list("reason", "attempts")))


def assert_whole(awards: int) -> None:
    """Assert that every award has one credential, each with its documents, in a place of its own."""
    live = Credential.objects.filter(live=True)
    assert live.count() == awards == Award.objects.count()
    assert live.values("award").distinct().count() == awards
    everything = Credential.objects.all()
    assert everything.values("status_list", "status_index").distinct().count() == everything.count()
    assert SignedDocument.objects.filter(kind="credential").count() == everything.count()
    for row in live.select_related("key", "award__achievement"):
        assert proofs.check_proof(api.signed_document(uuid=row.uuid), row.key.public_key)
        records = SignedDocument.objects.filter(credential=row, kind="record").count()
        assert records == (row.award.achievement.kind == "programme")


@pytest.fixture(autouse=True)
def _keys():
    signers.forget_opened_keys()
    yield
    signers.forget_opened_keys()


def test_killed_at_any_line_from_the_award_to_the_credential_signs_each_once(mariadb, start):
    def prepare():
        mariadb.add_learner(7)
        award_programme(7, [make_award(7, level_1())])

    def check():
        finish()
        assert_whole(2)
        assert Credential.objects.count() == 2

    assert killed_at_every_line(start, prepare, issue_once, check) >= 40


def test_killed_at_any_line_of_a_correction_leaves_one_credential_that_stands(mariadb, start):
    def prepare():
        mariadb.add_learner(7)
        version = level_2()
        award = award_level_2(7, version)
        issue_once()
        evidence = {**award.evidence, "references": [sitting(7, version, percent="64")], "measures": []}
        change_award(award, "corrected", reason="exam_corrected", evidence=evidence)

    def check():
        finish()
        assert_whole(1)
        assert Credential.objects.count() == 2
        old = Credential.objects.get(live=None)
        assert old.superseded_at is not None
        assert old.revoked_at is not None
        assert Credential.objects.get(live=True).supersedes_id == old.pk

    assert killed_at_every_line(start, prepare, issue_once, check) >= 20
