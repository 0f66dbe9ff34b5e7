"""Status lists: killed at any line, and with two workers at once, they end at what the awards say."""

import json

import pytest

from mooc_microcred.core import clock, outbox
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.credentials.models import Credential, StatusList, StatusListDocument
from mooc_microcred.credentials.status import lists
from mooc_microcred.credentials.status.bitstring import decode, is_set
from mooc_microcred.credentials.status.entries import PURPOSES, REVOCATION, SUSPENSION
from mooc_microcred.credentials.status.settling import settle_awards
from tests.credentials.verification.ours import OurIssuer
from tests.faults.processes import at_line, pause
from tests.faults.services import empty_database
from tests.faults.test_killed_workers import MOST_LINES, killed_at_every_line
from tests.support.factories import reinstate, revoke, suspend

pytestmark = pytest.mark.services

CODE = "thai-u-1"


def prepared() -> list[Credential]:
    """Return three credentials whose lists are signed."""
    issuer = OurIssuer()
    rows = [issuer.issue()[0] for _number in range(3)]
    OutboxMessage.objects.all().delete()
    lists.sign_due()
    return rows


def award_of(number: int):
    return Credential.objects.select_related("award").order_by("pk")[number].award


def relay_and_sign() -> None:
    """Do what a worker does: hand over messages, settle, sign."""
    outbox.relay()
    lists.sign_due()


def sweep(lease) -> None:
    """Do what is left, when the claims of whoever died have run out."""
    with clock.shifted(lease):
        while outbox.relay().done:
            pass
        while lists.sign_due():
            pass


def published() -> dict[str, set[int]]:
    """Return the places that are set in the stored lists."""
    found = {}
    for purpose in PURPOSES:
        body = StatusListDocument.objects.get(status_list__code=CODE, purpose=purpose).body
        bits = decode(json.loads(body)["credentialSubject"]["encodedList"])
        indexes = Credential.objects.values_list("status_index", flat=True)
        found[purpose] = {index for index in indexes if is_set(bits, index)}
    return found


def places(*numbers: int) -> set[int]:
    indexes = list(Credential.objects.order_by("pk").values_list("status_index", flat=True))
    return {indexes[number] for number in numbers}


def test_a_worker_killed_at_any_line_of_settling_and_signing_loses_no_bit(mariadb, start, lease):
    def prepare():
        prepared()
        revoke(award_of(0))
        suspend(award_of(1))

    def check():
        sweep(lease)
        assert published() == {REVOCATION: places(0), SUSPENSION: places(1)}
        assert not lists.lists_due().exists()
        assert StatusListDocument.objects.count() == len(PURPOSES)

    assert killed_at_every_line(start, prepare, relay_and_sign, check) >= 20


def test_a_worker_paused_at_any_line_of_signing_replaces_no_newer_list(mariadb, start, lease):
    for line in range(1, MOST_LINES):
        empty_database()
        prepared()
        suspend(award_of(0))
        settle_awards(award_uuids=[award_of(0).uuid])
        sleeper = start(lists.sign_due, before=lambda line=line: at_line(line, pause))
        if not sleeper.wait_until_paused():
            assert line > 10
            return
        reinstate(award_of(0))
        revoke(award_of(1))
        other = start(
            lambda: (settle_awards(award_uuids=[award_of(0).uuid, award_of(1).uuid]), lists.sign_due())
        )
        other.has_ended(within=0.3)
        sleeper.resume()
        assert sleeper.wait()
        assert other.wait()
        sweep(lease)
        assert published() == {REVOCATION: places(1), SUSPENSION: set()}, f"after a pause at line {line}"
    raise AssertionError(f"more than {MOST_LINES} lines")


def test_a_worker_paused_at_any_line_of_settling_writes_no_stale_status(mariadb, start, lease):
    """It has read that the award is suspended, sleeps, and the award comes back meanwhile."""
    for line in range(1, MOST_LINES):
        empty_database()
        prepared()
        award = award_of(0)
        suspend(award)
        uuids = [award.uuid]
        sleeper = start(
            lambda uuids=uuids: settle_awards(award_uuids=uuids),
            before=lambda line=line: at_line(line, pause),
        )
        if not sleeper.wait_until_paused():
            assert line > 5
            return
        reinstate(award)
        other = start(lambda uuids=uuids: settle_awards(award_uuids=uuids))
        other.has_ended(within=0.3)
        sleeper.resume()
        assert sleeper.wait()
        assert other.wait()
        lists.sign_due()
        assert published() == {REVOCATION: set(), SUSPENSION: set()}, f"after a pause at line {line}"
    raise AssertionError(f"more than {MOST_LINES} lines")


def test_many_workers_at_once_end_at_what_the_awards_say(mariadb, start, lease):
    prepared()
    revoke(award_of(0))
    suspend(award_of(1))
    suspend(award_of(2))
    reinstate(award_of(2))
    workers = [start(relay_and_sign) for _number in range(4)]
    for worker in workers:
        assert worker.wait()
    sweep(lease)
    assert published() == {REVOCATION: places(0), SUSPENSION: places(1)}
    assert StatusList.objects.get().changes <= 5
