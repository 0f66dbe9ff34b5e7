import base64
import io
import json
import logging
import multiprocessing
import pickle
import traceback
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib import admin
from django.core.management import call_command
from django.core.management.base import CommandError

from mooc_microcred.achievements.models import Issuer
from mooc_microcred.core import clock, crypto
from mooc_microcred.core.errors import InvalidInput, NotFound, WrongState
from mooc_microcred.core.models import AuditEntry
from mooc_microcred.credentials import api, keys, proofs, signers
from mooc_microcred.credentials.models import IssuerKey
from mooc_microcred.credentials.multikey import public_multikey
from tests.credentials import signing_service
from tests.credentials.issuing_world import credential_of, issue_all, level_1
from tests.support.factories import make_award

pytestmark = pytest.mark.django_db(transaction=True)

DID = "did:web:lms.example.org:microcred:issuers:kmutt"


@pytest.fixture(autouse=True)
def _fresh():
    signers.forget_opened_keys()
    yield
    signers.forget_opened_keys()


@pytest.fixture
def issuer():
    return Issuer.objects.create(
        code="kmutt",
        organization="KMUTT",
        definition={"code": "kmutt", "name": {"th": "มจธ.", "en": "KMUTT"}, "country": "TH"},
    )


@pytest.fixture
def configure(settings):
    def change(**changes):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, **changes}
        signers.forget_opened_keys()

    return change


def private_bytes(key: IssuerKey) -> bytes:
    return crypto.decrypt(key.private_key_encrypted, setting=crypto.ISSUER_KEYS)


def test_the_first_key_is_made_once_and_published(issuer):
    assert api.create_key(issuer_code="kmutt") == api.create_key(issuer_code="kmutt")
    found = api.did_document(issuer_code="kmutt")
    assert found["id"] == DID
    assert found["assertionMethod"] == [f"{DID}#key-1"]
    (method,) = found["verificationMethod"]
    assert method == {
        "id": f"{DID}#key-1",
        "type": "Multikey",
        "controller": DID,
        "publicKeyMultibase": IssuerKey.objects.get().public_key,
    }
    # Nothing in it is without meaning to a program that reads it as JSON-LD.
    proofs.canonical_form(found)
    assert AuditEntry.objects.get().action == "issuer_key.created"


def test_an_issuer_without_a_key_has_no_document(issuer):
    with pytest.raises(NotFound):
        api.did_document(issuer_code="kmutt")
    with pytest.raises(NotFound):
        api.did_document(issuer_code="nobody")


def test_rotation_leaves_old_credentials_valid(platform):
    platform.add_learner(7)
    platform.add_learner(8)
    version = level_1()
    old = make_award(7, version)
    issue_all()
    api.rotate_key(issuer_code="kmutt")
    new = make_award(8, version)
    issue_all()
    found = api.did_document(issuer_code="kmutt")
    assert found["assertionMethod"] == [f"{DID}#key-1", f"{DID}#key-2"]
    by_id = {one["id"]: one["publicKeyMultibase"] for one in found["verificationMethod"]}
    for award, number in ((old, 1), (new, 2)):
        document = api.signed_document(uuid=credential_of(award).uuid)
        assert document["proof"]["verificationMethod"] == f"{DID}#key-{number}"
        assert proofs.check_proof(document, by_id[f"{DID}#key-{number}"])
    # A retired key signs nothing any more, not even the other form of what it has signed.
    token = api.signed_jwt(uuid=credential_of(old).uuid)
    assert json.loads(_unpadded(token.split(".")[0]))["kid"] == f"{DID}#key-2"
    assert [one.state for one in api.list_keys()] == ["retired", "active"]


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_revoked_key_is_told_signs_no_more_and_is_gone(platform):
    platform.add_learner(7)
    award = make_award(7, level_1())
    issue_all()
    since = clock.now() - timedelta(hours=1)
    api.revoke_key(issuer_code="kmutt", number=1, since=since)
    found = api.did_document(issuer_code="kmutt")
    assert found["assertionMethod"] == [f"{DID}#key-2"]
    assert found["verificationMethod"][0]["revoked"] == proofs.instant(since)
    assert bytes(IssuerKey.objects.get(number=1).private_key_encrypted) == b""
    data = api.get_credential(uuid=credential_of(award).uuid)
    assert (data.key_state, data.key_revoked_from) == ("revoked", since)
    with pytest.raises(WrongState):
        api.signed_jwt(uuid=data.uuid)
    with pytest.raises(WrongState):
        api.revoke_key(issuer_code="kmutt", number=1)
    with pytest.raises(InvalidInput):
        api.revoke_key(issuer_code="kmutt", number=2, since=clock.now() + timedelta(days=1))
    proofs.canonical_form(found)


