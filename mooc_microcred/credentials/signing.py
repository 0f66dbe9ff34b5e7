"""Signing many credentials of one kind: what ``proofs`` does, without doing the same work twice.

All credentials of one frame and shape have the same statements but for what stands in their slots.
So the canonical form is made once by the full algorithm, with marks in the slots, and taken apart
into a template; for each credential the slots are filled, the lines sorted, and the nodes without
an id numbered by their hashes, which is all that RDFC-1.0 does where those hashes differ
(section 4.4.3, steps 3 and 4). Where they do not differ, the full algorithm is used. Each template
is compared with the full algorithm before its first use, and a property test compares them for
arbitrary texts (ADR 0017).
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise, zip_longest
from operator import itemgetter
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.credentials.multikey import to_multibase
from mooc_microcred.credentials.proofs import CannotSign, Signs, canonical_form, hashed, proof_options

Builder = Callable[[Callable[[str], str]], dict[str, Any]]

_TERM = r'(?:<[^<>"{}|^`\\\x00-\x20]*>|_:[A-Za-z0-9]+|"(?:[^"\\\n]|\\.)*"(?:\^\^<[^>]*>|@[A-Za-z0-9-]+)?)'
_LINE = re.compile(rf"({_TERM}) ({_TERM}) ({_TERM})(?: ({_TERM}))? \.")
# What may stand in a slot inside an IRI: nothing that has to be escaped there.
_IRI_SAFE = re.compile(r"[A-Za-z0-9._~:/-]+")
_REFUSED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class _Unsuitable(Exception):
    """No template can be made of it: two nodes without an id look alike."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed document.

    Attributes:
        body: JSON as it is kept and served, UTF-8.
    """

    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """Return the document."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A text in UTF-8 with slots: constant parts, and between them the positions of the slots."""

    format: bytes
    slots: tuple[int, ...]
    # What stands before the first slot: every filling is at least as great, byte by byte.
    head: bytes

    # Picks the values of the slots, in their order; None without any.
    pick: Callable[[Sequence[bytes]], Any] | None = None

    def fill(self, values: Sequence[bytes]) -> bytes:
        return self.format % self.pick(values) if self.pick else self.format


@dataclass(frozen=True, slots=True)
class _Node:
    """A node without an id: its hash where nothing in its statements differs, else their templates."""

    label: str
    hash: str
    lines: _Pieces
    in_order: bool

    def hash_of(self, values: Sequence[bytes]) -> str:
        """Return its first degree hash (section 4.6) with these values."""
        text = self.lines.fill(values)
        if not self.in_order:
            text = b"\n".join([*sorted(text[:-1].split(b"\n")), b""])
        return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True, slots=True)
class _Layout:
    """The statements for one order of the nodes.

    The order of UTF-8 is that of code points, by which RDFC-1.0 sorts. What comes before every
    filling of every slot is hashed once.

    Attributes:
        first: the constant lines before all others. digest: SHA-256, having read them.
        rest: all other lines as one text. in_order: whether they stand in order whatever is filled in.
    """

    first: bytes
    digest: Any
    rest: _Pieces
    in_order: bool


