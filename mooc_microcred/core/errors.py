"""What the verbs of every room raise, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        where: the path or row and column, for example ``achievements[2].credits`` or ``row 14, score``.
        message: what is wrong and what is expected, already translated.
        value: the offending value as text, cut to 100 characters; empty when it is personal.
    """

    where: str
    message: str
    value: str = ""

    def __str__(self) -> str:
        shown = f" ({self.value})" if self.value else ""
        return f"{self.where}: {self.message}{shown}"


class MicrocredError(Exception):
    """An action cannot be done; nothing was changed.

    Attributes:
        message: one translated sentence that says what is wrong and what to do.
        problems: the single findings where there are several.
    """

    code = "error"

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), code: str | None = None):
        super().__init__(str(message))
        self.message = message
        self.problems = tuple(problems)
        if code:
            self.code = code

    def __str__(self) -> str:
        return "\n".join([str(self.message), *map(str, self.problems)])


class InvalidInput(MicrocredError):
    """The input is wrong (HTTP 400)."""

    code = "invalid"


class NotAllowed(MicrocredError):
    """The actor lacks the role, the organisation, or is the same person twice (HTTP 403)."""

    code = "not_allowed"


class NotFound(MicrocredError):
    """There is no such thing, or the actor may not know of it (HTTP 404)."""

    code = "not_found"


class WrongState(MicrocredError):
    """The thing is not in a state in which this can be done (HTTP 409)."""

    code = "wrong_state"