def test_a_did_key_needs_no_network_and_cannot_be_rotated(platform, configure):
    configure(DID_KEY_ISSUERS=["kmutt"])
    platform.add_learner(7)
    award = make_award(7, level_1())
    issue_all()
    document = api.signed_document(uuid=credential_of(award).uuid)
    multikey = IssuerKey.objects.get().public_key
    assert document["issuer"]["id"] == f"did:key:{multikey}"
    assert document["proof"]["verificationMethod"] == f"did:key:{multikey}#{multikey}"
    assert proofs.check_proof(document, multikey)
    with pytest.raises(WrongState):
        api.rotate_key(issuer_code="kmutt")


def test_two_workers_make_one_first_key(issuer):
    one = keys.current_key(issuer)
    assert keys.current_key(issuer).pk == one.pk
    assert IssuerKey.objects.count() == 1


# --- the private key stays where it is ---


def everywhere(private: bytes) -> set[str]:
    """Return the ways in which a key may be written."""
    return {
        private.hex(),
        base64.b64encode(private).decode(),
        base64.urlsafe_b64encode(private).decode().rstrip("="),
        repr(private),
    }


def test_a_private_key_is_in_no_text_of_ours(issuer, caplog, configure):
    caplog.set_level(logging.DEBUG)
    api.create_key(issuer_code="kmutt")
    api.rotate_key(issuer_code="kmutt")
    row = IssuerKey.objects.select_related("issuer").get(current=True)
    private = private_bytes(row)
    handle = keys.handle_of(row)
    handle.sign(b"x")
    out = io.StringIO()
    call_command("microcred_keys", "list", stdout=out)
    call_command("microcred_keys", "reencrypt", stdout=out)
    call_command("microcred_keys", "revoke", "kmutt", "1", stdout=out)
    encrypted = bytes(row.private_key_encrypted)
    texts = [
        out.getvalue(),
        caplog.text,
        repr(handle),
        str(handle),
        repr(row),
        str(row),
        repr(signers.DatabaseSigner().create_key(issuer="x")),
        json.dumps(api.did_document(issuer_code="kmutt")),
        repr(api.list_keys()),
        repr(list(AuditEntry.objects.values())),
    ]
    for text in texts:
        assert not any(secret in text for secret in everywhere(private))
        assert encrypted.decode() not in text


def test_a_private_key_is_in_no_exception(issuer, configure):
    api.create_key(issuer_code="kmutt")
    handle = keys.handle_of(IssuerKey.objects.select_related("issuer").get())
    private = private_bytes(IssuerKey.objects.get())
    configure(ISSUER_KEY_ENCRYPTION_KEYS=[Fernet.generate_key().decode()])
    with pytest.raises(signers.KeyUnusable) as caught:
        handle.sign(b"x")
    told = "".join(traceback.format_exception(caught.value))
    assert not any(secret in told for secret in everywhere(private))
    assert caught.value.__cause__ is None
    with pytest.raises(CommandError, match="decrypts"):
        call_command("microcred_keys", "reencrypt")


@pytest.mark.parametrize("form", ["json", "xml", "yaml"])
def test_dumpdata_takes_no_usable_private_key_along(issuer, form):
    api.create_key(issuer_code="kmutt")
    row = IssuerKey.objects.get()
    out = io.StringIO()
    call_command("dumpdata", "mooc_microcred.issuerkey", format=form, stdout=out)
    assert row.public_key in out.getvalue()
    assert not any(secret in out.getvalue() for secret in everywhere(private_bytes(row)))
    assert bytes(row.private_key_encrypted).decode() not in out.getvalue()
    assert base64.b64encode(bytes(row.private_key_encrypted)).decode() not in out.getvalue()


