"""Templates give just what the full algorithm gives, for whatever stands in their slots."""

import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mooc_microcred.achievements.data import Definition
from mooc_microcred.core.texts import Text
from mooc_microcred.credentials import proofs, rendering, signing
from mooc_microcred.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES
from mooc_microcred.credentials.texts import clean
from tests.credentials.issuing_world import EXAM, LEVEL_2
from tests.support.definitions import definition
from tests.support.factories import OUTCOMES

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ISSUER = {
    "name": {"th": "มจธ.", "en": "KMUTT"},
    "url": "https://www.kmutt.ac.th",
    "country": "TH",
    "address": {"th": "บางมด", "en": "Bang Mod"},
}


class Key:
    verification_method = "did:web:lms.example.org:microcred:issuers:kmutt#key-1"

    def __init__(self):
        self._private = Ed25519PrivateKey.generate()
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data)


KEY = Key()


def frame(**fields) -> rendering.Frame:
    raw = definition("py101-l2", "level2", outcomes=OUTCOMES, **LEVEL_2)
    return rendering.Frame(
        **{
            "definition": Definition(
                version_id=1,
                number=1,
                achievement_id=1,
                code="py101-l2",
                organization="KMUTT",
                kind="level2",
                issuer="kmutt",
                name=Text.of(raw["name"]),
                credits=Decimal("1.5"),
                hours=Decimal(45),
                raw=raw,
            ),
            "issuer": ISSUER,
            "issuer_did": "did:web:lms.example.org:microcred:issuers:kmutt",
            "list_code": "kmutt-1",
            "measured": (rendering.Measured(f"exam-{EXAM}", {"th": "สอบ", "en": "Exam"}, "60"),),
            **fields,
        }
    )


FRAME = frame()
EXAM_NAME = f"exam-{EXAM}"
FULL = rendering.Shape(
    expires=True, course=True, results=(EXAM_NAME,), exams=(EXAM_NAME,), centres=(EXAM_NAME,)
)

# What a text may bring: Thai, astral, quotes, percent signs, backslashes, line breaks.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(clean)
HARD = st.sampled_from(['"', "\\", "%s", "%b", "%%", "\n", "ศูนย์สอบ", "😀", "_:c14n0", "<x>", "\u2028", "$1"])
LITERALS = TEXTS | st.lists(HARD | TEXTS, max_size=6).map(lambda parts: clean("".join(parts)))
IDS = st.uuids().map(str)


def slots(literal, identifier):
    return st.fixed_dictionaries(
        {
            "uuid": identifier,
            "valid_from": literal,
            "valid_until": literal,
            "identity_hash": literal,
            "salt": literal,
            "course": literal,
            "index": st.integers(0, 131_071).map(str),
            f"value:{EXAM_NAME}": literal,
            f"sat_on:{EXAM_NAME}": literal,
            f"centre:{EXAM_NAME}": literal,
            f"centre_id:{EXAM_NAME}": identifier,
        }
    )


def build(slot):
    return rendering.build_credential(FRAME, FULL, slot)


TEMPLATES = signing.Templates()
PLAIN = {
    "uuid": str(uuid.uuid4()),
    "valid_from": "2026-11-21T00:00:00Z",
    "valid_until": "2028-11-21T00:00:00Z",
    "identity_hash": "sha256$00",
    "salt": "a1",
    "course": "course-v1:KMUTT+PY101+2026",
    "index": "7",
    f"value:{EXAM_NAME}": "83.5",
    f"sat_on:{EXAM_NAME}": "2026-11-01",
    f"centre:{EXAM_NAME}": "Bang Mod",
    f"centre_id:{EXAM_NAME}": str(uuid.uuid4()),
}


def template() -> signing.Template:
    return TEMPLATES.get("full", build, PLAIN)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(slots(LITERALS, IDS))
def test_a_template_gives_the_canonical_form_for_any_text(values):
    made = template()
    ordered = [values[name] for name in made.names]
    assert made.canonical(ordered) == proofs.canonical_form(made.unsigned(ordered))
    signed = made.sign(ordered, KEY, NOW).document
    assert {name: value for name, value in signed.items() if name != "proof"} == made.unsigned(ordered)
    assert proofs.check_proof(signed, KEY.public)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LITERALS, min_size=4, max_size=4))
