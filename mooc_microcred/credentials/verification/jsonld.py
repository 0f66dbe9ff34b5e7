"""The canonical form of a stranger's document, within limits and without leaving anything unsigned.

pyld is the processor. What is added here:

- contexts come from what is bundled, or from hosts that the operator allows; an object as a context
  is refused, since it can give any term another meaning or none (W3C Data Integrity section 4.6);
- everything that JSON-LD would silently leave out of the signed statements is refused, as
  jsonld.js does in its safe mode: terms without definition, relative ids and types, ``@direction``,
  ``@index``, malformed language tags;
- the work is counted and timed, since a short document can ask for a great deal of it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cachetools import LRUCache
from django.utils.translation import gettext as _
from pyld import jsonld
from pyld.canon import URDNA2015
from pyld.context_resolver import ContextResolver

from mooc_microcred.credentials.verification import limits

# What an id without scheme becomes, so that it is seen.
_RELATIVE = "https://relative.invalid/"
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
# Keywords that may stand in a document itself; all others have names in the contexts.
_ALLOWED_KEYWORDS = frozenset({"@context", "@value", "@language"})
# Keywords that may stand in what the document becomes, all of which are signed.
_SIGNED_KEYWORDS = frozenset({"@id", "@type", "@value", "@language", "@list", "@graph"})


class NotCanonical(Exception):
    """There is no canonical form that signs everything.

    Attributes:
        check: ``context``, ``terms`` or ``signature``: the check that fails by it.
        code: stable word for programs. message: in the reader's language.
        unknown: whether it only cannot be said (rather than being wrong).
    """

    def __init__(self, check: str, code: str, message: str, *, unknown: bool = False):
        super().__init__(message)
        self.check = check
        self.code = code
        self.message = message
        self.unknown = unknown


class Budget:
    """Processor time for one verification, counted from its making."""

    def __init__(self, seconds: float = limits.MAX_SECONDS):
        self._ends = time.thread_time() + seconds

    def spend(self) -> None:
        """Go on.

        Raises:
            NotCanonical: the time is over.
        """
        if time.thread_time() > self._ends:
            raise NotCanonical(
                "signature", "too_costly", _("Checking the signature would take too long."), unknown=True
            )


ContextLoader = Callable[[str], Mapping[str, Any] | None]

_own = threading.local()


def context_addresses(document: Mapping[str, Any]) -> list[str]:
    """Return the addresses that a document names in its own ``@context``.

    Raises:
        NotCanonical: it has none, too many, or an object in it.
    """
    return list(_addresses(document.get("@context")))


def _addresses(context: Any) -> Iterator[str]:
    entries = context if isinstance(context, list) else [context]
    if not entries or len(entries) > limits.MAX_CONTEXTS:
        raise _bad_context()
    for entry in entries:
        if isinstance(entry, dict):
            raise NotCanonical(
                "context",
                "context_inline",
                _(
                    "It defines its own vocabulary in the document, which can change the meaning of "
                    "what is signed; only published vocabularies are accepted."
                ),
                unknown=True,
            )
        if not isinstance(entry, str):
            raise _bad_context()
        yield entry


def _bad_context() -> NotCanonical:
    return NotCanonical("context", "context_missing", _("Its @context is missing or wrong."))


class Canonicalizer:
    """Makes canonical forms for one verification.

    Args:
        bundled: returns the context of an address, or None.
        fetch: returns the context of an address on a host that is allowed, or None.
    """

    def __init__(self, *, bundled: ContextLoader, fetch: ContextLoader, budget: Budget | None = None):
        self._bundled = bundled
        self._fetch = fetch
        self._fetched: dict[str, Mapping[str, Any] | None] = {}
        self.budget = budget or Budget()

    def check_contexts(self, document: Any) -> None:
        """Refuse a document with a context that is not known.

        Raises:
            NotCanonical: with the address of the first such context.
        """
        for context in _contexts_in(document):
            for address in _addresses(context):
                if self._context(address) is None:
                    raise NotCanonical(
                        "context",
                        "context_unknown",
                        _("It uses a vocabulary that is not known here: %(address)s")
                        % {"address": address[:200]},
                        unknown=True,
                    )

    def canonical_form(self, document: Mapping[str, Any]) -> str:
        """Return the RDFC-1.0 canonical form as N-Quads.

        Raises:
            NotCanonical: a part would not be signed, a context is not known, or it costs too much.
        """
        _refuse_keywords(document)
        self.check_contexts(document)
        processor = _Processor(self.budget)
        options = {
            "base": _RELATIVE,
            "documentLoader": self._load,
            "contextResolver": self._resolver(),
            "produceGeneralizedRdf": False,
            "processingMode": "json-ld-1.1",
            "extractAllScripts": False,
        }
        try:
            dataset = processor.to_rdf(document, options)
        except jsonld.JsonLdError as error:
            raise _reason_of(error) from None
        except RecursionError:
            raise NotCanonical("terms", "too_deep", _("It is nested too deeply.")) from None
        except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
            # pyld checks less than the specification says of values of a wrong kind.
            raise NotCanonical(
                "terms",
                "not_json_ld",
                _("It is not valid JSON-LD: %(error)s") % {"error": type(error).__name__},
            ) from None
        if sum(map(len, dataset.values())) > limits.MAX_STATEMENTS:
            raise NotCanonical("signature", "too_costly", _("It holds too many statements."), unknown=True)
        try:
            return _Rdfc(self.budget).main(dataset, {"format": "application/n-quads"})
        except RecursionError:
            # pyld goes one call deeper with each blank node that looks like the one before.
            raise NotCanonical(
                "signature", "too_costly", _("It holds too many nodes that look alike."), unknown=True
            ) from None

    def _context(self, address: str) -> Mapping[str, Any] | None:
        found = self._bundled(address)
        if found is None:
            if address not in self._fetched:
                self._fetched[address] = self._fetch(address)
            found = self._fetched[address]
            if found is not None and "@import" in str(found):
                # pyld writes into the imported context, and nobody needs it.
                return None
        return found

    def _resolver(self) -> ContextResolver:
        """Return what resolves contexts; what is bundled is prepared once per thread."""
        if any(context is not None for context in self._fetched.values()):
            return ContextResolver(LRUCache(maxsize=200), self._load)
        if not hasattr(_own, "contexts"):
            _own.contexts = LRUCache(maxsize=1000)
        return ContextResolver(_own.contexts, self._load)

    def _load(self, address: str, _options: Mapping[str, Any]) -> dict[str, Any]:
        found = self._context(address)
        if found is None:
            raise jsonld.JsonLdError("unknown context", "jsonld.LoadDocumentError", {"url": address})
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": address,
            "document": _copied(found),
            "tag": "static",
        }


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copied(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(one) for one in value]
    return value


def _contexts_in(value: Any) -> Iterator[Any]:
    """Return every @context in a document: credentials inside have their own."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            if "@context" in one:
                yield one["@context"]
            waiting.extend(below for name, below in one.items() if name != "@context")
        elif isinstance(one, list):
            waiting.extend(one)


