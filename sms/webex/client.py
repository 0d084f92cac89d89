"""One POST to `/v2/messages`, with an end; the only module besides `transport` that knows httpx. Called by dispatch, one Client per thread.

Total deadline over connecting, TLS, writing, headers and body (`transport`); at most 64 KB of the reply are read. Redirects are
not followed, so the key never travels; proxies and other environment settings are ignored; cookies are not kept: all by
construction, since the transport is used without httpx.Client, which costs as much time as the rest and has nothing to add.
No retry happens here, ever: whether a request may be posted again is decided by the class of the error (`errors`) and dispatch.
"""

import contextlib
import dataclasses
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

import httpx

from sms import VERSION
from sms.webex import HOP
from sms.webex.auth import Jwt, ServiceKey
from sms.webex.errors import NotSent, ProviderError, ServicePaused, Unconfirmed
from sms.webex.origin import must_match
from sms.webex.replies import Accepted, parse_reply
from sms.webex.transport import Deadline, SingleConnection
from sms.words import KeptSentence, gettext, gettext_noop

DEADLINE = 20.0  # seconds; dispatch's lease must be well above it
LONGEST_REPLY = 64 * 1024
LONGEST_LIST = 1024 * 1024
MORE_THAN = KeptSentence(gettext_noop("More than %(most)s bytes."))
NO_ADDRESS = KeptSentence(gettext_noop("The base URL is not an address: %(error)s"))
NO_ORIGIN = KeptSentence(gettext_noop("The base URL must be https:// and a host, not %(url)s."))
NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
HEADERS = {
    "User-Agent": f"textdesk/{VERSION}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # nothing to unpack means nothing that unpacks to a gigabyte
    "Content-Type": "application/json",
    HOP: "1",
}


class Client:
    """Posts bodies made by `wire.encode` for one service. Holds at most one connection; not for several threads.

    `transport` replaces the network, for tests; the deadline is then kept only between the chunks of a reply. `sent` is called between the
    last byte of a request and the first look at its reply, which is where fault tests end the process. `heard` gets status and body of
    each reply as they came. `dial` is the transport's.

    Credentials that were typed for another origin than that of `base_url` are refused: SecretElsewhere, a ValueError.
    """

    def __init__(
        self,
        base_url: str,
        credentials: ServiceKey | Jwt,
        *,
        transport: httpx.BaseTransport | None = None,
        deadline: float = DEADLINE,
        dial: Callable[[str, int, float], socket.socket] | None = None,
        sent: Callable[[], None] = lambda: None,
        heard: Callable[[int, bytes], None] | None = None,
    ) -> None:
        self._heard = heard
        self._target = _target(base_url, "/v2/messages")
        if credentials.origin is not None:
            must_match(credentials.origin, base_url)
        self._credentials = credentials
        self._seconds = deadline
        self._deadline = Deadline()
        self._busy = threading.Lock()
        self._real = transport is None  # only our own network can tell whether a byte left
        self._transport = transport or SingleConnection(self._deadline, sent=sent, dial=dial)
        # For the transport of a test; ours has the deadline.
        self._limits = {"timeout": httpx.Timeout(deadline).as_dict()}

    def post(
        self, body: bytes, *, destinations: int = 1, begin: Callable[[], object] = lambda: None
    ) -> Accepted:
        """Post one request to so many destinations. `begin` is called before the first byte leaves.

        Returns within the deadline, or raises a `ProviderError` whose class says what may happen next.
        """
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("a Client serves one thread; make one for each")
        try:
            self._deadline.start(self._seconds, begin)
            if not self._real:
                self._deadline.touch()
            return self._post(body, destinations)
        except ServicePaused as error:
            if error.status == 401 and isinstance(self._credentials, Jwt):
                self._credentials.forget()
            raise
        finally:
            self._busy.release()

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _post(self, body: bytes, destinations: int) -> Accepted:
        status = 0
        try:
            headers = HEADERS | self._credentials.headers(time.time())
            request = httpx.Request(
                "POST", self._target, content=body, headers=headers, extensions=self._limits
            )
            response = self._transport.handle_request(request)
            status = response.status_code
            with contextlib.closing(response):
                said = self._read(response)
                if self._heard is not None:
                    self._heard(status, said)
                return parse_reply(status, response.headers, said, destinations=destinations)
        except NOT_CONNECTED as error:
            raise NotSent("connect", 0, type(error).__name__) from error
        except httpx.HTTPError as error:
            raise self._broken(error, status) from error

    def _read(self, response: httpx.Response) -> bytes:
        """The body, up to the cap. A longer one says nothing more about a refusal, but leaves an acceptance unconfirmed."""
        body = _capped(response, LONGEST_REPLY, self._deadline)
        if body is None and response.is_success:
            raise Unconfirmed("too_large", response.status_code, MORE_THAN(most=LONGEST_REPLY))
        return body or b""

    def _broken(self, error: httpx.HTTPError, status: int) -> ProviderError:
        """What a broken exchange means. A status of 3xx or 4xx that came through decides alone: it never means accepted."""
        if 300 <= status < 500:
            try:
                parse_reply(status, {}, b"")
            except ProviderError as decided:
                return decided
        if self._real and not self._deadline.touched:
            return NotSent("too_late", 0, type(error).__name__)
        code = "timeout" if isinstance(error, httpx.TimeoutException) else "cut_off"
        return Unconfirmed(code, status, type(error).__name__)


