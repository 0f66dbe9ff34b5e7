"""Catalogues as YAML: reading, loading, exporting, and the samples that come with the package."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib import resources
from typing import Any

import yaml
from django.db import transaction
from django.utils.translation import gettext as _

from mooc_microcred.achievements.catalogue_checks import (
    MAX_DEPTH,
    MAX_NODES,
    advise_catalogue,
    as_path,
    catalogue_schema,
    check_catalogue,
    needs_of_definition,
)
from mooc_microcred.achievements.data import LoadReport
from mooc_microcred.achievements.definitions import (
    bring_into_force,
    canonical,
    own_catalogue,
    require_ready,
    store_issuer,
    store_version,
    version_data,
)
from mooc_microcred.achievements.models import AchievementVersion, Issuer
from mooc_microcred.core.errors import InvalidInput, Problem

State = AchievementVersion.State

# A catalogue of 700 courses has about 6 MB.
MAX_BYTES = 16 * 1024 * 1024

SAMPLES = ("python-series", "maritime-english")


# --- reading YAML ---

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """YAML with the plain values of JSON only.

    YAML 1.1 would read ``NO`` as false, ``12:30`` as 750 and ``2026-01-01`` as a date; here they
    are the text that was written.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)\Z"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)\Z"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]{0,14})\Z"), list("-0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}\Z"),
    list("-0123456789"),
)

_READ_SCALAR: dict[str, Any] = {
    "str": str,
    "null": lambda _text: None,
    "bool": lambda text: {"true": True, "false": False}[text],
    "int": int,
    "float": float,
}


# Whatever is not printable in YAML 1.1.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Unreadable(Exception):
    """The YAML cannot be read; ``problem`` says why and where."""

    def __init__(self, message: str, mark: Any = None, where: str = ""):
        place = (
            _("line %(line)s, column %(column)s")
            % {
                "line": mark.line + 1,
                "column": mark.column + 1,
            }
            if mark is not None
            else ""
        )
        self.problem = Problem(where or place, f"{message} ({place})" if where and place else message)


def parse_yaml(text: bytes | str, *, max_bytes: int = MAX_BYTES) -> Any:
    """Return the value of one YAML document.

    Only plain values are read. Size, number of values and depth are bounded, what aliases repeat
    counts as often as it is repeated, and a name that is given twice is refused.

    Raises:
        InvalidInput: with the line of what cannot be read.
    """
    return read_yaml(text, max_bytes=max_bytes).value


@dataclass(frozen=True, slots=True)
class ReadYaml:
    """A YAML document's value and the line on which each of its places begins."""

    value: Any
    lines: Mapping[str, int]


def read_yaml(text: bytes | str, *, max_bytes: int = MAX_BYTES) -> ReadYaml:
    """As :func:`parse_yaml`, with the lines of all places."""
    try:
        node = _compose(_decode(text, max_bytes))
        lines: dict[str, int] = {}
        value = _Reader(lines).read(node, ()) if node is not None else None
    except _Unreadable as error:
        raise InvalidInput(_("The YAML cannot be read."), problems=[error.problem]) from None
    return ReadYaml(value, lines)


def _decode(text: bytes | str, max_bytes: int) -> str:
    if isinstance(text, str):
        data = text.encode("utf-8", "surrogatepass")
    else:
        data = text
    if len(data) > max_bytes:
        size = {"size": max_bytes // 1024}
        raise _Unreadable(_("It is larger than %(size)s kB.") % size)
    try:
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Unreadable(_("It is not UTF-8 text, from line %(line)s on.") % {"line": line}) from None
    unprintable = _UNPRINTABLE.search(decoded)
    if unprintable:
        line = decoded.count("\n", 0, unprintable.start()) + 1
        raise _Unreadable(_("There is a control character on line %(line)s.") % {"line": line})
    return decoded


def _compose(text: str) -> yaml.Node | None:
    """Return the root node; the events are counted first, since composing recurses."""
    try:
        depth = count = 0
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            count += isinstance(event, yaml.NodeEvent)
            if depth > MAX_DEPTH:
                message = _("This is nested more than %(count)s deep.") % {"count": MAX_DEPTH}
                raise _Unreadable(message, event.start_mark)
            if count > MAX_NODES * 2:
                raise _Unreadable(_("It has more than %(count)s values.") % {"count": MAX_NODES})
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        parts = [part for part in (error.context, error.problem) if part]
        raise _Unreadable(" ".join(parts), error.problem_mark or error.context_mark) from None
    except yaml.YAMLError as error:
        raise _Unreadable(str(error).splitlines()[0]) from None


class _Reader:
    """Turns nodes into values, counting what aliases repeat."""

    def __init__(self, lines: dict[str, int]):
        self.count = 0
        self.lines = lines

    def read(self, node: yaml.Node, path: tuple[str | int, ...]) -> Any:
        self.count += 1
        if self.count > MAX_NODES:
            raise _Unreadable(_("It has more than %(count)s values.") % {"count": MAX_NODES}, node.start_mark)
        if len(path) > MAX_DEPTH:
            message = _("This is nested more than %(count)s deep.") % {"count": MAX_DEPTH}
            raise _Unreadable(message, node.start_mark)
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._read_mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            self.lines[as_path(path)] = node.start_mark.line + 1
            return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
        self.lines[as_path(path)] = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode) and kind in _READ_SCALAR:
            try:
                return _READ_SCALAR[kind](node.value)
            except (ValueError, KeyError):
                pass
        message = _("The tag %(tag)s has no place in a catalogue.") % {"tag": node.tag[:60]}
        raise _Unreadable(message, node.start_mark, as_path(path))

    def _read_mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, Any]:
        self.lines[as_path(path)] = node.start_mark.line + 1
        found: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _Unreadable(_("The name of a field must be text."), key.start_mark, as_path(path))
            name = key.value
            if name in found:
                message = _("The field %(name)s is there twice; first on line %(line)s.")
                names = {"name": name[:60], "line": first[name]}
                raise _Unreadable(message % names, key.start_mark, as_path((*path, name)))
            first[name] = key.start_mark.line + 1
            found[name] = self.read(child, (*path, name))
            self.lines[as_path((*path, name))] = first[name]
        return found


