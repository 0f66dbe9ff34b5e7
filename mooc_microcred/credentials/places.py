"""Places in status lists: random to look at, never given twice."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.db import IntegrityError, transaction
from django.db.models import F

from mooc_microcred.achievements.models import Issuer
from mooc_microcred.core import clock
from mooc_microcred.credentials.models import StatusList

_HALF_BITS = 9
_HALF = 1 << _HALF_BITS
_ROUNDS = 6


def permuted(key: str, position: int, size: int) -> int:
    """Return the index of a position: a keyed permutation of ``range(size)``.

    A Feistel network over 2**18, walked until it is below ``size`` (Black and Rogaway, "Ciphers with
    Arbitrary Finite Domains", 2002). So indexes say nothing about the order of issue (Bitstring
    Status List v1.0, section 2.1: they should be random), and a counter is all that is stored.

    Args:
        size: at most 2**18.
    """
    if not 0 <= position < size <= _HALF * _HALF:
        raise ValueError(position)
    secret = key.encode()
    value = position
    while True:
        left, right = value >> _HALF_BITS, value & (_HALF - 1)
        for number in range(_ROUNDS):
            digest = hmac.digest(secret, bytes((number,)) + right.to_bytes(2, "big"), hashlib.sha256)
            left, right = right, left ^ (int.from_bytes(digest[:2], "big") & (_HALF - 1))
        value = left << _HALF_BITS | right
        if value < size:
            return value


def take_places(issuer: Issuer, count: int) -> tuple[StatusList, list[int]]:
    """Give away up to ``count`` places of the issuer's newest list; they are lost if nobody uses them.

    Returns:
        the list and the indexes: fewer than asked where it is nearly full; call again for the rest.
    """
    while True:
        found = StatusList.objects.filter(issuer=issuer).order_by("-number").first()
        if found is None or found.next_position >= found.size:
            _open_list(issuer, found.number + 1 if found else 1)
            continue
        taken = min(count, found.size - found.next_position)
        # Compare and set: whoever was faster has other places.
        moved = StatusList.objects.filter(pk=found.pk, next_position=found.next_position).update(
            next_position=F("next_position") + taken
        )
        if moved:
            positions = range(found.next_position, found.next_position + taken)
            return found, [permuted(found.permutation_key, one, found.size) for one in positions]


def _open_list(issuer: Issuer, number: int) -> None:
    try:
        with transaction.atomic():
            StatusList.objects.create(
                code=f"{issuer.code}-{number}",
                issuer=issuer,
                number=number,
                permutation_key=secrets.token_hex(32),
                created=clock.now(),
            )
    except IntegrityError:
        pass  # another worker has opened it in the same moment
