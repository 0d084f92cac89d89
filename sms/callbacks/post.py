"""One POST of one callback, with an end: ten seconds in all, at most 16 KB of the reply read, no redirects, no proxies, no cookies.

Uses the transport that posts to the provider, with another way to connect (`reach`). Called by `run`, by several threads at once,
and to verify an endpoint.
"""

import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from django.utils.translation import gettext_noop

from sms import VERSION
from sms.callbacks.address import Address, AddressPolicy, BadAddress, read
from sms.callbacks.resolve import Connect, Forbidden, dial
from sms.callbacks.schedule import LONGEST_RETRY_AFTER
from sms.callbacks.sign import headers, hub_header, trace_header
from sms.webex import HOP
from sms.webex.replies import retry_after
from sms.webex.transport import Deadline, SingleConnection
from sms.words import KeptSentence

DEADLINE = 10.0  # seconds
LONGEST_REPLY = 16 * 1024
SHOWN_REPLY = 1000  # characters that are kept
REDIRECTED = KeptSentence(
    gettext_noop("It answered %(status)s: redirects are not followed. Enter the address that it leads to.")
)
ANSWERED = KeptSentence(gettext_noop("It answered %(status)s."))
# Translators: why is a sentence.
CANNOT_BE_USED = KeptSentence(gettext_noop("The address cannot be used: %(why)s"))
SLOW = KeptSentence(gettext_noop("No whole answer within %(seconds)s s."))
# Translators: problem is what the system says.
NOT_REACHED = KeptSentence(gettext_noop("It could not be reached: %(problem)s"))
# Translators: problem is what the system says.
BROKE = KeptSentence(gettext_noop("The connection broke: %(problem)s"))


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """What is to be posted. `hub` adds the provider's signature header. `secrets`: the newest first."""

    event_id: str
    url: str
    body: bytes
    secrets: tuple[str, ...]
    hub: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of it. `status` 0 means that no reply came, and `error` says why, in English as it is kept. `retry_after`: seconds."""

    status: int
    milliseconds: int
    error: str = ""
    text: str = ""
    retry_after: float | None = None
    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    @property
    def ok(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return 200 <= self.status < 300


class ReceiverConnection:
    """At most one connection to one origin, kept for the next request. Not for several threads at once."""

    def __init__(
        self, policy: AddressPolicy, *, connect: Connect | None = None, deadline: float = DEADLINE
    ) -> None:
        self._policy = policy
        self._seconds = deadline
        self._deadline = Deadline()
        self._network = SingleConnection(self._deadline, dial=connect or dial(policy))
        self._origin = ""

    def post(self, request: CallbackRequest) -> Reply:
        """Post it now; never raises for anything that the receiver or its address do."""
        started = time.monotonic()
        now = datetime.now(UTC)
        status, text, wait = 0, "", None
        try:
            address = read(request.url, self._policy)
            if address.origin != self._origin:
                self._network.close()
                self._origin = address.origin
            self._deadline.start(self._seconds)
            response = self._network.handle_request(_request(address, request, at=int(now.timestamp())))
            status = response.status_code
            wait = retry_after(response.headers, most=LONGEST_RETRY_AFTER, now=now)
            with contextlib.closing(response):
                text = self._read(response)
            error = "" if 200 <= status < 300 else ANSWERED(status=status)
            if 300 <= status < 400:
                error = REDIRECTED(status=status)
        except BadAddress as problem:
            error = CANNOT_BE_USED(why=problem)
        except Forbidden as problem:
            error = str(problem)
        except httpx.TimeoutException:
            error = SLOW(seconds=f"{self._seconds:.0f}")
        except httpx.TransportError as problem:
            what = NOT_REACHED if isinstance(problem, httpx.ConnectError) else BROKE
            error = what(problem=str(problem)[:120])
        if error and not status:
            self.close()
        took = int((time.monotonic() - started) * 1000)
        return Reply(status, took, error[:200], text, wait, now)

    def close(self) -> None:
        self._network.close()

    def _read(self, response: httpx.Response) -> str:
        """The beginning of the reply. A body that goes on and on costs its connection, not our memory or time; the status stands."""
        kept = b""
        with contextlib.suppress(httpx.TransportError):
            for chunk in response.iter_raw():
                kept += chunk
                if len(kept) > LONGEST_REPLY:
                    break
        return kept.decode("utf-8", "replace").replace("\x00", "\ufffd")[:SHOWN_REPLY]


def _request(address: Address, request: CallbackRequest, *, at: int) -> httpx.Request:
    proofs = headers(request.event_id, request.body, at=at, secrets=request.secrets)
    if request.hub:
        proofs |= hub_header(request.body, secrets=request.secrets) | trace_header(request.event_id)
    usual = {
        "User-Agent": f"textdesk-callbacks/{VERSION}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        HOP: "1",
    }
    return httpx.Request(
        "POST", address.origin + address.target, content=request.body, headers=usual | proofs
    )
