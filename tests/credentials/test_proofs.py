"""Byte for byte against the W3C's and 1EdTech's own vectors, and against a small one of ours."""

import contextlib
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mooc_microcred.credentials import contexts, proofs
from mooc_microcred.credentials.multikey import public_multikey, to_base58
from mooc_microcred.credentials.verification.keys import from_base58, from_multibase

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "vectors"
FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"


def vectors(name: str) -> Path:
    folder = VECTORS / name
    if not folder.is_dir():
        pytest.skip(f"the vectors {name} are not beside this checkout (../shared/data/vectors)")
    return folder


def text(file: Path) -> str:
    return file.read_text("utf-8")


class Key:
    def __init__(self, seed: bytes, verification_method: str):
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verification_method = verification_method
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data)


def without(document: dict, *names: str) -> dict:
    return {name: value for name, value in document.items() if name not in names}


def test_open_badges_vector_comes_out_byte_for_byte():
    folder = vectors("open-badges-3")
    told = json.loads(text(folder / "key-and-hashes.json"))
    unsigned, signed = (json.loads(text(folder / f"{name}.json")) for name in ("unsigned", "signed"))
    key = Key(bytes.fromhex(told["privateKeySeedHex"]), told["verificationMethod"])
    options = without(signed["proof"], "proofValue")

    assert proofs.canonical_form(unsigned) == text(folder / "document-canon.txt")
    config = proofs.canonical_form({"@context": unsigned["@context"], **options})
    assert config == text(folder / "proof-canon.txt")
    assert proofs.hashed(unsigned, options).hex() == told["proofHashHex"] + told["documentHashHex"]
    made = proofs.add_proof(unsigned, key, datetime(2010, 1, 1, 19, 23, 24, tzinfo=UTC))
    assert made == signed
    assert from_multibase(made["proof"]["proofValue"]).hex() == told["signatureHex"]
    assert public_multikey(key.public) == told["publicKeyMultibase"]
    assert proofs.check_proof(signed, told["publicKeyMultibase"])


def test_w3c_vector_comes_out_byte_for_byte(monkeypatch):
    folder = vectors("w3c-eddsa-rdfc-2022")
    # The vector alone uses this context, which gives every term a meaning: nobody else may.
    bundled = contexts.bundled_context
    known = {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}}
    monkeypatch.setattr(proofs, "bundled_context", lambda url: known if url == EXAMPLES else bundled(url))
    pair = json.loads(text(folder / "keyPair.json"))
    unsigned, signed = (json.loads(text(folder / f"{name}.json")) for name in ("unsigned", "signedDataInt"))
    seed = from_multibase(pair["privateKeyMultibase"])[2:]
    key = Key(seed, signed["proof"]["verificationMethod"])

    assert proofs.canonical_form(unsigned) == text(folder / "canonDocDataInt.txt")
    made = proofs.add_proof(unsigned, key, datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC))
    assert made == signed
    hashed = proofs.hashed(unsigned, without(signed["proof"], "proofValue"))
    assert hashed.hex() == text(folder / "combinedHashDataInt.txt").strip()
    assert from_multibase(made["proof"]["proofValue"]).hex() == text(folder / "sigHexDataInt.txt").strip()


def test_our_own_vector_comes_out_byte_for_byte():
    """Signed once by this code and checked by @digitalbazaar/vc; it covers what the others do."""
    signed = json.loads(text(FIXTURES / "signed.json"))
    key = Key(bytes(range(32)), signed["proof"]["verificationMethod"])
    unsigned = without(signed, "proof")
    assert proofs.canonical_form(unsigned) == text(FIXTURES / "canonical.nq")
    assert proofs.add_proof(unsigned, key, datetime(2026, 11, 21, tzinfo=UTC)) == signed
    assert proofs.check_proof(signed, public_multikey(key.public))


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif isinstance(value, list):
        for position, one in enumerate(value):
            yield from leaves(one, (*path, position))
    else:
        yield path


def changed(document: dict, path: tuple) -> dict:
    copy = json.loads(json.dumps(document))
    place = copy
    for step in path[:-1]:
        place = place[step]
    old = place[path[-1]]
    place[path[-1]] = (
        not old if isinstance(old, bool) else old + 1 if isinstance(old, int | float) else f"{old}x"
    )
    return copy


def test_no_leaf_can_be_changed_without_being_noticed():
    signed = json.loads(text(FIXTURES / "signed.json"))
    public = public_multikey(Key(bytes(range(32)), "").public)
    paths = list(leaves(without(signed, "proof")))
    assert len(paths) > 15
    for path in paths:
        # A context or a type that nobody knows is refused before any signature is looked at.
        with contextlib.suppress(proofs.CannotSign):
            assert not proofs.check_proof(changed(signed, path), public), path


def objects(value, path=()):
    if isinstance(value, dict):
        yield path
    for step, one in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(one, dict | list):
            yield from objects(one, (*path, step))


def test_a_term_without_definition_is_refused_in_every_object():
    document = without(json.loads(text(FIXTURES / "signed.json")), "proof", "@context")
    context = json.loads(text(FIXTURES / "signed.json"))["@context"]
    paths = [path for path in objects(document) if path[-1:] not in (("nameIn",), ("statementIn",))]
    assert len(paths) == 9
    for path in paths:
        copy = json.loads(json.dumps(document))
        place = copy
        for step in path:
            place = place[step]
        place["thaiLevel"] = "4"
        with pytest.raises(proofs.CannotSign):
            proofs.canonical_form({"@context": context, **copy})


@pytest.mark.parametrize(
    "change",
    [
        {"thaiLevel": "4"},
        {"type": ["VerifiableCredential", "NoSuchType"]},
        {"id": "no-scheme"},
        {"@context": [contexts.CREDENTIALS_V2, "https://example.org/unknown.jsonld"]},
        {"@context": [contexts.CREDENTIALS_V2, {"@vocab": "https://example.org/#"}]},
    ],
)
def test_what_no_signature_would_cover_is_refused(change):
    document = without(json.loads(text(FIXTURES / "signed.json")), "proof")
    with pytest.raises(proofs.CannotSign):
        proofs.canonical_form({**document, **change})


def test_contexts_are_what_their_authors_publish():
    notice = (Path(contexts.__file__).parent / "jsonld_contexts" / "NOTICE").read_text("utf-8")
    for name in [*contexts.FILES.values(), contexts.OWN_FILE]:
        assert name in notice
        assert hashlib.sha256(contexts.context_bytes(name)).hexdigest() in notice, name
    v2 = hashlib.sha256(contexts.context_bytes("credentials-v2.jsonld")).hexdigest()
    # VC Data Model 2.0, appendix B.1.
    assert v2 == "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"


def test_our_own_context_never_changes():
    """Whoever changes a term makes v2.jsonld: credentials that are signed name this one for ever."""
    found = hashlib.sha256(contexts.context_bytes(contexts.OWN_FILE)).hexdigest()
    assert found == "958207319dab6a867a60d9e692cd4bc54897697412325707c7a098dbec8594d8"


def test_the_loader_fetches_nothing():
    load = contexts.bundled_loader()
    assert load(contexts.OPEN_BADGES, {})["document"]["@context"]["Achievement"]
    for url in ("https://example.org/c.jsonld", "file:///etc/passwd", "http://localhost/x", ""):
        with pytest.raises(Exception, match="not bundled"):
            load(url, {})


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\1", b"\xff" * 64, bytes(range(64)), b"\0" * 5])
def test_base58_comes_back(data):
    assert from_base58(to_base58(data)) == data
