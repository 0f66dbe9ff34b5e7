"""Every small change that somebody could make to a signed document, one at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]


def paths(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Return every place in a document with what stands there, objects and arrays too."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for name, below in value.items():
            yield from paths(below, (*path, name))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from paths(below, (*path, number))


def named(path: Path) -> str:
    return ".".join(map(str, path))


def changed(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if value.endswith("Z") and value[:2] == "20":
        return str(int(value[:4]) - 1) + value[4:]
    return value[:-1] + ("y" if value.endswith("x") else "x")


def _at(document: dict, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def tamperings(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return copies with each leaf changed, each thing removed, and something added to each object."""
    for path, value in paths(document):
        if not isinstance(value, dict | list):
            other = copy.deepcopy(document)
            _at(other, path[:-1])[path[-1]] = changed(value)
            yield f"changed {named(path)}", other
        other = copy.deepcopy(document)
        del _at(other, path[:-1])[path[-1]]
        yield f"removed {named(path)}", other
        if isinstance(value, dict):
            yield f"added to {named(path)}", _with(document, path)
    yield "added to the credential", _with(document, ())


def _with(document: dict, path: Path) -> dict:
    other = copy.deepcopy(document)
    _at(other, path)["thaiHonour"] = "เกียรตินิยม"
    return other