# --- several files as one document ---


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """A file that was read.

    Attributes:
        name: as the person knows it.
    """

    name: str
    document: Any
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileProblem(Problem):
    """A problem with the file and the line (0 where it is unknown) in which it is."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        shown = f" ({self.value})" if self.value else ""
        return ": ".join(part for part in (place, self.where, self.message) if part) + shown


def read_catalogue_file(name: str, content: bytes) -> CatalogueFile:
    """Return a file's document and lines.

    Raises:
        InvalidInput: it cannot be read; the problems are FileProblems.
    """
    try:
        read = read_yaml(content)
    except InvalidInput as error:
        problems = [FileProblem(one.where, one.message, one.value, file=name) for one in error.problems]
        raise InvalidInput(error.message, problems=problems) from None
    return CatalogueFile(name, read.value, read.lines)


_PLACE = re.compile(r"\b(issuers|achievements)\[(\d+)\]")
_SECTION = re.compile(r"^(issuers|achievements)\[(\d+)\](.*)$")


class JoinedCatalogue:
    """Several files as one document, which finds back the file and line of a problem."""

    def __init__(self, files: Sequence[CatalogueFile]):
        self.files = files
        self.document: Any = {"catalogue": 1, "issuers": [], "achievements": []}
        self._origins: dict[str, list[tuple[CatalogueFile, int]]] = {"issuers": [], "achievements": []}
        for file in files:
            for section in self._origins:
                entries = file.document.get(section) if isinstance(file.document, dict) else None
                if isinstance(entries, list):
                    self._add(section, file, entries)

    def _add(self, section: str, file: CatalogueFile, entries: list[Any]) -> None:
        """Add a file's entries; what other files say in the same words is no contradiction."""
        others = {self._words(entry) for entry in self.document[section]}
        for index, entry in enumerate(entries):
            if self._words(entry) not in others:
                self.document[section].append(entry)
                self._origins[section].append((file, index))

    @staticmethod
    def _words(entry: Any) -> str:
        return json.dumps(entry, sort_keys=True)

    def check(self) -> list[FileProblem]:
        """Return what is wrong: what each file has besides its entries, then the whole."""
        problems = []
        for file in self.files:
            shell = file.document
            if isinstance(shell, dict):
                shell = {
                    name: [] if name in self._origins and isinstance(value, list) else value
                    for name, value in shell.items()
                }
            problems += [self._in_file(file, problem) for problem in check_catalogue(shell)]
        return problems or [self._placed(problem) for problem in check_catalogue(self.document)]

    def advise(self) -> list[FileProblem]:
        """Return what could be better."""
        return [self._placed(problem) for problem in advise_catalogue(self.document)]

    def _placed(self, problem: Problem) -> FileProblem:
        match = _SECTION.match(problem.where)
        if match is None:
            return FileProblem(problem.where, problem.message, problem.value)
        file, index = self._origins[match[1]][int(match[2])]
        message = _PLACE.sub(self._original_place, problem.message)
        return self._in_file(file, replace(problem, where=f"{match[1]}[{index}]{match[3]}", message=message))

    def _original_place(self, match: re.Match[str]) -> str:
        file, index = self._origins[match[1]][int(match[2])]
        return f"{file.name}: {match[1]}[{index}]" if len(self.files) > 1 else match[0]

    def _in_file(self, file: CatalogueFile, problem: Problem) -> FileProblem:
        where = problem.where
        while where and where not in file.lines:
            where = re.sub(r"(\.[^.\[]*|\[\d+\]|^[^.\[]+)$", "", where)
        line = file.lines.get(where, 0)
        return FileProblem(problem.where, problem.message, problem.value, file=file.name, line=line)


# --- loading ---


