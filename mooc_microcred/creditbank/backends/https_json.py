"""HTTPS and JSON: one signed POST for each message, with an idempotency key.

See docs/reference/bank-protocol.md for what the bank must do.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from django.utils.translation import gettext as _

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.creditbank.backends import (
    Absent,
    HandedOver,
    Outcome,
    Parcel,
    ReceiptFile,
    Received,
    Refused,
    TryLater,
)
from mooc_microcred.creditbank.data import Bank

log = logging.getLogger(__name__)

MAX_RESPONSE = 64 * 1024
SHORTEST_SECRET = 32

_OPTIONS = {"url", "key_id", "secret", "allow_http_on_loopback", "ca_bundle", "proxy", "timeout"}
_ERROR_CODE = re.compile(r"^[a-z0-9_]{1,40}$")
_RECEIPT = re.compile(r"^[\x21-\x7e]{1,255}$")
# These answers are about the connection or its set-up, not about the message: it is tried again.
_SETUP = {401, 403, 404, 405, 407}
_BUSY = {408, 425, 429}


def sign(*, secret: str, method: str, target: str, timestamp: str, key: str, body_sha256: str) -> str:
    """Return the signature: HMAC-SHA256 in hex over the lines that docs/reference/bank-protocol.md names.

    Args:
        secret: shared with the bank.
        method: POST or GET.
        target: path and query of the URL, as they stand in the request line.
        timestamp: seconds since 1970, decimal.
        key: the idempotency key.
        body_sha256: of the body in hex, also where there is none.
    """
    text = "\n".join(["microcred-v1", method, target, timestamp, key, body_sha256])
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class HttpsJsonBackend:
    """A bank that answers over HTTPS.

    Options: ``url`` (messages are POSTed to it, receipts asked for below it), ``key_id``,
    ``secret`` (32 characters or more), ``timeout`` (seconds), ``ca_bundle`` (path), ``proxy`` (URL),
    ``allow_http_on_loopback`` (for a bank on the same machine).
    """

    # One at a time, so that a claim never outlives the time that a slow bank may take.
    batch = 1

    def __init__(self, bank: Bank):
        options = bank.options
        problems = list(self.check_options(options))
        if problems:
            # A message that goes over a wrong connection cannot be called back.
            raise ValueError(f"bank {bank.code}: options {', '.join(key for key, __ in problems)} are wrong")
        self._url = options["url"].rstrip("/")
        self._key_id = options["key_id"]
        self._secret = options["secret"]
        self._timeout = float(options.get("timeout", microcred_settings.BANK_TIMEOUT))
        self._verify = options.get("ca_bundle") or True
        self._proxies = {"https": options["proxy"]} if options.get("proxy") else {}

    @staticmethod
    def check_options(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield (option, message) for everything that is wrong."""
        for key in sorted(set(map(str, options)) - _OPTIONS):
            yield key, _("is not an option of this back end")
        yield from _check_url(options)
        if not isinstance(options.get("key_id"), str) or not re.fullmatch(
            r"[\x21-\x7e]{1,128}", options["key_id"]
        ):
            yield "key_id", _("must be a text of 1 to 128 printable ASCII characters without spaces")
        secret = options.get("secret")
        if not isinstance(secret, str) or len(secret) < SHORTEST_SECRET:
            yield "secret", _("must be a text of at least 32 characters")
        timeout = options.get("timeout", 1)
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= 300:
            yield "timeout", _("must be a number of seconds above 0 and at most 300")

    def deliver(self, parcels: Sequence[Parcel], *, now: datetime) -> Iterator[tuple[str, Outcome]]:
        """POST each parcel; yield its outcome."""
        for parcel in parcels:
            outcome = self._exchange("POST", self._url, parcel, now)
            # To a POST, "no such thing" means that the URL is wrong.
            yield (
                parcel.key,
                TryLater("http_404", in_doubt=False, bank_away=True)
                if isinstance(outcome, Absent)
                else outcome,
            )

    def inquire(self, parcels: Sequence[Parcel], *, now: datetime) -> Iterator[tuple[str, Outcome]]:
        """GET the receipt of each parcel; nothing about the learner is sent."""
        for parcel in parcels:
            yield parcel.key, self._exchange("GET", f"{self._url}/{parcel.key}", parcel, now)

    def read_receipts(self) -> Iterator[ReceiptFile]:
        """Yield nothing: receipts come with the answers."""
        yield from ()

    def put_away(self, file: ReceiptFile) -> None:
        """Do nothing: there are no files."""

    def _exchange(self, method: str, url: str, parcel: Parcel, now: datetime) -> Outcome:
        body = parcel.body if method == "POST" else b""
        body_sha256 = hashlib.sha256(body).hexdigest()
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        timestamp = str(int(now.timestamp()))
        signature = sign(
            secret=self._secret,
            method=method,
            target=target,
            timestamp=timestamp,
            key=parcel.key,
            body_sha256=body_sha256,
        )
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            # An answer that comes twice must not be taken for the answer to the next message.
            "Connection": "close",
            "Idempotency-Key": parcel.key,
            "X-Microcred-Key-Id": self._key_id,
            "X-Microcred-Timestamp": timestamp,
            "X-Microcred-Signature": f"v1={signature}",
        }
        if method == "POST":
            headers["Content-Type"] = "application/json; charset=utf-8"
        deadline = time.monotonic() + 2 * self._timeout
        try:
            with requests.Session() as session:
                # No .netrc, proxy or certificate store from the environment of the worker.
                session.trust_env = False
                with session.request(
                    method,
                    url,
                    data=body or None,
                    headers=headers,
                    timeout=self._timeout,
                    verify=self._verify,
                    proxies=self._proxies,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    answer = _read_bounded(response, deadline)
                    return _judge(response.status_code, response.headers, answer, parcel)
        except requests.exceptions.RequestException as error:
            return _judge_failure(error)


def _check_url(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    url = options.get("url")
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        host = parts.hostname if parts else None
    except ValueError:
        parts = host = None
    if parts is None or not host or parts.fragment or parts.query or parts.username or parts.password:
        yield "url", _("must be an https address without user name, query and fragment")
        return
    if parts.scheme == "https":
        return
    if parts.scheme == "http" and options.get("allow_http_on_loopback") is True and _is_loopback(host):
        return
    yield "url", _("must begin with https:// (http only to this machine, with allow_http_on_loopback)")


def _read_bounded(response: requests.Response, deadline: float) -> bytes:
    """Read the answer, but not more than MAX_RESPONSE bytes and not beyond the deadline."""
    answer = b""
    for chunk in response.iter_content(512):
        answer += chunk
        if len(answer) > MAX_RESPONSE:
            raise requests.exceptions.ContentDecodingError("the answer is too long")
        if time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout("the answer takes too long")
    return answer


def _judge_failure(error: requests.exceptions.RequestException) -> TryLater:
    """Say what a failed exchange means; in doubt unless the connection never came to be."""
    if isinstance(error, requests.exceptions.SSLError):
        return TryLater("tls", in_doubt=False, bank_away=True)
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return TryLater("unreachable", in_doubt=False, bank_away=True)
    cause = error.args[0] if error.args else None
    if isinstance(cause, urllib3.exceptions.MaxRetryError):
        cause = cause.reason
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return TryLater("unreachable", in_doubt=False, bank_away=True)
    if isinstance(error, requests.exceptions.Timeout):
        return TryLater("timeout", in_doubt=True, bank_away=True)
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return TryLater("answer_too_long", in_doubt=True)
    log.info("credit bank: exchange broke off (%s)", type(error).__name__)
    return TryLater("connection_broken", in_doubt=True, bank_away=True)


def _judge(status: int, headers: Mapping[str, str], answer: bytes, parcel: Parcel) -> Outcome:
    document = _parse(answer)
    if status in (200, 201):
        receipt = document.get("receipt")
        if (
            document.get("key") != parcel.key
            or document.get("body_sha256") != parcel.body_sha256
            or not isinstance(receipt, str)
            or not _RECEIPT.match(receipt)
        ):
            return TryLater("answer_unclear", in_doubt=True)
        return Received(receipt)
    if status == 202:
        return HandedOver(ask_again=_wait(headers) or timedelta(seconds=microcred_settings.BANK_BACKOFF_MAX))
    error = document.get("error")
    error = error if isinstance(error, str) and _ERROR_CODE.match(error) else ""
    code = f"http_{status}" + (f"_{error}" if error else "")
    if status == 404 and error == "unknown_key":
        return Absent()
    if status == 409 and error == "out_of_order":
        return TryLater(code, in_doubt=False)
    if status == 409:
        # Something else is stored under this key; whether it is this message, a person must find out.
        return Refused(code, in_doubt=True)
    if status in _BUSY:
        return TryLater(code, in_doubt=False, wait=_wait(headers), bank_away=True)
    if status in _SETUP or 300 <= status < 400:
        return TryLater(code, in_doubt=False, bank_away=True)
    if 400 <= status < 500:
        return Refused(code)
    return TryLater(code, in_doubt=True, wait=_wait(headers))


def _parse(answer: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _wait(headers: Mapping[str, str]) -> timedelta | None:
    """Return Retry-After in seconds, cut to the longest wait of ours; dates are not understood."""
    text = headers.get("Retry-After", "")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        return None
    return timedelta(seconds=min(int(text), microcred_settings.BANK_BACKOFF_MAX))
