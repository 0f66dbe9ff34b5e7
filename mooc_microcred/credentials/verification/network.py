"""Opening an address that a credential names: only on hosts that the operator allows.

A credential is written by a stranger, so what it names could be anything inside the network of the
platform. Therefore: https only, a host of VERIFY_ALLOWED_HOSTS only, every address that the name
resolves to must be a public one, the connection goes to just that address (a name that resolves to
another one a moment later changes nothing), no redirects, no proxy, limits on bytes and seconds.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.credentials.verification import limits
from mooc_microcred.credentials.verification.reading import Unreadable, parse

Resolve = Callable[[str, int], list[str]]

ACCEPT = "application/vc, application/ld+json, application/did+json, application/json;q=0.9"
_CHUNK = 64 * 1024


class NotFetched(Exception):
    """The address was not opened, or did not answer as it should; ``code`` says why.

    Codes: ``not_allowed`` (host, scheme or port), ``not_public``, ``unreachable``, ``status``,
    ``too_long``, ``too_slow``, ``not_json``, ``too_many``.
    """

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def resolve_name(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public internet (also one that IPv6 wraps)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    for wrapped in (getattr(ip, "ipv4_mapped", None), getattr(ip, "sixtofour", None)):
        if wrapped is not None:
            ip = wrapped
    # NAT64 and Teredo lead to IPv4 addresses that would have to be looked at in turn.
    if ip.version == 6 and (ip in _NAT64 or getattr(ip, "teredo", None)):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Network:
    """What one verification may fetch.

    Args:
        allowed: host names; default VERIFY_ALLOWED_HOSTS.
        resolve: returns the addresses of a name. public: says whether one may be connected to.
        tls: the context that checks certificates; default the system's authorities.
        port: to connect to; 443 but for tests.
    """

    def __init__(
        self,
        *,
        allowed: Collection[str] | None = None,
        resolve: Resolve = resolve_name,
        public: Callable[[str], bool] = is_public,
        tls: ssl.SSLContext | None = None,
        port: int = 443,
    ):
        hosts = microcred_settings.VERIFY_ALLOWED_HOSTS if allowed is None else allowed
        self._allowed = {host.lower().rstrip(".") for host in hosts}
        self._resolve = resolve
        self._public = public
        self._tls = tls
        self._port = port
        self._left = limits.MAX_FETCHES
        self._seen: dict[str, Any] = {}

    def allows(self, url: str) -> bool:
        """Say whether an address may be opened at all."""
        return self._host_of(url) is not None

    def fetch_json(self, url: str) -> Any:
        """Return the JSON at an address, fetched at most once per verification.

        Raises:
            NotFetched: it may not be opened, or did not answer with JSON within the limits.
        """
        if url not in self._seen:
            try:
                self._seen[url] = self._fetched(url)
            except NotFetched as error:
                self._seen[url] = error
        found = self._seen[url]
        if isinstance(found, NotFetched):
            raise found
        return found

    def _host_of(self, url: str) -> str | None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return None
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme != "https" or parts.username is not None or parts.password is not None:
            return None
        if port not in (None, 443) or host not in self._allowed:
            return None
        return host

    def _fetched(self, url: str) -> Any:
        host = self._host_of(url)
        if host is None or not url.isascii() or any(character <= " " for character in url):
            raise NotFetched("not_allowed")
        if self._left <= 0:
            raise NotFetched("too_many")
        self._left -= 1
        try:
            addresses = self._resolve(host, self._port)
        except OSError:
            raise NotFetched("unreachable") from None
        if not addresses or not all(map(self._public, addresses)):
            raise NotFetched("not_public")
        body = self._get(host, addresses[0], url)
        try:
            return parse(body.decode("utf-8-sig"))
        except (Unreadable, UnicodeDecodeError):
            raise NotFetched("not_json") from None

    def _get(self, host: str, address: str, url: str) -> bytes:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        ends = time.monotonic() + limits.MAX_FETCH_SECONDS
        connection = _Pinned(host, address, self._port, self._tls or ssl.create_default_context())
        try:
            connection.request(
                "GET", path, headers={"Accept": ACCEPT, "Accept-Encoding": "identity", "Connection": "close"}
            )
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise NotFetched("status")
            return _body(answer, connection, ends)
        except NotFetched:
            raise
        except (OSError, http.client.HTTPException, ValueError):
            raise NotFetched("unreachable") from None
        finally:
            connection.close()


def _body(answer: http.client.HTTPResponse, connection: _Pinned, ends: float) -> bytes:
    parts: list[bytes] = []
    length = 0
    while True:
        left = ends - time.monotonic()
        if left <= 0:
            raise NotFetched("too_slow")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        part = answer.read1(_CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)
        length += len(part)
        if length > limits.MAX_FETCH_BYTES:
            raise NotFetched("too_long")


class _Pinned(http.client.HTTPSConnection):
    """A connection to one IP address, whose certificate must be the host's."""

    def __init__(self, host: str, address: str, port: int, tls: ssl.SSLContext):
        super().__init__(host, port, timeout=limits.MAX_FETCH_SECONDS, context=tls)
        self._address = address
        self._tls = tls

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