def load_catalogue(document: Any, *, actor_id: int | None, activate: bool = True) -> LoadReport:
    """Make the database hold what a catalogue says; all of it, or nothing if anything is wrong.

    Loading again changes nothing. A definition that differs from the version in force becomes a
    new version (or takes the place of a draft); nothing that was in force is changed in place.
    What the document does not name stays as it is. Checks no permissions.

    Args:
        document: the catalogue as parsed from YAML or JSON.
        actor_id: user id for the audit log; None for the operator's shell.
        activate: bring into force what is new; False leaves it as drafts.

    Raises:
        InvalidInput: with every problem and its place.
    """
    with transaction.atomic():
        own_catalogue()
        problems = check_catalogue(document)
        if problems:
            raise InvalidInput(_("The catalogue is not right; nothing was changed."), problems=problems)
        report = LoadReport(advice=advise_catalogue(document))
        for issuer in document.get("issuers", ()):
            if store_issuer(canonical(issuer), actor_id):
                report.issuers.append(issuer["code"])
        to_activate = []
        for achievement in document.get("achievements", ()):
            version, outcome = _store(canonical(achievement), actor_id)
            report.versions.append(version_data(version, outcome))
            if activate and version.state == State.DRAFT:
                to_activate.append(version)
        for version in to_activate:
            report.retired += bring_into_force(version, actor_id)
            report.activated.append(version_data(version, "activated"))
        require_ready(to_activate)
        return report


def _store(definition: dict[str, Any], actor_id: int | None) -> tuple[AchievementVersion, str]:
    """Store a definition unless the newest version in force says the same, whatever draft there is."""
    active = (
        AchievementVersion.objects.filter(achievement__code=definition["code"], state=State.ACTIVE)
        .select_related("achievement", "issuer")
        .order_by("-number")
        .first()
    )
    if active is not None and active.definition == definition:
        return active, "unchanged"
    return store_version(definition, actor_id)


# --- exporting ---


def export_catalogue(*, organization: str | None = None, drafts: bool = False) -> dict[str, Any]:
    """Return what is in force as a catalogue; loading it again changes nothing.

    Args:
        organization: short name; None exports all organisations.
        drafts: export the newest drafts instead where there are any, to be read or loaded elsewhere.

    Of an achievement of which several versions are in force for learners of different enrolment,
    the newest is exported.
    """
    states = [State.ACTIVE, State.DRAFT] if drafts else [State.ACTIVE]
    versions = AchievementVersion.objects.filter(state__in=states).order_by("achievement__code", "number")
    if organization is not None:
        versions = versions.filter(achievement__organization=organization)
    newest = {version.achievement_id: version for version in versions.select_related("issuer")}
    definitions = _needed_first({one.definition["code"]: one.definition for one in newest.values()})
    issuers = list(Issuer.objects.order_by("code"))
    if organization is not None:
        # An achievement may name an issuer that the whole platform shares.
        named = {one.issuer_id for one in newest.values()}
        issuers = [one for one in issuers if one.organization == organization or one.pk in named]
    return {
        "catalogue": 1,
        "issuers": [_readable(one.definition, "issuer") for one in issuers],
        "achievements": [_readable(one, "achievement") for one in definitions],
    }


def _needed_first(definitions: Mapping[str, dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Return definitions by code, but whatever is needed before what needs it, as people read."""
    done: dict[str, dict[str, Any]] = {}

    def visit(code: str) -> None:
        if code in done or code not in definitions:
            return
        for needed in sorted(needs_of_definition(definitions[code])):
            visit(needed)
        done[code] = definitions[code]

    for code in definitions:
        visit(code)
    return done.values()


def readable_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored definition as people write it: fields in order, numbers as numbers."""
    return _readable(dict(definition), "achievement")


def _readable(value: Any, schema_name: str) -> Any:
    return _in_schema_order(value, {"$ref": f"#/$defs/{schema_name}"})


def _in_schema_order(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value with its fields in the order of the schema, and numbers as numbers."""
    if "$ref" in schema:
        schema = catalogue_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        return {name: _in_schema_order(value[name], fields[name]) for name in fields if name in value}
    if isinstance(value, list):
        return [_in_schema_order(one, schema.get("items", {})) for one in value]
    if isinstance(value, str) and "number" in schema.get("type", ()):
        number = Decimal(value)
        return int(number) if number == int(number) else float(number)
    return value


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and repeats what is the same instead of naming it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def dump_yaml(value: Any) -> str:
    """Return a value as YAML for people: UTF-8 text, fields in the given order."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


# --- samples ---


def read_sample(name: str) -> CatalogueFile:
    """Return a sample catalogue that comes with the package.

    Args:
        name: one of :data:`SAMPLES`.

    Raises:
        InvalidInput: there is no such sample.
    """
    if name not in SAMPLES:
        names = {"names": ", ".join(SAMPLES)}
        raise InvalidInput(_("There is no such sample. There are: %(names)s.") % names)
    file = resources.files("mooc_microcred.samples") / f"{name}.yaml"
    return read_catalogue_file(f"{name}.yaml", file.read_bytes())


def iter_samples() -> Iterator[CatalogueFile]:
    """Yield all sample catalogues."""
    for name in SAMPLES:
        yield read_sample(name)
