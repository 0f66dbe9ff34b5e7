"""The verbs of the competencies room; the only thing that other rooms and the plugin call."""

from mooc_microcred.competencies.frameworks import (
    get_competencies,
    get_framework,
    list_frameworks,
    predecessors_of,
    search_items,
)

__all__ = [
    "get_competencies",
    "get_framework",
    "list_frameworks",
    "predecessors_of",
    "search_items",
]