# What a verifier reads of the credential itself, where it looks for it: at the top.
_OF_THE_CREDENTIAL = frozenset(
    {
        "issuer",
        "credentialSubject",
        "credentialStatus",
        "validFrom",
        "validUntil",
        "issuanceDate",
        "expirationDate",
        "proof",
    }
)


def refuse_hidden_parts(document: Mapping[str, Any]) -> None:
    """Refuse a document that says elsewhere what a verifier looks for at its top.

    To JSON-LD it is the same where a node's properties stand: a ``validUntil`` or
    ``credentialStatus`` that is moved into another object with the credential's id, such as the
    subject of an endorsement of it, is still signed, and nobody who reads the top would see it.

    Raises:
        NotCanonical: it does.
    """
    name = document.get("id")
    waiting: list[Any] = list(document.values())
    while waiting and isinstance(name, str):
        one = waiting.pop()
        if isinstance(one, Mapping):
            if one.get("id") == name and _OF_THE_CREDENTIAL & one.keys():
                raise NotCanonical("terms", "hidden", _("It hides in another place what belongs at its top."))
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _refuse_keywords(document: Any) -> None:
    waiting = [document]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            for name, below in one.items():
                if name.startswith("@") and name not in _ALLOWED_KEYWORDS:
                    raise _unsigned(name)
                if name != "@context":
                    waiting.append(below)
        elif isinstance(one, list):
            waiting.extend(one)