class Template:
    """The document of one frame and shape, ready to be filled and signed.

    Args:
        build: returns the document without proof, given what writes each slot.
        names: of the slots, in the order in which values are given.

    Raises:
        CannotSign: a term has no definition, or a part would not be signed.
    """

    def __init__(self, build: Builder, names: Sequence[str]):
        self.names = tuple(names)
        self._build = build
        nonce = secrets.token_hex(8)
        self._mark = re.compile(f"slot{nonce}n([0-9]{{4}})x")
        marks = {name: f"slot{nonce}n{position:04d}x" for position, name in enumerate(self.names)}
        document = build(marks.__getitem__)
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        used = {int(one) for one in self._mark.findall(text)}
        if used != set(range(len(self.names))):
            raise ValueError("a slot is not in the document")
        self._contexts = document["@context"]
        self._json = self._pieces(text[:-1])
        #: The document without what differs: by it many of its kind are compressed.
        self.constant = self._mark.sub("", text).encode()
        self._in_iri: set[int] = set()
        self._layouts: dict[tuple[int, ...], _Layout] = {}
        self._proofs: OrderedDict[tuple[str, datetime], tuple[bytes, bytes]] = OrderedDict()
        self._quick = True
        try:
            self._take_apart(canonical_form(document))
        except _Unsuitable:
            self._quick = False

    # --- filling ---

    def canonical(self, values: Sequence[str]) -> str:
        """Return the canonical form of the document with these values.

        Raises:
            CannotSign: a value holds a control character, or one that no id may have.
        """
        layout, lines = self._lines_of(self._escaped(values))
        if layout is None:
            return canonical_form(self.unsigned(values))
        return (layout.first + lines).decode()

    def _hashed(self, values: Sequence[str], escaped: Sequence[bytes]) -> bytes:
        """Return SHA-256 of the canonical form."""
        layout, lines = self._lines_of(escaped)
        if layout is None:
            return hashlib.sha256(canonical_form(self.unsigned(values)).encode()).digest()
        digest = layout.digest.copy()
        digest.update(lines)
        return digest.digest()

    def _lines_of(self, escaped: Sequence[bytes]) -> tuple[_Layout | None, bytes]:
        """Return how the statements stand, and all of them after its first lines.

        None where only the full algorithm can say.
        """
        order = self._order(escaped) if self._quick else None
        if order is None:
            return None, b""
        layout = self._layouts.get(order) or self._lay_out(order)
        text = layout.rest.fill(escaped)
        if layout.in_order:
            return layout, text
        # One statement, if two of them have become the same.
        lines = sorted(set(text.split(b"\n")) - {b""})
        return layout, b"".join([b"%b\n" % line for line in lines])

    def unsigned(self, values: Sequence[str]) -> dict[str, Any]:
        """Return the document with these values, without proof."""
        return self._build(dict(zip(self.names, values, strict=True)).__getitem__)

    def sign(self, values: Sequence[str], signer: Signs, created: datetime) -> Signed:
        """Return the signed document.

        Args:
            values: of the slots, in the order of ``names``.
            signer: the issuer's key. created: the instant of signing.

        Raises:
            CannotSign: see :meth:`canonical`.
        """
        escaped = self._escaped(values)
        config_hash, proof_start = self._proof(signer, created)
        signature = signer.sign(config_hash + self._hashed(values, escaped))
        # What N-Quads and JSON escape is the same here, control characters being refused.
        body = b'%b%b"%b"}}' % (self._json.fill(escaped), proof_start, to_multibase(signature).encode())
        return Signed(body)

    def _proof(self, signer: Signs, created: datetime) -> tuple[bytes, bytes]:
        """Return the hash of the proof options, and the text of the proof up to its value."""
        key = signer.verification_method, created
        found = self._proofs.get(key)
        if found is None:
            options = proof_options(verification_method=signer.verification_method, created=created)
            config = canonical_form({"@context": self._contexts, **options})
            start = json.dumps(options, ensure_ascii=False, separators=(",", ":"))[:-1]
            found = hashlib.sha256(config.encode()).digest(), f',"proof":{start},"proofValue":'.encode()
            self._proofs[key] = found
            if len(self._proofs) > 16:
                self._proofs.popitem(last=False)
        return found

    def _escaped(self, values: Sequence[str]) -> list[bytes]:
        in_iri = [values[slot] for slot in self._in_iri]
        if in_iri and not (all(in_iri) and _IRI_SAFE.fullmatch("".join(in_iri))):
            raise CannotSign(_("An id of the credential holds a character that no id may have."))
        text = "".join(values)
        if _is_plain(text):
            return [value.encode() for value in values]
        return [self._escape(value) for value in values]

    @staticmethod
    def _escape(value: str) -> bytes:
        if _is_plain(value):
            return value.encode()
        if _REFUSED.search(value):
            raise CannotSign(_("A text of the credential holds a control character."))
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"').encode()

    # --- taking apart ---

    def _pieces(self, text: str) -> _Pieces:
        parts = self._mark.split(text)
        slots = tuple(int(one) for one in parts[1::2])
        if not slots:
            return _Pieces(text.encode(), slots, text.encode())
        constant = "%b".join(part.replace("%", "%%") for part in parts[::2])
        pick = itemgetter(*slots)
        return _Pieces(constant.encode(), slots, parts[0].encode(), pick)

    def _take_apart(self, canonical: str) -> None:
        self._lines: list[tuple[str, ...]] = []
        of_node: defaultdict[str, list[int]] = defaultdict(list)
        for line in canonical.removesuffix("\n").split("\n"):
            found = _LINE.fullmatch(line)
            if found is None:
                raise _Unsuitable
            terms = tuple(term for term in found.groups() if term is not None)
            position = len(self._lines)
            self._lines.append(terms)
            for term in terms:
                if term.startswith("_:") and position not in of_node[term]:
                    of_node[term].append(position)
                if term.startswith("<"):
                    self._in_iri |= {int(one) for one in self._mark.findall(term)}
        self._nodes = [self._node(label, positions) for label, positions in sorted(of_node.items())]
        constant = [node.hash for node in self._nodes if node.hash]
        if len(set(constant)) != len(constant):
            raise _Unsuitable
        self._moving = [position for position, node in enumerate(self._nodes) if not node.hash]

    def _node(self, label: str, positions: Sequence[int]) -> _Node:
        """Return a node with the statements that its first degree hash is made of (section 4.6)."""
        lines = []
        for position in positions:
            terms = [
                ("_:a" if term == label else "_:z") if term.startswith("_:") else term
                for term in self._lines[position]
            ]
            lines.append(" ".join(terms) + " .\n")
        lines.sort()
        in_order = all(self._always_before(one, after) for one, after in pairwise(lines))
        node = _Node(label, "", self._pieces("".join(lines)), in_order)
        return node if node.lines.slots else replace(node, hash=node.hash_of([]))

    def _order(self, escaped: Sequence[bytes]) -> tuple[int, ...] | None:
        """Return the nodes in the order of their hashes; None where two look alike."""
        if not self._nodes:
            return ()
        hashes = [node.hash for node in self._nodes]
        for position in self._moving:
            hashes[position] = self._nodes[position].hash_of(escaped)
        if self._moving and len(set(hashes)) != len(hashes):
            return None
        return tuple(sorted(range(len(hashes)), key=hashes.__getitem__))

    def _lay_out(self, order: tuple[int, ...]) -> _Layout:
        """Return all statements with the nodes numbered in this order."""
        labels = {self._nodes[node].label: f"_:c14n{number}" for number, node in enumerate(order)}
        texts = [" ".join([labels.get(term, term) for term in terms]) + " ." for terms in self._lines]
        lines = [self._pieces(text) for text in texts]
        lowest = min(line.head for line in lines if line.slots)
        first = b"".join(
            sorted(line.format + b"\n" for line in lines if not line.slots and line.format < lowest)
        )
        rest = sorted(
            text + "\n"
            for text, line in zip(texts, lines, strict=True)
            if line.slots or line.format >= lowest
        )
        found = self._layouts[order] = _Layout(
            first=first,
            digest=hashlib.sha256(first),
            rest=self._pieces("".join(rest)),
            in_order=all(self._always_before(one, after) for one, after in pairwise(rest)),
        )
        return found

    def _always_before(self, one: str, after: str) -> bool:
        """Say whether a line comes before another one whatever is filled into both."""
        parts = zip_longest(self._mark.split(one), self._mark.split(after))
        for position, (part, other) in enumerate(parts):
            if part != other:
                # Constant parts stand at even positions, slots between them.
                if position % 2 or part is None or other is None:
                    return False
                left, right = part.encode(), other.encode()
                return left < right and not right.startswith(left)
        return False


