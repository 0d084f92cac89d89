"""Posting the requests of a tenant probe, with the reply kept as it came. Each is committed before its first byte leaves."""

import dataclasses
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.utils.translation import gettext_noop

from sms.catalogue import provider_address
from sms.catalogue.credentials import ProviderConnection
from sms.models import NUMBER, ProbePost
from sms.webex.client import Client
from sms.webex.errors import NotSent, ProviderError, RequestRefused, ServicePaused, Throttled
from sms.words import KeptSentence

PATIENCE = 10.0  # seconds; a person waits at the button
LONGEST_KEPT = 4000  # characters of a reply
EMPTY = b"{}"
AT_ONCE = 8  # connections
TOO_FAST_FOR = 3.0  # seconds
MOST_EMPTY = 400
FASTER_THAN_UNKNOWN = 60  # requests, where no rate is contracted
NOT_LET = KeptSentence(
    gettext_noop(
        "Webex Connect does not let this service send (%(code)s). Test the connection, then send again."
    )
)
REFUSED = KeptSentence(gettext_noop("Webex Connect refused the request: %(code)s."))
EMPTY_REQUESTS = KeptSentence(gettext_noop("%(n)s empty requests"))

Heard = Callable[[int, bytes], None]
ClientFor = Callable[[ProviderConnection, Heard], Client]


def direct(line: ProviderConnection, heard: Heard) -> Client:
    dial = provider_address.dial_for(line.base_url)
    return Client(line.base_url, line.credentials(), deadline=PATIENCE, dial=dial, heard=heard)


# of a field that is missing or wrong, so that a request with another one may be taken
OF_A_FIELD = frozenset({"7003", "7004", "7102"})


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was sent. `for_now`: not for what is in the request. `for_a_field`: another variant may be taken."""

    says: str
    for_now: bool
    for_a_field: bool


def post(
    one: ProbePost, body: bytes, *, number: str, connection: ProviderConnection, client_for: ClientFor
) -> Refused | None:
    """Post and write down what came of it; None where it was or may have been accepted."""

    def heard(status: int, raw: bytes) -> None:
        one.status, one.reply = status, hidden(raw, number)[:LONGEST_KEPT]

    refused = None
    with client_for(connection, heard) as client:
        try:
            client.post(body)
            one.accepted = True
        except (RequestRefused, Throttled, NotSent, ServicePaused) as problem:
            one.accepted, one.cost, one.code = False, 0, problem.code[:20]
            for_now = not isinstance(problem, RequestRefused)
            refused = Refused(_sentence(problem), for_now, problem.code in OF_A_FIELD)
        except ProviderError as problem:
            one.code = problem.code[:20]
    one.save()
    return refused


def _sentence(problem: ProviderError) -> str:
    if isinstance(problem, Throttled):
        return gettext_noop("Webex Connect asks to be slower. Wait a minute, then send again.")
    if isinstance(problem, NotSent):
        return gettext_noop("No server answered. Test the connection, then send again.")
    if isinstance(problem, ServicePaused):
        return NOT_LET(code=problem.code)
    return REFUSED(code=problem.code)


def hidden(raw: bytes, number: str) -> str:
    """As text, with the phone's number taken out, and without NUL, which PostgreSQL cannot hold."""
    return raw.decode("utf-8", "replace").replace("\x00", "").replace(number.lstrip("+") or "\x00", NUMBER)


def too_fast(
    one: ProbePost, *, rate: int | None, connection: ProviderConnection, client_for: ClientFor
) -> None:
    """Empty requests until one is refused for being too fast, for a few seconds at most; written down as one post."""
    most = min(2 * rate + 10, MOST_EMPTY) if rate else FASTER_THAN_UNKNOWN
    until = time.monotonic() + TOO_FAST_FOR
    lock, found = threading.Lock(), threading.Event()
    left = [most]

    def again() -> None:
        said: list[tuple[int, bytes]] = []
        with client_for(connection, lambda status, raw: said.append((status, raw))) as client:
            while not found.is_set() and time.monotonic() < until:
                with lock:
                    if not left[0]:
                        return
                    left[0] -= 1
                try:
                    client.post(EMPTY)
                except Throttled as problem:
                    with lock:
                        found.set()
                        one.status, one.code = problem.status, problem.code.removeprefix("http_")
                        one.reply = said[-1][1].decode("utf-8", "replace")[:LONGEST_KEPT] if said else ""
                except (NotSent, ServicePaused):
                    return
                except ProviderError:
                    continue

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(AT_ONCE):
            pool.submit(again)
    one.body = EMPTY_REQUESTS(n=most - left[0])
    one.accepted = False
    one.save()
