from contextlib import suppress
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from stdnum.th import pin

from mooc_microcred.core import clock
from mooc_microcred.core.errors import InvalidInput
from mooc_microcred.core.identity import (
    Kind,
    find_learner_by_identity,
    forget_old_identities,
    has_identity,
    normalise_number,
    record_identity,
    renew_identities,
    reveal_identity,
)
from mooc_microcred.core.models import AuditEntry, LearnerIdentity, OutboxMessage

SOMCHAI = "1101700230708"
MALI = "3100600445635"


def national_id(digits: str) -> str:
    return digits + pin.calc_check_digit(digits)


def record(learner_id=1, number=SOMCHAI, kind=Kind.NATIONAL_ID):
    record_identity(learner_id=learner_id, kind=kind, number=number, verified_by="officer:9", actor_id=9)


@given(st.text("0123456789", min_size=12, max_size=12))
def test_a_number_is_found_however_it_was_written(digits):
    number = national_id(digits)
    if not pin.is_valid(number):
        return
    dashed = f"{number[0]}-{number[1:5]}-{number[5:10]}-{number[10:12]}-{number[12]}"
    thai = number.translate(str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙"))
    for written in (number, dashed, thai, f" {number} "):
        assert normalise_number(Kind.NATIONAL_ID, written) == number


def test_a_wrong_check_digit_is_noticed():
    for digit in set("0123456789") - {SOMCHAI[-1]}:
        with pytest.raises(InvalidInput, match="check digit"):
            normalise_number(Kind.NATIONAL_ID, SOMCHAI[:-1] + digit)


@given(st.text())
def test_any_text_is_a_number_or_invalid_input(text):
    for kind in (*Kind, "library card"):
        with suppress(InvalidInput):
            assert normalise_number(kind, text).strip()


@pytest.mark.django_db
def test_the_number_is_nowhere_in_the_clear():
    record()
    row = LearnerIdentity.objects.get()
    stored = repr([(f.name, getattr(row, f.name)) for f in row._meta.fields if f.name != "last_four"])
    assert SOMCHAI not in stored
    assert row.last_four == SOMCHAI[-4:]
    for trace in (AuditEntry.objects.get(), OutboxMessage.objects.get()):
        assert SOMCHAI[-4:] not in repr(vars(trace))


@pytest.mark.django_db
def test_a_recorded_identity_is_found_by_number_and_kind_only():
    record(learner_id=5)
    assert find_learner_by_identity(kind=Kind.NATIONAL_ID, number="1-1017-00230-70-8") == 5
    assert find_learner_by_identity(kind=Kind.PASSPORT, number=SOMCHAI) is None
    assert reveal_identity(learner_id=5) == ("national_id", SOMCHAI)
    assert has_identity(learner_id=5)
    assert not has_identity(learner_id=6)
    assert reveal_identity(learner_id=6) is None


@pytest.mark.django_db
def test_recording_tells_those_who_wait_for_it():
    record(learner_id=5)
    message = OutboxMessage.objects.get()
    assert (message.topic, message.learner_id, message.payload) == ("identity.recorded", 5, {})


@pytest.mark.django_db
def test_one_document_cannot_belong_to_two_learners():
    record(learner_id=5)
    with pytest.raises(InvalidInput, match="another learner"):
        record(learner_id=6)
    assert not has_identity(learner_id=6)
    assert OutboxMessage.objects.count() == 1


@pytest.mark.django_db
def test_a_new_document_of_the_same_kind_replaces_the_old_one():
    record(kind=Kind.PASSPORT, number="AA1234567")
    record(kind=Kind.PASSPORT, number="AB7654321")
    assert reveal_identity(learner_id=1) == ("passport", "AB7654321")
    assert find_learner_by_identity(kind=Kind.PASSPORT, number="AA1234567") is None


@pytest.mark.django_db
def test_the_national_id_is_sent_rather_than_the_passport():
    record(kind=Kind.PASSPORT, number="AA1234567")
    record(number=MALI)
    assert reveal_identity(learner_id=1) == ("national_id", MALI)


@pytest.mark.django_db
def test_an_identity_is_forgotten_when_it_was_not_needed_for_the_retention(settings):
    record(learner_id=1)
    record(learner_id=2, number=MALI)
    with clock.shifted(timedelta(days=300)):
        reveal_identity(learner_id=2)
    with clock.shifted(timedelta(days=400)):
        assert forget_old_identities() == 0
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "IDENTITY_RETENTION_DAYS": 365}
        assert forget_old_identities() == 1
    assert not has_identity(learner_id=1)
    assert has_identity(learner_id=2)