def test_the_admin_does_not_show_private_keys():
    shown = admin.site._registry.get(IssuerKey)
    if shown is not None:
        assert "private_key_encrypted" not in str(getattr(shown, "fields", ""))
    assert not IssuerKey._meta.get_field("private_key_encrypted").editable


def test_a_handle_does_not_travel_by_accident(issuer):
    """A handle holds the encrypted key only: pickled into a task it still needs the key of the settings."""
    api.create_key(issuer_code="kmutt")
    row = IssuerKey.objects.select_related("issuer").get()
    assert not any(
        secret.encode() in pickle.dumps(keys.handle_of(row)) for secret in everywhere(private_bytes(row))
    )


# --- encryption at rest ---


def test_keys_of_issuers_may_have_their_own_encryption(issuer, configure):
    mine, later = (Fernet.generate_key().decode() for _ in range(2))
    configure(ISSUER_KEY_ENCRYPTION_KEYS=[mine])
    api.create_key(issuer_code="kmutt")
    handle = keys.handle_of(IssuerKey.objects.select_related("issuer").get())
    assert handle.sign(b"x")
    Fernet(mine).decrypt(bytes(IssuerKey.objects.get().private_key_encrypted))
    configure(ISSUER_KEY_ENCRYPTION_KEYS=[later, mine])
    assert api.reencrypt_keys() == 1
    configure(ISSUER_KEY_ENCRYPTION_KEYS=[later])
    again = keys.handle_of(IssuerKey.objects.select_related("issuer").get())
    assert again.sign(b"x")
    assert again.public_key == handle.public_key


# --- a signer elsewhere ---


class ServiceSigner:
    """A signer of an operator: asks a service in another process."""

    connection = None

    def create_key(self, *, issuer):
        self.connection.send(("create", issuer))
        reference, public_key = self.connection.recv()
        return signers.NewKey(public_key=public_key, reference=reference)

    def sign(self, key, data):
        self.connection.send(("sign", key.reference, data))
        return self.connection.recv()


class LyingSigner(signers.DatabaseSigner):
    """A signer that signs with another key than it says."""

    def sign(self, key, data):
        return Ed25519PrivateKey.generate().sign(data)


@pytest.fixture
def service():
    ours, theirs = multiprocessing.Pipe()
    # A spawned process would import this module, and with it Django; a forked one has what it needs.
    process = multiprocessing.get_context("fork").Process(target=signing_service.serve, args=(theirs,))
    process.start()
    theirs.close()
    ServiceSigner.connection = ours
    yield process
    ours.send(None)
    process.join(timeout=20)


def test_a_service_may_hold_the_keys(platform, configure, service):
    configure(SIGNER=f"{__name__}.ServiceSigner")
    platform.add_learner(7)
    award = make_award(7, level_1())
    issue_all()
    row = IssuerKey.objects.get()
    assert (row.reference, bytes(row.private_key_encrypted)) == ("kms-1", b"")
    assert proofs.check_proof(api.signed_document(uuid=credential_of(award).uuid), row.public_key)
    assert api.rotate_key(issuer_code="kmutt").number == 2


def test_a_signer_that_signs_with_another_key_is_found_at_once(issuer, configure):
    configure(SIGNER=f"{__name__}.LyingSigner")
    with pytest.raises(WrongState):
        api.create_key(issuer_code="kmutt")
    assert not IssuerKey.objects.exists()


def test_public_multikey_is_that_of_the_field_s_documents():
    # did:key of the W3C vector's key pair.
    public = bytes.fromhex("4bdeafde2ea8beefadd8c699b5c7e0704cf51154d52e17b20b71337ca04cc5a5")
    assert public_multikey(public) == "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"


def test_the_command_says_what_it_cannot_do(issuer):
    with pytest.raises(CommandError):
        call_command("microcred_keys", "rotate", "nobody")
    out = io.StringIO()
    call_command("microcred_keys", "create", "kmutt", stdout=out)
    assert out.getvalue().startswith("kmutt\tkey-1\tactive\tz6Mk")
