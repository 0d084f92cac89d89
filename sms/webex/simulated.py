"""The network of requests that must not reach one: httpx's transport interface over the sandbox in this process (`sandbox.in_process`).

Called by `sms.simulator`. It opens no connection and knows no address; where a request says it goes to makes no difference.
"""

import time
from collections.abc import Callable, Sequence

import httpx

from sms.webex.sandbox.http_server import Silence
from sms.webex.sandbox.in_process import DueReceipt, play

Keep = Callable[[Sequence[DueReceipt], float], None]


class SimulatedNetwork(httpx.BaseTransport):
    """`keep` gets the receipts of each request and its moment, and returns once they are durable: then the request counts as taken."""

    def __init__(self, *, text_limit: int, keep: Keep, closed: Callable[[], None] = lambda: None) -> None:
        self._text_limit, self._keep, self._closed = text_limit, keep, closed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        now = time.time()
        answer, receipts = play(request.read(), now=now, text_limit=self._text_limit)
        if receipts:
            self._keep(receipts, now)
        if isinstance(answer, Silence):
            raise httpx.ReadError("the connection ended before the reply did")
        assert isinstance(answer.body, bytes)
        return httpx.Response(answer.status, stream=httpx.ByteStream(answer.body))

    def close(self) -> None:
        self._closed()
