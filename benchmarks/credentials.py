"""Signing credentials: by template, by pyld for each, and bare Ed25519, in one run on one core.

What is timed is everything from a learner's values to the signed document as it is stored and
served: salted hash of the e-mail address, canonical form, SHA-256, signature, JSON. What the
database costs is measured apart.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from benchmarks.harness import Figure, ratio

CREDENTIALS = int(os.environ.get("MICROCRED_BENCH_CREDENTIALS", "4000"))
BY_PYLD = 40
STORED = 1000


def _least(works: Sequence[Callable[[int], object]], count: int, rounds: int = 8) -> list[float]:
    """Return the least time per item of each work, in us, measured in turns.

    The least, because what else the machine does only adds; in turns, so that a change of the
    processor's speed meets all of them.
    """
    best = [float("inf")] * len(works)
    for _round in range(rounds):
        for position, work in enumerate(works):
            began = time.perf_counter()
            for number in range(count):
                work(number)
            best[position] = min(best[position], (time.perf_counter() - began) / count * 1e6)
    return best


def run() -> list[Figure]:
    """Return the figures of signing and of issuing."""
    from mooc_microcred.achievements.catalogue import parse_definition
    from mooc_microcred.achievements.models import AchievementVersion, new_uuid
    from mooc_microcred.credentials import keys, proofs, signing
    from mooc_microcred.credentials.filling import claims_of, complete, frame_of
    from mooc_microcred.credentials.rendering import build_credential
    from mooc_microcred.exams.api import read_sittings
    from tests.credentials.issuing_world import award_level_2, level_2
    from tests.support.definitions import RUN

    version = AchievementVersion.objects.select_related("achievement", "issuer").get(
        pk=level_2(code="bench-signed").pk
    )
    key = keys.current_key(version.issuer)
    handle = keys.handle_of(key)
    frame = frame_of(
        parse_definition(version), version.issuer, issuer_did=keys.issuer_did(key), list_code="bench-1"
    )
    award = award_level_2(1, version, course_key=RUN, announce=False)
    claims = claims_of(award, frame, read_sittings(references=award.evidence["references"]))
    now = datetime.now(UTC).replace(microsecond=0)

    def filled(number: int):
        return complete(
            claims,
            credential_uuid=new_uuid(),
            index=number,
            email=f"learner{number}@example.org",
            did="",
            organization="KMUTT",
        )

    templates = signing.Templates()

    def quick(number: int) -> bytes:
        filling = filled(number)
        template = templates.get(
            "bench", lambda slot: build_credential(frame, filling.shape, slot), filling.slots
        )
        return template.sign([filling.slots[name] for name in template.names], handle, now).body

    def slow(number: int) -> bytes:
        filling = filled(number)
        document = build_credential(frame, filling.shape, filling.slots.__getitem__)
        return signing.sign_slowly(document, handle, now).body

    signed = json.loads(quick(0))
    assert proofs.check_proof(signed, key.public_key), "what is measured must be right"
    by_template, bare = _least(
        [quick, lambda number: handle.sign(number.to_bytes(64, "big"))], CREDENTIALS // 8
    )
    (by_pyld,) = _least([slow], BY_PYLD, rounds=1)
    return [
        ratio(
            f"sign a credential of {len(quick(1)):,} bytes, against pyld", by_template, "us", by_pyld, 1 / 40
        ),
        ratio("sign a credential, against Ed25519 alone", by_template, "us", bare, 3),
        *_issuing(version, by_template),
    ]


def _issuing(version, by_template: float) -> Sequence[Figure]:
    """Return what issuing costs with everything that is read and written, in units of signing alone."""
    from mooc_microcred.credentials import issuing
    from mooc_microcred.credentials.models import CredentialDue
    from tests.credentials.issuing_world import award_level_2

    awards = [award_level_2(learner, version, announce=False) for learner in range(10_000, 10_000 + STORED)]
    issuing.queue_awards([award.pk for award in awards])
    began = time.perf_counter()
    done = 0
    while CredentialDue.objects.filter(attempts=0).exists():
        done += issuing.issue_due().issued
    cost = (time.perf_counter() - began) / max(done, 1) * 1e6
    assert done == STORED, f"{done} of {STORED} were issued"
    return [ratio(f"issue and store ({STORED:,} awards, one worker)", cost, "us", by_template, 60)]