# --- after a change of keys ---


@pytest.fixture
def rotate(settings):
    def change(**changes):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, **changes}

    return change


@pytest.fixture
def seven_learners():
    for learner in range(1, 8):
        record(learner_id=learner, number=national_id(f"11017002307{learner}"))


@pytest.mark.django_db
def test_after_reencrypt_the_former_key_can_go(seven_learners, rotate, settings, capsys):
    new = Fernet.generate_key().decode()
    rotate(ENCRYPTION_KEYS=[new, *settings.MOOC_MICROCRED["ENCRYPTION_KEYS"]])
    call_command("microcred_identity", "reencrypt", "--chunk", "3")
    assert "7" in capsys.readouterr().out
    rotate(ENCRYPTION_KEYS=[new])
    assert reveal_identity(learner_id=4) == ("national_id", national_id("110170023074"))


@pytest.mark.django_db
def test_after_rehash_numbers_are_found_with_the_new_key(seven_learners, rotate):
    rotate(IDENTITY_HASH_KEY="another secret")
    number = national_id("110170023073")
    assert find_learner_by_identity(kind=Kind.NATIONAL_ID, number=number) is None
    call_command("microcred_identity", "rehash", "--chunk", "2")
    assert find_learner_by_identity(kind=Kind.NATIONAL_ID, number=number) == 3


@pytest.mark.django_db
def test_an_interrupted_run_goes_on_where_it_stopped(seven_learners, rotate):
    rotate(IDENTITY_HASH_KEY="another secret")
    first = renew_identities(action="rehash", after=0, limit=3)
    assert (first.seen, first.renewed) == (3, 3)
    second = renew_identities(action="rehash", after=first.last, limit=100)
    assert (second.seen, second.renewed) == (4, 4)
    assert renew_identities(action="rehash", after=second.last, limit=100).last is None


@pytest.mark.django_db
def test_rehash_reports_a_number_that_was_recorded_again_meanwhile(seven_learners, rotate):
    rotate(IDENTITY_HASH_KEY="another secret")
    record(learner_id=70, number=national_id("110170023072"))
    doubled = LearnerIdentity.objects.get(learner_id=2).pk
    with pytest.raises(CommandError, match=rf"1 identities .*ids {doubled}\)"):
        call_command("microcred_identity", "rehash")
    assert find_learner_by_identity(kind=Kind.NATIONAL_ID, number=national_id("110170023071")) == 1


@pytest.mark.django_db
def test_what_no_key_decrypts_is_named_and_the_rest_is_done(seven_learners, rotate, settings):
    broken = LearnerIdentity.objects.get(learner_id=6)
    LearnerIdentity.objects.filter(pk=broken.pk).update(number_encrypted=b"garbage")
    new = Fernet.generate_key().decode()
    rotate(ENCRYPTION_KEYS=[new, *settings.MOOC_MICROCRED["ENCRYPTION_KEYS"]])
    with pytest.raises(CommandError, match=rf"ids {broken.pk}\)"):
        call_command("microcred_identity", "reencrypt")
    rotate(ENCRYPTION_KEYS=[new])
    assert reveal_identity(learner_id=7) is not None


@pytest.mark.django_db
@pytest.mark.parametrize("chunk", ["0", "1001"])
def test_a_chunk_size_that_would_hold_the_table_is_refused(chunk):
    with pytest.raises(CommandError, match="1 to 1000"):
        call_command("microcred_identity", "rehash", "--chunk", chunk)
