"""How a credit bank is spoken to: the protocol that each back end implements.

The domain decides what is told to whom and in which order; a back end only carries bytes and
says, as exactly as it can know, what became of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Parcel:
    """One sealed message on its way.

    Attributes:
        key: idempotency key; the same key always comes with the same bytes.
        body: UTF-8 JSON, see docs/reference/bank-protocol.md; empty where the bank is only asked.
        body_sha256: of the body, in hex.
        drop_file: name of the drop that it belongs to, where the back end takes many at a time.
    """

    key: str
    record: str
    sequence: int
    kind: str
    body: bytes
    body_sha256: str
    drop_file: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """The bank has it and gave a receipt."""

    receipt: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The bank has it; the receipt comes later.

    Attributes:
        ask_again: when to ask for the receipt; None where the bank leaves it in its own time.
    """

    ask_again: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The bank looked at this message and will never take it.

    Attributes:
        error: a code, no words of the bank.
        in_doubt: whether it may have it from an earlier attempt in spite of the refusal.
    """

    error: str
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class TryLater:
    """No receipt; the same bytes are sent again later.

    Attributes:
        error: a code.
        in_doubt: whether the bytes may have reached the bank in this attempt.
        wait: what the bank asked for, if it did.
        bank_away: whether other messages would fare the same now.
    """

    error: str
    in_doubt: bool
    wait: timedelta | None = None
    bank_away: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """Asked for a receipt, the bank says that it does not know the key."""


Outcome = Received | HandedOver | Refused | TryLater | Absent


@dataclass(frozen=True, slots=True)
class LeftReceipt:
    """A line of a file that the bank left for us: a receipt or a refusal of one key."""

    key: str
    outcome: Received | Refused


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A file that the bank left; ``readable`` is False where it is no list of receipts."""

    name: str
    receipts: Sequence[LeftReceipt]
    readable: bool = True


class BankBackend(Protocol):
    """A way to speak to a bank, made with its :class:`~mooc_microcred.creditbank.data.Bank`.

    ``batch`` is how many parcels it takes in one call: 1, or many where they travel in one file.
    """

    batch: int

    @staticmethod
    def check_options(options: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Return (option, translated message) for everything that is wrong; never a value."""

    def deliver(self, parcels: Sequence[Parcel], *, now: datetime) -> Iterator[tuple[str, Outcome]]:
        """Hand the parcels to the bank; yield (key, outcome) as soon as each is known."""

    def inquire(self, parcels: Sequence[Parcel], *, now: datetime) -> Iterator[tuple[str, Outcome]]:
        """Ask for the receipt of parcels that may have reached the bank, without sending them again."""

    def read_receipts(self) -> Iterator[ReceiptFile]:
        """Yield the files that the bank left; a file comes again until it is put away."""

    def put_away(self, file: ReceiptFile) -> None:
        """Put a file away after everything in it was recorded; again is harmless."""