def _target(base_url: str, path: str) -> httpx.URL:
    try:
        target = httpx.URL(base_url.rstrip("/") + path)
    except (httpx.InvalidURL, ValueError) as error:
        raise ValueError(gettext(NO_ADDRESS.text) % {"error": error}) from error
    if target.scheme not in ("https", "http") or not target.host:
        raise ValueError(gettext(NO_ORIGIN.text) % {"url": repr(base_url)})
    return target


def _capped(response: httpx.Response, most: int, deadline: Deadline) -> bytes | None:
    """The body, None where it is longer than `most` bytes."""
    chunks: list[bytes] = []
    size = 0
    # A transport of a test may hand over a reply that is read already.
    for chunk in [response.content] if response.is_stream_consumed else response.iter_raw():
        size += len(chunk)
        if size > most:
            return None
        chunks.append(chunk)
        deadline.left(httpx.ReadTimeout)
    return b"".join(chunks)


@dataclasses.dataclass(frozen=True, slots=True)
class ApiReply:
    """An answer of another of the provider's APIs, as it came."""

    status: int
    body: bytes


def exchange(
    base_url: str,
    bearer: str,
    method: str,
    path: str,
    body: bytes,
    *,
    kept_for: str,
    transport: httpx.BaseTransport | None = None,
    deadline: float = DEADLINE,
    dial: Callable[[str, int, float], socket.socket] | None = None,
) -> ApiReply:
    """One request with a bearer token, over the same transport and within the same kind of deadline; raises NotSent or Unconfirmed.

    `kept_for` is the origin that the token was typed for; SecretElsewhere, a ValueError, where `base_url` is another. At most LONGEST_LIST
    bytes of the answer are read.
    """
    must_match(kept_for, base_url)
    target = _target(base_url, path)
    clock = Deadline()
    clock.start(deadline)
    headers = HEADERS | {"Authorization": f"Bearer {bearer}"}
    timeout = {"timeout": httpx.Timeout(deadline).as_dict()}
    with contextlib.closing(transport or SingleConnection(clock, dial=dial)) as network:
        try:
            request = httpx.Request(method, target, content=body, headers=headers, extensions=timeout)
            with contextlib.closing(network.handle_request(request)) as response:
                read = _capped(response, LONGEST_LIST, clock)
                if read is None:
                    raise Unconfirmed("too_large", response.status_code)
                return ApiReply(response.status_code, read)
        except NOT_CONNECTED as error:
            raise NotSent("connect", 0, type(error).__name__) from error
        except httpx.HTTPError as error:
            raise Unconfirmed("cut_off", 0, type(error).__name__) from error
