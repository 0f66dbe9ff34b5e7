import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from mooc_microcred.core.crypto import decrypt, encrypt, keyed_hash


@pytest.fixture
def configure(settings):
    def change(**changes):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, **changes}

    return change


def test_what_was_encrypted_with_an_older_key_can_still_be_read(configure):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    configure(ENCRYPTION_KEYS=[old])
    token = encrypt(b"1101700230708")
    configure(ENCRYPTION_KEYS=[new, old])
    assert decrypt(token) == b"1101700230708"
    assert Fernet(new).decrypt(encrypt(b"x")) == b"x"


def test_a_changed_value_is_noticed_and_the_error_does_not_tell_it(configure):
    token = bytearray(encrypt(b"1101700230708"))
    token[-5] ^= 1
    with pytest.raises(ValueError, match="ENCRYPTION_KEYS") as caught:
        decrypt(bytes(token))
    assert "1101700230708" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_same_number_encrypts_differently_each_time():
    assert encrypt(b"1101700230708") != encrypt(b"1101700230708")


def test_the_hash_depends_on_the_key_and_on_where_one_part_ends(configure):
    before = keyed_hash("national_id", "1101700230708")
    assert before == keyed_hash("national_id", "1101700230708")
    assert keyed_hash("national_id1", "101700230708") != before
    configure(IDENTITY_HASH_KEY="another")
    assert keyed_hash("national_id", "1101700230708") != before


@pytest.mark.parametrize(("missing", "empty"), [("ENCRYPTION_KEYS", []), ("IDENTITY_HASH_KEY", "")])
def test_without_keys_nothing_is_stored_in_the_clear(configure, missing, empty):
    configure(**{missing: empty})
    with pytest.raises(ImproperlyConfigured, match=missing):
        encrypt(b"x") if missing == "ENCRYPTION_KEYS" else keyed_hash("x")