def _is_plain(text: str) -> bool:
    """Say whether nothing in a text is escaped or refused; what Unicode calls printable is no control."""
    return text.isprintable() and '"' not in text and "\\" not in text


class Templates:
    """Templates that were made lately, each checked against the full algorithm before its first use.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int = 200):
        self._most = most
        self._kept: OrderedDict[Hashable, Template] = OrderedDict()

    def get(self, key: Hashable, build: Builder, values: Mapping[str, str]) -> Template:
        """Return the template of a key; ``values`` are those of the first credential that needs it.

        Raises:
            CannotSign: a term has no definition, or a part would not be signed.
        """
        found = self._kept.get(key)
        if found is None:
            found = Template(build, sorted(values))
            self._check(found, [values[name] for name in found.names])
            self._kept[key] = found
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found

    @staticmethod
    def _check(template: Template, values: Sequence[str]) -> None:
        if template.canonical(values) != canonical_form(template.unsigned(values)):
            raise AssertionError("the template does not give the canonical form")


def sign_slowly(document: Mapping[str, Any], signer: Signs, created: datetime) -> Signed:
    """Sign a document of which there are few, by the full algorithm.

    Raises:
        CannotSign: a term has no definition, or a part would not be signed.
    """
    options = proof_options(verification_method=signer.verification_method, created=created)
    value = to_multibase(signer.sign(hashed(document, options)))
    signed = {**document, "proof": {**options, "proofValue": value}}
    return Signed(json.dumps(signed, ensure_ascii=False, separators=(",", ":")).encode())