def test_nodes_without_id_are_numbered_by_what_they_hold(texts):
    """Four nodes whose statements differ: their order changes with every text."""
    names = ["one", "two", "three", "four"]

    def several(slot):
        return {
            "@context": [CREDENTIALS_V2, OPEN_BADGES],
            "id": "urn:uuid:0b5a1f6e-0000-4000-8000-000000000001",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "issuer": "did:example:1",
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {
                "type": ["AchievementSubject"],
                "identifier": [
                    {"type": "IdentityObject", "identityHash": slot(name), "salt": name} for name in names
                ],
            },
        }

    made = signing.Template(several, sorted(names))
    values = [dict(zip(names, texts, strict=True))[name] for name in made.names]
    assert made.canonical(values) == proofs.canonical_form(made.unsigned(values))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LITERALS, LITERALS)
def test_nodes_that_look_alike_and_repeated_statements_go_the_full_way(one, two):
    def alike(slot):
        return {
            "@context": [CREDENTIALS_V2, OPEN_BADGES],
            "type": ["VerifiableCredential"],
            "issuer": "did:example:1",
            "credentialSubject": {
                "id": "did:example:2",
                "type": ["AchievementSubject"],
                "role": [slot("one"), slot("two")],
                "identifier": [
                    {"type": "IdentityObject", "salt": slot("one")},
                    {"type": "IdentityObject", "salt": slot("two")},
                ],
            },
        }

    made = signing.Template(alike, ["one", "two"])
    for values in ([one, two], [one, one], ["x", "x"]):
        assert made.canonical(values) == proofs.canonical_form(made.unsigned(values))


@pytest.mark.parametrize("value", ["a\tb", "\0", "\x1b", "\x7f", "\x85", "\ud800", "a\rb", "\uffff"])
def test_control_characters_are_refused_rather_than_signed_in_two_ways(value):
    made = template()
    with pytest.raises(proofs.CannotSign):
        made.sign([{**PLAIN, f"centre:{EXAM_NAME}": value}[name] for name in made.names], KEY, NOW)


@pytest.mark.parametrize("value", ["", "a b", "a>b", 'a"b', "ก", "a{b", "a\nb", "a%b"])
def test_an_id_holds_nothing_that_would_have_to_be_escaped(value):
    made = template()
    with pytest.raises(proofs.CannotSign):
        made.sign([{**PLAIN, "uuid": value}[name] for name in made.names], KEY, NOW)


@given(st.text())
def test_cleaned_text_can_always_be_signed(text):
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    made = template()
    made.canonical([{**PLAIN, "course": cleaned}[name] for name in made.names])


def test_texts_with_marks_of_formats_stay_as_they_are():
    made = template()
    hard = 'ร้อยละ 100% %s %(x)s {0} \\n "ก" \u2028 😀'
    values = [{**PLAIN, f"centre:{EXAM_NAME}": hard}[name] for name in made.names]
    signed = made.sign(values, KEY, NOW).document
    assert signed["credentialSubject"]["source"]["name"] == hard


def test_a_term_that_no_context_defines_stops_the_template():
    with pytest.raises(proofs.CannotSign):
        signing.Template(lambda slot: {**build(slot), "thaiLevel": "4"}, sorted(PLAIN))


def test_a_slot_that_is_not_in_the_document_is_a_mistake():
    with pytest.raises(ValueError, match="slot"):
        signing.Template(build, [*sorted(PLAIN), "no-such-slot"])


def test_a_template_is_compared_with_the_full_algorithm_before_it_is_used(monkeypatch):
    monkeypatch.setattr(signing.Template, "canonical", lambda self, values: "something else\n")
    with pytest.raises(AssertionError):
        signing.Templates().get("key", build, PLAIN)


def test_the_same_values_give_the_same_bytes():
    made = template()
    values = [PLAIN[name] for name in made.names]
    assert made.sign(values, KEY, NOW).body == made.sign(values, KEY, NOW).body
    assert json.loads(made.sign(values, KEY, NOW).body)["proof"]["created"] == "2026-11-21T09:30:00Z"