def _unsigned(name: object) -> NotCanonical:
    return NotCanonical(
        "terms",
        "not_signed",
        _("It holds something that no signature covers: %(name)s") % {"name": str(name)[:100]},
    )


def _reason_of(error: BaseException) -> NotCanonical:
    """Return why pyld gave up: our own refusal below it, or its own word for it."""
    cause: BaseException | None = error
    code = ""
    while cause is not None:
        if isinstance(cause, NotCanonical):
            return cause
        code = getattr(cause, "code", None) or code
        cause = cause.__cause__ or cause.__context__
    return NotCanonical(
        "terms", "not_json_ld", _("It is not valid JSON-LD: %(error)s") % {"error": code or "error"}
    )


class _Processor(jsonld.JsonLdProcessor):
    """pyld's processor, which stops when the time is over and tells what it would leave out."""

    def __init__(self, budget: Budget):
        super().__init__(on_property_dropped=_dropped)
        self._budget = budget

    def expand(self, input_, options):
        expanded = super().expand(input_, options)
        _refuse_unsigned(expanded)
        return expanded

    def _expand(self, *args, **kwargs):
        self._budget.spend()
        return super()._expand(*args, **kwargs)

    def _process_context(self, *args, **kwargs):
        self._budget.spend()
        return super()._process_context(*args, **kwargs)

    def _create_node_map(self, *args, **kwargs):
        self._budget.spend()
        return super()._create_node_map(*args, **kwargs)

    def _object_to_rdf(self, *args, **kwargs):
        self._budget.spend()
        return super()._object_to_rdf(*args, **kwargs)


def _dropped(name: Any) -> None:
    raise _unsigned(name)


def _refuse_unsigned(expanded: Any) -> None:
    """Refuse what becomes no statement on the way from JSON-LD to RDF."""
    waiting = [expanded]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
            continue
        if not isinstance(one, dict):
            continue
        for name, value in one.items():
            if name.startswith("@"):
                if name not in _SIGNED_KEYWORDS:
                    raise _unsigned(name)
            elif name.startswith(("_:", _RELATIVE)):
                raise _unsigned(name)
            if name == "@id" and (not isinstance(value, str) or _is_relative(value)):
                raise _unsigned(_shown(value))
            if name == "@type":
                for kind in value if isinstance(value, list) else [value]:
                    if _is_relative(kind) and kind != "@json":
                        raise _unsigned(_shown(kind))
            if name == "@language" and not _LANGUAGE.fullmatch(value):
                raise _unsigned(_shown(value))
            if name != "@value":
                waiting.append(value)


def _is_relative(iri: str) -> bool:
    return iri.startswith(_RELATIVE) or ":" not in iri


def _shown(iri: Any) -> str:
    return str(iri).removeprefix(_RELATIVE)


class _Rdfc(URDNA2015):
    """RDFC-1.0 (URDNA2015 under its final name) with a limit on the work of telling nodes apart."""

    def __init__(self, budget: Budget):
        super().__init__()
        self._budget = budget
        self._calls = 0

    def hash_first_degree_quads(self, id_):
        self._budget.spend()
        if len(self.blank_node_info) > limits.MAX_BLANK_NODES:
            raise _too_alike()
        return super().hash_first_degree_quads(id_)

    def hash_n_degree_quads(self, id_, issuer):
        self._calls += 1
        if self._calls > limits.MAX_ALIKE_CALLS:
            raise _too_alike()
        self._budget.spend()
        return super().hash_n_degree_quads(id_, issuer)

    def create_hash_to_related(self, id_, issuer):
        related = super().create_hash_to_related(id_, issuer)
        if any(len(nodes) > limits.MAX_ALIKE for nodes in related.values()):
            raise _too_alike()
        return related


def _too_alike() -> NotCanonical:
    return NotCanonical(
        "signature",
        "too_costly",
        _("It holds too many nodes without an id that cannot be told apart."),
        unknown=True,
    )
