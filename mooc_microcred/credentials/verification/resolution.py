"""Whose key it is: from the name of a verification method to a key and its controller.

Known without a network: the issuers of this platform (from the database), did:key and did:jwk (the
key is the name). A did:web or an https address of somebody else is opened only on a host that the
operator allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext as _

from mooc_microcred.credentials.verification import own
from mooc_microcred.credentials.verification.dates import instant
from mooc_microcred.credentials.verification.keys import (
    BadKey,
    PublicKey,
    from_base64url,
    key_of_jwk,
    key_of_method,
    key_of_multikey,
)
from mooc_microcred.credentials.verification.network import Network, NotFetched
from mooc_microcred.credentials.verification.reading import Unreadable, parse

# Methods that one document may list.
_MAX_METHODS = 50


class Unresolved(Exception):
    """There is no key to be had.

    Attributes:
        message: why, in the reader's language. code: stable word for programs.
        unknown: whether it only cannot be looked up from here; otherwise there is no such key.
    """

    def __init__(self, code: str, message: str, *, unknown: bool):
        super().__init__(message)
        self.code = code
        self.message = message
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class ResolvedKey:
    """A public key, and what its controller says about it.

    Attributes:
        method: id of the verification method. controller: DID or address of whoever controls it.
        for_assertions: whether the controller lets it sign credentials.
        retired_at: nothing was signed with it after; None while it is in use.
        revoked_from: it is not to be trusted any more; None where it is not revoked.
        own: whether it is a key of an issuer of this platform.
    """

    key: PublicKey
    method: str
    controller: str
    for_assertions: bool = True
    retired_at: datetime | None = None
    revoked_from: datetime | None = None
    own: bool = False


def resolve_method(method: str, *, network: Network) -> ResolvedKey:
    """Return the key that a proof or a JWT's ``kid`` names.

    Raises:
        Unresolved: it cannot be looked up from here, or there is no such key.
    """
    controller, _hash, fragment = method.partition("#")
    for found in _keys_of(controller, network=network):
        if found.method == method or (fragment and found.method == f"#{fragment}"):
            return found
    raise Unresolved(
        "key_unknown", _("The issuer has no such key: %(method)s") % {"method": method[:200]}, unknown=False
    )


def keys_of_controller(controller: str, *, network: Network) -> list[ResolvedKey]:
    """Return all keys of a DID or an https address.

    Raises:
        Unresolved: it cannot be looked up from here.
    """
    return list(_keys_of(controller, network=network))


def _keys_of(controller: str, *, network: Network) -> Iterator[ResolvedKey]:
    ours = own.keys_of(controller)
    if ours is not None:
        yield from (
            ResolvedKey(
                key=key_of_multikey(one.multikey),
                method=one.method,
                controller=controller,
                retired_at=one.retired_at,
                revoked_from=one.revoked_from,
                own=True,
            )
            for one in ours
        )
    elif controller.startswith("did:key:"):
        yield _did_key(controller)
    elif controller.startswith("did:jwk:"):
        yield _did_jwk(controller)
    elif controller.startswith("did:web:"):
        yield from _keys_in(_fetched(_address_of_did_web(controller), network), controller)
    elif controller.startswith("https://"):
        yield from _keys_in(_fetched(controller, network), controller)
    else:
        kind = ":".join(controller.split(":", 2)[:2])
        raise Unresolved(
            "method_unsupported",
            _("Issuers that are named like this cannot be looked up: %(kind)s") % {"kind": kind[:60]},
            unknown=True,
        )


def _did_key(did: str) -> ResolvedKey:
    text = did.removeprefix("did:key:")
    try:
        key = key_of_multikey(text)
    except BadKey:
        # Other kinds of key have a did:key too; we know no verifier for them.
        raise Unresolved(
            "key_unsupported", _("The issuer's key is of a kind that is not supported."), unknown=True
        ) from None
    return ResolvedKey(key=key, method=f"{did}#{text}", controller=did)


def _did_jwk(did: str) -> ResolvedKey:
    try:
        jwk = parse(from_base64url(did.removeprefix("did:jwk:")).decode())
        key = key_of_jwk(jwk)
    except (BadKey, Unreadable, UnicodeDecodeError):
        raise Unresolved(
            "key_unsupported", _("The issuer's key is of a kind that is not supported."), unknown=True
        ) from None
    return ResolvedKey(key=key, method=f"{did}#0", controller=did)


def _address_of_did_web(did: str) -> str:
    """Return where a did:web has its document (did:web method specification, section 2.5.2)."""
    host, *path = did.removeprefix("did:web:").split(":")
    parts = "/".join(path) or ".well-known"
    return f"https://{unquote(host)}/{parts}/did.json"


def _fetched(address: str, network: Network) -> Mapping[str, Any]:
    try:
        found = network.fetch_json(address)
    except NotFetched as error:
        host = _host(address)
        if error.code == "not_allowed":
            message = _(
                "The issuer's key would have to be fetched from %(host)s, which this platform does not do."
            ) % {"host": host}
        else:
            message = _("The issuer's key could not be fetched from %(host)s (%(code)s).") % {
                "host": host,
                "code": error.code,
            }
        raise Unresolved(f"issuer_{error.code}", message, unknown=True) from None
    if not isinstance(found, Mapping):
        raise Unresolved("issuer_document", _("What the issuer publishes is no key document."), unknown=True)
    return found


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "")[:100]
    except ValueError:
        return ""


def _keys_in(document: Mapping[str, Any], controller: str) -> Iterator[ResolvedKey]:
    """Return the keys of a controller document, or the one key where the address holds just that."""
    if document.get("id") not in (None, controller) and "kty" not in document:
        raise Unresolved(
            "issuer_document", _("What the issuer publishes is no key document of that name."), unknown=False
        )
    methods = _list(document.get("verificationMethod"))
    assertions = _list(document.get("assertionMethod"))
    allowed = {one for one in assertions if isinstance(one, str)}
    for method in [*methods, *assertions, document][:_MAX_METHODS]:
        if not isinstance(method, Mapping):
            continue
        try:
            key = key_of_method(method)
        except BadKey:
            continue
        name = str(method.get("id") or controller)
        name = f"{controller}{name}" if name.startswith("#") else name
        yield ResolvedKey(
            key=key,
            method=name,
            controller=str(method.get("controller") or controller),
            for_assertions=(
                method in assertions
                or name in allowed
                or f"#{name.partition('#')[2]}" in allowed
                or method is document
            ),
            retired_at=instant(method.get("expires")),
            revoked_from=instant(method.get("revoked")),
        )


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
