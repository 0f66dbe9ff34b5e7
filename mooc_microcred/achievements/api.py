"""The verbs of the achievements room; the only thing that other rooms call."""

from mooc_microcred.achievements.catalogue import (
    Catalogue,
    current_catalogue,
    get_definition,
)
from mooc_microcred.achievements.requests import (
    append_requests,
    request_evaluation,
)

__all__ = [
    "Catalogue",
    "append_requests",
    "current_catalogue",
    "get_definition",
    "request_evaluation",
]
